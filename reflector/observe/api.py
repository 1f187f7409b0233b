"""The JSON API: paths to views. Long answers are sent in slices that delay nobody's KEEPALIVE."""

import asyncio
import json
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import ip_address, ip_network
from typing import Final

from aiohttp import web

from reflector.bgp.nlri import IPNetwork
from reflector.observe import views
from reflector.observe.door import Door
from reflector.observe.views import Reflector, Routes, View
from reflector.rib.path import IPAddress

# How long the loop may be held at a stretch while a long answer is made.
_SLICE_S: Final = 0.002

# How long answers that are under way may take at shutdown; the process is to end within a second.
_SHUTDOWN_S: Final = 0.1

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(listener: socket.socket, reflector: Reflector) -> web.AppRunner:
    """Serve the API on a listening socket.

    Returns:
        What is to be cleaned up at the end.
    """
    # aiohttp would print what it can't parse as a traceback, past our log; it answers 400 anyway.
    logging.getLogger("aiohttp.server").disabled = True
    runner = _Runner(_Api(reflector).application(), access_log=None, shutdown_timeout=_SHUTDOWN_S)
    await runner.setup()
    await runner.listen(listener)
    return runner


class _Runner(web.AppRunner):
    """aiohttp's, with a door before it."""

    _listening: asyncio.Server | None = None

    async def listen(self, listener: socket.socket) -> None:
        """Answer on a socket from now on."""
        assert self.server is not None  # noqa: S101 - after `setup`
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(Door(self.server), sock=listener)

    async def cleanup(self) -> None:
        """Stop answering."""
        if self._listening is not None:
            self._listening.close()
        await super().cleanup()


class _Api:
    """The handlers, one for each path."""

    def __init__(self, reflector: Reflector) -> None:
        self._reflector = reflector
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()

    def application(self) -> web.Application:
        application = web.Application(middlewares=[_errors_as_json])
        application.add_routes(
            [
                web.get("/healthz", self.health),
                web.get("/api/v1/summary", self.summary),
                web.get("/api/v1/neighbors", self.neighbors),
                web.get("/api/v1/neighbors/{address}", self.neighbor),
                web.get("/api/v1/neighbors/{address}/advertised", self.advertised),
                web.get("/api/v1/config", self.config),
                web.get("/api/v1/routes", self.routes),
            ]
        )
        return application

    async def health(self, _: web.Request) -> web.Response:
        speaker = self._reflector.speaker
        prefixes = sum(len(table.routes) for table in speaker.tables.values())
        return web.json_response(
            {"status": "ok", "established": len(speaker.peers), "prefixes": prefixes}
        )

    async def summary(self, _: web.Request) -> web.Response:
        up_s = self._loop.time() - self._began_s
        return web.json_response(views.summary(self._reflector, up_s))

    async def neighbors(self, request: web.Request) -> web.StreamResponse:
        items = views.neighbors(self._reflector, self._loop.time())
        return await _stream(request, "neighbors", items)

    async def neighbor(self, request: web.Request) -> web.Response:
        address = _read_address(request)
        found = list(views.neighbors(self._reflector, self._loop.time(), address))
        if not found:
            raise _problem(404, f"there is no connection with {address}")
        return web.json_response({"neighbors": found})

    async def advertised(self, request: web.Request) -> web.StreamResponse:
        address = _read_address(request)
        if not any(source.address == address for source in self._reflector.speaker.peers):
            raise _problem(404, f"there is no established session with {address}")
        return await _stream(request, "routes", views.advertised(self._reflector, address))

    async def config(self, _: web.Request) -> web.Response:
        return web.json_response(self._reflector.describe_config())

    async def routes(self, request: web.Request) -> web.StreamResponse:
        routes = Routes(self._reflector.speaker)
        text = request.query.get("prefix")
        if text is None:
            return await _stream(request, "routes", routes.all())
        found = routes.matching(_read_prefix(text))
        if found is None:
            raise _problem(404, f"there is no route for {text}")
        return web.json_response({"routes": [found]})


def _read_address(request: web.Request) -> IPAddress:
    text = request.match_info["address"]
    try:
        return ip_address(text)
    except ValueError:
        raise _problem(400, f"{text!r} is not an IP address") from None


def _read_prefix(text: str) -> IPNetwork | IPAddress:
    try:
        return ip_network(text) if "/" in text else ip_address(text)
    except ValueError as error:
        raise _problem(400, f"no prefix and no address: {error}") from None


async def _stream(request: web.Request, name: str, items: Iterator[View]) -> web.StreamResponse:
    """Send `{name: [items]}` as it is made, pausing for the rest of the reflector."""
    response = web.StreamResponse(headers={"Content-Type": "application/json; charset=utf-8"})
    await response.prepare(request)
    loop = asyncio.get_running_loop()
    parts, separator = [f'{{"{name}": ['], "\n"
    pause_at_s = loop.time() + _SLICE_S
    for item in items:
        parts.append(separator + json.dumps(item))
        separator = ",\n"
        if loop.time() >= pause_at_s:
            await response.write("".join(parts).encode())
            await asyncio.sleep(0)
            parts = []
            pause_at_s = loop.time() + _SLICE_S
    parts.append("\n]}\n")
    await response.write("".join(parts).encode())
    await response.write_eof()
    return response


def _problem(status: int, message: str) -> web.HTTPException:
    kind = web.HTTPNotFound if status == web.HTTPNotFound.status_code else web.HTTPBadRequest
    return kind(text=json.dumps({"error": message}), content_type="application/json")


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.content_type == "application/json":
            raise
        message = f"{request.method} {request.path}: {error.reason}"
        return web.json_response({"error": message}, status=error.status)
