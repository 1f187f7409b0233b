"""How many may be connected to a server of ours at a time, so that they can't hold all descriptors."""

import asyncio
from collections.abc import Callable
from typing import Final

# Far more than people and scripts that ask at once; each is a file descriptor.
MAX_VISITORS: Final = 64


class Door:
    """Makes a server's protocols, and sends away who has been here longest when one more comes.

    A question is answered in milliseconds, so who has been here longest is asking nothing. To refuse
    newcomers instead would let a few idle connections keep `show` out. It is the longest here of the
    address that has most connections, so that a flood from one sends itself away and no page elsewhere.

    Args:
        make: Makes the protocol of a connection.
        most: How many may be here.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol], most: int = MAX_VISITORS) -> None:
        self._make = make
        self._most = most
        self._number = 0
        self._visitors: dict[str, dict[Visitor, asyncio.WriteTransport]] = {}

    def __call__(self) -> asyncio.Protocol:
        """Make the protocol of one more connection."""
        return Visitor(self, self._make())

    def enter(self, visitor: "Visitor", transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - as all of streams are
        if self._number >= self._most:
            most = max(self._visitors.values(), key=len)
            oldest, leaving = next(iter(most.items()))
            self.leave(oldest)
            # Not `close`, which waits until what was written is read.
            leaving.abort()
        end = transport.get_extra_info("peername")
        visitor.address = end[0] if isinstance(end, tuple) else ""
        self._visitors.setdefault(visitor.address, {})[visitor] = transport
        self._number += 1

    def leave(self, visitor: "Visitor") -> None:
        """Somebody is gone."""
        neighbors = self._visitors.get(visitor.address, {})
        if neighbors.pop(visitor, None) is not None:
            self._number -= 1
            if not neighbors:
                del self._visitors[visitor.address]


class Visitor(asyncio.Protocol):
    """A connection: everything is the inner protocol's, but that it is counted.

    Attributes:
        address: Of its other end, empty on a Unix socket.
    """

    def __init__(self, door: Door, inner: asyncio.Protocol) -> None:
        self.address = ""
        self._door = door
        self._inner = inner

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is here."""
        self._door.enter(self, transport)
        self._inner.connection_made(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone."""
        self._door.leave(self)
        self._inner.connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """It says something."""
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        """It has said everything."""
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        """It reads too slowly."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """It has read."""
        self._inner.resume_writing()
