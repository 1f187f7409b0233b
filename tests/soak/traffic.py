"""What goes on during a soak: each actor does one thing over and over until it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import socket
from collections.abc import Coroutine
from typing import Final

from tests.behaviour.client import REFLECTOR, Client, Table, prefixes, withdrawal
from tests.support import wire

CHURNERS: Final = 8
CHURNED: Final = 1500  # prefixes of each
FLAPPERS: Final = 5
FLAPPED: Final = 300
INVENTED: Final = 200  # prefixes that the inventor has at a time

# Told to nobody, so that what is measured is the reflector and not the clients beside it.
_NO_ADVERTISE: Final = wire.communities(0xFFFFFF02)


class Traffic:
    """Clients that churn, flap, invent attributes, ask for refreshes, stop reading, and say nothing.

    Args:
        port: Of the reflector.

    Attributes:
        counts: How often each thing was done.
    """

    def __init__(self, port: int) -> None:
        self.counts = dict.fromkeys(
            ("changes", "sessions", "attributes", "refreshes", "pauses", "silent connections"), 0
        )
        self._port = port
        self._dice = random.Random(4456)  # noqa: S311 - no secret
        self._clients: list[Client] = []
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin everything."""
        actors: list[Coroutine[None, None, None]] = [self._churn(n) for n in range(CHURNERS)]
        actors += [self._flap(n) for n in range(FLAPPERS)]
        actors += [self._invent(), self._ask(), self._pause(), self._say_nothing()]
        self._tasks = [asyncio.create_task(actor) for actor in actors]

    def check(self) -> None:
        """Raise what an actor ended with: a session was lost, or a client had to wait too long."""
        for task in self._tasks:
            if task.done():
                task.result()
        for client in self._clients:
            assert not client.ended, f"{client.address}: {client.ended}"

    async def settle(self) -> Table:
        """End all actors but keep the churners' sessions.

        Returns:
            What everybody must hold then.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        # One may have been interrupted between two messages: each says once more what it has.
        table: Table = {}
        for number, client in enumerate(self._clients[:CHURNERS]):
            nlri = prefixes(CHURNED, CHURNED * number)
            table |= await client.announce(nlri, 1)
        for client in self._clients[CHURNERS:]:
            await client.close()
        return table

    async def close(self) -> None:
        """Leave."""
        for client in self._clients:
            await client.close()

    async def _join(self, number: int) -> Client:
        client = Client(number)
        await client.connect(self._port)
        return client

    async def _churn(self, number: int) -> None:
        """Announce, change and withdraw a part of the routes, several times a second."""
        client = await self._join(10 + number)
        self._clients.insert(number, client)
        nlri = prefixes(CHURNED, CHURNED * number)
        for version in itertools.count(1):
            some = self._dice.sample(nlri, CHURNED // 3)
            await client.send(
                client.announcement(some, version % 1000) + withdrawal(some[: CHURNED // 6])
            )
            self.counts["changes"] += len(some) * 3 // 2
            await asyncio.sleep(self._dice.uniform(0.2, 0.6))

    async def _flap(self, number: int) -> None:
        """Come, announce, and go without a word."""
        while True:
            client = await self._join(40 + number)
            try:
                await client.announce(prefixes(FLAPPED, (1 << 16) + FLAPPED * number), number)
                self.counts["sessions"] += 1
                await asyncio.sleep(self._dice.uniform(0.1, 1.0))
            finally:
                await client.close()

    async def _invent(self) -> None:
        """Announce the same prefixes with attributes that nobody has seen, some 4,000 a second."""
        client = await self._join(50)
        self._clients.append(client)
        nlri = prefixes(INVENTED, 1 << 17)
        for version in itertools.count(0, INVENTED):
            await client.send(
                b"".join(
                    client.announcement([prefix], version + i, _NO_ADVERTISE)
                    for i, prefix in enumerate(nlri)
                )
            )
            self.counts["attributes"] += INVENTED
            await asyncio.sleep(0.05)

    async def _ask(self) -> None:
        """Ask for the table all the time."""
        client = await self._join(51)
        self._clients.append(client)
        while True:
            await client.send(wire.refresh() + wire.refresh(2))
            self.counts["refreshes"] += 2
            await asyncio.sleep(0.1)

    async def _pause(self) -> None:
        """Stop reading for a while, and read on."""
        client = Client(52, receive_buffer=8192)
        await client.connect(self._port)
        self._clients.append(client)
        while True:
            client.stop_reading()
            await asyncio.sleep(5)
            client.read_again()
            self.counts["pauses"] += 1
            await asyncio.sleep(5)

    async def _say_nothing(self) -> None:
        """Connect and send no OPEN: each is closed after a minute, and by then many wait."""
        with contextlib.ExitStack() as stack:
            while True:
                sock = stack.enter_context(socket.socket())
                sock.setblocking(False)  # noqa: FBT003 - the socket module's own
                sock.bind(("127.66.0.1", 0))
                await asyncio.get_running_loop().sock_connect(sock, (REFLECTOR, self._port))
                self.counts["silent connections"] += 1
                await asyncio.sleep(0.25)
