"""Judged path attributes with one of them set anew: what policies and RFC 8326 do to a route."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from reflector.bgp.attributes import PathAttributes, encode_attribute, locate, split_attributes
from reflector.bgp.vocabulary import AttributeCode, AttributeFlag, Community

# Octets of a community, by the attribute that holds them.
COMMUNITY_BYTES: Final = {
    AttributeCode.COMMUNITIES: 4,
    AttributeCode.EXTENDED_COMMUNITIES: 8,
    AttributeCode.LARGE_COMMUNITIES: 12,
}

_WELL_KNOWN: Final = AttributeFlag.TRANSITIVE
_OPTIONAL: Final = AttributeFlag.OPTIONAL
_BOTH: Final = AttributeFlag.OPTIONAL | AttributeFlag.TRANSITIVE


def communities_of(attributes: PathAttributes) -> frozenset[tuple[int, bytes]]:
    """Communities of every kind, each with the code of the attribute that holds it."""
    found: set[tuple[int, bytes]] = set()
    for block in (attributes.middle, attributes.behind):
        for _, code, value, _ in split_attributes(block):
            size = COMMUNITY_BYTES.get(code)
            if size is not None:
                found.update((code, value[i : i + size]) for i in range(0, len(value), size))
    return frozenset(found)


def as_numbers(attributes: PathAttributes) -> frozenset[int]:
    """The AS numbers in AS_PATH."""
    numbers: set[int] = set()
    for _, code, value, _ in split_attributes(attributes.ahead):
        position = 0 if code == AttributeCode.AS_PATH else len(value)
        while position < len(value):
            stop = position + 2 + 4 * value[position + 1]
            numbers.update(int.from_bytes(value[i : i + 4]) for i in range(position + 2, stop, 4))
            position = stop
    return frozenset(numbers)


def with_local_pref(attributes: PathAttributes, local_pref: int) -> PathAttributes:
    """The attributes with another LOCAL_PREF."""
    tlv = encode_attribute(_WELL_KNOWN, AttributeCode.LOCAL_PREF, local_pref.to_bytes(4))
    middle = _put(attributes.middle, AttributeCode.LOCAL_PREF, tlv)
    return replace(attributes, middle=middle, local_pref=local_pref, received=_received(attributes))


def with_med(attributes: PathAttributes, med: int | None) -> PathAttributes:
    """The attributes with another MULTI_EXIT_DISC, or with None without any (RFC 4271 5.1.4)."""
    tlv = b""
    if med is None:
        med = 0  # as an absent one counts
    else:
        tlv = encode_attribute(_OPTIONAL, AttributeCode.MULTI_EXIT_DISC, med.to_bytes(4))
    middle = _put(attributes.middle, AttributeCode.MULTI_EXIT_DISC, tlv)
    return replace(attributes, middle=middle, med=med, received=_received(attributes))


def with_communities(
    attributes: PathAttributes, added: Iterable[tuple[int, bytes]], *, heeded: bool
) -> PathAttributes:
    """The attributes with more communities, each with the code of the attribute for it.

    Args:
        attributes: Without them, or with some of them.
        added: In order; those that are there already are not repeated.
        heeded: Whether we do what they ask, as if they had come with the route.

    Raises:
        OverflowError: They outgrow the attribute, which only those of extended messages come near.
    """
    there = communities_of(attributes)
    new = [each for each in dict.fromkeys(added) if each not in there]
    middle, behind = attributes.middle, attributes.behind
    for code in COMMUNITY_BYTES:
        items = b"".join(value for kind, value in new if kind == code)
        if items and code == AttributeCode.COMMUNITIES:
            middle = _append(middle, code, items)
        elif items:
            behind = _append(behind, code, items)
    changed = replace(attributes, middle=middle, behind=behind, received=_received(attributes))
    if heeded:
        plain = {value for code, value in new if code == AttributeCode.COMMUNITIES}
        changed.no_advertise |= Community.NO_ADVERTISE in plain
        changed.no_export |= bool(plain & {Community.NO_EXPORT, Community.NO_EXPORT_SUBCONFED})
    return changed


def _received(attributes: PathAttributes) -> PathAttributes:
    return attributes if attributes.received is None else attributes.received


def _append(block: bytes, code: int, items: bytes) -> bytes:
    before = b"".join(value for _, there, value, _ in split_attributes(block) if there == code)
    return _put(block, code, encode_attribute(_BOTH, code, before + items))


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
