"""kill -9 of the reflector at any moment, and standstills, with real daemons among its clients."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.bird import Bird
from tests.support.crashing import Held, Mayhem, difference
from tests.support.gobgp import GoBgp
from tests.support.netns import addresses_on_loopback
from tests.support.peer import Peer, PeerSettings, announce_all
from tests.support.process import wait_until
from tests.support.reflector_process import ReflectorSettings

pytestmark = pytest.mark.interop

REFLECTOR = "10.77.0.1"
DAEMONS: dict[type[Bird | GoBgp], str] = {Bird: "10.77.0.11", GoBgp: "10.77.0.12"}
SIMULATED = [f"10.77.0.{n}" for n in range(101, 105)]
KILLS = 4
HOLD_S = 3
STOPPED_S = 4 * HOLD_S  # BIRD allows itself a little more than the hold time


def make(kind: type[Bird | GoBgp], directory: Path, netns: str) -> Bird | GoBgp:
    """A daemon that keeps the reflector's routes while it restarts if it is BIRD, else drops them."""
    address = DAEMONS[kind]
    settings = PeerSettings(
        name=kind.kind,
        directory=directory / kind.kind,
        local_address=address,
        reflector_address=REFLECTOR,
        reflector_port=179,
        netns=netns,
        hold_time_s=HOLD_S,
        announcements=announce_all(f"10.20{address[-1]}.0.0/24", f"fd20:{address[-1]}::/64"),
    )
    return kind(settings, graceful_restart=kind is Bird)


def told(peer: Peer) -> Held:
    """What a daemon says it was told."""
    return {
        prefix: (route.originator_id, route.med or None) for prefix, route in peer.routes().items()
    }


def hold(daemons: list[Bird | GoBgp], everything: Held) -> None:
    """Wait until each daemon has exactly what the others announce."""
    for daemon in daemons:
        wanted = {
            prefix: what
            for prefix, what in everything.items()
            if what[0] != daemon.settings.router_id
        }

        def exact(daemon: Peer = daemon, wanted: Held = wanted) -> bool:
            held = told(daemon)
            assert held == wanted, difference(held, wanted)
            return True

        wait_until(
            exact,
            what=f"{daemon.settings.name} has exactly what there is",
            timeout_s=50,
            explain=daemon.explain,
        )


@contextmanager
def class_room(directory: Path, seed: int) -> Iterator[tuple[Mayhem, list[Bird | GoBgp]]]:
    """Everybody, with the daemons started."""
    with addresses_on_loopback("crash", REFLECTOR, *DAEMONS.values(), *SIMULATED) as netns:
        daemons = [make(kind, directory, netns) for kind in DAEMONS]
        settings = ReflectorSettings(
            directory=directory / "reflector", listen=(REFLECTOR,), port=179, netns=netns
        )
        settings.directory.mkdir()
        mayhem = Mayhem(
            settings,
            seed,
            sources=SIMULATED,
            hold_time_s=HOLD_S,
            more={
                prefix: (daemon.settings.router_id, None)
                for daemon in daemons
                for prefix in daemon.announced
            },
            others_hold=lambda everything: asyncio.to_thread(hold, daemons, everything),
        )
        try:
            for daemon in daemons:
                daemon.start()
            yield mayhem, daemons
        finally:
            for daemon in daemons:
                daemon.kill()


@pytest.mark.asyncio
async def test_killed_at_any_moment_real_daemons_are_exact_again(tmp_path: Path) -> None:
    with class_room(tmp_path, 4724) as (mayhem, _):
        await mayhem.run(KILLS, check_each=KILLS)


@pytest.mark.asyncio
async def test_whoever_was_stopped_for_longer_than_the_hold_time_is_exact_again(
    tmp_path: Path,
) -> None:
    """SIGSTOP and SIGCONT: of the reflector, and of daemons, whose routes must be gone meanwhile."""
    with class_room(tmp_path, 4271) as (mayhem, daemons):
        async with mayhem.running():
            await mayhem.stop_for(STOPPED_S)
            await mayhem.settle()
            other = mayhem.nodes[0].peer
            for daemon in daemons:
                assert daemon.process is not None
                daemon.process.send_signal(signal.SIGSTOP)
            for daemon in daemons:
                for prefix in daemon.announced:
                    await other.no_route(prefix, deadline_s=60)
            for daemon in daemons:
                assert daemon.process is not None
                daemon.process.send_signal(signal.SIGCONT)
            await mayhem.settle()
