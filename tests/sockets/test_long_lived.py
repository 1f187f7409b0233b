"""The clocks of long-lived graceful restart (RFC 9494)."""

from __future__ import annotations

import asyncio
from ipaddress import ip_network
from typing import Final

import pytest

from reflector.bgp.vocabulary import FAMILIES, IPV4_UNICAST
from reflector.net.peer_policy import PeerPolicy
from reflector.reports import RoutesKeptLong, StaleRoutesGone
from tests.support import wire
from tests.support.room import Caller, Room, room

pytestmark = pytest.mark.asyncio

PODS: Final = ip_network("10.1.0.0/24")
LLGR_STALE: Final = bytes.fromhex("ffff0006")
POLICY: Final = PeerPolicy(frozenset(FAMILIES.values()), 90, restart_time_s=120, long_lived_s=3600)


def restarting(restart_s: int, long_s: int) -> bytes:
    """Return both restart capabilities of a peer, for IPv4, with the F bits."""
    family = bytes.fromhex("00010180")
    long_lived = wire.capability(71, family + long_s.to_bytes(3))
    return wire.capability(64, restart_s.to_bytes(2) + family) + long_lived


async def one_that_falls(here: Room, more: bytes) -> Caller:
    """A peer announces something and breaks off; returns one who looks on."""
    watcher = await here.join("10.0.0.9", "127.0.0.9", more=restarting(120, 60))
    caller = await here.join(more=more)
    caller.update(wire.announce(str(PODS)))
    await watcher.until(lambda: PODS in watcher.table)
    caller.hang_up()
    return watcher


async def until_stale(watcher: Caller) -> None:
    """Wait until the route is told as stale."""
    await watcher.until(lambda: PODS in watcher.table and watcher.table[PODS].get(8) == LLGR_STALE)


def kept_long(here: Room) -> list[RoutesKeptLong]:
    """Return what was said of routes that are kept for long, in order."""
    return [each for each in here.reports if isinstance(each, RoutesKeptLong)]


async def complete(here: Room, caller: Caller) -> None:
    """Say that all is announced, and wait until that is known."""
    caller.update(b"\0\0\0\0")
    peer = next(each for each in here.speaker.peers.values() if each.source.name == "127.0.0.2")
    await here.until(lambda: not peer.restoring, "all is announced")


@pytest.mark.rfc("9494", "4.2 stale time")
async def test_routes_are_kept_for_the_restart_time_and_then_for_long() -> None:
    async with room(policy=lambda _: POLICY) as here:
        watcher = await one_that_falls(here, restarting(1, 2))
        await until_stale(watcher)
        [kept] = kept_long(here)
        assert (kept.prefixes, kept.lost, kept.kept_s) == (1, 0, 2)
        assert kept.reason == "it is not back within its 1 s"
        assert not here.said(StaleRoutesGone)
        await watcher.until(lambda: PODS not in watcher.table)
        [gone] = here.said(StaleRoutesGone)
        assert "long-lived stale time of 2 s" in str(gone)
        assert not here.speaker.restarting


@pytest.mark.rfc("9494", "4.2 stale time")
async def test_without_a_restart_time_it_begins_at_once() -> None:
    async with room(policy=lambda _: POLICY) as here:
        await until_stale(await one_that_falls(here, restarting(0, 60)))
        [kept] = kept_long(here)
        assert kept.reason == "it asked for no restart time"


@pytest.mark.rfc("9494", "4.2 stale time")
async def test_who_is_back_and_never_complete_loses_what_is_stale_when_its_time_is_over() -> None:
    async with room(policy=lambda _: POLICY) as here:
        watcher = await one_that_falls(here, restarting(0, 2))
        await until_stale(watcher)
        await here.join(more=restarting(0, 2))
        await watcher.until(lambda: PODS not in watcher.table)
        assert len(here.speaker.peers) == 2


@pytest.mark.rfc("9494", "4.2 End-of-RIB")
async def test_who_is_back_and_complete_keeps_what_it_announced() -> None:
    async with room(policy=lambda _: POLICY) as here:
        watcher = await one_that_falls(here, restarting(0, 3))
        await until_stale(watcher)
        caller = await here.join(more=restarting(0, 3))
        caller.update(wire.announce(str(PODS)))
        await watcher.until(lambda: 8 not in watcher.table[PODS])
        await complete(here, caller)
        await asyncio.sleep(3.2)  # when its time would have been over
        assert wire.prefix(str(PODS)) in here.speaker.tables[IPV4_UNICAST].routes
        caller.hang_up()
        await until_stale(watcher)  # and has all of it once more
        assert kept_long(here)[-1].kept_s == 3


@pytest.mark.rfc("9494", "4.2 consecutive")
async def test_who_falls_again_and_again_gains_no_time() -> None:
    async with room(policy=lambda _: POLICY) as here:
        loop = asyncio.get_running_loop()
        watcher = await one_that_falls(here, restarting(0, 3))
        await until_stale(watcher)
        began = loop.time()
        while not here.said(StaleRoutesGone):
            assert loop.time() < began + 60, "it is kept for good"
            kept = len(kept_long(here))
            caller = await here.join(more=restarting(0, 3))
            caller.hang_up()
            await here.until(
                lambda: bool(here.said(StaleRoutesGone) or len(kept_long(here)) > kept),  # noqa: B023
                "it fell",
            )
        assert not here.speaker.tables[IPV4_UNICAST].routes


@pytest.mark.rfc("9494", "4.2 stale time")
async def test_a_hard_word_ends_it() -> None:
    """A NOTIFICATION takes the routes along, as it does without (RFC 4724 4)."""
    async with room(policy=lambda _: POLICY) as here:
        watcher = await here.join("10.0.0.9", "127.0.0.9", more=restarting(120, 60))
        caller = await here.join(more=restarting(1, 60))
        caller.update(wire.announce(str(PODS)))
        await watcher.until(lambda: PODS in watcher.table)
        caller.say(wire.notification(6, 2))
        await watcher.until(lambda: PODS not in watcher.table)
        assert not here.speaker.restarting


@pytest.mark.rfc("9494", "4.2 LLGR_STALE", "4.2 stale time")
async def test_families_have_their_own_times() -> None:
    """IPv6 is not in the other capability, and so has no restart time."""
    both = wire.capability(64, bytes.fromhex("0001 00010180"))
    both += wire.capability(71, bytes.fromhex("00010180 000001 00020180 000002"))
    async with room(policy=lambda _: POLICY) as here:
        caller = await here.join(more=both)
        caller.update(wire.announce(str(PODS)))
        caller.update(wire.announce6("fd00:1::/64"))
        [peer] = here.speaker.peers.values()
        await here.until(lambda: here.speaker.held_by(peer) == 2, "it is announced")
        caller.hang_up()
        await here.until(lambda: len(here.said(StaleRoutesGone)) == 2, "all times are over")
        assert [(each.reason, each.kept_s) for each in kept_long(here)] == [
            ("it asked for no restart time", 2),
            ("it is not back within its 1 s", 1),
        ]
        assert not here.speaker.restarting
