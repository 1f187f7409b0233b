"""NLRI: split, made canonical, and judged."""

from ipaddress import ip_network

import pytest

from reflector.bgp.errors import SessionError
from reflector.bgp.nlri import is_martian, pack_prefix, split_nlri, split_unicast, unpack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST, Family
from tests.support import wire

UNIFORM = {
    "/24": ["10.0.0.0/24", "10.0.1.0/24", "192.0.2.0/24"],
    "/32": ["10.0.0.1/32", "10.0.0.2/32"],
    "/8": ["10.0.0.0/8"],
    "/0": ["0.0.0.0/0"],
    "/20, which has bits to mask": ["10.0.0.0/20", "10.0.16.0/20"],
}
MIXED = {
    "two lengths": ["10.0.0.0/24", "10.0.0.0/16"],
    "all lengths": [f"10.0.0.0/{bits}" for bits in range(8, 33)],
    "a default among others": ["10.0.0.0/24", "0.0.0.0/0", "10.0.1.0/24"],
    "octets that look like lengths": ["24.24.24.0/24", "24.24.0.0/16", "24.24.24.24/32"],
}


@pytest.mark.rfc("4760", "5")
@pytest.mark.parametrize("texts", [*UNIFORM.values(), *MIXED.values()], ids=[*UNIFORM, *MIXED])
def test_a_field_is_split_into_its_prefixes(texts: list[str]) -> None:
    field = wire.prefixes(*texts)
    assert split_nlri(field, 32) == [wire.prefix(text) for text in texts]
    assert split_unicast(field, IPV4_UNICAST) == (
        [wire.prefix(text) for text in texts],
        [],
        "0.0.0.0/0" in texts,
    )


@pytest.mark.rfc("4271", "4.3 prefix")
@pytest.mark.parametrize("bits", [1, 7, 8, 9, 15, 17, 31, 32])
def test_bits_beyond_a_prefix_are_cleared(bits: int) -> None:
    octets = (bits + 7) // 8
    (prefix,) = split_nlri(bytes((bits,)) + b"\xff" * octets, 32)
    assert prefix == wire.prefix(str(ip_network(("255.255.255.255", bits), strict=False)))


@pytest.mark.parametrize("bits", [1, 10, 63, 65, 127])
def test_bits_beyond_an_ipv6_prefix_are_cleared(bits: int) -> None:
    (prefix,) = split_nlri(bytes((bits,)) + b"\xff" * ((bits + 7) // 8), 128)
    assert int(unpack_prefix(prefix, IPV6_UNICAST).network_address).bit_count() == bits


def test_an_empty_field_has_no_prefixes() -> None:
    assert split_nlri(b"", 32) == []
    assert split_unicast(b"", IPV6_UNICAST) == ([], [], False)


def test_many_defaults_are_as_many() -> None:
    assert split_nlri(b"\0" * 5, 32) == [b"\0"] * 5


@pytest.mark.rfc("7606", "5.3")
@pytest.mark.rfc("4271", "6.3 NLRI")
@pytest.mark.parametrize(
    ("field", "max_bits"),
    [
        (b"\x21\0\0\0\0\0", 32),
        (b"\x28\0\0\0\0\0", 32),
        (b"\x81" + bytes(17), 128),
        (b"\xff" + bytes(32), 128),
        (b"\x18\x0a\0", 32),
        (b"\x18", 32),
        (wire.prefixes("10.0.0.0/24", "10.0.1.0/24") + b"\x18\x0a", 32),
        (wire.prefix("10.0.0.0/24") + b"\x10\x0a", 32),
        (wire.prefix("10.0.0.0/24") * 3 + b"\x19", 32),
    ],
)
def test_what_can_not_be_split_resets_the_session(field: bytes, max_bits: int) -> None:
    with pytest.raises(SessionError) as error:
        split_nlri(field, max_bits)
    assert (error.value.code, error.value.subcode) == (3, 10)


@pytest.mark.parametrize(
    ("text", "family", "martian"),
    [
        ("0.0.0.0/0", IPV4_UNICAST, False),
        ("0.0.0.0/7", IPV4_UNICAST, False),
        ("0.0.0.0/8", IPV4_UNICAST, True),
        ("0.1.2.0/24", IPV4_UNICAST, True),
        ("1.0.0.0/8", IPV4_UNICAST, False),
        ("126.0.0.0/7", IPV4_UNICAST, False),
        ("127.0.0.0/8", IPV4_UNICAST, True),
        ("127.0.0.1/32", IPV4_UNICAST, True),
        ("128.0.0.0/1", IPV4_UNICAST, False),
        ("223.255.255.255/32", IPV4_UNICAST, False),
        ("224.0.0.0/3", IPV4_UNICAST, True),
        ("224.0.0.0/4", IPV4_UNICAST, True),
        ("239.255.0.0/16", IPV4_UNICAST, True),
        ("255.255.255.255/32", IPV4_UNICAST, True),
        ("::/0", IPV6_UNICAST, False),
        ("::/8", IPV6_UNICAST, False),
        ("::1/128", IPV6_UNICAST, True),
        ("::/96", IPV6_UNICAST, True),
        ("::192.0.2.0/120", IPV6_UNICAST, True),
        ("::ffff:192.0.2.0/120", IPV6_UNICAST, True),
        ("64:ff9b::/96", IPV6_UNICAST, False),
        ("fc00::/7", IPV6_UNICAST, False),
        ("fe00::/7", IPV6_UNICAST, False),
        ("fe80::/9", IPV6_UNICAST, False),
        ("fe80::/10", IPV6_UNICAST, True),
        ("febf:ffff::/32", IPV6_UNICAST, True),
        ("fec0::/10", IPV6_UNICAST, False),
        ("ff00::/8", IPV6_UNICAST, True),
        ("ff02::1/128", IPV6_UNICAST, True),
    ],
)
def test_prefixes_that_are_no_unicast_routes_are_told_apart(
    text: str, family: Family, *, martian: bool
) -> None:
    prefix = wire.prefix(text)
    assert is_martian(prefix, family) is martian
    usable = [] if martian else [prefix]
    good = wire.prefix("10.0.0.0/8" if family is IPV4_UNICAST else "2001:db8::/32")
    default = text.endswith("/0")
    assert split_unicast(good + prefix, family) == ([good, *usable], [prefix] * martian, default)
    assert split_unicast(good, family) == ([good], [], False)
    assert split_unicast(prefix, family) == (usable, [prefix] * martian, default)
    assert split_unicast(prefix * 2, family)[0] == usable * 2


@pytest.mark.parametrize(
    "text", ["0.0.0.0/0", "10.0.0.0/8", "10.1.2.3/32", "::/0", "2001:db8::/33", "::1/128"]
)
def test_packing_and_unpacking_are_inverse(text: str) -> None:
    family = IPV6_UNICAST if ":" in text else IPV4_UNICAST
    assert pack_prefix(ip_network(text)) == wire.prefix(text)
    assert unpack_prefix(wire.prefix(text), family) == ip_network(text)
