"""Stale routes: those that their source has not announced again since it was to do so.

Noted is not what is stale but what was announced again. So to begin costs nothing, however many
routes the source has and however often it begins, and memory grows with what it says.
"""

from collections.abc import Iterable

from reflector.bgp.vocabulary import Family
from reflector.rib.path import Source
from reflector.rib.table import Table


class Renewals:
    """What a source has announced again, by family. It is false while nothing is to be noted."""

    __slots__ = ("_renewed",)

    def __init__(self) -> None:
        self._renewed: dict[Family, set[bytes]] = {}

    def __bool__(self) -> bool:
        return bool(self._renewed)

    def begin(self, family: Family) -> None:
        """From now on all routes of a family are stale that are not announced again."""
        self._renewed[family] = set()

    def renew(self, family: Family, prefixes: Iterable[bytes]) -> None:
        """Prefixes are announced."""
        renewed = self._renewed.get(family)
        if renewed is not None:
            renewed.update(prefixes)

    def is_stale(self, family: Family, prefix: bytes) -> bool:
        """Whether a prefix of a source that is to announce all again is still missing."""
        renewed = self._renewed.get(family)
        return renewed is not None and prefix not in renewed

    def end(self, table: Table, source: Source) -> int:
        """Withdraw what is still stale in a table.

        Returns:
            How many routes that were; 0 also where nothing had begun.
        """
        renewed = self._renewed.pop(table.family, None)
        if renewed is None:
            return 0
        return table.withdraw(source, table.announced(source) - renewed)
