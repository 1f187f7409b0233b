"""Who asks for much waits for each other, so that peers wait for nobody.

Each long answer gives the loop back after a moment. Hundreds of them would still take a moment each of
every turn, and memory each: so one works in a turn, some are under way, and one looks through the tables.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final, TypeVar

from aiohttp import web

# Long answers under way: each may hold a list of all prefixes.
MOST_UNDER_WAY: Final = 32
# How long who reads nothing keeps its place when others wait for one. Nobody waits: for ever.
_PATIENCE_S: Final = 1.0
_LOOK_S: Final = 0.1

_T = TypeVar("_T")


class Underway:
    """A long answer.

    Args:
        request: What it answers.
    """

    def __init__(self, request: web.Request) -> None:
        self._request = request
        self._stuck_since_s: float | None = None

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Meanwhile it waits for its reader."""
        self._stuck_since_s = asyncio.get_running_loop().time()
        try:
            yield
        finally:
            self._stuck_since_s = None

    def end_if_stuck(self, now_s: float) -> None:
        """Cut off a reader that reads nothing."""
        since_s, transport = self._stuck_since_s, self._request.transport
        if since_s is not None and now_s > since_s + _PATIENCE_S and transport is not None:
            transport.abort()


class Pace:
    """Keeps what a server works on at a time within bounds."""

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._entrance = asyncio.Lock()
        self._tables = asyncio.Lock()
        self._underway: set[Underway] = set()

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Work for a moment; nobody else here does in the same turn of the loop."""
        async with self._turn:
            yield
            await asyncio.sleep(0)

    @asynccontextmanager
    async def answering(self, request: web.Request) -> AsyncIterator[Underway]:
        """Wait for a place, and keep it while a long answer is made and sent."""
        loop = asyncio.get_running_loop()
        async with self._entrance:
            while len(self._underway) >= MOST_UNDER_WAY:
                for each in self._underway:
                    each.end_if_stuck(loop.time())
                await asyncio.sleep(_LOOK_S)
            mine = Underway(request)
            self._underway.add(mine)
        try:
            yield mine
        finally:
            self._underway.discard(mine)

    async def through_tables(self, begin: Callable[[], Callable[[], _T]]) -> _T:
        """Go through a copy of the tables in a thread.

        Args:
            begin: Copies what is needed, and returns what goes through it.
        """
        async with self._tables:
            return await asyncio.to_thread(begin())


PACE: Final = web.AppKey("pace", Pace)
