"""Finding routes by what a person types: a prefix, an address, a node's name, a next hop."""

from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from reflector.bgp.describe import describe_next_hop
from reflector.bgp.nlri import unpack_prefix
from reflector.bgp.vocabulary import Family
from reflector.observe.nearest import in_order
from reflector.rib.path import Candidates, Path

Row = tuple[Family, bytes, Candidates]

_WHOLE: Final = {1: 32, 2: 128}


def search(
    tables: list[tuple[Family, dict[bytes, Candidates]]],
    text: str,
    name_of: Callable[[Path], str],
) -> list[Row]:
    """Find routes, in the order of their prefixes; to be called in a thread.

    Args:
        tables: Copies.
        text: An IP address finds the routes that hold it. Anything else finds routes in whose
            prefix, or in whose paths' source or next hop, it occurs. Nothing finds all.
        name_of: What a path's source is called.
    """
    text = text.strip().lower()
    matches = _matcher(text, name_of)
    rows: list[Row] = []
    for family, table in tables:
        ordered = sorted(table, key=in_order)
        rows += [
            (family, prefix, table[prefix])
            for prefix in ordered
            if not text or matches(family, prefix, table[prefix])
        ]
    return rows


def _matcher(
    text: str, name_of: Callable[[Path], str]
) -> Callable[[Family, bytes, Candidates], bool]:
    try:
        address = ip_address(text)
    except ValueError:
        address = None
    known: dict[Path, bool] = {}

    def path_matches(path: Path) -> bool:
        found = known.get(path)
        if found is None:
            words = f"{name_of(path)} {describe_next_hop(path.next_hop)}".lower()
            found = known[path] = text in words
        return found

    def matches(family: Family, prefix: bytes, candidates: Candidates) -> bool:
        if address is not None:
            most = _WHOLE[family.afi]
            if len(address.packed) * 8 == most and _holds(prefix, address.packed):
                return True
        elif text in str(unpack_prefix(prefix, family)):
            return True
        return any(map(path_matches, candidates.paths))

    return matches


def _holds(prefix: bytes, address: bytes) -> bool:
    """Whether an address lies in a prefix."""
    length = prefix[0]
    octets, bits = divmod(length, 8)
    if prefix[1 : 1 + octets] != address[:octets]:
        return False
    return not bits or (prefix[1 + octets] ^ address[octets]) >> (8 - bits) == 0
