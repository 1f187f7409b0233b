"""A simulated peer on asyncio that can misbehave, and knows exactly what it holds.

It reads with the few lines below and with nothing that is under test. A route is told apart by its
source and its MED, which the tests use as the version of what was announced.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterable
from functools import cache
from ipaddress import IPv4Address
from typing import Final, NamedTuple

from tests.support import wire

REFLECTOR: Final = "127.0.0.1"
DEADLINE_S: Final = 60.0
HEADER_BYTES: Final = 19
PER_UPDATE: Final = 900
_BULK: Final = wire.communities(*range(950))
READ_BYTES: Final = 1 << 18


class Route(NamedTuple):
    """What tells one route from another: who announced it, and its version."""

    source: str
    version: int


Table = dict[bytes, Route]

# What every client holds besides: the reflector's own route, without ORIGINATOR_ID and MED.
DEBUG_ROUTE: Final = {wire.prefix("1.0.0.2/32"): Route("", -1)}


def prefixes(count: int, first: int = 0) -> list[bytes]:
    """Return /24s from 20.0.0.0 on, packed."""
    return [b"\x18" + (0x140000 + first + i).to_bytes(3) for i in range(count)]


def expected(*parts: Table) -> Table:
    """Return the table that holds all parts and the reflector's own route."""
    table = dict(DEBUG_ROUTE)
    for part in parts:
        table.update(part)
    return table


class Client:
    """A client of the reflector.

    Args:
        number: Makes its address and router id.
        hold_s: Hold time that it proposes.
        receive_buffer: SO_RCVBUF, 0 for the kernel's own choice.

    Attributes:
        table: What it holds.
        ended: Why its session ended, empty while it lives.
        end_of_rib: How often the IPv4 End-of-RIB came.
        keepalives: How many it got.
        bytes_in: Octets that it read.
        silence_s: The longest that it heard nothing.
    """

    def __init__(self, number: int, *, hold_s: int = 90, receive_buffer: int = 0) -> None:
        self.address = f"127.20.{number // 200}.{number % 200 + 1}"
        self.hold_s = hold_s
        self.table: Table = {}
        self.ended = ""
        self.end_of_rib = 0
        self.keepalives = 0
        self.bytes_in = 0
        self.silence_s = 0.0
        self._heard_at = time.monotonic()
        self.established = asyncio.Event()
        self._reading = asyncio.Event()
        self._reading.set()
        self._rest = b""
        self._tasks: list[asyncio.Task[None]] = []
        self._sock = socket.socket()
        self._sock.setblocking(False)  # noqa: FBT003 - the socket module's own
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self._writing = asyncio.Lock()

    async def connect(self, port: int) -> None:
        """Bring the session up."""
        loop = asyncio.get_running_loop()
        self._sock.bind((self.address, 0))
        await loop.sock_connect(self._sock, (REFLECTOR, port))
        await self.send(wire.open_message(hold_time_s=self.hold_s, router_id=self.address))
        self._tasks = [asyncio.create_task(self._read()), asyncio.create_task(self._keep_alive())]
        async with asyncio.timeout(DEADLINE_S):
            await self.established.wait()

    async def close(self) -> None:
        """Leave without a word."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._sock.close()

    def stop_reading(self) -> None:
        """Leave what comes in the kernel from now on; KEEPALIVEs are still sent."""
        self._reading.clear()

    def read_again(self) -> None:
        """Take everything that comes again."""
        self._reading.set()

    def shut_writing(self) -> None:
        """Half-close: say that nothing more will be sent."""
        self._sock.shutdown(socket.SHUT_WR)

    async def send(self, data: bytes) -> None:
        """Send whole messages."""
        async with self._writing:
            await asyncio.get_running_loop().sock_sendall(self._sock, data)

    async def announce(self, nlri: list[bytes], version: int = 1) -> Table:
        """Announce prefixes; returns what the others must then hold."""
        await self.send(self.announcement(nlri, version))
        return dict.fromkeys(nlri, Route(self.address, version))

    async def withdraw(self, nlri: list[bytes]) -> None:
        """Withdraw prefixes."""
        await self.send(withdrawal(nlri))

    async def announce_bulky(self, nlri: list[bytes], version: int) -> Table:
        """Announce prefixes each in an UPDATE of nearly 4 KiB of its own: versions from `version` on."""
        table = {prefix: Route(self.address, version + i) for i, prefix in enumerate(nlri)}
        await self.send(
            b"".join(
                self.announcement([prefix], route.version, _BULK) for prefix, route in table.items()
            )
        )
        return table

    def announcement(self, nlri: list[bytes], version: int, more: bytes = b"") -> bytes:
        """Return the UPDATEs that announce prefixes."""
        attributes = wire.usual(
            next_hop=wire.next_hop(self.address.replace("127.", "10.", 1)),
            med=wire.med(version),
            more=more,
        )
        return b"".join(wire.update(chunk, attributes) for chunk in _chunks(nlri))

    async def holds(self, table: Table, timeout_s: float = DEADLINE_S) -> None:
        """Wait until it holds exactly this.

        Raises:
            AssertionError: It doesn't in time, or its session ended.
        """
        deadline = time.monotonic() + timeout_s
        while self.table != table:
            assert not self.ended, f"{self.address}: {self.ended}"
            if time.monotonic() > deadline:
                raise AssertionError(f"{self.address}: {_difference(self.table, table)}")
            await asyncio.sleep(0.01)

    async def until(self, condition: Callable[[], bool], timeout_s: float = DEADLINE_S) -> None:
        """Wait until a condition holds."""
        async with asyncio.timeout(timeout_s):
            while not condition():  # noqa: ASYNC110 - what is awaited is a state, not an event
                await asyncio.sleep(0.01)

    async def _read(self) -> None:
        loop = asyncio.get_running_loop()
        while not self.ended:
            await self._reading.wait()
            try:
                data = await loop.sock_recv(self._sock, READ_BYTES)
            except OSError as error:
                self.ended = str(error)
                return
            if not data:
                self.ended = self.ended or "the reflector closed the connection"
                return
            self.bytes_in += len(data)
            self._note_silence()
            await self._take(self._rest + data)

    def _note_silence(self) -> None:
        now = time.monotonic()
        self.silence_s = max(self.silence_s, now - self._heard_at)
        self._heard_at = now

    async def _take(self, data: bytes) -> None:
        at = 0
        while len(data) - at >= HEADER_BYTES:
            size = int.from_bytes(data[at + 16 : at + 18])
            if len(data) - at < size:
                break
            await self._on_message(data[at + 18], data[at + HEADER_BYTES : at + size])
            at += size
        self._rest = data[at:]

    async def _on_message(self, kind: int, body: bytes) -> None:
        if kind == wire.UPDATE:
            self._on_update(body)
        elif kind == wire.OPEN:
            await self.send(wire.keepalive())
        elif kind == wire.KEEPALIVE:
            self.keepalives += 1
            self.established.set()
        elif kind == wire.NOTIFICATION:
            self.ended = f"NOTIFICATION {body[0]}/{body[1]}"

    def _on_update(self, body: bytes) -> None:
        if body == b"\0\0\0\0":
            self.end_of_rib += 1
        stop = 2 + int.from_bytes(body[:2])
        for prefix in _split(body[2:stop]):
            self.table.pop(prefix, None)
        start = stop + 2
        stop = start + int.from_bytes(body[stop:start])
        if stop < len(body):
            self.table.update(dict.fromkeys(_split(body[stop:]), _route(body[start:stop])))

    async def _keep_alive(self) -> None:
        # Also while it doesn't read: its kernel takes ours, so only the reflector can notice.
        with contextlib.suppress(OSError):
            while self.hold_s:
                await asyncio.sleep(self.hold_s / 3)
                await self.send(wire.keepalive())


def withdrawal(nlri: list[bytes]) -> bytes:
    """Return the UPDATEs that withdraw prefixes."""
    return b"".join(wire.update(withdrawn=chunk) for chunk in _chunks(nlri))


def _chunks(nlri: list[bytes]) -> Iterable[bytes]:
    for i in range(0, len(nlri), PER_UPDATE):
        yield b"".join(nlri[i : i + PER_UPDATE])


def _split(nlri: bytes) -> list[bytes]:
    if nlri[::4].count(24) * 4 == len(nlri):
        return [nlri[i : i + 4] for i in range(0, len(nlri), 4)]
    found, at = [], 0
    while at < len(nlri):
        stop = at + 1 + (nlri[at] + 7) // 8
        found.append(nlri[at:stop])
        at = stop
    return found


@cache
def _route(block: bytes) -> Route:
    attributes, at = {}, 0
    while at < len(block):
        extended = block[at] & wire.EXTENDED
        start = at + (4 if extended else 3)
        stop = start + int.from_bytes(block[at + 2 : start])
        attributes[block[at + 1]] = block[start:stop]
        at = stop
    if 9 not in attributes:
        return Route("", -1)
    originator = str(IPv4Address(attributes[9]))
    assert str(IPv4Address(attributes[3])) == originator.replace("127.", "10.", 1)
    return Route(originator, int.from_bytes(attributes[4]))


def _difference(held: Table, wanted: Table) -> str:
    missing, surplus = wanted.keys() - held.keys(), held.keys() - wanted.keys()
    other = [prefix for prefix in wanted.keys() & held.keys() if wanted[prefix] != held[prefix]]
    return (
        f"{len(missing)} prefixes are missing, {len(surplus)} too many, "
        f"{len(other)} not as announced last, {len(held)} held"
    )
