"""BGP on the wire, put together octet by octet, without the code that is under test.

Nothing here checks what it is given: tests need wrong messages as much as right ones.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

ASN: Final = 64512
MARKER: Final = b"\xff" * 16

OPEN, UPDATE, NOTIFICATION, KEEPALIVE, ROUTE_REFRESH = 1, 2, 3, 4, 5

IPV4: Final = (1, 1)
IPV6: Final = (2, 1)

# Attribute flags: well-known, optional non-transitive, optional transitive.
WELL_KNOWN: Final = 0x40
OPTIONAL: Final = 0x80
BOTH: Final = 0xC0
PARTIAL: Final = 0x20
EXTENDED: Final = 0x10


def message(kind: int, body: bytes = b"", *, length: int | None = None) -> bytes:
    """Return a message with its header; `length` overrides the length that it claims."""
    claimed = 19 + len(body) if length is None else length
    return MARKER + struct.pack("!HB", claimed, kind) + body


def keepalive() -> bytes:
    """Return a KEEPALIVE."""
    return message(KEEPALIVE)


def notification(code: int, subcode: int, data: bytes = b"") -> bytes:
    """Return a NOTIFICATION."""
    return message(NOTIFICATION, bytes((code, subcode)) + data)


def refresh(afi: int = 1, safi: int = 1, subtype: int = 0) -> bytes:
    """Return a ROUTE-REFRESH."""
    return message(ROUTE_REFRESH, struct.pack("!HBB", afi, subtype, safi))


# OPEN.


def capability(code: int, value: bytes = b"") -> bytes:
    """Return one capability."""
    return bytes((code, len(value))) + value


def parameter(kind: int, value: bytes) -> bytes:
    """Return one optional parameter."""
    return bytes((kind, len(value))) + value


def capabilities(
    *,
    asn: int | None = ASN,
    families: tuple[tuple[int, int], ...] | None = (IPV4, IPV6),
    route_refresh: bool = True,
) -> bytes:
    """Return the capabilities that a usual speaker sends."""
    parts = [capability(1, struct.pack("!HBB", afi, 0, safi)) for afi, safi in families or ()]
    if route_refresh:
        parts.append(capability(2))
    if asn is not None:
        parts.append(capability(65, asn.to_bytes(4)))
    return b"".join(parts)


def open_body(
    *,
    version: int = 4,
    my_as: int = ASN,
    hold_time_s: int = 90,
    router_id: str = "10.0.0.1",
    parameters: bytes | None = None,
) -> bytes:
    """Return the body of an OPEN; `parameters` are the Optional Parameters without their length."""
    if parameters is None:
        parameters = parameter(2, capabilities())
    fixed = struct.pack("!BHH", version, my_as, hold_time_s) + IPv4Address(router_id).packed
    return fixed + bytes((len(parameters),)) + parameters


def open_message(
    *,
    version: int = 4,
    my_as: int = ASN,
    hold_time_s: int = 90,
    router_id: str = "10.0.0.1",
    parameters: bytes | None = None,
) -> bytes:
    """Return an OPEN; `parameters` are the Optional Parameters without their length."""
    body = open_body(
        version=version,
        my_as=my_as,
        hold_time_s=hold_time_s,
        router_id=router_id,
        parameters=parameters,
    )
    return message(OPEN, body)


# UPDATE.


def prefix(text: str) -> bytes:
    """Return a prefix as NLRI."""
    network = ip_network(text)
    octets = (network.prefixlen + 7) // 8
    return bytes((network.prefixlen,)) + network.network_address.packed[:octets]


def prefixes(*texts: str, path_id: int | None = None) -> bytes:
    """Return prefixes as a field of NLRI, each behind a path identifier if there is one."""
    ahead = b"" if path_id is None else path_id.to_bytes(4)
    return b"".join(ahead + prefix(text) for text in texts)


def attribute(flags: int, code: int, value: bytes = b"") -> bytes:
    """Return an attribute; its length has two octets if the flags or the value say so."""
    if flags & EXTENDED or len(value) > 255:
        return struct.pack("!BBH", flags | EXTENDED, code, len(value)) + value
    return bytes((flags, code, len(value))) + value


def origin(value: int = 0) -> bytes:
    """Return ORIGIN."""
    return attribute(WELL_KNOWN, 1, bytes((value,)))


def sequence(*numbers: int, width: int = 4) -> bytes:
    """Return an AS_SEQUENCE segment."""
    return bytes((2, len(numbers))) + b"".join(n.to_bytes(width) for n in numbers)


def as_set(*numbers: int, width: int = 4) -> bytes:
    """Return an AS_SET segment."""
    return bytes((1, len(numbers))) + b"".join(n.to_bytes(width) for n in numbers)


def as_path(*segments: bytes) -> bytes:
    """Return AS_PATH."""
    return attribute(WELL_KNOWN, 2, b"".join(segments))


def next_hop(address: str = "10.0.0.1") -> bytes:
    """Return NEXT_HOP."""
    return attribute(WELL_KNOWN, 3, IPv4Address(address).packed)


def med(value: int) -> bytes:
    """Return MULTI_EXIT_DISC."""
    return attribute(OPTIONAL, 4, value.to_bytes(4))


def local_pref(value: int = 100) -> bytes:
    """Return LOCAL_PREF."""
    return attribute(WELL_KNOWN, 5, value.to_bytes(4))


def communities(*values: int) -> bytes:
    """Return COMMUNITIES."""
    return attribute(BOTH, 8, b"".join(value.to_bytes(4) for value in values))


def originator_id(router_id: str) -> bytes:
    """Return ORIGINATOR_ID."""
    return attribute(OPTIONAL, 9, IPv4Address(router_id).packed)


def cluster_list(*ids: str) -> bytes:
    """Return CLUSTER_LIST."""
    return attribute(OPTIONAL, 10, b"".join(IPv4Address(each).packed for each in ids))


def mp_reach(family: tuple[int, int], via: str | bytes, nlri: bytes) -> bytes:
    """Return MP_REACH_NLRI."""
    hop = via if isinstance(via, bytes) else ip_address(via).packed
    value = struct.pack("!HBB", *family, len(hop)) + hop + b"\0" + nlri
    return attribute(OPTIONAL, 14, value)


def mp_unreach(family: tuple[int, int], nlri: bytes) -> bytes:
    """Return MP_UNREACH_NLRI."""
    return attribute(OPTIONAL, 15, struct.pack("!HB", *family) + nlri)


def usual(**replaced: bytes) -> bytes:
    """Return ORIGIN, AS_PATH, NEXT_HOP and LOCAL_PREF, with some replaced or, if empty, left out.

    Args:
        replaced: By the names origin, as_path, next_hop, local_pref; more is put behind.
    """
    parts = {
        "origin": origin(),
        "as_path": as_path(),
        "next_hop": next_hop(),
        "local_pref": local_pref(),
    }
    parts.update(replaced)
    return b"".join(parts.values())


def update_body(nlri: bytes = b"", attributes: bytes = b"", withdrawn: bytes = b"") -> bytes:
    """Return the body of an UPDATE."""
    lengths = len(withdrawn).to_bytes(2), len(attributes).to_bytes(2)
    return lengths[0] + withdrawn + lengths[1] + attributes + nlri


def update(nlri: bytes = b"", attributes: bytes = b"", withdrawn: bytes = b"") -> bytes:
    """Return an UPDATE."""
    return message(UPDATE, update_body(nlri, attributes, withdrawn))


def announce(*texts: str, attributes: bytes | None = None, path_id: int | None = None) -> bytes:
    """Return the body of an UPDATE that announces IPv4 prefixes."""
    nlri = prefixes(*texts, path_id=path_id)
    return update_body(nlri, usual() if attributes is None else attributes)


def announce6(
    *texts: str,
    via: str | bytes = "2001:db8::1",
    attributes: bytes | None = None,
    path_id: int | None = None,
) -> bytes:
    """Return the body of an UPDATE that announces IPv6 prefixes."""
    others = usual(next_hop=b"") if attributes is None else attributes
    nlri = prefixes(*texts, path_id=path_id)
    return update_body(attributes=mp_reach(IPV6, via, nlri) + others)


def withdraw(*texts: str, path_id: int | None = None) -> bytes:
    """Return the body of an UPDATE that withdraws IPv4 prefixes."""
    return update_body(withdrawn=prefixes(*texts, path_id=path_id))


def withdraw6(*texts: str, path_id: int | None = None) -> bytes:
    """Return the body of an UPDATE that withdraws IPv6 prefixes."""
    return update_body(attributes=mp_unreach(IPV6, prefixes(*texts, path_id=path_id)))
