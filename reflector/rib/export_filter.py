"""Export policies: a table as the peers of an update group may see it.

An update group looks at its table through `FilteredTable`, where rejected routes are not there and
changed ones have another path. What a peer was told so still follows from the table alone.

A policy is asked about the best path. Not so its lines: what comes from beyond them is no candidate
at all, and the best of the others is chosen (`rib.separation`).
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from reflector.bgp.vocabulary import Family
from reflector.rib.decision import best_path
from reflector.rib.form import Form
from reflector.rib.member import Member
from reflector.rib.path import Candidates, Path
from reflector.rib.policy import Outcome, Plan, Policy
from reflector.rib.table import Changes, Table
from reflector.rib.update_group import UpdateGroup

# Paths whose plan is remembered; past the bound the memory is dropped, which costs only time.
_MAX_PLANS: Final = 1 << 16


class _FilteredRoutes(Mapping[bytes, Candidates]):
    """The routes of a table that a policy accepts, as it changes them."""

    def __init__(self, table: Table, policy: Policy, cluster_id: bytes) -> None:
        self._table = table
        self._policy = policy
        self._cluster_id = cluster_id
        self._plans: dict[Path, Plan] = {}
        self._changed: dict[tuple[Path, Outcome], Path] = {}
        self._bests: dict[Candidates, Path] = {}

    def __getitem__(self, prefix: bytes) -> Candidates:
        path = self.seen(prefix, self.best(self._table.routes[prefix]))
        if path is None:
            raise KeyError(prefix)
        return path

    def __iter__(self) -> Iterator[bytes]:
        for prefix, candidates in self._table.routes.items():
            if self.seen(prefix, self.best(candidates)) is not None:
                yield prefix

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def best(self, candidates: Candidates) -> Path:
        """The best path that is beyond no line; where all are, the best of them: it is rejected."""
        if not self._policy.lines or len(candidates.paths) == 1:
            return candidates.best
        best = self._bests.get(candidates)
        if best is None:
            near = [each for each in candidates.paths if not self._policy.parts(each.source)]
            best = self._bests[candidates] = best_path(near) if near else candidates.best
        return best

    def seen(self, prefix: bytes, path: Path) -> Path | None:
        """What becomes of one of a prefix's paths; None if it is rejected."""
        return self._outcome(path, self.plan(path).outcome(self._table.family, prefix))

    def bests(self) -> dict[bytes, Path]:
        """The best path of each prefix that is accepted; a path's prefixes are judged together."""
        together: dict[Path, list[bytes]] = defaultdict(list)
        for prefix, candidates in self._table.routes.items():
            together[self.best(candidates)].append(prefix)
        found: dict[bytes, Path] = {}
        for path, prefixes in together.items():
            for changed, which in self.sort(path, prefixes):
                found.update(dict.fromkeys(which, changed))
        return found

    def ruled(self, prefix: bytes, path: Path) -> tuple[Path | None, str]:
        """What becomes of one of a prefix's paths, and by which rule."""
        outcome = self.plan(path).outcome(self._table.family, prefix)
        return self._outcome(path, outcome), outcome.rule

    def sort(self, path: Path, prefixes: list[bytes]) -> Iterator[tuple[Path, list[bytes]]]:
        """What becomes of prefixes with one path, without those that are rejected."""
        for outcome, which in self.plan(path).sort(self._table.family, prefixes).items():
            changed = self._outcome(path, outcome)
            if changed is not None:
                yield changed, which

    def plan(self, path: Path) -> Plan:
        """The rules that a path fits."""
        plan = self._plans.get(path)
        if plan is None:
            plan = self._plans[path] = self._policy.plan(path.attributes, path.source, heeded=False)
        return plan

    def forget(self) -> None:
        """Drop the memory if it has become too large."""
        if len(self._plans) > _MAX_PLANS:
            self._plans.clear()
            self._changed.clear()
        if len(self._bests) > _MAX_PLANS:
            self._bests.clear()

    def _outcome(self, path: Path, outcome: Outcome) -> Path | None:
        if outcome.attributes is None or outcome.attributes is path.attributes:
            return None if outcome.attributes is None else path
        changed = self._changed.get((path, outcome))
        if changed is None:
            changed = self._changed[path, outcome] = Path(
                path.source,
                path.family,
                outcome.attributes,
                path.next_hop,
                self._cluster_id,
                path.place,
                stale=path.stale,
            )
        return changed


class FilteredTable:
    """A table as an export policy shows it.

    Attributes:
        family: Of the table.
        routes: Those that are accepted.
    """

    def __init__(self, table: Table, policy: Policy, cluster_id: bytes) -> None:
        self.family: Family = table.family
        self._lines = bool(policy.lines)
        self.routes = _FilteredRoutes(table, policy, cluster_id)

    def show(self, changes: Changes) -> Changes:
        """What changed, as the policy shows it."""
        routes = self.routes
        routes.forget()
        shown = Changes()
        for path, prefixes in changes.arrivals.items():
            for changed, which in routes.sort(path, prefixes):
                shown.arrivals.setdefault(changed, []).extend(which)
        if self._lines:
            for prefix, candidates in changes.candidates.items():
                then = None if candidates is None else routes.seen(prefix, routes.best(candidates))
                if then is not routes.get(prefix):
                    shown.former[prefix] = then
            return shown
        for prefix, before in changes.former.items():
            shown.former[prefix] = None if before is None else routes.seen(prefix, before)
        return shown


class FilteredGroup(UpdateGroup):
    """Peers that are told the same, less what their export policy rejects.

    Args:
        table: The routes of the family.
        form: In which all members are told, with a policy.
        policy: The form's.
        cluster_id: Ours.
    """

    def __init__(self, table: Table, form: Form, policy: Policy, cluster_id: bytes) -> None:
        self._whole = table
        self._filtered = FilteredTable(table, policy, cluster_id)
        # Paths are written alike whatever the policy was.
        super().__init__(self._filtered, replace(form, policy=None))

    def bests(self) -> dict[bytes, Path]:
        """The best path of each prefix, as members may see it."""
        return self._filtered.routes.bests()

    def seen(self, prefix: bytes, candidates: Candidates) -> Path | None:
        """What members may see of a prefix's candidates, if they are of its audience."""
        routes = self._filtered.routes
        return routes.seen(prefix, routes.best(candidates))

    def shown(self, prefix: bytes, _member: Member) -> tuple[Path | None, str]:
        """The path of a prefix that a member may see, and the rule that made it so."""
        routes = self._filtered.routes
        best = routes.best(self._whole.routes[prefix])
        path, rule = routes.ruled(prefix, best)
        return path, "" if path is best else rule

    def send_changes(self, changes: Changes) -> None:
        """Send every member what a turn has changed for it."""
        if changes and self.members:
            super().send_changes(self._filtered.show(changes))
