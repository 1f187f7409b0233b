"""The routing table of one address family: Adj-RIBs-In and Loc-RIB in one.

`routes` maps each prefix to its `Candidates`: every source's path for it (what the Adj-RIBs-In
hold) and the best (what the Loc-RIB holds). Each source's own `Holding` is the index into it. Since
paths are interned and candidates shared, a prefix costs two references.

Changes since the last `take_changes` are remembered in the form that export needs: what was best
before, so that each turn sends a prefix once, however often it changed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from reflector.bgp.vocabulary import Family
from reflector.rib.decision import with_path, without_place
from reflector.rib.holding import Holding
from reflector.rib.path import Candidates, Path
from reflector.rib.source import Place, Source

# Notes of what is withdrawn that a holding may have beyond as many as it holds prefixes.
_SPARE_NOTES: Final = 64


@dataclass(slots=True)
class Changes:
    """What became different in a table during a turn.

    Attributes:
        arrivals: Prefixes that nobody had before, by their path: the bulk of a class's start.
        former: For every other prefix that changed, the best path before, None if it had none.
            Where a prefix is in both, it arrived first and changed then.
        candidates: For those prefixes, and those whose best path stayed while another changed: all
            that there was before. Noted only for somebody for whom other paths than the best count.
    """

    arrivals: dict[Path, list[bytes]] = field(default_factory=dict)
    former: dict[bytes, Path | None] = field(default_factory=dict)
    candidates: dict[bytes, Candidates | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.arrivals or self.former or self.candidates)


class Table:
    """Routes of one family.

    Attributes:
        family: Which.
        routes: Prefix to candidates.
        held: What a source has announced and not withdrawn: its Adj-RIB-In, by place.
        notes_candidates: Whether other paths than the best count for somebody.
    """

    def __init__(self, family: Family) -> None:
        self.family = family
        self.routes: dict[bytes, Candidates] = {}
        self.held: dict[Place, Holding] = {}
        self.notes_candidates = False
        self._changes = Changes()

    def take_over(self, former: "Table") -> None:
        """Go on, empty so far, with all that another table holds.

        `routes` stays the same object, so that who looks at it through another need not know.
        """
        self.routes, self.held = former.routes, former.held
        self.notes_candidates = former.notes_candidates
        self._changes = former.take_changes()

    def announce(self, path: Path, prefixes: list[bytes]) -> None:
        """A source announces prefixes, instead of what it announced for them before.

        Args:
            path: The source's path; one at another of its places is another path.
            prefixes: Packed, at least one; the list is taken over.
        """
        routes, changes = self.routes, self._changes
        held = self.held.get(path.place)
        if held is None:
            held = self.held[path.place] = Holding()
        # What is new and what is not comes apart, mostly: an UPDATE's first prefix tells.
        if prefixes[0] in routes or (
            changes.former and not changes.former.keys().isdisjoint(prefixes)
        ):
            self._replace(path, held, prefixes)
            return
        size, put = len(routes), routes.setdefault
        for prefix in prefixes:
            put(prefix, path)
        count = len(routes) - size
        if count < len(prefixes):
            # What there was already stayed as it was, and what is new stands last. What is named twice
            # in one UPDATE is told once.
            new = dict.fromkeys(islice(reversed(routes), count))
            self._replace(path, held, [prefix for prefix in prefixes if prefix not in new])
            prefixes = list(reversed(new))
        held.count += count
        held.noted += prefixes
        arrived = changes.arrivals.get(path)
        if arrived is None:
            changes.arrivals[path] = prefixes
        else:
            arrived += prefixes

    def withdraw(self, place: Place, prefixes: Iterable[bytes]) -> int:
        """A source withdraws prefixes; those that it had not announced are passed over.

        Args:
            place: The source, or the one of its places that is meant.
            prefixes: Packed.

        Returns:
            How many it had announced.
        """
        held = self.held.get(place)
        if not held:
            return 0
        gone = self.remove(place, prefixes)
        held.count -= gone
        if len(held.noted) > 2 * held.count + _SPARE_NOTES:
            held.noted = list(self._held_at(place))
        return gone

    def drop(self, source: Source) -> int:
        """A source is gone with all that it announced.

        Returns:
            How many routes it had announced.
        """
        count = self.count_announced(source)
        for place, noted in self.let_go(source):
            self.remove(place, noted)
        return count

    def let_go(self, source: Source) -> list[tuple[Place, list[bytes]]]:
        """A source holds nothing any more, though its paths are in the table until they are removed.

        Returns:
            What is to be removed, by place.
        """
        holdings = [(place, self.held.pop(place, None)) for place in source.places]
        return [(place, held.noted) for place, held in holdings if held]

    def remove(self, place: Place, prefixes: Iterable[bytes]) -> int:
        """Take the paths at a place out of the table; returns how many of the prefixes had one there."""
        routes, former = self.routes, self._changes.former
        noted = self._changes.candidates if self.notes_candidates else None
        judged: dict[Candidates, Candidates] = {}
        gone = 0
        for prefix in prefixes:
            before = routes.get(prefix)
            if type(before) is Path:
                if before.place is not place:
                    continue
                del routes[prefix]  # nobody else has it
                former.setdefault(prefix, before)
            elif before is None:
                continue
            else:
                after = judged.get(before)
                if after is None:
                    left = without_place(before, place)
                    assert left is not None  # noqa: S101 - of several paths at most one is gone
                    after = judged[before] = left
                if after is before:
                    continue
                routes[prefix] = after
                if after.best is not before.best:
                    former.setdefault(prefix, before.best)
            gone += 1
            if noted is not None:
                noted.setdefault(prefix, before)
        return gone

    def count_held(self, source: Source) -> int:
        """How many routes a source has announced and not withdrawn."""
        if not source.further:
            return len(self.held.get(source, ()))
        return sum(len(self.held.get(place, ())) for place in source.places)

    def count_announced(self, source: Source) -> int:
        """How many routes a source has announced and not withdrawn, used or not."""
        return self.count_held(source)

    def prefixes_of(self, source: Source) -> Iterator[bytes]:
        """The prefixes that a source has announced, each once."""
        if not source.further:
            yield from self._held_at(source)
            return
        seen: set[bytes] = set()
        for place in source.places:
            for prefix in self._held_at(place):
                if prefix not in seen:
                    seen.add(prefix)
                    yield prefix

    def holds(self, place: Place, prefix: bytes) -> bool:
        """Whether a source has announced a prefix at one of its places and not withdrawn it."""
        candidates = self.routes.get(prefix)
        return candidates is not None and _path_at(place, candidates) is not None

    def announced(self, place: Place) -> set[bytes]:
        """What a source has announced at one of its places and not withdrawn."""
        return set(self._held_at(place))

    def turned_away(self, _place: Place, _prefixes: Iterable[bytes]) -> Iterable[bytes]:
        """Those of prefixes, just announced, that the table has not taken in at all: none."""
        return ()

    def by_path(self, place: Place, prefixes: Iterable[bytes]) -> dict[Path, list[bytes]]:
        """Those of prefixes that a source has announced at a place, by path."""
        by_path: dict[Path, list[bytes]] = defaultdict(list)
        for prefix in dict.fromkeys(prefixes):
            candidates = self.routes.get(prefix)
            path = None if candidates is None else _path_at(place, candidates)
            if path is not None:
                by_path[path].append(prefix)
        return by_path

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        changes, self._changes = self._changes, Changes()
        return changes

    @property
    def changed(self) -> bool:
        """Whether anything changed since `take_changes`."""
        return bool(self._changes)

    def _note_candidates(self, prefixes: Iterable[bytes]) -> None:
        routes, candidates = self.routes, self._changes.candidates
        for prefix in prefixes:
            candidates.setdefault(prefix, routes.get(prefix))

    def _replace(self, path: Path, held: Holding, prefixes: list[bytes]) -> None:
        """Put a path beside or in the place of what there is for prefixes."""
        routes, place = self.routes, path.place
        if self.notes_candidates:
            self._note_candidates(prefixes)
        former, noted = self._changes.former, held.noted
        # Prefixes of one UPDATE mostly share their candidates, which then are judged once.
        judged: dict[Candidates | None, tuple[Candidates, Path | None, bool, bool]] = {}
        for prefix in prefixes:
            before = routes.get(prefix)
            outcome = judged.get(before)
            if outcome is None:
                best = None if before is None else before.best
                after = with_path(before, path)
                new = before is None or _path_at(place, before) is None
                outcome = judged[before] = after, best, after.best is not best, new
            routes[prefix], best, moved, new = outcome
            if moved:
                former.setdefault(prefix, best)
            if new:
                held.count += 1
                noted.append(prefix)

    def _held_at(self, place: Place) -> Iterator[bytes]:
        """The prefixes that are held at a place, each once."""
        held = self.held.get(place)
        if held is None:
            return
        if len(held.noted) == held.count:
            yield from held.noted
            return
        seen: set[bytes] = set()
        for prefix in held.noted:
            if prefix not in seen and self.holds(place, prefix):
                seen.add(prefix)
                yield prefix


def _path_at(place: Place, candidates: Candidates) -> Path | None:
    """The path of a prefix that stands at a place."""
    for path in candidates.paths:
        if path.place is place:
            return path
    return None
