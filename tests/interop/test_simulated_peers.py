"""Simulated peers against the real daemons: `reflector.sim` tests any BGP speaker, not only ours."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from reflector import sim
from tests.support import wire
from tests.support.reference import REFERENCE_REFLECTORS
from tests.support.reflector_process import (
    OURS,
    REPOSITORY,
    Reflector,
    ReflectorProcess,
    ReflectorSettings,
    free_port,
)

pytestmark = [pytest.mark.interop, pytest.mark.asyncio(loop_scope="function")]

HOST: Final = "127.0.0.1"
ROUTER_ID: Final = "192.0.2.254"


@pytest.fixture(scope="module", params=[OURS, *REFERENCE_REFLECTORS])
def target(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Reflector]:
    """A daemon that reflects routes among all who dial it."""
    kinds = {OURS: ReflectorProcess, **REFERENCE_REFLECTORS}
    settings = ReflectorSettings(
        directory=tmp_path_factory.mktemp("t"),
        listen=(HOST,),
        port=free_port(),
        router_id=ROUTER_ID,
    )
    reflector = kinds[request.param](settings)
    reflector.start()
    yield reflector
    reflector.kill()


def dial(target: Reflector, source: str, **settings: object) -> sim.connect:
    return sim.connect(HOST, target.settings.port, source=source, deadline_s=30, **settings)  # type: ignore[arg-type]


async def test_routes_come_with_their_attributes_and_go(target: Reflector) -> None:
    async with dial(target, "127.0.1.2") as one, dial(target, "127.0.1.3") as two:
        await one.announce(
            "10.1.0.0/24",
            "10.1.1.0/24",
            med=7,
            local_pref=150,
            as_path=[65001, 65002],
            communities=["64512:1", "64512:2"],
            large_communities=["64512:1:2"],
        )
        route = await two.route(
            "10.1.0.0/24",
            next_hop="10.0.1.2",
            origin="igp",
            med=7,
            local_pref=150,
            as_path=[65001, 65002],
            communities=["64512:1", "64512:2"],
            large_communities=["64512:1:2"],
            originator_id="10.0.1.2",
            cluster_list=[ROUTER_ID],
        )
        assert route.raw[9].value == bytes((10, 0, 1, 2))
        await one.announce("2001:db8:1::/64")
        assert (await two.route("2001:db8:1::/64")).next_hop == "2001:db8::a00:102"
        await one.withdraw("10.1.0.0/24", "2001:db8:1::/64")
        await two.no_route("10.1.0.0/24")
        await two.no_route("2001:db8:1::/64")
        assert "10.1.1.0/24" in two.routes


async def test_a_crash_takes_the_routes_along_and_a_return_brings_them_back(
    target: Reflector,
) -> None:
    async with dial(target, "127.0.2.2") as one, dial(target, "127.0.2.3") as two:
        await one.announce("10.2.0.0/24")
        await two.route("10.2.0.0/24")
        one.crash()
        await two.no_route("10.2.0.0/24")
        await one.rejoin()
        await one.announce("10.2.0.0/24")
        await two.route("10.2.0.0/24")


async def test_routes_are_sent_again_when_asked_for(target: Reflector) -> None:
    if target.kind == "openbgpd":
        return  # 7.7 takes the request and sends nothing
    async with dial(target, "127.0.3.2") as one, dial(target, "127.0.3.3") as two:
        await one.announce("10.3.0.0/24")
        await two.route("10.3.0.0/24")
        before = len(two.messages)
        await two.refresh("ipv4")
        await two.until(
            lambda: any("10.3.0.0/24" in each.describe() for each in two.messages[before:]),
            "the route comes again",
        )


async def test_octets_that_are_no_bgp_are_answered(target: Reflector) -> None:
    """RFC 4271 6.1: some see the marker first, some the length."""
    async with dial(target, "127.0.4.2") as one:
        await one.established()
        await one.send(bytes(19))
        await one.notification(1)


async def test_another_version_of_bgp_is_refused(target: Reflector) -> None:
    """RFC 4271 6.2: Unsupported Version Number."""
    opening = wire.open_message(version=3, router_id="10.0.5.2")
    async with dial(target, "127.0.5.2", open_message=opening) as one:
        await one.notification(2, 1)


async def test_a_silent_peer_is_given_up(target: Reflector) -> None:
    """RFC 4271 6.5."""
    async with dial(target, "127.0.6.2", hold_time_s=3) as one:
        await one.established()
        await one.until(lambda: _keepalives(one) >= 2, "it has sent a KEEPALIVE by its timer")
        one.silence()
        # BIRD gets silent itself, so that our hold timer may run out before its own.
        ended = await one.closed()
        assert {said.code for said in (ended.sent, ended.received) if said} == {4}


def _keepalives(peer: sim.Peer) -> int:
    return sum(each.kind == "KEEPALIVE" and each.direction == "sent" for each in peer.messages)


async def test_a_drip_is_a_message(target: Reflector) -> None:
    async with dial(target, "127.0.7.2") as one, dial(target, "127.0.7.3") as two:
        await one.established()
        update = wire.update(wire.prefix("10.7.0.0/24"), wire.usual())
        await one.drip(update, interval_s=0.001)
        await two.route("10.7.0.0/24", next_hop="10.0.0.1")


async def test_another_as_is_refused(target: Reflector) -> None:
    """RFC 4271 6.2: Bad Peer AS, whether it says so or just hangs up."""
    async with dial(target, "127.0.8.2", asn=65001) as one:
        ended = await one.closed()
        assert not one.routes
        assert ended.received is None or ended.received.code == 2


async def test_a_class_is_rehearsed_against_it(target: Reflector) -> None:
    """`bgp-reflector rehearse --reflector` loads any reflector."""
    command = (
        *(sys.executable, "-m", "reflector", "rehearse", "--stay", "0", "--pace", "0.1"),
        *("--reflector", f"{HOST}:{target.settings.port}", "--clusters", "8", "--nodes", "3"),
        *("--mistake", "wrong-peer-asn,duplicate-cidr,no-routes"),
    )
    done = await asyncio.to_thread(
        subprocess.run, command, capture_output=True, text=True, check=False, cwd=REPOSITORY
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all is as planned: 15 nodes are up" in done.stdout


@pytest.mark.parametrize(
    ("kind", "mistake", "said"),
    [
        ("frr", "bad-next-hop", "3/8 UPDATE message error / Invalid NEXT_HOP"),
        ("gobgp", "no-bgp", "(no-bgp) was not refused as planned"),
    ],
)
async def test_who_takes_a_mistake_otherwise_is_told(
    kind: str, mistake: str, said: str, tmp_path: Path
) -> None:
    """What docs/rehearse.md says of other reflectors: FRR 8.4 and GoBGP 3.10."""
    settings = ReflectorSettings(
        directory=tmp_path, listen=(HOST,), port=free_port(), router_id=ROUTER_ID
    )
    reflector = REFERENCE_REFLECTORS[kind](settings)
    reflector.start()
    command = (
        *(sys.executable, "-m", "reflector", "rehearse", "--stay", "0", "--pace", "0"),
        *("--reflector", f"{HOST}:{settings.port}", "--clusters", "3", "--nodes", "1"),
        *("--mistake", mistake, "--deadline", "8"),
    )
    try:
        done = await asyncio.to_thread(
            subprocess.run, command, capture_output=True, text=True, check=False, cwd=REPOSITORY
        )
    finally:
        reflector.kill()
    assert done.returncode == 1, done.stdout + done.stderr
    assert said in done.stdout
