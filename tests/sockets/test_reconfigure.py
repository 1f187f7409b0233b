"""Filters that change under a running session, over real sockets."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from reflector.bgp.vocabulary import FAMILIES
from reflector.net.peer_policy import PeerPolicy
from reflector.reports import PeerCantRefresh, PeerDown
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix
from reflector.rib.policy import Policy, Verdict
from tests.support import wire
from tests.support.room import Room, room

pytestmark = pytest.mark.asyncio

PODS = ip_network("10.1.0.0/24")
NOTHING = Policy("nothing", (), Verdict.REJECT)


def settings(intake: Intake, export: Policy | None = None) -> PeerPolicy:
    return PeerPolicy(frozenset(FAMILIES.values()), 90, intake=intake, export=export)


def change(here: Room, address: str, changed: PeerPolicy) -> None:
    """Give one peer other settings."""
    before = here.peering.policy
    here.peering.policy = lambda asked: changed if str(asked) == address else before(asked)
    for connection in list(here.peering.connections):
        here.peering.reconfigure(connection)


@pytest.mark.rfc("2918", "4 request")
async def test_a_peer_whose_import_policy_changed_is_asked_for_its_routes() -> None:
    """RFC 2918 4: for each family of the session; what is held is judged at once."""
    async with room() as here:
        source, other = await here.join("10.0.0.2"), await here.join("10.0.0.3", "127.0.0.3")
        source.update(wire.announce("10.1.0.0/24"))
        await other.until(lambda: PODS in other.table)
        change(here, "127.0.0.2", settings(Intake(policy=NOTHING)))
        asked = {await source.hear(wire.ROUTE_REFRESH) for _ in FAMILIES}
        assert asked == {bytes((0, 1, 0, 1)), bytes((0, 2, 0, 1))}
        await other.until(lambda: PODS not in other.table)
        assert here.said(PeerCantRefresh) == here.said(PeerDown) == []


async def test_of_a_peer_that_can_not_be_asked_the_log_says_so() -> None:
    async with room() as here:
        other = await here.join("10.0.0.3", "127.0.0.3")
        source = await here.dial()
        plain = wire.parameter(2, wire.capabilities(route_refresh=False))
        source.say(wire.open_message(router_id="10.0.0.2", parameters=plain) + wire.keepalive())
        source.update(wire.announce("10.1.0.0/24"))
        await other.until(lambda: PODS in other.table)
        change(here, "127.0.0.2", settings(Intake(policy=NOTHING)))
        await other.until(lambda: PODS not in other.table)
        assert len(here.said(PeerCantRefresh)) == 1


async def test_a_smaller_maximum_ends_the_session_of_who_has_more() -> None:
    async with room() as here:
        source, other = await here.join("10.0.0.2"), await here.join("10.0.0.3", "127.0.0.3")
        source.update(wire.announce("10.1.0.0/24", "10.2.0.0/24"))
        await other.until(lambda: PODS in other.table)
        change(here, "127.0.0.2", settings(Intake(maximum=MaximumPrefix(1, 1))))
        assert (await source.ends())[:2] == b"\6\1"
        await other.until(lambda: PODS not in other.table)


async def test_an_export_policy_that_changed_is_nothing_to_ask_for() -> None:
    async with room() as here:
        source, other = await here.join("10.0.0.2"), await here.join("10.0.0.3", "127.0.0.3")
        source.update(wire.announce("10.1.0.0/24"))
        await other.until(lambda: PODS in other.table)
        change(here, "127.0.0.3", settings(Intake(), NOTHING))
        await other.until(lambda: PODS not in other.table)
        assert all(kind != wire.ROUTE_REFRESH for kind, _ in other.heard)
