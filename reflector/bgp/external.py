"""What external peers are told of a route: its attributes in their form (RFC 4271 5, RFC 7947 2)."""

from typing import Final

from reflector.bgp.attributes import encode_attribute, split_attributes
from reflector.bgp.vocabulary import AttributeCode, SegmentType

# RFC 4271 5.1.5, RFC 4456 8: what is an AS's own business.
_INTERNAL: Final = frozenset(
    {AttributeCode.LOCAL_PREF, AttributeCode.ORIGINATOR_ID, AttributeCode.CLUSTER_LIST}
)
# RFC 4271 5.1.4: MED tells one neighbouring AS of ways into another, and goes no further.
_NOT_PASSED_ON: Final = _INTERNAL | {AttributeCode.MULTI_EXIT_DISC}

# RFC 4360 3.1, RFC 5701 2: communities of so many octets, whose first octet says with this bit that
# they are not transitive across ASes.
_EXTENDED: Final = {
    AttributeCode.EXTENDED_COMMUNITIES: 8,
    AttributeCode.IPV6_EXTENDED_COMMUNITIES: 20,
}
_NON_TRANSITIVE: Final = 0x40

_MAX_SEGMENT: Final = 0xFF  # AS numbers, counted by one octet


def without_internal(block: bytes) -> bytes:
    """Leave out what is for internal peers: all that a route server changes (RFC 7947 2.2).

    Args:
        block: Path attributes with four-octet AS numbers, as internal peers are told of them.
    """
    return _rewrite(block, _INTERNAL, 0)


def for_external(block: bytes, asn: int) -> bytes:
    """Bring attributes to the form for external peers.

    Our AS is prepended to AS_PATH (RFC 4271 5.1.2 b), and LOCAL_PREF, MULTI_EXIT_DISC, ORIGINATOR_ID,
    CLUSTER_LIST and non-transitive extended communities (RFC 4360 6) are left out.

    Args:
        block: Path attributes with four-octet AS numbers, as internal peers are told of them.
        asn: Ours.
    """
    return _rewrite(block, _NOT_PASSED_ON, asn)


def _rewrite(block: bytes, left_out: frozenset[int], prepended: int) -> bytes:
    kept: list[bytes] = []
    for flags, code, value, tlv in split_attributes(block):
        if code == AttributeCode.AS_PATH and prepended:
            kept.append(encode_attribute(flags, code, _prepend(value, prepended)))
        elif code in _EXTENDED and prepended:
            kept.append(_transitive(flags, code, value, tlv))
        elif code not in left_out:
            kept.append(tlv)
    return b"".join(kept)


def _transitive(flags: int, code: int, value: bytes, tlv: bytes) -> bytes:
    """Extended communities without non-transitive ones; nothing where none is left."""
    size = _EXTENDED[code]
    if not any(first & _NON_TRANSITIVE for first in value[::size]):
        return tlv
    items = [value[i : i + size] for i in range(0, len(value), size)]
    left = b"".join(item for item in items if not item[0] & _NON_TRANSITIVE)
    return encode_attribute(flags, code, left) if left else b""


def _prepend(path: bytes, asn: int) -> bytes:
    """An AS_PATH with an AS number as its leftmost."""
    number = asn.to_bytes(4)
    if path[:1] == _SEQUENCE and path[1] < _MAX_SEGMENT:
        return _SEQUENCE + bytes((path[1] + 1,)) + number + path[2:]
    return _SEQUENCE + b"\1" + number + path


_SEQUENCE: Final = bytes((SegmentType.AS_SEQUENCE,))
