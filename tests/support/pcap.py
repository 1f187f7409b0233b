"""What tshark says of a capture, and captures made of messages without having captured anything."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from tests.support.process import find_binary, query

BGP_PORT: Final = 179
FROM_BGP_PORT: Final = f"tcp.srcport == {BGP_PORT}"
_RAW_IP: Final = 101  # LINKTYPE_RAW
_ERROR: Final = 0x00800000  # PI_ERROR in Wireshark's epan/proto.h


def write_pcap(path: Path, conversations: Iterable[Sequence[bytes]], port: int = BGP_PORT) -> None:
    """Write a capture with one packet for each message, and one conversation for each list.

    Args:
        path: The file to write.
        conversations: The messages that each peer was sent, in order.
        port: From which they were sent.
    """
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 16, _RAW_IP))
        for number, messages in enumerate(conversations):
            sequence = 1
            for message in messages:
                packet = _packet((port, 1024 + number), sequence, message)
                out.write(struct.pack("<IIII", number, 0, len(packet), len(packet)) + packet)
                sequence += len(message)


def complaints(path: Path, sent: str = FROM_BGP_PORT) -> list[str]:
    """What tshark finds malformed, or an error.

    Args:
        path: Of the capture.
        sent: Display filter for what is judged.
    """
    wrong = f"_ws.malformed or _ws.expert.severity >= {_ERROR}"
    return dissect(path, f"bgp and ({wrong})", "_ws.expert.message", sent)


def dissected_types(path: Path, sent: str = FROM_BGP_PORT) -> set[int]:
    """Which types of messages tshark has seen among what a display filter says was sent."""
    printed = dissect(path, "bgp", "bgp.type", sent)
    return {int(each) for line in printed for each in line.split(",") if each}


def dissect(path: Path, display_filter: str, field: str, sent: str = FROM_BGP_PORT) -> list[str]:
    """A field of each packet that was sent so, and that a display filter picks."""
    picked = f"({sent}) and ({display_filter})"
    command = [find_binary("tshark"), "-r", str(path), "-Y", picked, "-T", "fields", "-e", field]
    return query(command, timeout_s=120).splitlines()


def _packet(ports: tuple[int, int], sequence: int, payload: bytes) -> bytes:
    tcp = struct.pack("!HHIIBBHHH", *ports, sequence, 1, 5 << 4, 0x18, 65535, 0, 0)
    size = 20 + len(tcp) + len(payload)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, 6, 0, b"\x0a\0\0\1", b"\x0a\0\0\2")
    return ip + tcp + payload
