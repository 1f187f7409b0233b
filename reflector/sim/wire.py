"""UPDATEs written and read for a simulated peer.

Unlike `reflector.bgp.update` this judges nothing: what a speaker sends is shown as it came, and what
a test wants to send is sent, sensible or not.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from ipaddress import IPv4Address, ip_network
from struct import error as struct_error
from struct import iter_unpack, unpack_from
from typing import Final

from reflector.bgp.add_path import PATH_ID_BYTES, split_identified
from reflector.bgp.as4 import narrow, widen
from reflector.bgp.attributes import encode_attribute, locate
from reflector.bgp.describe import (
    communities,
    describe_next_hop,
    extended_communities,
    large_communities,
)
from reflector.bgp.errors import SessionError
from reflector.bgp.limits import MAX_MESSAGE_BYTES
from reflector.bgp.message import frame
from reflector.bgp.multiprotocol import encode_reach, take_apart
from reflector.bgp.nlri import IPNetwork, pack_prefix, split_nlri, unpack_prefix
from reflector.bgp.update import (
    announcement_room,
    pack,
    split_update,
    write_announcements,
    write_withdrawals,
)
from reflector.bgp.vocabulary import (
    IPV4_UNICAST,
    IPV6_UNICAST,
    WELL_KNOWN_COMMUNITIES,
    AttributeCode,
    AttributeFlag,
    ErrorCode,
    Family,
    MessageType,
    SegmentType,
    UpdateSubcode,
)
from reflector.sim import given
from reflector.sim.route import ORIGINS, AsPath, RawAttribute, Route

_WELL_KNOWN: Final = AttributeFlag.TRANSITIVE
_OPTIONAL: Final = AttributeFlag.OPTIONAL
_BOTH: Final = AttributeFlag.OPTIONAL | AttributeFlag.TRANSITIVE

_EXTENDED_SUBTYPES: Final = {"rt": 2, "soo": 3}
_EXTENDED_BYTES: Final = 8

# UPDATEs that are remembered as read.
_REMEMBERED: Final = 1024


@dataclass(slots=True)
class Update:
    """An UPDATE, read. It is shared by all who read the same octets: not to be changed.

    Attributes:
        withdrawn: Prefixes with their path identifiers, None in a session without.
        routes: What it announces.
        end_of_rib: The family whose End-of-RIB marker this is, None of most (RFC 4724 2).
    """

    withdrawn: list[tuple[str, int | None]] = field(default_factory=list)
    routes: list[Route] = field(default_factory=list)
    end_of_rib: str | None = None


# Writing.


def write_routes(
    routes: Iterable[Route],
    *,
    as4: bool,
    reach_last: bool = False,
    most_bytes: int = MAX_MESSAGE_BYTES,
) -> bytes:
    """The UPDATEs that announce routes; those with the same attributes share messages.

    Args:
        routes: To announce.
        as4: Whether the session uses four-octet AS numbers.
        reach_last: Whether MP_REACH_NLRI comes in the order of attribute codes and not first.
        most_bytes: Of a message: more than usual in a session with extended ones (RFC 8654).

    Raises:
        ValueError: A value can't be written, or the attributes outgrow a message.
    """
    groups: dict[tuple[Family, bytes, bytes], list[bytes]] = {}
    for route in routes:
        block = encode_attributes(route)
        network = ip_network(route.prefix)
        family = IPV4_UNICAST if network.version == 4 else IPV6_UNICAST  # noqa: PLR2004
        key = (family, block if as4 else narrow(block), _next_hop(route))
        groups.setdefault(key, []).append(_nlri(network, route.path_id))
    messages = []
    for (family, block, next_hop), prefixes in groups.items():
        if announcement_room(family, block, next_hop, most_bytes) < max(map(len, prefixes)):
            raise ValueError(f"attributes of {len(block)} octets leave no room for a prefix")
        if family is IPV4_UNICAST or not reach_last:
            messages.append(write_announcements(family, block, next_hop, prefixes, most_bytes))
        else:
            messages += _with_reach_in_order(family, block, next_hop, prefixes, most_bytes)
    return b"".join(messages)


def _with_reach_in_order(
    family: Family, block: bytes, next_hop: bytes, prefixes: list[bytes], most_bytes: int
) -> Iterable[bytes]:
    at = 0
    while at < len(block) and block[at + 1] < AttributeCode.MP_REACH_NLRI:
        at = locate(block, at)[3]
    for nlri in pack(prefixes, announcement_room(family, block, next_hop, most_bytes)):
        whole = block[:at] + encode_reach(family, next_hop, nlri) + block[at:]
        yield frame(MessageType.UPDATE, b"\0\0" + len(whole).to_bytes(2) + whole)


def write_withdrawal(prefixes: Iterable[tuple[str, int | None]]) -> bytes:
    """The UPDATEs that withdraw prefixes, each with its path identifier or None without."""
    by_family: dict[Family, list[bytes]] = {}
    for prefix, path_id in prefixes:
        network = ip_network(prefix)
        family = IPV4_UNICAST if network.version == 4 else IPV6_UNICAST  # noqa: PLR2004
        by_family.setdefault(family, []).append(_nlri(network, path_id))
    return b"".join(write_withdrawals(family, packed) for family, packed in by_family.items())


def _nlri(network: IPNetwork, path_id: int | None) -> bytes:
    ahead = b"" if path_id is None else given.octets("path_id", path_id, PATH_ID_BYTES)
    return ahead + pack_prefix(network)


def _next_hop(route: Route) -> bytes:
    """Its octets; to IPv6 routes a link-local address may belong, too (RFC 2545 3)."""
    hops = [given.address("next_hop", each) for each in str(route.next_hop or "").split()]
    version, most = (4, 1) if route.family == "ipv4" else (6, 2)
    if len(hops) > most or any(hop.version != version for hop in hops):
        raise ValueError(
            f"{route.next_hop!r} is no next hop of an {route.family} route such as {route.prefix}: "
            "`Peer.send` takes octets that are wrong on purpose"
        )
    return b"".join(hop.packed for hop in hops)


def encode_attributes(route: Route) -> bytes:
    """A route's path attributes in the order of their codes, MP_REACH_NLRI excepted.

    Raises:
        ValueError: A value can't be written; with a sentence that names it.
    """
    values: dict[int, RawAttribute] = {}

    def put(flags: int, code: int, value: bytes) -> None:
        values[code] = RawAttribute(flags, code, value)

    put(_WELL_KNOWN, AttributeCode.ORIGIN, _origin(route.origin))
    put(_WELL_KNOWN, AttributeCode.AS_PATH, _as_path(route.as_path))
    if route.family == "ipv4" and route.next_hop is not None:
        put(_WELL_KNOWN, AttributeCode.NEXT_HOP, _next_hop(route))
    if route.med is not None:
        put(_OPTIONAL, AttributeCode.MULTI_EXIT_DISC, given.octets("med", route.med, 4))
    if route.local_pref is not None:
        put(_WELL_KNOWN, AttributeCode.LOCAL_PREF, given.octets("local_pref", route.local_pref, 4))
    if route.communities:
        listed = given.listed("communities", route.communities, '["64512:1"]')
        put(_BOTH, AttributeCode.COMMUNITIES, b"".join(map(_community, listed)))
    if route.originator_id is not None:
        originator = given.ipv4("originator_id", route.originator_id)
        put(_OPTIONAL, AttributeCode.ORIGINATOR_ID, originator.packed)
    if route.cluster_list:
        listed = given.listed("cluster_list", route.cluster_list, '["10.0.0.1"]')
        packed = b"".join(given.ipv4("cluster_list", each).packed for each in listed)
        put(_OPTIONAL, AttributeCode.CLUSTER_LIST, packed)
    if route.extended_communities:
        listed = given.listed("extended_communities", route.extended_communities, '["rt:64512:1"]')
        packed = b"".join(map(_extended_community, listed))
        put(_BOTH, AttributeCode.EXTENDED_COMMUNITIES, packed)
    if route.large_communities:
        listed = given.listed("large_communities", route.large_communities, '["64512:1:2"]')
        packed = b"".join(map(_large_community, listed))
        put(_BOTH, AttributeCode.LARGE_COMMUNITIES, packed)
    values.update(route.raw)
    return b"".join(encode_attribute(*values[code]) for code in sorted(values))


def _origin(origin: object) -> bytes:
    if origin is None:
        origin = "igp"
    if origin not in ORIGINS:
        raise ValueError(f"origin is {origin!r}: write one of {', '.join(ORIGINS)}")
    return bytes((ORIGINS.index(origin),))


def _as_path(path: AsPath) -> bytes:
    segments: list[tuple[int, list[int]]] = []
    given.listed("as_path", path, "[65001, 65002]")
    for each in path:
        if isinstance(each, frozenset):
            segments.append((SegmentType.AS_SET, sorted(each)))
        elif segments and segments[-1][0] == SegmentType.AS_SEQUENCE and len(segments[-1][1]) < 255:  # noqa: PLR2004 - one octet counts them
            segments[-1][1].append(each)
        else:
            segments.append((SegmentType.AS_SEQUENCE, [each]))
    return b"".join(
        bytes((kind, len(numbers))) + b"".join(given.octets("as_path", asn, 4) for asn in numbers)
        for kind, numbers in segments
    )


def _community(text: object) -> bytes:
    return WELL_KNOWN_COMMUNITIES.get(str(text)) or _numbers(text, 2, 2)


def _large_community(text: object) -> bytes:
    return _numbers(text, 3, 4)


def _extended_community(community: object) -> bytes:
    """The eight octets of an extended community (RFC 4360 3 and 4, RFC 5668 2)."""
    text = str(community)
    with suppress(ValueError, OverflowError):
        if text.startswith("0x"):
            packed = bytes.fromhex(text[2:])
        else:
            name, administrator, number = text.split(":")
            packed = bytes((_EXTENDED_SUBTYPES[name],)) if name in _EXTENDED_SUBTYPES else b""
            if "." in administrator:
                packed = (
                    b"\x01" + packed + IPv4Address(administrator).packed + int(number).to_bytes(2)
                )
            elif int(administrator) < 1 << 16:
                packed = b"\x00" + packed + int(administrator).to_bytes(2) + int(number).to_bytes(4)
            else:
                packed = b"\x02" + packed + int(administrator).to_bytes(4) + int(number).to_bytes(2)
        if len(packed) == _EXTENDED_BYTES:
            return packed
    raise ValueError(
        f"{text!r} is no extended community: write rt:N:N, soo:N:N, or 0x and 16 hexadecimal digits"
    )


def _numbers(community: object, count: int, octets: int) -> bytes:
    parts = str(community).split(":")
    if len(parts) == count and all(part.isdecimal() for part in parts):
        with suppress(OverflowError):
            return b"".join(int(part).to_bytes(octets) for part in parts)
    wanted, most = ":".join("N" * count), (1 << 8 * octets) - 1
    named = f", or one of {', '.join(WELL_KNOWN_COMMUNITIES)}" if count == 2 else ""  # noqa: PLR2004
    raise ValueError(f"{community!r} is no community: write {wanted}, N up to {most}{named}")


# Reading.


@lru_cache(maxsize=_REMEMBERED)
def read(body: bytes, *, as4: bool, add_path: frozenset[Family] = frozenset()) -> Update:
    """Read the body of an UPDATE. Peers of one speaker are mostly sent the same ones.

    Args:
        body: What follows the message header.
        as4: Whether the session uses four-octet AS numbers.
        add_path: Families whose prefixes come with path identifiers (RFC 7911 3).

    Raises:
        SessionError: It can't be read, and what a speaker has to answer to that.
    """
    withdrawn, block, nlri = split_update(body)
    update = Update()
    update.withdrawn += _prefixes(withdrawn, IPV4_UNICAST, add_path)
    parts = take_apart(block)
    attributes = _split(parts.plain if as4 else widen(parts.plain))
    if parts.unreach is not None and parts.unreach.family is not None:
        update.withdrawn += _prefixes(parts.unreach.nlri, parts.unreach.family, add_path)
    if nlri:
        next_hop = attributes.get(AttributeCode.NEXT_HOP, RawAttribute(0, 0, b"")).value
        update.routes += _routes(_prefixes(nlri, IPV4_UNICAST, add_path), attributes, next_hop)
    if parts.reach is not None and parts.reach.family is not None:
        prefixes = _prefixes(parts.reach.nlri, parts.reach.family, add_path)
        update.routes += _routes(prefixes, attributes, parts.reach.next_hop)
    if not (withdrawn or block or nlri):
        update.end_of_rib = "ipv4"
    elif parts.unreach and parts.unreach.family and not parts.unreach.nlri and not parts.plain:
        update.end_of_rib = None if nlri or parts.reach else parts.unreach.family.name
    return update


def _prefixes(
    field: bytes, family: Family, add_path: frozenset[Family]
) -> list[tuple[str, int | None]]:
    if family not in add_path:
        packed = split_nlri(field, family.max_prefix_bits)
        return [(str(unpack_prefix(each, family)), None) for each in packed]
    return [
        (
            str(unpack_prefix(each[PATH_ID_BYTES:], family)),
            int.from_bytes(each[:PATH_ID_BYTES]),
        )
        for each in split_identified(field, family.max_prefix_bits)
    ]


def _split(block: bytes) -> dict[int, RawAttribute]:
    attributes: dict[int, RawAttribute] = {}
    position = 0
    while position < len(block):
        flags, code, start, stop = locate(block, position)
        if stop > len(block):
            raise _malformed("an attribute runs past the end of the attributes")
        attributes.setdefault(code, RawAttribute(flags, code, block[start:stop]))
        position = stop
    return attributes


def _routes(
    prefixes: list[tuple[str, int | None]], attributes: dict[int, RawAttribute], next_hop: bytes
) -> list[Route]:
    def value(code: int) -> bytes:
        found = attributes.get(code)
        return b"" if found is None else found.value

    def number(code: int) -> int | None:
        return int.from_bytes(attributes[code].value) if code in attributes else None

    origin = number(AttributeCode.ORIGIN)
    originator = value(AttributeCode.ORIGINATOR_ID)
    try:
        read_out = Route(
            prefix="",
            next_hop=describe_next_hop(next_hop) or None,
            origin=ORIGINS[origin] if origin is not None and origin < len(ORIGINS) else None,
            as_path=_read_as_path(value(AttributeCode.AS_PATH)),
            local_pref=number(AttributeCode.LOCAL_PREF),
            med=number(AttributeCode.MULTI_EXIT_DISC),
            communities=tuple(communities(value(AttributeCode.COMMUNITIES))),
            large_communities=tuple(large_communities(value(AttributeCode.LARGE_COMMUNITIES))),
            extended_communities=tuple(
                extended_communities(value(AttributeCode.EXTENDED_COMMUNITIES))
            ),
            originator_id=str(IPv4Address(originator)) if originator else None,
            cluster_list=tuple(
                str(IPv4Address(each))
                for (each,) in iter_unpack(">4s", value(AttributeCode.CLUSTER_LIST))
            ),
            raw=attributes,
        )
    except (ValueError, LookupError, struct_error) as error:
        raise _malformed(f"an attribute's value can't be read: {error}") from error
    return [replace(read_out, prefix=prefix, path_id=path_id) for prefix, path_id in prefixes]


def _read_as_path(value: bytes) -> tuple[int | frozenset[int], ...]:
    path: list[int | frozenset[int]] = []
    position = 0
    while position < len(value):
        kind, count = value[position], value[position + 1]
        numbers = unpack_from(f">{count}I", value, position + 2)
        if kind == SegmentType.AS_SET:
            path.append(frozenset(numbers))
        else:
            path.extend(numbers)
        position += 2 + 4 * count
    return tuple(path)


def _malformed(reason: str) -> SessionError:
    return SessionError(
        ErrorCode.UPDATE_MESSAGE, UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, f"UPDATE: {reason}"
    )
