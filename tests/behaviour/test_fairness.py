"""Clients that flood: nobody else's routes or KEEPALIVEs may wait for them.

The bounds are generous: only a reflector that starves somebody breaks them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from reflector.bgp.limits import READ_ALL_TURN_BYTES, READ_LEAST_BYTES, READ_TURN_BYTES
from reflector.net.reading import ReadTurn
from tests.behaviour.client import Client, Table, prefixes
from tests.behaviour.conftest import Join
from tests.behaviour.process import MIB, Generator, Measured

LATENCY_S = 2.0
HOLD_S = 9
FLOOD_S = 2.0


@asynccontextmanager
async def flooding(clients: list[Client]) -> AsyncIterator[None]:
    """Clients that announce their routes over and over, each with attributes of its own."""

    async def flood(number: int, client: Client) -> None:
        nlri = prefixes(1000, 1000 * number)
        data = b"".join(client.announcement([each], i % 500) for i, each in enumerate(nlri))
        while True:
            await client.send(data)

    tasks = [asyncio.create_task(flood(i, client)) for i, client in enumerate(clients)]
    try:
        yield
        assert not any(task.done() for task in tasks), "a flood ended early"
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def slowest_change_s(single: Client, other: Client, during_s: float) -> float:
    """Change one route again and again; returns how long the other waited for it at most."""
    nlri = prefixes(1, 1 << 19)
    slowest_s, version = 0.0, 0
    end = time.monotonic() + during_s
    while time.monotonic() < end:
        version += 1
        began = time.monotonic()
        table = await single.announce(nlri, version)
        await other.until(partial(_holds, other, table))
        slowest_s = max(slowest_s, time.monotonic() - began)
    return slowest_s


def _holds(client: Client, part: Table) -> bool:
    return part.items() <= client.table.items()


def test_one_that_floods_without_end_starves_nobody(generator: Generator) -> None:
    answer = generator.run(
        *("--load", "flood", "--clients", "10", "--routes", "1000"),
        *("--samples", "40", "--gap-us", "5000"),
    )
    assert answer["latency_ms"]["flooded"]["n"] == 40
    assert answer["latency_ms"]["flooded"]["max"] < LATENCY_S * 1000


@pytest.mark.asyncio
async def test_forty_that_flood_and_do_not_read_starve_nobody(
    reflector: Measured, join: Join
) -> None:
    single, other = [await join(number, hold_s=HOLD_S) for number in range(2)]
    flooders = [await join(number, hold_s=HOLD_S) for number in range(2, 42)]
    for client in flooders:
        client.stop_reading()
    async with flooding(flooders):
        await asyncio.sleep(1)
        assert await slowest_change_s(single, other, FLOOD_S) < LATENCY_S
    assert other.silence_s < HOLD_S / 3 + LATENCY_S
    assert not any(client.ended for client in [single, other, *flooders])
    assert reflector.peak_bytes() < 300 * MIB


@pytest.mark.asyncio
@pytest.mark.parametrize("clients", [1, 10, 500])
async def test_a_turn_reads_no_more_however_many_flood(clients: int) -> None:
    reading = ReadTurn()
    for turn in range(3):
        shares = []
        for _ in range(clients):
            shares.append(reading.limit)
            reading.took(reading.limit)
        assert sum(shares) <= READ_ALL_TURN_BYTES + READ_TURN_BYTES + clients * READ_LEAST_BYTES
        assert min(shares) >= READ_LEAST_BYTES, "everyone is heard in every turn"
        assert turn == 0 or max(shares) - min(shares) <= READ_LEAST_BYTES
        await asyncio.sleep(0)
    assert reading.limit == min(
        READ_TURN_BYTES, max(READ_LEAST_BYTES, READ_ALL_TURN_BYTES // clients)
    )


@pytest.mark.asyncio
async def test_a_few_small_messages_are_nothing_to_share_out() -> None:
    reading = ReadTurn()
    for _ in range(1000):
        reading.took(100)
    assert reading.limit == READ_TURN_BYTES
