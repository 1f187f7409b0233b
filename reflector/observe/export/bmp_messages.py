"""BMP messages (RFC 7854): what a monitoring station is told, octet by octet."""

import struct
from collections.abc import Mapping
from enum import IntEnum
from typing import Final

from reflector.bgp.events import Closed
from reflector.bgp.message import frame
from reflector.bgp.vocabulary import Family, MessageType
from reflector.rib.source import IPAddress

_VERSION: Final = 3
_COMMON_BYTES: Final = 6


class _Type(IntEnum):
    """RFC 7854 4.1."""

    ROUTE_MONITORING = 0
    STATISTICS_REPORT = 1
    PEER_DOWN = 2
    PEER_UP = 3
    INITIATION = 4
    TERMINATION = 5


# RFC 7854 4.2: flags of the per-peer header.
_IPV6: Final = 0x80
_TWO_OCTET_AS: Final = 0x20

# RFC 7854 4.4: information of an Initiation; 4.5: of a Termination.
_SYSTEM_DESCRIPTION: Final = 1
_SYSTEM_NAME: Final = 2
_REASON: Final = 1
_ADMINISTRATIVELY_CLOSED: Final = 0

# RFC 7854 4.8: kinds of statistics.
_REJECTED_BY_POLICY: Final = 0
_ADJ_RIB_IN: Final = 7
_ADJ_RIB_IN_BY_FAMILY: Final = 9


class DownReason(IntEnum):
    """RFC 7854 4.9."""

    LOCAL_NOTIFICATION = 1
    LOCAL = 2
    REMOTE_NOTIFICATION = 3
    REMOTE = 4


def peer_head(address: IPAddress, asn: int, router_id: bytes, at_s: float, *, as4: bool) -> bytes:
    """The per-peer header (RFC 7854 4.2).

    Args:
        address: Of the peer.
        asn: Its AS number.
        router_id: Its BGP identifier, four octets.
        at_s: Of what follows, in seconds since the epoch.
        as4: Whether its UPDATEs have AS numbers of four octets.
    """
    seconds, microseconds = divmod(round(at_s * 1_000_000), 1_000_000)
    ipv6 = address.version == 6  # noqa: PLR2004 - IP version
    flags = (_IPV6 if ipv6 else 0) | (0 if as4 else _TWO_OCTET_AS)
    global_instance, no_distinguisher = 0, 0
    return struct.pack(
        "!BBQ16sI4sII",
        *(global_instance, flags, no_distinguisher, address_field(address)),
        *(asn, router_id, seconds, microseconds),
    )


def address_field(address: IPAddress) -> bytes:
    """An address in 16 octets: IPv4 in the last four (RFC 7854 4.2)."""
    return address.packed.rjust(16, b"\0")


def initiation(description: str, name: str) -> bytes:
    """Who speaks (RFC 7854 4.3)."""
    body = _information(_SYSTEM_DESCRIPTION, description.encode())
    return _message(_Type.INITIATION, body + _information(_SYSTEM_NAME, name.encode()))


def termination() -> bytes:
    """That was all, because somebody wanted it so (RFC 7854 4.5)."""
    reason = _ADMINISTRATIVELY_CLOSED.to_bytes(2)
    return _message(_Type.TERMINATION, _information(_REASON, reason))


def peer_up(
    head: bytes, local: tuple[IPAddress, int], remote_port: int, opens: tuple[bytes, bytes]
) -> bytes:
    """A session is established (RFC 7854 4.10).

    Args:
        head: The per-peer header.
        local: Our address and port.
        remote_port: The peer's.
        opens: The OPEN that we sent and the one that we received, whole messages.
    """
    ends = address_field(local[0]) + struct.pack("!HH", local[1], remote_port)
    return _message(_Type.PEER_UP, head + ends + b"".join(opens))


def peer_down(head: bytes, closed: Closed) -> bytes:
    """A session is over (RFC 7854 4.9)."""
    if closed.received is not None:
        reason, data = DownReason.REMOTE_NOTIFICATION, closed.received.encode()
    elif closed.sent is not None:
        reason, data = DownReason.LOCAL_NOTIFICATION, closed.sent.encode()
    else:
        reason, data = DownReason.REMOTE, b""
    return _message(_Type.PEER_DOWN, head + bytes((reason,)) + data)


def route_monitoring(head: bytes, update: bytes) -> bytes:
    """An UPDATE, as the peer sent it or could have (RFC 7854 4.6).

    Args:
        head: The per-peer header.
        update: The body of the UPDATE.
    """
    return _message(_Type.ROUTE_MONITORING, head + frame(MessageType.UPDATE, update))


def statistics(head: bytes, rejected: int, held: Mapping[Family, int]) -> bytes:
    """How much a peer has announced (RFC 7854 4.8).

    Args:
        head: The per-peer header.
        rejected: Prefixes that its import policy has rejected until now.
        held: Its prefixes, by family.
    """
    items: list[tuple[int, bytes]] = [
        (_REJECTED_BY_POLICY, (rejected & 0xFFFFFFFF).to_bytes(4)),
        (_ADJ_RIB_IN, sum(held.values()).to_bytes(8)),
    ]
    items += [
        (_ADJ_RIB_IN_BY_FAMILY, struct.pack("!HBQ", family.afi, family.safi, count))
        for family, count in held.items()
    ]
    body = len(items).to_bytes(4) + b"".join(_information(kind, value) for kind, value in items)
    return _message(_Type.STATISTICS_REPORT, head + body)


def _information(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value


def _message(kind: _Type, body: bytes) -> bytes:
    return struct.pack("!BIB", _VERSION, _COMMON_BYTES + len(body), kind) + body
