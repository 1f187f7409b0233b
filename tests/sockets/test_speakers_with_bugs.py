"""Somebody else's BGP speaker, with bugs: simulated peers find each, and say what happened."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reflector import sim
from tests.support.buggy_speaker import speaker

pytestmark = pytest.mark.asyncio

# Long enough for an answer on a machine under load, where one is expected.
AMPLE_S = 15.0
# For what is never seen.
SHORT_S = 3.0


@asynccontextmanager
async def peers(bug: str) -> AsyncIterator[tuple[sim.Peer, sim.Peer]]:
    async with (
        speaker(bug) as port,
        sim.connect("127.0.0.1", port, source="127.0.0.2", hold_time_s=3) as one,
        sim.connect("127.0.0.1", port, source="127.0.0.3") as two,
    ):
        yield one, two


async def life_of_a_route(one: sim.Peer, two: sim.Peer) -> None:
    """What a user's test would do with a reflector."""
    await two.established()
    await one.announce("10.1.0.0/24", med=7)
    await two.route("10.1.0.0/24", med=7, next_hop="10.0.0.2", deadline_s=AMPLE_S)
    await one.no_route("10.1.0.0/24", for_s=0.5, deadline_s=SHORT_S)
    await one.withdraw("10.1.0.0/24")
    await two.no_route("10.1.0.0/24", deadline_s=SHORT_S)
    await one.announce("10.2.0.0/24")
    await two.route("10.2.0.0/24", deadline_s=AMPLE_S)
    one.crash()
    await two.no_route("10.2.0.0/24", deadline_s=SHORT_S)


async def test_without_bugs() -> None:
    async with speaker() as port, sim.connect("127.0.0.1", port, source="127.0.0.2") as two:
        async with sim.connect("127.0.0.1", port, source="127.0.0.3") as one:
            await one.announce("10.1.0.0/24")
            await two.route("10.1.0.0/24")
            await one.withdraw("10.1.0.0/24")
            await two.no_route("10.1.0.0/24")
            await one.announce("10.2.0.0/24")
            await two.route("10.2.0.0/24")
        await two.no_route("10.2.0.0/24")
        assert two.faults == []


@pytest.mark.parametrize(
    ("bug", "said"),
    [
        ("ignores-withdrawals", "no route to 10.1.0.0/24: it has 10.1.0.0/24 via 10.0.0.2"),
        ("keeps-the-dead", "no route to 10.2.0.0/24: it has 10.2.0.0/24 via 10.0.0.2"),
        ("echoes", "10.1.0.0/24 via 10.0.0.2"),
        ("no-next-hop", "next_hop is None and not 10.0.0.2"),
        ("cuts-off", "the session ended: UPDATE: an attribute runs past the end"),
        ("one-second", "the peer proposes a hold time of 1 s"),
    ],
)
async def test_a_bug_with_routes_is_found(bug: str, said: str) -> None:
    async with peers(bug) as (one, two):
        with pytest.raises(sim.SimError, match=said):
            await life_of_a_route(one, two)


@pytest.mark.parametrize(
    ("bug", "fault"),
    [
        ("undefined-origin", "ORIGIN has the undefined value 9 (RFC 7606 7.1)"),
        ("wrong-flags", "ORIGIN has the flags 0x80 (RFC 7606 3 c)"),
        ("repeats-origin", "ORIGIN appears twice (RFC 7606 3 g)"),
        ("no-next-hop", "NEXT_HOP missing (RFC 7606 3 d)"),
        ("cuts-off", "UPDATE: an attribute runs past the end of the attributes"),
    ],
)
async def test_malformed_attributes_are_named(bug: str, fault: str) -> None:
    async with peers(bug) as (one, two):
        await two.established()
        await one.announce("10.1.0.0/24")
        await two.until(lambda: two.faults or two.ended, "an UPDATE")
        assert two.faults == [fault]
        assert fault in str(two.history)


@pytest.mark.parametrize(
    ("bug", "said"),
    [
        ("no-keepalive", "the other side has sent no KEEPALIVE after its OPEN"),
        ("says-nothing", "the other side has sent no OPEN"),
    ],
)
async def test_a_session_that_does_not_begin_says_what_is_missing(bug: str, said: str) -> None:
    async with peers(bug) as (_, two):
        if bug == "no-keepalive":
            await two.until(lambda: two.remote_open, "its OPEN")
        with pytest.raises(sim.DeadlineError, match=f"not within 3 s: an established .*: {said}"):
            await two.established(deadline_s=SHORT_S)


async def test_who_sends_no_keepalives_in_time_does_not_stay() -> None:
    """The speaker goes by its own 90 seconds, and the smaller three are agreed on (RFC 4271 4.2)."""
    async with peers("own-hold-time") as (one, two):
        await two.established()
        with pytest.raises(sim.SessionOverError, match=r"stay established for 15 s: .*4/0 Hold"):
            await one.stays_established(for_s=15)


async def test_who_sends_them_stays() -> None:
    async with peers("") as (one, _):
        await one.stays_established(for_s=4)
        assert one.is_established
