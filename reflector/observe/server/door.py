"""How many may be connected to a server of ours at a time, so that they can't hold all descriptors."""

import asyncio
from collections.abc import Callable
from ipaddress import IPv6Address
from typing import Final

# Far more than people and scripts that ask at once; each is a file descriptor.
MAX_VISITORS: Final = 64


class Door:
    """Makes a server's protocols, and sends away who has been here longest when one more comes.

    A question is answered in milliseconds, so who has been here longest is asking nothing. To refuse
    newcomers instead would let a few idle connections keep `show` out. It is the longest here of the
    address that has most connections, so that a flood from one sends itself away and no page elsewhere.
    Whoever has an IPv6 address has the 2**64 of its network, too: it is of the network with most.

    Args:
        make: Makes the protocol of a connection.
        most: How many may be here.
    """

    def __init__(self, make: Callable[[], asyncio.Protocol], most: int = MAX_VISITORS) -> None:
        self._make = make
        self._most = most
        self._number = 0
        self._networks: dict[str, _Network] = {}

    def __call__(self) -> asyncio.Protocol:
        """Make the protocol of one more connection."""
        return Visitor(self, self._make())

    def enter(self, visitor: "Visitor", transport: asyncio.BaseTransport) -> None:
        """Somebody has connected."""
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101 - as all of streams are
        if self._number >= self._most:
            network = max(self._networks.values(), key=lambda each: each.number)
            oldest, leaving = network.oldest()
            self.leave(oldest)
            # Not `close`, which waits until what was written is read.
            leaving.abort()
        end = transport.get_extra_info("peername")
        visitor.address = end[0] if isinstance(end, tuple) else ""
        network = self._networks.setdefault(_network_of(visitor.address), _Network())
        network.enter(visitor, transport)
        self._number += 1

    def leave(self, visitor: "Visitor") -> None:
        """Somebody is gone."""
        name = _network_of(visitor.address)
        network = self._networks.get(name)
        if network is not None and network.leave(visitor):
            self._number -= 1
            if not network.number:
                del self._networks[name]


class _Network:
    """The visitors from one IPv6 network, or from one IPv4 address.

    Attributes:
        number: Of them.
    """

    def __init__(self) -> None:
        self.number = 0
        self._by_address: dict[str, dict[Visitor, asyncio.WriteTransport]] = {}

    def enter(self, visitor: "Visitor", transport: asyncio.WriteTransport) -> None:
        """Somebody is here."""
        self._by_address.setdefault(visitor.address, {})[visitor] = transport
        self.number += 1

    def leave(self, visitor: "Visitor") -> bool:
        """Somebody is gone; returns whether it was here."""
        neighbors = self._by_address.get(visitor.address, {})
        if neighbors.pop(visitor, None) is None:
            return False
        self.number -= 1
        if not neighbors:
            del self._by_address[visitor.address]
        return True

    def oldest(self) -> tuple["Visitor", asyncio.WriteTransport]:
        """Who has been here longest of the address with most."""
        return next(iter(max(self._by_address.values(), key=len).items()))


def _network_of(address: str) -> str:
    """The /64 of an IPv6 address; others, and those of a link, stand for themselves."""
    try:
        host = IPv6Address(address)
    except ValueError:
        return address
    if host.ipv4_mapped is not None or host.is_link_local:
        return address
    return f"{IPv6Address(int(host) >> 64 << 64)}/64"


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
