"""Dialling static neighbors: one task for each, as long as it has no session."""

import asyncio
import random
import socket
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Final

from reflector.net.hops import demand_near, send_far
from reflector.net.peering import Peering
from reflector.net.sockets import set_md5_key
from reflector.rib.source import IPAddress

# RFC 4271 10 suggests 120 s between tries, which is long while a class waits. Jitter as there.
_RETRY_S: Final = 5.0
_CONNECT_TIMEOUT_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Target:
    """Whom to dial.

    Args:
        address: Of the neighbor.
        port: Its TCP port.
        password: For TCP MD5, if it demands it.
        source: Our address to dial from; None for what the kernel chooses.
        ttl_security: How many hops away it may be (RFC 5082); None for any number.
    """

    address: IPAddress
    port: int
    password: str | None = None
    source: IPAddress | None = None
    ttl_security: int | None = None


async def connect(target: Target, timeout_s: float) -> socket.socket | None:
    """Dial once.

    Returns:
        The connected socket, None if there is nobody.
    """
    sock = None
    try:
        family = socket.AF_INET if target.address.version == 4 else socket.AF_INET6  # noqa: PLR2004
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own
        if target.password is not None:
            bits = target.address.max_prefixlen
            set_md5_key(sock, ip_network((target.address, bits)), target.password)
        send_far(sock)
        if target.ttl_security is not None:
            demand_near(sock, target.ttl_security)
        if target.source is not None:
            sock.bind((str(target.source), 0))
        async with asyncio.timeout(timeout_s):
            loop = asyncio.get_running_loop()
            await loop.sock_connect(sock, (str(target.address), target.port))
    except (OSError, TimeoutError):
        if sock is not None:
            sock.close()
        return None  # not there yet
    except asyncio.CancelledError:
        if sock is not None:
            sock.close()
        raise
    return sock


class Dialer:
    """Keeps dialling neighbors that have no session.

    Args:
        peering: Where connections go.
    """

    def __init__(self, peering: Peering) -> None:
        self._peering = peering
        self._tasks: dict[Target, asyncio.Task[None]] = {}

    def dial(self, targets: set[Target]) -> None:
        """Dial these from now on, and no others."""
        for target in self._tasks.keys() - targets:
            self._tasks.pop(target).cancel()
        for target in targets - self._tasks.keys():
            self._tasks[target] = asyncio.get_running_loop().create_task(self._keep(target))

    async def _keep(self, target: Target) -> None:
        while True:
            if not self._connected(target):
                await self._try(target)
            await asyncio.sleep(_RETRY_S * random.uniform(0.75, 1.0))  # noqa: S311 - no secret

    def _connected(self, target: Target) -> bool:
        """Whether there is a connection with the neighbor, whoever began it."""
        return any(c.name.address == target.address for c in self._peering.connections)

    async def _try(self, target: Target) -> None:
        sock = await connect(target, _CONNECT_TIMEOUT_S)
        if sock is not None:
            self._peering.adopt(sock, outbound=True)
