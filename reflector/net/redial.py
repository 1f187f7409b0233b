"""Dial the peers that we had, after our own restart and when a session breaks off.

A kube-router whose session fell redials once within 15 seconds, and then every minute or two. A laptop
that slept, or a cable that was pulled, would cost its class as much.
"""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from ipaddress import IPv4Address
from pathlib import Path
from typing import Final

from reflector.bgp.vocabulary import BGP_PORT, CeaseSubcode, ErrorCode
from reflector.net import memory
from reflector.net.dialer import Target, connect
from reflector.net.memory import Known, Remembered
from reflector.net.peering import Peering
from reflector.net.redial_plan import Outcome, Plan
from reflector.reports import PeerDown, Report, Trouble
from reflector.rib.source import IPAddress

# Tries under way at a time, so that a large class costs neither descriptors nor turns.
_AT_ONCE: Final = 64

# Nodes are near: one lost SYN is repeated after a second, and then it is another's turn.
_CONNECT_S: Final = 1.5

# A BGP speaker that takes a connection sends its OPEN at once; who doesn't may wait for ours.
_FIRST_WORD_S: Final = 1.0

# After a peer came up: those that come up together are written together, and a kill -9 soon
# after finds them written. The pause is for a class that goes on coming and going.
_SETTLE_S: Final = 0.2
_PAUSE_S: Final = 2.0

# So that "last seen" of a session that stays up for days is true.
_REFRESH_S: Final = 3600.0

# Of the time that the process has for ending.
_LAST_WRITE_S: Final = 0.2


class Redialer:
    """Remembers who has a session, and dials those that had one.

    Args:
        peering: Where connections go.
        path: Of the state file.
        target_of: How to dial a peer; None if it is not to be dialled.
        may_peer: Whether the configuration lets an address peer.
        report: Told of troubles.
        note: Told in words what goes on.
    """

    def __init__(
        self,
        peering: Peering,
        path: Path,
        *,
        target_of: Callable[[Remembered], Target | None],
        may_peer: Callable[[IPAddress], bool],
        report: Callable[[Report], None],
        note: Callable[[str], None],
    ) -> None:
        self.path = path
        self._peering = peering
        self._target_of = target_of
        self._may_peer = may_peer
        self._report = report
        self._note = note
        self._known: Known = {}
        self._fallen: Plan | None = None
        self._loaded = False
        self._complained = False
        self._changed = asyncio.Event()
        self._writing = threading.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    def load(self) -> Known:
        """Read the file, before anybody can connect.

        Returns:
            Who had a session before.
        """
        try:
            self._known = memory.read(self.path)
        except (memory.StateError, OSError) as error:
            self._report(Trouble(f"{self.path} tells no peers to redial: {_words(error)}"))
        self._loaded = True
        return self._known

    def start(self) -> None:
        """Dial whom the file named, and write it from now on."""
        self._start(self._run())

    def wake(self) -> None:
        """A peer came up: it is written soon."""
        self._changed.set()

    def lost(self, report: PeerDown) -> None:
        """A session is over: its peer is dialled, unless somebody has ended it on purpose."""
        peer = self._known.get(report.peer.address)
        if not (self._loaded and report.was_up and peer is not None and _broke_off(report)):
            return
        # On this machine nobody but ourselves, or another reflector, is at BGP's port.
        here = peer.address.is_loopback and peer.port == BGP_PORT
        if here or not peer.worth_dialling or self._target_of(peer) is None:
            return
        now_s = asyncio.get_running_loop().time()
        if self._fallen is None:
            self._fallen = Plan((), now_s)
            self._start(self._redial_fallen(self._fallen))
        self._fallen.add(peer, now_s)

    async def stop(self) -> None:
        """Dial nobody any more, and write who is up; to be called while they still are."""
        loaded, self._loaded = self._loaded, False
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)
        if loaded:  # else the file stays as it is
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LAST_WRITE_S):
                    await self._save(durable=False)

    # The memory.

    async def _run(self) -> None:
        candidates = [each for each in self._known.values() if each.worth_dialling]
        peers = [each for each in candidates if self._target_of(each) is not None]
        if peers:
            self._start(self._redial(peers))
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_REFRESH_S):
                    await self._changed.wait()
            await asyncio.sleep(_SETTLE_S)
            self._changed.clear()
            await self._save()
            await asyncio.sleep(_PAUSE_S)

    async def _save(self, *, durable: bool = True) -> None:
        try:
            self._known = await asyncio.to_thread(
                self._write, self._known, self._present(), durable=durable
            )
        except OSError as error:
            if not self._complained:
                self._report(
                    Trouble(
                        f"peers can't be remembered over a restart, {self.path}: {_words(error)}; "
                        "set state-file to a path that can be written, or redial to false"
                    )
                )
            self._complained = True
        else:
            self._complained = False

    def _write(self, known: Known, present: list[Remembered], *, durable: bool) -> Known:
        """In a thread: the disk may be slow."""
        renewed = memory.renew(known, present, time.time(), self._may_peer)
        with self._writing:  # a write that was given up goes on in its thread
            memory.write(self.path, renewed, durable=durable)
        return renewed

    def _present(self) -> list[Remembered]:
        return [
            Remembered(
                address=address,
                local=connection.local_address,
                router_ids=frozenset({IPv4Address(router_id)}),
                seen_s=0,  # now, as `renew` says
                port=connection.remote_port if connection.outbound else BGP_PORT,
                graceful=bool(connection.peer.negotiated.graceful_restart),
            )
            for (address, router_id), connection in self._peering.sessions.items()
            if connection.peer is not None
        ]

    # Dialling.

    async def _redial(self, peers: list[Remembered]) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        plan = Plan(peers, began_s)
        self._note(f"dialling {_count(len(peers))} that had a session before the restart")
        back = await self._follow(plan)
        self._note(
            f"{back} of {_count(len(peers))} are back {loop.time() - began_s:.1f} s after the restart"
            + (f"; {plan.given_up} may still dial by themselves" if plan.given_up else "")
        )

    async def _redial_fallen(self, plan: Plan) -> None:
        # Of what this comes to, the sessions themselves are told.
        await asyncio.sleep(0)  # until there is somebody in the plan
        await self._follow(plan)
        self._fallen = None

    async def _follow(self, plan: Plan) -> int:
        """Dial until nobody is left; returns how many came back, whoever dialled."""
        loop, back = asyncio.get_running_loop(), 0
        while True:
            sessions = self._peering.sessions.items()
            back += plan.came_back({who for (who, _), each in sessions if each.peer is not None})
            if plan.over(loop.time()):
                return back
            busy = {each.name.address for each in self._peering.connections}
            for peer in plan.take(loop.time(), busy, _AT_ONCE):
                self._start(self._try(plan, peer))
            await asyncio.sleep(plan.nap_s(loop.time()))

    async def _try(self, plan: Plan, peer: Remembered) -> None:
        target = self._target_of(peer)  # asked anew: a reload may have changed it
        if target is None:
            plan.forget(peer)
            return
        outcome = Outcome.SILENT
        sock = await connect(target, _CONNECT_S)
        if sock is not None:
            outcome = await self._introduce(sock, peer)
        plan.tried(peer, asyncio.get_running_loop().time(), outcome)

    async def _introduce(self, sock: socket.socket, peer: Remembered) -> Outcome:
        """Begin a session, unless the peer hangs up at once as an idle GoBGP does.

        Of that nobody needs to be told, and it would be told twenty times.
        """
        try:
            listens = await _stays(sock)
        except asyncio.CancelledError:
            sock.close()
            raise
        up = any(
            address == peer.address and each.peer is not None
            for (address, _), each in self._peering.sessions.items()
        )
        if up or not listens:
            sock.close()
            return Outcome.HUNG_UP
        self._peering.adopt(sock, outbound=True)
        return Outcome.SPOKE

    def _start(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _stays(sock: socket.socket) -> bool:
    """Whether a peer that was dialled says something, or at least doesn't hang up."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    fd = sock.fileno()
    loop.add_reader(fd, readable.set)
    try:
        async with asyncio.timeout(_FIRST_WORD_S):
            await readable.wait()
        return bool(sock.recv(1, socket.MSG_PEEK))
    except TimeoutError:
        return True
    except OSError:
        return False
    finally:
        loop.remove_reader(fd)


def _broke_off(report: PeerDown) -> bool:
    """Whether nobody wanted the end of a session, or wanted it anew."""
    return all(
        said is None or said.code in _BROKEN or (said.code, said.subcode) in meant
        for said, meant in ((report.sent, _SENT), (report.received, _RECEIVED))
    )


_BROKEN: Final = (ErrorCode.HOLD_TIMER_EXPIRED, ErrorCode.SEND_HOLD_TIMER_EXPIRED)
# What is to begin anew: by `clear`; and a kube-router that ends says that we are not configured any more.
_SENT: Final = ((ErrorCode.CEASE, CeaseSubcode.ADMINISTRATIVE_RESET),)
_RECEIVED: Final = tuple(
    (ErrorCode.CEASE, subcode)
    for subcode in (
        CeaseSubcode.PEER_DE_CONFIGURED,
        CeaseSubcode.ADMINISTRATIVE_RESET,
        CeaseSubcode.OTHER_CONFIGURATION_CHANGE,
        CeaseSubcode.HARD_RESET,
    )
)


def _words(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _count(peers: int) -> str:
    return "1 peer" if peers == 1 else f"{peers} peers"
