"""A small BGP speaker that somebody might have written: it reflects IPv4 routes, and has one bug at a time."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from reflector.sim import free_port
from tests.support import wire

_ROUTER_ID = "192.0.2.1"
_HOLD_TIME_S = 90

# What it makes of a route's attributes, by the bug's name.
_MANGLED = {
    "undefined-origin": lambda block: block.replace(wire.origin(0), wire.origin(9)),
    "wrong-flags": lambda block: block.replace(wire.origin(0), b"\x80" + wire.origin(0)[1:]),
    "repeats-origin": lambda block: block + wire.origin(0),
    "no-next-hop": lambda block: block.replace(wire.next_hop("10.0.0.2"), b""),
    "cuts-off": lambda block: block[:-2],
}


class BuggySpeaker:
    """Serves whoever dials; `bug` says what it does wrong."""

    def __init__(self, bug: str) -> None:
        self.bug = bug
        self._established: dict[asyncio.StreamWriter, None] = {}
        self._routes: dict[bytes, tuple[bytes, asyncio.StreamWriter]] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Speak with one peer until it leaves."""
        async with asyncio.TaskGroup() as group:
            beat: asyncio.Task[None] | None = None
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    length, kind = struct.unpack("!16xHB", await reader.readexactly(19))
                    body = await reader.readexactly(length - 19)
                    if kind == 1 and self.bug != "says-nothing":
                        beat = group.create_task(self._beat(writer, self._answer(writer, body)))
                    elif kind == 4:
                        self._welcome(writer)
                    elif kind == 2:
                        self._on_update(writer, body)
                    elif kind == 3:
                        break
            if beat is not None:
                beat.cancel()
        self._established.pop(writer, None)
        if self.bug != "keeps-the-dead":
            self._withdraw(writer, [nlri for nlri, (_, by) in self._routes.items() if by is writer])
        writer.close()

    def _answer(self, writer: asyncio.StreamWriter, theirs: bytes) -> float:
        """Send the OPEN and the KEEPALIVE; the seconds between KEEPALIVEs."""
        hold_time_s = 1 if self.bug == "one-second" else _HOLD_TIME_S
        writer.write(wire.open_message(hold_time_s=hold_time_s, router_id=_ROUTER_ID))
        if self.bug != "no-keepalive":
            writer.write(wire.keepalive())
        agreed = (
            _HOLD_TIME_S if self.bug == "own-hold-time" else struct.unpack_from("!H", theirs, 3)[0]
        )
        return float(min(agreed, _HOLD_TIME_S)) / 3

    async def _beat(self, writer: asyncio.StreamWriter, interval_s: float) -> None:
        while True:
            await asyncio.sleep(interval_s)
            writer.write(wire.keepalive())

    def _welcome(self, writer: asyncio.StreamWriter) -> None:
        if writer not in self._established:
            self._established[writer] = None
            for nlri, (block, _) in self._routes.items():
                writer.write(wire.update(nlri, block))

    def _on_update(self, writer: asyncio.StreamWriter, body: bytes) -> None:
        gone_length = struct.unpack_from("!H", body)[0]
        gone, rest = body[2 : 2 + gone_length], body[2 + gone_length :]
        length = struct.unpack_from("!H", rest)[0]
        block = _MANGLED.get(self.bug, bytes)(rest[2 : 2 + length])
        if self.bug != "ignores-withdrawals":
            self._withdraw(writer, list(_split(gone)))
        for nlri in _split(rest[2 + length :]):
            self._routes[nlri] = block, writer
            for other in self._established:
                if other is not writer or self.bug == "echoes":
                    other.write(wire.update(nlri, block))

    def _withdraw(self, writer: asyncio.StreamWriter, gone: list[bytes]) -> None:
        for nlri in gone:
            self._routes.pop(nlri, None)
            for other in self._established:
                if other is not writer:
                    other.write(wire.update(withdrawn=nlri))


def _split(field: bytes) -> Iterator[bytes]:
    while field:
        octets = 1 + (field[0] + 7) // 8
        yield field[:octets]
        field = field[octets:]


@asynccontextmanager
async def speaker(bug: str = "") -> AsyncIterator[int]:
    """One that listens on 127.0.0.1; yields its port."""
    port = free_port()
    async with await asyncio.start_server(BuggySpeaker(bug).serve, "127.0.0.1", port):
        yield port
