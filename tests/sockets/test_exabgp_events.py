"""The stream in ExaBGP's format, over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import aiohttp
import pytest

from reflector.bgp.codec import update_as_exabgp
from reflector.bgp.events import Closed
from reflector.bgp.notification import Notification
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.observe.server import exabgp_stream
from reflector.observe.server.http import HttpServer
from tests.support import wire
from tests.support.reflector_process import free_port
from tests.unit.observe.scene import Scene

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def serving(scene: Scene) -> AsyncIterator[str]:
    port = free_port()
    server = HttpServer(ip_address("127.0.0.1"), port, scene)
    await server.start()
    try:
        yield f"http://127.0.0.1:{port}/api/v1/events"
    finally:
        await server.stop()


async def lines(response: aiohttp.ClientResponse, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(30):
        return [json.loads(await response.content.readline()) for _ in range(count)]


async def test_what_there_is_comes_first_and_then_what_happens() -> None:
    scene = Scene()
    peer = scene.join("10.0.0.5")
    scene.announce(peer, "10.1.0.0/24")
    async with (
        serving(scene) as url,
        aiohttp.ClientSession() as session,
        session.get(url, params={"format": "exabgp"}) as response,
    ):
        assert response.content_type == "application/x-ndjson"
        up, update, *ends = await lines(response, 4)
        assert up["neighbor"]["state"] == "up"
        assert up["neighbor"]["address"] == {"local": "192.0.2.1", "peer": "10.0.0.5"}
        assert update["neighbor"]["message"]["update"]["announce"] == {
            "ipv4 unicast": {"10.0.0.5": [{"nlri": "10.1.0.0/24"}]}
        }
        assert [each["neighbor"]["message"]["eor"]["afi"] for each in ends] == ["ipv4", "ipv6"]
        [monitor] = scene.peering.monitors
        monitor.update(peer, wire.withdraw("10.1.0.0/24"))
        monitor.update(peer, b"\xff\xff\0\0")
        monitor.peer_down(peer, Closed("bad", sent=Notification(3, 1)))
        withdrawn, malformed, notified, down = await lines(response, 4)
        assert withdrawn["neighbor"]["message"]["update"] == {
            "withdraw": {"ipv4 unicast": [{"nlri": "10.1.0.0/24"}]}
        }
        assert malformed["neighbor"]["message"] == {"update": {}}
        assert notified["neighbor"]["notification"]["code"] == 3
        assert notified["neighbor"]["direction"] == "send"
        assert down["neighbor"]["reason"] == "notification sent (3,1)"
        assert [each["counter"] for each in (up, down)] == [1, 8]


async def test_two_octet_as_numbers() -> None:
    """What a peer says with two octets is read so."""
    session = replace(Scene().join("10.0.0.5").negotiated, as4=False)
    block = wire.origin() + wire.as_path(wire.sequence(64513, width=2)) + wire.next_hop()
    body = wire.announce("10.1.0.0/24", attributes=block)
    path = update_as_exabgp(body, session)["update"]["attribute"]["as-path"]
    assert path["0"] == {"element": "as-sequence", "value": [64513]}


async def test_path_identifiers() -> None:
    """RFC 7911 3: ExaBGP's own has them as `path-information`."""
    session = replace(
        Scene().join("10.0.0.5").negotiated, add_path_receive=frozenset({IPV4_UNICAST})
    )
    body = wire.announce(attributes=wire.usual()) + b"\0\0\0\7" + wire.prefix("10.1.0.0/24")
    announced = update_as_exabgp(body, session)["update"]["announce"]
    [route] = announced["ipv4 unicast"]["10.0.0.1"]
    assert route == {"nlri": "10.1.0.0/24", "path-information": "0.0.0.7"}


async def test_a_follower_that_is_gone_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exabgp_stream, "_LOOK_S", 0.01)
    monkeypatch.setattr(exabgp_stream, "MAX_FOLLOWERS", 1)
    scene = Scene()
    scene.join("10.0.0.5")
    async with serving(scene) as url, aiohttp.ClientSession() as session:
        async with session.get(url, params={"format": "exabgp"}) as response:
            await lines(response, 3)
            async with session.get(url, params={"format": "exabgp"}) as refused:
                assert refused.status == 503
                assert (await refused.json())["error"] == "1 follow already: end one of them"
        async with asyncio.timeout(30):
            while scene.peering.monitors:  # noqa: ASYNC110 - nothing tells when it becomes empty
                await asyncio.sleep(0.01)


async def test_a_format_that_is_none() -> None:
    async with (
        serving(Scene()) as url,
        aiohttp.ClientSession() as session,
        session.get(url, params={"format": "xml"}) as response,
    ):
        assert response.status == 400
        assert (await response.json())["error"] == "format: 'xml' is not exabgp"
