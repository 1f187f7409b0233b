"""Messages in words, field by field."""

from __future__ import annotations

import pytest

from reflector.bgp.capability_words import capability_name, explain_capability
from reflector.bgp.words import read_message
from tests.support import wire


@pytest.mark.parametrize(
    ("code", "value", "name", "says"),
    [
        (1, b"\0\1\0\1", "multiprotocol", "it exchanges IPv4 unicast routes"),
        (1, b"\0\x19\0\x46", "multiprotocol", "it exchanges L2VPN EVPN routes"),
        (1, b"\x12\x34\0\x63", "multiprotocol", "it exchanges AFI/SAFI 4660/99 routes"),
        (1, b"\0\1", "multiprotocol", ""),
        (2, b"", "route refresh", "it can be asked to announce its routes again"),
        (
            5,
            b"\0\1\0\1\0\2",
            "extended next hop",
            "it takes IPv4 unicast routes with an IPv6 next hop",
        ),
        (9, b"\3", "role", "it is the customer in this session"),
        (9, b"\x63", "role", ""),
        (
            64,
            b"\xc0\x5a\0\1\1\x80\0\2\1\0",
            "graceful restart",
            (
                "others are asked to keep its routes for 90 s when its session breaks off, it has just "
                "restarted, NOTIFICATIONs don't end that (RFC 8538), IPv4 unicast (went on forwarding), "
                "IPv6 unicast"
            ),
        ),
        (
            65,
            b"\0\1\0\0",
            "four-octet AS",
            "it is in AS 65536 and writes AS numbers with four octets",
        ),
        (
            69,
            b"\0\1\1\3\0\2\1\1",
            "add-path",
            (
                "it sends and receives several paths for each IPv4 unicast prefix, "
                "it receives several paths for each IPv6 unicast prefix"
            ),
        ),
        (69, b"\0\1\1", "add-path", ""),
        (
            71,
            b"\0\1\1\x80\0\x0e\x10",
            "long-lived graceful restart",
            (
                "after that its routes are to be kept as a last resort: IPv4 unicast for 3600 s "
                "(went on forwarding)"
            ),
        ),
        (73, b"\4node\3lab", "FQDN", "it is called node in the domain lab"),
        (73, b"\4n\x1bde\0", "FQDN", "it is called n?de"),
        (75, b"\3abc", "software version", "it runs abc"),
        (99, b"\1", "capability 99", ""),
    ],
)
def test_each_capability_is_explained(code: int, value: bytes, name: str, says: str) -> None:
    assert capability_name(code) == name
    assert explain_capability(code, value) == says


def test_an_open_has_its_capabilities_one_by_one() -> None:
    details = read_message(wire.OPEN, wire.open_body(), as4=True).details
    assert details["router_id"] == "10.0.0.1"
    assert details["hold_time_s"] == 90
    assert [each["code"] for each in details["capabilities"]] == [1, 1, 2, 65]
    assert details["capabilities"][0]["value_hex"] == "00010001"


def test_an_update_has_its_routes_and_attributes() -> None:
    words = read_message(
        wire.UPDATE,
        wire.announce("10.1.0.0/24", "10.2.0.0/24"),
        as4=True,
    )
    assert words.says == (
        "announces 10.1.0.0/24, 10.2.0.0/24 via 10.0.0.1, origin igp, local_pref 100"
    )
    [announced] = words.details["announced"]
    assert announced == {
        "family": "ipv4",
        "next_hop": "10.0.0.1",
        "prefixes": ["10.1.0.0/24", "10.2.0.0/24"],
        "count": 2,
    }
    assert {"code": 1, "name": "origin", "flags": ["transitive"], "value": "igp"} in (
        words.details["attributes"]
    )


def test_ipv6_routes_have_their_next_hop() -> None:
    words = read_message(wire.UPDATE, wire.announce6("2001:db8::/32"), as4=True)
    [announced] = words.details["announced"]
    assert announced["prefixes"] == ["2001:db8::/32"]
    assert announced["next_hop"] in words.says


def test_many_prefixes_are_counted() -> None:
    prefixes = [f"10.{n >> 8}.{n & 255}.0/24" for n in range(500)]
    [withdrawn] = read_message(wire.UPDATE, wire.withdraw(*prefixes), as4=True).details["withdrawn"]
    assert withdrawn["count"] == 500
    assert withdrawn["prefixes"] == prefixes[:100]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"\0\0\0\0", "End-of-RIB ipv4"),
        (b"\0\0\0\6\x80\x0f\3\0\2\1", "End-of-RIB ipv6"),
        (b"\0\0\0\6\x80\x0f\3\0\x19\x46", "no routes"),
        (wire.announce("10.1.0.0/24", attributes=wire.attribute(0x40, 1, b"\x09")), "origin 0x09"),
        (
            wire.announce("10.1.0.0/24", attributes=wire.attribute(0xC0, 200, b"ab")),
            "attribute 200 0x6162",
        ),
        (wire.announce("10.1.0.0/24", attributes=b"\x40\x02\x50"), "cut off 0x400250"),
    ],
)
def test_what_is_unusual_is_shown_as_it_came(body: bytes, says: str) -> None:
    assert read_message(wire.UPDATE, body, as4=True).says.endswith(says)


def test_two_octet_as_numbers_are_read_as_such() -> None:
    block = wire.origin() + wire.as_path(wire.sequence(64512, 64513, width=2))
    body = wire.announce("10.1.0.0/24", attributes=block)
    assert "as_path 64512 64513" in read_message(wire.UPDATE, body, as4=False).says


def test_a_notification_says_what_it_means() -> None:
    words = read_message(wire.NOTIFICATION, b"\x02\x02", as4=True)
    assert words.details["means"] == "the sender expects another AS number on the other side"
    words = read_message(wire.NOTIFICATION, b"\x03\x0b", as4=True)
    assert words.details["means"] == "the sender could not accept an UPDATE that it received"
    assert read_message(wire.NOTIFICATION, b"\x63\x01", as4=True).details["means"] == ""


def test_what_is_malformed_says_why() -> None:
    words = read_message(wire.OPEN, b"\4\xfc\0\0\x5a\x0a\0\0\1\5\2", as4=True)
    assert "optional parameters of 5 octets, 1 present" in words.fault
    assert words.details == {"octets_hex": "04fc00005a0a0000010502"}
