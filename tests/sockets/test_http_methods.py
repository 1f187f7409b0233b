"""What HTTP demands of answers to odd requests, byte by byte: HEAD, bodies that lie."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

from reflector.observe.server.questions import QUESTIONS
from tests.sockets.test_http import serving
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
