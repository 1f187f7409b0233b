"""A second reader of BGP: small, strict, and independent of the code that is under test.

What we write must pass it. It raises `NotStrict` on everything that the RFCs don't let a sender
write, also where they ask a receiver to be lenient. Slow and plain on purpose.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

# Optional and Transitive bits, and what lengths the value may have, by attribute code.
_KNOWN: dict[int, tuple[int, Callable[[int], bool]]] = {
    1: (0x40, lambda n: n == 1),
    2: (0x40, lambda _: True),
    3: (0x40, lambda n: n == 4),
    4: (0x80, lambda n: n == 4),
    5: (0x40, lambda n: n == 4),
    6: (0x40, lambda n: n == 0),
    7: (0xC0, lambda n: n in (6, 8)),
    8: (0xC0, lambda n: n > 0 and n % 4 == 0),
    9: (0x80, lambda n: n == 4),
    10: (0x80, lambda n: n > 0 and n % 4 == 0),
    14: (0x80, lambda n: n >= 9),
    15: (0x80, lambda n: n >= 3),
    16: (0xC0, lambda n: n > 0 and n % 8 == 0),
    17: (0xC0, lambda n: n >= 6),
    18: (0xC0, lambda n: n == 8),
    25: (0xC0, lambda n: n > 0 and n % 20 == 0),
    32: (0xC0, lambda n: n > 0 and n % 12 == 0),
}


class NotStrict(Exception):  # noqa: N818 - it says what the bytes are
    """What was written is not what the RFCs allow."""


@dataclass(frozen=True)
class Attribute:
    """One attribute as it stood."""

    flags: int
    value: bytes


@dataclass(frozen=True)
class Route:
    """A route as the receiver of an UPDATE sees it."""

    next_hop: Address
    attributes: tuple[tuple[int, Attribute], ...]

    def __getitem__(self, code: int) -> bytes:
        """Return the value of an attribute."""
        return dict(self.attributes)[code].value

    def __contains__(self, code: int) -> bool:
        """Whether an attribute is there."""
        return code in dict(self.attributes)

    def get(self, code: int) -> bytes:
        """Return the value of an attribute, empty if it is absent."""
        found = dict(self.attributes).get(code)
        return b"" if found is None else found.value


class Identified(NamedTuple):
    """A prefix with its path identifier (RFC 7911 3)."""

    network: Network
    path_id: int


@dataclass
class Update:
    """An UPDATE: what it withdraws, what it announces, and whether it is an End-of-RIB.

    Attributes:
        withdrawn: What it withdraws without path identifiers.
        announced: What it announces without path identifiers.
        gone: What it withdraws with them.
        paths: What it announces with them.
    """

    withdrawn: list[Network] = field(default_factory=list)
    announced: dict[Network, Route] = field(default_factory=dict)
    gone: list[Identified] = field(default_factory=list)
    paths: dict[Identified, Route] = field(default_factory=dict)
    end_of_rib: tuple[int, int] | None = None


def split_messages(stream: bytes, most_bytes: int = 4096) -> list[tuple[int, bytes]]:
    """Cut a stream of whole messages into (type, body), with UPDATEs of at most some octets."""
    found = []
    while stream:
        _must(len(stream) >= 19, "a header in part")
        _must(stream[:16] == b"\xff" * 16, "the marker is not all ones")
        length, kind = int.from_bytes(stream[16:18]), stream[18]
        most = most_bytes if kind == 2 else 4096
        _must(19 <= length <= most, f"a message of {length} octets")
        _must(len(stream) >= length, "a message in part")
        _must(1 <= kind <= 5, f"a message of type {kind}")
        _must(kind != 4 or length == 19, "a KEEPALIVE with a body")
        found.append((kind, stream[19:length]))
        stream = stream[length:]
    return found


def read_update(
    body: bytes,
    *,
    as4: bool = True,
    external: bool = False,
    add_path: frozenset[int] = frozenset(),
) -> Update:
    """Read the body of an UPDATE from an internal peer, or from an external one.

    Args:
        body: What follows the header.
        as4: Whether the session uses four-octet AS numbers.
        external: Whether it is with an external peer.
        add_path: The AFIs whose prefixes come with path identifiers.
    """
    result = Update()
    withdrawn, rest = _counted(body)
    block, nlri = _counted(rest)
    attributes = _read_attributes(block, as4=as4)
    result.withdrawn, result.gone = _sorted(_read_nlri(withdrawn, 4, identified=1 in add_path))
    if not body.strip(b"\0") and len(body) == 4:
        result.end_of_rib = (1, 1)
        return result
    unreach = attributes.pop(15, None)
    if unreach is not None:
        afi, safi, gone = _family(unreach.value, identified=2 in add_path)
        plain, identified = _sorted(gone)
        result.withdrawn += plain
        result.gone += identified
        if not gone:
            _must(not (attributes or nlri or withdrawn), "an End-of-RIB with something else")
            result.end_of_rib = afi, safi
    reach = attributes.pop(14, None)
    announced = _read_nlri(nlri, 4, identified=1 in add_path)
    _must(bool(announced or reach) == bool(attributes), "attributes and routes without each other")
    mandatory = (1, 2) if external else (1, 2, 5)
    internal = {5, 9, 10} & attributes.keys() if external else set()
    _must(not internal, f"attributes {internal} for an external peer")
    kept = tuple(sorted((c, a) for c, a in attributes.items() if c != 3))
    if announced:
        _require(attributes, (*mandatory, 3))
        hop: Address = IPv4Address(attributes[3].value)
        _check_next_hop(hop)
        _add(result, announced, Route(hop, kept))
    if reach is not None:
        _require(attributes, mandatory)
        _must(bool(announced) or 3 not in attributes, "NEXT_HOP without IPv4 NLRI")
        hop, networks = _read_reach(reach.value, identified=2 in add_path)
        _check_next_hop(hop)
        _add(result, networks, Route(hop, kept))
    return result


def _add(result: Update, networks: list[Network | Identified], route: Route) -> None:
    for each in networks:
        announced = [*result.announced, *result.paths]
        _must(each not in announced, f"{each} twice in one UPDATE")
        gone = [*result.withdrawn, *result.gone]
        _must(each not in gone, f"{each} withdrawn and announced in one UPDATE")
        if isinstance(each, Identified):
            result.paths[each] = route
        else:
            result.announced[each] = route


def _sorted(found: list[Network | Identified]) -> tuple[list[Network], list[Identified]]:
    return (
        [each for each in found if not isinstance(each, Identified)],
        [each for each in found if isinstance(each, Identified)],
    )


def _read_attributes(block: bytes, *, as4: bool) -> dict[int, Attribute]:
    found: dict[int, Attribute] = {}
    first = True
    while block:
        _must(len(block) >= 3, "an attribute header in part")
        flags, code = block[0], block[1]
        extended = bool(flags & 0x10)
        _must(not flags & 0x0F, f"attribute {code} has unused flags set")
        start = 4 if extended else 3
        _must(len(block) >= start, "an attribute header in part")
        length = int.from_bytes(block[2:start])
        _must(len(block) >= start + length, f"attribute {code} runs past the end")
        _must(code not in found, f"attribute {code} twice")
        _must(code not in (14, 15) or first, "multiprotocol attributes come first (RFC 7606 5.1)")
        _check_attribute(flags, code, block[start : start + length], as4=as4)
        found[code] = Attribute(flags & ~0x10, block[start : start + length])
        block = block[start + length :]
        first = False
    return found


def _check_attribute(flags: int, code: int, value: bytes, *, as4: bool) -> None:
    if code not in _KNOWN:
        _must(flags & 0xE0 == 0xE0, f"unknown attribute {code} is not optional transitive partial")
        return
    kind, length_is_right = _KNOWN[code]
    _must(flags & 0xC0 == kind, f"attribute {code} with flags {flags:#x}")
    _must(not flags & 0x20 or kind == 0xC0, f"attribute {code} can't be partial")
    _must(length_is_right(len(value)), f"attribute {code} of {len(value)} octets")
    if code == 1:
        _must(value[0] <= 2, "ORIGIN is undefined")
    if code in (2, 17):
        _check_as_path(value, 4 if as4 or code == 17 else 2)
    if code == 7:
        _must(len(value) == (8 if as4 else 6), "AGGREGATOR in the other kind's form")
    if code in (17, 18):
        _must(not as4, f"attribute {code} between four-octet speakers")


def _check_as_path(value: bytes, width: int) -> None:
    while value:
        _must(len(value) >= 2, "a segment header in part")
        kind, count = value[0], value[1]
        _must(kind in (1, 2) and count > 0, f"a segment of type {kind} with {count} AS numbers")
        stop = 2 + width * count
        _must(len(value) >= stop, "a segment runs past the end")
        for i in range(2, stop, width):
            _must(any(value[i : i + width]), "AS 0 in a path")
        value = value[stop:]


def _read_reach(value: bytes, *, identified: bool) -> tuple[Address, list[Network | Identified]]:
    afi, safi, size = int.from_bytes(value[:2]), value[2], value[3]
    _must((afi, safi) == (2, 1), f"MP_REACH_NLRI for {afi}/{safi}")
    _must(size in (16, 32), f"a next hop of {size} octets")
    _must(len(value) > 4 + size, "MP_REACH_NLRI in part")
    _must(value[4 + size] == 0, "the reserved octet is not zero")
    networks = _read_nlri(value[5 + size :], 16, identified=identified)
    _must(bool(networks), "MP_REACH_NLRI without routes")
    return IPv6Address(value[4:20]), networks


def _family(value: bytes, *, identified: bool) -> tuple[int, int, list[Network | Identified]]:
    afi, safi = int.from_bytes(value[:2]), value[2]
    _must((afi, safi) == (2, 1), f"MP_UNREACH_NLRI for {afi}/{safi}")
    return afi, safi, _read_nlri(value[3:], 16, identified=identified)


def _read_nlri(field_: bytes, size: int, *, identified: bool) -> list[Network | Identified]:
    found: list[Network | Identified] = []
    while field_:
        path_id = 0
        if identified:
            _must(len(field_) > 4, "a path identifier without a prefix")
            path_id, field_ = int.from_bytes(field_[:4]), field_[4:]
        bits = field_[0]
        _must(bits <= 8 * size, f"a prefix of {bits} bits")
        octets = (bits + 7) // 8
        _must(len(field_) > octets, "a prefix runs past the end")
        try:
            network = ip_network((field_[1 : 1 + octets].ljust(size, b"\0"), bits))
        except ValueError as error:
            raise NotStrict(f"bits beyond the prefix: {error}") from error
        found.append(Identified(network, path_id) if identified else network)
        field_ = field_[1 + octets :]
    return found


def _check_next_hop(hop: Address) -> None:
    """GoBGP resets its session on these."""
    if isinstance(hop, IPv6Address) and hop.ipv4_mapped is not None:
        hop = ip_address(hop.ipv4_mapped)
    bad = hop.is_unspecified or hop.is_loopback or hop.is_multicast
    _must(not bad and (hop.version == 6 or 0 < hop.packed[0] < 224), f"the next hop {hop}")


def _require(attributes: dict[int, Attribute], codes: tuple[int, ...]) -> None:
    missing = [code for code in codes if code not in attributes]
    _must(not missing, f"attributes {missing} are missing")


def _counted(data: bytes) -> tuple[bytes, bytes]:
    _must(len(data) >= 2, "a length in part")
    stop = 2 + int.from_bytes(data[:2])
    _must(stop <= len(data), "a field runs past the end")
    return data[2:stop], data[stop:]


def _must(holds: bool, otherwise: str) -> None:  # noqa: FBT001 - reads like assert
    if not holds:
        raise NotStrict(otherwise)
