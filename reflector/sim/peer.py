"""A simulated BGP peer: what a test makes it say, do and wait for."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, Self, Unpack

from reflector.bgp.codec import encode_route_refresh
from reflector.bgp.notification import Notification
from reflector.bgp.open import Negotiated
from reflector.bgp.session import Timer
from reflector.bgp.update import write_end_of_rib
from reflector.bgp.vocabulary import (
    FAMILY_BY_NAME,
    IPV4_UNICAST,
    IPV6_UNICAST,
    CeaseSubcode,
    ErrorCode,
)
from reflector.sim import capability
from reflector.sim.errors import (
    ConnectError,
    DeadlineError,
    SessionOverError,
    SimError,
    UnexpectedError,
)
from reflector.sim.link import Ended, Link
from reflector.sim.route import Attributes, Route, differences, normal_prefix
from reflector.sim.transport import Transport, open_socket
from reflector.sim.wire import write_routes, write_withdrawal

# How long `close` waits for the other side to hang up too.
_LINGER_S: Final = 1.0
# Pause between two dials of `rejoin`.
_REDIAL_S: Final = 0.2
# How long the first of them waits for an answer, each further one twice as long: GoBGP 3.10 may take a
# connection of who has just left and forget it.
_UNANSWERED_S: Final = 3.0


class Peer(Link):
    """A simulated BGP peer. `connect` and `Listener.accept` make one.

    Every wait has a deadline, `deadline_s` or else the profile's, and an error that prints the
    peer's whole history.

    Attributes:
        profile: How it behaves.
        target: Address and port of the speaker under test; None of a peer that was dialled.
        history: All that it has sent, received and done.
        routes: What it was announced and not withdrawn, by prefix; of several paths the last.
        paths: What came with path identifiers, by prefix and identifier (RFC 7911).
        ended: How its session ended; None while there is one.
    """

    _defers = False

    # pytest shows where a test waited, not where in here it was given up: `__tracebackhide__`.

    # Waiting.

    async def established(self, *, deadline_s: float | None = None) -> Negotiated:
        """Wait until the session is up.

        Returns:
            What it runs on.

        Raises:
            SessionOverError: It ended instead.
            DeadlineError: Neither happened in time.
        """
        __tracebackhide__ = True
        await self.until(lambda: self.is_established, "the session is established", deadline_s)
        assert self.negotiated is not None  # noqa: S101 - the type checker can't see the states
        return self.negotiated

    async def route(
        self, prefix: str, *, deadline_s: float | None = None, **expected: Unpack[Attributes]
    ) -> Route:
        """Wait until it has a route, with these attributes if any are given.

        Args:
            prefix: As in "10.1.0.0/24".
            deadline_s: Other than the profile's.
            expected: Attributes by the names of `Route`'s; the others may be anything.

        Returns:
            The route.

        Raises:
            SessionOverError: The session ended before.
            DeadlineError: It has no such route in time; the message says what of it differs.
        """
        __tracebackhide__ = True
        prefix = normal_prefix(prefix)

        def check() -> Route | None:
            found = self.routes.get(prefix)
            return None if found is None or differences(found, expected) else found

        def why() -> str:
            found = self.routes.get(prefix)
            if found is None:
                return f"it has {self._held()}"
            return " and ".join(differences(found, expected))

        wanted = "".join(f", {name} {value}" for name, value in expected.items())
        return await self.until(check, f"a route to {prefix}{wanted}", deadline_s, why=why)

    async def all_paths(
        self, prefix: str, *next_hops: str, deadline_s: float | None = None
    ) -> dict[int, Route]:
        """Wait until it has just these paths of a prefix, in a session with add-path (RFC 7911).

        Args:
            prefix: As in "10.1.0.0/24".
            next_hops: Of the paths, in any order.
            deadline_s: Other than the profile's.

        Returns:
            The paths, by identifier.

        Raises:
            SessionOverError: The session ended before.
            DeadlineError: It has others in the end.
        """
        __tracebackhide__ = True
        prefix, wanted = normal_prefix(prefix), sorted(next_hops)

        def has() -> list[str]:
            return sorted(str(path.next_hop) for path in self.paths.get(prefix, {}).values())

        await self.until(
            lambda: has() == wanted,
            f"paths to {prefix} via {', '.join(wanted) or 'nobody'}",
            deadline_s,
            why=lambda: f"it has those via {', '.join(has()) or 'nobody'}",
        )
        return dict(self.paths.get(prefix, {}))

    async def no_route(
        self, prefix: str, *, for_s: float = 0.0, deadline_s: float | None = None
    ) -> None:
        """Wait until it has no route to a prefix.

        Args:
            prefix: As in "10.1.0.0/24".
            for_s: For how many seconds it must stay without one.
            deadline_s: Other than the profile's.

        Raises:
            DeadlineError: It still has one at the deadline.
            UnexpectedError: It got one within `for_s`.
        """
        __tracebackhide__ = True
        prefix = normal_prefix(prefix)

        def gone() -> bool:
            return prefix not in self.routes

        await self.until(
            gone, f"no route to {prefix}", deadline_s, why=lambda: f"it has {self.routes[prefix]}"
        )
        if for_s and await self._within(for_s, lambda: not gone()):
            raise self._failure(UnexpectedError, f"a route came: {self.routes[prefix]}")

    async def end_of_rib(self, family: str = "ipv4", *, deadline_s: float | None = None) -> None:
        """Wait until the End-of-RIB marker of a family has come (RFC 4724 2).

        Raises:
            SessionOverError: The session ended before.
            DeadlineError: It has not come in time.
        """
        __tracebackhide__ = True
        capability.pair(family)
        await self.until(lambda: family in self._ended_ribs, f"End-of-RIB for {family}", deadline_s)

    async def refresh_request(
        self, family: str = "ipv4", *, deadline_s: float | None = None
    ) -> None:
        """Wait until the other side has asked for all routes of a family (RFC 2918).

        The peer answers such a request by itself, with what it has announced.

        Raises:
            SessionOverError: The session ended before.
            DeadlineError: It has not asked in time.
        """
        __tracebackhide__ = True
        capability.pair(family)
        await self.until(
            lambda: family in self._refresh_requests, f"a ROUTE-REFRESH for {family}", deadline_s
        )

    async def notification(
        self,
        code: int | None = None,
        subcode: int | None = None,
        *,
        deadline_s: float | None = None,
    ) -> Notification:
        """Wait until the other side ends the session with a NOTIFICATION.

        Args:
            code: The error code that it must have (RFC 4271 4.5), None for any.
            subcode: The error subcode that it must have, None for any.
            deadline_s: Other than the profile's.

        Returns:
            The NOTIFICATION, with its data.

        Raises:
            UnexpectedError: The session ended otherwise.
            DeadlineError: It did not end in time.
        """
        __tracebackhide__ = True
        wanted = "a NOTIFICATION"
        if code is not None:
            wanted += f" {code}{'' if subcode is None else f'/{subcode}'}"
        ended = await self.closed(deadline_s=deadline_s, what=wanted)
        found = ended.received
        if found is None or (code, subcode) not in (
            (None, None),
            (found.code, None),
            (found.code, found.subcode),
        ):
            raise self._failure(
                UnexpectedError, f"the session ended without {wanted}: {ended.reason}"
            )
        return found

    async def closed(
        self, *, deadline_s: float | None = None, what: str = "the end of the session"
    ) -> Ended:
        """Wait until the session has ended, in whatever way.

        Raises:
            DeadlineError: It did not end in time.
        """
        __tracebackhide__ = True
        return await self.until(lambda: self.ended, what, deadline_s)

    # Saying what a well-behaved peer says. Each waits until the session is up.

    async def announce(self, *prefixes: str, **attributes: Unpack[Attributes]) -> None:
        """Announce prefixes that share their attributes.

        An internal peer adds LOCAL_PREF 100 and an empty AS_PATH, an external one an AS_PATH of its
        own AS number, where nothing else is given.

        Args:
            prefixes: As in "10.1.0.0/24".
            attributes: By the names of `Route`'s.

        Raises:
            ValueError: A prefix or an attribute can't be written.
        """
        __tracebackhide__ = True
        await self.announce_routes([self._complete(prefix, attributes) for prefix in prefixes])

    async def announce_routes(self, routes: Sequence[Route]) -> None:
        """Announce routes with exactly the attributes that they have.

        `Route.raw` adds attributes, or puts others in the place of those that the fields make.

        Raises:
            ValueError: An attribute can't be written.
        """
        __tracebackhide__ = True
        negotiated = await self.established()
        await self._defer(negotiated)
        routes = [self._with_defaults(route, negotiated) for route in routes]
        data = write_routes(
            routes,
            as4=negotiated.as4,
            reach_last=self.profile.mp_reach_last,
            most_bytes=negotiated.most_bytes,
        )
        self._announced.update({(route.prefix, route.path_id): route for route in routes})
        await self.send(data)

    async def withdraw(self, *prefixes: str, path_id: int | None = None) -> None:
        """Withdraw prefixes, announced before or not.

        Args:
            prefixes: As in "10.1.0.0/24".
            path_id: Which path of them, in a session with add-path; None for 0 there.
        """
        __tracebackhide__ = True
        negotiated = await self.established()
        gone = [(each, path_id) for each in map(normal_prefix, prefixes)]
        if path_id is None:
            gone = [(each, _path_id(each, negotiated)) for each, _ in gone]
        for key in gone:
            self._announced.pop(key, None)
        await self.send(write_withdrawal(gone))

    async def announce_end_of_rib(self, *families: str) -> None:
        """Say that these were all routes: the End-of-RIB marker (RFC 4724 2).

        Args:
            families: Of which; none given means all that the session has.
        """
        negotiated = await self.established()
        names = families or sorted(str(family) for family in negotiated.families)
        await self.send(b"".join(write_end_of_rib(FAMILY_BY_NAME[name]) for name in names))

    async def refresh(self, family: str = "ipv4") -> None:
        """Ask for all routes of a family again (RFC 2918)."""
        await self.established()
        await self.send(encode_route_refresh(*capability.pair(family)))

    async def notify(self, code: int, subcode: int = 0, data: bytes = b"") -> None:
        """End the session with a NOTIFICATION of one's choice."""
        notification = Notification(code, subcode, data)
        self._handle(self._session.close(notification, "the test ended it"))
        await self._hang_up_politely()

    # Saying anything.

    async def send(self, data: bytes) -> None:
        """Send octets as they are, and wait until the kernel has them.

        Raises:
            SessionOverError: There is no connection any more.
            DeadlineError: The other side does not read.
        """
        __tracebackhide__ = True
        self._write(data)
        try:
            async with asyncio.timeout(self.profile.deadline_s):
                await self._connected.drain()
        except TimeoutError:
            raise self._failure(
                DeadlineError, f"nothing could be sent for {self.profile.deadline_s:g} s"
            ) from None

    async def drip(self, data: bytes, *, interval_s: float = 0.05, octets: int = 1) -> None:
        """Send octets a few at a time.

        Args:
            data: To send, as it is.
            interval_s: Pause after each piece, in seconds.
            octets: Octets in a piece.
        """
        for at in range(0, len(data), octets):
            await self.send(data[at : at + octets])
            await asyncio.sleep(interval_s)

    # Misbehaving.

    def stall(self) -> None:
        """Stop reading, until `resume`. KEEPALIVEs are still sent."""
        self._note("stops reading")
        self._stalled = True
        self._connected.pause_reading()

    def silence(self) -> None:
        """Stop sending KEEPALIVEs, until `resume`: the other side's hold timer will run out."""
        self._note("stops sending KEEPALIVEs")
        self._silent = True

    def resume(self) -> None:
        """End `stall` and `silence`."""
        self._note("behaves again")
        self._stalled = self._silent = False
        self._heard_at = self._loop.time()
        self._connected.resume_reading()
        if Timer.KEEPALIVE not in self._timers:
            self._handle(self._session.timer_expired(Timer.KEEPALIVE))

    def crash(self) -> None:
        """Vanish as a machine that reboots: the connection is reset (RST), without a word."""
        self._lose("the test reset the connection", Transport.reset)

    def hang_up(self) -> None:
        """Vanish as a process that is killed: its kernel closes the connection, without a word."""
        self._lose("the test closed the connection", Transport.close)

    async def close(self) -> None:
        """End the session as the profile says: by default Cease / Administrative Shutdown."""
        match self.profile.cease:
            case None:
                self.hang_up()
                return
            case CeaseSubcode.ADMINISTRATIVE_SHUTDOWN | CeaseSubcode.ADMINISTRATIVE_RESET as cease:
                notification = Notification.shutdown("the test is over", cease)
            case cease:
                notification = Notification(ErrorCode.CEASE, cease)
        self._handle(self._session.close(notification, "the test closed the session"))
        await self._hang_up_politely()

    # Coming back.

    async def reconnect(self, *, restarting: bool = False, forwarding: bool = True) -> None:
        """Dial again, with nothing announced, after the session has ended; ends it if it has not.

        Args:
            restarting: Whether the OPEN's graceful restart capability has the R bit (RFC 4724 3).
            forwarding: Whether it then has the F bits.

        Raises:
            ConnectError: The connection can't be made.
            SimError: The peer was dialled, so that it has nowhere to dial.
        """
        if self.target is None:
            raise SimError("this peer was dialled: it can't dial")
        if self.ended is None and self._transport is not None:
            self.hang_up()
        await self.dial(restarting=restarting, forwarding=forwarding)

    async def rejoin(
        self,
        *,
        restarting: bool = False,
        forwarding: bool = True,
        deadline_s: float | None = None,
    ) -> None:
        """Dial again and again until the session is up, as speakers do.

        Many refuse who has just left, for a moment: `reconnect` shows that, this gets over it.

        Args:
            restarting: As `reconnect` takes it.
            forwarding: As `reconnect` takes it.
            deadline_s: Other than the profile's.

        Raises:
            ConnectError: The connection can't be made by the deadline.
            SessionOverError: The session is still refused at the deadline.
            DeadlineError: The connection is taken, and by the deadline nobody answers.
            SimError: The peer was dialled, so that it has nowhere to dial.
        """
        loop = asyncio.get_running_loop()
        limit_s = self.profile.deadline_s if deadline_s is None else deadline_s
        deadline, answer_s = loop.time() + limit_s, _UNANSWERED_S
        while True:
            try:
                await self.reconnect(restarting=restarting, forwarding=forwarding)
                left_s = max(deadline - loop.time(), _REDIAL_S)
                await self.established(deadline_s=min(answer_s, left_s))
            except (ConnectError, SessionOverError, DeadlineError):
                if loop.time() > deadline:
                    raise
                answer_s *= 2
                await asyncio.sleep(_REDIAL_S)
            else:
                return

    async def restart_gracefully(self, *, down_s: float = 0.0, forwarding: bool = True) -> None:
        """Restart as RFC 4724 4.1 wants: vanish, come back with the R bit, announce all again.

        Returns when the session is up again, and the routes and End-of-RIB are sent.

        Args:
            down_s: How long to be away, in seconds.
            forwarding: Whether to say that forwarding went on meanwhile (the F bits).

        Raises:
            SimError: The profile offers no graceful restart.
        """
        if not self.profile.restarts_gracefully:
            raise SimError("the profile offers no graceful restart: set graceful_restart_s")
        kept = list(self._announced.values())
        if self.ended is None:
            self.hang_up()
        await asyncio.sleep(down_s)
        await self.rejoin(restarting=True, forwarding=forwarding)
        if kept:
            await self.announce_routes(kept)
        await self.announce_end_of_rib()

    async def dial(self, *, restarting: bool, forwarding: bool = True) -> None:
        """Connect to the target and send the OPEN; `connect` has done it the first time."""
        assert self.target is not None  # noqa: S101 - both callers have looked
        host, port = self.target
        profile = self.profile
        try:
            async with asyncio.timeout(profile.deadline_s):
                sock = await open_socket(
                    host, port, profile.source, profile.password, profile.netns
                )
        except TimeoutError:
            raise self._failure(
                ConnectError,
                f"no answer from {host} port {port} within {profile.deadline_s:g} s: does the "
                "speaker listen there, and does it want a password (MD5)?",
            ) from None
        except OSError as error:
            where = "" if profile.source is None else f" from {profile.source}"
            raise self._failure(
                ConnectError, f"can't connect to {host} port {port}{where}: {_words(error)}"
            ) from None
        self.adopt(sock, restarting=restarting, forwarding=forwarding)

    def adopt(self, sock: socket.socket, *, restarting: bool, forwarding: bool = True) -> None:
        """Start a session on a connected socket: send the OPEN."""
        self._defers = restarting
        profile = self.profile
        if restarting:
            profile = profile.after_restart(forwarding=forwarding)
        self.begin(Transport(sock, self.on_data, self.on_lost), profile)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<{self.history.title.removeprefix('History of ')}: {self.state.value}>"

    # Inner workings.

    async def _defer(self, negotiated: Negotiated) -> None:
        """Wait for End-of-RIB of all families, as a restarting speaker does (RFC 4724 4.1)."""
        limit_s, theirs = self.profile.deferral_s, negotiated.remote.capabilities.graceful_restart
        if self._defers and limit_s is not None and theirs is not None and not theirs.restarting:
            expected = {
                family.name
                for family in negotiated.families
                if any((family.afi, family.safi) == kept[:2] for kept in theirs.preserved)
            }
            await self._within(limit_s, lambda: expected <= self._ended_ribs)
        self._defers = False

    def _lose(self, reason: str, how: Callable[[Transport], None]) -> None:
        transport = self._connected
        how(transport)
        self._handle(self._session.receive_eof(reason))

    async def _hang_up_politely(self) -> None:
        """Close when the other side has, or after a while: what we said must not be overtaken."""
        transport = self._transport
        if transport is None:
            return
        transport.resume_reading()
        deadline = self._loop.time() + _LINGER_S
        while not transport.closed and await self._change(deadline):
            pass
        transport.close()

    def _complete(self, prefix: str, attributes: Attributes) -> Route:
        listed = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in attributes.items()
        }
        return Route(prefix=normal_prefix(prefix), **listed)  # type: ignore[arg-type]

    def _with_defaults(self, route: Route, negotiated: Negotiated) -> Route:
        located = self.profile.located(self.local_address[0])
        internal = negotiated.remote.asn == self.profile.asn
        own = located.next_hop if route.family == "ipv4" else located.next_hop_ipv6
        return replace(
            route,
            origin=route.origin or "igp",
            next_hop=route.next_hop or own,
            as_path=route.as_path or (() if internal else (self.profile.asn,)),
            local_pref=100 if route.local_pref is None and internal else route.local_pref,
            path_id=_path_id(route.prefix, negotiated) if route.path_id is None else route.path_id,
        )

    def _held(self) -> str:
        if not self.routes:
            return "no routes"
        some = ", ".join(list(self.routes)[:8])
        return f"{len(self.routes)} others: {some}{', ...' if len(self.routes) > 8 else ''}"  # noqa: PLR2004


def _path_id(prefix: str, negotiated: Negotiated) -> int | None:
    """The path identifier of a route that names none: 0 where there must be one."""
    family = IPV6_UNICAST if ":" in prefix else IPV4_UNICAST
    return 0 if family in negotiated.add_path_send else None


def _words(error: OSError) -> str:
    return os.strerror(error.errno) if error.errno else str(error)
