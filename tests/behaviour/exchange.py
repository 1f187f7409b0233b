"""A healthy pair of clients that exchange routes all the while, and notice when they have to wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tests.behaviour.client import Client, Table, prefixes
from tests.behaviour.conftest import Join

# A starved client waits for its hold time, which is 9 s here; a machine that is busy with other tests
# too may well take a second.
LATENCY_S = 3.0
HOLD_S = 9
PAUSE_S = 0.02


@dataclass
class Exchange:
    """What the pair has seen so far.

    Attributes:
        one: Who announces.
        other: Who waits for it.
        rounds: How many changes got through.
        slowest_s: How long one took at most.
    """

    one: Client
    other: Client
    rounds: int = 0
    slowest_s: float = 0.0

    async def run(self) -> None:
        """Change a route again and again."""
        nlri = prefixes(1, 1 << 19)
        while True:
            self.rounds += 1
            began = time.monotonic()
            table = await self.one.announce(nlri, self.rounds)
            while not self.has(table):
                if self.one.ended or self.other.ended:
                    return
                await asyncio.sleep(0.002)
            self.slowest_s = max(self.slowest_s, time.monotonic() - began)
            await asyncio.sleep(PAUSE_S)

    def has(self, table: Table) -> bool:
        """Whether a change got through."""
        return table.items() <= self.other.table.items()

    async def goes_on(self, rounds: int = 5) -> None:
        """Wait for some more changes to get through."""
        wanted = self.rounds + rounds
        await self.other.until(lambda: self.rounds >= wanted or bool(self.other.ended))


@asynccontextmanager
async def exchange(join: Join) -> AsyncIterator[Exchange]:
    """A pair that must not notice what happens meanwhile."""
    pair = Exchange(await join(0, hold_s=HOLD_S), await join(1, hold_s=HOLD_S))
    running = asyncio.create_task(pair.run())
    try:
        await pair.goes_on()
        yield pair
        await pair.goes_on()
        assert not pair.one.ended
        assert not pair.other.ended
        assert pair.slowest_s < LATENCY_S
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
