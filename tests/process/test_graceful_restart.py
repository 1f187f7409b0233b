"""Graceful restart with a reflector in a process of its own, and peers that keep time."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from reflector import sim
from reflector.bgp.vocabulary import CeaseSubcode, ErrorCode
from tests.support.process import wait_until

pytestmark = pytest.mark.asyncio

OURS, THEIRS = "10.1.0.0/24", "10.2.0.0/24"


@pytest.fixture
def reflector() -> Iterator[sim.RunningReflector]:
    with sim.RunningReflector() as running:
        yield running


def node(reflector: sim.RunningReflector, number: int, restart_s: int | None = 90) -> sim.connect:
    """A node with graceful restart, on its own address."""
    return sim.connect(*reflector.address, source=f"127.0.0.{number}", graceful_restart_s=restart_s)


@pytest.mark.rfc("4724", "4.2 retain", "4.2 R bit", "4.2 End-of-RIB")
async def test_a_node_restarts_and_nobody_notices(reflector: sim.RunningReflector) -> None:
    async with node(reflector, 2) as one, node(reflector, 3, None) as two:
        await one.announce(OURS, THEIRS)
        await one.announce_end_of_rib()
        await two.route(THEIRS)
        for family in ("ipv4", "ipv6"):
            await two.end_of_rib(family)
        heard = len(two.history.messages)
        await one.restart_gracefully(down_s=0.3)
        helped = (await one.established()).graceful_restart
        assert helped is not None
        assert not helped.restarting
        await two.end_of_rib()
        assert {OURS, THEIRS} <= set(two.routes)
        later = two.history.messages[heard:]
        assert not [each for each in later if (each.kind, each.direction) == ("UPDATE", "received")]
        await logged(reflector, "2 prefixes kept for 90 s")


@pytest.mark.rfc("4724", "4.2 End-of-RIB")
async def test_what_it_does_not_announce_again_is_gone(reflector: sim.RunningReflector) -> None:
    async with node(reflector, 2) as one, node(reflector, 3, None) as two:
        await one.announce(OURS, THEIRS)
        await two.route(THEIRS)
        one.crash()
        await one.reconnect(restarting=True)
        await one.announce(OURS)
        await one.announce_end_of_rib()
        await two.no_route(THEIRS)
        await two.route(OURS)


@pytest.mark.rfc("4724", "4.2 Restart Time")
async def test_who_does_not_come_back_in_time_loses_its_routes(
    reflector: sim.RunningReflector,
) -> None:
    async with node(reflector, 2, 1) as one, node(reflector, 3, None) as two:
        await one.announce(OURS)
        await two.route(OURS)
        one.crash()
        await two.no_route(OURS)
        await logged(reflector, "it is not back within its 1 s")


@pytest.mark.rfc("4724", "4 NOTIFICATION")
async def test_who_says_goodbye_takes_its_routes_along(reflector: sim.RunningReflector) -> None:
    async with node(reflector, 2) as one, node(reflector, 3, None) as two:
        await one.announce(OURS)
        await two.route(OURS)
        await one.notify(ErrorCode.CEASE, CeaseSubcode.ADMINISTRATIVE_SHUTDOWN)
        await two.no_route(OURS)


@pytest.mark.rfc("4724", "3", "4.1 R bit", "4.1 deferral")
@pytest.mark.parametrize("politely", [True, False], ids=["SIGTERM", "SIGKILL"])
async def test_we_restart_and_our_peers_know(
    reflector: sim.RunningReflector, *, politely: bool
) -> None:
    """The R bit, no NOTIFICATION, and an End-of-RIB when all have said what they have."""
    async with node(reflector, 2) as one, node(reflector, 3) as two:
        await one.established()
        await two.end_of_rib()
        await asyncio.to_thread(_wait_remembered, reflector, "127.0.0.2", "127.0.0.3")
        await asyncio.to_thread(reflector.stop if politely else reflector.kill)
        assert (await two.closed()).received is None
        await asyncio.to_thread(reflector.start)
        await one.reconnect()
        await two.reconnect()
        negotiated = await two.established()
        restart = negotiated.graceful_restart
        assert restart is not None
        assert restart.restarting
        assert restart.restart_time_s == 120
        assert restart.notification
        assert set(restart.preserved) == {(1, 1, True), (2, 1, True)}
        await one.announce(OURS)
        await two.announce_end_of_rib()
        await two.route(OURS)
        with pytest.raises(sim.DeadlineError):
            await two.end_of_rib(deadline_s=0.5)
        await one.announce_end_of_rib()
        await two.end_of_rib()
        await two.end_of_rib("ipv6")
        await logged(reflector, "the restart is over after")
        async with node(reflector, 4) as late:
            assert (await late.established()).graceful_restart == replace(restart, restarting=False)


@pytest.mark.rfc("4724", "4.1 deferral")
async def test_the_wait_for_peers_has_an_end_that_is_configured(tmp_path: Path) -> None:
    """RFC 4724 4.1: a configurable timer bounds it; by default this would take 30 s."""
    config = tmp_path / "short.yaml"
    config.write_text("select-defer-time: 1\n")
    with sim.RunningReflector("--config", str(config)) as reflector:
        async with node(reflector, 2) as one, node(reflector, 3) as two:
            await one.established()
            await two.established()
            await asyncio.to_thread(_wait_remembered, reflector, "127.0.0.2", "127.0.0.3")
            await asyncio.to_thread(reflector.kill)
            await asyncio.to_thread(reflector.start)
            await two.reconnect()
            await two.end_of_rib(deadline_s=20)
            await logged(reflector, "the restart is over after")


@pytest.mark.rfc("4724", "3 restarted peer", "4.1 deferral")
async def test_whoever_is_restarting_too_is_not_waited_for(
    reflector: sim.RunningReflector,
) -> None:
    """RFC 4724 4.1: else each would wait for the other's End-of-RIB."""
    async with node(reflector, 2) as one:
        await one.established()
        await asyncio.to_thread(_wait_remembered, reflector, "127.0.0.2")
        await asyncio.to_thread(reflector.kill)
        await one.closed()
        await asyncio.to_thread(reflector.start)
        await one.reconnect(restarting=True)
        await one.end_of_rib(deadline_s=5)


@pytest.mark.rfc("4724", "3")
async def test_switched_off_it_is_not_offered(tmp_path: Path) -> None:
    config = f"{tmp_path}/off.yaml"
    with open(config, "w") as file:  # noqa: PTH123, ASYNC230 - a line for a test
        file.write("restart-time: 0\n")
    with sim.RunningReflector("--config", config) as reflector:
        async with node(reflector, 2) as one, node(reflector, 3, None) as two:
            assert (await one.established()).graceful_restart is None
            await one.announce(OURS)
            await two.route(OURS)
            one.crash()
            await two.no_route(OURS)


async def test_a_reload_reaches_those_that_are_restarting(tmp_path: Path) -> None:
    """Who would have lost its session by it loses its routes; the others lose nothing."""
    config = tmp_path / "c.yaml"
    config.write_text("ranges: [{network: 127.0.0.0/8}]\n")
    with sim.RunningReflector("--config", str(config)) as reflector:
        gone, kept, other = node(reflector, 2), node(reflector, 3), node(reflector, 4, None)
        async with gone as goes, kept as stays, other as two:
            await goes.announce(OURS)
            await stays.announce(THEIRS)
            await two.route(OURS)
            await two.route(THEIRS)
            goes.crash()
            stays.crash()
            await logged(reflector, "127.0.0.2", "1 prefix kept for 90 s")
            config.write_text("ranges: [{network: 127.0.0.3/32}, {network: 127.0.0.4/32}]\n")
            reflector.reload()
            await two.no_route(OURS)
            assert THEIRS in two.routes


async def logged(reflector: sim.RunningReflector, *texts: str) -> None:
    """Wait until the log says something."""
    await asyncio.to_thread(
        wait_until,
        lambda: all(each in reflector.log for each in texts),
        what=f"the log says {texts!r}",
        explain=lambda: reflector.log,
    )


def _wait_remembered(reflector: sim.RunningReflector, *addresses: str) -> None:
    """Wait until the state file names peers: from then on kill -9 doesn't make them forgotten."""
    path = reflector.control_socket.parent / "peers.json"
    wait_until(
        lambda: path.exists() and all(f'"{each}"' in path.read_text() for each in addresses),
        what=f"{path} names {addresses}",
        explain=lambda: reflector.log,
    )
