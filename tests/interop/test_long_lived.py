"""Long-lived graceful restart (RFC 9494) with GoBGP and BIRD, beside a GoBGP without."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.bird import Bird
from tests.support.gobgp import GoBgp
from tests.support.netns import addresses_on_loopback
from tests.support.peer import Peer, PeerSettings, announce_all
from tests.support.process import QueryError, wait_until
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

pytestmark = pytest.mark.interop

REFLECTOR: Final = "10.77.0.1"
ADDRESSES: Final = {"gobgp": "10.77.0.11", "bird": "10.77.0.12", "plain": "10.77.0.13"}
PODS: Final = {"gobgp": "10.11.0.0/24", "bird": "10.12.0.0/24", "plain": "10.13.0.0/24"}
LLGR_STALE: Final = "65535:6"
RESTART_TIME_S: Final = 3
STALE_TIME_S: Final = 600
CONFIG: Final = f"""\
restart-time: {RESTART_TIME_S}
long-lived-stale-time: {STALE_TIME_S}
"""
DEADLINE_S: Final = 60.0


@dataclass
class Course:
    """A reflector, a GoBGP and a BIRD with long-lived graceful restart, and a GoBGP without."""

    reflector: ReflectorProcess
    gobgp: GoBgp
    bird: Bird
    plain: GoBgp

    @property
    def peers(self) -> tuple[Peer, ...]:
        """All three."""
        return self.gobgp, self.bird, self.plain

    def wait(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds."""
        wait_until(holds, what=what, timeout_s=DEADLINE_S, explain=self.explain)

    def wait_complete(self) -> None:
        """Wait until each has the routes of both others, and none is stale."""

        def complete() -> bool:
            tables = {each.settings.name: each.routes() for each in self.peers}
            return all(
                PODS[other] in table and LLGR_STALE not in table[PODS[other]].communities
                for name, table in tables.items()
                for other in PODS.keys() - {name}
            )

        self.wait(complete, "each has all, and nothing is stale")

    def is_stale(self, peer: Peer, other: str) -> bool:
        """Whether a peer has another's route as a stale one."""
        route = peer.routes().get(PODS[other])
        return route is not None and LLGR_STALE in route.communities

    def explain(self) -> str:
        """Return what helps to understand a failure."""
        try:
            tables = "\n".join(str(each.routes()) for each in self.peers)
        except QueryError as error:
            tables = str(error)
        return "\n".join(
            [tables, self.reflector.explain(), *(each.explain() for each in self.peers)]
        )


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    directory: Path = tmp_path_factory.mktemp("long")
    config = directory / "reflector.yaml"
    config.write_text(CONFIG)
    with addresses_on_loopback("longlived", REFLECTOR, *ADDRESSES.values()) as netns:
        reflector = ReflectorProcess(
            ReflectorSettings(
                directory=directory / "reflector",
                # The others' addresses are here too, and BIRD listens on its own.
                listen=(REFLECTOR,),
                netns=netns,
                arguments=("--config", str(config)),
            )
        )

        def settings(name: str) -> PeerSettings:
            return PeerSettings(
                name=name,
                directory=directory / name,
                local_address=ADDRESSES[name],
                reflector_address=REFLECTOR,
                reflector_port=179,
                netns=netns,
                announcements=announce_all(PODS[name]),
            )

        made = Course(
            reflector,
            GoBgp(
                settings("gobgp"),
                graceful_restart=True,
                restart_time_s=RESTART_TIME_S,
                long_lived_s=STALE_TIME_S,
            ),
            Bird(
                settings("bird"),
                graceful_restart=True,
                restart_time_s=RESTART_TIME_S,
                long_lived_s=STALE_TIME_S,
            ),
            GoBgp(settings("plain")),
        )
        try:
            reflector.start()
            for each in made.peers:
                each.start()
            made.wait_complete()
            yield made
        finally:
            for each in made.peers:
                each.kill()
            reflector.kill()


@pytest.mark.rfc("9494", "3", "4.2 LLGR_STALE", "4.3 advertise")
@pytest.mark.parametrize(("lost", "knowing"), [("bird", "gobgp"), ("gobgp", "bird")])
def test_the_routes_of_a_node_that_stays_away_are_kept_for_those_who_know(
    course: Course, lost: str, knowing: str
) -> None:
    peers = {each.settings.name: each for each in course.peers}
    peers[lost].kill()
    course.wait(lambda: course.is_stale(peers[knowing], lost), "it is stale")
    course.wait(lambda: PODS[lost] not in course.plain.routes(), "who doesn't know has lost it")
    assert course.is_stale(peers[knowing], lost)
    peers[lost].start()
    course.wait_complete()


@pytest.mark.rfc("9494", "3", "4.1")
def test_a_peer_keeps_our_routes_beyond_our_restart_time(course: Course) -> None:
    """BIRD marks what it keeps; GoBGP 3.10 keeps it too."""
    course.reflector.kill()
    course.wait(lambda: course.is_stale(course.bird, "plain"), "BIRD keeps them as stale")
    assert PODS["plain"] in course.gobgp.best()
    assert PODS["bird"] not in course.plain.best()
    course.reflector.start()
    course.wait_complete()
