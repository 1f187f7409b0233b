"""Searches of the routes: one at a time, and who asks the same at about the same time is told the same."""

import time
from collections.abc import Callable
from typing import NamedTuple

from reflector.observe.overlap import take_routes
from reflector.observe.reflector import Reflector
from reflector.observe.search import Row, search
from reflector.observe.server.pace import Pace


class _Found(NamedTuple):
    rows: list[Row]
    until_s: float


class Searching:
    """Searches for the pages of a class, which all ask as soon as something changes.

    Args:
        reflector: Whose routes.
        pace: Of the server.
    """

    def __init__(self, reflector: Reflector, pace: Pace) -> None:
        self._reflector = reflector
        self._pace = pace
        self._found: dict[str, _Found] = {}

    async def find(self, text: str) -> list[Row]:
        """The routes that a text finds, in the order of their prefixes.

        What was found is told again for twice as long as it took: a small table is always searched anew.
        """
        return await self._pace.through_tables(lambda: self._search(text))

    def _search(self, text: str) -> Callable[[], list[Row]]:
        """Take what is to be searched, unless it has just been; returns what searches."""
        now_s = time.monotonic()
        self._found = {each: found for each, found in self._found.items() if now_s < found.until_s}
        known = self._found.get(text)
        if known is not None:
            return lambda: known.rows
        speaker = self._reflector.speaker
        names = {
            source: f"{source.name} {peer.negotiated.remote.capabilities.host_name}"
            for source, peer in speaker.peers.items()
        }
        tables = take_routes(speaker)

        def find() -> list[Row]:
            rows = search(tables, text, lambda path: names.get(path.source, path.source.name))
            end_s = time.monotonic()
            self._found[text] = _Found(rows, end_s + 2 * (end_s - now_s))
            return rows

        return find
