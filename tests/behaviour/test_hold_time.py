"""Nothing costs a session: not a large dump, not a slow reader of it, not a pause of the reflector."""

from __future__ import annotations

import asyncio
import signal

import pytest

from tests.behaviour.client import expected, prefixes
from tests.behaviour.conftest import Join
from tests.behaviour.process import Generator, Measured


def test_half_a_million_routes_within_a_hold_time_of_nine_seconds(generator: Generator) -> None:
    answer = generator.run(
        *("--load", "table", "--clients", "3", "--senders", "1", "--routes", "500000"), hold_s=9
    )
    assert answer["hold_s"] == 9
    assert answer["prefixes"] == 500_000


@pytest.mark.asyncio
async def test_a_dump_that_takes_longer_than_the_hold_time(join: Join) -> None:
    source, reader = await join(0), await join(1, hold_s=3, receive_buffer=8192)
    watcher = await join(2, hold_s=3)
    table = await source.announce_bulky(prefixes(2000), 1)
    for _ in range(8):  # reads for a moment twice a second, and sends KEEPALIVEs all the time
        reader.stop_reading()
        await asyncio.sleep(0.5)
        reader.read_again()
        await asyncio.sleep(0.02)
    await asyncio.gather(reader.holds(expected(table)), watcher.holds(expected(table)))
    assert watcher.keepalives >= 3
    assert watcher.silence_s < 3


@pytest.mark.asyncio
async def test_a_reflector_that_was_stopped_for_longer_than_the_hold_time_goes_on(
    reflector: Measured, join: Join
) -> None:
    """What came meanwhile is read before the hold timers are looked at."""
    clients = [await join(number, hold_s=3) for number in range(5)]
    table = await clients[0].announce(prefixes(1000))
    for client in clients[1:]:
        await client.holds(expected(table))
    reflector.send_signal(signal.SIGSTOP)
    later = await clients[1].announce(prefixes(1000, 1000))
    await asyncio.sleep(3.5)
    reflector.send_signal(signal.SIGCONT)
    await asyncio.gather(
        clients[0].holds(expected(later)), *(c.holds(expected(table, later)) for c in clients[2:])
    )
    await asyncio.sleep(0.5)
    assert not any(client.ended for client in clients)
