"""The Adj-RIBs-In as they came: a path's attributes as its source announced them (RFC 4271 3.2)."""

from typing import Final

from reflector.bgp.attributes import encode_attribute
from reflector.bgp.external import without_internal
from reflector.bgp.vocabulary import IPV4_UNICAST, AttributeCode, AttributeFlag
from reflector.rib.path import Path

_OPTIONAL: Final = AttributeFlag.OPTIONAL
_UNSPECIFIED: Final = b"\0\0\0\0"


def block_of(path: Path) -> bytes:
    """The path attributes that a source sent, MP_REACH_NLRI excepted, with four-octet AS numbers.

    Before any import policy. What was discarded of them on their way in is not there.

    Args:
        path: Which. One of our own without a next hop has 0.0.0.0.
    """
    attributes = path.attributes.received or path.attributes
    parts = [attributes.ahead]
    if path.family is IPV4_UNICAST:
        next_hop = path.next_hop or _UNSPECIFIED
        parts.append(encode_attribute(AttributeFlag.TRANSITIVE, AttributeCode.NEXT_HOP, next_hop))
    parts.append(attributes.middle)
    if attributes.originator_id:
        parts.append(
            encode_attribute(_OPTIONAL, AttributeCode.ORIGINATOR_ID, attributes.originator_id)
        )
    if attributes.cluster_list:
        parts.append(
            encode_attribute(_OPTIONAL, AttributeCode.CLUSTER_LIST, attributes.cluster_list)
        )
    parts.append(attributes.behind)
    block = b"".join(parts)
    # What came from another AS had no LOCAL_PREF: that is ours (RFC 4271 5.1.5).
    return block if path.source.internal else without_internal(block)
