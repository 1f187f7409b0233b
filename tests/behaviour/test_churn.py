"""Much changes at once: the last state is exact, for those who were there and for those who come."""

from __future__ import annotations

import asyncio

import pytest

from tests.behaviour.client import Client, Route, Table, expected, prefixes, withdrawal
from tests.behaviour.conftest import Join
from tests.behaviour.process import MIB, Generator, Measured


def test_ten_thousand_flaps_of_one_prefix_end_in_the_exact_state(generator: Generator) -> None:
    answer = generator.run("--load", "flaps", "--clients", "10", "--samples", "10000")
    assert answer["prefixes"] == 2  # the one, and the generator's own probe


def test_one_of_a_hundred_clients_drops_and_all_have_withdrawn(generator: Generator) -> None:
    answer = generator.run(
        *("--load", "drop", "--clients", "100", "--first-routes", "1000", "--routes", "20")
    )
    assert answer["withdrawn_in"] == 99 * 1000


async def churn(client: Client, nlri: list[bytes], rounds: int) -> Table:
    """Announce, change and withdraw in turn; returns what is left."""
    third = len(nlri) // 3
    for version in range(1, rounds + 1):
        await client.send(
            client.announcement(nlri, version)
            + withdrawal(nlri[:third])
            + client.announcement(nlri[third : 2 * third], 1000 + version)
        )
        await asyncio.sleep(0.02)
    changed = dict.fromkeys(nlri[third : 2 * third], Route(client.address, 1000 + rounds))
    return changed | dict.fromkeys(nlri[2 * third :], Route(client.address, rounds))


@pytest.mark.asyncio
async def test_who_joins_during_churn_holds_the_exact_table(join: Join) -> None:
    movers = [await join(number) for number in range(3)]
    steady = await join(3)
    table = await steady.announce(prefixes(60_000, 1 << 17))
    parts = [prefixes(9000, 9000 * number) for number in range(3)]
    running = [
        asyncio.create_task(churn(mover, part, 25))
        for mover, part in zip(movers, parts, strict=True)
    ]
    late = []
    for number in range(10, 18):
        late.append(await join(number, receive_buffer=8192 if number % 2 else 0))
        await asyncio.sleep(0.1)
    left = [await task for task in running]
    everything = expected(table, *left)
    await asyncio.gather(*(client.holds(everything) for client in late))
    assert all(client.end_of_rib == 1 for client in late)


def test_a_thousand_clients_that_come_and_go_and_come_again_leave_nothing(
    reflector: Measured, generator: Generator
) -> None:
    reflector.wait_for(lambda: not reflector.neighbors(), "it answers")
    descriptors = reflector.descriptors()
    after: list[int] = []
    for _ in range(2):
        generator.run("--load", "own", "--clients", "1000", "--routes", "10", "--dial", "64")
        reflector.wait_for(lambda: not reflector.neighbors(), "no neighbor is left")
        reflector.wait_for(lambda: reflector.descriptors() <= descriptors, "no socket is left")
        after.append(reflector.memory_bytes())
    assert after[1] < after[0] + 16 * MIB
