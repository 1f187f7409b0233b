"""Peers that restart gracefully, while a reload or somebody else comes in between (RFC 4724)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network

import pytest

from reflector.bgp.vocabulary import FAMILIES, IPV4_UNICAST
from reflector.net import restarts
from reflector.net.peer_policy import PeerPolicy
from reflector.reports import RestartOver, StaleRoutesGone
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix
from reflector.rib.policy import Policy, Verdict
from tests.support import wire
from tests.support.room import Caller, Room, room

pytestmark = pytest.mark.asyncio

PODS = ip_network("10.1.0.0/24")
# Of 90 s, with the F bit of IPv4 and IPv6.
POLICY = PeerPolicy(frozenset(FAMILIES.values()), 90, restart_time_s=120)
GRACEFUL = wire.capability(64, bytes.fromhex("005a 00010180 00020180"))


async def fall(here: Room, prefix: str, *, router_id: str = "10.0.0.2", source: str) -> None:
    """Have a peer announce something and break off."""
    caller = await here.join(router_id, source, more=GRACEFUL)
    restarting = len(here.speaker.restarting)
    caller.update(wire.announce(prefix))
    routes = here.speaker.tables[IPV4_UNICAST].routes
    await here.until(lambda: wire.prefix(prefix) in routes, "it is announced")
    gone = len(here.said(StaleRoutesGone))
    caller.hang_up()
    await here.until(
        lambda: len(here.speaker.restarting) > restarting or len(here.said(StaleRoutesGone)) > gone,
        "it is kept, or another not any more",
    )


async def test_who_may_not_peer_any_more_is_not_waited_for() -> None:
    """A reload took its range away: a session would have ended, and so do its routes."""
    async with room(policy=lambda _: POLICY) as here:
        other: Caller = await here.join("10.0.0.3", "127.0.0.3")
        await fall(here, "10.1.0.0/24", source="127.0.0.2")
        await fall(here, "10.2.0.0/24", source="127.0.0.4")
        await other.until(lambda: PODS in other.table)
        gone = {ip_address("127.0.0.2"): "the configuration no longer lets this address peer"}
        here.peering.restarts.reconsider(lambda address, _asn: gone.get(address), lambda _: POLICY)
        await other.until(lambda: PODS not in other.table)
        [report] = here.said(StaleRoutesGone)
        assert "no longer lets" in str(report)
        assert [str(address) for address, _ in here.speaker.restarting] == ["127.0.0.4"]


@pytest.mark.parametrize(
    "intake",
    [Intake(policy=Policy("nothing", (), Verdict.REJECT)), Intake(maximum=MaximumPrefix(0, 0))],
    ids=["policy", "maximum-prefix"],
)
async def test_what_is_kept_is_brought_to_the_new_settings(intake: Intake) -> None:
    """A reload that rejects a route does so at once, whether or not its peer has a session."""
    async with room(policy=lambda _: POLICY) as here:
        other: Caller = await here.join("10.0.0.3", "127.0.0.3")
        await fall(here, "10.1.0.0/24", source="127.0.0.2")
        await other.until(lambda: PODS in other.table)
        changed = replace(POLICY, intake=intake)
        here.peering.restarts.reconsider(lambda _address, _asn: None, lambda _: changed)
        await other.until(lambda: PODS not in other.table)


async def test_one_address_can_not_have_us_keep_routes_without_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ever new router ids from one address: its own oldest routes go, and nobody else's."""
    monkeypatch.setattr(restarts, "MAX_KEPT_COST", 4 * restarts.KEPT_PEER_COST + 10)
    async with room(policy=lambda _: POLICY) as here:
        await fall(here, "10.1.0.0/24", source="127.0.0.3")
        for i in range(10, 20):
            await fall(here, f"10.{i}.0.0/24", router_id=f"10.9.0.{i}", source="127.0.0.2")
        kept = [str(address) for address, _ in here.speaker.restarting]
        assert kept == ["127.0.0.3", *["127.0.0.2"] * 3]
        assert len(here.said(StaleRoutesGone)) == 7
        assert sum(len(each.routes) for each in here.speaker.tables.values()) == 4


async def test_our_restart_waits_for_every_node_behind_one_address() -> None:
    """RFC 4724 4.1: the End-of-RIB of one says nothing of another's routes."""
    async with room(policy=lambda _: POLICY) as here:
        address = ip_address("127.0.0.2")
        ids = [ip_address(each).packed for each in ("10.0.0.2", "10.0.0.3")]
        here.peering.restarts.begin((address, each) for each in ids)
        one = await here.join("10.0.0.2", more=GRACEFUL)
        two = await here.join("10.0.0.3", more=GRACEFUL)
        for body in (b"\0\0\0\0", wire.update_body(attributes=wire.mp_unreach(wire.IPV6, b""))):
            one.update(body)
        peer = next(each for each in here.speaker.peers.values() if each.source.router_id == ids[0])
        await here.until(lambda: len(peer.end_of_rib) == 2, "the first has said all")
        assert here.peering.restarts.ours
        assert not here.said(RestartOver)
        for body in (b"\0\0\0\0", wire.update_body(attributes=wire.mp_unreach(wire.IPV6, b""))):
            two.update(body)
        await here.until(lambda: not here.peering.restarts.ours, "both have said all")
