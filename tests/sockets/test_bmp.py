"""BMP (RFC 7854), from both ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from reflector.bgp.events import Closed
from reflector.bgp.limits import BMP_QUEUE_BYTES
from reflector.bgp.nlri import pack_prefix
from reflector.bgp.notification import Notification
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.observe.export import bmp
from reflector.observe.export.bmp import Bmp
from reflector.reports import Report, Trouble
from reflector.rib.path_ids import PathIds
from reflector.speaker import Peer
from tests.support import wire
from tests.support.bmp import Station
from tests.support.strict_reader import read_update
from tests.unit.observe.scene import Scene

pytestmark = pytest.mark.asyncio


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bmp, "_BACKOFF_S", (0.01, 0.05))


@asynccontextmanager
async def telling(
    scene: Scene, station: Station, report: Callable[[Report], None] = lambda _: None
) -> AsyncIterator[Bmp]:
    told = Bmp(scene, "lab", report=report, note=lambda _: None)
    if not station.port:
        await station.start()
    told.tell([bmp.Station(ip_address("127.0.0.1"), station.port)])
    try:
        yield told
    finally:
        await told.stop()
        await station.stop()


def say(scene: Scene, peer: Peer, body: bytes) -> None:
    """A peer sends an UPDATE, as `Peering` hands it on."""
    for monitor in scene.peering.monitors:
        monitor.update(peer, body)
    scene.speaker.receive_update(peer, body)


async def eventually(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not check():  # noqa: ASYNC110 - nothing tells when it becomes true
            await asyncio.sleep(0.01)


def announced(updates: list[bytes]) -> set[str]:
    return {str(route) for body in updates for route in read_update(body).announced}


async def test_who_is_there_is_told_first() -> None:
    """RFC 7854 5: Initiation, a Peer Up for each peer, its routes, and their end."""
    scene = Scene()
    peer = scene.join("10.0.0.5", "node-a")
    scene.announce(peer, "10.1.0.0/24", "10.2.0.0/24")
    scene.announce(peer, "2001:db8::/48", next_hop="2001:db8::5")
    station = Station()
    async with telling(scene, station) as told:
        updates = await station.until("route monitoring", 4)
        [start] = await station.until("initiation")
        assert start.content["2"] == b"lab"
        assert start.content["1"].startswith(b"bgp-reflector ")
        [up] = await station.until("peer up")
        assert up.peer == ("10.0.0.5", 64512, "10.0.0.5")
        assert up.content["ports"] == (179, 34567)
        assert up.content["local"] == b"\0" * 12 + bytes((192, 0, 2, 1))
        assert [each.kind for each in station.messages[:3]] == [
            *("initiation", "peer up", "route monitoring")
        ]
        bodies = [each.content["update"] for each in updates]
        assert announced(bodies) == {"10.1.0.0/24", "10.2.0.0/24", "2001:db8::/48"}
        assert b"\0\0\0\0" in bodies
        told.tell([])
        await station.until("termination")
        assert station.messages[-1].kind == "termination"


async def test_several_paths_of_a_prefix_have_their_identifiers() -> None:
    """RFC 7911 3: as the peer announced them, or the station would take them for one."""
    scene = Scene()
    peer = scene.join("10.0.0.5", "node-a")
    families = frozenset({IPV4_UNICAST})
    peer.negotiated = replace(peer.negotiated, add_path_receive=families)
    peer.path_ids = {IPV4_UNICAST: PathIds(peer.source)}
    for path_id in (7, 8):
        block = wire.usual(next_hop=wire.next_hop(f"10.0.0.{path_id}"))
        body = wire.announce("10.1.0.0/24", attributes=block, path_id=path_id)
        scene.speaker.receive_update(peer, body)
    station = Station()
    async with telling(scene, station):
        updates = await station.until("route monitoring", 2)
    told = {
        path.path_id: str(route.next_hop)
        for each in updates
        for path, route in read_update(
            each.content["update"], add_path=frozenset({1})
        ).paths.items()
    }
    assert told == {7: "10.0.0.7", 8: "10.0.0.8"}


async def test_what_happens_is_told_as_it_happens() -> None:
    """RFC 7854 4.6: the UPDATE as the peer sent it, before any policy and any judgement."""
    scene, station = Scene(), Station()
    async with telling(scene, station):
        await station.until("initiation")
        peer = scene.join("10.0.0.5")
        for monitor in scene.peering.monitors:
            monitor.peer_up(peer)
        odd = wire.announce("10.1.0.0/24", attributes=wire.attribute(0xC0, 99, b"odd"))
        say(scene, peer, odd)
        [told] = await station.until("route monitoring")
        assert told.content["update"] == odd
        assert told.at_s == pytest.approx(scene.desk.clock(), abs=60)
        closed = Closed("bye", received=Notification(6, 3))
        for monitor in scene.peering.monitors:
            monitor.peer_down(peer, closed)
        [down] = await station.until("peer down")
        assert down.content == {"reason": 3, "notification": b"\6\3"}
        # What it said afterwards is nobody's.
        for monitor in scene.peering.monitors:
            monitor.update(peer, odd)
        other = scene.join("10.0.0.6")
        for monitor in scene.peering.monitors:
            monitor.peer_up(other)
        await station.until("peer up", 2)
        assert len(await station.until("route monitoring")) == 1


@pytest.mark.parametrize(
    ("closed", "content"),
    [
        (Closed("gone"), {"reason": 4}),
        (Closed("told", sent=Notification(4, 0)), {"reason": 1, "notification": b"\4\0"}),
    ],
)
async def test_how_a_session_ended(closed: Closed, content: dict[str, object]) -> None:
    """RFC 7854 4.9."""
    scene, station = Scene(), Station()
    peer = scene.join("10.0.0.5")
    async with telling(scene, station):
        await station.until("peer up")
        for monitor in scene.peering.monitors:
            monitor.peer_down(peer, closed)
        [down] = await station.until("peer down")
        assert down.content == content


async def test_statistics(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 7854 4.8."""
    monkeypatch.setattr(bmp, "_STATISTICS_S", 0.05)
    scene, station = Scene(), Station()
    scene.announce(scene.join("2001:db8::5", router_id="10.0.0.5"), "10.1.0.0/24")
    async with telling(scene, station):
        last = (await station.until("statistics", 3))[-1]
        assert last.peer == ("2001:db8::5", 64512, "10.0.0.5")
        items = last.content["items"]
        assert (7, (1).to_bytes(8)) in items
        assert {value[:3] for kind, value in items if kind == 9} == {b"\0\1\1", b"\0\2\1"}


async def test_a_station_that_comes_back_is_told_everything_anew() -> None:
    troubles: list[str] = []

    def note(report: Report) -> None:
        if isinstance(report, Trouble):
            troubles.append(report.what)

    scene, station = Scene(), Station()
    scene.announce(scene.join("10.0.0.5"), "10.1.0.0/24")
    async with telling(scene, station, note):
        await station.until("route monitoring", 3)
        port = station.port
        await station.stop()
        scene.announce(scene.join("10.0.0.6"), "10.2.0.0/24")
        await eventually(lambda: any("can't be reached" in each for each in troubles))
        again = Station()
        await again.start(port)
        await again.until("peer up", 2)
        updates = await again.until("route monitoring", 6)
        bodies = [each.content["update"] for each in updates]
        assert announced(bodies) == {"10.1.0.0/24", "10.2.0.0/24"}
        await again.stop()
    # Many attempts, one sentence.
    assert len([each for each in troubles if "can't be reached" in each]) == 1


async def test_a_station_that_ends_each_connection_is_told_of_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bmp, "_BACKOFF_S", (0.01, 600.0))
    lines: list[str] = []

    def note(report: Report) -> None:
        assert isinstance(report, Trouble)
        lines.append(report.what)

    connections = 0

    async def end(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        writer.close()

    server = await asyncio.start_server(end, "127.0.0.1")
    port = server.sockets[0].getsockname()[1]
    told = Bmp(Scene(), "lab", report=note, note=lambda _: None)
    told.tell([bmp.Station(ip_address("127.0.0.1"), port)])
    try:
        await eventually(lambda: connections == 5)
    finally:
        await told.stop()
        server.close()
    # In two ways at most, by whether its end is noticed when reading or when writing.
    assert lines
    assert len(lines) == len(set(lines))


async def test_a_station_that_does_not_read_loses_its_connection_and_nobody_else_anything() -> None:
    scene, station = Scene(), Station(reads=False)
    peer = scene.join("10.0.0.5")
    prefixes = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(900)]
    body = wire.announce(*prefixes)
    async with telling(scene, station):
        await station.until_connections(1)
        await eventually(lambda: bool(scene.peering.monitors))
        [monitor] = scene.peering.monitors
        said = 0
        while monitor in scene.peering.monitors:
            say(scene, peer, body)
            said += len(body)
            assert said < 5 * BMP_QUEUE_BYTES
            if said % 100 == 0 or said > BMP_QUEUE_BYTES:
                await asyncio.sleep(0)
        station.reads = True
        await station.until_connections(2)
        updates = await station.until("route monitoring", 3)
        bodies = [each.content["update"] for each in updates]
        assert announced(bodies) >= set(prefixes)


async def test_a_large_table_is_told_in_pieces() -> None:
    scene, station = Scene(), Station()
    peer = scene.join("10.0.0.5")
    packed = [
        pack_prefix(ip_network(f"{20 + (n >> 16)}.{n >> 8 & 255}.{n & 255}.0/24"))
        for n in range(100_000)
    ]
    for start in range(0, len(packed), 500):
        nlri = b"".join(packed[start : start + 500])
        head = wire.announce(attributes=wire.usual())
        scene.speaker.receive_update(peer, head + nlri)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with telling(scene, station):
        counting = asyncio.create_task(count())
        await eventually(
            lambda: any(
                each.content["update"] == b"\0\0\0\0"
                for each in station.messages
                if each.kind == "route monitoring"
            )
        )
        counting.cancel()
    assert turns > 20
    bodies = [m.content["update"] for m in station.messages if m.kind == "route monitoring"]
    assert len(announced(bodies)) == 100_000


async def test_who_is_no_longer_to_be_told_is_told_so() -> None:
    scene, station = Scene(), Station()
    async with telling(scene, station) as told:
        await station.until("initiation")
        told.tell([])
        await station.until("termination")
        await eventually(lambda: not scene.peering.monitors)
