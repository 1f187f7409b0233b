"""A session on its own: what a peer says goes in, what we answer comes out, read strictly."""

from __future__ import annotations

from ipaddress import IPv4Address

from reflector.bgp.events import Closed, Established, Event, OpenAccepted
from reflector.bgp.open import Capabilities, Open
from reflector.bgp.remote_as import INTERNAL, RemoteAs
from reflector.bgp.session import Session, Timer
from reflector.bgp.vocabulary import State
from tests.support import wire
from tests.support.strict_reader import split_messages

ROUTER_ID = "192.0.2.254"
HOLD_TIME_S = 90


def our_open(
    *,
    asn: int = wire.ASN,
    hold_time_s: int = HOLD_TIME_S,
    router_id: str = ROUTER_ID,
    enhanced_refresh: bool = False,
    extended_messages: bool = False,
    add_path: int = 0,
) -> Open:
    """Return the OPEN that we send."""
    return Open(
        my_as=asn if asn < 1 << 16 else 23456,
        hold_time_s=hold_time_s,
        bgp_id=IPv4Address(router_id),
        capabilities=Capabilities(
            families=frozenset({wire.IPV4, wire.IPV6}),
            as4=asn,
            route_refresh=True,
            enhanced_refresh=enhanced_refresh,
            extended_messages=extended_messages,
            add_path=((1, 1, add_path), (2, 1, add_path)) if add_path else (),
        ),
    )


class Talk:
    """A session that has just begun, unless it is brought further.

    Attributes:
        session: Under test.
        events: All of its events so far.
        sent: All that it sent, as (type, body).
        timers: What is armed, in seconds.
    """

    def __init__(
        self,
        local: Open | None = None,
        *,
        confirm: bool = True,
        remote_as: RemoteAs = INTERNAL,
    ) -> None:
        self.session = Session(local or our_open(), remote_as=remote_as)
        self.events: list[Event] = []
        self.sent: list[tuple[int, bytes]] = []
        self.timers: dict[Timer, float] = {}
        self._confirm = confirm
        self.session.start()
        self._settle([])

    @classmethod
    def in_state(cls, state: State) -> Talk:
        """Return a session in a state, with what led there forgotten."""
        talk = cls()
        if state is not State.OPEN_SENT:
            talk.hear(wire.open_message())
        if state not in (State.OPEN_SENT, State.OPEN_CONFIRM):
            talk.hear(wire.keepalive())
        if state is State.IDLE:
            talk.hear(wire.notification(6, 2))
        assert talk.session.state is state
        talk.events.clear()
        talk.sent.clear()
        return talk

    def hear(self, data: bytes) -> list[Event]:
        """The peer says something; returns what happened."""
        return self._settle(self.session.receive_data(data))

    def expire(self, timer: Timer) -> list[Event]:
        """A timer fires; returns what happened."""
        self.timers.pop(timer)
        return self._settle(self.session.timer_expired(timer))

    def confirm(self) -> list[Event]:
        """The owner wants to go on with this peer; returns what happened."""
        return self._settle(self.session.confirm())

    @property
    def closed(self) -> Closed:
        """How it ended."""
        (closed,) = [event for event in self.events if isinstance(event, Closed)]
        assert closed is self.events[-1]
        assert self.session.over
        return closed

    @property
    def established(self) -> bool:
        """Whether it came that far."""
        return any(isinstance(event, Established) for event in self.events)

    @property
    def notified(self) -> tuple[int, int, bytes] | None:
        """The NOTIFICATION that we sent, which is at most one and the last message."""
        found = [body for kind, body in self.sent if kind == wire.NOTIFICATION]
        if not found:
            return None
        assert len(found) == 1
        assert self.sent[-1] == (wire.NOTIFICATION, found[0])
        return found[0][0], found[0][1], found[0][2:]

    def _settle(self, events: list[Event]) -> list[Event]:
        self.events += events
        for chunk in self.session.data_to_send():
            self.sent += split_messages(chunk)
        for timer, seconds in self.session.timers_to_arm().items():
            if seconds is None:
                self.timers.pop(timer, None)
            else:
                self.timers[timer] = seconds
        if self._confirm and any(isinstance(event, OpenAccepted) for event in events):
            events = events + self._settle(self.session.confirm())
        return events
