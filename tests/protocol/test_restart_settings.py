"""Where graceful restart meets what else a session can do (RFC 4724 with 4271, 4486, 8326)."""

from __future__ import annotations

import pytest

from reflector.bgp.open import GracefulRestart
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix
from reflector.rib.policy import Policy, Rule, Verdict
from tests.support import wire
from tests.support.classroom import Classroom, Student

BOTH = ((1, 1, True), (2, 1, True))
RESTART = GracefulRestart(restarting=False, restart_time_s=90, preserved=BOTH)
RETURN = GracefulRestart(restarting=True, restart_time_s=90, preserved=BOTH)
END_OF_RIB = b"\0\0\0\0"
SHUTDOWN = 0xFFFF0000
NOT_SHUTDOWN = Policy(
    "not-shutdown",
    (Rule("it", Verdict.REJECT, communities=frozenset({(8, SHUTDOWN.to_bytes(4))})),),
    Verdict.ACCEPT,
)


def shutting_down(*prefixes: str) -> bytes:
    return wire.announce(*prefixes, attributes=wire.usual(more=wire.communities(SHUTDOWN)))


def from_as(asn: int, *prefixes: str) -> bytes:
    path = wire.as_path(wire.sequence(asn))
    return wire.announce(*prefixes, attributes=wire.usual(as_path=path, local_pref=b""))


class TestOtherSettings:
    """A reload, or the peer itself, changed by what rules its routes are taken."""

    @pytest.fixture
    def classroom(self) -> Classroom:
        return Classroom()

    @pytest.fixture
    def watcher(self, classroom: Classroom) -> Student:
        return classroom.join("watcher", "10.0.0.9")

    def test_what_is_kept_is_judged_by_the_new_policy(
        self, classroom: Classroom, watcher: Student
    ) -> None:
        node = classroom.join("node", "10.0.0.1", restart=RESTART)
        classroom.send(node, shutting_down("10.1.0.0/24"), wire.announce("10.2.0.0/24"))
        classroom.leave(node, gracefully=True)
        intake = Intake(policy=NOT_SHUTDOWN)
        classroom.join("node", "10.0.0.1", restart=RETURN, intake=intake)
        assert watcher.prefixes == {"10.2.0.0/24"}

    def test_graceful_shutdown_counts_from_now_on(
        self, classroom: Classroom, watcher: Student
    ) -> None:
        """RFC 8326 4.1; paths that are remembered from before are no guide."""
        before, after = Intake(graceful_shutdown=False), Intake()
        node = classroom.join("node", "10.0.0.1", restart=RESTART, intake=before)
        classroom.send(node, shutting_down("10.1.0.0/24"))
        assert int.from_bytes(watcher.route("10.1.0.0/24")[5]) == 100
        classroom.leave(node, gracefully=True)
        back = classroom.join("node", "10.0.0.1", restart=RETURN, intake=after)
        classroom.send(back, shutting_down("10.1.0.0/24"), END_OF_RIB)
        assert int.from_bytes(watcher.route("10.1.0.0/24")[5]) == 0

    def test_who_is_back_in_another_as_begins_anew(
        self, classroom: Classroom, watcher: Student
    ) -> None:
        """RFC 4271 6.3: what began with its old AS does not begin with its AS any more."""
        node = classroom.join("node", "10.0.0.1", restart=RESTART, asn=65001)
        classroom.send(node, from_as(65001, "10.1.0.0/24"))
        assert watcher.prefixes == {"10.1.0.0/24"}
        classroom.leave(node, gracefully=True)
        back = classroom.join("node", "10.0.0.1", restart=RETURN, asn=65002)
        assert watcher.prefixes == set()
        classroom.send(back, from_as(65001, "10.1.0.0/24"))
        assert watcher.prefixes == set()

    def test_enforce_first_as_counts_from_now_on(
        self, classroom: Classroom, watcher: Student
    ) -> None:
        how = {"asn": 65001, "restart": RESTART}
        node = classroom.join("node", "10.0.0.1", enforce_first_as=False, **how)  # type: ignore[arg-type]
        classroom.send(node, from_as(65009, "10.1.0.0/24"))
        assert watcher.prefixes == {"10.1.0.0/24"}
        classroom.leave(node, gracefully=True)
        back = classroom.join("node", "10.0.0.1", restart=RETURN, asn=65001)
        assert watcher.prefixes == set()
        classroom.send(back, from_as(65009, "10.1.0.0/24"))
        assert watcher.prefixes == set()


def test_stale_routes_make_room_for_new_ones() -> None:
    """A node that is back with other routes can't withdraw the old: they don't count against it."""
    classroom = Classroom()
    watcher = classroom.join("watcher", "10.0.0.9")
    intake = Intake(maximum=MaximumPrefix(limit=3, warn_at=3))
    node = classroom.join("node", "10.0.0.1", restart=RESTART, intake=intake)
    classroom.send(node, wire.announce("10.1.0.0/24", "10.2.0.0/24"), END_OF_RIB)
    classroom.leave(node, gracefully=True)
    back = classroom.join("node", "10.0.0.1", restart=RETURN, intake=intake)
    classroom.send(back, wire.announce("10.3.0.0/24", "10.4.0.0/24"))
    assert watcher.prefixes == {"10.3.0.0/24", "10.4.0.0/24"}


def test_what_made_room_does_not_come_back_with_a_smaller_maximum() -> None:
    """A reload while it is announcing all again: by the new limit its stale routes are too many."""
    classroom = Classroom()
    watcher = classroom.join("watcher", "10.0.0.9")
    node = classroom.join("node", "10.0.0.1", restart=RESTART)
    for number in range(1, 5):
        attributes = wire.usual(more=wire.med(number))
        classroom.send(node, wire.announce(f"10.{number}.0.0/24", attributes=attributes))
    classroom.leave(node, gracefully=True)
    back = classroom.join("node", "10.0.0.1", restart=RETURN)
    classroom.send(back, wire.announce("10.1.0.0/24"))
    intake = Intake(maximum=MaximumPrefix(limit=3, warn_at=3))
    assert classroom.speaker.reconfigure(back.peer, intake, None)
    classroom.turn()
    assert watcher.prefixes == {"10.1.0.0/24"}
