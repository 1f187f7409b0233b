"""Extended messages (RFC 8654): who may be sent more than 4096 octets, and who is sent what."""

from __future__ import annotations

from typing import Final

import pytest

from reflector.bgp.codec import encode_open
from reflector.bgp.errors import SessionError
from reflector.bgp.events import UpdatesReceived
from reflector.bgp.vocabulary import ErrorCode, State, UpdateSubcode
from reflector.rib.fate import Fate, Reason
from reflector.rib.policy import Change, Policy, Rule, Verdict
from tests.protocol.test_fate import fate
from tests.support import wire
from tests.support.classroom import Classroom, Student
from tests.support.talk import Talk, our_open

CAPABILITY: Final = wire.capability(6)
PREFIX: Final = "10.1.0.0/24"
OURS: Final = our_open(extended_messages=True)
LARGEST: Final = 65535


def up(*, ours: bool = True, theirs: bool = True) -> Talk:
    """Bring up a session in which the two sides have offered extended messages or not."""
    talk = Talk(OURS if ours else None)
    offered = wire.parameter(2, wire.capabilities() + (CAPABILITY if theirs else b""))
    talk.hear(wire.open_message(parameters=offered) + wire.keepalive())
    assert talk.established
    return talk


def padded(size: int, head: bytes = b"") -> bytes:
    """Return attributes of so many octets."""
    block = head or wire.usual()
    return block + wire.attribute(0xD0, 99, bytes(size - len(block) - 4))


# Who has offered what.


@pytest.mark.rfc("8654", "3")
def test_the_capability_is_offered_where_it_is_configured() -> None:
    assert CAPABILITY in encode_open(OURS)
    assert CAPABILITY not in encode_open(our_open())


@pytest.mark.rfc("8654", "4 send")
@pytest.mark.parametrize(
    ("ours", "theirs", "most_bytes"),
    [(True, True, LARGEST), (True, False, 4096), (False, True, 4096), (False, False, 4096)],
)
def test_who_has_not_offered_it_is_sent_no_more_than_4096_octets(
    *, ours: bool, theirs: bool, most_bytes: int
) -> None:
    """RFC 8654 4: only if the capability "was received from that peer"; ours is our own choice."""
    negotiated = up(ours=ours, theirs=theirs).session.negotiated
    assert negotiated is not None
    assert negotiated.most_bytes == most_bytes


# What is taken.


@pytest.mark.rfc("8654", "4 receive")
@pytest.mark.parametrize("theirs", [True, False])
@pytest.mark.parametrize("length", [4096, 4097, LARGEST])
def test_what_we_offer_we_take(*, theirs: bool, length: int) -> None:
    """RFC 8654 4: who advertises it "MUST be capable of receiving" 65,535 octets, from anybody."""
    talk = up(theirs=theirs)
    body = wire.update_body(attributes=padded(length - 23))
    stream = wire.message(wire.UPDATE, body) + wire.keepalive() + wire.update()
    events = talk.hear(stream[:5000])
    events += talk.hear(stream[5000:])
    assert events == [UpdatesReceived([body]), UpdatesReceived([b"\0\0\0\0"])]


@pytest.mark.rfc("8654", "5 not offered")
@pytest.mark.parametrize("theirs", [True, False])
@pytest.mark.parametrize("kind", [wire.UPDATE, wire.NOTIFICATION, wire.ROUTE_REFRESH])
def test_what_we_do_not_offer_we_refuse(*, theirs: bool, kind: int) -> None:
    """RFC 8654 5: "MUST NOT accept an Extended Message", whatever the peer has advertised."""
    talk = up(ours=False, theirs=theirs)
    talk.hear(wire.message(kind, length=4097))
    assert talk.notified == (1, 2, (4097).to_bytes(2))


@pytest.mark.rfc("8654", "4 OPEN")
@pytest.mark.parametrize("kind", [wire.OPEN, wire.KEEPALIVE])
def test_some_messages_are_never_extended(kind: int) -> None:
    """RFC 8654 4: "to all messages except for OPEN and KEEPALIVE messages"."""
    talk = up()
    talk.hear(wire.message(kind, length=4097))
    assert talk.notified == (1, 2, (4097).to_bytes(2))


@pytest.mark.rfc("8654", "4 OPEN")
def test_an_open_is_not_extended_by_what_we_offer() -> None:
    talk = Talk(OURS)
    assert talk.session.state is State.OPEN_SENT
    talk.hear(wire.message(wire.OPEN, length=4097))
    assert talk.notified == (1, 2, (4097).to_bytes(2))


@pytest.mark.rfc("8654", "5 NOTIFICATION")
def test_a_notification_of_ours_is_never_extended() -> None:
    """RFC 8654 5: to a peer that has not advertised it a NOTIFICATION "MUST NOT exceed 4,096"."""
    talk = up()
    talk.session.fail(
        SessionError(
            ErrorCode.UPDATE_MESSAGE,
            UpdateSubcode.ATTRIBUTE_LENGTH_ERROR,
            "wrong",
            bytes(60000),
        )
    )
    assert [len(chunk) for chunk in talk.session.data_to_send()] == [4096]


# What is sent.


def with_three() -> tuple[Classroom, Student, Student, Student]:
    """Return a source, a peer with extended messages, and one without."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", extended_messages=True)
    large = classroom.join("large", "10.0.0.2", extended_messages=True)
    small = classroom.join("small", "10.0.0.3")
    return classroom, source, large, small


@pytest.mark.rfc("8654", "4 send")
def test_each_is_sent_messages_as_large_as_it_takes() -> None:
    classroom, source, large, small = with_three()
    prefixes = [f"10.{i // 256}.{i % 256}.0/24" for i in range(3000)]
    before = len(large.messages), len(small.messages)
    classroom.send(source, wire.announce(*prefixes))
    assert large.prefixes == small.prefixes == set(prefixes)
    assert (len(large.messages) - before[0], len(small.messages) - before[1]) == (1, 3)
    classroom.send(source, wire.withdraw(*prefixes))
    assert not large.table
    assert not small.table
    assert (len(large.messages) - before[0], len(small.messages) - before[1]) == (2, 6)


@pytest.mark.rfc("8654", "4 larger")
@pytest.mark.parametrize("family", [wire.IPV4, wire.IPV6])
def test_what_only_an_extended_message_holds_is_told_to_those_who_take_it(
    family: tuple[int, int],
) -> None:
    """RFC 8654 4: what is too big for a peer is not sent, and withdrawn if it was there before."""
    classroom, source, large, small = with_three()
    four = family == wire.IPV4
    prefix = PREFIX if four else "2001:db8::/64"
    announce = wire.announce if four else wire.announce6
    head = wire.usual() if four else wire.usual(next_hop=b"")
    classroom.send(source, announce(prefix))
    assert large.prefixes == small.prefixes == {prefix}
    classroom.send(source, announce(prefix, attributes=padded(5000, head)))
    assert len(large.route(prefix).get(99)) > 4096
    assert small.prefixes == set()
    classroom.send(source, announce(prefix))
    assert 99 not in large.route(prefix)
    assert small.prefixes == {prefix}
    classroom.send(source, announce(prefix, attributes=padded(5000, head)))
    classroom.leave(source)
    assert not large.table
    assert not large.stray
    assert not small.stray


@pytest.mark.rfc("8654", "4 larger")
@pytest.mark.parametrize(("surplus", "fits"), [(0, True), (1, False)])
def test_the_largest_that_fits_an_extended_message(surplus: int, *, fits: bool) -> None:
    """With ORIGINATOR_ID and CLUSTER_LIST it may outgrow even that, and nobody is told."""
    classroom, source, large, _ = with_three()
    own = len(wire.originator_id("1.1.1.1") + wire.cluster_list("1.1.1.1"))
    room_for_any_prefix = 5
    size = LARGEST - 23 - own - room_for_any_prefix + surplus
    classroom.send(source, wire.announce(PREFIX, attributes=padded(size)))
    assert large.prefixes == ({PREFIX} if fits else set())
    if fits:
        assert 19 + len(large.messages[-1]) == LARGEST - room_for_any_prefix + 4


def test_it_is_said_who_is_not_told_and_why() -> None:
    classroom, source, large, small = with_three()
    classroom.send(source, wire.announce(PREFIX, attributes=padded(5000)))
    [(_, finding)] = classroom.findings
    assert "only to peers with extended messages" in finding.reason
    assert fate(classroom, large) == Fate(Reason.TOLD)
    assert fate(classroom, small) == Fate(Reason.OUTGROWN)


@pytest.mark.rfc("8654", "4 send")
@pytest.mark.parametrize("as4", [True, False])
def test_external_peers_and_those_with_two_octets_are_told_as_ever(*, as4: bool) -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", extended_messages=True)
    kinds = {
        "external": classroom.join(
            "external", "10.0.0.2", asn=65001, as4=as4, extended_messages=True
        ),
        "internal": classroom.join("internal", "10.0.0.3", as4=as4, extended_messages=True),
    }
    path = wire.as_path(*[wire.sequence(*[70000] * 255)] * 8)
    block = wire.usual(as_path=path, more=wire.attribute(0xD0, 99, bytes(1000)))
    classroom.send(source, wire.announce(PREFIX, attributes=block))
    for student in kinds.values():
        assert student.prefixes == {PREFIX}
        assert len(student.messages[-1]) > 4096


def test_what_is_wrong_ten_thousand_times_is_said_once() -> None:
    classroom, source, large, _ = with_three()
    block = wire.usual(more=wire.attribute(wire.BOTH, 99) * 10_000)
    classroom.send(source, wire.announce(PREFIX, attributes=block))
    assert len(classroom.findings) == 1
    assert large.prefixes == {PREFIX}


def test_a_path_that_outgrows_an_attribute_in_four_octets_is_malformed() -> None:
    """A two-octet peer may say in an extended message what has no form with four octets."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", as4=False, extended_messages=True)
    long_path = wire.as_path(*[wire.sequence(*[1] * 255, width=2)] * 100)
    classroom.send(source, wire.announce(PREFIX))
    classroom.send(source, wire.announce(PREFIX, attributes=wire.usual(as_path=long_path)))
    assert "AS_PATH" in classroom.findings[-1][1].reason
    assert classroom.speaker.held_by(source.peer) == 0


def test_a_route_is_rejected_if_the_communities_of_a_policy_outgrow_the_attribute() -> None:
    change = Change(communities=tuple((8, i.to_bytes(4)) for i in range(20000, 20020)))
    policy = Policy("adds", (Rule("adds, rule 1", change=change),), Verdict.ACCEPT)
    classroom, source, large, _ = with_three()
    filtered = classroom.join("filtered", "10.0.0.4", extended_messages=True, export=policy)
    classroom.send(source, wire.announce(PREFIX))
    assert filtered.prefixes == {PREFIX}
    full = wire.usual(more=wire.communities(*range(16365)))
    classroom.send(source, wire.announce(PREFIX, attributes=full))
    assert large.prefixes == {PREFIX}
    assert filtered.prefixes == set()
    rule = "adds, rule 1, whose communities outgrow the attribute"
    assert fate(classroom, filtered) == Fate(Reason.POLICY, rule)
