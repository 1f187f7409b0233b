"""Path attributes for people: what `attributes` keeps as bytes, read out into values with names.

Nothing here is on the reflecting path. What was judged is well-formed, so nothing here can fail.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address
from struct import error as struct_error
from struct import iter_unpack, unpack_from
from typing import Final

from reflector.bgp.attributes import PathAttributes, split_attributes
from reflector.bgp.vocabulary import (
    WELL_KNOWN_COMMUNITIES,
    AttributeCode,
    AttributeFlag,
    SegmentType,
)

ORIGINS: Final = ("IGP", "EGP", "incomplete")

_COMMUNITY_NAMES: Final = {packed: name for name, packed in WELL_KNOWN_COMMUNITIES.items()}

# RFC 4360 3 to 5, RFC 5668 2: transitive types, and the subtypes that they share.
_EXTENDED_SUBTYPES: Final = {2: "rt", 3: "soo"}
_TWO_OCTET_AS: Final = 0
_IPV4_ADDRESS: Final = 1
_FOUR_OCTET_AS: Final = 2


def describe_attributes(attributes: PathAttributes) -> dict[str, object]:
    """Read path attributes out, next hop excepted.

    Args:
        attributes: Judged, and not refused.

    Returns:
        Ready for JSON; of the optional attributes only those that are present.
    """
    described: dict[str, object] = {
        "origin": ORIGINS[attributes.origin],
        "as_path": "",
        "local_pref": attributes.local_pref,
    }
    unknown: list[dict[str, object]] = []
    block = attributes.ahead + attributes.middle + attributes.behind
    for flags, code, value, _ in split_attributes(block):
        reader = _READERS.get(code)
        if reader is not None:
            name, read = reader
            described[name] = read(value)
        elif code not in _READ_BEFORE:
            unknown.append({"code": code, "flags": flag_names(flags), "value_hex": value.hex()})
    if attributes.originator_id:
        described["originator_id"] = str(IPv4Address(attributes.originator_id))
    if attributes.cluster_list:
        described["cluster_list"] = _addresses(attributes.cluster_list)
    if unknown:
        described["unknown_attributes"] = unknown
    return described


def describe_next_hop(next_hop: bytes) -> str:
    """A next hop as addresses: with IPv6 a link-local one may follow the global (RFC 2545 3).

    Args:
        next_hop: As the path has it; empty where it depends on the peer that is told.
    """
    size = 4 if len(next_hop) == 4 else 16  # noqa: PLR2004 - octets of an IPv4 address
    parts = [next_hop[i : i + size] for i in range(0, len(next_hop), size)]
    return " ".join(_address(part) for part in parts)


def as_path(value: bytes) -> str:
    """AS_PATH as it is commonly written, an AS_SET in braces: "64513 64514 {64515,64516}"."""
    words: list[str] = []
    position = 0
    while position < len(value):
        kind, count = value[position], value[position + 1]
        numbers = list(map(str, unpack_from(f">{count}I", value, position + 2)))
        if kind == SegmentType.AS_SET:
            words.append("{" + ",".join(numbers) + "}")
        else:
            words.extend(numbers)
        position += 2 + 4 * count
    return " ".join(words)


def communities(value: bytes) -> list[str]:
    """COMMUNITIES as "64512:1", well-known ones by name."""
    return [
        _COMMUNITY_NAMES.get(packed) or f"{packed[0] << 8 | packed[1]}:{packed[2] << 8 | packed[3]}"
        for (packed,) in iter_unpack(">4s", value)
    ]


def large_communities(value: bytes) -> list[str]:
    """LARGE_COMMUNITIES as RFC 8092 5 writes them, "64512:1:2"."""
    return [":".join(map(str, numbers)) for numbers in iter_unpack(">III", value)]


def extended_communities(value: bytes) -> list[str]:
    """EXTENDED_COMMUNITIES: "rt:64512:1", "soo:10.0.0.1:1", others as "0x" and hex."""
    return [_extended_community(item) for (item,) in iter_unpack(">8s", value)]


def aggregator(value: bytes) -> dict[str, object]:
    """AGGREGATOR: who made one route of several."""
    asn, address = unpack_from(">I4s", value)
    return {"asn": asn, "address": str(IPv4Address(address))}


def read_attribute(code: int, value: bytes) -> tuple[str, object]:
    """One attribute as it came, judged or not.

    Args:
        code: Its type code.
        value: Its value, with four-octet AS numbers.

    Returns:
        What it is called, and its value; None where nothing is known of it, or it can't be read.
    """
    name, read = _READERS.get(code) or _RAW_READERS.get(code) or (f"attribute {code}", _unread)
    try:
        return name, read(value)
    except (ValueError, LookupError, struct_error):
        return name, None


def _unread(_: bytes) -> None:
    """Nothing is known of it."""


def _origin(value: bytes) -> str:
    return ORIGINS[value[0]].lower()


def _addresses(value: bytes) -> list[str]:
    return [str(IPv4Address(each)) for (each,) in iter_unpack(">4s", value)]


# By attribute: its name here, and how its value is read.
_READERS: Final[dict[int, tuple[str, Callable[[bytes], object]]]] = {
    AttributeCode.AS_PATH: ("as_path", as_path),
    AttributeCode.MULTI_EXIT_DISC: ("med", int.from_bytes),
    AttributeCode.ATOMIC_AGGREGATE: ("atomic_aggregate", lambda _: True),
    AttributeCode.AGGREGATOR: ("aggregator", aggregator),
    AttributeCode.COMMUNITIES: ("communities", communities),
    AttributeCode.EXTENDED_COMMUNITIES: ("extended_communities", extended_communities),
    AttributeCode.LARGE_COMMUNITIES: ("large_communities", large_communities),
}
# Those that a judged block has elsewhere.
_RAW_READERS: Final[dict[int, tuple[str, Callable[[bytes], object]]]] = {
    AttributeCode.ORIGIN: ("origin", _origin),
    AttributeCode.NEXT_HOP: ("next_hop", lambda value: str(IPv4Address(value))),
    AttributeCode.LOCAL_PREF: ("local_pref", int.from_bytes),
    AttributeCode.ORIGINATOR_ID: ("originator_id", lambda value: str(IPv4Address(value))),
    AttributeCode.CLUSTER_LIST: ("cluster_list", _addresses),
}
_READ_BEFORE: Final = (AttributeCode.ORIGIN, AttributeCode.LOCAL_PREF)


def _extended_community(item: bytes) -> str:
    name = _EXTENDED_SUBTYPES.get(item[1])
    if name is not None and item[0] == _TWO_OCTET_AS:
        asn, number = unpack_from(">HI", item, 2)
        return f"{name}:{asn}:{number}"
    if name is not None and item[0] == _IPV4_ADDRESS:
        address, number = unpack_from(">4sH", item, 2)
        return f"{name}:{IPv4Address(address)}:{number}"
    if name is not None and item[0] == _FOUR_OCTET_AS:
        asn, number = unpack_from(">IH", item, 2)
        return f"{name}:{asn}:{number}"
    return f"0x{item.hex()}"


def flag_names(flags: int) -> list[str]:
    """The flags of an attribute that say something about it (RFC 4271 4.3)."""
    names = []
    if flags & AttributeFlag.OPTIONAL:
        names.append("optional")
    if flags & AttributeFlag.TRANSITIVE:
        names.append("transitive")
    if flags & AttributeFlag.PARTIAL:
        names.append("partial")
    return names


def _address(packed: bytes) -> str:
    address = ip_address(packed)
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        # How an IPv6 route over an IPv4 session names its next hop; plain hex hides that.
        return f"::ffff:{address.ipv4_mapped}"
    return str(address)
