"""Two connections with one peer, and who dials whom, over real sockets."""

from __future__ import annotations

import asyncio
import errno
import gc
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network

import pytest

from reflector.bgp.remote_as import RemoteAs
from reflector.bgp.vocabulary import FAMILIES
from reflector.net import accepting as accepting_module
from reflector.net import dialer as dialer_module
from reflector.net.connection import Connection
from reflector.net.dialer import Dialer, Target
from reflector.net.peer_policy import PeerPolicy
from reflector.reports import PeerDown, PeerUp, Trouble
from tests.support import wire
from tests.support.room import ROUTER_ID, Caller, Room, room

pytestmark = pytest.mark.asyncio

PEER = "127.0.0.2"
LOWER, HIGHER = "10.0.0.2", "203.0.113.9"  # than the reflector's 192.0.2.254
PODS = ip_network("10.1.0.0/24")


class Listener:
    """A peer that is dialled."""

    def __init__(self, server: asyncio.Server, calls: asyncio.Queue[Caller]) -> None:
        self.server = server
        self.calls = calls
        self.port: int = server.sockets[0].getsockname()[1]

    async def answer(self) -> Caller:
        """Take the next connection."""
        async with asyncio.timeout(5):
            return await self.calls.get()


@asynccontextmanager
async def listening(here: Room, port: int = 0) -> AsyncIterator[Listener]:
    """A peer listens; what it took is hung up at the end."""
    calls: asyncio.Queue[Caller] = asyncio.Queue()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        caller = Caller(reader, writer)
        here.callers.append(caller)
        calls.put_nowait(caller)

    server = await asyncio.start_server(take, PEER, port)
    try:
        yield Listener(server, calls)
    finally:
        server.close()


async def dial_out(here: Room, port: int) -> None:
    """Have the reflector dial, once."""
    sock = socket.socket()
    sock.setblocking(False)  # noqa: FBT003 - the socket module's own
    await asyncio.get_running_loop().sock_connect(sock, (PEER, port))
    here.peering.adopt(sock, outbound=True)


@pytest.mark.rfc("4271", "6.8")
@pytest.mark.rfc("4486", "4 collision")
@pytest.mark.parametrize(
    ("router_id", "kept"), [(LOWER, "outbound"), (HIGHER, "inbound")], ids=["lower", "higher"]
)
@pytest.mark.parametrize("first", ["inbound", "outbound"])
async def test_of_two_crossing_connections_the_higher_identifiers_is_kept(
    router_id: str, kept: str, first: str
) -> None:
    """RFC 4271 6.8."""
    async with room() as here, listening(here) as listener:
        await dial_out(here, listener.port)
        ends = {"outbound": await listener.answer(), "inbound": await here.dial(PEER)}
        order = [first, *(ends.keys() - {first})]
        for name in order:
            ends[name].say(wire.open_message(router_id=router_id))
            await asyncio.sleep(0.05)
        lost = ends.pop("inbound" if kept == "outbound" else "outbound")
        assert await lost.ends() == b"\x06\x07"
        ends[kept].say(wire.keepalive())
        await here.until(lambda: bool(here.said(PeerUp)), "the other is established")
        assert len(here.peering.sessions) == 1


@pytest.mark.rfc("6286", "2.3")
@pytest.mark.parametrize(
    ("asn", "kept"),
    [(wire.ASN - 1, "outbound"), (wire.ASN + 1, "inbound")],
    ids=["lower", "higher"],
)
@pytest.mark.parametrize("first", ["inbound", "outbound"])
async def test_between_equal_identifiers_the_higher_as_decides(
    asn: int, kept: str, first: str
) -> None:
    """RFC 6286 2.3."""
    policy = PeerPolicy(frozenset(FAMILIES.values()), 90, remote_as=RemoteAs(external=True))
    async with room(policy=lambda _: policy) as here, listening(here) as listener:
        await dial_out(here, listener.port)
        ends = {"outbound": await listener.answer(), "inbound": await here.dial(PEER)}
        parameters = wire.parameter(2, wire.capabilities(asn=asn))
        message = wire.open_message(my_as=asn, router_id=str(ROUTER_ID), parameters=parameters)
        for name in (first, *(ends.keys() - {first})):
            await ends[name].hear(wire.OPEN)
            ends[name].say(message)
            await asyncio.sleep(0.05)
        lost = ends.pop("inbound" if kept == "outbound" else "outbound")
        assert await lost.ends() == b"\x06\x07"
        ends[kept].say(wire.keepalive())
        await here.until(lambda: bool(here.said(PeerUp)), "the other is established")
        assert len(here.peering.sessions) == 1


async def test_a_peer_that_dials_again_before_it_is_established_has_given_up_the_first() -> None:
    async with room() as here:
        first, second = await here.dial(PEER), await here.dial(PEER)
        first.say(wire.open_message(router_id=LOWER))
        await asyncio.sleep(0.05)
        second.say(wire.open_message(router_id=LOWER) + wire.keepalive())
        assert await first.ends() == b"\x06\x07"
        await here.until(lambda: bool(here.said(PeerUp)), "the second is established")


async def test_a_peer_that_dials_many_times_at_once_ends_with_one_session(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Connection, "last_ack_age_s", lambda _: float("inf"))
    async with room() as here:
        await here.join(LOWER, PEER)
        callers = [await here.dial(PEER) for _ in range(8)]
        for caller in callers:
            caller.say(wire.open_message(router_id=LOWER) + wire.keepalive())
        await here.until(
            lambda: len(here.peering.connections) == 1 and len(here.speaker.peers) == 1,
            "one is left",
        )
        (connection,) = here.peering.connections
        assert list(here.peering.sessions.values()) == [connection]
        other = await here.join("10.0.0.3", "127.0.0.3")
        for caller in callers:
            caller.update(wire.announce("10.1.0.0/24"))
        await other.until(lambda: PODS in other.table)


async def test_a_peer_that_gives_up_while_its_old_session_is_probed_leaves_it_alone() -> None:
    async with room() as here:
        old = await here.join(LOWER, PEER)
        new = await here.dial(PEER)
        new.say(wire.open_message(router_id=LOWER))
        new.hang_up()
        await asyncio.sleep(0.3)
        old.update(wire.announce("10.1.0.0/24"))
        other = await here.join("10.0.0.3", "127.0.0.3")
        await other.until(lambda: PODS in other.table)
        assert len(here.peering.sessions) == 2


# What is said at the end arrives.


@pytest.mark.rfc("4271", "4.5")
@pytest.mark.parametrize(
    ("last_words", "notification"),
    [
        (b"\0" * 19, b"\x01\x01"),
        (wire.message(wire.UPDATE, length=5000), b"\x01\x02\x13\x88"),
        (wire.update(b"\xff", wire.usual()), b"\x03\x0a"),
        (wire.open_message(), b"\x05\x03\x01"),
    ],
)
async def test_a_notification_is_not_overtaken_by_a_reset(
    last_words: bytes, notification: bytes
) -> None:
    async with room() as here:
        caller = await here.join()
        # Much that is never read as BGP: closing with it unread would send a reset.
        caller.say(last_words + bytes(4 << 20))
        assert await caller.ends() == notification


async def test_all_that_came_before_the_end_counts() -> None:
    async with room() as here:
        other = await here.join("10.0.0.3", "127.0.0.3")
        caller = await here.dial(PEER)
        caller.say(
            wire.open_message(router_id=LOWER)
            + wire.keepalive()
            + wire.update(wire.prefix("10.1.0.0/24"), wire.usual())
        )
        await other.until(lambda: PODS in other.table)
        caller.say(wire.notification(6, 2, b"\x03bye"))
        caller.hang_up()
        await other.until(lambda: PODS not in other.table)
        (down,) = here.said(PeerDown)
        assert isinstance(down, PeerDown)
        assert down.received is not None
        assert '"bye"' in down.reason
        assert down.prefixes == 1


async def test_a_peer_that_only_stops_talking_is_gone() -> None:
    async with room() as here:
        caller = await here.join()
        caller.writer.write_eof()
        assert await caller.ends() == b""
        await here.until(lambda: not here.peering.connections, "its connection is closed")


async def test_a_reset_before_it_was_looked_at_harms_nobody() -> None:
    async with room() as here:
        for _ in range(50):
            sock = socket.socket()
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            sock.connect(("127.0.0.1", here.port))
            sock.close()
        await here.join()
        await here.until(lambda: len(here.peering.connections) == 1, "the others are gone")


async def test_out_of_file_descriptors_accepting_pauses_and_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accepting_module, "_ACCEPT_PAUSE_S", 0.1)

    class Exhausted:
        """A listener for which there is no descriptor, once."""

        def __init__(self, real: socket.socket) -> None:
            self.real = real
            self.tries = 0

        def fileno(self) -> int:
            return self.real.fileno()

        def accept(self) -> tuple[socket.socket, object]:
            self.tries += 1
            if self.tries == 1:
                raise OSError(errno.EMFILE, "Too many open files")
            return self.real.accept()

    async with room() as here:
        with socket.socket() as real:
            real.bind(("127.0.0.1", 0))
            real.listen()
            real.setblocking(False)  # noqa: FBT003 - the socket module's own
            exhausted = Exhausted(real)
            here.peering.accept_from(exhausted)  # type: ignore[arg-type]
            caller = await Caller.dial(real.getsockname()[1])
            here.callers.append(caller)
            await caller.hear(wire.OPEN)
            here.peering.refuse_from(exhausted)  # type: ignore[arg-type]
        (trouble,) = here.said(Trouble)
        assert isinstance(trouble, Trouble)
        assert "ulimit" in trouble.what


# Dialling.


async def test_a_static_neighbor_is_dialled_until_it_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialer_module, "_RETRY_S", 0.05)
    async with room() as here:
        with socket.socket() as taken:
            taken.bind((PEER, 0))
            port = taken.getsockname()[1]
            dialer = Dialer(here.peering)
            dialer.dial({Target(ip_address(PEER), port)})
            await asyncio.sleep(0.2)
            assert not here.peering.connections
        async with listening(here, port):
            await here.until(lambda: bool(here.peering.connections), "it is dialled")
            await asyncio.sleep(0.2)
            assert len(here.peering.connections) == 1, "and not again while it is connected"
            dialer.dial(set())
            (connection,) = here.peering.connections
            connection.abort()
            await asyncio.sleep(0.2)
            assert not here.peering.connections, "nor after it was taken off the list"
    gc.collect()  # a socket that was left open would say so


async def test_a_neighbor_that_dials_itself_is_not_dialled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dialer_module, "_RETRY_S", 0.05)
    async with room() as here, listening(here) as listener:
        await here.join(LOWER, PEER)
        dialer = Dialer(here.peering)
        dialer.dial({Target(ip_address(PEER), listener.port)})
        await asyncio.sleep(0.2)
        assert listener.calls.empty()
        dialer.dial(set())


async def test_dialled_and_dialling_are_alike() -> None:
    async with room() as here, listening(here) as listener:
        dialer = Dialer(here.peering)
        dialer.dial({Target(ip_address(PEER), listener.port)})
        caller = await listener.answer()
        caller.say(wire.open_message(router_id=LOWER) + wire.keepalive())
        caller.update(wire.announce("10.1.0.0/24"))
        other = await here.join("10.0.0.3", "127.0.0.3")
        await other.until(lambda: PODS in other.table)
        dialer.dial(set())
