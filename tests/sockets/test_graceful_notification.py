"""Sessions that end in words, and whose routes outlive them all the same (RFC 8538)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

import pytest

from reflector.bgp.vocabulary import FAMILIES, CeaseSubcode
from reflector.net.peer_policy import PeerPolicy
from reflector.reports import PeerDown, StaleRoutesGone
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix
from tests.support import wire
from tests.support.room import Caller, Room, room

pytestmark = pytest.mark.asyncio

PODS: Final = ip_network("10.1.0.0/24")
POLICY: Final = PeerPolicy(frozenset(FAMILIES.values()), 90, restart_time_s=120)
RETURNS_IN_90_S: Final = wire.capability(64, bytes.fromhex("405a 00010180 00020180"))
WITHOUT_N: Final = wire.capability(64, bytes.fromhex("005a 00010180 00020180"))
MALFORMED: Final = b"\xff\xff\0\0"

End = Callable[[Room, Caller], object]


def says(code: int, subcode: int, data: bytes = b"") -> End:
    """The peer ends its session with a NOTIFICATION."""
    return lambda _, caller: caller.say(wire.notification(code, subcode, data))


def sends_nonsense(_: Room, caller: Caller) -> None:
    """The peer makes us end it, with UPDATE Message Error."""
    caller.update(MALFORMED)


def we_close(subcode: CeaseSubcode) -> End:
    """We end it."""

    def close(here: Room, _: Caller) -> None:
        [connection] = [each for each in here.peering.connections if each.peer is not None]
        here.peering.close(connection, subcode, "a test wants it")

    return close


async def one_with_a_route(here: Room, more: bytes = RETURNS_IN_90_S) -> Caller:
    """A peer that has announced something."""
    caller = await here.join(more=more)
    caller.update(wire.announce(str(PODS)))
    [peer] = here.speaker.peers.values()
    await here.until(lambda: here.speaker.held_by(peer) == 1, "it is announced")
    return caller


def reported(here: Room) -> PeerDown:
    """How the only session ended."""
    [report] = here.said(PeerDown)
    assert isinstance(report, PeerDown)
    return report


@pytest.mark.rfc("8538", "4 NOTIFICATION")
@pytest.mark.parametrize(
    ("end", "told"),
    [
        (says(6, 4), b""),
        (says(6, 8), b""),
        (says(3, 1), b""),
        (says(4, 0), b""),
        (sends_nonsense, b"\3\1"),
        (we_close(CeaseSubcode.OUT_OF_RESOURCES), b"\6\10"),
    ],
)
async def test_routes_outlive_a_session_that_somebody_ended_in_words(end: End, told: bytes) -> None:
    """RFC 8538 4: who sent the NOTIFICATION and who got it keep the other's routes."""
    async with room(policy=lambda _: POLICY) as here:
        caller = await one_with_a_route(here)
        end(here, caller)
        assert (await caller.ends())[:2] == told
        await here.until(lambda: bool(here.said(PeerDown)), "its session is over")
        assert (reported(here).kept, reported(here).kept_s) == (1, 90)
        caller = await here.join(more=RETURNS_IN_90_S)
        caller.update(b"\0\0\0\0")
        caller.update(wire.update_body(attributes=wire.mp_unreach(wire.IPV6, b"")))
        [peer] = here.speaker.peers.values()
        await here.until(lambda: here.speaker.held_by(peer) == 0, "it is back without its route")


@pytest.mark.rfc("8538", "4 hold time")
async def test_routes_outlive_the_hold_time() -> None:
    async with room(policy=lambda _: replace(POLICY, hold_time_s=3)) as here:
        caller = await one_with_a_route(here)
        assert await caller.ends() == b"\4\0"
        assert reported(here).kept == 1


@pytest.mark.rfc("8538", "4 Hard Reset")
@pytest.mark.parametrize(
    ("end", "told"),
    [
        (says(6, 9, b"\6\2"), b""),
        (says(6, 9), b""),
        (we_close(CeaseSubcode.ADMINISTRATIVE_SHUTDOWN), b"\6\11\6\2\0"),
        (we_close(CeaseSubcode.OTHER_CONFIGURATION_CHANGE), b"\6\11\6\6"),
    ],
)
async def test_a_hard_reset_takes_the_routes_along(end: End, told: bytes) -> None:
    async with room(policy=lambda _: POLICY) as here:
        caller = await one_with_a_route(here)
        end(here, caller)
        assert await caller.ends() == told
        await here.until(lambda: bool(here.said(PeerDown)), "its session is over")
        assert (reported(here).kept, reported(here).prefixes) == (0, 1)


@pytest.mark.rfc("8538", "5.1")
async def test_too_many_prefixes_are_a_hard_reset() -> None:
    policy = replace(POLICY, intake=Intake(maximum=MaximumPrefix(1)))
    async with room(policy=lambda _: policy) as here:
        caller = await one_with_a_route(here)
        caller.update(wire.announce("10.2.0.0/24"))
        assert (await caller.ends())[:4] == b"\6\11\6\1"
        await here.until(lambda: not here.speaker.tables[FAMILIES[1, 1]].routes, "they are gone")
        key = ip_address("127.0.0.2"), IPv4Address("10.0.0.2")
        assert here.peering.held_down.left_s(key, 0.0) > 0


@pytest.mark.rfc("8538", "4 NOTIFICATION")
async def test_without_the_n_bit_words_end_it_as_ever() -> None:
    async with room(policy=lambda _: POLICY) as here:
        caller = await one_with_a_route(here, WITHOUT_N)
        caller.say(wire.notification(6, 4))
        await here.until(lambda: bool(here.said(PeerDown)), "its session is over")
        assert reported(here).kept == 0


@pytest.mark.rfc("8538", "4.1 stale timer")
async def test_who_restarts_again_and_again_keeps_stale_routes_for_so_long_only() -> None:
    """RFC 8538 4.1: a timer must bound what consecutive restarts don't delete any more."""
    async with room(policy=lambda _: POLICY) as here:
        here.peering.restarts.stale_paths_s = 3.0
        caller = await one_with_a_route(here)
        loop = asyncio.get_running_loop()
        began = loop.time()
        caller.hang_up()
        while not here.said(StaleRoutesGone):
            assert loop.time() < began + 60, "it is kept for good"
            downs = len(here.said(PeerDown))
            caller = await here.join(more=RETURNS_IN_90_S)
            caller.hang_up()
            await here.until(lambda: len(here.said(PeerDown)) > downs, "it fell")  # noqa: B023
        assert not here.speaker.tables[FAMILIES[1, 1]].routes
