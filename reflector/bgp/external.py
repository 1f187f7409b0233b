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

_MAX_SEGMENT: Final = 0xFF  # AS numbers, counted by one octet


def without_internal(block: bytes) -> bytes:
    """Leave out what is for internal peers: all that a route server changes (RFC 7947 2.2).

    Args:
        block: Path attributes with four-octet AS numbers, as internal peers are told of them.
    """
    return _rewrite(block, _INTERNAL, 0)


def for_external(block: bytes, asn: int) -> bytes:
    """Bring attributes to the form for external peers.

    Our AS is prepended to AS_PATH (RFC 4271 5.1.2 b), and LOCAL_PREF, MULTI_EXIT_DISC, ORIGINATOR_ID
    and CLUSTER_LIST are left out.

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
        elif code not in left_out:
            kept.append(tlv)
    return b"".join(kept)


def _prepend(path: bytes, asn: int) -> bytes:
    """An AS_PATH with an AS number as its leftmost."""
    number = asn.to_bytes(4)
    if path[:1] == _SEQUENCE and path[1] < _MAX_SEGMENT:
        return _SEQUENCE + bytes((path[1] + 1,)) + number + path[2:]
    return _SEQUENCE + b"\1" + number + path


_SEQUENCE: Final = bytes((SegmentType.AS_SEQUENCE,))
