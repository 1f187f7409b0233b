"""MRT (RFC 6396), the format of route collectors: here the messages of conversations."""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from reflector.bgp.as4 import two_octet_as
from reflector.bgp.cutting import OCTETS
from reflector.observe.export.messages import Conversation
from reflector.rib.source import IPAddress

CONTENT_TYPE: Final = "application/octet-stream"

# RFC 6396 4.4: types with microseconds, and the subtypes by the size of AS numbers.
_BGP4MP_ET: Final = 17
_MESSAGE: Final = 1
_MESSAGE_AS4: Final = 4
# RFC 8050 3: the same where prefixes stand behind path identifiers.
_MESSAGE_ADDPATH: Final = 8
_MESSAGE_AS4_ADDPATH: Final = 9

_AFI: Final = {4: 1, 6: 2}


def record(at_s: float, mrt_type: int, subtype: int, body: bytes) -> bytes:
    """A record with its header (RFC 6396 2), and microseconds where its type has them (3)."""
    at_us = round(at_s * 1_000_000)
    seconds, microseconds = divmod(at_us, 1_000_000)
    if mrt_type == _BGP4MP_ET:
        body = microseconds.to_bytes(4) + body
    return struct.pack("!IHHI", seconds, mrt_type, subtype, len(body)) + body


def messages(
    conversations: Iterable[Conversation], asn: int, clock_offset_s: float
) -> Iterator[bytes]:
    """The messages of conversations, record by record (RFC 6396 4.4.2, 4.4.3).

    Of both directions: what we sent stands with our address as the peer's, as a collector beside the
    peer would have it. Octets that are no message have no place in MRT and are left out.

    Args:
        conversations: Which.
        asn: Our AS number.
        clock_offset_s: What makes of the loop's time seconds since the epoch.
    """
    for conversation in conversations:
        opening = conversation.opening("received")
        remote = 0 if opening is None else opening.asn, conversation.transcript.remote[0]
        local = asn, conversation.transcript.local[0]
        as4 = conversation.as4
        heads = {
            "received": _head(remote, local, as4=as4),
            "sent": _head(local, remote, as4=as4),
        }
        subtypes = {
            "received": _subtype(as4=as4, add_path=bool(conversation.add_path("received"))),
            "sent": _subtype(as4=as4, add_path=bool(conversation.add_path("sent"))),
        }
        for said in conversation.said:
            if said.message_type == OCTETS:
                continue
            body, subtype = heads[said.direction] + said.octets, subtypes[said.direction]
            yield record(said.at_s + clock_offset_s, _BGP4MP_ET, subtype, body)
            if said.times > 1:
                # Of KEEPALIVEs in a row the times of the first and the last are known.
                yield record(said.last_s + clock_offset_s, _BGP4MP_ET, subtype, body)


def _subtype(*, as4: bool, add_path: bool) -> int:
    if add_path:
        return _MESSAGE_AS4_ADDPATH if as4 else _MESSAGE_ADDPATH
    return _MESSAGE_AS4 if as4 else _MESSAGE


def _head(peer: tuple[int, IPAddress], local: tuple[int, IPAddress], *, as4: bool) -> bytes:
    numbers = (peer[0], local[0])
    ases = struct.pack("!II" if as4 else "!HH", *(n if as4 else two_octet_as(n) for n in numbers))
    interface = 0
    family = struct.pack("!HH", interface, _AFI[peer[1].version])
    return ases + family + peer[1].packed + local[1].packed
