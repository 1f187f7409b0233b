"""Fields of prefixes, split at C speed, against the same thing done octet by octet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflector.bgp.errors import SessionError
from reflector.bgp.nlri import DEFAULT_ROUTE, is_martian, split_nlri, split_unicast
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST, Family

FAMILIES = st.sampled_from([IPV4_UNICAST, IPV6_UNICAST])


def _naive(field: bytes, max_bits: int) -> list[bytes] | None:
    """RFC 4271 4.3; None where the field can't be split."""
    prefixes = []
    while field:
        bits, octets = field[0], (field[0] + 7) // 8
        if bits > max_bits or len(field) < 1 + octets:
            return None
        address = int.from_bytes(field[1 : 1 + octets]) >> (8 * octets - bits)
        prefixes.append(bytes((bits,)) + (address << (8 * octets - bits)).to_bytes(octets))
        field = field[1 + octets :]
    return prefixes


@st.composite
def _fields(draw: st.DrawFn, family: Family) -> bytes:
    """Fields that are mostly right: canonical or not, unusual ones among them, perhaps cut."""
    field = b""
    for _ in range(draw(st.integers(0, 8))):
        bits = draw(st.integers(0, family.max_prefix_bits + draw(st.sampled_from([0] * 9 + [1]))))
        octets = (bits + 7) // 8
        address = draw(st.binary(min_size=octets, max_size=octets))
        if draw(st.booleans()):
            kept = int.from_bytes(address) >> (8 * octets - bits) << (8 * octets - bits)
            address = kept.to_bytes(octets)
        field += bytes((bits,)) + address
    return field[: draw(st.integers(0, len(field)))] if draw(st.integers(0, 9)) == 0 else field


@given(st.data(), FAMILIES)
def test_a_field_is_split_as_octet_by_octet(data: st.DataObject, family: Family) -> None:
    field = data.draw(st.one_of(_fields(family), st.binary(max_size=60)))
    expected = _naive(field, family.max_prefix_bits)
    if expected is None:
        for split in (
            lambda: split_nlri(field, family.max_prefix_bits),
            lambda: split_unicast(field, family),
        ):
            with pytest.raises(SessionError):
                split()
        return
    assert split_nlri(field, family.max_prefix_bits) == expected
    prefixes, martians, default = split_unicast(field, family)
    assert prefixes == [each for each in expected if not is_martian(each, family)]
    assert set(martians) == {each for each in expected if is_martian(each, family)}
    assert default == (DEFAULT_ROUTE in expected)
