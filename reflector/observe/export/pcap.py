"""Conversations as a capture that Wireshark reads: BGP over TCP, as it would have been on the wire.

Nothing was captured: one packet is made for each message, with the addresses, ports and positions in
the stream that it had. What is not kept is missing there too, and Wireshark says so.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from reflector.observe.export.messages import Conversation, Said
from reflector.rib.source import IPAddress

CONTENT_TYPE: Final = "application/vnd.tcpdump.pcap"

_RAW_IP: Final = 101  # LINKTYPE_RAW
_TCP: Final = 6
_PUSH_ACK: Final = 0x18
# A packet's payload, so that IPv4's and IPv6's 16 bits of length hold it with its headers.
_MOST: Final = 65_000

End = tuple[IPAddress, int]


def capture(conversations: Iterable[Conversation], clock_offset_s: float) -> Iterator[bytes]:
    """The file, piece by piece.

    Args:
        conversations: Which.
        clock_offset_s: What makes of the loop's time seconds since the epoch.
    """
    yield struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, _RAW_IP)
    for conversation in conversations:
        local, remote = conversation.transcript.local, conversation.transcript.remote
        heard = {"received": 0, "sent": 0}
        for said in conversation.said:
            source, target = (remote, local) if said.direction == "received" else (local, remote)
            other = heard["sent" if said.direction == "received" else "received"]
            for offset, at_s, payload in _segments(said):
                packet = _packet(source, target, offset + 1, other + 1, payload)
                at_us = round((at_s + clock_offset_s) * 1_000_000)
                length = len(packet)
                yield struct.pack("<IIII", *divmod(at_us, 1_000_000), length, length) + packet
                heard[said.direction] = offset + len(payload)


def _segments(said: Said) -> Iterator[tuple[int, float, bytes]]:
    """Offset, time and octets of each packet that a message takes."""
    octets = said.octets
    for start in range(0, len(octets), _MOST):
        yield said.offset + start, said.at_s, octets[start : start + _MOST]
    if said.times > 1:
        # Of KEEPALIVEs in a row the times of the first and the last are known.
        yield said.offset + (said.times - 1) * len(octets), said.last_s, octets


def _packet(source: End, target: End, sequence: int, heard: int, payload: bytes) -> bytes:
    tcp: bytes = struct.pack(
        "!HHIIBBHHH",
        *(source[1], target[1], sequence & 0xFFFFFFFF, heard & 0xFFFFFFFF),
        *(5 << 4, _PUSH_ACK, 65535, 0, 0),
    )
    addresses: bytes = source[0].packed + target[0].packed
    size = len(tcp) + len(payload)
    if source[0].version == 4:  # noqa: PLR2004 - IP version
        pseudo = addresses + struct.pack("!HH", _TCP, size)
        head: bytes = struct.pack("!BBHHHBBH", 0x45, 0, 20 + size, 0, 0, 64, _TCP, 0) + addresses
        head = head[:10] + _checksum(head) + head[12:]
    else:
        pseudo = addresses + struct.pack("!II", size, _TCP)
        head = struct.pack("!IHBB", 6 << 28, size, _TCP, 64) + addresses
    return head + tcp[:16] + _checksum(pseudo + tcp + payload) + tcp[18:] + payload


def _checksum(octets: bytes) -> bytes:
    """RFC 1071: the complement of the sum of 16-bit words, carries added."""
    octets += b"\0" * (len(octets) % 2)
    total: int = sum(struct.unpack(f"!{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2)
