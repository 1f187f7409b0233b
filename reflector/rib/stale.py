"""Stale routes: those that their source has not announced again since it was to do so.

Noted is not what is stale but what was announced again. So to begin costs nothing, however many
routes the source has and however often it begins, and memory grows with what it says.
"""

from collections.abc import Iterable, Iterator

from reflector.bgp.vocabulary import Family
from reflector.rib.source import Place, Source
from reflector.rib.table import Table


class Renewals:
    """What a source has announced again.

    Attributes:
        renewed: That, by family and place; empty while nothing is to be noted.
    """

    __slots__ = ("renewed",)

    def __init__(self) -> None:
        self.renewed: dict[Family, dict[Place, set[bytes]]] = {}

    def begin(self, family: Family) -> None:
        """From now on all routes of a family are stale that are not announced again."""
        self.renewed[family] = {}

    def renew(self, family: Family, place: Place, prefixes: Iterable[bytes]) -> None:
        """Prefixes are announced, with a path at a place of the source."""
        renewed = self.renewed.get(family)
        if renewed is not None:
            renewed.setdefault(place, set()).update(prefixes)

    def is_stale(self, family: Family, place: Place, prefix: bytes) -> bool:
        """Whether a path of a source that is to announce all again is still missing."""
        renewed = self.renewed.get(family)
        return renewed is not None and prefix not in renewed.get(place, ())

    def end(self, table: Table, source: Source) -> Iterator[tuple[Place, set[bytes]]]:
        """Nothing is stale any more.

        Yields:
            What was in a table until now, by place; nothing where nothing had begun.
        """
        renewed = self.renewed.pop(table.family, None)
        if renewed is not None:
            for place in source.places:
                stale = table.announced(place) - renewed.get(place, set())
                if stale:
                    yield place, stale
