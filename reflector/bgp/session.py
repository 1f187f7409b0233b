"""The BGP session state machine (RFC 4271 8), sans-IO.

A `Session` lives as long as one TCP connection. Its owner, who has the socket and the clock:

- calls `start()` once the connection is up, `receive_data(bytes)` and `receive_eof()` for what
  arrives, `timer_expired(timer)` when a timer fires, and handles the events that these return;
- after each call writes `data_to_send()` and arms `timers_to_arm()`;
- on `OpenAccepted` looks for a collision, then calls `confirm()` or `close(...)`;
- on `Closed` closes the connection when everything is written.

Nothing that a peer sends raises out of it. RFC 4271's Connect and Active states belong to whoever
dials; Idle is a session that is over.
"""

from collections.abc import Callable
from dataclasses import replace
from enum import Enum
from typing import Final

from reflector.bgp.codec import (
    decode_open,
    decode_route_refresh,
    encode_open,
    encode_route_refresh,
)
from reflector.bgp.errors import SessionError
from reflector.bgp.events import (
    Closed,
    Established,
    Event,
    OpenAccepted,
    RefreshReceived,
    UpdatesReceived,
)
from reflector.bgp.limits import (
    MAX_EAGER_BYTES,
    MAX_EXTENDED_MESSAGE_BYTES,
    OPEN_WAIT_S,
    SEND_HOLD_TIME_S,
)
from reflector.bgp.message import KEEPALIVE, Framer
from reflector.bgp.notification import Notification
from reflector.bgp.open import Negotiated, Open, negotiate
from reflector.bgp.remote_as import INTERNAL, RemoteAs
from reflector.bgp.vocabulary import (
    CeaseSubcode,
    ErrorCode,
    Family,
    FsmSubcode,
    MessageType,
    OpenSubcode,
    State,
)


class Timer(Enum):
    """The timers of a session (RFC 4271 8.2, RFC 9687)."""

    HOLD = "hold"
    KEEPALIVE = "keepalive"
    SEND_HOLD = "send hold"


_UNEXPECTED: Final = {
    State.OPEN_SENT: FsmSubcode.UNEXPECTED_IN_OPEN_SENT,
    State.OPEN_CONFIRM: FsmSubcode.UNEXPECTED_IN_OPEN_CONFIRM,
    State.ESTABLISHED: FsmSubcode.UNEXPECTED_IN_ESTABLISHED,
}
_NAMES: Final = {
    value: name.replace("_", "-")
    for name, value in vars(MessageType).items()
    if not name.startswith("_")
}


class Session:
    """One BGP session.

    Args:
        local: The OPEN to send.
        open_wait_s: How long the peer may take to send its OPEN, in seconds.
        remote_as: The ASes that the peer may be in.

    Attributes:
        state: Where the session stands.
        remote: The peer's OPEN, as soon as it could be read, whether or not it was accepted.
        negotiated: What it runs on, once the peer's OPEN was accepted.
        heard: How many messages restarted the hold timer. The owner compares it with what it saw
            before, and so knows the time of the last one without a timer call per message.
        sent_keepalives: KEEPALIVE messages written.
        refreshes: ROUTE-REFRESH messages received.
        sent_requests: ROUTE-REFRESH messages written that ask for routes.
    """

    def __init__(
        self, local: Open, open_wait_s: float = OPEN_WAIT_S, remote_as: RemoteAs = INTERNAL
    ) -> None:
        self.local = local
        self.state = State.CONNECT
        self.remote: Open | None = None
        self.negotiated: Negotiated | None = None
        self.heard = 0
        self.sent_keepalives = 0
        self.refreshes = 0
        self.sent_requests = 0
        self._open_wait_s = open_wait_s
        self._remote_as = remote_as
        self._framer = Framer()
        self._outgoing: list[bytes] = []
        self._timers: dict[Timer, float | None] = {}
        self._confirmed = False
        self._notified = False
        self._early = bytearray()
        self._handlers: dict[int, Callable[[bytes], Event | None]] = {
            MessageType.OPEN: self._on_open,
            MessageType.UPDATE: self._on_update,
            MessageType.NOTIFICATION: self._on_notification,
            MessageType.KEEPALIVE: self._on_keepalive,
            MessageType.ROUTE_REFRESH: self._on_route_refresh,
        }

    # What the owner calls.

    def start(self, opening: bytes | None = None) -> None:
        """The connection is up: send our OPEN (RFC 4271 8.2.2, TcpConnectionConfirmed).

        Args:
            opening: The message to send where its octets matter; None encodes `local`.
        """
        self._outgoing.append(encode_open(self.local) if opening is None else opening)
        self._timers[Timer.HOLD] = self._open_wait_s
        self.state = State.OPEN_SENT

    def receive_data(self, data: bytes) -> list[Event]:
        """Take what arrived.

        Args:
            data: Any piece of the byte stream.

        Returns:
            What happened, in order. After `Closed` there is nothing more.
        """
        if self.over:
            return []
        if self.state is State.OPEN_CONFIRM and not self._confirmed:
            return self._keep(data)
        return self._read(data)

    def receive_eof(self, reason: str = "the peer closed the connection") -> list[Event]:
        """The connection is gone.

        Args:
            reason: What the socket said, in words.
        """
        if self.over:
            return []
        return [self._end(reason)]

    def timer_expired(self, timer: Timer) -> list[Event]:
        """A timer that was armed has run its time."""
        if self.over:
            return []
        if timer is Timer.KEEPALIVE:
            self._send_keepalive()
            return []
        if timer is Timer.SEND_HOLD:
            return [
                self.fail(
                    SessionError(
                        ErrorCode.SEND_HOLD_TIMER_EXPIRED,
                        0,
                        "the peer has stopped reading: nothing could be sent to it for "
                        f"{self.send_hold_s:.0f} s (RFC 9687)",
                    )
                )
            ]
        return [self.fail(SessionError(ErrorCode.HOLD_TIMER_EXPIRED, 0, self._silence()))]

    def confirm(self) -> list[Event]:
        """Go on with the peer whose OPEN was accepted (RFC 4271 8.2.2: to OpenConfirm)."""
        if self.state is not State.OPEN_CONFIRM or self._confirmed:
            return []
        self._confirmed = True
        self._send_keepalive()
        early, self._early = bytes(self._early), bytearray()
        return self._read(early)

    def close(self, notification: Notification, reason: str) -> list[Event]:
        """End the session from our side.

        Args:
            notification: What to tell the peer.
            reason: Why, in words for our own log.
        """
        if self.over:
            return []
        return [self._end(reason, sent=notification)]

    def fail(self, error: SessionError) -> Closed:
        """End the session because of an error, ours to judge or the routing side's."""
        notification = Notification(error.code, error.subcode, error.data)
        return self._end(error.reason, sent=notification)

    def data_to_send(self) -> list[bytes]:
        """Messages to write since the last call, in order."""
        outgoing, self._outgoing = self._outgoing, []
        return outgoing

    def timers_to_arm(self) -> dict[Timer, float | None]:
        """Timers to (re)start with their seconds, or to stop where it is None, since last asked."""
        timers, self._timers = self._timers, {}
        return timers

    def probe(self) -> None:
        """Send a KEEPALIVE now: a peer that has rebooted answers it with a reset."""
        if self.state is State.ESTABLISHED:
            self._send_keepalive()

    def request_refresh(self, family: Family) -> bool:
        """Ask the peer to announce its routes of a family again (RFC 2918 4).

        Args:
            family: One of the session's.

        Returns:
            Whether it was asked: its session must be established, carry the family, and both sides
            must have the Route Refresh capability.
        """
        negotiated = self.negotiated
        if self.state is not State.ESTABLISHED or negotiated is None:
            return False
        if not negotiated.route_refresh or family not in negotiated.families:
            return False
        self._outgoing.append(encode_route_refresh(family.afi, family.safi))
        self.sent_requests += 1
        return True

    @property
    def over(self) -> bool:
        """Whether the session has ended; nothing leads back from there."""
        return self.state is State.IDLE

    @property
    def send_hold_s(self) -> float:
        """RFC 9687 3.2: how long the peer may leave our bytes unread, in seconds."""
        hold_time_s = self.negotiated.hold_time_s if self.negotiated else 0
        return max(SEND_HOLD_TIME_S, 2 * hold_time_s)

    # Message handlers: each returns its event, or None where nobody needs to know.

    def _on_open(self, body: bytes) -> Event:
        if self.state is not State.OPEN_SENT:
            raise self._unexpected(MessageType.OPEN)
        self.remote = decode_open(body)
        self.negotiated = negotiate(self.local, self.remote, self._remote_as)
        self.state = State.OPEN_CONFIRM
        self.heard += 1
        self._framer.any_refresh = self.negotiated.enhanced_refresh
        # RFC 8654 4: what we offer we must take, whether or not the peer offers it too.
        if self.local.capabilities.extended_messages:
            self._framer.most_bytes = MAX_EXTENDED_MESSAGE_BYTES
        # Without a hold time a peer may be silent for ever, but only once its session is up.
        self._timers[Timer.HOLD] = self.negotiated.hold_time_s or self._open_wait_s
        self._timers[Timer.KEEPALIVE] = self.negotiated.keepalive_s or None
        return OpenAccepted(self.negotiated)

    def _on_keepalive(self, _: bytes) -> Event | None:
        self.heard += 1
        if self.state is State.ESTABLISHED:
            return None
        if self.state is not State.OPEN_CONFIRM:
            raise self._unexpected(MessageType.KEEPALIVE)
        assert self.negotiated is not None  # noqa: S101 - the type checker can't see the states
        self.state = State.ESTABLISHED
        if not self.negotiated.hold_time_s:
            self._timers[Timer.HOLD] = None
        return Established(self.negotiated)

    def _on_update(self, _: bytes) -> Event:
        raise self._unexpected(MessageType.UPDATE)

    def _on_route_refresh(self, body: bytes) -> Event:
        if self.state is not State.ESTABLISHED:
            raise self._unexpected(MessageType.ROUTE_REFRESH)
        self.refreshes += 1
        afi, subtype, safi = decode_route_refresh(body)
        return RefreshReceived(afi, safi, subtype)

    def _on_notification(self, body: bytes) -> Event:
        received = Notification.decode(body)
        return self._end(_explain(received, self.local.asn), received=received)

    # Inner workings.

    def _read(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        messages = self._framer.feed(data)
        handlers, established = self._handlers, State.ESTABLISHED
        try:
            for message_type, bodies in messages:
                if message_type == MessageType.UPDATE and self.state is established:
                    self.heard += len(bodies)
                    events.append(UpdatesReceived(bodies))
                    continue
                event = handlers[message_type](bodies[0])
                if event is not None:
                    events.append(event)
                    # What follows an OPEN is read once the owner has confirmed it.
                    if self.state is not established and (
                        self.over or isinstance(event, OpenAccepted)
                    ):
                        break
        except SessionError as error:
            events.append(self.fail(error))
        messages.close()
        return events

    def _keep(self, data: bytes) -> list[Event]:
        """Keep what comes before the owner has confirmed, so that its timing changes nothing."""
        self._early += data
        if len(self._early) <= MAX_EAGER_BYTES:
            return []
        notification = Notification(ErrorCode.CEASE, CeaseSubcode.OUT_OF_RESOURCES)
        return [self._end("the peer floods us before its OPEN is answered", sent=notification)]

    def _send_keepalive(self) -> None:
        if self.negotiated is None:
            return
        self._outgoing.append(KEEPALIVE)
        self.sent_keepalives += 1
        self._timers[Timer.KEEPALIVE] = self.negotiated.keepalive_s or None

    def _end(
        self,
        reason: str,
        *,
        sent: Notification | None = None,
        received: Notification | None = None,
    ) -> Closed:
        negotiated = self.negotiated
        if sent is not None and sent.final and negotiated and negotiated.graceful_notification:
            sent = replace(sent, encapsulated=True)
        if sent is not None and not self.over:
            self._outgoing.append(sent.encode())
            self._notified = True
        elif sent is not None and self._notified and self._outgoing:
            # What was wrong with an UPDATE before the octets that ended the session: the first
            # error is told, and never in answer to the peer's NOTIFICATION (RFC 4271 6.4).
            self._outgoing[-1] = sent.encode()
        self.state = State.IDLE
        self._timers = dict.fromkeys(Timer)
        return Closed(reason, sent, received)

    def _unexpected(self, message_type: int) -> SessionError:
        # RFC 6608 4: the data is the type of the message that should not have come.
        return SessionError(
            ErrorCode.FINITE_STATE_MACHINE,
            _UNEXPECTED[self.state],
            f"the peer sent {_NAMES[message_type]} in state {self.state.value}",
            bytes((message_type,)),
        )

    def _silence(self) -> str:
        if self.negotiated is None:
            return f"the peer connected and sent no OPEN within {self._open_wait_s:.0f} s"
        if not self.negotiated.hold_time_s:
            return f"the peer answered our OPEN with no KEEPALIVE within {self._open_wait_s:.0f} s"
        return (
            f"nothing heard from the peer for its hold time of {self.negotiated.hold_time_s} s: "
            "the node is down, or the network between is"
        )


def _explain(received: Notification, asn: int) -> str:
    """Say what a peer's NOTIFICATION means for the one who has to mend it."""
    said = f"the peer said: {received.name}"
    if received.text:
        said += f' "{received.text}"'
    match received.code, received.subcode:
        case ErrorCode.OPEN_MESSAGE, OpenSubcode.BAD_PEER_AS:
            return f"{said}: start kube-router with --peer-router-asns={asn}"
        case ErrorCode.CEASE, CeaseSubcode.CONNECTION_COLLISION_RESOLUTION:
            return f"{said}: it keeps another connection to us"
        case ErrorCode.OPEN_MESSAGE, OpenSubcode.BAD_BGP_IDENTIFIER:
            return f"{said}: it has our router id; choose another with --router-id"
    return said
