"""Orders over HTTP: who is obeyed, and that no page elsewhere can give one in the presenter's name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from reflector.observe.server.control import ControlServer
from reflector.observe.server.http import HttpServer
from tests.sockets.test_http import LOOPBACK
from tests.support.reflector_process import free_port
from tests.unit.observe.scene import Scene

CLUSTER = ip_network("10.1.0.0/16")
DISCONNECT = "/api/v1/clusters/disconnect"


class Presenter:
    """Who gives orders."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def order(
        self, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Give one; returns the status and the answer."""
        async with self._session.post(self.url + path, json=body, headers=headers) as response:
            assert "Access-Control-Allow-Origin" not in response.headers
            return response.status, await response.json()


@asynccontextmanager
async def presenting(scene: Scene) -> AsyncIterator[Presenter]:
    server = HttpServer(LOOPBACK, free_port(), scene)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield Presenter(session, server.url.rstrip("/"))
    finally:
        await server.stop()


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.mark.asyncio
async def test_every_order_is_carried_out_and_says_who_gave_it(scene: Scene) -> None:
    async with presenting(scene) as presenter:
        for path, body in (
            (DISCONNECT, {"cluster": "10.1.0.0/16"}),
            ("/api/v1/clusters/connect", {"cluster": "10.1.0.0/16"}),
            ("/api/v1/neighbors/10.0.0.5/clear", {}),
            ("/api/v1/neighbors/10.0.0.5/refresh", {"direction": "in"}),
            ("/api/v1/own-routes", {"hidden": True}),
        ):
            status, answer = await presenter.order(path, body)
            assert status == 200, answer
            assert answer["done"] == scene.controls.orders[-1]
    assert scene.controls.orders == [
        "disconnect 10.1.0.0/16 by 127.0.0.1",
        "connect 10.1.0.0/16 by 127.0.0.1",
        "clear 10.0.0.5 by 127.0.0.1",
        "refresh 10.0.0.5 in by 127.0.0.1",
        "hide by 127.0.0.1",
    ]
    assert answer["own_routes_hidden"] is True


@pytest.mark.asyncio
async def test_who_is_not_named_may_do_nothing_and_is_told_so(scene: Scene) -> None:
    scene.controls.allowed = False
    async with presenting(scene) as presenter:
        status, answer = await presenter.order(DISCONNECT, {"cluster": "10.1.0.0/16"})
        assert status == 403
        assert "http-controls" in answer["error"]
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{presenter.url}/api/v1/controls") as response,
        ):
            assert (await response.json())["allowed"] is False
    assert scene.controls.orders == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
    ],
    ids=str,
)
async def test_a_page_elsewhere_can_give_no_order(scene: Scene, headers: dict[str, str]) -> None:
    """What a form or a script of another origin can send without being asked first is refused."""
    async with presenting(scene) as presenter:
        status, _ = await presenter.order(DISCONNECT, {"cluster": "10.1.0.0/16"}, headers)
        assert status == 403
        own = {"Origin": presenter.url, "Sec-Fetch-Site": "same-origin"}
        status, _ = await presenter.order(DISCONNECT, {"cluster": "10.1.0.0/16"}, own)
        assert status == 200
    assert len(scene.controls.orders) == 1


@pytest.mark.asyncio
async def test_nobody_elsewhere_is_told_that_it_may(scene: Scene) -> None:
    """CORS: the question that a browser asks before another origin's POST of JSON gets no yes."""
    async with presenting(scene) as presenter, aiohttp.ClientSession() as session:
        headers = {
            "Origin": "http://evil.example",
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        }
        async with session.options(presenter.url + DISCONNECT, headers=headers) as response:
            assert response.status == 405
            assert not [name for name in response.headers if name.startswith("Access-Control")]
        async with session.get(presenter.url + DISCONNECT) as response:
            assert response.status == 405


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        (DISCONNECT, {}, 400, "cluster is to be its network"),
        (DISCONNECT, {"cluster": "10.1.0.1/16"}, 400, "cluster is to be its network"),
        (DISCONNECT, [], 400, "the body is to be a JSON object"),
        ("/api/v1/clusters/connect", {"cluster": "10.9.0.0/16"}, 404, "is not disconnected"),
        ("/api/v1/neighbors/nobody/clear", {}, 400, "is not an IP address"),
        ("/api/v1/neighbors/10.0.0.5/refresh", {"direction": "up"}, 400, "in, out or both"),
        ("/api/v1/own-routes", {"hidden": "yes"}, 400, "true or false"),
    ],
)
async def test_what_is_no_order(
    scene: Scene, path: str, body: object, status: int, said: str
) -> None:
    async with presenting(scene) as presenter:
        answer = await presenter.order(path, body)
        assert answer[0] == status
        assert said in answer[1]["error"]


@pytest.mark.asyncio
@pytest.mark.parametrize("body", [b"{", b"[" * 100_000, b"\xff"], ids=["cut", "deep", "no text"])
async def test_what_is_no_json(scene: Scene, body: bytes) -> None:
    async with presenting(scene) as presenter, aiohttp.ClientSession() as session:
        headers = {"Content-Type": "application/json"}
        async with session.post(presenter.url + DISCONNECT, data=body, headers=headers) as response:
            assert response.status == 400
    assert scene.controls.orders == []


@pytest.mark.asyncio
async def test_the_control_socket_may_in_any_case(scene: Scene, tmp_path: Path) -> None:
    scene.controls.allowed = False
    server = ControlServer(tmp_path / "s", scene)
    await server.start()
    try:
        connector = aiohttp.UnixConnector(str(tmp_path / "s"))
        async with aiohttp.ClientSession(connector=connector) as session:
            presenter = Presenter(session, "http://localhost")
            status, _ = await presenter.order(DISCONNECT, {"cluster": "10.1.0.0/16"})
            assert status == 200
    finally:
        await server.stop()
    assert scene.controls.orders == ["disconnect 10.1.0.0/16 by the command line"]
    assert list(scene.controls.disconnected) == [CLUSTER]
