"""NLRI with path identifiers (RFC 7911 3): four octets before each prefix say which path it is.

They are kept as on the wire, identifier and canonical prefix in one, and so written out as they stand.
"""

from collections.abc import Iterable
from struct import unpack
from typing import Final

from reflector.bgp.nlri import DEFAULT_ROUTE, invalid_nlri, is_martian, split_nlri
from reflector.bgp.vocabulary import Family

PATH_ID_BYTES: Final = 4


def split_identified(field: bytes, max_bits: int) -> list[bytes]:
    """Split a field of prefixes with path identifiers.

    Args:
        field: As received.
        max_bits: Longest prefix of the family, 32 or 128.

    Returns:
        Each identifier with its prefix in canonical form, in order.

    Raises:
        SessionError: 3/10, as `nlri.split_nlri`; also where an identifier is cut off.
    """
    size = _uniform_size(field, max_bits)
    if size:
        return list(unpack(f"{size}s" * (len(field) // size), field))
    identified = []
    position, end = 0, len(field)
    while position < end:
        start = position + PATH_ID_BYTES
        if start >= end:
            raise invalid_nlri("a path identifier without a prefix (RFC 7911 3)")
        stop = start + 1 + (field[start] + 7) // 8
        (prefix,) = split_nlri(field[start:stop], max_bits)
        identified.append(field[position:start] + prefix)
        position = stop
    return identified


def split_identified_unicast(field: bytes, family: Family) -> tuple[list[bytes], list[bytes], bool]:
    """Split a field of routes with path identifiers.

    Returns:
        What may be unicast routes, with their identifiers; the prefixes that can't be, without; and
        whether the default route is among the former.

    Raises:
        SessionError: As `split_identified`.
    """
    identified = split_identified(field, family.max_prefix_bits)
    martian = {each for each in identified if is_martian(each[PATH_ID_BYTES:], family)}
    if martian:
        identified = [each for each in identified if each not in martian]
    default = any(each[PATH_ID_BYTES:] == DEFAULT_ROUTE for each in identified)
    return identified, without_path_ids(martian), default


def without_path_ids(identified: Iterable[bytes]) -> list[bytes]:
    """The prefixes alone."""
    return [each[PATH_ID_BYTES:] for each in identified]


def _uniform_size(field: bytes, max_bits: int) -> int:
    """The octets per prefix where all are of one octet-aligned length, the common case; else 0."""
    if len(field) <= PATH_ID_BYTES:
        return 0
    bits = field[PATH_ID_BYTES]
    if bits % 8 or bits > max_bits:
        return 0
    size = PATH_ID_BYTES + 1 + bits // 8
    return size if field[PATH_ID_BYTES::size].count(bits) * size == len(field) else 0
