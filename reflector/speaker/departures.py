"""Departures: the routes of peers that are gone leave the tables, a piece a turn where they are many.

Nobody's KEEPALIVE is to wait for the withdrawal of a million routes.
"""

from collections.abc import Iterable, Mapping

from reflector.bgp.limits import SWEEP_PIECE_PREFIXES
from reflector.bgp.vocabulary import Family
from reflector.rib.returning import Returning, returning
from reflector.rib.source import Place, Source
from reflector.rib.table import Table
from reflector.speaker.sweeps import Sweep, Sweeps


class Departures:
    """Takes routes out of the tables.

    Args:
        tables: Where they are, by family.
        sweeps: Where those have their turn that are under way.
    """

    def __init__(self, tables: Mapping[Family, Table], sweeps: Sweeps) -> None:
        self._tables = tables
        self._sweeps = sweeps
        self._under_way: dict[tuple[Source, Family], Sweep] = {}

    def begin(self, source: Source, families: Iterable[Family]) -> int:
        """A source is gone, as far as families go; few routes are gone at once.

        Returns:
            How many routes it had announced.
        """
        count = 0
        for family in families:
            table = self._tables[family]
            had = table.count_announced(source)
            key = source, family
            sweep = self._remove(key, table.let_go(source))
            self._under_way[key] = sweep
            if had > SWEEP_PIECE_PREFIXES:
                self._sweeps.begin(key, sweep)
            else:
                _complete(sweep)
            count += had
        return count

    def finish(self, who: Returning | None = None) -> None:
        """Have all of it done now.

        A peer that is back must not be told of its own routes from before, nor lose what it announces
        now.

        Args:
            who: The peer, None for all.
        """
        for (source, _), sweep in list(self._under_way.items()):
            if who is None or returning(source) == who:
                _complete(sweep)

    def _remove(
        self, key: tuple[Source, Family], holdings: list[tuple[Place, list[bytes]]]
    ) -> Sweep:
        _, family = key
        for place, noted in holdings:
            for start in range(0, len(noted), SWEEP_PIECE_PREFIXES):
                piece = noted[start : start + SWEEP_PIECE_PREFIXES]
                self._tables[family].remove(place, piece)
                yield len(piece)
        del self._under_way[key]


def _complete(sweep: Sweep) -> None:
    for _ in sweep:
        pass
