"""Ways to get a simulated peer: dial a speaker, or be dialled by it."""

import asyncio
import socket
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Final, NoReturn, Self, Unpack

from reflector.bgp.vocabulary import BGP_PORT
from reflector.sim import given
from reflector.sim.errors import DeadlineError, SimError
from reflector.sim.namespace import new_socket
from reflector.sim.peer import Peer
from reflector.sim.profile import Profile, Settings, adjusted
from reflector.sim.transport import Address, sign, tune

OnPeer = Callable[[Peer], None]

_BACKLOG: Final = 128
_DEFAULT: Final = Profile()


class connect:  # noqa: N801 - called like a function, as `asyncio.timeout` is
    """Dial a BGP speaker and send an OPEN.

    Await it for a `Peer`, or use it in an `async with` block, which closes the peer at its end. It
    returns once the connection is there; `Peer.established` waits for the session.

    Args:
        host: Address of the speaker.
        port: Its TCP port.
        profile: How the peer behaves, for instance `kube_router()`; None for an ordinary one.
        on_peer: Called with the peer as soon as there is one, before it has dialled.
        settings: What of the profile is to be otherwise, by the names of `Profile`'s.

    Raises:
        ConnectError: The connection can't be made.
        ValueError: A setting makes no sense.
    """

    def __init__(
        self,
        host: str,
        port: int = BGP_PORT,
        profile: Profile | None = None,
        *,
        on_peer: OnPeer | None = None,
        **settings: Unpack[Settings],
    ) -> None:
        self._on_peer = on_peer
        self._target = str(given.address("host", host)), given.number("port", port, 1, 65535)
        self._profile = adjusted(profile or _DEFAULT, settings)
        self._peer: Peer | None = None

    def __await__(self) -> Generator[object, None, Peer]:
        return self._dial().__await__()

    async def __aenter__(self) -> Peer:
        self._peer = await self._dial()
        return self._peer

    async def __aexit__(self, *_: object) -> None:
        if self._peer is not None:
            await self._peer.close()

    if not TYPE_CHECKING:  # for a type checker what only a peer has stays an error

        def __getattr__(self, name: str) -> NoReturn:
            message = f"{type(self).__name__!r} object has no attribute {name!r}"
            if hasattr(Peer, name):
                message = (
                    f"there is no peer yet that has {name!r}: "
                    "await this first, or use it in an `async with` block"
                )
            raise AttributeError(message, name=name, obj=self)

    async def _dial(self) -> Peer:
        peer = Peer(self._profile, self._target)
        if self._on_peer is not None:
            self._on_peer(peer)
        await peer.dial(restarting=self._profile.restarting)
        return peer


class Listener:
    """Waits to be dialled by speakers under test. `listen` makes one.

    Attributes:
        address: Address and port where it listens.
    """

    def __init__(
        self, sock: socket.socket, profile: Profile, on_peer: OnPeer | None = None
    ) -> None:
        self._sock = sock
        self._on_peer = on_peer
        self._profile = profile
        self._peers: list[Peer] = []
        self.address: Address = sock.getsockname()[:2]

    @property
    def port(self) -> int:
        """The TCP port where it listens."""
        return self.address[1]

    async def accept(self, profile: Profile | None = None, **settings: Unpack[Settings]) -> Peer:
        """Wait for the next connection and send an OPEN on it.

        Args:
            profile: How the peer behaves; None for what was said to `listen`.
            settings: What of the profile is to be otherwise.

        Raises:
            DeadlineError: Nobody connected in time.
            ValueError: A setting makes no sense.
        """
        chosen = adjusted(profile or self._profile, settings)
        try:
            async with asyncio.timeout(chosen.deadline_s):
                sock, _ = await asyncio.get_running_loop().sock_accept(self._sock)
        except TimeoutError:
            host, port = self.address
            raise DeadlineError(
                f"nobody connected to {host} port {port} within {chosen.deadline_s:g} s"
            ) from None
        tune(sock)
        peer = Peer(chosen, None)
        if self._on_peer is not None:
            self._on_peer(peer)
        peer.adopt(sock, restarting=chosen.restarting)
        self._peers.append(peer)
        return peer

    def stop(self) -> None:
        """Stop listening; the peers that it accepted stay."""
        self._sock.close()

    async def close(self) -> None:
        """Stop listening, and close the peers that it accepted."""
        self.stop()
        for peer in self._peers:
            await peer.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


def listen(
    host: str = "127.0.0.1",
    port: int = 0,
    profile: Profile | None = None,
    *,
    on_peer: OnPeer | None = None,
    **settings: Unpack[Settings],
) -> Listener:
    """Listen for a speaker that dials, as kube-router and MetalLB do.

    Use the result in an `async with` block, which stops listening at its end.

    Args:
        host: Address to listen on.
        port: TCP port; 0 takes a free one, which `Listener.port` tells.
        profile: How the peers behave that it accepts; None for ordinary ones.
        on_peer: Called with each peer that it accepts.
        settings: What of the profile is to be otherwise, by the names of `Profile`'s.

    Raises:
        SimError: It can't listen there.
        ValueError: A setting makes no sense.
    """
    chosen = adjusted(profile or _DEFAULT, settings)
    given.number("port", port, 0, 65535)
    address = given.address("host", host)
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    sock = new_socket(family, socket.SOCK_STREAM, netns=chosen.netns)
    try:
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if chosen.password is not None:
            sign(sock, str(address), chosen.password, anybody=True)
        sock.bind((str(address), port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        raise SimError(f"can't listen on {host} port {port}: {error.strerror}") from None
    return Listener(sock, chosen, on_peer)
