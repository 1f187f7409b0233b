"""MP_REACH_NLRI and MP_UNREACH_NLRI, taken out of a block and put together."""

from ipaddress import ip_address

import pytest

from reflector.bgp.multiprotocol import (
    encode_reach,
    encode_unreach,
    take_apart,
    usable_next_hop,
)
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from tests.support import wire

NLRI = wire.prefixes("2001:db8::/32", "2001:db8:1::/48")
REACH = wire.mp_reach(wire.IPV6, "2001:db8::1", NLRI)
UNREACH = wire.mp_unreach(wire.IPV6, NLRI)
USUAL = wire.usual(next_hop=b"")


@pytest.mark.parametrize(
    "block",
    [REACH + UNREACH + USUAL, USUAL + REACH + UNREACH, REACH + USUAL + UNREACH],
    ids=["ahead", "behind", "around"],
)
def test_both_are_taken_out_wherever_they_stand(block: bytes) -> None:
    parts = take_apart(block)
    assert parts.plain == USUAL
    assert parts.reach is not None
    assert parts.reach.family is IPV6_UNICAST
    assert parts.reach.next_hop == ip_address("2001:db8::1").packed
    assert parts.reach.nlri == NLRI
    assert parts.reach.fault == ""
    assert parts.unreach is not None
    assert parts.unreach.family is IPV6_UNICAST
    assert parts.unreach.nlri == NLRI


def test_a_block_without_them_stays_as_it_is() -> None:
    assert take_apart(USUAL).plain == USUAL
    assert take_apart(b"").plain == b""


def test_an_overrun_by_another_attribute_is_left_for_the_judge() -> None:
    parts = take_apart(REACH + USUAL + b"\xc0\x63\x09x")
    assert parts.plain == USUAL + b"\xc0\x63\x09x"
    assert parts.reach is not None


@pytest.mark.parametrize("family", [(1, 2), (2, 128), (16388, 71), (0, 0)])
def test_an_unknown_family_has_no_routes(family: tuple[int, int]) -> None:
    reach = take_apart(wire.mp_reach(family, b"\1\2\3", b"whatever")).reach
    assert reach is not None
    assert (reach.family, reach.nlri) == (None, b"")


@pytest.mark.rfc("4760", "3")
@pytest.mark.parametrize("reserved", [0, 1, 255])
def test_the_reserved_octet_is_ignored(reserved: int) -> None:
    value = b"\0\2\1\x10" + b"\x20" * 16 + bytes((reserved,)) + NLRI
    reach = take_apart(wire.attribute(0x80, 14, value)).reach
    assert reach is not None
    assert reach.nlri == NLRI


@pytest.mark.rfc("4271", "6.3 next hop")
@pytest.mark.parametrize(
    ("address", "usable"),
    [
        ("10.0.0.1", True),
        ("1.0.0.0", True),
        ("223.255.255.255", True),
        ("126.255.255.255", True),
        ("128.0.0.0", True),
        ("0.0.0.0", False),
        ("0.255.255.255", False),
        ("127.0.0.0", False),
        ("127.255.255.255", False),
        ("224.0.0.0", False),
        ("239.255.255.255", False),
        ("255.255.255.255", False),
        ("2001:db8::1", True),
        ("fe80::1", True),
        ("fd00::1", True),
        ("::2", True),
        ("::ffff:10.0.0.1", True),
        ("::", False),
        ("::1", False),
        ("ff02::1", False),
        ("::ffff:0.0.0.1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:224.0.0.1", False),
    ],
)
def test_only_a_hosts_address_is_a_next_hop(address: str, *, usable: bool) -> None:
    hop = ip_address(address)
    family = IPV4_UNICAST if hop.version == 4 else IPV6_UNICAST
    assert usable_next_hop(family, hop.packed) is usable
    if hop.version == 6:
        assert usable_next_hop(family, hop.packed + ip_address("fe80::1").packed) is usable


def test_they_are_encoded_as_they_are_read() -> None:
    assert encode_reach(IPV6_UNICAST, ip_address("2001:db8::1").packed, NLRI) == REACH
    assert encode_unreach(IPV6_UNICAST, NLRI) == UNREACH
