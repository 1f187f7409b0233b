"""The speaker: what it remembers of its peers, and what it counts."""

import pytest

from reflector.bgp.limits import SPARE_PATHS_PER_PEER
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from reflector.rib import update_group
from reflector.speaker import speaker
from tests.support import wire
from tests.support.classroom import OUR_ADDRESS, Classroom


def test_a_peer_that_invents_attributes_for_one_prefix_does_not_grow_the_speaker() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    for i in range(SPARE_PATHS_PER_PEER + 100):
        attributes = wire.usual(more=wire.med(i))
        classroom.send(source, wire.announce("10.1.0.0/24", attributes=attributes), turn=False)
        assert len(source.peer.paths) <= SPARE_PATHS_PER_PEER
    classroom.turn()
    assert int.from_bytes(other.route("10.1.0.0/24")[4]) == i


def test_a_peers_paths_are_remembered_as_long_as_it_holds_as_many_prefixes() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    count = 2 * SPARE_PATHS_PER_PEER
    for i in range(count):
        attributes = wire.usual(more=wire.med(i))
        prefix = f"10.{i // 256}.{i % 256}.0/24"
        classroom.send(source, wire.announce(prefix, attributes=attributes), turn=False)
    assert len(source.peer.paths) == count


def test_paths_are_shared_between_prefixes_and_updates() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    for i in range(10):
        classroom.send(
            source, wire.announce(f"10.1.{i}.0/24"), wire.announce6(f"2001:db8:{i}::/48")
        )
    assert len(source.peer.paths) == 2
    routes = classroom.speaker.tables[IPV4_UNICAST].routes
    assert len({id(each) for each in routes.values()}) == 1


def test_a_peer_that_is_gone_leaves_nothing() -> None:
    classroom = Classroom()
    for i in range(50):
        student = classroom.join(f"{i}", "10.0.0.1", as4=bool(i % 2), client=bool(i % 3))
        classroom.send(student, wire.announce("10.1.0.0/24"), wire.announce6("2001:db8::/32"))
        assert classroom.speaker.held_by(student.peer) == 2
        assert classroom.leave(student) == 2
        assert classroom.speaker.peer_down(student.peer) == 0
    assert classroom.speaker.peers == {}
    for table in classroom.speaker.tables.values():
        assert not table.routes
        assert not table.held
    for group in classroom.speaker._groups:
        assert group.members == {}


def test_who_is_behind_is_named_when_too_much_is_noted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(speaker, "MAX_MISSED_PREFIXES", 30)
    monkeypatch.setattr(update_group, "SEND_QUEUE_BYTES", 20)
    monkeypatch.setattr(update_group, "RESUME_BYTES", 10)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    late, worst = classroom.join("late", "10.0.0.2"), classroom.join("worst", "10.0.0.3")
    worst.outlet.reads = False
    classroom.send(source, wire.announce("10.9.0.0/24"))  # fills its queue
    classroom.send(source, *(wire.announce(f"10.1.{i}.0/24") for i in range(20)))
    late.outlet.reads = False
    classroom.send(source, *(wire.announce(f"10.2.{i}.0/24") for i in range(3)))
    assert classroom.speaker.too_far_behind() == []
    classroom.send(source, *(wire.announce(f"10.3.{i}.0/24") for i in range(6)))
    assert {peer.source.name for peer in classroom.speaker.too_far_behind()} == {"late", "worst"}
    classroom.leave(worst)
    assert classroom.speaker.too_far_behind() == []


def test_what_a_peer_sends_is_counted() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    counters = source.peer.counters
    classroom.send(
        source, wire.announce("10.1.0.0/24", "10.2.0.0/24"), wire.withdraw("10.9.0.0/24")
    )
    assert (counters.updates, counters.announced, counters.withdrawn) == (2, 2, 0)
    classroom.send(source, wire.withdraw("10.2.0.0/24"))
    assert (counters.updates, counters.withdrawn, counters.refused) == (3, 1, 0)
    own = wire.usual(next_hop=wire.next_hop(OUR_ADDRESS))
    for refused in (1, 2):
        classroom.send(source, wire.announce("10.1.0.0/24", attributes=own))
        assert counters.refused == refused
    assert counters.withdrawn == 2
    assert [name for name, _ in classroom.findings] == ["source", "source"]


def test_an_end_of_rib_is_remembered() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.update_body())
    assert source.peer.end_of_rib == {IPV4_UNICAST}
    classroom.send(source, wire.withdraw6())
    assert source.peer.end_of_rib == {IPV4_UNICAST, IPV6_UNICAST}


def test_the_speaker_is_busy_while_something_is_unsent() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    assert not classroom.speaker.busy
    classroom.send(source, wire.announce("10.1.0.0/24"), turn=False)
    assert classroom.speaker.busy
    classroom.turn()
    assert not classroom.speaker.busy
