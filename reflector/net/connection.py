"""A TCP connection with a BGP session on it.

It works on the bare socket with the loop's readiness callbacks: one `recv` and one `sendmsg` a
turn, and a queue of the bytes objects that all peers share, where a stream would copy each peer's
own. All BGP is in the session.
"""

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from reflector.bgp.events import Event
from reflector.bgp.limits import RESUME_BYTES, TRANSCRIPT_FOLLOW_S
from reflector.bgp.notification import Notification
from reflector.bgp.session import Session, Timer
from reflector.bgp.vocabulary import Family
from reflector.net.reading import ReadTurn
from reflector.net.refresh_gate import RefreshGate
from reflector.reports import PeerName
from reflector.rib.source import IPAddress
from reflector.speaker import Peer
from reflector.transcript import Transcript

# Buffers that one `sendmsg` takes; Linux's IOV_MAX is 1024.
_MAX_BUFFERS: Final = 512

# How long a closing connection waits for its last bytes to leave and for the peer to hang up. A
# socket that is closed with unread input sends a reset, which can overtake our NOTIFICATION.
_LINGER_S: Final = 0.5


class Connection:
    """One connection, from the moment when the socket is connected.

    Args:
        sock: Connected and non-blocking.
        session: A fresh session for it.
        name: The peer, as far as it is known.
        ends: Our address and port, and the peer's.
        on_events: Called with what happened, after each turn in which something did.
        on_room: Called when the backlog has shrunk below `limits.RESUME_BYTES`.
        reading: Shared by all connections of a loop; None for one on its own.

    Attributes:
        outbound: Whether we dialled it.
        peer: The speaker's view of it, while established.
        local_address: Our end.
        local_port: Our port.
        remote_port: The peer's port.
        since: Loop time of the last change of state that people care about.
        refresh_gates: How often it may still ask for the table, by family.
        transcript: What is said on it.
        bytes_in: Octets read.
        bytes_out: Octets sent.
        backlog_bytes: Octets that were written and are not sent yet.
    """

    def __init__(
        self,
        sock: socket.socket,
        session: Session,
        name: PeerName,
        *,
        ends: tuple[tuple[IPAddress, int], tuple[IPAddress, int]],
        on_events: Callable[["Connection", list[Event]], None],
        on_room: Callable[[], None],
        reading: ReadTurn | None = None,
        outbound: bool = False,
    ) -> None:
        self.session = session
        self.name = name
        self.outbound = outbound
        self.peer: Peer | None = None
        (self.local_address, self.local_port), (_, self.remote_port) = ends
        self.refresh_gates: dict[Family, RefreshGate] = {}
        self.transcript = Transcript(*ends, outbound=outbound)
        self.bytes_in = 0
        self.bytes_out = 0
        self.backlog_bytes = 0
        self._loop = asyncio.get_running_loop()
        self.since = self._loop.time()
        self._sock = sock
        # The loop's selector is given the number: of an object that it doesn't know yet it would
        # first print the whole representation.
        self._fd = sock.fileno()
        self._on_events = on_events
        self._on_room = on_room
        self._reading = reading or ReadTurn()
        self._recording = False
        self._queue: deque[bytes | memoryview] = deque()
        self._writing = False
        self._handles: dict[Timer, asyncio.TimerHandle] = {}
        self._hold_s = 0.0
        self._heard = 0
        self._heard_at = self.since
        self._progress_at = self.since
        self._open = True  # for writing at once: neither closed, nor about to be, nor gathering
        self._gathering = False
        self._closing: asyncio.TimerHandle | None = None
        self.closed: asyncio.Future[None] = self._loop.create_future()

    def start(self) -> None:
        """Begin: send our OPEN and listen.

        Who has dialled us has often sent its OPEN by now. Then our KEEPALIVE leaves with our OPEN, and
        the peer is woken once.
        """
        self._loop.add_reader(self._fd, self._on_readable)
        self.gather()
        self.session.start()
        self.after_session()
        self._on_readable()
        self.flush()

    def refuse(self, notification: Notification, reason: str) -> None:
        """Turn the peer away before anything else is said."""
        self._loop.add_reader(self._fd, self._on_readable)
        self.deliver(self.session.close(notification, reason))

    # Outlet.

    def write(self, chunks: list[bytes]) -> None:
        """Send whole messages, at once as far as the socket takes them."""
        if not self._open:
            self._gather(chunks)
            return
        if self._recording:
            self._record(chunks)
        waiting: Sequence[bytes | memoryview] = chunks
        if len(chunks) == 1 and not self._queue:
            # Without a queue, the common case of a peer that keeps up: a class of fifty has it fifty
            # times for each route. What is left over is a view, the bytes are shared.
            data = chunks[0]
            try:
                sent = self._sock.send(data)
            except OSError:
                sent = 0  # the queue's own attempt finds out what it is
            self.bytes_out += sent
            if sent == len(data):
                return
            waiting = [memoryview(data)[sent:]]
        if waiting:
            self._queue.extend(waiting)
            self.backlog_bytes += sum(map(len, waiting))
            if not self._writing:
                self._send()

    def gather(self) -> None:
        """Hold back what is written from now on, until `flush`.

        What a new session is told first (our own route, an End-of-RIB for each family) leaves as
        one segment: on its own, each costs more than all that it takes to write them.
        """
        if self._open:
            self._open, self._gathering = False, True

    def flush(self) -> None:
        """Send what was gathered."""
        if self._gathering:
            self._open, self._gathering = True, False
            if self._queue and not self._writing:
                self._send()

    def _gather(self, chunks: list[bytes]) -> None:
        if self._gathering:
            if self._recording:
                self._record(chunks)
            self._queue.extend(chunks)
            self.backlog_bytes += sum(map(len, chunks))

    def follow(self) -> None:
        """Somebody looks at what is said: from now on what the peer is told is kept, for a while."""
        self.transcript.follow_until_s = self._loop.time() + TRANSCRIPT_FOLLOW_S
        self._recording = True

    def _record(self, chunks: list[bytes]) -> None:
        now_s, transcript = self._loop.time(), self.transcript
        transcript.sent.add(now_s, self.bytes_out + self.backlog_bytes, chunks)
        self._recording = now_s < transcript.follow_until_s

    # The session.

    def after_session(self) -> None:
        """Write what the session wants written and arm its timers, after any call to it."""
        outgoing = self.session.data_to_send()
        if outgoing:
            self._recording = True  # what a session says for itself always is
            self.write(outgoing)
        for timer, seconds in self.session.timers_to_arm().items():
            self._arm(timer, seconds)

    def deliver(self, events: list[Event]) -> None:
        """Hand events of the session to the owner and do what follows for the connection."""
        if events:
            self._on_events(self, events)
        self.after_session()
        if self.session.over:
            self._close_soon()

    def unread_for_s(self) -> float:
        """Seconds for which the peer has taken nothing of what waits for it; 0 if nothing waits."""
        return self._loop.time() - self._progress_at if self._writing else 0.0

    def last_ack_age_s(self) -> float:
        """Seconds since the peer's kernel last acknowledged anything (TCP_INFO)."""
        try:
            info = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_ACK_AT + 4)
        except OSError:
            return float("inf")
        return int.from_bytes(info[_LAST_ACK_AT : _LAST_ACK_AT + 4], "little") / 1000

    def abort(self) -> None:
        """Close at once, whatever is unsent."""
        if self.closed.done():
            return
        self._open = self._gathering = False
        self._loop.remove_reader(self._fd)
        self._loop.remove_writer(self._fd)
        for handle in self._handles.values():
            handle.cancel()
        if self._closing is not None:
            self._closing.cancel()
        self._queue.clear()
        self.backlog_bytes = 0
        self._sock.close()
        self.closed.set_result(None)

    # Reading.

    def _on_readable(self) -> None:
        try:
            data = self._sock.recv(self._reading.limit)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.lose(f"the connection broke: {error.strerror or error}")
            return
        if not data:
            self.lose("the peer closed the connection without a NOTIFICATION")
            return
        self.bytes_in += len(data)
        self._reading.took(len(data))
        if self._closing is not None:
            return  # read and thrown away, so that closing sends no reset
        now_s = self._loop.time()
        self.transcript.received.add(now_s, self.bytes_in - len(data), [data])
        events = self.session.receive_data(data)
        if self.session.heard != self._heard:
            self._heard = self.session.heard
            self._heard_at = now_s
        self.deliver(events)

    def lose(self, reason: str) -> None:
        """The connection is gone, or is given up without a word to the peer."""
        events = self.session.receive_eof(reason)
        self._queue.clear()
        self.backlog_bytes = 0
        if events:
            self._on_events(self, events)
        self.abort()

    # Writing.

    def _send(self) -> None:
        queue = self._queue
        try:
            while queue:
                buffers = [queue[i] for i in range(min(len(queue), _MAX_BUFFERS))]
                sent = self._sock.sendmsg(buffers)
                self.bytes_out += sent
                self.backlog_bytes -= sent
                self._take(sent)
                if sent < sum(map(len, buffers)):
                    break
        except (BlockingIOError, InterruptedError):
            pass
        except OSError as error:
            # Told by the loop's next turn: whoever is writing is in the middle of its own work.
            reason = f"the connection broke: {error.strerror or error}"
            self._queue.clear()
            self.backlog_bytes = 0
            self._loop.call_soon(self._broken, reason)
            return
        self._watch_writable()

    def _broken(self, reason: str) -> None:
        if not self.closed.done():
            self.lose(reason)

    def _take(self, sent: int) -> None:
        """Take `sent` octets off the queue; a buffer sent in part stays as its rest."""
        queue = self._queue
        while sent:
            size = len(queue[0])
            if size > sent:
                queue[0] = memoryview(queue[0])[sent:]
                return
            sent -= size
            queue.popleft()

    def _watch_writable(self) -> None:
        if self._queue and not self._writing:
            self._writing = True
            self._loop.add_writer(self._fd, self._on_writable)
            self._progress_at = self._loop.time()
            self._arm(Timer.SEND_HOLD, self.session.send_hold_s)
        elif not self._queue and self._writing:
            self._writing = False
            self._loop.remove_writer(self._fd)
            self._arm(Timer.SEND_HOLD, None)
        if not self._queue and self._closing is not None:
            self._shut_down()

    def _on_writable(self) -> None:
        before = self.backlog_bytes
        self._send()
        if self.backlog_bytes < before:
            self._progress_at = self._loop.time()
        if before > RESUME_BYTES >= self.backlog_bytes:
            self._on_room()

    # Timers.

    def _arm(self, timer: Timer, seconds: float | None) -> None:
        handle = self._handles.get(timer)
        if timer is Timer.HOLD:
            self._hold_s = seconds or 0.0
            self._heard_at = self._loop.time()
            if handle and seconds and handle.when() <= self._heard_at + seconds:
                return  # it fires early enough, and looks back then
        if handle is not None:
            handle.cancel()
            del self._handles[timer]
        if seconds is not None:
            self._handles[timer] = self._loop.call_later(seconds, self._on_timer, timer)

    def _on_timer(self, timer: Timer) -> None:
        # Messages and sent bytes don't re-arm their timers: those look back when they fire.
        left_s = self._left_s(timer)
        if left_s <= 0 and timer is not Timer.KEEPALIVE:
            # A process that was stopped sees its timers before its sockets: epoll_wait ends with
            # EINTR then, and what the peer has sent or taken meanwhile is still to be looked at.
            fired = self._handles.get(timer)
            (self._on_readable if timer is Timer.HOLD else self._on_writable)()
            if self.session.over or self._handles.get(timer) is not fired:
                return  # armed anew or switched off by what was read or sent
            left_s = self._left_s(timer)
        if left_s > 0:
            self._handles[timer] = self._loop.call_later(left_s, self._on_timer, timer)
        else:
            self.deliver(self.session.timer_expired(timer))

    def _left_s(self, timer: Timer) -> float:
        if timer is Timer.HOLD:
            return self._heard_at + self._hold_s - self._loop.time()
        if timer is Timer.SEND_HOLD:
            return self._progress_at + self.session.send_hold_s - self._loop.time()
        return 0.0

    # Closing.

    def _close_soon(self) -> None:
        self.flush()
        if not self._open:
            return
        self._open = False
        self._closing = self._loop.call_later(_LINGER_S, self.abort)
        if not self._queue:
            self._shut_down()

    def _shut_down(self) -> None:
        try:
            self._sock.shutdown(socket.SHUT_WR)
        except OSError:
            self.abort()


# Offset of tcpi_last_ack_recv in struct tcp_info (linux/tcp.h): milliseconds, 32 bits.
_LAST_ACK_AT: Final = 56
