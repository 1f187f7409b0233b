"""Connection collisions: which of two connections with one peer lives (RFC 4271 6.8)."""

import asyncio
from collections.abc import Callable, Coroutine
from ipaddress import IPv4Address
from typing import Final

from reflector.bgp.vocabulary import CeaseSubcode, State
from reflector.net.connection import Connection
from reflector.reports import PeerReturned, Report
from reflector.rib.source import IPAddress
from reflector.speaker import Identity

# How long an old session may take to answer when its peer connects anew. A live one's kernel
# answers within a delayed acknowledgement, 40 to 200 ms; the peer wants to be back in a second.
_PROBE_S: Final = 0.7
_PROBE_STEP_S: Final = 0.05

# The kernel notes the time of an acknowledgement in ticks of up to 10 ms. No node dies and is back
# within one.
_ACK_CLOCK_S: Final = 0.01

PeerKey = tuple[IPAddress, IPv4Address]


class Collisions:
    """Has one connection with each peer live.

    Args:
        identity: Who we are.
        close: Ends a connection with a Cease, for a reason.
        report: Told of peers that are back.

    Attributes:
        sessions: Connections past OPEN, by address and router id: two nodes behind one address are
            two peers.
    """

    def __init__(
        self,
        identity: Identity,
        *,
        close: Callable[[Connection, CeaseSubcode, str], None],
        report: Callable[[Report], None],
    ) -> None:
        self.sessions: dict[PeerKey, Connection] = {}
        self._identity = identity
        self._close = close
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def stop(self) -> None:
        """Wait for no answer any more."""
        for task in self._tasks:
            task.cancel()

    def settle(self, connection: Connection, router_id: IPv4Address) -> None:
        """Let one of two connections with the same peer live (RFC 4271 6.8).

        Args:
            connection: Whose OPEN has come.
            router_id: The BGP identifier in it.
        """
        key = connection.name.address, router_id
        other = self.sessions.get(key)
        if other is None or other is connection or other.session.over:
            self.sessions[key] = connection
            self._confirm(connection)
        elif other.session.state is State.ESTABLISHED:
            self._start(self._probe(connection, other, router_id))
        elif self._outlives(connection, other, router_id):
            self._collide(other, "the peer opened another connection, which is kept")
            self.sessions[key] = connection
            self._confirm(connection)
        else:
            self._collide(connection, "another connection with this peer is kept")

    def _outlives(self, new: Connection, old: Connection, router_id: IPv4Address) -> bool:
        """RFC 4271 6.8: the connection that the higher BGP identifier began is kept.

        Between equal ones the higher AS number decides (RFC 6286 2.3). Where one side began both, it
        has given up the older.
        """
        if new.outbound == old.outbound:
            return True
        remote, ours = new.session.remote, self._identity
        asn = ours.asn if remote is None else remote.asn
        theirs_is_kept = (router_id, asn) > (ours.router_id, ours.asn)
        return new.outbound is not theirs_is_kept

    async def _probe(self, new: Connection, old: Connection, router_id: IPv4Address) -> None:
        """A peer is back while its old session looks alive: find out whether it is.

        A KEEPALIVE on the old connection is answered by a rebooted node with a reset and by a
        vanished one with silence. A live one's kernel acknowledges it, and then the old session
        stays, as RFC 4271 6.8 wants.
        """
        began = self._loop.time()
        old.session.probe()
        old.after_session()
        alive = False
        while self._loop.time() - began < _PROBE_S:
            await asyncio.sleep(_PROBE_STEP_S)
            if old.closed.done() or old.session.over:
                break
            alive = old.last_ack_age_s() < self._loop.time() - began + _ACK_CLOCK_S
            if alive:
                break
        if new.session.over:
            return
        if alive:
            self._report(
                PeerReturned(
                    new.name,
                    "a second connection was closed, the first is alive; if these are two nodes "
                    "behind one address, give them different router ids (kube-router --router-id)",
                )
            )
            self._collide(new, "the peer's first connection is alive and kept")
            return
        if not old.session.over:
            reason = "the peer is back on a new connection; this one is dead"
            negotiated = old.session.negotiated
            if negotiated is not None and negotiated.restartable:
                old.lose(reason)  # RFC 4724 4.2: without a NOTIFICATION, and its routes stay
            else:
                self._collide(old, reason)
                old.abort()
        self._report(PeerReturned(new.name, "its old session was dead and is replaced"))
        self.settle(new, router_id)

    def _collide(self, connection: Connection, reason: str) -> None:
        self._close(connection, CeaseSubcode.CONNECTION_COLLISION_RESOLUTION, reason)

    def _confirm(self, connection: Connection) -> None:
        events = connection.session.confirm()
        connection.after_session()  # our KEEPALIVE first: for the peer, the session is up with it
        connection.deliver(events)

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
