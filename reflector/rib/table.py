"""The routing table of one address family: Adj-RIBs-In and Loc-RIB in one.

`routes` maps each prefix to its `Candidates`: every source's path for it (what the Adj-RIBs-In
hold) and the best (what the Loc-RIB holds). Each source's own set of prefixes is the index into
it. Since paths are interned and candidates shared, a prefix costs two references.

Changes since the last `take_changes` are remembered in the form that export needs: what was best
before, so that each turn sends a prefix once, however often it changed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from reflector.bgp.vocabulary import Family
from reflector.rib.decision import with_path, without_source
from reflector.rib.path import Candidates, Path, Source


@dataclass(slots=True)
class Changes:
    """What became different in a table during a turn.

    Attributes:
        arrivals: Prefixes that nobody had before, by their path: the bulk of a class's start.
        former: For every other prefix that changed, the best path before, None if it had none.
            Where a prefix is in both, it arrived first and changed then.
    """

    arrivals: dict[Path, list[bytes]] = field(default_factory=dict)
    former: dict[bytes, Path | None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.arrivals or self.former)


class Table:
    """Routes of one family.

    Attributes:
        family: Which.
        routes: Prefix to candidates.
        held: Source to the prefixes that it has announced: its Adj-RIB-In.
    """

    def __init__(self, family: Family) -> None:
        self.family = family
        self.routes: dict[bytes, Candidates] = {}
        self.held: dict[Source, set[bytes]] = {}
        self._changes = Changes()

    def announce(self, path: Path, prefixes: list[bytes]) -> None:
        """A source announces prefixes, in the place of what it announced for them before.

        Args:
            path: The source's path.
            prefixes: Packed; the list is taken over.
        """
        routes, changes = self.routes, self._changes
        held = self.held.get(path.source)
        if held is None:
            held = self.held[path.source] = set()
        held.update(prefixes)
        fresh = routes.keys().isdisjoint(prefixes) and (
            not changes.former or changes.former.keys().isdisjoint(prefixes)
        )
        if fresh:
            arriving = dict.fromkeys(prefixes, path)
            routes.update(arriving)
            if len(arriving) != len(prefixes):
                prefixes = list(arriving)  # named twice in one UPDATE, to be told once
            arrived = changes.arrivals.get(path)
            if arrived is None:
                changes.arrivals[path] = prefixes
            else:
                arrived.extend(prefixes)
            return
        former = changes.former
        # Prefixes of one UPDATE mostly share their candidates, which then are judged once.
        judged: dict[Candidates | None, tuple[Candidates, Path | None, bool]] = {}
        for prefix in prefixes:
            before = routes.get(prefix)
            outcome = judged.get(before)
            if outcome is None:
                best = None if before is None else before.best
                after = with_path(before, path)
                outcome = judged[before] = after, best, after.best is not best
            routes[prefix], best, moved = outcome
            if moved:
                former.setdefault(prefix, best)

    def withdraw(self, source: Source, prefixes: Iterable[bytes]) -> int:
        """A source withdraws prefixes; those that it had not announced are passed over.

        Returns:
            How many it had announced.
        """
        held = self.held.get(source)
        if not held:
            return 0
        gone = held.intersection(prefixes)
        if not gone:
            return 0
        held -= gone
        self._remove(source, gone)
        return len(gone)

    def drop(self, source: Source) -> int:
        """A source is gone with all that it announced.

        Returns:
            How many prefixes it had announced.
        """
        gone = self.held.pop(source, None)
        if not gone:
            return 0
        self._remove(source, gone)
        return len(gone)

    def announced(self, source: Source) -> set[bytes]:
        """What a source has announced and not withdrawn."""
        return self.held.get(source, set())

    def take_changes(self) -> Changes:
        """What changed since the last call."""
        changes, self._changes = self._changes, Changes()
        return changes

    @property
    def changed(self) -> bool:
        """Whether anything changed since `take_changes`."""
        return bool(self._changes)

    def _remove(self, source: Source, prefixes: Iterable[bytes]) -> None:
        routes, former = self.routes, self._changes.former
        judged: dict[Candidates, Candidates | None] = {}
        for prefix in prefixes:
            before = routes[prefix]
            if before in judged:
                after = judged[before]
            else:
                after = judged[before] = without_source(before, source)
            if after is None:
                del routes[prefix]
                former.setdefault(prefix, before.best)
            else:
                routes[prefix] = after
                if after.best is not before.best:
                    former.setdefault(prefix, before.best)
