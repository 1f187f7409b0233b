"""Enhanced Route Refresh (RFC 7313): where a refresh begins and ends, told and heard."""

from collections.abc import Callable

import pytest

from reflector.bgp.codec import decode_open
from reflector.bgp.errors import Action
from reflector.bgp.events import RefreshReceived
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from reflector.rib import update_group
from reflector.rib.intake import Intake
from reflector.rib.policy import Policy, Verdict
from tests.support import wire
from tests.support.classroom import BEGIN, END, Classroom, Student
from tests.support.strict_reader import split_messages
from tests.support.talk import Talk, our_open

PREFIX = "10.1.0.0/24"
OTHER = "10.2.0.0/24"
PREFIX6 = "2001:db8:1::/64"
ENHANCED = wire.parameter(2, wire.capabilities() + wire.capability(70))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Set limits of the update group for a test."""

    def set_them(**limits: int) -> None:
        for name, value in limits.items():
            monkeypatch.setattr(update_group, name, value)

    return set_them


def enhanced_talk() -> Talk:
    """Return an established session on which both sides have the capability."""
    talk = Talk(our_open(enhanced_refresh=True))
    talk.hear(wire.open_message(parameters=ENHANCED) + wire.keepalive())
    assert talk.established
    return talk


def pair() -> tuple[Classroom, Student, Student]:
    """A class in which one client has announced routes and another has the capability."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", enhanced_refresh=True)
    other = classroom.join("other", "10.0.0.2", enhanced_refresh=True)
    classroom.send(source, wire.announce(PREFIX, OTHER), wire.announce6(PREFIX6))
    return classroom, source, other


# The capability and the message.


@pytest.mark.rfc("7313", "3.1")
@pytest.mark.parametrize(("ours", "theirs"), [(True, True), (True, False), (False, True)])
def test_both_sides_must_have_the_capability(*, ours: bool, theirs: bool) -> None:
    """RFC 7313 3.1: code 70, without a value."""
    talk = Talk(our_open(enhanced_refresh=ours))
    opening = decode_open(talk.sent[0][1])
    assert (70 in opening.capabilities.codes) is ours
    talk.hear(wire.open_message(parameters=ENHANCED if theirs else None) + wire.keepalive())
    assert talk.session.negotiated is not None
    assert talk.session.negotiated.enhanced_refresh is (ours and theirs)


@pytest.mark.rfc("7313", "5 length")
@pytest.mark.parametrize("size", [0, 1, 2, 3, 5, 24, 4077])
def test_a_wrong_length_is_an_error_of_the_route_refresh(size: int) -> None:
    """RFC 7313 5: 7/1, Invalid Message Length, with the whole message as data."""
    refresh = wire.message(wire.ROUTE_REFRESH, b"\0\1\1\1".ljust(size, b"\0")[:size])
    talk = enhanced_talk()
    talk.hear(refresh)
    # As much of it as a NOTIFICATION holds.
    assert talk.notified == (7, 1, refresh[: 4096 - 21])


@pytest.mark.rfc("7313", "5 unknown")
@pytest.mark.parametrize("subtype", [3, 128, 255])
def test_an_unknown_subtype_costs_nothing(subtype: int) -> None:
    """RFC 7313 5: it is ignored; the session hands it on and nobody takes it."""
    talk = enhanced_talk()
    assert talk.hear(wire.refresh(1, 1, subtype)) == [RefreshReceived(1, 1, subtype)]
    assert not talk.session.over


# What we answer.


@pytest.mark.rfc("7313", "4 begin")
def test_the_answer_to_a_refresh_has_a_begin_and_an_end() -> None:
    """RFC 7313 4: BoRR, the routes, EoRR; no End-of-RIB, which is the first dump's."""
    classroom, _, other = pair()
    other.table.clear()
    ends = list(other.ends)
    assert classroom.speaker.receive_refresh(other.peer, 1, 1)
    classroom.speaker.turn()
    kinds = [kind for chunk in other.outlet.unread for kind, _ in split_messages(chunk)]
    assert kinds[0] == kinds[-1] == wire.ROUTE_REFRESH
    assert set(kinds[1:-1]) == {wire.UPDATE}
    classroom.turn()
    assert other.prefixes == {PREFIX, OTHER}
    assert other.marks == [(1, BEGIN), (1, END)]
    assert other.ends == ends


@pytest.mark.rfc("7313", "4 begin")
def test_an_empty_table_is_refreshed_too() -> None:
    """RFC 7313 4: what a peer has and should not have is gone with EoRR."""
    classroom, source, other = pair()
    classroom.send(source, wire.withdraw(PREFIX, OTHER))
    assert classroom.speaker.receive_refresh(other.peer, 1, 1)
    classroom.turn()
    assert other.marks == [(1, BEGIN), (1, END)]


@pytest.mark.rfc("7313", "4 begin")
def test_a_peer_without_the_capability_is_told_no_begin() -> None:
    """RFC 7313 4: only where both sides have it."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce(PREFIX))
    classroom.speaker.receive_refresh(other.peer, 1, 1)
    classroom.turn()
    assert other.marks == []


@pytest.mark.rfc("7313", "4 all")
def test_what_is_new_while_the_refresh_waits_is_not_lost(small: Callable[..., None]) -> None:
    """RFC 7313 4: told before BoRR and missing behind it, it would be stale for the peer."""
    small(RESUME_BYTES=10)
    classroom, source, other = pair()
    other.outlet.reads = False
    classroom.send(source, wire.announce("10.3.0.0/24"))
    classroom.speaker.receive_refresh(other.peer, 1, 1)
    classroom.turn()  # the dump begins, and its first piece has to wait
    classroom.send(source, wire.announce("10.4.0.0/24"))
    other.outlet.reads = True
    classroom.turn()
    assert other.marks == [(1, BEGIN), (1, END)]
    assert other.prefixes >= {PREFIX, OTHER, "10.3.0.0/24", "10.4.0.0/24"}


@pytest.mark.rfc("7313", "4 all")
def test_a_second_request_during_a_refresh_is_answered_by_one_more(
    small: Callable[..., None],
) -> None:
    """RFC 7313 4: each begin has its end, in pieces or not."""
    small(CATCH_UP_PIECE_PREFIXES=1, CATCH_UP_TURN_PREFIXES=1)
    classroom, _, other = pair()
    for _ in range(3):
        classroom.speaker.receive_refresh(other.peer, 1, 1)
        classroom.speaker.turn()
    classroom.turn()
    assert other.marks == [(1, BEGIN), (1, END)] * 2
    assert other.prefixes == {PREFIX, OTHER, PREFIX6}


@pytest.mark.rfc("7313", "4 order")
@pytest.mark.parametrize("turns", [0, 1])
def test_the_first_dump_comes_to_its_end_before_a_refresh_begins(
    small: Callable[..., None], turns: int
) -> None:
    """RFC 7313 4: first the End-of-RIB, then BoRR, whenever the peer asks."""
    small(CATCH_UP_PIECE_PREFIXES=1, CATCH_UP_TURN_PREFIXES=1)
    classroom, _, _ = pair()
    late = classroom.join(
        "late", "10.0.0.3", families="ipv4", enhanced_refresh=True, graceful=True, turn=False
    )
    for _ in range(turns):
        classroom.speaker.turn()
    classroom.speaker.receive_refresh(late.peer, 1, 1)
    while not late.ends:
        classroom.speaker.turn()
        late.read(1)
    assert late.marks == []
    classroom.turn()
    assert late.ends == [wire.IPV4]
    assert late.marks == [(1, BEGIN), (1, END)]
    assert late.prefixes == {PREFIX, OTHER}


# What we hear.


@pytest.mark.rfc("7313", "4 stale")
def test_what_is_not_announced_again_is_gone_at_the_end() -> None:
    """RFC 7313 4: until EoRR everything stays; other families are not concerned."""
    classroom, source, other = pair()
    assert classroom.speaker.begin_refresh(source.peer, IPV4_UNICAST)
    classroom.send(source, wire.announce(OTHER))
    assert other.prefixes == {PREFIX, OTHER, PREFIX6}
    assert classroom.speaker.end_refresh(source.peer, IPV4_UNICAST) == 1
    classroom.turn()
    assert other.prefixes == {OTHER, PREFIX6}
    assert [finding.action for _, finding in classroom.findings] == [Action.WITHDRAW]


@pytest.mark.rfc("7313", "4 stale")
def test_a_second_begin_makes_all_stale_again() -> None:
    """RFC 7313 4: what was announced before it does not count."""
    classroom, source, other = pair()
    classroom.speaker.begin_refresh(source.peer, IPV4_UNICAST)
    classroom.send(source, wire.announce(PREFIX))
    classroom.speaker.begin_refresh(source.peer, IPV4_UNICAST)
    classroom.send(source, wire.announce(OTHER))
    assert classroom.speaker.end_refresh(source.peer, IPV4_UNICAST) == 1
    classroom.turn()
    assert other.prefixes == {OTHER, PREFIX6}


@pytest.mark.rfc("7313", "4 stale")
def test_judging_routes_again_is_not_announcing_them_again() -> None:
    """RFC 7313 4: a new policy in the middle of a refresh renews nothing."""
    classroom, source, other = pair()
    classroom.speaker.begin_refresh(source.peer, IPV4_UNICAST)
    classroom.send(source, wire.announce(OTHER))
    assert classroom.speaker.reconfigure(source.peer, Intake(accept_default=True), None)
    assert classroom.speaker.end_refresh(source.peer, IPV4_UNICAST) == 1
    classroom.turn()
    assert other.prefixes == {OTHER, PREFIX6}


@pytest.mark.rfc("7313", "4 begin")
def test_a_new_export_policy_during_a_refresh_keeps_its_end(small: Callable[..., None]) -> None:
    """RFC 7313 4: the peer moves to another update group, which brings the refresh to its EoRR.

    It is not begun once more: a BoRR has its EoRR before the next.
    """
    small(CATCH_UP_PIECE_PREFIXES=1, CATCH_UP_TURN_PREFIXES=1)
    classroom, _, other = pair()
    other.marks.clear()
    classroom.speaker.receive_refresh(other.peer, 1, 1)
    classroom.speaker.turn()
    accept_all = Policy("all", (), Verdict.ACCEPT)
    classroom.speaker.reconfigure(other.peer, other.peer.intake, accept_all)
    classroom.turn()
    assert other.marks == [(1, BEGIN), (1, END)]
    assert other.refreshing == {}
    assert other.prefixes == {PREFIX, OTHER, PREFIX6}


@pytest.mark.rfc("7313", "4 stale")
def test_a_complete_refresh_changes_nothing() -> None:
    """RFC 7313 4: everything was announced again, and nobody is told of anything but that."""
    classroom, source, other = pair()
    classroom.speaker.begin_refresh(source.peer, IPV6_UNICAST)
    classroom.send(source, wire.announce6(PREFIX6))
    assert classroom.speaker.end_refresh(source.peer, IPV6_UNICAST) == 0
    classroom.turn()
    assert other.prefixes == {PREFIX, OTHER, PREFIX6}
    assert classroom.findings == []


@pytest.mark.rfc("7313", "4 stray")
def test_an_end_without_a_begin_is_ignored() -> None:
    """RFC 7313 4."""
    classroom, source, other = pair()
    assert classroom.speaker.end_refresh(source.peer, IPV4_UNICAST) == 0
    classroom.turn()
    assert other.prefixes == {PREFIX, OTHER, PREFIX6}


@pytest.mark.rfc("7313", "4 order")
def test_a_begin_before_the_end_of_rib_of_a_graceful_peer_is_ignored() -> None:
    """RFC 7313 4: and counts from its End-of-RIB on, family by family."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", enhanced_refresh=True, graceful=True)
    classroom.send(source, wire.announce(PREFIX))
    assert not classroom.speaker.begin_refresh(source.peer, IPV4_UNICAST)
    assert classroom.speaker.end_refresh(source.peer, IPV4_UNICAST) == 0
    classroom.send(source, wire.update_body())
    assert classroom.speaker.begin_refresh(source.peer, IPV4_UNICAST)
    assert not classroom.speaker.begin_refresh(source.peer, IPV6_UNICAST)


@pytest.mark.rfc("7313", "4 stale")
def test_a_begin_without_the_capability_is_ignored() -> None:
    """RFC 7313 4: the octet is reserved for such a peer (RFC 2918 3)."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(PREFIX))
    assert not classroom.speaker.begin_refresh(source.peer, IPV4_UNICAST)
