"""Long answers: how much of them is worked on at a time."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from reflector.observe.server.pace import Pace


@pytest.mark.asyncio
async def test_one_works_in_a_turn_of_the_loop() -> None:
    pace = Pace()
    worked = 0
    most = 0

    async def answer() -> None:
        nonlocal worked
        for _ in range(3):
            async with pace.turn():
                worked += 1

    answers = asyncio.gather(*(answer() for _ in range(50)))
    while not answers.done():
        before = worked
        await asyncio.sleep(0)
        most = max(most, worked - before)
    assert worked == 150
    assert most == 1


@pytest.mark.asyncio
async def test_a_turn_that_fails_is_over() -> None:
    pace = Pace()
    with pytest.raises(ValueError, match="broken"):
        async with pace.turn():
            raise ValueError("broken")
    async with asyncio.timeout(10), pace.turn():
        pass


@pytest.mark.asyncio
async def test_tables_are_copied_for_one_at_a_time() -> None:
    pace = Pace()
    copies = 0
    most = 0
    let_go = threading.Event()

    def begin() -> Callable[[], str]:
        nonlocal copies, most
        copies += 1
        most = max(most, copies)
        return go_through

    def go_through() -> str:
        nonlocal copies
        let_go.wait(10)
        copies -= 1
        return "found"

    asking = asyncio.gather(*(pace.through_tables(begin) for _ in range(10)))
    for _ in range(20):
        await asyncio.sleep(0)
    let_go.set()
    assert await asking == ["found"] * 10
    assert most == 1
