"""Where graceful restart meets enhanced route refresh (RFC 4724 with RFC 7313)."""

from __future__ import annotations

import pytest

from reflector.bgp.open import GracefulRestart
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib import update_group
from tests.support import wire
from tests.support.classroom import Classroom

BOTH = ((1, 1, True), (2, 1, True))
RESTART = GracefulRestart(restarting=False, restart_time_s=90, preserved=BOTH)
RETURN = GracefulRestart(restarting=True, restart_time_s=90, preserved=BOTH)
END_OF_RIB = b"\0\0\0\0"


class TestOurEndOfRib:
    """RFC 4724 4.1 with RFC 7313 4: a refresh's marks come after the End-of-RIB."""

    def test_who_asks_again_before_it_is_told_of_no_beginning(self) -> None:
        """It "MUST NOT send a BoRR … before it sends the EoR": the peer would ignore it."""
        classroom = Classroom()
        classroom.speaker.defer_end_of_rib()
        keeper = classroom.join("keeper", "10.0.0.9", restart=RESTART, enhanced_refresh=True)
        node = classroom.join("node", "10.0.0.1")
        classroom.send(node, wire.announce("10.1.0.0/24"))
        classroom.speaker.receive_refresh(keeper.peer, 1, 1)
        classroom.turn()
        assert keeper.marks == []
        assert keeper.ends == []
        classroom.speaker.release_end_of_rib()
        classroom.turn()
        assert sorted(keeper.ends) == [(1, 1), (2, 1)]

    def test_who_is_behind_when_it_is_due_gets_it_all_the_same(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Without it, it would keep what we don't have any more."""
        monkeypatch.setattr(update_group, "SEND_QUEUE_BYTES", 20)
        monkeypatch.setattr(update_group, "RESUME_BYTES", 10)
        classroom = Classroom()
        classroom.speaker.defer_end_of_rib()
        keeper = classroom.join("keeper", "10.0.0.9", restart=RESTART, enhanced_refresh=True)
        node = classroom.join("node", "10.0.0.1")
        keeper.outlet.reads = False
        classroom.send(node, wire.announce("10.1.0.0/24"))
        classroom.send(node, wire.announce("10.2.0.0/24"))
        classroom.speaker.release_end_of_rib()
        classroom.turn()
        keeper.outlet.reads = True
        keeper.read()
        classroom.turn()
        assert keeper.prefixes == {"10.1.0.0/24", "10.2.0.0/24"}
        assert sorted(keeper.ends) == [(1, 1), (2, 1)]


def test_the_end_of_a_refresh_that_did_not_count_purges_nothing() -> None:
    """RFC 7313 4: the BoRR was ignored, and so is its EoRR: the dump is under way still."""
    classroom = Classroom()
    watcher = classroom.join("watcher", "10.0.0.9")
    node = classroom.join("node", "10.0.0.1", restart=RESTART, graceful=True, enhanced_refresh=True)
    classroom.send(node, wire.announce("10.1.0.0/24"), END_OF_RIB)
    classroom.leave(node, gracefully=True)
    back = classroom.join("node", "10.0.0.1", restart=RETURN, graceful=True, enhanced_refresh=True)
    assert not classroom.speaker.begin_refresh(back.peer, IPV4_UNICAST)
    assert classroom.speaker.end_refresh(back.peer, IPV4_UNICAST) == 0
    classroom.turn()
    assert watcher.prefixes == {"10.1.0.0/24"}
    classroom.send(back, END_OF_RIB)
    assert watcher.prefixes == set()
