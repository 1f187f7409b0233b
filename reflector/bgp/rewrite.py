"""Judged path attributes with one of them set anew: what policies and RFC 8326 do to a route."""

from dataclasses import replace
from typing import Final

from reflector.bgp.attributes import PathAttributes, encode_attribute, locate
from reflector.bgp.vocabulary import AttributeCode, AttributeFlag

_WELL_KNOWN: Final = AttributeFlag.TRANSITIVE


def with_local_pref(attributes: PathAttributes, local_pref: int) -> PathAttributes:
    """The attributes with another LOCAL_PREF."""
    tlv = encode_attribute(_WELL_KNOWN, AttributeCode.LOCAL_PREF, local_pref.to_bytes(4))
    middle = _put(attributes.middle, AttributeCode.LOCAL_PREF, tlv)
    return replace(attributes, middle=middle, local_pref=local_pref)


def _put(block: bytes, code: int, tlv: bytes) -> bytes:
    """A block in the order of its codes, with an attribute in its place or in that of the former."""
    position = 0
    while position < len(block):
        _, there, _, stop = locate(block, position)
        if there >= code:
            rest = stop if there == code else position
            return block[:position] + tlv + block[rest:]
        position = stop
    return block + tlv
