"""Update groups: one encoding for all, dumps beside changes, and members that read slowly."""

from collections.abc import Callable
from ipaddress import ip_network

import pytest

from reflector.bgp.nlri import pack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib import update_group
from reflector.rib.fate import Reason
from reflector.rib.member import Member
from reflector.rib.policy import Policy, Verdict
from tests.support import wire
from tests.support.classroom import Classroom, Student

DEFAULT = "10.1.0.0/24"


def spread(count: int, first: int = 0) -> list[str]:
    """Return prefixes."""
    return [f"10.{i // 256}.{i % 256}.0/24" for i in range(first, first + count)]


@pytest.fixture
def limit(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set limits of the update group for a test."""

    def set_them(**limits: int) -> None:
        for name, value in limits.items():
            monkeypatch.setattr(update_group, name, value)

    return set_them


def stop_reading(classroom: Classroom, student: Student, source: Student) -> None:
    """Have a member not read until it has left the train."""
    student.outlet.reads = False
    classroom.send(source, wire.announce("192.0.2.0/24"))
    assert member_of(classroom, student).missed is not None


def member_of(classroom: Classroom, student: Student) -> Member:
    """Return a student's place in its IPv4 update group."""
    groups = [g for g in classroom.speaker._groups if g.family.afi == 1]
    (member,) = [g.members[student.peer.source] for g in groups if student.peer.source in g.members]
    return member


# The train.


def test_members_share_the_bytes_that_they_are_sent() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    others = [classroom.join(f"{i}", f"10.0.0.{i}") for i in range(2, 6)]
    for each in others:
        each.outlet.reads = False
    classroom.send(source, wire.announce(*spread(500)), wire.announce6("2001:db8::/32"))
    sent = [each.outlet.unread for each in others]
    assert all(len(chunks) == len(sent[0]) for chunks in sent)
    for chunks in sent[1:]:
        assert all(one is other for one, other in zip(chunks, sent[0], strict=True))


def test_routes_with_the_same_attributes_share_messages_within_a_turn() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    before = len(other.messages)
    for prefix in spread(100):
        classroom.send(source, wire.announce(prefix), turn=False)
    classroom.turn()
    assert len(other.messages) == before + 1
    for prefix in spread(100):
        classroom.send(source, wire.withdraw(prefix), turn=False)
    classroom.turn()
    assert len(other.messages) == before + 2


def test_a_prefix_that_flaps_within_a_turn_is_told_at_most_twice() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    before = len(other.messages)
    for i in range(50):
        med = wire.usual(more=wire.med(i))
        classroom.send(source, wire.announce(DEFAULT, attributes=med), turn=False)
        classroom.send(source, wire.withdraw(DEFAULT), turn=False)
    classroom.turn()
    assert len(other.messages) - before <= 2
    assert other.prefixes == set()


@pytest.mark.rfc("4271", "9.2 best")
def test_each_source_gets_all_but_its_own() -> None:
    classroom = Classroom()
    students = [classroom.join(f"{i}", f"10.0.0.{i + 1}") for i in range(5)]
    for i, student in enumerate(students):
        classroom.send(student, wire.announce(*spread(10, 10 * i)), turn=False)
    classroom.turn()
    everything = set(spread(50))
    for i, student in enumerate(students):
        assert student.prefixes == everything - set(spread(10, 10 * i))
        assert student.stray == []


def test_many_sources_in_one_turn_get_all_but_their_own() -> None:
    classroom = Classroom()
    students = [classroom.join(f"{i}", f"10.0.0.{i + 1}", families="ipv4") for i in range(140)]
    prefixes = spread(140)
    for student, prefix in zip(students, prefixes, strict=True):
        classroom.send(student, wire.announce(prefix), turn=False)
    classroom.turn()
    for student, prefix in zip(students, prefixes, strict=True):
        assert student.prefixes == set(prefixes) - {prefix}
    for student, prefix in zip(students, prefixes, strict=True):
        classroom.send(student, wire.withdraw(prefix), turn=False)
    classroom.turn()
    assert not any(student.prefixes or student.stray for student in students)


def test_nothing_is_written_when_nothing_changes_for_a_member() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce(DEFAULT))
    before = len(other.messages)
    classroom.send(source, wire.announce(DEFAULT))
    classroom.send(source, wire.withdraw("10.99.0.0/24"))
    assert len(other.messages) == before


# Dumps.


def test_a_dump_is_sent_in_pieces_with_changes_beside_it(limit: Callable[..., None]) -> None:
    limit(CATCH_UP_PIECE_PREFIXES=10, CATCH_UP_TURN_PREFIXES=10)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(*spread(100)))
    late = classroom.join("late", "10.0.0.2", turn=False)
    assert classroom.speaker.turn()
    late.read()
    assert len(late.prefixes) == 10
    classroom.send(source, wire.withdraw(*spread(50)), turn=False)
    classroom.send(source, wire.announce(*spread(10, 200)), turn=False)
    classroom.speaker.turn()
    late.read()
    assert wire.IPV4 not in late.ends
    classroom.turn()
    assert late.prefixes == set(spread(50, 50)) | set(spread(10, 200))
    assert late.ends.count(wire.IPV4) == 1


def test_a_move_is_sent_in_pieces_with_changes_beside_it(limit: Callable[..., None]) -> None:
    """What another policy makes different is looked at a piece a turn, and shared like a dump."""
    limit(CATCH_UP_PIECE_PREFIXES=40, CATCH_UP_TURN_PREFIXES=50)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(*spread(100)))
    watchers = [classroom.join(f"watcher {n}", f"10.0.0.{2 + n}") for n in range(3)]
    nothing = Policy("nothing", (), Verdict.REJECT)
    first = pack_prefix(ip_network(spread(1)[0]))
    for watcher in watchers:
        classroom.speaker.reconfigure(watcher.peer, watcher.peer.intake, nothing)
        assert len(watcher.prefixes) == 100
    assert classroom.speaker.turn()
    for watcher in watchers:
        watcher.read()
        assert 100 > len(watcher.prefixes) > 0
    # Back again, before all is withdrawn; and what it looked like before is gone meanwhile.
    for watcher in watchers:
        classroom.speaker.reconfigure(watcher.peer, watcher.peer.intake, None)
    classroom.send(source, wire.withdraw(*spread(50, 50)), turn=False)
    classroom.send(source, wire.announce(*spread(10, 200)), turn=False)
    classroom.speaker.turn()
    for watcher in watchers:
        watcher.read()
        assert classroom.speaker.fate(watcher.peer, IPV4_UNICAST, first).reason is Reason.PENDING
    classroom.turn()
    for watcher in watchers:
        assert watcher.prefixes == set(spread(50)) | set(spread(10, 200))
        assert classroom.speaker.fate(watcher.peer, IPV4_UNICAST, first).reason is Reason.TOLD
    assert watchers[0].messages[-2:] == watchers[1].messages[-2:]


def test_those_who_join_in_one_turn_share_the_encoding(
    limit: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(CATCH_UP_PIECE_PREFIXES=10)
    encoded = []
    encode = update_group.UpdateGroup._encode_current

    def count(self: update_group.UpdateGroup, prefixes: list[bytes]) -> object:
        encoded.append(len(prefixes))
        return encode(self, prefixes)

    monkeypatch.setattr(update_group.UpdateGroup, "_encode_current", count)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(*spread(100)))
    encoded.clear()
    late = [
        classroom.join(f"late {i}", f"10.0.1.{i}", families="ipv4", turn=False) for i in range(20)
    ]
    classroom.turn()
    assert sum(encoded) == 100
    assert all(each.prefixes == set(spread(100)) for each in late)


def test_the_work_of_a_turn_is_bounded(limit: Callable[..., None]) -> None:
    limit(CATCH_UP_PIECE_PREFIXES=10, CATCH_UP_TURN_PREFIXES=25)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(*spread(100)))
    late = []
    for i in range(3):
        late.append(classroom.join(f"{i}", f"10.0.1.{i}", families="ipv4", turn=False))
        classroom.speaker.turn()
    for each in late:
        each.read()
    before = sum(len(each.prefixes) for each in late)
    classroom.speaker.turn()
    for each in late:
        each.read()
    assert sum(len(each.prefixes) for each in late) - before <= 30
    classroom.turn()
    assert all(each.prefixes == set(spread(100)) for each in late)


@pytest.mark.parametrize("requests", [1, 100])
def test_refreshes_during_a_dump_are_answered_by_one_more(
    limit: Callable[..., None], requests: int
) -> None:
    limit(CATCH_UP_PIECE_PREFIXES=10, CATCH_UP_TURN_PREFIXES=10)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(*spread(40)))
    late = classroom.join("late", "10.0.0.2", families="ipv4", turn=False)
    classroom.speaker.turn()
    late.read()
    late.table.clear()
    for _ in range(requests):
        classroom.speaker.receive_refresh(late.peer, 1, 1)
    classroom.turn()
    assert late.prefixes == set(spread(40))
    assert late.ends == [wire.IPV4, wire.IPV4]


def test_a_dump_comes_to_its_end_however_often_the_peer_asks(limit: Callable[..., None]) -> None:
    limit(CATCH_UP_PIECE_PREFIXES=10, CATCH_UP_TURN_PREFIXES=10)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(*spread(40)))
    asks = classroom.join("asks", "10.0.0.2", families="ipv4")
    asks.table.clear()
    for _ in range(10):
        classroom.speaker.receive_refresh(asks.peer, 1, 1)
        classroom.speaker.turn()
        asks.read()
    assert asks.prefixes == set(spread(40))
    assert len(asks.ends) > 1


def test_a_piece_has_few_prefixes_where_attributes_are_large(limit: Callable[..., None]) -> None:
    limit(CATCH_UP_PIECE_BYTES=10_000)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    slow = classroom.join("slow", "10.0.0.3", families="ipv4")
    limit(SEND_QUEUE_BYTES=20, RESUME_BYTES=10)
    stop_reading(classroom, slow, source)
    for n, prefix in enumerate(spread(50)):
        large = wire.usual(med=wire.med(n), more=wire.communities(*range(250)))
        classroom.send(source, wire.announce(prefix, attributes=large))
    late = classroom.join("late", "10.0.0.2", families="ipv4", turn=False)
    slow.outlet.reads = True
    slow.read()
    for student in (late, slow):
        before = len(student.table)
        classroom.speaker.turn()
        student.read()
        assert before < len(student.table) < before + 20
    classroom.turn()
    for student in (late, slow):
        assert student.prefixes == {*spread(50), "192.0.2.0/24"}


def test_a_slow_reader_hears_of_both_families_by_turns(limit: Callable[..., None]) -> None:
    limit(CATCH_UP_PIECE_PREFIXES=10, RESUME_BYTES=0)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(*spread(100)))
    classroom.send(source, wire.announce6(*[f"2001:db8:{n:x}::/48" for n in range(100)]))
    late = classroom.join("late", "10.0.0.2", turn=False)
    for _ in range(4):
        classroom.speaker.turn()
        late.read()
    by_version = [sum(each.version == version for each in late.table) for version in (4, 6)]
    assert by_version == [20, 20]


def test_a_dump_of_nothing_is_an_end_of_rib() -> None:
    classroom = Classroom()
    student = classroom.join("first", "10.0.0.1")
    assert sorted(student.ends) == [wire.IPV4, wire.IPV6]
    assert len(student.messages) == 2


# Slow readers.


def test_a_member_that_does_not_read_leaves_the_train_and_is_brought_up_to_date(
    limit: Callable[..., None],
) -> None:
    limit(SEND_QUEUE_BYTES=20, RESUME_BYTES=10)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    slow = classroom.join("slow", "10.0.0.2", families="ipv4")
    quick = classroom.join("quick", "10.0.0.3")
    classroom.send(source, wire.announce(*spread(20)))
    stop_reading(classroom, slow, source)
    backlog = slow.outlet.backlog_bytes
    for i in range(100):
        med = wire.usual(more=wire.med(i))
        classroom.send(source, wire.announce(*spread(10), attributes=med))
        classroom.send(source, wire.withdraw(*spread(10, 10)), wire.announce(*spread(10, 100)))
        classroom.send(source, wire.withdraw(*spread(5, 100)))
    assert slow.outlet.backlog_bytes == backlog, "it is written nothing while it doesn't read"
    missed = member_of(classroom, slow).missed
    assert missed is not None
    assert len(missed) <= 30, "each prefix is noted once"
    assert quick.prefixes == {*spread(10), *spread(5, 105), "192.0.2.0/24"}
    slow.outlet.reads = True
    slow.read()
    classroom.turn()
    assert slow.table == quick.table
    assert member_of(classroom, slow).missed is None
    assert set(slow.stray) <= set()


def test_catching_up_is_done_in_pieces_too(limit: Callable[..., None]) -> None:
    limit(SEND_QUEUE_BYTES=20, RESUME_BYTES=10, CATCH_UP_PIECE_PREFIXES=7)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    slow = classroom.join("slow", "10.0.0.2", families="ipv4")
    stop_reading(classroom, slow, source)
    classroom.send(source, wire.announce(*spread(50)))
    slow.read()
    classroom.speaker.turn()
    slow.read()
    assert len(slow.prefixes) == 1 + 7
    # What changes meanwhile is noted as well.
    classroom.send(source, wire.withdraw(*spread(25)), turn=False)
    slow.outlet.reads = True
    classroom.turn()
    assert slow.prefixes == {*spread(25, 25), "192.0.2.0/24"}


def test_a_slow_member_is_not_sent_its_own_and_loses_what_it_took_over(
    limit: Callable[..., None],
) -> None:
    limit(SEND_QUEUE_BYTES=20, RESUME_BYTES=10)
    classroom = Classroom()
    slow = classroom.join("slow", "10.0.0.1", families="ipv4")
    source = classroom.join("source", "10.0.0.2")
    classroom.send(source, wire.announce("10.1.0.0/24", "10.2.0.0/24"))
    stop_reading(classroom, slow, source)
    # Its own become the best; one of them is withdrawn again, one is new.
    classroom.send(slow, wire.announce("10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/24"))
    classroom.send(slow, wire.withdraw("10.2.0.0/24"))
    slow.outlet.reads = True
    slow.read()
    classroom.turn()
    assert slow.prefixes == {"10.2.0.0/24", "192.0.2.0/24"}
    assert source.prefixes == {"10.1.0.0/24", "10.3.0.0/24"}


def test_a_slow_member_that_is_dumped_gets_both(limit: Callable[..., None]) -> None:
    limit(SEND_QUEUE_BYTES=20, RESUME_BYTES=10, CATCH_UP_PIECE_PREFIXES=5)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(*spread(20)))
    late = classroom.join("late", "10.0.0.2", families="ipv4", turn=False)
    late.outlet.reads = False
    classroom.speaker.turn()
    classroom.send(source, wire.withdraw(*spread(10)), wire.announce(*spread(3, 50)))
    late.outlet.reads = True
    late.read()
    classroom.turn()
    assert late.prefixes == {*spread(10, 10), *spread(3, 50)}
    assert late.ends == [wire.IPV4]


def test_a_refresh_while_off_the_train_does_not_hide_a_withdrawal(
    limit: Callable[..., None],
) -> None:
    limit(SEND_QUEUE_BYTES=20, RESUME_BYTES=10, CATCH_UP_PIECE_PREFIXES=2)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    slow = classroom.join("slow", "10.0.0.2", families="ipv4")
    stop_reading(classroom, slow, source)
    classroom.send(source, wire.announce(*spread(6)))
    classroom.speaker.receive_refresh(slow.peer, 1, 1)
    # One piece at a time, with a withdrawal between each two of them.
    for prefix in spread(6):
        slow.read()
        classroom.speaker.turn()
        classroom.send(source, wire.withdraw(prefix), turn=False)
        classroom.speaker.turn()
    slow.outlet.reads = True
    slow.read()
    classroom.turn()
    assert slow.prefixes == {"192.0.2.0/24"}


def test_a_member_that_leaves_while_behind_leaves_nothing(limit: Callable[..., None]) -> None:
    limit(SEND_QUEUE_BYTES=20, RESUME_BYTES=10)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    slow = classroom.join("slow", "10.0.0.2", families="ipv4")
    stop_reading(classroom, slow, source)
    classroom.leave(slow)
    classroom.send(source, wire.announce(*spread(10)))
    for group in classroom.speaker._groups:
        assert slow.peer.source not in group.members
        assert group._behind == {}


def test_prefixes_that_come_and_go_unseen_leave_no_note(limit: Callable[..., None]) -> None:
    limit(SEND_QUEUE_BYTES=20, RESUME_BYTES=10)
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    slow = classroom.join("slow", "10.0.0.2", families="ipv4")
    stop_reading(classroom, slow, source)
    for i in range(50):
        classroom.send(source, wire.announce(*spread(20, 20 * i)))
        classroom.send(source, wire.withdraw(*spread(20, 20 * i)))
    assert not member_of(classroom, slow).missed
