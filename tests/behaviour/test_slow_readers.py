"""Clients that stop reading, or read through a keyhole: what they may cost, and what they then hold."""

from __future__ import annotations

import asyncio

import pytest

from reflector.bgp.limits import SEND_QUEUE_BYTES
from tests.behaviour.client import DEADLINE_S, Client, Table, expected, prefixes
from tests.behaviour.conftest import Join
from tests.behaviour.process import MIB, Generator, Measured

TABLE = 200_000

# A note of a missed prefix: its place in a dict, and the prefix itself where nothing else has it.
NOTE_BYTES = 150
# What the allocator keeps, and a turn's work.
SLACK_BYTES = 24 * MIB
# 4 KiB each, they are more than the kernel (tcp_wmem: 4 MiB) and the queue (2 MiB) take.
BULKY = 2000


async def leave_behind(
    reflector: Measured, stalled: list[Client], source: Client, other: Client
) -> tuple[Table, int]:
    """Make clients stop reading and send them more than waits for anybody.

    Returns:
        What was sent, and the reflector's memory before they stopped.
    """
    held = dict(other.table)
    nlri = prefixes(BULKY, 1 << 19)
    # The same attributes twice, the other way round: what they cost once doesn't count.
    table = await source.announce_bulky(nlri[::-1], 1)
    await asyncio.gather(*(client.holds(held | table) for client in [other, *stalled]))
    before = reflector.memory_bytes()
    for client in stalled:
        client.stop_reading()
    table = await source.announce_bulky(nlri, 1)
    await other.holds(held | table)
    return table, before


@pytest.mark.asyncio
async def test_a_client_that_stops_reading_costs_little_and_then_holds_exactly_the_table(
    reflector: Measured, join: Join
) -> None:
    source, other = [await join(number) for number in range(2)]
    stalled = await join(2, receive_buffer=8192)
    nlri = prefixes(TABLE)
    table = await source.announce(nlri)
    await asyncio.gather(other.holds(expected(table)), stalled.holds(expected(table)))

    bulky, before = await leave_behind(reflector, [stalled], source, other)
    for version in (2, 3, 4):
        table = await source.announce(nlri, version)
        await other.holds(expected(bulky, table))
    await source.withdraw(nlri[: TABLE // 2])
    rest = {prefix: table[prefix] for prefix in nlri[TABLE // 2 :]}
    await other.holds(expected(bulky, rest))
    assert reflector.memory_bytes() - before < SEND_QUEUE_BYTES + TABLE * NOTE_BYTES + SLACK_BYTES

    stalled.read_again()
    await stalled.holds(expected(bulky, rest))
    assert not stalled.ended


@pytest.mark.asyncio
async def test_prefixes_that_came_and_went_meanwhile_cost_nothing(
    reflector: Measured, join: Join
) -> None:
    source, other = [await join(number) for number in range(2)]
    stalled = await join(2, receive_buffer=8192)
    await other.holds(expected())
    bulky, before = await leave_behind(reflector, [stalled], source, other)
    for first in range(0, 500_000, 50_000):
        nlri = prefixes(50_000, first)
        table = await source.announce(nlri)
        await other.holds(expected(bulky, table))
        await source.withdraw(nlri)
        await other.holds(expected(bulky))
    assert reflector.memory_bytes() - before < 50_000 * NOTE_BYTES + SLACK_BYTES
    stalled.read_again()
    await stalled.holds(expected(bulky))


@pytest.mark.asyncio
async def test_fifty_clients_that_stop_reading_share_what_waits_for_them(
    reflector: Measured, join: Join
) -> None:
    source, other = [await join(number) for number in range(2)]
    bulky = await source.announce_bulky(prefixes(BULKY, 1 << 19), 1)
    await other.holds(expected(bulky))
    before = reflector.memory_bytes()
    stalled = [await join(number, receive_buffer=4096) for number in range(2, 52)]
    for client in stalled:
        client.stop_reading()
    nlri = prefixes(10_000)
    for version in range(1, 7):
        table = await source.announce(nlri, version)
        await other.holds(expected(bulky, table))
    await source.withdraw(list(bulky))
    await other.holds(expected(table))
    grown = reflector.memory_bytes() - before
    assert grown < len(stalled) * SEND_QUEUE_BYTES / 2, "each has a queue of its own"
    for client in stalled:
        client.read_again()
    await asyncio.gather(*(client.holds(expected(table)) for client in stalled))


@pytest.mark.asyncio
async def test_a_whole_table_goes_through_the_smallest_window(join: Join) -> None:
    source, narrow = await join(0), await join(1, receive_buffer=1, hold_s=3)
    table = await source.announce(prefixes(10_000))
    # On a busy machine the window is shut whenever the kernel looks: then its probes carry the
    # table, some hundred octets every 200 ms, whatever the reflector does.
    await narrow.holds(expected(table), timeout_s=4 * DEADLINE_S)


@pytest.mark.asyncio
async def test_a_client_that_half_closes_leaves_nothing(reflector: Measured, join: Join) -> None:
    other, leaver = [await join(number) for number in range(2)]
    table = await leaver.announce(prefixes(1000))
    await other.holds(expected(table))
    leaver.shut_writing()
    await other.holds(expected())
    await leaver.until(lambda: bool(leaver.ended))
    assert len(reflector.neighbors()) == 1


def test_single_routes_pass_a_client_that_stopped_reading(generator: Generator) -> None:
    answer = generator.run(
        *("--load", "stall", "--clients", "6", "--routes", "5000", "--passes", "2")
    )
    assert answer["latency_ms"]["one_stalled"]["max"] < 2000
