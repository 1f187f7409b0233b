"""The debug address over HTTP: what it answers, and what it does not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address

import aiohttp
import pytest

from reflector.observe.server import door
from reflector.observe.server.http import HttpError, WhoamiListener
from tests.support.reflector_process import free_port
from tests.unit.observe.scene import Scene

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def serving(scene: Scene) -> AsyncIterator[tuple[str, aiohttp.ClientSession]]:
    """Its URL, and who asks."""
    server = WhoamiListener(ip_address("127.0.0.1"), free_port(), scene)
    await server.start()
    try:
        async with aiohttp.ClientSession() as session:
            yield server.url, session
    finally:
        await server.stop()


async def test_curl_gets_text_and_a_browser_html() -> None:
    scene = Scene()
    scene.announce(scene.join("127.0.0.1", "node-a"), "10.1.0.0/24", next_hop="10.0.0.5")
    async with serving(scene) as (url, session):
        async with session.get(url) as answer:
            assert answer.content_type == "text/plain"
            assert answer.headers["Cache-Control"] == "no-store"
            assert "You came through node-a (127.0.0.1" in await answer.text()
        async with session.get(url, headers={"Accept": "text/html,*/*;q=0.8"}) as answer:
            assert answer.content_type == "text/html"
            assert "<li>10.1.0.0/24</li>" in await answer.text()


async def test_nothing_else_is_there() -> None:
    """Everyone in the class reaches it: not the API, whatever the page's address is."""
    async with serving(Scene()) as (url, session):
        for path in ("api/v1/neighbors", "metrics", "index.html", "healthz"):
            async with session.get(url + path) as answer:
                assert answer.status == 404
        async with session.post(url) as answer:
            assert answer.status == 405


async def test_who_asks_all_the_time_is_told_to_wait() -> None:
    async with serving(Scene()) as (url, session):
        statuses = []
        for _ in range(2000):
            async with session.get(url) as answer:
                statuses.append(answer.status)
                if answer.status == 429:
                    assert answer.headers["Retry-After"] == "1"
                    break
        assert statuses[:60] == [200] * 60
        assert statuses[-1] == 429


async def test_idle_connections_keep_nobody_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that has been open longest goes for the next, not only when it has been idle for long."""
    monkeypatch.setattr("reflector.observe.who_am_i.server._KEEPALIVE_S", 3600.0)
    async with serving(Scene()) as (url, session):
        port = int(url.rstrip("/").rpartition(":")[2])
        idle = [
            await asyncio.open_connection("127.0.0.1", port) for _ in range(door.MAX_VISITORS + 10)
        ]
        async with session.get(url) as answer:
            assert answer.status == 200
        oldest, _ = idle[0]
        assert await asyncio.wait_for(oldest.read(), 10) == b""
        for _, writer in idle:
            writer.close()


async def test_a_port_that_is_taken_is_named() -> None:
    async with serving(Scene()) as (url, _):
        port = int(url.rstrip("/").rpartition(":")[2])
        second = WhoamiListener(ip_address("127.0.0.1"), port, Scene())
        with pytest.raises(HttpError, match="--whoami off"):
            await second.start()
