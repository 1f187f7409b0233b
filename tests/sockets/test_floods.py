"""Floods of connections, at the sockets: who waits, who goes for whom, and what is left behind."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from reflector.bgp.vocabulary import FAMILIES
from reflector.net import peering
from reflector.net.peer_policy import PeerPolicy
from reflector.reports import ConnectionRefused, PeerDown
from reflector.speaker import speaker
from tests.support import wire
from tests.support.room import Caller, Room, room

pytestmark = pytest.mark.asyncio

OUT_OF_RESOURCES = b"\x06\x08"


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - pathlib has none for async


async def crowd(here: Room, number: int, source: str = "127.0.0.66") -> list[Caller]:
    """Peers that connect and say nothing."""
    before = len(here.peering.waiting)
    callers = [await here.dial(source) for _ in range(number)]
    room_for = min(here.peering.waiting.most, here.peering.waiting.most_per_address)
    await here.until(
        lambda: len(here.peering.waiting) >= min(before + number, room_for), "they are in"
    )
    return callers


async def test_of_too_many_that_say_nothing_the_oldest_of_the_address_goes() -> None:
    async with room() as here:
        here.peering.waiting.most_per_address = 10
        (bystander,) = await crowd(here, 1, "127.0.0.9")
        callers = await crowd(here, 30)
        for caller in callers[:20]:
            assert await caller.ends() == OUT_OF_RESOURCES
        assert len(here.peering.connections) == 11
        for caller in [bystander, *callers[20:]]:
            caller.say(wire.open_message(router_id="10.0.0.9"))
        await bystander.hear(wire.KEEPALIVE)
        await callers[-1].hear(wire.KEEPALIVE)


async def test_of_too_many_from_everywhere_the_oldest_goes() -> None:
    async with room() as here:
        here.peering.waiting.most = 10
        callers = [(await crowd(here, 1, f"127.0.1.{n}"))[0] for n in range(1, 31)]
        for caller in callers[:20]:
            assert await caller.ends() == OUT_OF_RESOURCES
        (reason,) = {each.reason for each in here.said(PeerDown) if isinstance(each, PeerDown)}
        assert "limits.max-waiting" in reason


async def test_who_has_sent_an_open_no_longer_waits() -> None:
    async with room() as here:
        here.peering.waiting.most = here.peering.waiting.most_per_address = 1
        joined = [await here.join(f"10.0.0.{n}", "127.0.0.9") for n in range(1, 6)]
        await crowd(here, 5, "127.0.0.9")
        assert len(here.speaker.peers) == len(joined)


async def test_a_flood_without_an_open_keeps_nobody_out() -> None:
    async with room(max_connections=200) as here:
        here.peering.waiting.most_per_address = 50
        await crowd(here, 300)
        one = await here.join("10.0.0.1", "127.0.0.1")
        behind_the_same_nat = await here.join("10.0.0.2", "127.0.0.66")
        one.update(wire.announce("10.1.0.0/24"))
        await behind_the_same_nat.until(lambda: bool(behind_the_same_nat.table))


async def test_who_is_turned_away_holds_no_descriptors() -> None:
    async with room(policy=lambda _: None) as here:
        before = descriptors()
        callers = [await here.dial() for _ in range(400)]
        await here.until(lambda: len(here.said(ConnectionRefused)) == 400, "all were refused")
        assert descriptors() - before - len(callers) <= 64 + 5
        for caller in callers:
            caller.hang_up()


async def test_an_open_that_drips_does_not_stretch_its_time() -> None:
    policy = PeerPolicy(frozenset(FAMILIES.values()), 90, open_wait_s=1.0)
    async with room(policy=lambda _: policy) as here:
        caller = await here.dial()
        began = asyncio.get_running_loop().time()
        for octet in wire.open_message()[:-1]:
            caller.say(bytes((octet,)))
            await asyncio.sleep(0.05)
            if here.said(PeerDown):
                break
        assert asyncio.get_running_loop().time() - began >= 0.9
        assert await caller.ends() == b"\x04\x00"


async def test_an_open_without_a_keepalive_is_not_for_ever_even_without_hold_time() -> None:
    policy = PeerPolicy(frozenset(FAMILIES.values()), 90, open_wait_s=0.3)
    async with room(policy=lambda _: policy) as here:
        caller = await here.dial()
        caller.say(wire.open_message(hold_time_s=0))
        assert await caller.ends() == b"\x04\x00"
        (down,) = here.said(PeerDown)
        assert isinstance(down, PeerDown)
        assert "with no KEEPALIVE within" in down.reason
        assert not here.peering.sessions


async def test_a_session_without_hold_time_may_be_silent() -> None:
    policy = PeerPolicy(frozenset(FAMILIES.values()), 90, open_wait_s=0.3)
    async with room(policy=lambda _: policy) as here:
        await here.join(hold_time_s=0)
        await asyncio.sleep(0.6)
        assert not here.said(PeerDown)


async def test_the_kernel_looks_after_sessions_without_hold_time() -> None:
    """Half-open: a node that lost its power says nothing, and nothing need be sent to it."""
    async with room() as here:
        caller = await here.join(hold_time_s=0)
        port = caller.writer.get_extra_info("sockname")[1]
        await here.until(lambda: _timer(here.port, port) == "02", "the keepalive timer runs")


async def test_who_has_long_taken_nothing_goes_and_a_slow_reader_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the slow one has more to hear: what a flooder announces is not noted for itself."""
    monkeypatch.setattr(speaker, "MAX_MISSED_PREFIXES", 1000)
    monkeypatch.setattr(peering, "_HOPELESS_S", 2.0)
    bulk = wire.communities(*range(900))
    async with room() as here:
        flooder, other, slow = [await here.join(f"10.0.0.{n}", f"127.0.0.{n}") for n in (1, 2, 3)]
        for caller in (flooder, slow):
            # Else the kernel would take megabytes at a time.
            sock = caller.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16384)
        flooder.reader._transport.pause_reading()  # type: ignore[attr-defined]
        reading = [asyncio.create_task(_read(other)), asyncio.create_task(_read(slow, 0.005))]
        n = 0
        while not here.said(PeerDown):
            n += 1
            attributes = wire.usual(med=wire.med(n), more=bulk)
            for caller, first in ((flooder, 20), (other, 30)):
                prefix = f"10.{first + n // 256 % 8}.{n % 256}.0/24"
                caller.update(wire.announce(prefix, attributes=attributes))
                await caller.writer.drain()
            await asyncio.sleep(0 if n < 2000 else 0.01)
        gone = [each.peer.router_id for each in here.said(PeerDown) if isinstance(each, PeerDown)]
        assert gone == ["10.0.0.1"]
        for task in reading:
            task.cancel()
        await asyncio.gather(*reading, return_exceptions=True)


async def _read(caller: Caller, pause_s: float = 0.0) -> None:
    kind = wire.OPEN
    while kind:
        kind, _ = await caller.listen()
        await asyncio.sleep(pause_s)


def _timer(local_port: int, remote_port: int) -> str:
    """Which timer runs at our end of a connection, as /proc/net/tcp numbers them."""
    ends = f":{local_port:04X}", f":{remote_port:04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()]
    (ours,) = [each for each in lines if (each[1][-5:], each[2][-5:]) == ends and each[3] == "01"]
    return ours[5].partition(":")[0]
