"""Route reflection: who is told what, and with which attributes."""

from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest

from reflector.bgp.limits import MAX_MESSAGE_BYTES
from reflector.bgp.nlri import pack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.fate import Reason
from reflector.rib.originated import LocalRoute
from tests.support import wire
from tests.support.classroom import CLUSTER_ID, OUR_ADDRESS, Classroom

PREFIX = "10.1.0.0/24"
PREFIX6 = "2001:db8:1::/64"


def ids(*texts: str) -> bytes:
    """Return identifiers as they stand in an attribute."""
    return b"".join(IPv4Address(text).packed for text in texts)


# Who is told.


@pytest.mark.rfc("4456", "6")
@pytest.mark.parametrize(
    ("source_is_client", "told"),
    [(True, {"client", "non-client"}), (False, {"client"})],
    ids=["from a client", "from a non-client"],
)
def test_who_is_told_depends_on_the_source(*, source_is_client: bool, told: set[str]) -> None:
    """RFC 4456 6: from a non-client to the clients; from a client to all."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", client=source_is_client)
    client = classroom.join("client", "10.0.0.2")
    non_client = classroom.join("non-client", "10.0.0.3", client=False)
    classroom.send(source, wire.announce(PREFIX), wire.announce6(PREFIX6))
    everyone = (source, client, non_client)
    assert {each.name for each in everyone if each.prefixes == {PREFIX, PREFIX6}} == told
    classroom.send(source, wire.withdraw(PREFIX), wire.withdraw6(PREFIX6))
    assert not any(each.table or each.stray for each in everyone)


@pytest.mark.rfc("4456", "6")
@pytest.mark.parametrize("first", [0, 1], ids=["the client's first", "the non-client's first"])
def test_non_clients_lose_a_route_when_a_non_client_has_the_better_one(first: int) -> None:
    """RFC 4456 6: the best path decides for all, and a non-client's is not for non-clients."""
    classroom = Classroom()
    client = classroom.join("client", "10.0.0.2")
    non_client = classroom.join("non-client", "10.0.0.1", client=False)
    other = classroom.join("other non-client", "10.0.0.3", client=False)
    better = wire.usual(local_pref=wire.local_pref(200))
    updates = [
        (client, wire.announce(PREFIX)),
        (non_client, wire.announce(PREFIX, attributes=better)),
    ]
    for student, body in (updates[first], updates[1 - first]):
        classroom.send(student, body)
    assert client.prefixes == {PREFIX}
    assert non_client.prefixes == set()
    assert other.prefixes == set()
    classroom.send(non_client, wire.withdraw(PREFIX))
    assert client.prefixes == set()
    assert non_client.prefixes == other.prefixes == {PREFIX}


@pytest.mark.rfc("4456", "6")
@pytest.mark.rfc("4271", "9.2 best")
def test_nothing_is_sent_back_to_its_source() -> None:
    """RFC 4456 6 and RFC 4271 9.2: the source of the best path is not told of it."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.join("other", "10.0.0.2")
    before = len(source.messages)
    classroom.send(source, wire.announce(PREFIX))
    classroom.send(source, wire.withdraw(PREFIX))
    assert len(source.messages) == before


@pytest.mark.rfc("4271", "9.2 change")
def test_a_peers_route_is_taken_back_when_its_own_becomes_the_best() -> None:
    """RFC 4271 9.2: what it was told before is no longer feasible for it."""
    classroom = Classroom()
    first = classroom.join("first", "10.0.0.1")
    second = classroom.join("second", "10.0.0.2")
    third = classroom.join("third", "10.0.0.3")
    classroom.send(second, wire.announce(PREFIX))
    assert first.prefixes == third.prefixes == {PREFIX}
    classroom.send(first, wire.announce(PREFIX))
    assert first.prefixes == set()
    assert second.prefixes == third.prefixes == {PREFIX}
    assert third.route(PREFIX)[9] == ids("10.0.0.1")
    classroom.send(first, wire.withdraw(PREFIX))
    assert first.prefixes == third.prefixes == {PREFIX}
    assert second.prefixes == set()


@pytest.mark.rfc("4271", "9.2 best")
def test_a_better_path_within_one_turn_leaves_each_with_the_right_one() -> None:
    """RFC 4271 9.1: only the last state counts, whatever came in between."""
    classroom = Classroom()
    first = classroom.join("first", "10.0.0.1")
    second = classroom.join("second", "10.0.0.2")
    third = classroom.join("third", "10.0.0.3")
    classroom.send(second, wire.announce(PREFIX), turn=False)
    classroom.send(first, wire.announce(PREFIX), turn=False)
    classroom.send(second, wire.withdraw(PREFIX), wire.announce(PREFIX), turn=False)
    classroom.turn()
    assert (first.prefixes, second.prefixes, third.prefixes) == (set(), {PREFIX}, {PREFIX})
    assert third.route(PREFIX)[9] == ids("10.0.0.1")


@pytest.mark.rfc("4271", "9.1.4")
def test_of_overlapping_routes_both_are_told() -> None:
    """RFC 4271 9.1.4: the less and the more specific one, and each goes by itself."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce("10.0.0.0/8", "10.1.0.0/16", PREFIX))
    assert other.prefixes == {"10.0.0.0/8", "10.1.0.0/16", PREFIX}
    classroom.send(source, wire.withdraw("10.1.0.0/16"))
    assert other.prefixes == {"10.0.0.0/8", PREFIX}


@pytest.mark.rfc("1997", "NO_ADVERTISE")
def test_no_advertise_stays_here() -> None:
    """RFC 1997: NO_ADVERTISE must not be advertised to other peers."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce(PREFIX))
    private = wire.usual(more=wire.communities(1, 0xFFFFFF02))
    classroom.send(source, wire.announce(PREFIX, "10.2.0.0/24", attributes=private))
    assert other.prefixes == set()
    classroom.send(source, wire.withdraw("10.2.0.0/24"))
    assert other.stray == []


@pytest.mark.rfc("1997", "NO_EXPORT")
@pytest.mark.parametrize("community", [0xFFFFFF01, 0xFFFFFF03, 0xFFFF029A])
def test_other_well_known_communities_pass_between_internal_peers(community: int) -> None:
    """RFC 1997: NO_EXPORT and NO_EXPORT_SUBCONFED concern external peers."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    attributes = wire.usual(more=wire.communities(community))
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert other.route(PREFIX)[8] == community.to_bytes(4)


@pytest.mark.rfc("4724", "2")
@pytest.mark.rfc("4760", "8")
def test_each_family_goes_to_who_has_negotiated_it() -> None:
    """RFC 4760 8: routes of a family are sent only where both sides have it."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    four = classroom.join("four", "10.0.0.2", families="ipv4")
    six = classroom.join("six", "10.0.0.3", families="ipv6")
    classroom.send(source, wire.announce(PREFIX), wire.announce6(PREFIX6))
    assert four.prefixes == {PREFIX}
    assert six.prefixes == {PREFIX6}
    assert four.ends == [wire.IPV4]
    assert six.ends == [wire.IPV6]


@pytest.mark.rfc("4271", "8.2.2 Established", "3.1", "6")
def test_a_session_that_ends_takes_its_routes_with_it() -> None:
    """RFC 4271 8.2.2, Established: deletes all routes associated with this connection."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    backup = classroom.join("backup", "10.0.0.3")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce(PREFIX, "10.2.0.0/24"), wire.announce6(PREFIX6))
    classroom.send(backup, wire.announce(PREFIX))
    assert classroom.leave(source) == 3
    assert other.prefixes == {PREFIX}
    assert other.route(PREFIX)[9] == ids("10.0.0.3")
    assert backup.prefixes == set()


@pytest.mark.rfc("4271", "9.2 first")
def test_a_late_joiner_gets_everything_and_then_an_end_of_rib() -> None:
    """RFC 4271 9.2 and RFC 4724 2: the initial dump, and the marker that it is complete."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    classroom.send(source, wire.announce(PREFIX, "10.2.0.0/24"), wire.announce6(PREFIX6))
    late = classroom.join("late", "10.0.0.2")
    assert late.prefixes == {PREFIX, "10.2.0.0/24", PREFIX6}
    assert sorted(late.ends) == [wire.IPV4, wire.IPV6]
    assert late.messages[-1] in (b"\0\0\0\0", wire.withdraw6())


@pytest.mark.rfc("2918", "4 answer")
def test_a_refresh_sends_the_routes_again() -> None:
    """RFC 2918 4: the whole Adj-RIB-Out of the family."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce(PREFIX), wire.announce6(PREFIX6))
    other.table.clear()
    assert classroom.speaker.receive_refresh(other.peer, 1, 1)
    classroom.turn()
    assert other.prefixes == {PREFIX}
    assert classroom.speaker.receive_refresh(other.peer, 2, 1)
    classroom.turn()
    assert other.prefixes == {PREFIX, PREFIX6}


@pytest.mark.rfc("2918", "4 unknown")
@pytest.mark.parametrize("family", [(1, 2), (25, 70), (0, 0), (2, 1)])
def test_a_refresh_for_another_family_is_ignored(family: tuple[int, int]) -> None:
    """RFC 2918 4: for an AFI/SAFI that was not advertised, the message is ignored."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2", families="ipv4")
    classroom.send(source, wire.announce(PREFIX))
    messages = len(other.messages)
    assert not classroom.speaker.receive_refresh(other.peer, *family)
    classroom.turn()
    assert len(other.messages) == messages


# With which attributes.


@pytest.mark.rfc("4456", "8 originator", "8 cluster list")
def test_originator_id_and_cluster_list_are_put_in() -> None:
    """RFC 4456 8: ORIGINATOR_ID is the source's BGP identifier, CLUSTER_LIST is our id."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", router_id="1.2.3.4")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce(PREFIX))
    expected = wire.update_body(
        wire.prefix(PREFIX),
        wire.usual() + wire.originator_id("1.2.3.4") + wire.cluster_list(CLUSTER_ID),
    )
    assert other.messages[-1] == expected


@pytest.mark.rfc("4456", "8 originator", "8 cluster list")
def test_an_originator_id_stays_and_cluster_list_grows_at_its_head() -> None:
    """RFC 4456 8: a reflector must not create ORIGINATOR_ID if it exists; it prepends its id."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    more = wire.originator_id("9.9.9.9") + wire.cluster_list("1.1.1.1", "2.2.2.2")
    classroom.send(source, wire.announce(PREFIX, attributes=wire.usual(more=more)))
    assert other.route(PREFIX)[9] == ids("9.9.9.9")
    assert other.route(PREFIX)[10] == ids(CLUSTER_ID, "1.1.1.1", "2.2.2.2")


@pytest.mark.rfc("4271", "4.3 length")
@pytest.mark.rfc("4456", "8 cluster list")
def test_a_cluster_list_of_more_than_255_octets_has_an_extended_length() -> None:
    """RFC 4271 4.3: the Extended Length bit; RFC 4456 8: 63 ids and ours are 256 octets."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    others = [f"1.1.1.{i}" for i in range(63)]
    attributes = wire.usual(more=wire.cluster_list(*others))
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert other.route(PREFIX)[10] == ids(CLUSTER_ID, *others)


UNTOUCHED = {
    "ORIGIN": (1, wire.origin(2)),
    "AS_PATH": (2, wire.as_path(wire.sequence(65001, 4200000000), wire.as_set(1, 2))),
    "a long AS_PATH": (2, wire.as_path(wire.sequence(*[65001] * 255), wire.sequence(1))),
    "MED": (4, wire.med(4294967295)),
    "LOCAL_PREF": (5, wire.local_pref(0)),
    "ATOMIC_AGGREGATE": (6, wire.attribute(0x40, 6)),
    "AGGREGATOR": (7, wire.attribute(0xC0, 7, b"\0\1\0\0\x0a\0\0\1")),
    "a partial AGGREGATOR": (7, wire.attribute(0xE0, 7, b"\0\1\0\0\x0a\0\0\1")),
    "COMMUNITIES": (8, wire.communities(1, 2, 3, 2)),
    "EXTENDED_COMMUNITIES": (16, wire.attribute(0xC0, 16, b"\0\2\xfc\0\0\0\0\1")),
    "LARGE_COMMUNITIES": (32, wire.attribute(0xC0, 32, bytes(range(24)))),
    "a needless extended length": (4, b"\x90\4\0\4\0\0\0\1"),
    "unknown and partial": (99, wire.attribute(0xE0, 99, b"as it came")),
    "unknown and empty": (200, wire.attribute(0xE0, 200)),
}
_PLACE = {1: "origin", 2: "as_path", 5: "local_pref"}


@pytest.mark.rfc("4456", "10")
@pytest.mark.rfc("4271", "5.1.1", "5.1.2 internal", "5.1.3 internal", "5.1.4", "5.1.6", "5.1.7")
@pytest.mark.rfc("4271", "5 partial")
@pytest.mark.rfc("1997", "carriage")
@pytest.mark.rfc("4360", "2", "6")
@pytest.mark.rfc("8092", "3")
@pytest.mark.parametrize(("code", "attribute"), UNTOUCHED.values(), ids=UNTOUCHED)
@pytest.mark.parametrize("family", [wire.IPV4, wire.IPV6])
def test_other_attributes_pass_byte_for_byte(
    code: int, attribute: bytes, family: tuple[int, int]
) -> None:
    """RFC 4456 10: NEXT_HOP, AS_PATH, LOCAL_PREF, MED and the others must not be changed."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    four = family == wire.IPV4
    hop = wire.next_hop("172.16.5.5") if four else b""
    attributes = wire.usual(next_hop=hop, **{_PLACE.get(code, "more"): attribute})
    body = (
        wire.announce(PREFIX, attributes=attributes)
        if four
        else wire.announce6(PREFIX6, via="fd00::5", attributes=attributes)
    )
    classroom.send(source, body)
    assert attribute in other.messages[-1]
    route = other.route(PREFIX if four else PREFIX6)
    assert str(route.next_hop) == ("172.16.5.5" if four else "fd00::5")
    own = wire.originator_id("10.0.0.1") + wire.cluster_list(CLUSTER_ID)
    assert len(other.messages[-1]) == len(body) + len(own)


@pytest.mark.rfc("4271", "5 unknown transitive")
def test_an_unknown_optional_transitive_attribute_becomes_partial() -> None:
    """RFC 4271 5: passed on, with the Partial bit set."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    unknown = wire.attribute(0xC0, 99, b"\1\2\3") + wire.attribute(0xD0, 100, b"\4")
    classroom.send(source, wire.announce(PREFIX, attributes=wire.usual(more=unknown)))
    partial = wire.attribute(0xE0, 99, b"\1\2\3") + wire.attribute(0xF0, 100, b"\4")
    assert partial in other.messages[-1]


@pytest.mark.rfc("4271", "5 unknown non-transitive")
@pytest.mark.parametrize("flags", [0x80, 0xA0, 0x90])
def test_an_unknown_non_transitive_attribute_is_dropped(flags: int) -> None:
    """RFC 4271 5 and 9: quietly ignored, and not passed on."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    attributes = wire.usual(more=wire.attribute(flags, 26, b"\1\0\x0b\0\0\0\0\0\0\0\1"))
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert 26 not in other.route(PREFIX)
    assert classroom.findings == []


@pytest.mark.rfc("4271", "5 order")
@pytest.mark.rfc("7606", "5.1")
def test_attributes_are_sent_in_the_order_of_their_codes() -> None:
    """RFC 4271 5: the sender should order them; RFC 7606 5.1: MP_REACH_NLRI comes first."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    mixed = (
        wire.attribute(0xE0, 99, b"x")
        + wire.communities(7)
        + wire.local_pref()
        + wire.next_hop()
        + wire.med(1)
        + wire.as_path()
        + wire.origin()
    )
    classroom.send(source, wire.announce(PREFIX, attributes=mixed))
    expected = (
        wire.origin()
        + wire.as_path()
        + wire.next_hop()
        + wire.med(1)
        + wire.local_pref()
        + wire.communities(7)
        + wire.originator_id("10.0.0.1")
        + wire.cluster_list(CLUSTER_ID)
        + wire.attribute(0xE0, 99, b"x")
    )
    assert other.messages[-1] == wire.update_body(wire.prefix(PREFIX), expected)


@pytest.mark.rfc("4760", "3 NEXT_HOP")
def test_next_hop_beside_ipv6_routes_is_not_passed_on() -> None:
    """RFC 4760 3: an UPDATE without NLRI should not carry NEXT_HOP; a receiver ignores it."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce6(PREFIX6, attributes=wire.usual()))
    assert str(other.route(PREFIX6).next_hop) == "2001:db8::1"


@pytest.mark.rfc("4760", "3")
def test_ipv4_routes_in_mp_reach_are_reflected_as_nlri() -> None:
    """RFC 4760 3: the same family in another place."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    reach = wire.mp_reach(wire.IPV4, "10.9.9.9", wire.prefix(PREFIX))
    classroom.send(source, wire.update_body(attributes=reach + wire.usual(next_hop=b"")))
    assert str(other.route(PREFIX).next_hop) == "10.9.9.9"
    gone = wire.mp_unreach(wire.IPV4, wire.prefix(PREFIX))
    classroom.send(source, wire.update_body(attributes=gone))
    assert other.prefixes == set()


@pytest.mark.rfc("4760", "3")
@pytest.mark.rfc("2545", "3")
@pytest.mark.parametrize("hop", ["2001:db8::1", "::ffff:10.0.0.1", "fe80::1"])
def test_ipv6_routes_travel_over_an_ipv4_session(hop: str) -> None:
    """RFC 4760 and RFC 2545: with their next hop untouched, IPv4-mapped ones included."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce6(PREFIX6, via=hop))
    assert wire.mp_reach(wire.IPV6, hop, wire.prefix(PREFIX6)) in other.messages[-1]


@pytest.mark.rfc("2545", "3")
def test_a_link_local_next_hop_beside_the_global_one_is_kept() -> None:
    """RFC 2545 3: 32 octets of next hop."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    both = b"\x20\1" + b"\0" * 13 + b"\1" + b"\xfe\x80" + b"\0" * 13 + b"\1"
    reach = wire.mp_reach(wire.IPV6, both, wire.prefix(PREFIX6))
    classroom.send(source, wire.update_body(attributes=reach + wire.usual(next_hop=b"")))
    assert reach in other.messages[-1]


# Sizes.


@pytest.mark.rfc("4271", "4.1")
def test_many_prefixes_are_sent_in_as_few_messages_as_fit() -> None:
    """RFC 4271 4.1: a message has at most 4096 octets."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    prefixes = [f"10.{i // 256}.{i % 256}.0/24" for i in range(3000)]
    for start in range(0, 3000, 500):
        classroom.send(source, wire.announce(*prefixes[start : start + 500]), turn=False)
    before = len(other.messages)
    classroom.turn()
    assert len(other.messages) - before == 3
    assert other.prefixes == set(prefixes)
    classroom.leave(source)
    assert len(other.messages) - before == 6
    assert other.prefixes == set()


@pytest.mark.rfc("4271", "9.2 size")
@pytest.mark.parametrize("surplus", range(-6, 2))
@pytest.mark.parametrize("family", [wire.IPV4, wire.IPV6])
def test_attributes_that_outgrow_a_message_are_not_sent(
    surplus: int, family: tuple[int, int]
) -> None:
    """RFC 4271 9.2 and 4.1: what can't be sent is not, and what was sent before is withdrawn."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    four = family == wire.IPV4
    prefix = "10.1.0.1/32" if four else "2001:db8::1/128"
    make = wire.announce if four else wire.announce6
    usual = wire.usual() if four else wire.usual(next_hop=b"")
    classroom.send(source, make(prefix))
    own = len(wire.originator_id("1.1.1.1") + wire.cluster_list(CLUSTER_ID))
    # An octet more is reckoned for MP_REACH_NLRI, whose length mostly is an extended one.
    spare = 0 if four else 1
    head = 19 + len(make(prefix)) + own + spare + 4
    padding = wire.attribute(0xD0, 99, b"x" * (MAX_MESSAGE_BYTES - head + surplus))
    classroom.send(source, make(prefix, attributes=usual + padding))
    if surplus > 0:
        assert other.prefixes == set()
    else:
        assert 99 in other.route(prefix)
        assert len(other.messages[-1]) == MAX_MESSAGE_BYTES - 19 - spare + surplus


# Our own routes.


@pytest.mark.rfc("4271", "5.1.3 local", "9.4")
def test_our_own_route_has_the_address_that_each_peer_connected_to() -> None:
    """RFC 4271 5.1.3: the next hop is ours, as the peer knows it."""
    classroom = Classroom()
    classroom.speaker.originate([LocalRoute(ip_network("1.0.0.2/32"))])
    first = classroom.join("first", "10.0.0.1", local_address="10.0.0.254")
    second = classroom.join("second", "10.5.0.1", local_address="10.5.0.254")
    expected = wire.usual(next_hop=wire.next_hop("10.5.0.254"))
    assert str(first.route("1.0.0.2/32").next_hop) == "10.0.0.254"
    assert wire.update_body(wire.prefix("1.0.0.2/32"), expected) in second.messages


@pytest.mark.rfc("4456", "8 originator", "8 cluster list")
@pytest.mark.rfc("4271", "5.1.2 internal")
def test_our_own_route_is_not_reflected() -> None:
    """RFC 4456 8: ORIGINATOR_ID and CLUSTER_LIST are for reflected routes."""
    classroom = Classroom()
    classroom.speaker.originate([LocalRoute(ip_network("1.0.0.2/32"))])
    route = classroom.join("first", "10.0.0.1").route("1.0.0.2/32")
    assert 9 not in route
    assert 10 not in route


@pytest.mark.rfc("4271", "5.1.3 local")
def test_our_own_route_may_have_another_next_hop() -> None:
    """RFC 4271 5.1.3: a third party's."""
    classroom = Classroom()
    hop = IPv4Address("10.9.9.9")
    classroom.speaker.originate(
        [
            LocalRoute(ip_network("1.0.0.2/32"), hop),
            LocalRoute(ip_network("2001:db8::2/128"), hop),
        ]
    )
    student = classroom.join("first", "2001:db8::1", router_id="1.1.1.1", local_address="::5")
    assert str(student.route("1.0.0.2/32").next_hop) == "10.9.9.9"
    assert student.route("2001:db8::2/128").next_hop == IPv6Address("::ffff:10.9.9.9")


@pytest.mark.rfc("4271", "5.1.3 own address")
def test_a_peer_is_not_told_of_our_own_route_with_its_own_address_as_next_hop() -> None:
    """RFC 4271 5.1.3: it "SHALL NOT be advertised to a peer using an address of that peer"."""
    classroom = Classroom()
    four, six = "1.0.0.2/32", "2001:db8::2/128"
    hop = IPv4Address("10.0.0.1")
    itself = classroom.join("itself", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.speaker.originate([LocalRoute(ip_network(four)), LocalRoute(ip_network(six))])
    classroom.turn()
    assert itself.prefixes == other.prefixes == {four, six}
    classroom.speaker.originate(
        [LocalRoute(ip_network(four), hop), LocalRoute(ip_network(six), hop)]
    )
    classroom.turn()
    assert itself.prefixes == set(), "what it was told before leads to itself now"
    assert str(other.route(four).next_hop) == "10.0.0.1"
    assert other.prefixes == {four, six}
    fate = classroom.speaker.fate(itself.peer, IPV4_UNICAST, pack_prefix(ip_network(four)))
    assert fate.reason is Reason.NEXT_HOP
    late = classroom.join("itself again", "10.0.0.1", router_id="9.9.9.9")
    assert late.prefixes == set()
    assert itself.stray == []


@pytest.mark.rfc("4760", "3")
def test_our_own_ipv6_route_goes_over_ipv4_sessions_with_a_mapped_next_hop() -> None:
    """RFC 4760 3, RFC 4291 2.5.5.2."""
    classroom = Classroom()
    classroom.speaker.originate([LocalRoute(ip_network("2001:db8::2/128"))])
    four = classroom.join("four", "10.0.0.1")
    six = classroom.join("six", "2001:db8::1", router_id="1.1.1.1", local_address="2001:db8::fe")
    mapped = IPv6Address(f"::ffff:{OUR_ADDRESS}")
    assert four.route("2001:db8::2/128").next_hop == mapped
    assert str(six.route("2001:db8::2/128").next_hop) == "2001:db8::fe"


def test_our_own_ipv4_route_is_kept_from_ipv6_sessions() -> None:
    """RFC 8950 is not negotiated: an IPv4 route has no IPv6 next hop."""
    classroom = Classroom()
    six = classroom.join("six", "2001:db8::1", router_id="1.1.1.1", local_address="2001:db8::fe")
    classroom.speaker.originate([LocalRoute(ip_network("1.0.0.2/32"))])
    classroom.turn()
    assert six.prefixes == set()
    assert six.stray == []


@pytest.mark.rfc("4271", "9.2 change")
@pytest.mark.parametrize("reads", [True, False])
def test_our_own_route_takes_the_place_of_a_peers_also_where_it_can_not_be_told(
    *, reads: bool
) -> None:
    """RFC 4271 9.2: what a peer was told before is withdrawn if nothing can replace it."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    six = classroom.join("six", "2001:db8::1", router_id="1.1.1.1", local_address="2001:db8::fe")
    classroom.send(source, wire.announce("1.0.0.2/32"))
    assert six.prefixes == {"1.0.0.2/32"}
    if not reads:
        six.outlet.reads = False
        six.outlet.unread.append(wire.keepalive() * 200_000)
        classroom.send(source, wire.announce("10.2.0.0/24"))
    classroom.speaker.originate([LocalRoute(ip_network("1.0.0.2/32"))])
    classroom.turn()
    if not reads:
        del six.outlet.unread[0]
        six.outlet.reads = True
        classroom.turn()
    assert "1.0.0.2/32" not in six.prefixes
    assert "1.0.0.2/32" in source.prefixes
    classroom.speaker.originate([])
    classroom.turn()
    assert "1.0.0.2/32" in six.prefixes


@pytest.mark.rfc("4271", "9.2 change")
def test_our_own_route_is_withdrawn_where_its_new_next_hop_can_not_be_told() -> None:
    """RFC 4271 9.2: from a third party's next hop to our own, which an IPv6 session lacks."""
    classroom = Classroom()
    six = classroom.join("six", "2001:db8::1", router_id="1.1.1.1", local_address="2001:db8::fe")
    prefix = ip_network("1.0.0.2/32")
    classroom.speaker.originate([LocalRoute(prefix, IPv4Address("10.9.9.9"))])
    classroom.turn()
    assert six.prefixes == {"1.0.0.2/32"}
    classroom.speaker.originate([LocalRoute(prefix)])
    classroom.turn()
    assert six.prefixes == set()


@pytest.mark.rfc("4271", "9.2 change", "9.4")
def test_our_own_routes_change_as_asked() -> None:
    """RFC 4271 9.2: announced, replaced and withdrawn, in one turn or in several."""
    classroom = Classroom()
    student = classroom.join("first", "10.0.0.1")
    one, two = LocalRoute(ip_network("1.0.0.2/32")), LocalRoute(ip_network("1.0.0.3/32"))
    classroom.speaker.originate([one])
    classroom.speaker.originate([two])
    classroom.turn()
    assert student.prefixes == {"1.0.0.3/32"}
    classroom.speaker.originate([one, two])
    classroom.turn()
    assert student.prefixes == {"1.0.0.2/32", "1.0.0.3/32"}
    classroom.speaker.originate([])
    classroom.turn()
    assert student.prefixes == set()


@pytest.mark.rfc("4271", "9.4")
def test_our_own_route_wins_over_a_peers() -> None:
    """RFC 4271 9.1: a locally originated route is preferred."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.speaker.originate([LocalRoute(ip_network(PREFIX))])
    attributes = wire.usual(local_pref=wire.local_pref(4294967295))
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert str(other.route(PREFIX).next_hop) == OUR_ADDRESS
    assert str(source.route(PREFIX).next_hop) == OUR_ADDRESS
    classroom.speaker.originate([])
    classroom.turn()
    assert other.route(PREFIX)[9] == ids("10.0.0.1")
    assert source.prefixes == set()


@pytest.mark.rfc("4271", "6.3 next hop")
def test_a_route_with_our_address_as_next_hop_is_not_used() -> None:
    """RFC 4271 6.3: the IP address in NEXT_HOP must not be the receiver's own."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce6(PREFIX6, via=f"::ffff:{OUR_ADDRESS}"))
    assert other.prefixes == set()
    assert len(classroom.findings) == 1
