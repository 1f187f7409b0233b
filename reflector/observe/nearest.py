"""Prefixes near one: the longest that holds it, and those within it."""

from collections.abc import Mapping

from reflector.bgp.nlri import IPNetwork, pack_prefix, shorten
from reflector.bgp.vocabulary import FAMILIES, Family
from reflector.rib.path import Candidates
from reflector.rib.source import IPAddress


def family_of(wanted: IPNetwork | IPAddress) -> Family:
    """The family whose routes are asked for."""
    return FAMILIES[1 if wanted.version == 4 else 2, 1]  # noqa: PLR2004 - IP version


def pack(wanted: IPNetwork | IPAddress) -> bytes:
    """A prefix in wire form; an address is its longest one."""
    if isinstance(wanted, IPAddress):
        return bytes((wanted.max_prefixlen,)) + wanted.packed
    return pack_prefix(wanted)


def find(routes: Mapping[bytes, Candidates], wanted: IPNetwork | IPAddress) -> bytes | None:
    """The prefix with a route that is asked for, or that an address would take; None if none is."""
    prefix = pack(wanted)
    if isinstance(wanted, IPAddress):
        return longest_match(routes, prefix)
    return prefix if prefix in routes else None


def longest_match(routes: Mapping[bytes, Candidates], wanted: bytes) -> bytes | None:
    """The longest prefix with a route that holds a prefix, which may be itself; None if none does.

    Args:
        routes: By packed prefix.
        wanted: Packed; an address is its longest prefix.
    """
    for length in range(wanted[0], -1, -1):
        prefix = shorten(wanted, length)
        if prefix in routes:
            return prefix
    return None


def within(routes: Mapping[bytes, Candidates], wanted: bytes) -> list[bytes]:
    """The longer prefixes within one, in their order; to be called in a thread.

    Args:
        routes: By packed prefix.
        wanted: Packed.
    """
    length = wanted[0]
    whole = wanted[1 : 1 + length // 8]
    found = [
        prefix
        for prefix in routes
        if prefix[0] > length and prefix.startswith(whole, 1) and shorten(prefix, length) == wanted
    ]
    return sorted(found, key=in_order)


def in_order(prefix: bytes) -> tuple[bytes, int]:
    """Sorts packed prefixes: by address, the wider before those within it."""
    return prefix[1:], prefix[0]
