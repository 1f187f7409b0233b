"""Graceful NOTIFICATIONs (RFC 8538) with GoBGP and FRR, which both have them."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.frr import Frr
from tests.support.gobgp import GoBgp
from tests.support.netns import addresses_on_loopback
from tests.support.peer import ESTABLISHED, Announcement, Peer, PeerSettings, announce_all
from tests.support.process import wait_until
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

pytestmark = pytest.mark.interop

REFLECTOR: Final = "10.77.0.1"
ADDRESSES: Final = {"gobgp": "10.77.0.11", "frr": "10.77.0.12", "watcher": "10.77.0.13"}
PODS: Final = {"gobgp": "10.11.0.0/24", "frr": "10.12.0.0/24", "watcher": "10.13.0.0/24"}
HOLD_TIME_S: Final = 6
DEADLINE_S: Final = 60.0
MAXIMUM: Final = 3
CONFIG: Final = f"""\
ranges:
  - network: 0.0.0.0/0
    maximum-prefix: {{limit: {MAXIMUM}}}
"""


@dataclass
class Course:
    """A reflector, a GoBGP and an FRR with graceful NOTIFICATIONs, and a GoBGP that watches."""

    reflector: ReflectorProcess
    gobgp: GoBgp
    frr: Frr
    watcher: GoBgp

    @property
    def peers(self) -> tuple[Peer, ...]:
        """All three."""
        return self.gobgp, self.frr, self.watcher

    def wait_complete(self) -> None:
        """Wait until each has the routes of both others."""

        def complete() -> bool:
            return all(
                each.session_state() == ESTABLISHED
                and each.routes().keys() >= set(PODS.values()) - {PODS[each.settings.name]}
                for each in self.peers
            )

        self.wait(complete, "each has all")

    def wait(self, holds: Callable[[], object], what: str) -> None:
        """Wait until something holds."""
        wait_until(holds, what=what, timeout_s=DEADLINE_S, explain=self.explain)

    def log_since(self, mark: int) -> str:
        """Return what the reflector said since its log had so many characters."""
        assert self.reflector.process is not None
        return self.reflector.process.log()[mark:]

    def explain(self) -> str:
        """Return what helps to understand a failure."""
        return self.reflector.explain() + "".join(each.explain() for each in self.peers)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    directory: Path = tmp_path_factory.mktemp("notification")
    with addresses_on_loopback("notified", REFLECTOR, *ADDRESSES.values()) as netns:
        config = directory / "reflector.yaml"
        config.write_text(CONFIG)
        reflector = ReflectorProcess(
            ReflectorSettings(
                directory=directory / "reflector",
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
                hold_time_s=HOLD_TIME_S,
                announcements=announce_all(PODS[name]),
            )

        made = Course(
            reflector,
            GoBgp(settings("gobgp"), graceful_restart=True, graceful_notification=True),
            Frr(settings("frr"), graceful_restart=True),
            GoBgp(settings("watcher")),
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


@pytest.mark.rfc("8538", "4 hold time")
def test_a_node_that_is_silent_for_a_while_loses_nothing(course: Course) -> None:
    """Its hold time expires here; it finds our NOTIFICATION when it wakes, and keeps our routes."""
    process = course.gobgp.process
    assert process is not None
    mark = len(course.log_since(0))
    process.send_signal(signal.SIGSTOP)
    try:
        course.wait(
            lambda: (
                "1 prefix kept for 90 s: nothing heard from the peer for its hold time"
                in course.log_since(mark)
            ),
            "the hold time has expired",
        )
        assert PODS["gobgp"] in course.watcher.routes()
    finally:
        process.send_signal(signal.SIGCONT)
    missing = []

    def is_back() -> object:
        if not course.gobgp.best() >= set(PODS.values()):
            missing.append(course.gobgp.best())
        if not course.watcher.routes().keys() >= {PODS["gobgp"]}:
            missing.append(set(course.watcher.routes()))
        return re.search(rf"{ADDRESSES['gobgp']}\b.*: up, ", course.log_since(mark))

    course.wait(is_back, "it is back")
    course.wait_complete()
    assert not missing


@pytest.mark.rfc("8538", "4 NOTIFICATION")
def test_a_session_that_frr_resets_gracefully_keeps_its_routes(course: Course) -> None:
    mark = len(course.log_since(0))
    course.frr.reset(hard=False)
    course.wait(lambda: "1 prefix kept for" in course.log_since(mark), "the session was reset")
    said = course.log_since(mark)
    assert "the peer said: Cease / Administrative Reset" in said
    assert "Hard Reset" not in said
    assert PODS["frr"] in course.watcher.routes()
    course.wait_complete()


@pytest.mark.rfc("8538", "3.1", "4 Hard Reset")
def test_a_session_that_frr_resets_hard_takes_them_along(course: Course) -> None:
    mark = len(course.log_since(0))
    course.frr.reset(hard=True)
    course.wait(lambda: "(Hard Reset)" in course.log_since(mark), "the session was reset")
    said = course.log_since(mark)
    assert "1 prefix lost: the peer said: Cease / Administrative Reset (Hard Reset)" in said
    course.wait_complete()


@pytest.mark.rfc("8538", "3.1", "5.1")
def test_our_own_hard_reset_is_understood(course: Course) -> None:
    """Who announces more than it may is told so in one, is kept out, and drops what it had of us.

    The last of these tests: nobody is back after it.
    """
    for each in (course.gobgp, course.frr):
        mark = len(course.log_since(0))
        for number in range(MAXIMUM):
            each.announce(Announcement(prefix=f"10.{100 + number}.0.0/24"))
        course.wait(
            lambda: re.search(r"down after .* lost: ", course.log_since(mark)),  # noqa: B023
            "its session has ended",
        )
        assert PODS["watcher"] not in _best(each)
        assert PODS[each.settings.name] not in course.watcher.routes()


def _best(peer: GoBgp | Frr) -> set[str]:
    """What a peer has, from whomever."""
    return peer.best() if isinstance(peer, GoBgp) else set(peer.routes())
