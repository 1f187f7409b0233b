"""Quarantine: of overlapping pod CIDRs the first keeps its route (an option, RFC 4271 9.1.4 without)."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from reflector.bgp.limits import MAX_QUARANTINED_PER_PEER
from reflector.bgp.nlri import pack_prefix, unpack_prefix
from reflector.bgp.open import GracefulRestart, LongLived
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.intake import Intake
from reflector.rib.originated import LocalRoute
from reflector.rib.policy import Policy, Verdict
from reflector.rib.returning import returning
from tests.support import wire
from tests.support.classroom import Classroom, Student

END_OF_RIB = b"\0\0\0\0"


@pytest.fixture
def classroom() -> Classroom:
    return Classroom(quarantine=True)


def held_back(classroom: Classroom) -> dict[tuple[str, str], tuple[str, str]]:
    """What is held back: (who, prefix) by (whose, prefix)."""
    return {
        (held.path.source.name, str(unpack_prefix(prefix, family))): (
            held.first.name,
            str(unpack_prefix(held.prefix, family)),
        )
        for family, prefix, held in classroom.speaker.held_back()
    }


def announce(student: Student, *prefixes: str) -> bytes:
    """Prefixes with the node itself as next hop."""
    return wire.announce(
        *prefixes, attributes=wire.usual(next_hop=wire.next_hop(str(student.peer.source.address)))
    )


def three(classroom: Classroom) -> tuple[Student, Student, Student]:
    """The first node, a newcomer with a lower router id, and who is told."""
    return (
        classroom.join("first", "10.0.0.9"),
        classroom.join("newcomer", "10.0.0.1"),
        classroom.join("other", "10.0.0.5"),
    )


@pytest.mark.parametrize(
    ("one", "another"),
    [
        ("10.1.0.0/24", "10.1.0.0/24"),
        ("10.1.0.0/16", "10.1.2.0/24"),
        ("10.1.2.0/24", "10.1.0.0/16"),
        ("10.1.2.0/23", "10.1.0.0/20"),
    ],
)
def test_the_first_keeps_its_route_and_the_newcomer_gets_it_when_the_first_is_gone(
    classroom: Classroom, one: str, another: str
) -> None:
    first, newcomer, other = three(classroom)
    classroom.send(first, announce(first, one))
    classroom.send(newcomer, announce(newcomer, another, "10.7.0.0/24"))
    assert other.prefixes == {one, "10.7.0.0/24"}
    assert str(other.route(one).next_hop) == "10.0.0.9"
    assert held_back(classroom) == {("newcomer", another): ("first", one)}
    classroom.send(first, wire.withdraw(one))
    assert other.prefixes == {another, "10.7.0.0/24"}
    assert first.prefixes == {another, "10.7.0.0/24"}
    assert held_back(classroom) == {}
    classroom.send(first, announce(first, one))
    assert held_back(classroom) == {("first", one): ("newcomer", another)}
    classroom.leave(newcomer)
    assert other.prefixes == {one}


def test_what_is_held_back_may_be_withdrawn_and_goes_with_its_session(classroom: Classroom) -> None:
    first, newcomer, other = three(classroom)
    classroom.send(first, announce(first, "10.1.0.0/24", "10.2.0.0/24"))
    classroom.send(newcomer, announce(newcomer, "10.1.0.0/24", "10.2.0.0/24"))
    classroom.send(newcomer, wire.withdraw("10.1.0.0/24"))
    assert held_back(classroom).keys() == {("newcomer", "10.2.0.0/24")}
    classroom.leave(newcomer)
    assert held_back(classroom) == {}
    classroom.leave(first)
    assert other.prefixes == set()


def test_of_three_the_next_in_line_follows(classroom: Classroom) -> None:
    first, newcomer, other = three(classroom)
    for node in (first, newcomer, other):
        classroom.send(node, announce(node, "10.1.0.0/24"))
    watcher = classroom.join("watcher", "10.0.0.7")
    hops = []
    for node in (first, newcomer, other):
        hops.append(str(watcher.route("10.1.0.0/24").next_hop))
        classroom.leave(node)
    assert hops == ["10.0.0.9", "10.0.0.1", "10.0.0.5"]
    assert watcher.prefixes == set()


def test_what_overlaps_on_purpose_is_let_through(classroom: Classroom) -> None:
    classroom.speaker.originate([LocalRoute(ip_network("10.1.0.0/24"))])
    first, newcomer, other = three(classroom)
    classroom.send(first, announce(first, "10.1.0.0/24", "10.3.0.1/32"))
    classroom.send(newcomer, announce(newcomer, "10.3.0.1/32", "10.3.0.0/24"))
    # The same node over another session, and the same next hop: not two nodes.
    classroom.send(
        other,
        wire.announce(
            "10.3.0.0/24",
            attributes=wire.usual(
                next_hop=wire.next_hop("10.0.0.1"), more=wire.originator_id("10.0.0.1")
            ),
        ),
    )
    assert held_back(classroom) == {}


def test_a_node_may_replace_what_is_its_own(classroom: Classroom) -> None:
    first, newcomer, other = three(classroom)
    classroom.send(first, announce(first, "10.1.0.0/24"))
    classroom.send(newcomer, announce(newcomer, "10.1.0.0/24"))
    med = wire.usual(next_hop=wire.next_hop("10.0.0.9"), more=wire.med(7))
    classroom.send(first, wire.announce("10.1.0.0/24", "10.1.0.0/25", attributes=med))
    assert other.prefixes == {"10.1.0.0/24", "10.1.0.0/25"}
    assert held_back(classroom).keys() == {("newcomer", "10.1.0.0/24")}


def test_what_is_no_rival_any_more_holds_nothing_back(classroom: Classroom) -> None:
    """The first says by now that the route is the newcomer's, as another reflector would."""
    first, newcomer, _ = three(classroom)
    classroom.send(first, announce(first, "10.1.0.0/24"))
    classroom.send(newcomer, announce(newcomer, "10.1.0.0/24"))
    same = wire.usual(next_hop=wire.next_hop("10.0.0.9"), more=wire.originator_id("10.0.0.1"))
    classroom.send(first, wire.announce("10.1.0.0/24", attributes=same))
    assert held_back(classroom) == {}


def test_a_refresh_without_it_forgets_what_is_held_back() -> None:
    """RFC 7313 4, RFC 4724 4.2: what is not announced again is gone, held back or not."""
    classroom = Classroom(quarantine=True)
    first = classroom.join("first", "10.0.0.9")
    newcomer = classroom.join("newcomer", "10.0.0.1", enhanced_refresh=True)
    classroom.send(first, announce(first, "10.1.0.0/24"))
    classroom.send(newcomer, announce(newcomer, "10.1.0.0/24"))
    assert classroom.speaker.begin_refresh(newcomer.peer, IPV4_UNICAST)
    classroom.speaker.end_refresh(newcomer.peer, IPV4_UNICAST)
    assert held_back(classroom) == {}


def test_the_first_keeps_its_route_while_it_restarts() -> None:
    """RFC 4724 4.2: its routes stay, and hold back the newcomer's."""
    classroom = Classroom(quarantine=True)
    restart = GracefulRestart(restarting=False, restart_time_s=90, preserved=((1, 1, True),))
    first = classroom.join("first", "10.0.0.9", restart=restart)
    classroom.send(first, announce(first, "10.1.0.0/24"), END_OF_RIB)
    classroom.leave(first, gracefully=True)
    newcomer = classroom.join("newcomer", "10.0.0.1")
    classroom.send(newcomer, announce(newcomer, "10.1.0.0/24"))
    assert held_back(classroom) == {("newcomer", "10.1.0.0/24"): ("first", "10.1.0.0/24")}
    assert newcomer.prefixes == {"10.1.0.0/24"}


@pytest.mark.parametrize("back", [False, True])
def test_a_newcomer_with_nothing_but_held_back_routes_restarts_too(
    classroom: Classroom, *, back: bool
) -> None:
    """RFC 4724 4.2: they are kept like others, and told when the first's are gone meanwhile."""
    restart = GracefulRestart(restarting=False, restart_time_s=90, preserved=((1, 1, True),))
    first = classroom.join("first", "10.0.0.9")
    newcomer = classroom.join("newcomer", "10.0.0.1", restart=restart)
    other = classroom.join("other", "10.0.0.5")
    classroom.send(first, announce(first, "10.1.0.0/24", "10.2.0.0/24"))
    classroom.send(newcomer, announce(newcomer, "10.1.0.0/24", "10.2.0.0/24"), END_OF_RIB)
    who = returning(newcomer.peer.source)
    assert classroom.leave(newcomer, gracefully=True) == 0
    assert classroom.speaker.restarting[who].prefixes == 2
    if back:
        newcomer = classroom.join("newcomer", "10.0.0.1", restart=restart)
        classroom.send(newcomer, announce(newcomer, "10.1.0.0/24"))
    classroom.leave(first)
    assert other.prefixes == {"10.1.0.0/24", "10.2.0.0/24"}
    if back:
        classroom.send(newcomer, END_OF_RIB)
        assert other.prefixes == {"10.1.0.0/24"}
    else:
        assert classroom.speaker.forget(who) == 2
        classroom.turn()
        assert not other.prefixes


def test_what_was_held_back_counts_where_it_is_gone(classroom: Classroom) -> None:
    first, newcomer, _ = three(classroom)
    classroom.send(first, announce(first, "10.1.0.0/16"))
    some = [f"10.1.{i}.0/24" for i in range(5)]
    classroom.send(newcomer, announce(newcomer, *some, "10.3.0.0/24"))
    classroom.send(newcomer, wire.withdraw(*some[:2]))
    assert newcomer.peer.counters.withdrawn == 2
    assert classroom.leave(newcomer) == 4


def test_what_is_noted_is_bounded(classroom: Classroom) -> None:
    first, newcomer, _ = three(classroom)
    classroom.send(first, announce(first, "10.0.0.0/8"))
    for start in range(0, MAX_QUARANTINED_PER_PEER + 200, 100):
        some = [f"10.{n // 256}.{n % 256}.0/24" for n in range(start, start + 100)]
        classroom.send(newcomer, announce(newcomer, *some), turn=False)
    assert len(held_back(classroom)) == MAX_QUARANTINED_PER_PEER


def test_other_rules_for_its_routes_are_applied_to_what_is_held_back(classroom: Classroom) -> None:
    first, newcomer, other = three(classroom)
    classroom.send(first, announce(first, "10.1.0.0/24", "10.2.0.0/16"))
    classroom.send(newcomer, announce(newcomer, "10.1.0.0/24", "10.2.1.0/24", "10.3.0.0/24"))
    before = held_back(classroom)
    assert len(before) == 2
    classroom.speaker.reconfigure(newcomer.peer, Intake(accept_default=True), None)
    classroom.turn()
    assert held_back(classroom) == before
    nothing = Intake(policy=Policy("nothing", (), Verdict.REJECT))
    classroom.speaker.reconfigure(newcomer.peer, nothing, None)
    classroom.turn()
    assert held_back(classroom) == {}
    assert other.prefixes == {"10.1.0.0/24", "10.2.0.0/16"}


def test_what_is_held_back_may_be_kept_for_long() -> None:
    """RFC 9494 4.2: it is stale, too, and so it is told once the first's route is gone."""
    classroom = Classroom(quarantine=True)
    restart = GracefulRestart(restarting=False, restart_time_s=90, preserved=((1, 1, True),))
    long = (LongLived(1, 1, forwarding=True, stale_time_s=600),)
    first = classroom.join("first", "10.0.0.9")
    newcomer = classroom.join("newcomer", "10.0.0.1", restart=restart, long_lived=long)
    other = classroom.join("other", "10.0.0.5", long_lived=())
    classroom.send(first, announce(first, "10.1.0.0/24"))
    classroom.send(newcomer, announce(newcomer, "10.1.0.0/24", "10.3.0.0/24"), END_OF_RIB)
    classroom.leave(newcomer, gracefully=True)
    assert classroom.keep_long(newcomer, {IPV4_UNICAST}) == (2, 0)
    classroom.leave(first)
    assert other.prefixes == {"10.1.0.0/24", "10.3.0.0/24"}
    assert all(path.best.stale for path in classroom.speaker.tables[IPV4_UNICAST].routes.values())


def test_path_identifiers_of_what_is_not_even_noted_are_forgotten(classroom: Classroom) -> None:
    """RFC 7911 3: a path that is not held, nor held back, has no place that an identifier means."""
    first = classroom.join("first", "10.0.0.9")
    newcomer = classroom.join("newcomer", "10.0.0.1", add_path="receive")
    classroom.send(first, announce(first, "10.0.0.0/8"))
    some = [f"10.{n // 256}.{n % 256}.0/24" for n in range(MAX_QUARANTINED_PER_PEER + 200)]
    hop = wire.usual(next_hop=wire.next_hop("10.0.0.1"))
    for start in range(0, len(some), 100):
        body = wire.announce(*some[start : start + 100], attributes=hop, path_id=7)
        classroom.send(newcomer, body, turn=False)
    path_ids = newcomer.peer.path_ids[IPV4_UNICAST]
    known = [
        each
        for each in some
        if path_ids.path_id(newcomer.peer.source, pack_prefix(ip_network(each))) == 7
    ]
    assert known == some[:MAX_QUARANTINED_PER_PEER]


def test_an_import_policy_may_reject_the_first_path_of_a_peer_with_add_path(
    classroom: Classroom,
) -> None:
    nothing = Intake(policy=Policy("nothing", (), Verdict.REJECT))
    node = classroom.join("node", "10.0.0.1", add_path="receive", intake=nothing)
    classroom.send(node, wire.announce("10.1.0.0/24", path_id=7))
    assert node.peer.counters.refused == 1


def test_without_it_both_are_told() -> None:
    classroom = Classroom()
    first, newcomer, other = three(classroom)
    classroom.send(first, announce(first, "10.1.0.0/16"))
    classroom.send(newcomer, announce(newcomer, "10.1.2.0/24"))
    assert other.prefixes == {"10.1.0.0/16", "10.1.2.0/24"}
    assert held_back(classroom) == {}


# Turned on and off while it runs.


def test_turned_on_it_holds_back_what_came_later_and_turned_off_lets_it_in() -> None:
    classroom = Classroom()
    first, newcomer, other = three(classroom)
    classroom.send(first, announce(first, "10.1.0.0/16", "10.2.0.0/24", "10.3.0.0/24"))
    classroom.send(newcomer, announce(newcomer, "10.1.4.0/24", "10.2.0.0/24", "10.9.0.0/24"))
    classroom.send(newcomer, announce(newcomer, "10.3.0.1/32"))
    everything = set(other.prefixes)
    assert str(other.route("10.2.0.0/24").next_hop) == "10.0.0.1"
    messages = len(other.messages)
    classroom.speaker.quarantine(on=True)
    classroom.turn()
    assert held_back(classroom) == {
        ("newcomer", "10.1.4.0/24"): ("first", "10.1.0.0/16"),
        ("newcomer", "10.2.0.0/24"): ("first", "10.2.0.0/24"),
    }
    assert other.prefixes == everything - {"10.1.4.0/24"}
    assert str(other.route("10.2.0.0/24").next_hop) == "10.0.0.9"
    assert len(other.messages) == messages + 2, "only what is different is told"
    assert not other.stray
    classroom.speaker.quarantine(on=True)
    assert len(held_back(classroom)) == 2
    classroom.speaker.quarantine(on=False)
    classroom.turn()
    assert held_back(classroom) == {}
    assert other.prefixes == everything
    assert str(other.route("10.2.0.0/24").next_hop) == "10.0.0.1"


@pytest.mark.parametrize(
    ("one", "another"), [("10.1.0.0/16", "10.1.2.0/24"), ("10.1.2.0/24", "10.1.0.0/16")]
)
def test_turned_on_the_route_that_stands_longest_stays(one: str, another: str) -> None:
    classroom = Classroom()
    first, newcomer, _ = three(classroom)
    classroom.send(first, announce(first, one))
    classroom.send(newcomer, announce(newcomer, another))
    classroom.speaker.quarantine(on=True)
    assert held_back(classroom) == {("newcomer", another): ("first", one)}


def test_turned_on_it_goes_on_with_what_came_before() -> None:
    """Also for those whose routes look otherwise by a policy, or who are told every path."""
    accept_all = Policy("all", (), Verdict.ACCEPT)
    classroom = Classroom()
    first, newcomer, other = three(classroom)
    filtered = classroom.join("filtered", "10.0.0.6", export=accept_all)
    all_told = classroom.join("all told", "10.0.0.7", add_path="send")
    classroom.send(first, announce(first, "10.1.0.0/24"))
    classroom.send(newcomer, announce(newcomer, "10.1.0.0/24"))
    classroom.speaker.quarantine(on=True)
    classroom.turn()
    assert list(all_told.next_hops("10.1.0.0/24").values()) == ["10.0.0.9"]
    classroom.leave(first)
    for each in (other, filtered):
        assert str(each.route("10.1.0.0/24").next_hop) == "10.0.0.1"
    assert list(all_told.next_hops("10.1.0.0/24").values()) == ["10.0.0.1"]
    classroom.send(newcomer, wire.withdraw("10.1.0.0/24"))
    assert not other.prefixes | filtered.prefixes
    assert not all_told.paths


def test_turned_on_it_forgets_path_identifiers_of_what_it_can_not_note() -> None:
    """RFC 7911 3: as for what is announced later."""
    classroom = Classroom()
    first = classroom.join("first", "10.0.0.9")
    newcomer = classroom.join("newcomer", "10.0.0.1", add_path="receive")
    classroom.send(first, announce(first, "10.0.0.0/8"))
    attributes = wire.usual(next_hop=wire.next_hop("10.0.0.1"))
    for start in range(0, MAX_QUARANTINED_PER_PEER + 100, 100):
        some = [f"10.{n // 256}.{n % 256}.0/24" for n in range(start, start + 100)]
        bodies = [wire.announce(each, attributes=attributes, path_id=7) for each in some]
        classroom.send(newcomer, *bodies, turn=False)
    classroom.speaker.quarantine(on=True)
    waiting = {prefix for _, prefix, _ in classroom.speaker.held_back()}
    assert len(waiting) == MAX_QUARANTINED_PER_PEER
    assert set(newcomer.peer.path_ids[IPV4_UNICAST]._ids) == waiting
