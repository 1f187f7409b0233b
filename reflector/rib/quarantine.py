"""Quarantine: of nodes that announce overlapping pod CIDRs the first keeps its route.

The newcomer's is held back, as if it had not been announced, until the first's is gone. Host routes
may come from several nodes (a service's address does), our own routes and default routes overlap on
purpose; none of these is ever held back, nor holds back another.
"""

from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from reflector.bgp.limits import MAX_QUARANTINED_PER_PEER
from reflector.bgp.nlri import shorten
from reflector.bgp.vocabulary import Family
from reflector.rib.holding import Holding
from reflector.rib.path import Path
from reflector.rib.source import Place, Source
from reflector.rib.table import Changes, Table

_Key = tuple[bytes, int]


def are_rivals(one: Path, other: Path) -> bool:
    """Whether two paths lead to different nodes that both claim the addresses."""
    if one is other or one.source.local or other.source.local:
        return False
    if one.source is other.source or one.next_hop == other.next_hop:
        return False
    return _originator(one) != _originator(other)


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A route that is held back.

    Args:
        path: As the newcomer announced it.
        prefix: The first's that it overlaps.
        first: Who has that.
    """

    path: Path
    prefix: bytes
    first: Source


class QuarantineTable(Table):
    """A table that takes in no route of a node that overlaps another node's.

    Attributes:
        held_back: By place and prefix, in the order in which they came.
    """

    def __init__(self, family: Family) -> None:
        super().__init__(family)
        self.held_back: dict[tuple[Place, bytes], HeldBack] = {}
        self._order: list[_Key] = []
        self._lengths: Counter[int] = Counter()
        self._freed = False
        self._counts: Counter[Source] = Counter()

    def take_over(self, former: Table) -> None:
        """Go on with what another table holds: of what overlaps there, what stood first stays."""
        super().take_over(former)
        self._order = sorted(_key(prefix) for prefix in self.routes if self._counts_for(prefix))
        self._lengths = Counter(prefix[0] for prefix in self.routes if self._counts_for(prefix))
        overlapping = set(self._find_overlapping())
        claims = [
            (path, prefix)
            for prefix, candidates in self.routes.items()
            if prefix in overlapping
            for path in candidates.paths
        ]
        for path, prefix in claims:
            self.withdraw(path.place, (prefix,))
        for path, prefix in claims:
            self.announce(path, [prefix])

    def released(self) -> Table:
        """A table in its place that takes in all, with what was held back until now."""
        table = Table(self.family)
        table.take_over(self)
        by_path: dict[Path, list[bytes]] = defaultdict(list)
        for (_, prefix), held in self.held_back.items():
            by_path[held.path].append(prefix)
        for path, prefixes in by_path.items():
            table.announce(path, prefixes)
        return table

    def announce(self, path: Path, prefixes: list[bytes]) -> None:
        """A source announces prefixes; those that overlap another node's are held back."""
        self.held.setdefault(path.place, Holding())
        admitted: list[bytes] = []
        for prefix in prefixes:
            rival = self._rival(path, prefix)
            if rival is None:
                admitted.append(prefix)
                self._release(path.place, prefix)
            else:
                self._hold_back(path, prefix, rival)
        if admitted:
            self._admit(path, admitted)

    def withdraw(self, place: Place, prefixes: Iterable[bytes]) -> int:
        """A source withdraws prefixes, held back or not; returns how many it had announced."""
        prefixes = list(prefixes)
        waited = 0
        if self.held_back:
            waited = sum(self._release(place, prefix) for prefix in prefixes)
        return waited + super().withdraw(place, prefixes)

    def let_go(self, source: Source) -> list[tuple[Place, list[bytes]]]:
        """A source holds nothing any more, and nothing of it is held back; otherwise as `Table`."""
        if source in self._counts:
            for key in [key for key, held in self.held_back.items() if held.path.source is source]:
                self._release(*key)
        return super().let_go(source)

    def remove(self, place: Place, prefixes: Iterable[bytes]) -> int:
        """Take the paths at a place out of the table; returns how many of the prefixes had one there."""
        held = [prefix for prefix in dict.fromkeys(prefixes) if self.holds(place, prefix)]
        gone = super().remove(place, held)
        self._freed = self._freed or bool(gone and self.held_back)
        for prefix in held:
            if prefix not in self.routes and self._counts_for(prefix):
                del self._order[bisect_left(self._order, _key(prefix))]
                self._lengths[prefix[0]] -= 1
        return gone

    def count_announced(self, source: Source) -> int:
        """How many routes a source has announced and not withdrawn, held back or not."""
        return self.count_held(source) + self._counts[source]

    def announced(self, place: Place) -> set[bytes]:
        """What a source has announced at a place and not withdrawn, held back or not."""
        waiting = {prefix for at, prefix in self.held_back if at is place}
        return super().announced(place) | waiting

    def by_path(self, place: Place, prefixes: Iterable[bytes]) -> dict[Path, list[bytes]]:
        """Those of prefixes that a source has announced at a place, by path, held back or not."""
        prefixes = list(prefixes)
        by_path = super().by_path(place, prefixes)
        for prefix in prefixes if self.held_back else ():
            held = self.held_back.get((place, prefix))
            if held is not None:
                by_path[held.path].append(prefix)
        return by_path

    def turned_away(self, place: Place, prefixes: Iterable[bytes]) -> Iterator[bytes]:
        """Those of prefixes that are not even held back: their source has too many that are."""
        return (
            each
            for each in prefixes
            if not self.holds(place, each) and (place, each) not in self.held_back
        )

    def take_changes(self) -> Changes:
        """What changed since the last call, with what need not be held back any more."""
        if self._freed:
            self._freed = False
            for (place, prefix), held in list(self.held_back.items()):
                rival = self._rival(held.path, prefix)
                if rival is None:
                    self._release(place, prefix)
                    self._admit(held.path, [prefix])
                else:
                    self.held_back[place, prefix] = HeldBack(held.path, *rival)
        return super().take_changes()

    @property
    def changed(self) -> bool:
        """Whether anything changed since `take_changes`."""
        return self._freed or super().changed

    # Inner workings.

    def _admit(self, path: Path, prefixes: list[bytes]) -> None:
        routes = self.routes
        new = {prefix for prefix in prefixes if prefix not in routes and self._counts_for(prefix)}
        if self.held_back and not self._freed:
            # Another originator or next hop of what was there may be nobody's rival any more.
            self._freed = any(self.holds(path.place, prefix) for prefix in prefixes)
        super().announce(path, prefixes)
        for prefix in new:
            insort(self._order, _key(prefix))
            self._lengths[prefix[0]] += 1

    def _hold_back(self, path: Path, prefix: bytes, rival: tuple[bytes, Source]) -> None:
        source = path.source
        super().withdraw(path.place, (prefix,))
        key = path.place, prefix
        if key not in self.held_back:
            if self._counts[source] >= MAX_QUARANTINED_PER_PEER:
                return
            self._counts[source] += 1
        self.held_back[key] = HeldBack(path, *rival)

    def _release(self, place: Place, prefix: bytes) -> bool:
        """A route need not wait any more; returns whether it did."""
        held = self.held_back.pop((place, prefix), None)
        if held is not None:
            self._counts[held.path.source] -= 1
            if not self._counts[held.path.source]:
                del self._counts[held.path.source]
        return held is not None

    def _rival(self, path: Path, prefix: bytes) -> tuple[bytes, Source] | None:
        """A prefix that overlaps one and is another node's, and that node."""
        if not self._counts_for(prefix):
            return None
        for other in self._overlapping(prefix):
            for held in self.routes[other].paths:
                if are_rivals(held, path):
                    return other, held.source
        return None

    def _overlapping(self, prefix: bytes) -> Iterator[bytes]:
        """Prefixes of the table that have addresses in common with one, but host and default routes."""
        routes, length = self.routes, prefix[0]
        if prefix in routes:
            yield prefix
        for shorter, count in self._lengths.items():
            if count and shorter < length:
                wider = shorten(prefix, shorter)
                if wider in routes:
                    yield wider
        at = bisect_right(self._order, _key(prefix))
        while at < len(self._order):
            octets, longer = self._order[at]
            within = bytes((longer,)) + octets
            if longer <= length or shorten(within, length) != prefix:
                return
            yield within
            at += 1

    def _find_overlapping(self) -> Iterator[bytes]:
        """Prefixes that have several paths, or addresses in common with others."""
        around: list[bytes] = []
        for octets, length in self._order:
            prefix = bytes((length,)) + octets
            while around and not _holds(around[-1], prefix):
                around.pop()
            if around:
                yield around[-1]
            if around or len(self.routes[prefix].paths) > 1:
                yield prefix
            around.append(prefix)

    def _counts_for(self, prefix: bytes) -> bool:
        return 0 < prefix[0] < self.family.max_prefix_bits


def _holds(wider: bytes, prefix: bytes) -> bool:
    return wider[0] <= prefix[0] and shorten(prefix, wider[0]) == wider


def _key(prefix: bytes) -> _Key:
    return prefix[1:], prefix[0]


def _originator(path: Path) -> bytes:
    return path.attributes.originator_id or path.source.router_id
