"""How much is read in a turn, on a loop without sockets."""

import asyncio

import pytest

from reflector.bgp.limits import READ_ALL_TURN_BYTES, READ_LEAST_BYTES, READ_TURN_BYTES
from reflector.net.reading import ReadTurn

pytestmark = pytest.mark.asyncio


async def next_turn() -> None:
    """Let the loop take its next turn."""
    await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_one_that_floods_reads_its_fill_each_turn() -> None:
    reading = ReadTurn()
    for _ in range(5):
        assert reading.limit == READ_TURN_BYTES
        reading.took(reading.limit)
        await next_turn()


async def test_those_that_flood_share_a_turn_evenly_from_the_second_on() -> None:
    reading = ReadTurn()
    peers = 2 * READ_ALL_TURN_BYTES // READ_TURN_BYTES
    for _ in range(peers):
        reading.took(reading.limit)
    await next_turn()
    assert reading.limit == max(READ_LEAST_BYTES, READ_ALL_TURN_BYTES // peers)
    assert reading.limit * peers <= READ_ALL_TURN_BYTES


async def test_once_a_turn_has_had_its_fill_the_rest_still_read_a_little() -> None:
    reading = ReadTurn()
    for _ in range(READ_ALL_TURN_BYTES // READ_TURN_BYTES):
        reading.took(reading.limit)
    assert reading.limit == READ_LEAST_BYTES


async def test_when_the_flood_is_over_all_read_freely_again() -> None:
    reading = ReadTurn()
    for _ in range(1000):
        reading.took(reading.limit)
    await next_turn()
    reading.took(READ_LEAST_BYTES)
    await next_turn()
    assert reading.limit == READ_TURN_BYTES


async def test_a_few_messages_count_for_nothing() -> None:
    reading = ReadTurn()
    for _ in range(READ_ALL_TURN_BYTES // 100):
        reading.took(100)
    assert reading.limit == READ_TURN_BYTES
