"""Filters as real daemons see them, and as a reload changes them under running sessions."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.daemons import PEERS
from tests.support.netns import addresses_on_loopback
from tests.support.peer import Announcement, Peer, PeerSettings, Route
from tests.support.process import wait_until
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

pytestmark = pytest.mark.interop

REFLECTOR: Final = "10.77.0.1"
LEARNERS: Final = ("gobgp", "bird", "frr", "openbgpd")
POD, POD6, BLUE, OTHER = "10.244.1.0/24", "fd00:1::/64", "10.244.2.0/24", "192.168.7.0/24"
DEFAULT, DEBUG = "0.0.0.0/0", "1.0.0.2/32"
EVERYTHING: Final = {POD, POD6, BLUE, OTHER, DEBUG}
HEAD: Final = """\
listen: [10.77.0.1]
control-socket: {directory}/control
prefix-sets:
  - name: pods
    prefixes: [10.244.0.0/16 ge 24 le 26, "fd00::/8 le 64"]
policies:
  - name: only-pods
    rules:
      - prefixes: pods
    otherwise: reject
  - name: not-blue
    rules:
      - communities: "64512:7"
        then: reject
      - set-local-pref: 250
        add-communities: ["64512:9"]
    otherwise: accept
ranges:
"""
SOURCE, LEARNER = "  - {{network: 10.77.0.11/32, {}}}\n", "  - {{network: 10.77.0.0/24, {}}}\n"


@dataclass
class Lab:
    """A reflector, a source, and one of each daemon that learns from it."""

    reflector: ReflectorProcess
    config: Path
    source: Peer
    learners: list[Peer]

    def reload(self, source: str, learner: str) -> None:
        """Give the source and the learners other settings, and no session a reason to drop."""
        # At once: the reload before this one may only now read the file.
        beside = self.config.with_suffix(".next")
        beside.write_text(text(self.config.parent, source, learner))
        beside.replace(self.config)
        process = self.reflector.process
        assert process is not None
        process.send_signal(signal.SIGHUP)

    def all_learn(self, prefixes: set[str], passes: Callable[[Route], object]) -> None:
        """Wait until each learner has exactly these, and the pod's route passes a check."""
        for peer in self.learners:
            self.learns(peer, prefixes, passes)

    def learns(self, peer: Peer, prefixes: set[str], passes: Callable[[Route], object]) -> None:
        """Wait until a learner has exactly these, and the pod's route passes a check."""
        seen: dict[str, Route] = {}

        def has_learned() -> object:
            seen.clear()
            seen.update(peer.routes())
            return seen.keys() == prefixes and passes(seen[POD])

        wait_until(
            has_learned,
            what=f"{peer.kind}: learns {sorted(prefixes)}",
            explain=lambda: f"{seen}\n{peer.explain()}\n{self.reflector.explain()}",
        )

    def said(self) -> str:
        """What the reflector has logged."""
        process = self.reflector.process
        assert process is not None
        return process.log()


def text(directory: Path, source: str, learner: str) -> str:
    return (
        HEAD.format(directory=directory)
        + SOURCE.format(source or "description: source")
        + LEARNER.format(learner or "description: learner")
    )


def start(name: str, number: int, directory: Path, netns: str, *routes: Announcement) -> Peer:
    return PEERS[name](
        PeerSettings(
            name=f"{name}-{number}",
            directory=directory / f"{name}{number}",
            local_address=f"10.77.0.{number}",
            reflector_address=REFLECTOR,
            reflector_port=179,
            netns=netns,
            announcements=routes,
        )
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start everything, and end it."""
    directory = tmp_path_factory.mktemp("p")
    config = directory / "reflector.yaml"
    config.write_text(text(directory, "", ""))
    addresses = [f"10.77.0.{11 + i}" for i in range(len(LEARNERS) + 1)]
    with addresses_on_loopback("policy", REFLECTOR, *addresses) as netns:
        reflector = ReflectorProcess(
            ReflectorSettings(
                directory=directory / "r", netns=netns, arguments=("--config", str(config))
            )
        )
        routes = [Announcement(prefix=each) for each in (POD, POD6, OTHER, DEFAULT)]
        routes.append(Announcement(prefix=BLUE, communities=("64512:7",)))
        source = start("gobgp", 11, directory, netns, *routes)
        learners = [start(name, 12 + i, directory, netns) for i, name in enumerate(LEARNERS)]
        everybody = [source, *learners]
        try:
            reflector.start()
            for peer in everybody:
                peer.start()
            for peer in everybody:
                peer.wait_established()
            yield Lab(reflector, config, source, learners)
        finally:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda peer: peer.kill(), everybody))
            reflector.stop()


STEPS: Final[list[tuple[str, str, set[str]]]] = [
    ("", "", EVERYTHING),
    ("accept-default: true", "", EVERYTHING | {DEFAULT}),
    ("import: only-pods", "", {POD, POD6, BLUE, DEBUG}),
    ("", "export: only-pods", {POD, POD6, BLUE}),
    ("import: not-blue", "", EVERYTHING - {BLUE}),
    ("import: not-blue", "export: only-pods", {POD, POD6}),
    ("", "", EVERYTHING),
]


def usual(route: Route) -> bool:
    return route.local_pref == 100 and not route.communities


def preferred(route: Route) -> bool:
    return route.local_pref == 250 and route.communities == ("64512:9",)


@pytest.mark.rfc("2918", "4 request")
def test_each_daemon_sees_each_filter_and_no_session_drops(lab: Lab) -> None:
    """RFC 2918 4: what a policy refused before is asked for when the policy lets it in."""
    before = len(lab.said())
    for source, learner, expected in STEPS:
        lab.reload(source, learner)
        lab.all_learn(expected, preferred if "not-blue" in source else usual)
    assert "peer_down" not in lab.said()[before:]
