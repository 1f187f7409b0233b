"""Peering and speaker on a real loopback socket, and peers that a test plays over it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address

from reflector.bgp.vocabulary import FAMILIES
from reflector.net.peer_policy import PeerPolicy
from reflector.net.peering import Peering
from reflector.net.sockets import listen
from reflector.reports import Report
from reflector.rib.originated import LocalRoute
from reflector.rib.source import IPAddress
from reflector.speaker import Identity, Peer, Speaker
from tests.support import wire
from tests.support.strict_reader import Network, Route, read_update

LOOPBACK = IPv4Address("127.0.0.1")
ROUTER_ID = IPv4Address("192.0.2.254")
DEADLINE_S = 60.0


class Caller:
    """A peer that a test plays.

    Attributes:
        table: What it was announced and not withdrawn.
        heard: Messages as (type, body), in order.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.table: dict[Network, Route] = {}
        self.heard: list[tuple[int, bytes]] = []

    @classmethod
    async def dial(cls, port: int, source: str = "127.0.0.2", ttl: int | None = None) -> Caller:
        """Connect, and say nothing yet."""
        sock = socket.socket()
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own
        if ttl is not None:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        sock.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
        return cls(*await asyncio.open_connection(sock=sock))

    def say(self, data: bytes) -> None:
        """Send bytes."""
        self.writer.write(data)

    def update(self, body: bytes) -> None:
        """Send an UPDATE."""
        self.say(wire.message(wire.UPDATE, body))

    async def listen(self) -> tuple[int, bytes]:
        """Read one message; (0, b"") at the end of the connection."""
        try:
            async with asyncio.timeout(DEADLINE_S):
                header = await self.reader.readexactly(19)
                body = await self.reader.readexactly(int.from_bytes(header[16:18]) - 19)
        except (asyncio.IncompleteReadError, ConnectionError):
            return 0, b""
        kind = header[18]
        self.heard.append((kind, body))
        if kind == wire.UPDATE:
            update = read_update(body)
            for network in update.withdrawn:
                self.table.pop(network, None)
            self.table.update(update.announced)
        return kind, body

    async def hear(self, kind: int) -> bytes:
        """Read up to the next message of a type; its body."""
        while True:
            heard, body = await self.listen()
            if heard == kind:
                return body
            assert heard, f"closed before a message of type {kind}; heard {self.heard}"

    async def until(self, holds: Callable[[], bool]) -> None:
        """Read until something holds."""
        while not holds():
            heard, _ = await self.listen()
            assert heard, f"closed; heard {self.heard[-3:]}"

    async def ends(self) -> bytes:
        """Read to the end; the body of the NOTIFICATION that came before it, if any did."""
        while (await self.listen())[0]:
            pass
        return next((body for kind, body in self.heard if kind == wire.NOTIFICATION), b"")

    def hang_up(self) -> None:
        """Close the connection without a word."""
        self.writer.transport.abort()


@dataclass
class Room:
    """A reflector in this process.

    Attributes:
        port: Where it listens on 127.0.0.1.
        reports: What it said, in order.
    """

    port: int
    peering: Peering
    speaker: Speaker
    reports: list[Report] = field(default_factory=list)
    callers: list[Caller] = field(default_factory=list)

    async def dial(self, source: str = "127.0.0.2", ttl: int | None = None) -> Caller:
        """A peer that has connected and says nothing yet."""
        self.callers.append(await Caller.dial(self.port, source, ttl))
        return self.callers[-1]

    async def join(
        self,
        router_id: str = "10.0.0.2",
        source: str = "127.0.0.2",
        hold_time_s: int = 90,
        more: bytes = b"",
    ) -> Caller:
        """A peer whose session is up; it may have more than the usual capabilities."""
        caller = await self.dial(source)
        offered = wire.parameter(2, wire.capabilities() + more)
        caller.say(
            wire.open_message(router_id=router_id, hold_time_s=hold_time_s, parameters=offered)
        )
        caller.say(wire.keepalive())
        await caller.hear(wire.KEEPALIVE)
        return caller

    def said(self, kind: type[Report]) -> list[Report]:
        """Reports of a kind."""
        return [each for each in self.reports if isinstance(each, kind)]

    async def until(self, holds: Callable[[], bool], what: str) -> None:
        """Wait until something holds."""
        async with asyncio.timeout(DEADLINE_S):
            while not holds():  # noqa: ASYNC110 - what is waited for has no event of its own
                await asyncio.sleep(0.01)
        assert holds(), what


@asynccontextmanager
async def room(
    *,
    policy: Callable[[IPAddress], PeerPolicy | None] | None = None,
    hold_time_s: int = 90,
    max_connections: int = 1000,
    routes: tuple[LocalRoute, ...] = (),
) -> AsyncIterator[Room]:
    """A reflector that listens; stopped at the end."""
    everybody = PeerPolicy(frozenset(FAMILIES.values()), hold_time_s)
    reports: list[Report] = []
    found: list[object] = []

    def finding(peer: Peer, fault: object) -> None:
        found.append((peer, fault))

    speaker = Speaker(Identity(wire.ASN, ROUTER_ID, ROUTER_ID), finding)
    speaker.originate(routes)
    peering = Peering(
        speaker,
        host_name="test",
        policy=policy or (lambda _: everybody),
        report=reports.append,
        max_connections=max_connections,
    )
    listener = listen(LOOPBACK, 0)
    peering.accept_from(listener)
    try:
        here = Room(listener.getsockname()[1], peering, speaker, reports)
        yield here
        for caller in here.callers:
            caller.hang_up()
            with contextlib.suppress(ConnectionError):
                await caller.writer.wait_closed()
    finally:
        peering.refuse_from(listener)
        listener.close()
        await peering.stop(0.6)
