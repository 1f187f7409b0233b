"""A simulated BGP peer: what a test makes it say, do and wait for."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Final, Self

from reflector.bgp.notification import Notification
from reflector.bgp.session import Timer
from reflector.bgp.vocabulary import CeaseSubcode, ErrorCode
from reflector.sim.errors import ConnectError, DeadlineError, SessionOverError, SimError
from reflector.sim.speaking import Speaking
from reflector.sim.transport import Transport, open_socket

# How long `close` waits for the other side to hang up too.
_LINGER_S: Final = 1.0
# Pause between two dials of `rejoin`.
_REDIAL_S: Final = 0.2
# How long the first of them waits for an answer, each further one twice as long: GoBGP 3.10 may take a
# connection of who has just left and forget it.
_UNANSWERED_S: Final = 3.0


class Peer(Speaking):
    """A simulated BGP peer. `connect` and `Listener.accept` make one.

    Every wait has a deadline, `deadline_s` or else the profile's, and an error that prints the
    peer's whole history.

    Attributes:
        profile: How it behaves.
        target: Address and port of the speaker under test; None of a peer that was dialled.
        history: All that it has sent, received and done.
        routes: What it was announced and not withdrawn, by prefix; of several paths the last.
        paths: What came with path identifiers, by prefix and identifier (RFC 7911).
        faults: What was wrong with UPDATEs that it was sent, in words. Their routes are kept as they came.
        ended: How its session ended; None while there is one.
    """

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

    async def notify(self, code: int, subcode: int = 0, data: bytes = b"") -> None:
        """End the session with a NOTIFICATION of one's choice."""
        notification = Notification(code, subcode, data)
        self._handle(self._session.close(notification, "the test ended it"))
        await self._hang_up_politely()

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


def _words(error: OSError) -> str:
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address to dial from (`ip address` lists those it has)"
    return os.strerror(error.errno) if error.errno else str(error)
