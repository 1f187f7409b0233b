"""What drives a simulated peer: one session at a time on a connection, its history and its waits."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar

from reflector.bgp.errors import SessionError
from reflector.bgp.events import (
    Closed,
    Established,
    Event,
    OpenAccepted,
    RefreshReceived,
    UpdatesReceived,
)
from reflector.bgp.notification import Notification
from reflector.bgp.open import Negotiated, Open
from reflector.bgp.remote_as import RemoteAs
from reflector.bgp.session import Session, Timer
from reflector.bgp.vocabulary import FAMILIES, Family, RefreshSubtype, State
from reflector.bgp.words import describe_notification
from reflector.sim import given
from reflector.sim.errors import DeadlineError, SessionOverError, SimError
from reflector.sim.faults import faults_of
from reflector.sim.history import History, Message, Note, Recorder
from reflector.sim.profile import Profile
from reflector.sim.route import Route
from reflector.sim.transport import Address, Transport
from reflector.sim.wire import read, write_routes

T = TypeVar("T")

# Whom a simulated peer accepts that is not told: its test says what it wants to see in the other side's OPEN.
_NONE: Final[frozenset[Family]] = frozenset()
_ANYBODY: Final = RemoteAs(internal=True, external=True)


@dataclass(frozen=True, slots=True)
class Ended:
    """How a session ended.

    Args:
        reason: In words.
        sent: The NOTIFICATION that the simulated peer sent, if any.
        received: The NOTIFICATION that it was sent, if any.
    """

    reason: str
    sent: Notification | None = None
    received: Notification | None = None


class Link:
    """A simulated peer without its vocabulary: `Peer` adds what tests call.

    Args:
        profile: How it behaves.
        target: Address and port of the speaker under test; None of a peer that was dialled.
    """

    def __init__(self, profile: Profile, target: Address | None) -> None:
        self.profile = profile
        self.target = target
        self.history = History(f"History of a simulated peer in AS {profile.asn}")
        self.routes: dict[str, Route] = {}
        self.paths: dict[str, dict[int, Route]] = {}
        self._announced: dict[tuple[str, int | None], Route] = {}
        self.faults: list[str] = []
        self.ended: Ended | None = None
        self._loop = asyncio.get_running_loop()
        self._session = self._new_session(profile.located("127.0.0.1"))
        self._transport: Transport | None = None
        self._recorders = Recorder("sent"), Recorder("received")
        self._timers: dict[Timer, asyncio.TimerHandle] = {}
        self._heard = 0
        self._heard_at = 0.0
        self._hold_s = 0.0
        self._stalled = False
        self._silent = False
        self._ended_ribs: set[str] = set()
        self._refresh_requests: list[str] = []
        self._waiters: set[asyncio.Future[None]] = set()

    # What it is.

    @property
    def announced(self) -> dict[str, Route]:
        """What it has announced and not withdrawn, by prefix; of several paths the last."""
        return {prefix: route for (prefix, _), route in self._announced.items()}

    @property
    def state(self) -> State:
        """The state of its session (RFC 4271 8.2.2)."""
        return self._session.state

    @property
    def is_established(self) -> bool:
        """Whether its session carries routes."""
        return self._session.state is State.ESTABLISHED

    @property
    def remote_open(self) -> Open | None:
        """The other side's OPEN, as soon as it has come."""
        return self._session.remote

    @property
    def negotiated(self) -> Negotiated | None:
        """What the session runs on, as soon as the other side's OPEN has come."""
        return self._session.negotiated

    @property
    def messages(self) -> list[Message]:
        """All messages of its history, in order."""
        return self.history.messages

    @property
    def local_address(self) -> Address:
        """Address and port that it is connected from."""
        return self._connected.local

    @property
    def remote_address(self) -> Address:
        """Address and port that it is connected to."""
        return self._connected.remote

    # Waiting.

    async def until(
        self,
        check: Callable[[], T | None],
        what: str,
        deadline_s: float | None = None,
        *,
        why: Callable[[], str] | None = None,
    ) -> T:
        """Wait until `check` returns something true; asked anew whenever anything happens.

        Args:
            check: What to ask.
            what: What is waited for, for the error's message.
            deadline_s: Other than the profile's.
            why: Says for the error's message what is wrong.

        Returns:
            What `check` returned.

        Raises:
            SessionOverError: The session ended, so that nothing more can happen.
            DeadlineError: `check` returned nothing true in time.
        """
        __tracebackhide__ = True
        limit_s = self.profile.deadline_s
        if deadline_s is not None:
            limit_s = given.seconds("deadline_s", deadline_s)
        deadline = self._loop.time() + limit_s
        while not (result := check()):
            reason = f": {why()}" if why is not None else ""
            if self.ended is not None:
                raise self._failure(
                    SessionOverError,
                    f"waiting for {what}, but the session ended: {self.ended.reason}",
                )
            if not await self._change(deadline):
                text = f"not within {limit_s:.3g} s: {what}"
                raise self._failure(DeadlineError, f"{text}{reason}")
        return result

    async def _change(self, deadline: float) -> bool:
        """Wait until anything happens; whether it did before the deadline."""
        waiter = self._loop.create_future()
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout_at(deadline):
                await waiter
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True

    async def _within(self, seconds: float, check: Callable[[], bool]) -> bool:
        """Whether something becomes true within some time."""
        deadline = self._loop.time() + seconds
        while not check():
            if not await self._change(deadline):
                return False
        return True

    def _wake(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _failure(self, kind: type[SimError], reason: str) -> SimError:
        return kind(reason, self.history)

    def _note(self, text: str) -> None:
        self.history.add(Note(self._now(), text))

    def _now(self) -> float:
        return time.monotonic() - self.history.began_s

    # Beginning and end.

    def begin(self, transport: Transport, profile: Profile) -> None:
        """Start a session on a connection."""
        (here, _), (there, port) = transport.local, transport.remote
        located = profile.located(here)
        self.history.title = (
            f"History of {here} (simulated, AS {profile.asn}) with {there} port {port}"
        )
        self._transport = transport
        self._session = self._new_session(located)
        self._recorders = Recorder("sent"), Recorder("received")
        self._heard = 0
        self._stalled = self._silent = False
        self.ended = None
        self.routes.clear()
        self.paths.clear()
        self._announced.clear()
        self._ended_ribs.clear()
        self._refresh_requests.clear()
        self._note(f"connected to {there} port {port} from {here}")
        self._session.start(located.opening())
        self._handle([])

    def dispose(self) -> None:
        """Close everything at once; needs no running event loop."""
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        if self._transport is not None:
            self._transport.close()

    def _new_session(self, located: Profile) -> Session:
        expected = located.peer_asn
        if expected is None:
            return Session(located.local(), remote_as=_ANYBODY)
        only = RemoteAs(internal=False, numbers=frozenset((expected,)))
        return Session(located.local(), remote_as=only)

    # Inner workings: what arrives, timers, the end.

    @property
    def _connected(self) -> Transport:
        if self._transport is None:
            raise SimError("this peer has never been connected")
        return self._transport

    def on_data(self, data: bytes) -> None:
        """Octets have arrived; the transport calls this."""
        agreed = self.negotiated
        as4, add_path = (True, _NONE) if agreed is None else (agreed.as4, agreed.add_path_receive)
        for message in self._recorders[1].feed(data, self._now(), as4=as4, add_path=add_path):
            self.history.add(message)
        events = self._session.receive_data(data)
        if self._session.heard != self._heard:
            self._heard = self._session.heard
            self._heard_at = self._loop.time()
        self._handle(events)

    def on_lost(self, reason: str) -> None:
        """The connection is gone; the transport calls this."""
        self._handle(self._session.receive_eof(f"the other side {reason}"))
        self._wake()

    def _handle(self, events: list[Event]) -> None:
        """Do what follows from a call to the session."""
        for event in events:
            match event:
                case OpenAccepted():
                    early = self._session.confirm()
                    self._flush()
                    self._handle(early)
                case Established():
                    self._note("established")
                case UpdatesReceived(bodies):
                    for body in bodies:
                        self._on_update(body)
                case RefreshReceived(afi=afi, safi=safi, subtype=subtype):
                    self._on_refresh((afi, safi), subtype)
                case Closed():
                    self._on_closed(event)
        self._flush()
        self._wake()

    def _flush(self) -> None:
        for chunk in self._session.data_to_send():
            self._write(chunk, ours=True)
        for timer, seconds in self._session.timers_to_arm().items():
            self._arm(timer, seconds)

    def _on_update(self, body: bytes) -> None:
        if self.ended is not None:
            return
        agreed = self.negotiated
        assert agreed is not None  # noqa: S101 - the type checker can't see the states
        try:
            update = read(body, as4=agreed.as4, add_path=agreed.add_path_receive)
        except SessionError as error:
            self.faults.append(error.reason)
            self._on_closed(self._session.fail(error))
            return
        internal = agreed.remote.asn == self.profile.asn
        for fault in faults_of(body, as4=agreed.as4, internal=internal, families=agreed.families):
            self.faults.append(fault)
            which = f"the UPDATE of {update.routes[0].prefix}" if update.routes else "an UPDATE"
            self._note(f"{which} is malformed: {fault}")
        for prefix, path_id in update.withdrawn:
            self._lose_path(prefix, path_id)
        for route in update.routes:
            self.routes[route.prefix] = route
            if route.path_id is not None:
                self.paths.setdefault(route.prefix, {})[route.path_id] = route
        if update.end_of_rib is not None:
            self._ended_ribs.add(update.end_of_rib)

    def _lose_path(self, prefix: str, path_id: int | None) -> None:
        left = self.paths.get(prefix, {})
        if path_id is not None:
            left.pop(path_id, None)
        if left:
            self.routes[prefix] = next(reversed(left.values()))
        else:
            self.paths.pop(prefix, None)
            self.routes.pop(prefix, None)

    def _on_refresh(self, pair: tuple[int, int], subtype: int) -> None:
        family = FAMILIES.get(pair)
        if family is None or subtype != RefreshSubtype.REQUEST or self.negotiated is None:
            return
        self._refresh_requests.append(family.name)
        again = [route for route in self._announced.values() if route.family == family.name]
        last, agreed = self.profile.mp_reach_last, self.negotiated
        self._write(
            write_routes(again, as4=agreed.as4, reach_last=last, most_bytes=agreed.most_bytes)
        )

    def _on_closed(self, closed: Closed) -> None:
        reason = closed.reason
        if closed.received is not None:
            reason = f"the other side sent NOTIFICATION {describe_notification(closed.received)}"
        elif closed.sent is not None and not reason.startswith("the test "):
            reason = f"{reason} (we sent {describe_notification(closed.sent)})"
        self.ended = Ended(reason, closed.sent, closed.received)
        self.routes.clear()
        self.paths.clear()
        for handle in self._timers.values():
            handle.cancel()
        self._timers.clear()
        self._flush()
        self._note(f"the session ended: {reason}")
        self._connected.finish()

    def _arm(self, timer: Timer, seconds: float | None) -> None:
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()
        if timer is Timer.HOLD:
            self._hold_s = seconds or 0.0
            self._heard_at = self._loop.time()
        if seconds is not None:
            self._timers[timer] = self._loop.call_later(seconds, self._on_timer, timer)

    def _on_timer(self, timer: Timer) -> None:
        del self._timers[timer]
        if timer is Timer.HOLD:
            left_s = self._heard_at + self._hold_s - self._loop.time()
            if self._stalled or left_s > 0:
                # What comes doesn't re-arm the timer: it looks back when it fires.
                again_s = self._hold_s if self._stalled else left_s
                self._timers[timer] = self._loop.call_later(again_s, self._on_timer, timer)
                return
        elif self._silent:
            return  # `resume` sends the next one
        self._handle(self._session.timer_expired(timer))

    def _write(self, data: bytes, *, ours: bool = False) -> None:
        transport = self._connected
        if not ours and (self.ended is not None or transport.closed):
            reason = "" if self.ended is None else f": {self.ended.reason}"
            raise self._failure(SessionOverError, f"can't send, the session is over{reason}")
        agreed = self.negotiated
        as4, add_path = (True, _NONE) if agreed is None else (agreed.as4, agreed.add_path_send)
        for message in self._recorders[0].feed(data, self._now(), as4=as4, add_path=add_path):
            self.history.add(message)
        transport.write(data)
