"""Sweeps: what is held of a peer is looked at again, or goes, a piece a turn, whatever happens meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from unittest.mock import patch

import pytest

from reflector.bgp.errors import SessionError
from reflector.bgp.open import GracefulRestart, LongLived
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix
from reflector.rib.policy import Change, Policy, Rule, Verdict
from reflector.rib.returning import returning
from reflector.rib.source import Source
from reflector.speaker import arrivals, departures, sweeps
from tests.support import wire
from tests.support.classroom import Classroom, Student

MANY = [f"10.1.{i}.0/24" for i in range(12)]
RESTART = GracefulRestart(restarting=False, restart_time_s=90, preserved=((1, 1, True),))
LONG = (LongLived(1, 1, forwarding=True, stale_time_s=600),)
LATER = Intake(
    policy=Policy("later", (Rule("later", change=Change(local_pref=50)),), Verdict.ACCEPT)
)
NOTHING = Intake(policy=Policy("nothing", (), Verdict.REJECT))


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    """Pieces of two prefixes, a turn of five."""
    with (
        patch.object(arrivals, "SWEEP_PIECE_PREFIXES", 2),
        patch.object(departures, "SWEEP_PIECE_PREFIXES", 2),
        patch.object(sweeps, "SWEEP_TURN_PREFIXES", 5),
    ):
        yield


class Scene:
    """A peer with many routes, another, and one who watches."""

    def __init__(self) -> None:
        self.classroom = Classroom()
        self.speaker = self.classroom.speaker
        self.watcher = self.classroom.join("watcher", "10.0.0.9", long_lived=())
        self.other = self.classroom.join("other", "10.0.0.2")
        self.node = self.join()
        self.classroom.send(self.node, wire.announce(*MANY))

    def join(self, intake: Intake | None = None) -> Student:
        """The peer has a session."""
        return self.classroom.join(
            "node", "10.0.0.1", restart=RESTART, long_lived=LONG, intake=intake or Intake()
        )

    def one_turn(self) -> bool:
        """Run one turn of the loop, after which all have read; returns whether there is more to do."""
        more = self.speaker.turn()
        self.watcher.read()
        return more

    def preferences(self) -> list[int]:
        """The LOCAL_PREFs of what the watcher has of the peer."""
        return [int.from_bytes(self.watcher.route(each)[5]) for each in MANY]


@pytest.fixture
def scene() -> Scene:
    """Return the three of them."""
    return Scene()


def test_new_rules_reach_many_routes_in_several_turns_and_anothers_goes_out_at_once(
    scene: Scene,
) -> None:
    scene.speaker.reconfigure(scene.node.peer, LATER, None)
    assert scene.speaker.busy
    assert scene.one_turn()
    assert sorted(scene.preferences()) == [50] * 4 + [100] * 8
    scene.classroom.send(scene.other, wire.announce("10.9.0.0/24"), turn=False)
    assert scene.one_turn()
    assert "10.9.0.0/24" in scene.watcher.prefixes
    assert sorted(scene.preferences()) == [50] * 8 + [100] * 4
    scene.classroom.turn()
    assert scene.preferences() == [50] * 12
    assert not scene.speaker.busy


def test_peers_share_the_turn(scene: Scene) -> None:
    """Who has few routes doesn't wait until one who has many is through."""
    scene.classroom.send(scene.other, wire.announce("10.9.0.0/24"))
    for student in (scene.node, scene.other):
        scene.speaker.reconfigure(student.peer, NOTHING, None)
    scene.one_turn()
    assert "10.9.0.0/24" not in scene.watcher.prefixes
    assert len(scene.watcher.prefixes) == 10


def test_what_comes_meanwhile_is_taken_by_the_new_rules(scene: Scene) -> None:
    scene.speaker.reconfigure(scene.node.peer, LATER, None)
    scene.one_turn()
    scene.classroom.send(scene.node, wire.withdraw(*MANY[:6]), turn=False)
    scene.classroom.send(scene.node, wire.announce(MANY[3], "10.8.0.0/24"))
    assert scene.watcher.prefixes == {MANY[3], "10.8.0.0/24", *MANY[6:]}
    assert {int.from_bytes(each[5]) for each in scene.watcher.table.values()} == {50}


def test_rules_that_change_again_meanwhile_are_applied_to_all(scene: Scene) -> None:
    scene.speaker.reconfigure(scene.node.peer, LATER, None)
    scene.one_turn()
    scene.speaker.reconfigure(scene.node.peer, Intake(), None)
    scene.classroom.turn()
    assert scene.preferences() == [100] * 12


@pytest.mark.parametrize("back", [False, True])
def test_a_peer_that_restarts_meanwhile_is_gone_over_to_the_end(
    scene: Scene, *, back: bool
) -> None:
    scene.speaker.reconfigure(scene.node.peer, LATER, None)
    scene.one_turn()
    scene.classroom.leave(scene.node, gracefully=True, turn=False)
    if back:
        scene.join(LATER)
    scene.classroom.turn()
    assert scene.preferences() == [50] * 12


def test_of_a_peer_that_is_gone_meanwhile_nothing_comes_back(scene: Scene) -> None:
    scene.speaker.reconfigure(scene.node.peer, LATER, None)
    scene.one_turn()
    scene.classroom.leave(scene.node)
    assert not scene.watcher.prefixes
    assert not scene.speaker.tables[IPV4_UNICAST].routes


@pytest.mark.parametrize("restarting", [False, True])
def test_who_has_too_many_by_the_new_rules_is_named_in_a_turn(
    scene: Scene, *, restarting: bool
) -> None:
    """RFC 4486 3; the owner ends the session, or forgets what is kept."""
    errors: list[tuple[Source, SessionError]] = []
    scene.speaker.on_error = lambda *error: errors.append(error)
    intake = Intake(maximum=MaximumPrefix(11))
    if restarting:
        scene.classroom.leave(scene.node, gracefully=True)
        scene.speaker.reconfigure_kept(returning(scene.node.peer.source), intake)
    else:
        scene.speaker.reconfigure(scene.node.peer, intake, None)
    assert not errors
    scene.classroom.turn()
    [(source, error)] = errors
    assert source is scene.node.peer.source
    assert "12 ipv4 prefixes" in error.reason
    assert not scene.speaker.busy


def test_many_routes_are_kept_on_in_several_turns(scene: Scene) -> None:
    """RFC 9494 4.2; who counts them is told at the end."""
    scene.classroom.leave(scene.node, gracefully=True)
    counts: list[tuple[int, int]] = []
    who = returning(scene.node.peer.source)
    scene.speaker.keep_long(who, (IPV4_UNICAST,), lambda *each: counts.append(each))
    assert scene.one_turn()
    marked = [8 in scene.watcher.route(each) for each in MANY]
    assert sorted(marked) == [False] * 8 + [True] * 4
    assert not counts
    scene.classroom.turn()
    assert all(8 in scene.watcher.route(each) for each in MANY)
    assert counts == [(12, 0)]


def test_what_a_peer_announces_while_its_routes_are_marked_is_not_stale(scene: Scene) -> None:
    """RFC 9494 4.2: its End-of-RIB has the rest withdrawn."""
    scene.classroom.leave(scene.node, gracefully=True)
    who = returning(scene.node.peer.source)
    scene.speaker.keep_long(who, (IPV4_UNICAST,), lambda _kept, _gone: None)
    scene.one_turn()
    node = scene.classroom.join("node", "10.0.0.1", restart=RESTART, long_lived=LONG, turn=False)
    scene.classroom.send(node, wire.announce(*MANY[:6]), turn=False)
    scene.classroom.turn()
    assert [8 in scene.watcher.route(each) for each in MANY] == [False] * 6 + [True] * 6
    scene.classroom.send(node, b"\0\0\0\0")
    assert scene.watcher.prefixes == set(MANY[:6])


def test_many_routes_go_in_several_turns_and_anothers_goes_out_at_once(scene: Scene) -> None:
    table = scene.speaker.tables[IPV4_UNICAST]
    assert scene.classroom.leave(scene.node, turn=False) == 12
    assert table.count_held(scene.node.peer.source) == 0
    assert scene.speaker.busy
    assert scene.one_turn()
    assert len(scene.watcher.prefixes) == len(table.routes) == 8
    scene.classroom.send(scene.other, wire.announce("10.9.0.0/24"), turn=False)
    assert scene.one_turn()
    assert "10.9.0.0/24" in scene.watcher.prefixes
    scene.classroom.turn()
    assert scene.watcher.prefixes == {"10.9.0.0/24"}
    assert not scene.speaker.busy


def test_few_routes_go_at_once(scene: Scene) -> None:
    scene.classroom.send(scene.other, wire.announce("10.9.0.0/24", "10.9.1.0/24"))
    scene.classroom.leave(scene.other, turn=False)
    assert len(scene.speaker.tables[IPV4_UNICAST].routes) == 12
    scene.one_turn()
    assert scene.watcher.prefixes == set(MANY)


def test_who_is_back_before_its_routes_are_gone_is_told_none_of_them(scene: Scene) -> None:
    scene.classroom.leave(scene.node, turn=False)
    scene.one_turn()
    node = scene.classroom.join("node", "10.0.0.1", turn=False)
    scene.one_turn()
    node.read()
    assert not node.prefixes
    scene.classroom.send(node, wire.announce(*MANY[:3]))
    assert scene.watcher.prefixes == set(MANY[:3])
    assert scene.speaker.tables[IPV4_UNICAST].count_held(node.peer.source) == 3
    assert not scene.speaker.busy


@pytest.mark.parametrize("back", [False, True])
def test_routes_of_a_restart_that_took_too_long_go_in_several_turns(
    scene: Scene, *, back: bool
) -> None:
    scene.classroom.leave(scene.node, gracefully=True)
    assert scene.speaker.forget(returning(scene.node.peer.source)) == 12
    scene.one_turn()
    assert len(scene.watcher.prefixes) == 8
    if back:
        node = scene.join()
        scene.classroom.send(node, wire.announce(MANY[0]))
        assert not node.prefixes
    scene.classroom.turn()
    assert scene.watcher.prefixes == ({MANY[0]} if back else set())


@pytest.mark.parametrize("on", [False, True])
def test_routes_that_go_while_quarantine_is_turned_on_or_off_are_gone(*, on: bool) -> None:
    classroom = Classroom(quarantine=not on)
    watcher = classroom.join("watcher", "10.0.0.9")
    node = classroom.join("node", "10.0.0.1")
    classroom.send(node, wire.announce(*MANY))
    other = classroom.join("other", "10.0.0.2")
    elsewhere = wire.usual(next_hop=wire.next_hop("10.0.0.2"))
    classroom.send(other, wire.announce(MANY[11], "10.1.0.0/16", attributes=elsewhere))
    classroom.leave(node, turn=False)
    classroom.speaker.turn()
    classroom.speaker.quarantine(on=on)
    # All of them by now: who is gone must hold nobody's route back.
    assert not list(classroom.speaker.held_back())
    classroom.turn()
    assert watcher.prefixes == {MANY[11], "10.1.0.0/16"}
    assert not classroom.speaker.tables[IPV4_UNICAST].count_held(node.peer.source)
