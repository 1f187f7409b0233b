"""A connection whose peer doesn't read: what waits for it is shared, and not for ever."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import IPv4Address

import pytest

from reflector.bgp.events import Closed, Event, OpenAccepted
from reflector.bgp.limits import SEND_HOLD_TIME_S
from reflector.bgp.notification import Notification
from reflector.bgp.session import Session, Timer
from reflector.bgp.vocabulary import CeaseSubcode, ErrorCode, State
from reflector.net.connection import Connection
from reflector.net.sockets import tune
from reflector.reports import PeerName
from tests.support import wire
from tests.support.talk import Talk, our_open

SEND_HOLD_S = 0.4
LOOPBACK = IPv4Address("127.0.0.1")
BULK = b"".join([wire.update(b"\x18\x14\0\0" * 900, wire.usual())] * 2000)


class Impatient(Session):
    """A session with a send hold time that a test can wait for."""

    @property
    def send_hold_s(self) -> float:
        """Instead of eight minutes."""
        return SEND_HOLD_S


class Scene:
    """An established connection, and the peer's end of it as a bare socket."""

    def __init__(self, ours: socket.socket, theirs: socket.socket) -> None:
        self.events: list[Event] = []
        self.theirs = theirs
        tune(ours)
        self.connection = Connection(
            ours,
            Impatient(our_open()),
            PeerName(LOOPBACK),
            ends=((LOOPBACK, ours.getsockname()[1]), (LOOPBACK, theirs.getsockname()[1])),
            on_events=self._on_events,
            on_room=lambda: None,
        )

    @property
    def closed(self) -> Closed | None:
        """How it ended."""
        return next((event for event in self.events if isinstance(event, Closed)), None)

    def _on_events(self, connection: Connection, events: list[Event]) -> None:
        self.events += events
        if any(isinstance(event, OpenAccepted) for event in events):
            asyncio.get_running_loop().call_soon(self._confirm, connection)

    def _confirm(self, connection: Connection) -> None:
        connection.deliver(connection.session.confirm())


@asynccontextmanager
async def established() -> AsyncIterator[Scene]:
    """A connection with narrow buffers whose session is up."""
    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as theirs:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        theirs.connect(listener.getsockname())
        theirs.setblocking(False)  # noqa: FBT003 - the socket module's own
        scene = Scene(listener.accept()[0], theirs)
        scene.connection.start()
        theirs.sendall(wire.open_message() + wire.keepalive())
        async with asyncio.timeout(5):
            while scene.connection.session.state is not State.ESTABLISHED:  # noqa: ASYNC110 - of others
                await asyncio.sleep(0.01)
        try:
            yield scene
        finally:
            scene.connection.abort()


@pytest.mark.rfc("9687", "3")
def test_the_send_hold_timer_ends_a_session() -> None:
    """RFC 9687 3.2 and 4: eight minutes or twice the hold time; then error code 8."""
    talk = Talk.in_state(State.ESTABLISHED)
    assert talk.session.send_hold_s == SEND_HOLD_TIME_S >= 480
    talk.timers[Timer.SEND_HOLD] = talk.session.send_hold_s
    talk.expire(Timer.SEND_HOLD)
    assert talk.notified == (8, 0, b"")
    assert "stopped reading" in talk.closed.reason
    assert not talk.timers


@pytest.mark.rfc("9687", "3.2")
def test_a_long_hold_time_makes_the_send_hold_time_longer() -> None:
    talk = Talk(our_open(hold_time_s=600))
    talk.hear(wire.open_message(hold_time_s=600))
    assert talk.session.send_hold_s == 1200


@pytest.mark.rfc("9687", "3")
@pytest.mark.asyncio
async def test_a_peer_that_never_reads_is_closed() -> None:
    async with established() as scene:
        scene.connection.write([BULK])
        assert scene.connection.backlog_bytes
        async with asyncio.timeout(5):
            await scene.connection.closed
        assert scene.closed is not None
        assert scene.closed.sent is not None
        assert scene.closed.sent.code == 8
        assert scene.connection.backlog_bytes == 0


@pytest.mark.asyncio
async def test_a_peer_that_reads_a_little_now_and_then_is_not_closed() -> None:
    async with established() as scene:
        scene.connection.write([BULK])
        for _ in range(30):
            await asyncio.sleep(SEND_HOLD_S / 10)
            await asyncio.get_running_loop().sock_recv(scene.theirs, 16384)
        assert scene.closed is None
        assert scene.connection.backlog_bytes


@pytest.mark.asyncio
async def test_a_peer_that_has_read_everything_may_be_silent() -> None:
    async with established() as scene:
        scene.connection.write([wire.keepalive()])
        await asyncio.sleep(2 * SEND_HOLD_S)
        assert scene.closed is None


@pytest.mark.asyncio
async def test_what_waits_is_not_a_copy() -> None:
    async with established() as scene:
        scene.connection.write([BULK])
        (waiting,) = scene.connection._queue
        assert isinstance(waiting, memoryview)
        assert waiting.obj is BULK


@pytest.mark.asyncio
async def test_a_peer_that_half_closes_is_gone() -> None:
    async with established() as scene:
        scene.connection.write([BULK])
        scene.theirs.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(5):
            await scene.connection.closed
        assert scene.closed is not None
        assert "closed the connection" in scene.closed.reason


def _read_all(scene: Scene) -> bytes:
    """What the peer's kernel has by now; over loopback that is all that was sent."""
    try:
        return scene.theirs.recv(1 << 20)
    except BlockingIOError:
        return b""


@pytest.mark.asyncio
async def test_what_is_gathered_is_sent_in_order_and_at_once() -> None:
    async with established() as scene:
        _read_all(scene)
        scene.connection.gather()
        for number in range(3):
            scene.connection.write([bytes([number]), b"x"])
        assert _read_all(scene) == b""
        assert scene.connection.backlog_bytes == 6
        scene.connection.flush()
        assert _read_all(scene) == b"\0x\1x\2x"
        assert scene.connection.backlog_bytes == 0
        scene.connection.write([b"after"])
        assert _read_all(scene) == b"after"


@pytest.mark.asyncio
async def test_whoever_is_closed_while_it_gathers_is_told_why() -> None:
    async with established() as scene:
        _read_all(scene)
        scene.connection.gather()
        scene.connection.write([wire.keepalive()])
        cease = Notification(ErrorCode.CEASE, CeaseSubcode.ADMINISTRATIVE_SHUTDOWN)
        scene.connection.deliver(scene.connection.session.close(cease, "it has to go"))
        scene.connection.write([wire.keepalive()])  # too late
        said = _read_all(scene)
        assert said.startswith(wire.keepalive())
        assert said[len(wire.keepalive()) :][18:21] == bytes([3, 6, 2])


@pytest.mark.asyncio
async def test_whoever_is_gone_while_it_gathers_keeps_nothing() -> None:
    async with established() as scene:
        scene.connection.gather()
        scene.connection.write([BULK])
        scene.connection.abort()
        scene.connection.flush()
        scene.connection.write([BULK])
        assert scene.connection.backlog_bytes == 0
