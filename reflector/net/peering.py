"""Peering: connections come and go, and what a session's events lead to.

The one place where connections and the speaker meet.
"""

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from math import inf
from typing import Final

from reflector.bgp.errors import Finding, SessionError
from reflector.bgp.events import (
    Closed,
    Established,
    Event,
    OpenAccepted,
    RefreshReceived,
    UpdatesReceived,
)
from reflector.bgp.notification import Notification
from reflector.bgp.open import Negotiated
from reflector.bgp.session import Session
from reflector.bgp.vocabulary import (
    CeaseSubcode,
    ErrorCode,
    Family,
)
from reflector.monitor import Monitor
from reflector.net.accepting import Acceptor
from reflector.net.admission import why_not
from reflector.net.collisions import Collisions
from reflector.net.connection import Connection
from reflector.net.hold_down import HoldDown
from reflector.net.host import beside
from reflector.net.peer_policy import PeerPolicy
from reflector.net.reading import ReadTurn
from reflector.net.refreshing import Refreshing
from reflector.net.restarts import Restarts
from reflector.net.sockets import end_of, tune
from reflector.net.waiting import WaitingRoom
from reflector.reports import (
    ConnectionRefused,
    PeerCantRefresh,
    PeerDown,
    PeerName,
    PeerUp,
    Report,
    UpdateFault,
)
from reflector.rib.source import IPAddress, Source
from reflector.speaker import Peer, Speaker
from reflector.tally import Tally
from reflector.transcript import Archive

# Connections that are turned away and wait for their last word to be read. Beyond, the next one is
# closed at once: a flood of them must not hold descriptors.
_MAX_REFUSED: Final = 64

_TOO_MANY_PREFIXES: Final = (ErrorCode.CEASE, CeaseSubcode.MAXIMUM_PREFIXES_REACHED)
_KEPT_OUT: Final = "it had more prefixes than its maximum-prefix, and is kept out {}"
_NOBODY: Final = PeerPolicy(frozenset(), 0)


class Peering:
    """All connections with peers.

    Args:
        speaker: The routing.
        host_name: What we call ourselves in our OPENs (FQDN capability).
        policy: How to speak with an address; None if it may not peer at all.
        report: Told of everything that a person may want to know.
        max_connections: Beyond it, new ones are turned away.

    Attributes:
        connections: Every one, whatever its state.
        waiting: Those of peers that dialled us and have sent no OPEN yet.
        sessions: Those past OPEN, by address and router id: two nodes behind one address are two
            peers.
        restarts: The clocks of graceful restarts.
        past: What was said on connections that are over.
        ended: What sessions carried that are over.
        monitors: Told of what peers say. Nothing is worked out for them where there are none.
    """

    def __init__(
        self,
        speaker: Speaker,
        *,
        host_name: str,
        policy: Callable[[IPAddress], PeerPolicy | None],
        report: Callable[[Report], None],
        max_connections: int,
    ) -> None:
        self.speaker = speaker
        self.policy = policy
        self.max_connections = max_connections
        self.connections: set[Connection] = set()
        self.waiting = WaitingRoom[Connection]()
        self._collisions = Collisions(speaker.identity, close=self.close, report=report)
        self.sessions = self._collisions.sessions
        self.held_down = HoldDown()
        self.past = Archive()
        self.ended = Tally()
        self.monitors: list[Monitor] = []
        self._host_name = host_name
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._reading = ReadTurn()
        self._turn_due = False
        self._newcomers: list[Connection] = []
        self.restarts = Restarts(speaker, report=report, on_change=self._want_turn)
        self._refused: set[Connection] = set()
        self._acceptor = Acceptor(lambda sock: self.adopt(sock, outbound=False), report)
        self._stopping = False
        self._refreshing = Refreshing(speaker, self._want_turn)
        speaker.on_error = self._on_error

    # Coming and going.

    def accept_from(self, listener: socket.socket) -> None:
        """Take connections from a listening socket from now on."""
        self._acceptor.accept_from(listener)

    def refuse_from(self, listener: socket.socket) -> None:
        """Stop taking connections from a listening socket."""
        self._acceptor.refuse_from(listener)

    def adopt(self, sock: socket.socket, *, outbound: bool) -> Connection | None:
        """Begin a session on a connected socket, or turn it away.

        Returns:
            The connection, None if it was turned away.
        """
        try:
            if outbound:
                tune(sock)
            its_end, our_end = sock.getpeername(), sock.getsockname()
        except OSError:
            sock.close()  # gone before it was looked at
            return None
        remote, local = end_of(its_end), end_of(our_end)
        policy = self.policy(remote)
        full = len(self.connections) >= self.max_connections
        refusal = why_not(
            sock, remote, policy, outbound=outbound, full=self.max_connections if full else None
        )
        policy = policy or _NOBODY
        opening = policy.opening(
            self.speaker.identity, self._host_name, restarting=self.restarts.ours
        )
        connection = Connection(
            sock,
            Session(opening, policy.open_wait_s, policy.remote_as),
            PeerName(remote, description=policy.description),
            ends=((local, our_end[1]), (remote, its_end[1])),
            on_events=self._on_events if refusal is None else _ignore,
            on_room=self._want_turn,
            reading=self._reading,
            outbound=outbound,
        )
        if refusal is not None:
            subcode, reason = refusal
            self._refuse(connection, Notification(ErrorCode.CEASE, subcode), reason)
            return None
        self.connections.add(connection)
        connection.closed.add_done_callback(lambda _: self._part(connection))
        if not outbound:
            self._let_wait(connection)
        connection.start()
        return connection

    def close(self, connection: Connection, subcode: CeaseSubcode, reason: str) -> None:
        """End a connection with a Cease."""
        text = reason if subcode is CeaseSubcode.ADMINISTRATIVE_RESET else ""
        notification = (
            Notification.shutdown(text, subcode)
            if subcode in (CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, CeaseSubcode.ADMINISTRATIVE_RESET)
            else Notification(ErrorCode.CEASE, subcode)
        )
        connection.deliver(connection.session.close(notification, reason))

    async def stop(self, within_s: float) -> None:
        """Cease/Administrative Shutdown to every peer, and wait for it to be out.

        Those that keep our routes over a restart are told nothing, so that they do.

        Args:
            within_s: After which what is left is cut off.
        """
        self._stopping = True
        self._collisions.stop()
        self.restarts.stop()
        for connection in list(self.connections):
            if _keeps_our_routes(connection):
                # A NOTIFICATION would end that (RFC 4724 4); who asked for our end may want a start.
                connection.lose("the reflector is shutting down, gracefully")
                continue
            self.close(
                connection, CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, "the reflector is shutting down"
            )
        waiting = [connection.closed for connection in self.connections]
        if waiting:
            await asyncio.wait(waiting, timeout=within_s)
        for connection in [*self.connections, *self._refused]:
            connection.abort()

    def request_refresh(self, connection: Connection) -> bool:
        """Ask a peer to announce its routes again (RFC 2918 4).

        Returns:
            Whether it was asked for any family: some peers can't be.
        """
        session = connection.session
        families = session.negotiated.families if session.negotiated else ()
        asked = [session.request_refresh(family) for family in families]
        connection.after_session()
        return any(asked)

    def reconfigure(self, connection: Connection) -> None:
        """Bring an established session to what its settings say of routes by now.

        Which routes it would have accepted and refused before is known by the peer alone: it is asked
        for them all, if it can be (RFC 2918).
        """
        peer, policy = connection.peer, self.policy(connection.name.address)
        if peer is None or policy is None:
            return
        changed = self.speaker.reconfigure(peer, policy.intake, policy.export)
        self._want_turn()
        if changed and not self.request_refresh(connection):
            self._report(PeerCantRefresh(connection.name))

    def _on_error(self, source: Source, error: SessionError) -> None:
        """A peer's routes are too many by what its settings say by now."""
        peer = self.speaker.peers.get(source)
        if peer is None:
            self.restarts.give_up(source, error)
        elif isinstance(peer.outlet, Connection):
            peer.outlet.deliver([peer.outlet.session.fail(error)])

    def routes_changed(self) -> None:
        """Routes were changed, or who is told of them: have it sent."""
        self._want_turn()

    # Turning away.

    def _refuse(self, connection: Connection, notification: Notification, reason: str) -> None:
        self._refused.add(connection)
        connection.transcript.reason = reason
        connection.closed.add_done_callback(lambda _: self._part(connection))
        connection.refuse(notification, reason)
        self._report(ConnectionRefused(connection.name, reason))
        if len(self._refused) > _MAX_REFUSED:
            connection.abort()

    def _part(self, connection: Connection) -> None:
        """A connection is closed: what was said on it is kept for who asks why."""
        self.connections.discard(connection)
        self._refused.discard(connection)
        transcript = connection.transcript
        transcript.name, transcript.ended_s = connection.name, self._loop.time()
        self.past.add(transcript)

    def _let_wait(self, connection: Connection) -> None:
        """Count a connection among those that wait for an OPEN; the oldest may have to go for it."""
        gone = self.waiting.enter(connection, connection.name.address)
        if gone is not None:
            oldest, full = gone
            self.close(
                oldest,
                CeaseSubcode.OUT_OF_RESOURCES,
                f"{full} wait for an OPEN, and this one had waited longest "
                "(limits.max-waiting, limits.max-waiting-per-address)",
            )
            oldest.abort()

    # A session's events.

    def _on_events(self, connection: Connection, events: list[Event]) -> None:
        for event in events:
            match event:
                case UpdatesReceived():
                    closed = self._on_updates(connection, event.bodies)
                    if closed is not None:
                        self._on_closed(connection, closed)
                        return
                case OpenAccepted():
                    self._on_open(connection, event.negotiated)
                case Established():
                    self._on_established(connection, event.negotiated)
                case RefreshReceived():
                    if connection.peer is not None:
                        gates = connection.refresh_gates
                        self._refreshing.receive(connection.peer, gates, event)
                case Closed():
                    self._on_closed(connection, event)

    def _on_updates(self, connection: Connection, bodies: list[bytes]) -> Closed | None:
        peer = connection.peer
        if peer is None:
            return None
        receive = self.speaker.receive_update
        try:
            for body in bodies:
                for monitor in self.monitors:
                    monitor.update(peer, body)
                receive(peer, body)
        except SessionError as error:
            return connection.session.fail(error)
        if not self._turn_due:
            self._want_turn()
        return None

    def _on_open(self, connection: Connection, negotiated: Negotiated) -> None:
        self.waiting.leave(connection)
        self._learn_name(connection)
        key = connection.name.address, negotiated.remote.bgp_id
        left_s = self.held_down.left_s(key, self._loop.time())
        if left_s:
            until = f"for {left_s:.0f} s more" if left_s < inf else "until the next reload (SIGHUP)"
            self.close(connection, CeaseSubcode.CONNECTION_REJECTED, _KEPT_OUT.format(until))
        else:
            self._collisions.settle(connection, negotiated.remote.bgp_id)

    def _learn_name(self, connection: Connection) -> None:
        """Take what the peer's OPEN says of itself, also of an OPEN that was refused."""
        remote = connection.session.remote
        if remote is not None and not connection.name.router_id:
            connection.name = replace(
                connection.name,
                router_id=str(remote.bgp_id),
                host_name=remote.capabilities.host_name,
            )

    def _on_established(self, connection: Connection, negotiated: Negotiated) -> None:
        policy = self.policy(connection.name.address) or _NOBODY
        internal = negotiated.remote.asn == self.speaker.identity.asn
        source = Source(
            name=str(connection.name.address),
            kind=policy.audience(internal=internal),
            router_id=negotiated.remote.bgp_id.packed,
            address=connection.name.address,
        )
        connection.since = self._loop.time()
        connection.gather()
        self._newcomers.append(connection)
        local = connection.local_address
        # Over IPv6 there is no IPv4 address that the peer connected to: the interface's own does.
        others = () if isinstance(local, IPv4Address) else beside(local)
        connection.peer = self.speaker.peer_up(
            source,
            negotiated,
            local,
            connection,
            beside=others,
            enforce_first_as=policy.enforce_first_as,
            intake=policy.intake,
            export=policy.export,
        )
        self.restarts.peer_back(connection.name, connection.peer)
        for monitor in self.monitors:
            monitor.peer_up(connection.peer)
        self._report(
            PeerUp(
                connection.name,
                tuple(sorted(map(str, negotiated.families))),
                negotiated.hold_time_s,
            )
        )
        self._want_turn()

    def _on_closed(self, connection: Connection, closed: Closed) -> None:
        self.waiting.leave(connection)
        self._learn_name(connection)
        connection.transcript.reason = closed.reason
        peer, connection.peer = connection.peer, None
        prefixes, kept, kept_s = 0, 0, 0.0
        if peer is not None:
            self._refreshing.forget(peer)
            for monitor in self.monitors:
                monitor.peer_down(peer, closed)
            prefixes = self.speaker.peer_down(peer, self._keep(peer, closed))
            self.ended.add(peer, bytes_in=connection.bytes_in, bytes_out=connection.bytes_out)
            kept, kept_s = self.restarts.peer_fell(connection.name, peer)
        negotiated = connection.session.negotiated
        if negotiated is not None:
            key = connection.name.address, negotiated.remote.bgp_id
            if self.sessions.get(key) is connection:
                del self.sessions[key]
            sent = closed.sent
            if sent is not None and (sent.code, sent.subcode) == _TOO_MANY_PREFIXES:
                policy = self.policy(connection.name.address) or _NOBODY
                self.held_down.add(key, self._loop.time() + policy.hold_down_s)
        self._report(
            PeerDown(
                connection.name,
                peer is not None,
                closed.reason,
                closed.sent,
                closed.received,
                prefixes,
                self._loop.time() - connection.since,
                kept,
                round(kept_s),
            )
        )
        self._want_turn()

    def _keep(self, peer: Peer, closed: Closed) -> frozenset[Family]:
        """Families whose routes outlive a session: none where anybody ended it in words.

        Where both sides have said so, only the words of a Hard Reset end it (RFC 8538 4).
        """
        said = closed.sent or closed.received
        if self._stopping or (said and (said.hard or not peer.negotiated.graceful_notification)):
            return frozenset()
        return peer.negotiated.restartable | peer.negotiated.kept_long

    def report_finding(self, peer: Peer, finding: Finding) -> None:
        """Pass on what the speaker found in a peer's UPDATE; to be given to `Speaker`."""
        connection = peer.outlet
        if isinstance(connection, Connection):
            self._report(UpdateFault(connection.name, finding))

    # Turns.

    def _want_turn(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self._loop.call_soon(self._turn)

    def _turn(self) -> None:
        self._turn_due = False
        if self.speaker.turn():
            self._want_turn()
        for newcomer in self._newcomers:
            newcomer.flush()
        self._newcomers.clear()
        for peer in self.speaker.too_far_behind():
            connection = peer.outlet
            if isinstance(connection, Connection) and connection.unread_for_s() > _HOPELESS_S:
                self.close(connection, CeaseSubcode.OUT_OF_RESOURCES, _HOPELESS)
                break  # and look again in the next turn


# Who has taken nothing for so long is ended when too much is noted for such peers. Longer than any
# turn: in a flood everybody is behind for seconds, and those who read must not go for those who don't.
_HOPELESS_S: Final = 10.0
_HOPELESS: Final = (
    "too many changes wait for peers that don't read, and this one has long taken nothing: "
    "look at the load of its node and at the network between"
)


def _keeps_our_routes(connection: Connection) -> bool:
    """Whether a peer keeps our routes when its session breaks off (RFC 4724 4.2)."""
    peer = connection.peer
    return peer is not None and peer.negotiated.graceful_restart is not None


def _ignore(_connection: Connection, _events: list[Event]) -> None:
    """A connection that is turned away has nothing to tell."""
