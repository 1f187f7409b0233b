"""A BMP station that takes nothing on trust: whatever RFC 7854 doesn't allow is an error."""

from __future__ import annotations

import asyncio
import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address
from typing import Any

from tests.support.strict_reader import split_messages

TYPES = {
    0: "route monitoring",
    1: "statistics",
    2: "peer down",
    3: "peer up",
    4: "initiation",
    5: "termination",
}
_WITHOUT_PEER = ("initiation", "termination")


@dataclass
class Message:
    """A message.

    Attributes:
        kind: Of it.
        peer: Its peer's address, AS and router id; None where it is about none.
        as4: Whether AS numbers have four octets.
        at_s: The time in its per-peer header.
        content: What is particular to its kind.
    """

    kind: str
    peer: tuple[str, int, str] | None = None
    as4: bool = True
    at_s: float = 0.0
    content: dict[str, Any] = field(default_factory=dict)


def read(body: bytes, kind: str) -> Message:
    """Read what follows the common header."""
    message = Message(kind)
    if kind not in _WITHOUT_PEER:
        head, body = body[:42], body[42:]
        peer_type, flags, distinguisher, address, asn, router_id, s, us = struct.unpack(
            "!BBQ16sI4sII", head
        )
        assert (peer_type, distinguisher) == (0, 0)
        assert flags & ~0xA0 == 0
        assert us < 1_000_000
        if not flags & 0x80:
            assert address[:12] == b"\0" * 12
            address = address[12:]
        message.peer = str(ip_address(address)), asn, str(IPv4Address(router_id))
        message.as4 = not flags & 0x20
        message.at_s = s + us / 1_000_000
    message.content = _READERS[kind](body)
    return message


def _information(body: bytes) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for kind, value in _tlvs(body):
        found[str(kind)] = value
    return found


def _tlvs(body: bytes) -> list[tuple[int, bytes]]:
    found = []
    while body:
        kind, size = struct.unpack("!HH", body[:4])
        assert len(body) >= 4 + size
        found.append((kind, body[4 : 4 + size]))
        body = body[4 + size :]
    return found


def _peer_up(body: bytes) -> dict[str, Any]:
    local, local_port, remote_port = struct.unpack("!16sHH", body[:20])
    messages = split_messages(body[20:])
    assert [kind for kind, _ in messages] == [1, 1]
    return {
        "local": local,
        "ports": (local_port, remote_port),
        "sent": messages[0][1],
        "received": messages[1][1],
    }


def _peer_down(body: bytes) -> dict[str, Any]:
    reason, data = body[0], body[1:]
    if reason in (1, 3):
        [(kind, notification)] = split_messages(data)
        assert kind == 3
        return {"reason": reason, "notification": notification}
    assert reason == 4
    assert not data
    return {"reason": reason}


def _route_monitoring(body: bytes) -> dict[str, Any]:
    [(kind, update)] = split_messages(body)
    assert kind == 2
    return {"update": update}


def _statistics(body: bytes) -> dict[str, Any]:
    items = _tlvs(body[4:])
    assert len(items) == int.from_bytes(body[:4])
    assert all(len(value) == {0: 4, 7: 8, 9: 11}[kind] for kind, value in items)
    return {"items": items}


_READERS = {
    "initiation": _information,
    "termination": _information,
    "peer up": _peer_up,
    "peer down": _peer_down,
    "route monitoring": _route_monitoring,
    "statistics": _statistics,
}


class Station:
    """Listens, and reads while it is let.

    Attributes:
        messages: Of the last connection.
        stream: Its octets.
        connections: How many there were.
    """

    def __init__(self, *, reads: bool = True) -> None:
        self.reads = reads
        self.messages: list[Message] = []
        self.stream = b""
        self.connections = 0
        self.closed = False
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._changed = asyncio.Event()

    async def start(self, port: int = 0) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Be gone."""
        if self._server is not None:
            self._server.close()
        if self._writer is not None:
            self._writer.transport.abort()

    async def until(self, kind: str, count: int = 1, within_s: float = 30.0) -> list[Message]:
        """Wait until there are so many messages of a kind on the present connection."""
        async with asyncio.timeout(within_s):
            while len(found := [each for each in self.messages if each.kind == kind]) < count:
                self._changed.clear()
                await self._changed.wait()
        return found

    async def until_connections(self, count: int, within_s: float = 30.0) -> None:
        """Wait until it was connected to so many times."""
        async with asyncio.timeout(within_s):
            while self.connections < count:
                self._changed.clear()
                await self._changed.wait()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.messages, self.stream, self.closed = [], b"", False
        self._writer = writer
        self._changed.set()
        try:
            while self.reads:
                head = await reader.readexactly(6)
                version, size, kind = struct.unpack("!BIB", head)
                assert version == 3
                body = await reader.readexactly(size - 6)
                self.stream += head + body
                self.messages.append(read(body, TYPES[kind]))
                self._changed.set()
            await asyncio.sleep(3600)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            self.closed = True
            self._changed.set()
        finally:
            writer.close()
