"""Simulated peers for code that is not asynchronous: the same, with a loop in a thread of its own.

with sim.Blocking() as peers:
    one = peers.connect("127.0.0.1", 1790, source="127.0.0.2")
    two = peers.connect("127.0.0.1", 1790, source="127.0.0.3")
    one.announce("10.1.0.0/24")
    two.route("10.1.0.0/24")
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Self, TypeVar, Unpack

from reflector.bgp.open import Negotiated, Open
from reflector.bgp.vocabulary import BGP_PORT, State
from reflector.sim.connect import Listener, connect, listen
from reflector.sim.history import History, Message
from reflector.sim.link import Ended
from reflector.sim.peer import Peer
from reflector.sim.profile import Profile, Settings
from reflector.sim.route import Route
from reflector.sim.transport import Address

T = TypeVar("T")
P = ParamSpec("P")


class Blocking:
    """A loop in a thread, and the peers that live on it. Use it in a `with` block."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="simulated BGP peers", daemon=True
        )
        self._thread.start()
        self._peers: list[BlockingPeer] = []
        self._listeners: list[Listener] = []

    @property
    def peers(self) -> "list[BlockingPeer]":
        """All that it has made, in order."""
        return list(self._peers)

    def connect(
        self,
        host: str,
        port: int = BGP_PORT,
        profile: Profile | None = None,
        **settings: Unpack[Settings],
    ) -> "BlockingPeer":
        """Dial a BGP speaker and send an OPEN: see `reflector.sim.connect`."""

        async def dial() -> Peer:
            return await connect(host, port, profile, **settings)

        return self._keep(self.run(dial()))

    def listen(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        profile: Profile | None = None,
        **settings: Unpack[Settings],
    ) -> "BlockingListener":
        """Listen for a speaker that dials: see `reflector.sim.listen`."""
        listener = listen(host, port, profile, **settings)
        self._listeners.append(listener)
        return BlockingListener(self, listener)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine on the loop and wait for its result."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def close(self) -> None:
        """Close all peers and end the thread."""
        if self._loop.is_closed():
            return
        self.run(self._close_all())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def accept(self, listener: Listener, settings: Settings) -> "BlockingPeer":
        """Wait for the next connection to a listener; `BlockingListener.accept` calls it."""
        return self._keep(self.run(listener.accept(**settings)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _keep(self, peer: Peer) -> "BlockingPeer":
        blocking = BlockingPeer(self, peer)
        self._peers.append(blocking)
        return blocking

    async def _close_all(self) -> None:
        for listener in self._listeners:
            listener.stop()
        await asyncio.gather(*(blocking.peer.close() for blocking in self._peers))


def _waits(
    method: Callable[Concatenate[Peer, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate["BlockingPeer", P], T]:
    """A coroutine method of `Peer` as one that waits."""

    @wraps(method)
    def call(self: "BlockingPeer", /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self.world.run(method(self.peer, *args, **kwargs))

    return call


def _does(method: Callable[[Peer], None]) -> Callable[["BlockingPeer"], None]:
    """A plain method of `Peer`, done on its loop."""

    @wraps(method)
    def call(self: "BlockingPeer") -> None:
        async def do() -> None:
            method(self.peer)

        self.world.run(do())

    return call


class BlockingPeer:
    """A simulated BGP peer whose methods wait: those of `Peer`, which says what each does.

    Attributes:
        world: Where its loop is.
        peer: The `Peer` itself, which lives on that loop.
    """

    def __init__(self, world: Blocking, peer: Peer) -> None:
        self.world = world
        self.peer = peer

    established = _waits(Peer.established)
    stays_established = _waits(Peer.stays_established)
    route = _waits(Peer.route)
    no_route = _waits(Peer.no_route)
    all_paths = _waits(Peer.all_paths)
    end_of_rib = _waits(Peer.end_of_rib)
    refresh_request = _waits(Peer.refresh_request)
    notification = _waits(Peer.notification)
    closed = _waits(Peer.closed)
    announce = _waits(Peer.announce)
    announce_routes = _waits(Peer.announce_routes)
    withdraw = _waits(Peer.withdraw)
    announce_end_of_rib = _waits(Peer.announce_end_of_rib)
    refresh = _waits(Peer.refresh)
    notify = _waits(Peer.notify)
    send = _waits(Peer.send)
    drip = _waits(Peer.drip)
    close = _waits(Peer.close)
    reconnect = _waits(Peer.reconnect)
    rejoin = _waits(Peer.rejoin)
    restart_gracefully = _waits(Peer.restart_gracefully)
    stall = _does(Peer.stall)
    silence = _does(Peer.silence)
    resume = _does(Peer.resume)
    crash = _does(Peer.crash)
    hang_up = _does(Peer.hang_up)

    @property
    def profile(self) -> Profile:
        """How it behaves."""
        return self.peer.profile

    @property
    def state(self) -> State:
        """The state of its session (RFC 4271 8.2.2)."""
        return self.peer.state

    @property
    def is_established(self) -> bool:
        """Whether its session carries routes."""
        return self.peer.is_established

    @property
    def local_address(self) -> Address:
        """Address and port that it is connected from."""
        return self.peer.local_address

    @property
    def remote_address(self) -> Address:
        """Address and port that it is connected to."""
        return self.peer.remote_address

    @property
    def remote_open(self) -> Open | None:
        """The other side's OPEN, as soon as it has come."""
        return self.peer.remote_open

    @property
    def negotiated(self) -> Negotiated | None:
        """What the session runs on, as soon as the other side's OPEN has come."""
        return self.peer.negotiated

    @property
    def routes(self) -> dict[str, Route]:
        """What it was announced and not withdrawn, by prefix: as it is now."""
        return dict(self.peer.routes)

    @property
    def paths(self) -> dict[str, dict[int, Route]]:
        """What came with path identifiers, by prefix and identifier: as it is now (RFC 7911)."""
        return {prefix: dict(paths) for prefix, paths in self.peer.paths.items()}

    @property
    def announced(self) -> dict[str, Route]:
        """What it has announced and not withdrawn, by prefix."""
        return dict(self.peer.announced)

    @property
    def faults(self) -> list[str]:
        """What was wrong with UPDATEs that it was sent, in words: as it is now."""
        return list(self.peer.faults)

    @property
    def ended(self) -> Ended | None:
        """How its session ended; None while there is one."""
        return self.peer.ended

    @property
    def history(self) -> History:
        """All that it has sent, received and done."""
        return self.peer.history

    @property
    def messages(self) -> list[Message]:
        """All messages of its history, in order."""
        return self.peer.messages

    def __repr__(self) -> str:
        return repr(self.peer)


class BlockingListener:
    """Waits to be dialled by speakers under test: see `reflector.sim.Listener`.

    Attributes:
        address: Address and port where it listens.
    """

    def __init__(self, world: Blocking, listener: Listener) -> None:
        self._world = world
        self._listener = listener
        self.address: Address = listener.address

    @property
    def port(self) -> int:
        """The TCP port where it listens."""
        return self._listener.port

    def accept(self, **settings: Unpack[Settings]) -> BlockingPeer:
        """Wait for the next connection and send an OPEN on it: see `Listener.accept`."""
        return self._world.accept(self._listener, settings)
