"""NLRI: packed prefixes, split and checked at byte level (RFC 4271 4.3, RFC 4760 5).

A prefix is kept as its wire form: one octet of length in bits and as many octets as that needs,
bits beyond the length zero. It is the key of every table and is written out as it stands.
"""

import re
from collections.abc import Iterable
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import groupby
from struct import unpack
from typing import Final

from reflector.bgp.errors import SessionError
from reflector.bgp.vocabulary import ErrorCode, Family, UpdateSubcode

IPNetwork = IPv4Network | IPv6Network

# Octets that a prefix takes on the wire, by its length in bits.
_SIZE: Final = tuple(1 + (bits + 7) // 8 for bits in range(256))
# What of its last octet counts, by its length in bits.
_MASK: Final = tuple(0xFF if bits % 8 == 0 else 0xFF00 >> bits % 8 & 0xFF for bits in range(256))

# First octets of prefixes that need no closer look, by AFI.
_USUAL: Final = {
    1: bytes(each for each in range(1, 0xE0) if each != 0x7F),  # noqa: PLR2004 - 127/8
    2: bytes(range(1, 0xFE)),
}
_ANY: Final = bytes(range(256))
_LINK_LOCAL_BITS: Final = 10
_EMBEDDED_BITS: Final = 96
_EMBEDDED: Final = (b"\0" * 12, b"\0" * 10 + b"\xff\xff")

# Lengths that most prefixes have; the order in which a pattern tries them is all that this decides.
_OFTEN: Final = (24, 22, 23, 48, 64, 56, 32, 44, 40, 21, 20, 19)

DEFAULT_ROUTE: Final = b"\0"  # of either family: no octets behind a length of zero bits


def split_nlri(field: bytes, max_bits: int) -> list[bytes]:
    """Split a field of packed prefixes.

    Args:
        field: As received.
        max_bits: Longest prefix of the family, 32 or 128.

    Returns:
        The prefixes in canonical form, in order.

    Raises:
        SessionError: 3/10: a length beyond the family's, or a prefix past the end of the field;
            what follows can't be located, so RFC 7606 5.3 leaves nothing but a reset.
    """
    if _is_one(field, max_bits):
        return [field]
    size = _uniform_size(field, max_bits)
    if size:
        return _split_uniform(field, size)
    return _split_canonical(field, max_bits, _ANY) or _split_mixed(field, max_bits)


def split_unicast(field: bytes, family: Family) -> tuple[list[bytes], list[bytes], bool]:
    """Split a field of routes.

    RFC 4271 6.3: a semantically incorrect prefix, such as a multicast one, is logged and ignored.

    Returns:
        The prefixes that may be unicast routes, those that can't be, and whether the default route
        is among the former.

    Raises:
        SessionError: As `split_nlri`.
    """
    usual = _USUAL[family.afi]
    if _is_one(field, family.max_prefix_bits) and len(field) > 1 and field[1] in usual:
        return [field], [], False
    size = _uniform_size(field, family.max_prefix_bits)
    if size:
        prefixes = _split_uniform(field, size)
        # Whether any first octet is unusual, again at C speed.
        if size > 1 and not field[1::size].translate(None, usual):
            return prefixes, [], False
    else:
        prefixes = _split_canonical(field, family.max_prefix_bits, usual)
        if prefixes:
            return prefixes, [], False
        prefixes = _split_mixed(field, family.max_prefix_bits)
    martian = {p for p in prefixes if p[1:2] not in usual and is_martian(p, family)}
    if martian:
        prefixes = [p for p in prefixes if p not in martian]
    return prefixes, list(martian), DEFAULT_ROUTE in prefixes


def _is_one(field: bytes, max_bits: int) -> bool:
    """Whether it is one prefix of an octet-aligned length: a route that comes by itself."""
    bits = field[0] if field else 1
    return not bits % 8 and bits <= max_bits and len(field) == _SIZE[bits]


def _uniform_size(field: bytes, max_bits: int) -> int:
    """The octets per prefix where all are of one octet-aligned length, the common case; else 0.

    Each length octet that is right puts the next one where it is looked for, so that counting
    them at C speed proves them all.
    """
    bits = field[0] if field else 1
    if bits % 8 or bits > max_bits:
        return 0
    size = _SIZE[bits]
    if len(field) % size:
        return 0
    return size if field[::size].count(bits) * size == len(field) else 0


def _split_uniform(field: bytes, size: int) -> list[bytes]:
    # One call for the lot, at a sixth of what as many slices cost.
    return list(unpack(f"{size}s" * (len(field) // size), field))


def _split_canonical(field: bytes, max_bits: int, first: bytes) -> list[bytes]:
    """Split a field at C speed; empty where it takes a closer look.

    What the pattern doesn't know is passed over, and then something is missing.
    """
    prefixes: list[bytes] = _canonical(max_bits, first).findall(field)
    return prefixes if len(b"".join(prefixes)) == len(field) else []


@cache
def _canonical(max_bits: int, first: bytes) -> re.Pattern[bytes]:
    """Matches one packed prefix without bits beyond its length, but not the default route.

    Args:
        max_bits: Longest prefix of the family.
        first: What its first octet may be.
    """
    forms = []
    for bits in sorted(range(1, max_bits + 1), key=lambda each: (each not in _OFTEN, -each)):
        last = [octet for octet in range(256) if octet & _MASK[bits] == octet]
        octets = _SIZE[bits] - 1
        if octets == 1:
            rest = _one_of(octet for octet in last if octet in first)
        else:
            rest = _one_of(first) + b"." * (octets - 2) + _one_of(last)
        forms.append(_one_of((bits,)) + rest)
    return re.compile(b"|".join(forms), re.DOTALL)


def _one_of(octets: Iterable[int]) -> bytes:
    """A character class, of ranges: compiled a hundred times over, single octets would take long."""
    runs = [
        [octet for _, octet in run]
        for _, run in groupby(enumerate(octets), key=lambda each: each[1] - each[0])
    ]
    return b"[%b]" % b"".join(b"\\x%02x-\\x%02x" % (run[0], run[-1]) for run in runs)


def _split_mixed(field: bytes, max_bits: int) -> list[bytes]:
    prefixes = []
    position, end = 0, len(field)
    while position < end:
        bits = field[position]
        if bits > max_bits:
            raise invalid_nlri(f"a prefix length of {bits} where {max_bits} is the most")
        stop = position + _SIZE[bits]
        prefix = field[position:stop]
        if bits % 8 and len(prefix) > 1 and prefix[-1] & ~_MASK[bits]:
            prefix = prefix[:-1] + bytes((prefix[-1] & _MASK[bits],))
        prefixes.append(prefix)
        position = stop
    if position != end:
        raise invalid_nlri("a prefix runs past the end of its field")
    return prefixes


def is_martian(prefix: bytes, family: Family) -> bool:
    """Whether a prefix can't be a unicast route between machines.

    Multicast and beyond, what means the machine itself (127/8, ::1) or this network (0/8), IPv6
    link-local, and IPv6's forms of IPv4 addresses that never stand in packets.
    """
    bits, first = prefix[0], prefix[1:2]
    if family.afi == 1:
        # 0.0.0.0/0 to /7 hold other networks than 0/8.
        own = first in (b"\0", b"\x7f") and bits >= 8  # noqa: PLR2004 - 0/8 and 127/8
        return own or first >= b"\xe0"  # 224.0.0.0/4 and 240.0.0.0/4
    embedded = bits >= _EMBEDDED_BITS and prefix[1:13] in _EMBEDDED  # ::/96, ::ffff:0:0/96
    link_local = bits >= _LINK_LOCAL_BITS and b"\xfe\x80" <= prefix[1:3] < b"\xfe\xc0"
    return embedded or first == b"\xff" or link_local  # ff00::/8, fe80::/10


def pack_prefix(network: IPNetwork) -> bytes:
    """The wire form of a prefix."""
    bits = network.prefixlen
    return bytes((bits,)) + network.network_address.packed[: _SIZE[bits] - 1]


def shorten(prefix: bytes, length: int) -> bytes:
    """The prefix of a length that holds a longer one.

    Args:
        prefix: In wire form.
        length: In bits, at most the prefix's own.
    """
    octets, bits = divmod(length, 8)
    if not bits:
        return bytes((length,)) + prefix[1 : 1 + octets]
    last = prefix[1 + octets] & (0xFF << (8 - bits)) & 0xFF
    return bytes((length,)) + prefix[1 : 1 + octets] + bytes((last,))


def unpack_prefix(prefix: bytes, family: Family) -> IPNetwork:
    """The prefix that a wire form means."""
    size = family.max_prefix_bits // 8
    address = prefix[1:].ljust(size, b"\0")
    return ip_network((address, prefix[0]))


def invalid_nlri(reason: str) -> SessionError:
    """The error of a field whose prefixes can't be located."""
    return SessionError(ErrorCode.UPDATE_MESSAGE, UpdateSubcode.INVALID_NETWORK_FIELD, reason)
