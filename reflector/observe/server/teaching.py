"""Orders of a presenter over the API: who may give them, and that no page elsewhere can.

Over HTTP an order is a POST of JSON from the page itself: a page elsewhere can't send that without
being asked first (CORS), and is never told that it may.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import ip_network
from typing import Final
from urllib.parse import urlsplit

from aiohttp import web

from reflector.bgp.nlri import IPNetwork
from reflector.observe.orders import Controls, OrderRefused, state
from reflector.observe.server.answers import end_of, read_address


class Teaching:
    """The handlers of the orders.

    Args:
        controls: What carries them out.
    """

    def __init__(self, controls: Controls) -> None:
        self._controls = controls

    def routes_table(self) -> list[web.RouteDef]:
        """Paths and their handlers."""
        actions = {
            "/api/v1/clusters/disconnect": self._disconnect,
            "/api/v1/clusters/connect": self._connect,
            "/api/v1/neighbors/{address}/clear": self._clear,
            "/api/v1/neighbors/{address}/refresh": self._refresh,
            "/api/v1/own-routes": self._hide,
        }
        return [
            web.get("/api/v1/controls", self.controls),
            *(web.post(path, self._handler(act)) for path, act in actions.items()),
        ]

    async def controls(self, request: web.Request) -> web.Response:
        """What is done to the class, and whether whoever asks may do so."""
        controls = self._controls
        return web.json_response(
            {"allowed": controls.may(end_of(request, "peername")), **state(controls)}
        )

    def _handler(
        self, act: Callable[[web.Request, Mapping[str, object], str], str]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            address = end_of(request, "peername")
            by = "the command line" if address is None else str(address)
            try:
                if not self._controls.may(address):
                    raise _Forbidden(_NOT_YOU)
                _check_origin(request)
                done = act(request, _read(await request.read()), by)
            except ValueError as error:
                return _refuse(400, str(error))
            except OrderRefused as error:
                return _refuse(error.status, str(error))
            return web.json_response({"done": done, **state(self._controls)})

        return handle

    def _disconnect(self, _: web.Request, body: Mapping[str, object], by: str) -> str:
        return self._controls.disconnect(_cluster(body), by)

    def _connect(self, _: web.Request, body: Mapping[str, object], by: str) -> str:
        return self._controls.connect(_cluster(body), by)

    def _clear(self, request: web.Request, _: Mapping[str, object], by: str) -> str:
        return self._controls.clear(read_address(request), by)

    def _refresh(self, request: web.Request, body: Mapping[str, object], by: str) -> str:
        direction = body.get("direction", "both")
        if direction not in ("in", "out", "both"):
            raise ValueError("direction is to be in, out or both")
        return self._controls.refresh(read_address(request), str(direction), by)

    def _hide(self, _: web.Request, body: Mapping[str, object], by: str) -> str:
        hidden = body.get("hidden")
        if not isinstance(hidden, bool):
            raise ValueError("hidden is to be true or false")  # noqa: TRY004 - a wrong request
        return self._controls.hide(by, hidden=hidden)


_NOT_YOU: Final = (
    "this address may not do that: name it in http-controls of the reflector's configuration, or use "
    "the command line on its machine"
)


class _Forbidden(OrderRefused):
    """Whoever gave the order may not."""

    status = 403


def _check_origin(request: web.Request) -> None:
    """See that an order can come from our own page or a script alone.

    Raises:
        OrderRefused: A page elsewhere could have sent it.
    """
    if request.content_type != "application/json":
        raise _Forbidden("an order is a POST with the content type application/json")
    origin = request.headers.get("Origin")
    elsewhere = origin is not None and urlsplit(origin).netloc != request.headers.get("Host")
    if elsewhere or request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise _Forbidden("an order from a page elsewhere is not obeyed")


def _read(text: bytes) -> Mapping[str, object]:
    try:
        body = json.loads(text or b"{}")
    except RecursionError:
        body = None
    if not isinstance(body, dict):
        raise ValueError("the body is to be a JSON object")  # noqa: TRY004 - a wrong request
    return body


def _cluster(body: Mapping[str, object]) -> IPNetwork:
    try:
        return ip_network(str(body.get("cluster")))
    except ValueError:
        raise ValueError("cluster is to be its network, such as 10.1.0.0/16") from None


def _refuse(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)
