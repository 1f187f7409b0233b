"""What HTTP demands of answers to odd requests: HEAD, bodies that lie, endless numbers."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import aiohttp
import pytest

from reflector.observe.server.questions import QUESTIONS
from tests.sockets.test_http import Listener, serving
from tests.unit.observe.scene import Scene

DEADLINE_S = 60.0


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.announce(scene.join("10.0.0.5", "node-a"), "10.244.0.0/24")
    return scene


@pytest.mark.asyncio
async def test_a_head_is_answered_with_a_head_and_the_next_question_on_its_connection(
    scene: Scene,
) -> None:
    """RFC 9110 9.3.2: an answer's content behind its head would be taken for the next answer."""
    questions = [
        path.replace("{address}", "10.0.0.5") + ("?prefix=10.244.0.0/24" * ("explain" in path))
        for path in QUESTIONS
    ]
    async with serving(scene) as (url, _), asyncio.timeout(DEADLINE_S):
        for question in (*questions, "/api/v1/events?format=exabgp"):
            reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
            try:
                writer.write(
                    f"HEAD {question} HTTP/1.1\r\nHost: localhost\r\n\r\n"
                    "GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
                )
                head = await reader.readuntil(b"\r\n\r\n")
                assert head.startswith(b"HTTP/1.1 200 "), question
                following = await reader.readuntil(b"\r\n\r\n")
                assert following.startswith(b"HTTP/1.1 404 "), question
            finally:
                writer.close()


@pytest.mark.asyncio
async def test_a_body_that_is_not_compressed_though_its_header_says_so(scene: Scene) -> None:
    """It is the question's fault (4xx), not ours (500)."""
    async with serving(scene) as (url, _), asyncio.timeout(DEADLINE_S):
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        try:
            writer.write(
                b"POST /api/v1/own-routes HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                b"Content-Type: application/json\r\nContent-Encoding: gzip\r\n"
                b"Content-Length: 16\r\n\r\n"
                b'{"hidden": true}'
            )
            assert (await reader.read()).startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
        finally:
            writer.close()


@pytest.mark.asyncio
@pytest.mark.parametrize("digits", ["000000000005" + "9" * 9, "000000000005" + "9" * 5000])
async def test_a_number_of_more_digits_than_there_are_is_none(scene: Scene, digits: str) -> None:
    """Neither past its bound by what follows the digits that are looked at, nor a fault of ours."""
    async with serving(scene) as (url, _), aiohttp.ClientSession() as session:
        for question in (f"routes?search=&limit={digits}", f"clusters?bits={digits}"):
            async with session.get(f"{url}/api/v1/{question}") as response:
                assert response.status == 400
                assert "is not a number from" in (await response.json())["error"]


@pytest.mark.asyncio
async def test_a_last_event_id_of_thousands_of_digits_begins_anew(scene: Scene) -> None:
    async with serving(scene) as (url, _), aiohttp.ClientSession() as session:
        async with session.get(f"{url}/api/v1/events") as response:
            listener = Listener(response)
            await listener.next()
        boot = listener.last_id.partition("-")[0]
        headers = {"Last-Event-ID": f"{boot}-{'9' * 5000}"}
        async with session.get(f"{url}/api/v1/events", headers=headers) as response:
            assert (await Listener(response).next())[0] == "snapshot"
