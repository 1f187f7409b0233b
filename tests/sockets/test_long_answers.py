"""Long answers over TCP: hundreds that ask at once, and those that never read."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import ExitStack, aclosing

import aiohttp
import pytest

from reflector.observe import diagnosis
from reflector.observe.overlap import Routes
from reflector.observe.search import Row, search
from reflector.observe.server import pace, web
from reflector.observe.server.http import HttpServer
from reflector.observe.server.stream import Stream
from reflector.rib.path import Path
from tests.sockets.test_floods import descriptors
from tests.sockets.test_http import serving
from tests.unit.observe.scene import Scene

MANY = 20_000
DEADLINE_S = 60.0


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    peer = scene.join("10.0.0.5", "node-a")
    for first in range(0, MANY, 200):
        numbers = range(first, first + 200)
        scene.announce(peer, *(f"10.{n >> 8}.{n & 255}.0/24" for n in numbers))
    return scene


async def _ask_and_never_read(server: HttpServer, stack: ExitStack) -> None:
    port = int(server.url.rstrip("/").rpartition(":")[2])
    client = stack.enter_context(socket.socket())
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, ("127.0.0.1", port))
    await loop.sock_sendall(client, b"GET /api/v1/routes HTTP/1.1\r\nHost: localhost\r\n\r\n")


@pytest.mark.asyncio
async def test_who_never_reads_gives_its_place_to_who_waits(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "MOST_UNDER_WAY", 2)
    async with serving(scene) as (url, server), aiohttp.ClientSession() as session:
        with ExitStack() as stack:
            for _ in range(4):
                await _ask_and_never_read(server, stack)
            async with asyncio.timeout(DEADLINE_S), session.get(f"{url}/api/v1/routes") as response:
                assert len((await response.json())["routes"]) == MANY


@pytest.mark.asyncio
async def test_who_never_reads_holds_no_descriptor_when_too_many_are_here(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(web, "_MAX_VISITORS", 4)
    async with serving(scene) as (_, server):
        before = descriptors()
        with ExitStack() as stack:
            for _ in range(4):
                for _ in range(4):
                    await _ask_and_never_read(server, stack)
                await asyncio.sleep(0.5)  # until no buffer has room for more
            async with asyncio.timeout(DEADLINE_S):
                while descriptors() > before + 16 + 4:  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(0.05)


@pytest.mark.asyncio
async def test_what_a_whole_class_searches_for_is_searched_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []

    def note(tables: Routes, text: str, name_of: Callable[[Path], str]) -> list[Row]:
        searched.append(text)
        time.sleep(0.5)  # as a table that is a hundred times as long
        return search(tables, text, name_of)

    monkeypatch.setattr("reflector.observe.server.searching.search", note)
    async with serving(scene) as (url, _), aiohttp.ClientSession() as session:

        async def ask() -> int:
            async with session.get(f"{url}/api/v1/routes?search=&limit=5") as response:
                total: int = (await response.json())["total"]
                return total

        assert await asyncio.gather(*(ask() for _ in range(30))) == [MANY] * 30
        assert len(searched) < 10


@pytest.mark.asyncio
async def test_a_class_that_asks_for_problems_is_diagnosed_for_once(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagnoses = 0
    diagnose = diagnosis.diagnose

    def note(facts: diagnosis.Facts) -> list[diagnosis.Problem]:
        nonlocal diagnoses
        diagnoses += 1
        return diagnose(facts)

    monkeypatch.setattr(diagnosis, "diagnose", note)
    rival = scene.join("10.0.0.6", "node-b")
    scene.announce(rival, "10.0.7.0/24")
    found = await asyncio.gather(*(scene.desk.problems(scene) for _ in range(50)))
    assert [[each.kind for each in problems] for problems in found] == [["same-cidr"]] * 50
    assert diagnoses <= 2
    await scene.desk.problems(scene)
    assert diagnoses <= 3


@pytest.mark.asyncio
async def test_pages_that_come_at_once_are_sent_one_snapshot(scene: Scene) -> None:
    stream = Stream(scene, 0.0)
    first, second = stream.listen(""), stream.listen("")
    for each in first, second:
        await anext(each)
    snapshot = await anext(first)
    assert await anext(second) is snapshot
    scene.join("10.0.0.6", "node-b")
    await anext(first)
    third = stream.listen("")
    await anext(third)
    assert b"node-b" in await anext(third)
    await stream.close()


@pytest.mark.asyncio
async def test_pages_that_come_and_go_leave_nothing_behind(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a heartbeat nor a change has to tell that somebody is gone."""
    monkeypatch.setattr("reflector.observe.server.stream._HEARTBEAT_S", 3600.0)
    handlers = 0
    listen = Stream.listen

    async def note(self: Stream, last_id: str, form: str) -> AsyncGenerator[bytes, None]:
        nonlocal handlers
        handlers += 1
        try:
            async with aclosing(listen(self, last_id, form)) as messages:
                async for message in messages:
                    yield message
        finally:
            handlers -= 1

    monkeypatch.setattr(Stream, "listen", note)
    async with serving(scene) as (url, _):
        for _ in range(20):
            async with (
                aiohttp.ClientSession() as session,
                session.get(f"{url}/api/v1/events") as response,
            ):
                await response.content.readline()
                assert handlers
                response.close()
        async with asyncio.timeout(DEADLINE_S):
            while handlers:  # noqa: ASYNC110 - nobody tells
                await asyncio.sleep(0.05)
