"""Messages for people: each taken apart field by field, and said in one line.

Whatever stands in a message is shown, sensible or not: this judges nothing, and nothing here raises.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from reflector.bgp.add_path import PATH_ID_BYTES, split_identified, without_path_ids
from reflector.bgp.as4 import widen
from reflector.bgp.attributes import locate
from reflector.bgp.capability_words import capability_name, explain_capability
from reflector.bgp.codec import decode_open, decode_route_refresh, split_capabilities
from reflector.bgp.cutting import OCTETS
from reflector.bgp.describe import describe_next_hop, flag_names, read_attribute
from reflector.bgp.errors import SessionError
from reflector.bgp.multiprotocol import take_apart
from reflector.bgp.nlri import split_nlri, unpack_prefix
from reflector.bgp.notification import Notification
from reflector.bgp.open import Open
from reflector.bgp.update import split_update
from reflector.bgp.vocabulary import (
    FAMILIES,
    IPV4_UNICAST,
    AttributeCode,
    Family,
    MessageType,
    RefreshSubtype,
)

Details = dict[str, Any]

Kind = Literal["OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "ROUTE-REFRESH", "octets"]
KINDS: Final[dict[int, Kind]] = {
    OCTETS: "octets",
    MessageType.OPEN: "OPEN",
    MessageType.UPDATE: "UPDATE",
    MessageType.NOTIFICATION: "NOTIFICATION",
    MessageType.KEEPALIVE: "KEEPALIVE",
    MessageType.ROUTE_REFRESH: "ROUTE-REFRESH",
}

# Prefixes of one UPDATE, and octets of what can't be read, that a line shows.
_SHOWN_PREFIXES: Final = 4
_SHOWN_BYTES: Final = 32
# Prefixes of one UPDATE that its details have; the rest is counted.
_LISTED_PREFIXES: Final = 100

_SUBTYPES: Final = {RefreshSubtype.BEGIN: " begins", RefreshSubtype.END: " ends"}


@dataclass(slots=True)
class Words:
    """A message, read.

    Attributes:
        says: In one line; empty where its type says all.
        details: Its fields, ready for JSON.
        fault: Why it can't be read, empty where it can.
    """

    says: str = ""
    details: Details = field(default_factory=dict)
    fault: str = ""


def read_message(
    message_type: int, body: bytes, *, as4: bool, add_path: frozenset[Family] = frozenset()
) -> Words:
    """Read a message.

    Args:
        message_type: Of its header, or `cutting.OCTETS`.
        body: What follows the header.
        as4: Whether AS numbers in it have four octets.
        add_path: Families whose prefixes stand behind path identifiers (RFC 7911 3).
    """
    try:
        if message_type == MessageType.UPDATE:
            return _update(body, as4=as4, add_path=add_path)
        return _READERS[message_type](body)
    except SessionError as error:
        return Words(
            f"{hex_words(body)} (malformed: {error.reason})",
            {"octets_hex": body.hex()},
            error.reason,
        )


def describe_notification(notification: Notification) -> str:
    """A NOTIFICATION in words: numbers, names, text and data."""
    said = f"{notification.code}/{notification.subcode} {notification.name}"
    if notification.text:
        return f'{said} "{notification.text}"'
    return f"{said}, data {hex_words(notification.data)}" if notification.data else said


def hex_words(octets: bytes) -> str:
    """The first octets in hex."""
    shown = octets[:_SHOWN_BYTES].hex(" ")
    return f"{shown} ..." if len(octets) > _SHOWN_BYTES else shown


# Each kind of message.


def _open(body: bytes) -> Words:
    said = decode_open(body)
    words = [
        f"AS {said.asn}, hold time {said.hold_time_s} s, router id {said.bgp_id}",
        *_offers(said),
    ]
    return Words(
        ", ".join(words),
        {
            "version": said.version,
            "my_as": said.my_as,
            "hold_time_s": said.hold_time_s,
            "router_id": str(said.bgp_id),
            "capabilities": [
                {
                    "code": code,
                    "name": capability_name(code),
                    "says": explain_capability(code, value),
                    "value_hex": value.hex(),
                }
                for code, value in split_capabilities(body[9:])
            ],
        },
    )


def _offers(said: Open) -> Iterator[str]:
    found = said.capabilities
    if found.families is not None:
        yield " and ".join(map(_family, sorted(found.families)))
    if found.graceful_restart is not None:
        restart = found.graceful_restart
        yield f"graceful restart {restart.restart_time_s} s{' (restarting)' * restart.restarting}"
    if found.host_name:
        yield f"host name {found.host_name}"
    if found.software_version:
        yield f"software {found.software_version}"
    shown = {1, 64, 73, 75}
    for code in dict.fromkeys(found.codes):
        if code not in shown:
            yield capability_name(code)


def _update(body: bytes, *, as4: bool, add_path: frozenset[Family]) -> Words:
    withdrawn_field, block, nlri = split_update(body)
    parts = take_apart(block)
    plain = parts.plain if as4 else widen(parts.plain)
    attributes = list(_attributes(plain))
    next_hop = next((each["value"] for each in attributes if each["name"] == "next_hop"), None)

    def routes(family: Family, packed: bytes) -> Details:
        return _routes(family, packed, identified=family in add_path)

    withdrawn = [routes(IPV4_UNICAST, withdrawn_field)] if withdrawn_field else []
    announced = [{"next_hop": next_hop, **routes(IPV4_UNICAST, nlri)}] if nlri else []
    reach, unreach = parts.reach, parts.unreach
    if reach is not None and reach.family is not None:
        hop = describe_next_hop(reach.next_hop)
        announced.append({"next_hop": hop, **routes(reach.family, reach.nlri)})
    if unreach is not None and unreach.family is not None and unreach.nlri:
        withdrawn.append(routes(unreach.family, unreach.nlri))
    details: Details = {"announced": announced, "withdrawn": withdrawn, "attributes": attributes}
    if not (announced or withdrawn or plain or reach):
        # RFC 4724 2: without anything it is IPv4's, else the one whose withdrawals are none.
        family = unreach.family if unreach is not None else IPV4_UNICAST
        if family is not None:
            return Words(f"End-of-RIB {family}", details | {"end_of_rib": family.name})
    return Words(_say_update(details, unknown=reach is not None and reach.family is None), details)


def _say_update(details: Details, *, unknown: bool) -> str:
    words = [f"announces {_few(each)} via {each['next_hop']}" for each in details["announced"]]
    if words:
        words[-1] = ", ".join([words[-1], *_said_of(details["attributes"])])
    words += [f"withdraws {_few(each)}" for each in details["withdrawn"]]
    if unknown:
        words.append("announces routes of a family that is none of ours")
    return "; ".join(words) or "no routes"


def _attributes(block: bytes) -> Iterator[Details]:
    position = 0
    while position < len(block):
        flags, code, start, stop = locate(block, position)
        if stop > len(block):
            yield {"code": code, "name": "cut off", "value_hex": block[position:].hex()}
            return
        name, value = read_attribute(code, block[start:stop])
        shown: Details = {"code": code, "name": name, "flags": flag_names(flags)}
        yield shown | (
            {"value": None, "value_hex": block[start:stop].hex()}
            if value is None
            else {"value": value}
        )
        position = stop


def _said_of(attributes: list[Details]) -> Iterator[str]:
    """What a line says of attributes, next hop excepted."""
    for each in attributes:
        value = each.get("value")
        if each["code"] == AttributeCode.NEXT_HOP or value == "":
            continue
        match value:
            case None:
                yield f"{each['name']} 0x{each['value_hex']}"
            case True:
                yield str(each["name"])
            case list():
                yield f"{each['name']} {' '.join(value)}"
            case {"asn": asn, "address": address}:
                yield f"{each['name']} AS {asn} {address}"
            case _:
                yield f"{each['name']} {value}"


def _routes(family: Family, packed: bytes, *, identified: bool) -> Details:
    split = split_identified if identified else split_nlri
    found = split(packed, family.max_prefix_bits)
    listed = found[:_LISTED_PREFIXES]
    prefixes = without_path_ids(listed) if identified else listed
    details: Details = {
        "family": family.name,
        "prefixes": [str(unpack_prefix(each, family)) for each in prefixes],
        "count": len(found),
    }
    if identified:
        details["path_ids"] = [int.from_bytes(each[:PATH_ID_BYTES]) for each in listed]
    return details


def _few(routes: Details) -> str:
    prefixes = routes["prefixes"][:_SHOWN_PREFIXES]
    if "path_ids" in routes:
        pairs = zip(prefixes, routes["path_ids"], strict=False)
        prefixes = [f"{prefix} (path {path_id})" for prefix, path_id in pairs]
    more = routes["count"] - len(prefixes)
    return ", ".join(prefixes) + (f", and {more} more" if more > 0 else "")


def _notification(body: bytes) -> Words:
    said = Notification.decode(body)
    return Words(
        describe_notification(said),
        {
            "code": said.code,
            "subcode": said.subcode,
            "name": said.name,
            "text": said.text,
            "data_hex": said.data.hex(),
            "means": _MEANINGS.get((said.code, said.subcode))
            or _MEANINGS.get((said.code, None), ""),
        },
    )


def _route_refresh(body: bytes) -> Words:
    afi, subtype, safi = decode_route_refresh(body)
    family = _family((afi, safi))
    return Words(
        f"{family}{_SUBTYPES.get(subtype, '')}",
        {
            "family": family,
            "subtype": subtype,
            "means": _REFRESHES.get(subtype, "a subtype that no RFC names"),
        },
    )


def _family(pair: tuple[int, int]) -> str:
    return str(FAMILIES.get(pair) or f"AFI/SAFI {pair[0]}/{pair[1]}")


def _octets(body: bytes) -> Words:
    return Words(f"{len(body)}, {hex_words(body)}", {"octets_hex": body.hex()})


_READERS: Final[dict[int, Callable[[bytes], Words]]] = {
    OCTETS: _octets,
    MessageType.OPEN: _open,
    MessageType.NOTIFICATION: _notification,
    MessageType.KEEPALIVE: lambda _body: Words(),
    MessageType.ROUTE_REFRESH: _route_refresh,
}

# RFC 2918 4, RFC 7313 4.
_REFRESHES: Final = {
    RefreshSubtype.REQUEST: "the sender asks to be told all routes again",
    RefreshSubtype.BEGIN: "all routes follow once more",
    RefreshSubtype.END: "that was all; what was not told again is gone",
}

# RFC 4271 6, RFC 4486 4, RFC 5492 5, RFC 6608 3, RFC 7313 5, RFC 9687 3: by code, and by subcode where
# that says more.
_MEANINGS: Final[dict[tuple[int, int | None], str]] = {
    (1, None): "the sender could not find a BGP message in what it received",
    (2, None): "the sender could not accept the OPEN that it received",
    (2, 1): "the sender speaks another version of BGP",
    (2, 2): "the sender expects another AS number on the other side",
    (2, 3): "the sender can't accept the other side's router id: it is zero, or its own",
    (2, 4): "the OPEN held an optional parameter that the sender does not know",
    (2, 6): "the sender does not accept the proposed hold time",
    (2, 7): "the sender misses a capability, most often an address family",
    (2, 11): "the roles of the two sides don't fit (RFC 9234)",
    (3, None): "the sender could not accept an UPDATE that it received",
    (4, None): "the sender heard nothing for the hold time",
    (5, None): "the sender received a message that does not belong to the state it was in",
    (6, None): "the sender ends the session; nothing was wrong with a message",
    (6, 1): "the other side announced more prefixes than the sender allows",
    (6, 2): "the sender is being shut down, or its operator ended the session",
    (6, 3): "the sender's configuration does not have this peer any more",
    (6, 4): "the sender's operator resets the session; it may come back at once",
    (6, 5): "the sender does not take connections from this address",
    (6, 6): "the sender's configuration of this peer has changed",
    (6, 7): "both sides connected at once; the sender keeps the other connection",
    (6, 8): "the sender has no room for this session",
    (6, 9): "the sender ends the session for good: routes are not to be kept (RFC 8538)",
    (6, 10): "the sender believes that the path to the other side is down (RFC 9384)",
    (7, None): "the sender could not read a ROUTE-REFRESH that it received",
    (8, None): "the other side has read nothing for so long that the sender gave up (RFC 9687)",
}
