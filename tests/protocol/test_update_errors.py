"""Malformed UPDATEs, between two clients: the session, the route, or only the attribute goes."""

from collections.abc import Callable

import pytest

from reflector.bgp.errors import Action, SessionError
from tests.support import wire
from tests.support.classroom import OUR_ADDRESS, ROUTER_ID, Classroom, Student
from tests.support.strict_reader import Attribute

PREFIX = "10.1.0.0/24"
PREFIX6 = "2001:db8:1::/64"

Scene = tuple[Classroom, Student, Student]


@pytest.fixture
def scene() -> Scene:
    """A class in which one client has announced a prefix of each family and another has them."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce(PREFIX), wire.announce6(PREFIX6))
    assert other.prefixes == {PREFIX, PREFIX6}
    return classroom, source, other


def last(classroom: Classroom) -> Action:
    """Return what the worst finding costs, and check that all are put in words."""
    assert all(name == "source" and finding.reason for name, finding in classroom.findings)
    return max(finding.action for _, finding in classroom.findings)


# What is treated as withdrawn.

WITHDRAWN = {
    "7.1 ORIGIN of no octets": {"origin": wire.attribute(0x40, 1)},
    "7.1 ORIGIN of two octets": {"origin": wire.attribute(0x40, 1, b"\0\0")},
    "7.1 an undefined ORIGIN": {"origin": wire.origin(3)},
    "7.1 an undefined ORIGIN of 255": {"origin": wire.origin(255)},
    "7.2 an unknown segment": {"as_path": wire.as_path(b"\5\1\0\0\0\1")},
    "7.2 a segment of type 0": {"as_path": wire.as_path(b"\0\1\0\0\0\1")},
    "7.2 an empty segment": {"as_path": wire.as_path(b"\2\0")},
    "7.2 a segment overrun": {"as_path": wire.as_path(b"\2\2\0\0\0\1")},
    "7.2 a segment underrun": {"as_path": wire.as_path(wire.sequence(1), b"\2")},
    "7.2 two-octet AS numbers": {"as_path": wire.as_path(wire.sequence(1, 2, 3, width=2))},
    "5065 5 a confederation sequence": {"as_path": wire.as_path(b"\3\1\0\0\0\1")},
    "5065 5 a confederation set": {"as_path": wire.as_path(b"\4\1\0\0\0\1")},
    "7607 AS 0 in a sequence": {"as_path": wire.as_path(wire.sequence(1, 0, 2))},
    "7607 AS 0 in a set": {"as_path": wire.as_path(wire.sequence(1), wire.as_set(0))},
    "7.3 NEXT_HOP of three octets": {"next_hop": wire.attribute(0x40, 3, b"\x0a\0\0")},
    "7.3 NEXT_HOP of sixteen octets": {"next_hop": wire.attribute(0x40, 3, b"\x20" * 16)},
    "7.3 NEXT_HOP 0.0.0.0": {"next_hop": wire.next_hop("0.0.0.0")},
    "7.3 NEXT_HOP in 0/8": {"next_hop": wire.next_hop("0.1.2.3")},
    "7.3 NEXT_HOP in 127/8": {"next_hop": wire.next_hop("127.0.0.1")},
    "7.3 a multicast NEXT_HOP": {"next_hop": wire.next_hop("224.0.0.1")},
    "7.3 a class E NEXT_HOP": {"next_hop": wire.next_hop("240.0.0.1")},
    "7.3 a broadcast NEXT_HOP": {"next_hop": wire.next_hop("255.255.255.255")},
    "our address as NEXT_HOP": {"next_hop": wire.next_hop(OUR_ADDRESS)},
    "7.4 MED of three octets": {"more": wire.attribute(0x80, 4, b"\0\0\1")},
    "7.4 MED of five octets": {"more": wire.attribute(0x80, 4, b"\0\0\0\0\1")},
    "7.5 LOCAL_PREF of two octets": {"local_pref": wire.attribute(0x40, 5, b"\0\x64")},
    "7.8 COMMUNITIES of no octets": {"more": wire.attribute(0xC0, 8)},
    "7.8 COMMUNITIES of five octets": {"more": wire.attribute(0xC0, 8, b"\0" * 5)},
    "7.9 ORIGINATOR_ID of three octets": {"more": wire.attribute(0x80, 9, b"\0\0\1")},
    "7.10 CLUSTER_LIST of no octets": {"more": wire.attribute(0x80, 10)},
    "7.10 CLUSTER_LIST of six octets": {"more": wire.attribute(0x80, 10, b"\1" * 6)},
    "7.14 EXTENDED_COMMUNITIES of none": {"more": wire.attribute(0xC0, 16)},
    "7.14 EXTENDED_COMMUNITIES of nine": {"more": wire.attribute(0xC0, 16, b"\0" * 9)},
    "7.15 IPv6 extended communities": {"more": wire.attribute(0xC0, 25, b"\0" * 19)},
    "8092 LARGE_COMMUNITIES of none": {"more": wire.attribute(0xC0, 32)},
    "8092 LARGE_COMMUNITIES of eleven": {"more": wire.attribute(0xC0, 32, b"\0" * 11)},
    "3 d ORIGIN is missing": {"origin": b""},
    "3 d AS_PATH is missing": {"as_path": b""},
    "3 d NEXT_HOP is missing": {"next_hop": b""},
    "4271 5.1.5 LOCAL_PREF is missing": {"local_pref": b""},
    "3 c ORIGIN is optional": {"origin": wire.attribute(0xC0, 1, b"\0")},
    "3 c AS_PATH is not transitive": {"as_path": wire.attribute(0x00, 2)},
    "3 c NEXT_HOP is optional": {"next_hop": wire.attribute(0xC0, 3, b"\x0a\0\0\1")},
    "3 c MED is transitive": {"more": wire.attribute(0xC0, 4, b"\0\0\0\1")},
    "3 c MED is well-known": {"more": wire.attribute(0x40, 4, b"\0\0\0\1")},
    "3 c LOCAL_PREF is optional": {"local_pref": wire.attribute(0x80, 5, b"\0\0\0\1")},
    "3 c ATOMIC_AGGREGATE is optional": {"more": wire.attribute(0xC0, 6)},
    "3 c AGGREGATOR is well-known": {"more": wire.attribute(0x40, 7, b"\0\0\0\1\x0a\0\0\1")},
    "3 c COMMUNITIES are not transitive": {"more": wire.attribute(0x80, 8, b"\0\0\0\1")},
    "3 c ORIGINATOR_ID is transitive": {"more": wire.attribute(0xC0, 9, b"\x0a\0\0\1")},
    "3 c CLUSTER_LIST is transitive": {"more": wire.attribute(0xC0, 10, b"\x0a\0\0\1")},
    "3 c LARGE_COMMUNITIES": {"more": wire.attribute(0x80, 32, b"\0" * 12)},
    "4 an attribute overrun": {"more": b"\xc0\x63\x09\0"},
    "4 an extended attribute overrun": {"more": b"\xd0\x63\xff\xff\0"},
    "4 a header of one octet": {"more": b"\xc0"},
    "4 a header of two octets": {"more": b"\xc0\x63"},
    "4 an extended header of three octets": {"more": b"\xd0\x63\0"},
}


@pytest.mark.rfc(
    "7606",
    "2 withdraw",
    "3 c",
    "3 d",
    "3 e",
    "4",
    "4 zero",
    "7.1",
    "7.2",
    "7.3",
    "7.4",
    "7.5",
    "7.8",
    "7.9",
    "7.10",
    "7.14",
    "7.15",
)
@pytest.mark.rfc("7607", "2 AS_PATH")
@pytest.mark.rfc("8092", "6")
@pytest.mark.rfc("5065", "5")
@pytest.mark.rfc("4271", "6.3 next hop")
@pytest.mark.parametrize("replaced", WITHDRAWN.values(), ids=WITHDRAWN)
def test_a_malformed_attribute_withdraws_the_route(
    scene: Scene, replaced: dict[str, bytes]
) -> None:
    """RFC 7606 2, treat-as-withdraw: the route that was there is gone, the session stays."""
    classroom, source, other = scene
    classroom.send(source, wire.announce(PREFIX, attributes=wire.usual(**replaced)))
    assert other.prefixes == {PREFIX6}
    assert last(classroom) is Action.WITHDRAW
    classroom.send(source, wire.announce(PREFIX))
    assert other.prefixes == {PREFIX, PREFIX6}


NOT_IPV4 = ("NEXT_HOP", "our address")


@pytest.mark.rfc("7606", "2 withdraw")
@pytest.mark.parametrize(
    "name", [name for name in WITHDRAWN if not any(each in name for each in NOT_IPV4)]
)
def test_a_malformed_attribute_withdraws_ipv6_routes_too(scene: Scene, name: str) -> None:
    """RFC 7606 2: treat-as-withdraw concerns all routes of the UPDATE, those in MP_REACH_NLRI too."""
    classroom, source, other = scene
    attributes = wire.usual(**{"next_hop": b"", **WITHDRAWN[name]})
    classroom.send(source, wire.announce6(PREFIX6, attributes=attributes))
    assert other.prefixes == {PREFIX}


@pytest.mark.rfc("4271", "6.3 next hop")
@pytest.mark.parametrize(
    "hop", ["::", "::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:0.0.0.0", "::ffff:224.0.0.1"]
)
def test_an_unusable_ipv6_next_hop_withdraws_the_route(scene: Scene, hop: str) -> None:
    """RFC 7606 7.3 by analogy: the attribute is readable, its next hop is no host."""
    classroom, source, other = scene
    classroom.send(source, wire.announce6(PREFIX6, via=hop))
    assert other.prefixes == {PREFIX}
    [(_, finding)] = classroom.findings
    assert finding.reason == f"the next hop {hop} is no host's address (RFC 4271 6.3)"


@pytest.mark.rfc("7606", "3 c")
@pytest.mark.parametrize("flags", [0x40, 0xC0, 0x00])
def test_mp_reach_with_wrong_flags_withdraws_the_route(scene: Scene, flags: int) -> None:
    """RFC 7606 3 c: conflicting flags are malformed, and the routes can still be located."""
    classroom, source, other = scene
    value = b"\0\2\1\x10" + b"\x20\1" * 8 + b"\0" + wire.prefix(PREFIX6)
    reach = wire.attribute(flags, 14, value)
    classroom.send(source, wire.update_body(attributes=reach + wire.usual(next_hop=b"")))
    assert other.prefixes == {PREFIX}


@pytest.mark.rfc("7606", "3 c")
@pytest.mark.parametrize("flags", [0x40, 0xC0, 0x00])
def test_mp_unreach_with_wrong_flags_withdraws_all_routes_of_the_update(
    scene: Scene, flags: int
) -> None:
    """RFC 7606 2 and 3 c: what it names is withdrawn, and what is announced beside it too."""
    classroom, source, other = scene
    unreach = wire.attribute(flags, 15, wire.mp_unreach(wire.IPV6, wire.prefix(PREFIX6))[3:])
    reach = wire.mp_reach(wire.IPV6, "2001:db8::1", wire.prefix("2001:db8:2::/64"))
    classroom.send(source, wire.update_body(wire.prefix(PREFIX), reach + unreach + wire.usual()))
    assert other.prefixes == set()
    assert last(classroom) is Action.WITHDRAW


@pytest.mark.rfc("7606", "3 c")
@pytest.mark.parametrize("flags", [0x40, 0xC0, 0x00])
def test_mp_unreach_with_wrong_flags_alone_withdraws_what_it_names(
    scene: Scene, flags: int
) -> None:
    """RFC 7606 3 c: treated as withdrawn, which is what it says; but no End-of-RIB."""
    classroom, source, other = scene
    head = wire.mp_unreach(wire.IPV6, b"")[3:]
    classroom.send(source, wire.update_body(attributes=wire.attribute(flags, 15, head)))
    assert source.peer.end_of_rib == set()
    unreach = wire.attribute(flags, 15, head + wire.prefix(PREFIX6))
    classroom.send(source, wire.update_body(attributes=unreach))
    assert other.prefixes == {PREFIX}
    assert [finding.action for _, finding in classroom.findings] == [Action.WITHDRAW] * 2


@pytest.mark.rfc("7606", "2 withdraw", "3 c")
def test_mp_reach_with_wrong_flags_withdraws_the_ipv4_routes_beside_it(scene: Scene) -> None:
    """RFC 7606 2: all routes of the UPDATE, wherever they stand."""
    classroom, source, other = scene
    value = b"\0\2\1\x10" + b"\x20\1" * 8 + b"\0" + wire.prefix(PREFIX6)
    reach = wire.attribute(0xC0, 14, value)
    classroom.send(source, wire.update_body(wire.prefix(PREFIX), reach + wire.usual()))
    assert other.prefixes == set()


@pytest.mark.rfc("7606", "2 withdraw")
def test_every_route_of_a_malformed_update_is_withdrawn(scene: Scene) -> None:
    """RFC 7606 2: all routes that the UPDATE holds, and no others."""
    classroom, source, other = scene
    classroom.send(source, wire.announce("10.2.0.0/24", "10.3.0.0/24", "10.4.0.0/24"))
    bad = wire.usual(origin=wire.origin(9))
    classroom.send(source, wire.announce(PREFIX, "10.2.0.0/24", "10.9.0.0/24", attributes=bad))
    assert other.prefixes == {PREFIX6, "10.3.0.0/24", "10.4.0.0/24"}


@pytest.mark.rfc("7606", "2 withdraw")
def test_withdrawals_beside_malformed_attributes_count(scene: Scene) -> None:
    """RFC 7606 2: treat-as-withdraw adds to the routes withdrawn in the same UPDATE."""
    classroom, source, other = scene
    classroom.send(source, wire.announce("10.2.0.0/24"))
    body = wire.update_body(
        wire.prefix(PREFIX), wire.usual(origin=wire.origin(9)), wire.prefix("10.2.0.0/24")
    )
    classroom.send(source, body)
    assert other.prefixes == {PREFIX6}


@pytest.mark.rfc("7606", "3 h")
def test_the_strongest_error_wins(scene: Scene) -> None:
    """RFC 7606 3 h: treat-as-withdraw over attribute discard, in whichever order."""
    classroom, source, other = scene
    more = wire.attribute(0x40, 6, b"\0") + wire.attribute(0x80, 10, b"\1")
    classroom.send(source, wire.announce(PREFIX, attributes=wire.usual(more=more)))
    assert other.prefixes == {PREFIX6}


@pytest.mark.rfc("7606", "2 withdraw")
def test_another_peers_route_takes_the_place_of_a_malformed_one(scene: Scene) -> None:
    """RFC 7606 2: as if it had been withdrawn, so the decision process runs again."""
    classroom, source, other = scene
    third = classroom.join("third", "10.0.0.3")
    classroom.send(
        third, wire.announce(PREFIX, attributes=wire.usual(local_pref=wire.local_pref(1)))
    )
    classroom.send(source, wire.announce(PREFIX, attributes=wire.usual(origin=wire.origin(9))))
    assert other.route(PREFIX)[5] == b"\0\0\0\1"


# What costs only the attribute.

DISCARDED = {
    "7.6 ATOMIC_AGGREGATE of one octet": (6, wire.attribute(0x40, 6, b"\0")),
    "7.7 AGGREGATOR of seven octets": (7, wire.attribute(0xC0, 7, b"\0" * 7)),
    "7.7 AGGREGATOR of six octets": (7, wire.attribute(0xC0, 7, b"\0\1\x0a\0\0\1")),
    "7607 AGGREGATOR of AS 0": (7, wire.attribute(0xC0, 7, b"\0\0\0\0\x0a\0\0\1")),
    "6793 AS4_PATH from a new speaker": (17, wire.attribute(0xC0, 17, wire.sequence(1))),
    "6793 AS4_AGGREGATOR from a new speaker": (18, wire.attribute(0xC0, 18, b"\1" * 8)),
}


@pytest.mark.rfc("7606", "2 discard", "3 f", "7.6", "7.7")
@pytest.mark.rfc("7607", "2 AGGREGATOR")
@pytest.mark.rfc("6793", "6 new")
@pytest.mark.parametrize(("code", "attribute"), DISCARDED.values(), ids=DISCARDED)
def test_a_malformed_minor_attribute_is_discarded(
    scene: Scene, code: int, attribute: bytes
) -> None:
    """RFC 7606 2, attribute discard: the route stays without it."""
    classroom, source, other = scene
    new = "10.2.0.0/24"
    classroom.send(source, wire.announce(PREFIX, new, attributes=wire.usual(more=attribute)))
    assert other.prefixes == {PREFIX, PREFIX6, new}
    assert code not in other.route(new)
    assert code not in other.route(PREFIX)
    assert last(classroom) is Action.DISCARD


@pytest.mark.rfc("7606", "3 g twice")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (wire.med(7), wire.med(8)),
        (wire.med(7), wire.attribute(0x80, 4, b"\0")),
        (wire.communities(7), wire.communities(0xFFFFFF02)),
        (wire.attribute(0xC0, 99, b"one"), wire.attribute(0xC0, 99, b"two")),
    ],
)
def test_of_duplicate_attributes_the_first_counts(
    scene: Scene, first: bytes, second: bytes
) -> None:
    """RFC 7606 3 g: all occurrences but the first are discarded, and the UPDATE is processed."""
    classroom, source, other = scene
    attributes = wire.usual(first=first, second=second)
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert other.route(PREFIX)[first[1]] == first[3:]
    assert last(classroom) is Action.DISCARD


@pytest.mark.rfc("7606", "3 g twice")
def test_a_duplicate_may_stand_anywhere(scene: Scene) -> None:
    """RFC 7606 3 g: not only beside the first."""
    classroom, source, other = scene
    attributes = wire.med(7) + wire.usual() + wire.med(8) + wire.origin(1)
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert other.route(PREFIX)[4] == b"\0\0\0\7"
    assert other.route(PREFIX)[1] == b"\0"


# What costs the session.


def reset(scene: Scene, body: bytes) -> tuple[int, int, bytes]:
    """Have the source send an UPDATE that costs its session; return the NOTIFICATION for it."""
    classroom, source, other = scene
    with pytest.raises(SessionError) as error:
        classroom.send(source, body)
    classroom.turn()
    assert other.prefixes == {PREFIX, PREFIX6}, "the UPDATE is not used, also not in part"
    assert error.value.reason
    return int(error.value.code), error.value.subcode, error.value.data


@pytest.mark.rfc("7606", "3 b")
@pytest.mark.rfc("4271", "6.3 lengths")
@pytest.mark.parametrize(
    "body",
    [
        b"\0\1\0\0",
        b"\0\5\0\0",
        b"\xff\xff\0\0",
        b"\0\0\0\1",
        b"\0\0\xff\xff",
        b"\0\1\x20\0",
        b"\0\2\0\0\0",
        wire.announce(PREFIX)[:20],
    ],
)
def test_lengths_that_exceed_the_message_reset_the_session(scene: Scene, body: bytes) -> None:
    """RFC 4271 6.3 and RFC 7606 3 b: Malformed Attribute List."""
    assert reset(scene, body) == (3, 1, b"")


@pytest.mark.rfc("7606", "3 i", "3 j", "5.3")
@pytest.mark.rfc("4271", "6.3 NLRI")
@pytest.mark.parametrize(
    "nlri", [b"\x21\x0a\0\0\0\0", b"\xff", b"\x18\x0a\1", b"\x18\x0a\1\0\x18", b"\x20\x0a\0\0"]
)
def test_ipv4_prefixes_that_can_not_be_parsed_reset_the_session(scene: Scene, nlri: bytes) -> None:
    """RFC 7606 5.3 and RFC 4271 6.3: Invalid Network Field, announced or withdrawn."""
    assert reset(scene, wire.update_body(nlri, wire.usual())) == (3, 10, b"")
    assert reset(scene, wire.update_body(withdrawn=nlri)) == (3, 10, b"")


@pytest.mark.rfc("7606", "5.3")
@pytest.mark.rfc("4760", "5", "7")
@pytest.mark.parametrize("nlri", [b"\x81" + b"\0" * 17, b"\x40\x20\1", b"\x40"])
def test_ipv6_prefixes_that_can_not_be_parsed_reset_the_session(scene: Scene, nlri: bytes) -> None:
    """RFC 7606 5.3, and RFC 4760 7: in MP_REACH_NLRI and MP_UNREACH_NLRI it is 3/9, with them as data."""
    reach = wire.mp_reach(wire.IPV6, "2001:db8::1", nlri)
    body = wire.update_body(attributes=wire.usual(next_hop=b"") + reach)
    assert reset(scene, body) == (3, 9, reach)
    unreach = wire.mp_unreach(wire.IPV6, nlri)
    assert reset(scene, wire.update_body(attributes=unreach)) == (3, 9, unreach)


@pytest.mark.rfc("7606", "7.11")
@pytest.mark.rfc("4760", "7")
@pytest.mark.parametrize("size", [0, 1, 4, 12, 15, 17, 24, 31, 33, 48, 255])
def test_a_next_hop_of_a_wrong_length_in_mp_reach_resets_the_session(
    scene: Scene, size: int
) -> None:
    """RFC 7606 7.11: the routes can't be located behind it."""
    reach = wire.mp_reach(wire.IPV6, b"\x20" * size, wire.prefix(PREFIX6))
    code, subcode, data = reset(scene, wire.update_body(attributes=reach + wire.usual()))
    assert (code, subcode) == (3, 9)
    assert data == reach


@pytest.mark.rfc("7606", "7.11")
@pytest.mark.rfc("4760", "7")
@pytest.mark.parametrize("cut", [0, 1, 2, 3, 4, 10, 20])
def test_a_cut_off_mp_reach_resets_the_session(scene: Scene, cut: int) -> None:
    """RFC 7606 5.3 and 7.11: not even the family, next hop and reserved octet are there."""
    value = wire.mp_reach(wire.IPV6, "2001:db8::1", b"")[3:]
    reach = wire.attribute(0x80, 14, value[:cut])
    body = wire.update_body(attributes=reach + wire.usual(next_hop=b""))
    assert reset(scene, body) == (3, 9, reach)


@pytest.mark.rfc("4271", "6.3 data")
@pytest.mark.parametrize("flags", [0x90, 0xB0, 0x8F])
@pytest.mark.parametrize(("code", "value"), [(14, b"\0\2\1\0"), (15, b"\0\2")])
def test_the_data_of_a_reset_is_the_attribute_as_it_came(
    scene: Scene, flags: int, code: int, value: bytes
) -> None:
    """RFC 4271 6.3: the erroneous attribute, its flags and the form of its length included."""
    attribute = wire.attribute(flags, code, value)
    body = wire.update_body(attributes=attribute + wire.usual(next_hop=b""))
    assert reset(scene, body) == (3, 9, attribute)


@pytest.mark.rfc("7606", "7.12")
@pytest.mark.rfc("4760", "7")
@pytest.mark.parametrize("value", [b"", b"\0", b"\0\2"])
def test_a_cut_off_mp_unreach_resets_the_session(scene: Scene, value: bytes) -> None:
    """RFC 7606 7.12: not even the family is there."""
    unreach = wire.attribute(0x80, 15, value)
    assert reset(scene, wire.update_body(attributes=unreach)) == (3, 9, unreach)


@pytest.mark.rfc("7606", "3 j")
@pytest.mark.parametrize("code", [14, 15])
@pytest.mark.parametrize("nlri", [b"", wire.prefix(PREFIX)])
def test_a_multiprotocol_attribute_overrun_resets_the_session(
    scene: Scene, code: int, nlri: bytes
) -> None:
    """RFC 7606 3 j and 4: its routes can't be located, so treat-as-withdraw would not do."""
    overrun = bytes((0x80, code, 40)) + b"\0\2\1"
    body = wire.update_body(nlri, wire.usual() + overrun)
    assert reset(scene, body) == (3, 5, overrun)


@pytest.mark.rfc("7606", "3 g multiprotocol")
@pytest.mark.parametrize(
    "double",
    [
        wire.mp_reach(wire.IPV6, "2001:db8::1", wire.prefix(PREFIX6)),
        wire.mp_unreach(wire.IPV6, wire.prefix(PREFIX6)),
    ],
)
def test_a_second_multiprotocol_attribute_resets_the_session(scene: Scene, double: bytes) -> None:
    """RFC 7606 3 g: Malformed Attribute List."""
    body = wire.update_body(attributes=double + wire.usual(next_hop=b"") + double)
    assert reset(scene, body) == (3, 1, b"")


@pytest.mark.rfc("4271", "6.3 well-known")
@pytest.mark.parametrize("code", [11, 63, 99, 254])
def test_an_unknown_well_known_attribute_resets_the_session(scene: Scene, code: int) -> None:
    """RFC 4271 6.3: Unrecognized Well-known Attribute, with the attribute as data."""
    strange = wire.attribute(0x40, code, b"abc")
    body = wire.announce(PREFIX, attributes=wire.usual(strange=strange))
    assert reset(scene, body) == (3, 2, strange)


MALFORMED = [name for name in WITHDRAWN if "missing" not in name and "NEXT_HOP" not in name]


@pytest.mark.rfc("7606", "5.2")
@pytest.mark.parametrize("name", MALFORMED)
@pytest.mark.parametrize(
    "wrap",
    [
        lambda attributes: wire.update_body(attributes=attributes),
        lambda attributes: wire.update_body(
            attributes=wire.mp_unreach(wire.IPV6, wire.prefix(PREFIX6)) + attributes
        ),
        lambda attributes: wire.update_body(withdrawn=wire.prefix(PREFIX), attributes=attributes),
    ],
    ids=["nothing", "MP_UNREACH_NLRI", "withdrawn routes"],
)
def test_malformed_attributes_without_routes_reset_the_session(
    scene: Scene, name: str, wrap: Callable[[bytes], bytes]
) -> None:
    """RFC 7606 5.2: no route is there that could be withdrawn, and that can't be believed."""
    attributes = wire.usual(**WITHDRAWN[name])
    code, subcode, _ = reset(scene, wrap(attributes))
    assert (code, subcode in (1, 4, 5, 6, 9, 11)) == (3, True)


@pytest.mark.rfc("7606", "2 withdraw", "3 d")
def test_a_missing_next_hop_withdraws_the_ipv6_routes_beside_it_too(scene: Scene) -> None:
    """RFC 7606 3 d and 2: NEXT_HOP is mandatory with NLRI, and all contained routes go."""
    classroom, source, other = scene
    reach = wire.mp_reach(wire.IPV6, "2001:db8::1", wire.prefix(PREFIX6))
    attributes = reach + wire.usual(next_hop=b"")
    classroom.send(source, wire.update_body(wire.prefix(PREFIX), attributes))
    assert other.prefixes == set()


@pytest.mark.rfc("7606", "5.2")
@pytest.mark.rfc("4271", "6.3 data")
@pytest.mark.parametrize(
    ("subcode", "attribute", "said"),
    [
        (4, wire.attribute(0x80, 1, b"\0"), True),
        (4, wire.attribute(0x40, 8, b"\0\1\0\1"), True),
        (4, wire.attribute(0x40, 35, b"\0\0\0\1"), True),
        (5, wire.attribute(0x40, 1, b"\0\0"), True),
        (5, wire.attribute(0x90, 4, b"\0"), True),
        (5, wire.attribute(0xC0, 8, b"\0" * 6), True),
        (6, wire.attribute(0x40, 1, b"\3"), True),
        (9, wire.attribute(0xC0, 35, b"\0\1"), True),
        (11, wire.attribute(0x40, 2, b"\5\1\0\0\0\1"), False),
        (11, wire.attribute(0x40, 2, b"\2\1\0\0\0\0"), False),
        (1, b"\xc0\x08\x04\0", False),
    ],
)
def test_a_reset_for_want_of_routes_says_which_attribute_it_is(
    scene: Scene, subcode: int, attribute: bytes, said: object
) -> None:
    """RFC 4271 6.3: the subcode of what is wrong, with the attribute as it came where it is asked."""
    body = wire.update_body(attributes=attribute)
    assert reset(scene, body) == (3, subcode, attribute if said else b"")


FOREIGN = {
    22: b"\0" * 5,
    23: b"\0\x0f\0\4\1\2ab",
    26: b"\1\0\x0b" + b"\0" * 8,
    29: b"\4\2\0\0",
    33: b"\0\2",
    35: b"\0\0\0\1",
    40: b"\1\0\7" + b"\0" * 7,
    128: b"\0\0\0\1",
}


@pytest.mark.rfc("7606", "3 c")
@pytest.mark.parametrize("code", FOREIGN)
@pytest.mark.parametrize("flags", [0x00, 0x40, 0x80, 0xC0])
def test_wrong_flags_of_an_attribute_that_is_only_passed_on_withdraw_the_route(
    scene: Scene, code: int, flags: int
) -> None:
    """RFC 7606 3 c: known attributes that claim to be well-known aren't unrecognised ones."""
    classroom, source, other = scene
    right = flags == (0x80 if code in {26, 29, 33} else 0xC0)
    more = wire.attribute(flags, code, FOREIGN[code])
    classroom.send(source, wire.update_body(wire.prefix(PREFIX), wire.usual(more=more)))
    assert other.prefixes == ({PREFIX, PREFIX6} if right else {PREFIX6})


@pytest.mark.rfc("6793", "6 new")
@pytest.mark.parametrize("code", [17, 18])
@pytest.mark.parametrize("flags", [0x00, 0x40, 0x80, 0xC0])
def test_as4_attributes_of_a_new_speaker_are_discarded_whatever_their_flags(
    scene: Scene, code: int, flags: int
) -> None:
    """RFC 6793 6: discarded, and the UPDATE is processed: they are no unrecognised well-known ones."""
    classroom, source, other = scene
    more = wire.attribute(flags, code, b"\2\1\0\1\0\0\0\0")
    classroom.send(source, wire.update_body(wire.prefix(PREFIX), wire.usual(more=more)))
    assert other.prefixes == {PREFIX, PREFIX6}


@pytest.mark.rfc("7606", "5.2")
@pytest.mark.parametrize(
    "attributes", [wire.usual(), wire.origin(), wire.usual(more=wire.attribute(0x40, 6, b"\0"))]
)
def test_attributes_without_routes_are_no_error_if_none_would_cost_a_route(
    scene: Scene, attributes: bytes
) -> None:
    """RFC 7606 5.2: attribute discard, or nothing wrong at all."""
    classroom, source, other = scene
    classroom.send(source, wire.update_body(attributes=attributes))
    assert other.prefixes == {PREFIX, PREFIX6}


# What is no error.


@pytest.mark.rfc("4271", "6.3 martian")
@pytest.mark.parametrize("prefix", ["224.0.0.0/4", "239.1.2.3/32", "240.0.0.0/8", "224.0.0.0/3"])
def test_prefixes_that_are_not_unicast_are_ignored(scene: Scene, prefix: str) -> None:
    """RFC 4271 6.3: semantically incorrect prefixes are ignored, the others are used."""
    classroom, source, other = scene
    classroom.send(source, wire.announce("10.2.0.0/24", prefix, "10.3.0.0/25"))
    assert other.prefixes == {PREFIX, PREFIX6, "10.2.0.0/24", "10.3.0.0/25"}
    classroom.send(source, wire.announce(prefix))
    assert prefix not in other.prefixes


@pytest.mark.rfc("4271", "6.3 martian")
@pytest.mark.parametrize("prefix", ["ff00::/8", "ff02::1/128", "fe80::/64", "fe80::/10"])
def test_ipv6_prefixes_that_are_not_unicast_are_ignored(scene: Scene, prefix: str) -> None:
    """RFC 4271 6.3: the same."""
    classroom, source, other = scene
    classroom.send(source, wire.announce6("2001:db8:2::/64", prefix))
    assert other.prefixes == {PREFIX, PREFIX6, "2001:db8:2::/64"}


@pytest.mark.rfc("4271", "4.3 prefix")
def test_bits_beyond_the_prefix_mean_nothing(scene: Scene) -> None:
    """RFC 4271 4.3: trailing bits are irrelevant; 10.1.0.255/20 is 10.1.0.0/20."""
    classroom, source, other = scene
    classroom.send(source, wire.update_body(b"\x14\x0a\1\x0f", wire.usual()))
    assert "10.1.0.0/20" in other.prefixes
    classroom.send(source, wire.withdraw("10.1.0.0/20"))
    assert "10.1.0.0/20" not in other.prefixes


@pytest.mark.rfc("4271", "4.3 both")
def test_a_prefix_that_is_withdrawn_and_announced_is_announced(scene: Scene) -> None:
    """RFC 4271 4.3: as if the withdrawn routes did not contain it."""
    classroom, source, other = scene
    body = wire.update_body(wire.prefix(PREFIX), wire.usual(), wire.prefix(PREFIX))
    classroom.send(source, body)
    assert PREFIX in other.prefixes


@pytest.mark.rfc("4760", "6")
def test_a_family_that_was_not_negotiated_is_ignored() -> None:
    """RFC 4760 6: routes of a family that the session does not carry."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", families="ipv4")
    other = classroom.join("other", "10.0.0.2")
    attributes = wire.mp_reach(wire.IPV6, "2001:db8::1", wire.prefix(PREFIX6)) + wire.usual()
    classroom.send(source, wire.update_body(wire.prefix(PREFIX), attributes))
    classroom.send(source, wire.withdraw6(PREFIX6))
    assert other.prefixes == {PREFIX}


@pytest.mark.rfc("4760", "6")
def test_an_unknown_family_is_ignored(scene: Scene) -> None:
    """RFC 4760 6: the same, whatever its next hop looks like."""
    classroom, source, other = scene
    vpn = wire.mp_reach((1, 128), b"\0" * 12, b"\x70" + b"\0" * 14)
    classroom.send(source, wire.update_body(wire.prefix("10.2.0.0/24"), vpn + wire.usual()))
    classroom.send(source, wire.update_body(attributes=wire.mp_unreach((16388, 71), b"\1")))
    assert other.prefixes == {PREFIX, PREFIX6, "10.2.0.0/24"}


@pytest.mark.rfc("4271", "5 order")
def test_attributes_in_any_order_are_read(scene: Scene) -> None:
    """RFC 4271 5: a receiver must be prepared to handle them out of order."""
    classroom, source, other = scene
    attributes = (
        wire.communities(7)
        + wire.local_pref()
        + wire.mp_reach(wire.IPV6, "2001:db8::1", wire.prefix("2001:db8:2::/64"))
        + wire.next_hop()
        + wire.as_path()
        + wire.origin()
    )
    classroom.send(source, wire.update_body(wire.prefix("10.2.0.0/24"), attributes))
    assert other.prefixes == {PREFIX, PREFIX6, "10.2.0.0/24", "2001:db8:2::/64"}


@pytest.mark.rfc("4271", "4.3 flags")
def test_the_low_bits_of_the_flags_mean_nothing(scene: Scene) -> None:
    """RFC 4271 4.3: they are ignored when received, and zero when sent."""
    classroom, source, other = scene
    attributes = wire.usual(
        origin=wire.attribute(0x4F, 1, b"\1"), more=wire.attribute(0xC5, 99, b"x")
    )
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert other.route(PREFIX)[1] == b"\1"
    assert other.route(PREFIX)[99] == b"x"


@pytest.mark.rfc("4271", "4.3 length")
def test_an_extended_length_may_be_used_where_it_is_not_needed(scene: Scene) -> None:
    """RFC 4271 4.3: it is the sender's choice up to 255 octets."""
    classroom, source, other = scene
    origin = wire.attribute(0x50, 1, b"\2")
    attributes = wire.usual(origin=origin, next_hop=wire.attribute(0x50, 3, b"\x0a\0\0\1"))
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert other.route(PREFIX)[1] == b"\2"


# Loops are not errors, but the routes are not used.

LOOPS = {
    "4271 9.1.2 our AS": {"as_path": wire.as_path(wire.sequence(65001, wire.ASN))},
    "4271 9.1.2 our AS in a set": {"as_path": wire.as_path(wire.as_set(65001, wire.ASN))},
    "4456 8 our id as ORIGINATOR_ID": {"more": wire.originator_id(ROUTER_ID)},
    "4456 8 our id in CLUSTER_LIST": {"more": wire.cluster_list("1.1.1.1", ROUTER_ID)},
}


@pytest.mark.rfc("4271", "9.1.2 loop")
@pytest.mark.rfc("4456", "8 own originator", "8 own cluster", "7")
@pytest.mark.parametrize("replaced", LOOPS.values(), ids=LOOPS)
def test_a_route_that_would_loop_is_not_used(scene: Scene, replaced: dict[str, bytes]) -> None:
    """RFC 4271 9.1.2 and RFC 4456 8: excluded, and what was there before is replaced by it."""
    classroom, source, other = scene
    classroom.send(source, wire.announce(PREFIX, attributes=wire.usual(**replaced)))
    assert other.prefixes == {PREFIX6}
    assert last(classroom) is Action.EXCLUDE


@pytest.mark.rfc("4456", "8 own cluster")
def test_our_cluster_id_across_two_others_is_no_loop(scene: Scene) -> None:
    """RFC 4456 8: CLUSTER_LIST holds ids of four octets, and is looked at as such."""
    classroom, source, other = scene
    straddling = wire.cluster_list("9.9.192.0", "2.254.9.9")
    classroom.send(source, wire.announce(PREFIX, attributes=wire.usual(more=straddling)))
    assert PREFIX in other.prefixes


@pytest.mark.rfc("8092", "3 duplicates")
def test_a_large_community_twice_is_one(scene: Scene) -> None:
    """RFC 8092 3: redundant values are removed silently; the Partial bit stays."""
    classroom, source, other = scene
    one, two = b"\0\0\0\1" * 3, b"\0\0\0\2" * 3
    large = wire.attribute(0xE0, 32, one + two + one)
    unknown = wire.attribute(0xE0, 99, b"x")
    attributes = wire.usual(more=wire.communities(7) + large + unknown)
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    route = other.route(PREFIX)
    assert dict(route.attributes)[32] == Attribute(0xE0, one + two)
    assert (route[8], route[99]) == (b"\0\0\0\7", b"x")
    assert classroom.findings == []


SHAPELESS = {
    "PMSI_TUNNEL of 4 octets": (22, b"\0\6\0\0"),
    "TUNNEL_ENCAPSULATION cut off in a tunnel": (23, b"\0\x08\0\x05\x01\0"),
    "TUNNEL_ENCAPSULATION cut off in its head": (23, b"\0\x08\0"),
    "TUNNEL_ENCAPSULATION whose sub-TLV runs over": (23, b"\0\x08\0\x03\x01\x05\0"),
    "TUNNEL_ENCAPSULATION whose long sub-TLV runs over": (23, b"\0\x08\0\x03\x80\x00\x05"),
    "ONLY_TO_CUSTOMER of 3 octets": (35, b"\0\0\1"),
    "ATTR_SET of 3 octets": (128, b"\0\0\1"),
    "ATTR_SET whose attribute runs over": (128, b"\0\0\0\1\x40\1\2\0"),
    "ATTR_SET whose last header is cut off": (128, b"\0\0\0\1\x40"),
    "AIGP that is transitive": (26, b"\1\0\x0b" + bytes(8)),
    "BGPsec_PATH that is transitive": (33, b"\0\2"),
}


@pytest.mark.rfc("7606", "2 withdraw", "7.13")
@pytest.mark.parametrize(("code", "value"), SHAPELESS.values(), ids=SHAPELESS)
def test_what_is_not_used_is_not_passed_on_malformed(scene: Scene, code: int, value: bytes) -> None:
    """RFC 7606 1: attributes that nobody on the way knows harm whoever does; a client here."""
    classroom, source, other = scene
    attributes = wire.usual(more=wire.attribute(0xC0, code, value))
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert other.prefixes == {PREFIX6}
    assert last(classroom) is Action.WITHDRAW


@pytest.mark.parametrize(
    "value", [b"\1", b"\1\0\x40\0", b"\1\0\6" + bytes(6), b"\3\0\1\0", b"\3\0\7" + bytes(7)]
)
def test_a_malformed_prefix_sid_is_discarded(scene: Scene, value: bytes) -> None:
    """RFC 8669 6: attribute discard, and not advertised to others."""
    classroom, source, other = scene
    attributes = wire.usual(more=wire.attribute(0xC0, 40, value))
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert 40 not in other.route(PREFIX)
    assert last(classroom) is Action.DISCARD


SHAPELY = {
    "PMSI_TUNNEL": (22, b"\0\6\0\0\0\x0a\0\0\1"),
    "TUNNEL_ENCAPSULATION": (23, b"\0\x08\0\x0a\x01\2\0\0\x80\0\3abc"),
    "an empty TUNNEL_ENCAPSULATION": (23, b""),
    "ONLY_TO_CUSTOMER": (35, b"\0\0\xfd\xe9"),
    "PREFIX_SID": (40, b"\1\0\7" + bytes(7) + b"\3\0\x08" + bytes(8) + b"\5\0\0"),
    "ATTR_SET": (128, b"\0\0\0\1\x40\1\1\0\x50\2\0\0"),
}


@pytest.mark.rfc("4271", "5 unknown transitive")
@pytest.mark.parametrize(("code", "value"), SHAPELY.values(), ids=SHAPELY)
def test_what_is_not_used_is_passed_on_well_formed(scene: Scene, code: int, value: bytes) -> None:
    """RFC 4271 5: as it came, with the Partial bit."""
    classroom, source, other = scene
    attributes = wire.usual(more=wire.attribute(0xC0, code, value))
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert dict(other.route(PREFIX).attributes)[code] == Attribute(0xE0, value)
    assert classroom.findings == []
