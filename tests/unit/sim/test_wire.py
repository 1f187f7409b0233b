"""UPDATEs that a simulated peer writes, read by the tests' strict reader; and what it reads."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_network

import pytest

from reflector.bgp.errors import SessionError
from reflector.bgp.vocabulary import FAMILIES, WELL_KNOWN_COMMUNITIES, AttributeCode
from reflector.config.policy_kinds import COMMUNITY
from reflector.sim.route import RawAttribute, Route, differences, require_known
from reflector.sim.wire import read, write_routes, write_withdrawal
from tests.support import wire
from tests.support.strict_reader import read_update, split_messages

FULL = Route(
    prefix="10.1.0.0/24",
    next_hop="10.0.0.1",
    origin="egp",
    as_path=(65001, 65002, frozenset({65003, 4_200_000_000})),
    local_pref=200,
    med=7,
    communities=("64512:1", "no-export"),
    large_communities=("64512:1:2",),
    originator_id="10.0.0.9",
    cluster_list=("192.0.2.1", "192.0.2.2"),
)


def bodies(messages: bytes) -> list[bytes]:
    found = split_messages(messages)
    assert {kind for kind, _ in found} == {wire.UPDATE}
    return [body for _, body in found]


def test_a_route_with_everything_is_read_as_it_was_written() -> None:
    (body,) = bodies(write_routes([FULL], as4=True))
    assert read(body, as4=True).routes == [FULL]
    assert read_update(body).announced.keys() == {ip_network("10.1.0.0/24")}


@pytest.mark.parametrize(("name", "packed"), WELL_KNOWN_COMMUNITIES.items())
def test_a_well_known_community_goes_and_comes_by_its_name(name: str, packed: bytes) -> None:
    """And by the same one as in the configuration."""
    (body,) = bodies(write_routes([replace(FULL, communities=(name,))], as4=True))
    (route,) = read(body, as4=True).routes
    assert route.communities == (name,)
    assert route.raw[AttributeCode.COMMUNITIES].value == packed
    assert COMMUNITY.read(name) == (AttributeCode.COMMUNITIES, packed)


@pytest.mark.parametrize(
    ("prefix", "next_hop"),
    [
        ("10.1.0.0/24", "2001:db8::1"),
        ("10.1.0.0/24", "10.0.0.1 10.0.0.2"),
        ("2001:db8:1::/64", "10.0.0.1"),
        ("2001:db8:1::/64", "2001:db8::1 fe80::1 fe80::2"),
    ],
)
def test_a_next_hop_is_of_its_routes_family(prefix: str, next_hop: str) -> None:
    with pytest.raises(ValueError, match=r"is no next hop of an ipv[46] route"):
        write_routes([Route(prefix=prefix, next_hop=next_hop)], as4=True)


def test_a_two_octet_session_keeps_large_as_numbers_in_as4_path() -> None:
    """RFC 6793 4.2.2."""
    (body,) = bodies(write_routes([FULL], as4=False))
    assert read_update(body, as4=False).announced
    assert read(body, as4=False).routes == [FULL]


def test_ipv6_travels_in_mp_reach_nlri() -> None:
    route = Route(prefix="2001:db8:1::/64", next_hop="2001:db8::1", origin="igp", local_pref=100)
    (body,) = bodies(write_routes([route], as4=True))
    assert read(body, as4=True).routes == [route]
    assert str(read_update(body).announced[ip_network(route.prefix)].next_hop) == "2001:db8::1"


def test_routes_with_the_same_attributes_share_a_message() -> None:
    routes = [
        Route(prefix=f"10.1.{number}.0/24", next_hop="10.0.0.1", local_pref=100)
        for number in range(200)
    ]
    other = Route(prefix="10.2.0.0/24", next_hop="10.0.0.2", local_pref=100)
    assert len(bodies(write_routes([*routes, other], as4=True))) == 2


def test_raw_attributes_are_added_and_replace_those_of_the_fields() -> None:
    raw = {
        1: RawAttribute(0x40, 1, b"\x07"),
        99: RawAttribute(0xC0, 99, b"anything"),
    }
    route = Route(prefix="10.1.0.0/24", next_hop="10.0.0.1", origin="igp", raw=raw)
    (body,) = bodies(write_routes([route], as4=True))
    (back,) = read(body, as4=True).routes
    assert back.origin is None  # 7 is none
    assert back.raw[99].value == b"anything"


def test_withdrawals_of_both_families() -> None:
    gone = [("10.1.0.0/24", None), ("2001:db8::/64", None)]
    first, second = bodies(write_withdrawal(gone))
    assert [*read(first, as4=True).withdrawn, *read(second, as4=True).withdrawn] == gone


def test_paths_have_identifiers_where_they_were_agreed_on() -> None:
    """RFC 7911 3, in the fields of both families."""
    both = frozenset(FAMILIES.values())
    routes = [
        Route(prefix=prefix, next_hop=hop, origin="igp", local_pref=100, path_id=path_id)
        for path_id in (0, 7, 0xFFFFFFFF)
        for prefix, hop in (("10.1.0.0/24", "10.0.0.1"), ("2001:db8:1::/64", "2001:db8::1"))
    ]
    found = []
    for body in bodies(write_routes(routes, as4=True)):
        found += read(body, as4=True, add_path=both).routes
        strict = read_update(body, add_path=frozenset({1, 2}))
        assert not strict.announced
        assert len(strict.paths) == 3
    assert sorted(found, key=str) == sorted(routes, key=str)
    gone = [(route.prefix, route.path_id) for route in routes]
    first, second = (
        read(body, as4=True, add_path=both).withdrawn for body in bodies(write_withdrawal(gone))
    )
    assert sorted([*first, *second], key=str) == sorted(gone, key=str)


def test_end_of_rib() -> None:
    """RFC 4724 2."""
    assert read(wire.update_body(), as4=True).end_of_rib == "ipv4"
    assert read(wire.withdraw6(), as4=True).end_of_rib == "ipv6"
    assert read(wire.announce("10.1.0.0/24"), as4=True).end_of_rib is None


@pytest.mark.parametrize("text", ["64512", "64512:1:2:3", "64512:x", "no-such", "70000:1"])
def test_what_is_no_community_is_refused(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        write_routes([Route(prefix="10.1.0.0/24", communities=(text,))], as4=True)


def test_attributes_that_outgrow_a_message_are_refused() -> None:
    raw = {99: RawAttribute(0xC0, 99, bytes(5000))}
    with pytest.raises(ValueError, match="leave no room"):
        write_routes([Route(prefix="10.1.0.0/24", next_hop="10.0.0.1", raw=raw)], as4=True)


@pytest.mark.parametrize(
    "attributes",
    [
        wire.usual(as_path=wire.attribute(wire.WELL_KNOWN, 2, b"\x02\x05\0")),
        wire.usual(more=wire.attribute(wire.OPTIONAL, 9, b"\x01")),
        wire.usual(more=wire.attribute(wire.BOTH, 8, b"\x01\x02\x03")),
        wire.usual(more=b"\xc0\x63\xff\x01"),
    ],
    ids=["AS_PATH", "ORIGINATOR_ID", "COMMUNITIES", "overrun"],
)
def test_what_cannot_be_read_is_an_error_of_the_session(attributes: bytes) -> None:
    with pytest.raises(SessionError):
        read(wire.announce("10.1.0.0/24", attributes=attributes), as4=True)


def test_differences_name_what_is_not_as_expected() -> None:
    assert differences(FULL, {"med": 7, "communities": ["64512:1", "no-export"]}) == []
    assert differences(FULL, {"med": 8, "as_path": ()}) == [
        "med is 7 and not 8",
        "as_path is 65001 65002 {65003,4200000000} and not empty",
    ]


def test_a_misspelt_attribute_is_named() -> None:
    require_known({"med": 7})
    with pytest.raises(
        TypeError, match="'nexthop' is no attribute of a route; there are next_hop,"
    ):
        require_known({"nexthop": "10.0.0.1"})  # type: ignore[typeddict-unknown-key]


EXTENDED = (
    *("rt:64512:1", "soo:64512:4000000000", "rt:10.0.0.1:7", "rt:4200000000:9"),
    "0x4004000000000001",
)


def test_extended_communities_are_read_as_they_were_written() -> None:
    route = replace(FULL, extended_communities=EXTENDED)
    (found,) = read(write_routes([route], as4=True)[19:], as4=True).routes
    assert found.extended_communities == EXTENDED


@pytest.mark.parametrize("text", ["rt:1", "x:1:1", "rt:a:1", "0x00", "rt:10.0.0.1:70000", "0xzz"])
def test_what_is_no_extended_community_is_refused(text: str) -> None:
    route = replace(FULL, extended_communities=(text,))
    with pytest.raises(ValueError, match="is no extended community: write rt:N:N"):
        write_routes([route], as4=True)
