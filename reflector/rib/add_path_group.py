"""Update groups whose members are told of every path of a prefix (RFC 7911).

Not the best path counts here but which there are: a path is announced when it comes and withdrawn when
it goes, and that another has become the best is no news. The path identifier is that of the place
where a path stands, so that it stays as long as the path does and nothing is to be remembered.
Routes are told apart by identifier and prefix in one, as they are on the wire.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from reflector.bgp.add_path import PATH_ID_BYTES
from reflector.bgp.limits import CATCH_UP_PIECE_BYTES, CATCH_UP_PIECE_PREFIXES
from reflector.rib.decision import best_path
from reflector.rib.export_filter import FilteredTable
from reflector.rib.form import Form
from reflector.rib.member import Member
from reflector.rib.path import Candidates, Path
from reflector.rib.source import Source
from reflector.rib.table import Changes, Table
from reflector.rib.train import Piece, Train
from reflector.rib.update_group import UpdateGroup

# By path identifier.
_Paths = dict[bytes, Path]

_NO_PATHS: Final[_Paths] = {}


@dataclass(frozen=True, slots=True)
class _Difference:
    """What became of the paths of a prefix.

    Args:
        gone: Told of before and not any more.
        come: To be told of, with what was told by the same identifier before.
    """

    gone: tuple[tuple[bytes, Path], ...]
    come: tuple[tuple[bytes, Path, Path | None], ...]


class AddPathGroup(UpdateGroup):
    """Peers that are told of every path that is for their kind, less their own.

    Args:
        table: The routes of the family; it must note candidates.
        form: In which all members are told.
        cluster_id: Ours.
    """

    def __init__(self, table: Table, form: Form, cluster_id: bytes) -> None:
        # Attributes are written alike whatever comes with them.
        super().__init__(table, replace(form, policy=None, add_path=False))
        policy = form.policy
        self._filter = None if policy is None else FilteredTable(table, policy, cluster_id).routes
        # What is told of candidates, and between two of them, found once in a turn for all prefixes.
        self._told: dict[Candidates, _Paths] = {}
        self._differences: dict[tuple[Candidates, Candidates | None], _Difference] = {}

    def send_changes(self, changes: Changes) -> None:
        """Send every member what a turn has changed."""
        self._forget()
        super().send_changes(changes)
        self._forget()

    def catch_up(self) -> bool:
        """Send members that are behind their next piece."""
        more = super().catch_up()
        self._forget()
        return more

    # What members are told.

    def told_to(self, member: Member) -> Iterator[tuple[bytes, Path]]:
        """What somebody would be told of as a member: a prefix comes with each of its paths."""
        for route, path in self._all().items():
            if member.can_have(path):
                yield route[PATH_ID_BYTES:], path

    def told_of(self, prefix: bytes, candidates: Candidates | None) -> Mapping[bytes, Path]:
        """The paths of a prefix that are told to others than their sources, as routes on the wire."""
        paths = self._paths(prefix, candidates)
        return {path_id + prefix: path for path_id, path in paths.items()}

    def _told_now(self, prefix: bytes) -> Mapping[bytes, Path]:
        return self.told_of(prefix, self.table.routes.get(prefix))

    def _all(self) -> dict[bytes, Path]:
        """Every path that may be told, by identifier and prefix."""
        return {
            route: path
            for prefix, candidates in self.table.routes.items()
            for route, path in self.told_of(prefix, candidates).items()
        }

    def shown(self, prefix: bytes, member: Member) -> tuple[Path | None, str]:
        """The best of the paths that a member may have, or else of all, and the rule of export."""
        candidates = self.table.routes[prefix]
        told = self._paths(prefix, candidates)
        left = [each for each in candidates.paths if each.place.path_id in told]
        left = [each for each in left if member.can_have(each)]
        path = best_path(left or candidates.paths)
        return (path, "") if self._filter is None else self._filter.ruled(prefix, path)

    def is_due(self, member: Member, prefix: bytes) -> bool:
        """Whether a member that is out of step may still be told what became of a prefix."""
        missed = member.missed
        if not missed or member.moves:
            return bool(member.moves)
        paths = self.table.routes[prefix].paths
        return any(path.place.path_id + prefix in missed for path in paths)

    def _tally(self) -> dict[Path, int]:
        tally: dict[Path, int] = defaultdict(int)
        for prefix, candidates in self.table.routes.items():
            for path in self._paths(prefix, candidates).values():
                tally[path] += 1
        self._forget()
        return tally

    def _paths(self, prefix: bytes, candidates: Candidates | None) -> _Paths:
        """The paths of a prefix that may be told, to others than their sources."""
        if candidates is None:
            return _NO_PATHS
        told = self._told.get(candidates) if self._filter is None else None
        if told is None:
            told = {}
            for path in candidates.paths:
                shown = path if self._filter is None else self._filter.seen(prefix, path)
                if (
                    shown is not None
                    and shown.audience & self._kind
                    and shown.has_room(self.form, PATH_ID_BYTES)
                ):
                    told[path.place.path_id] = shown
            if self._filter is None:
                self._told[candidates] = told
        return told

    def _difference(
        self, prefix: bytes, before: Candidates | None, after: Candidates | None
    ) -> _Difference:
        known = None
        if before is not None and self._filter is None:
            known = self._differences.get((before, after))
        if known is None:
            old, new = self._paths(prefix, before), self._paths(prefix, after)
            known = _Difference(
                tuple((path_id, path) for path_id, path in old.items() if path_id not in new),
                tuple(
                    (path_id, path, old.get(path_id))
                    for path_id, path in new.items()
                    if old.get(path_id) is not path
                ),
            )
            if before is not None and self._filter is None:
                self._differences[before, after] = known
        return known

    def _forget(self) -> None:
        self._told.clear()
        self._differences.clear()
        if self._filter is not None:
            self._filter.forget()

    # The train.

    def _encode(self, changes: Changes) -> Train:
        train = Train()
        self._encode_arrivals(train, changes.arrivals)
        self._encode_changed(train, changes.candidates)
        return train

    def _encode_arrivals(self, train: Train, arrivals: dict[Path, list[bytes]]) -> None:
        for arriving, prefixes in arrivals.items():
            arrived: dict[Path, list[bytes]] = defaultdict(list)
            for prefix in prefixes:
                for path_id, path in self._paths(prefix, arriving).items():
                    # Our own paths are sent behind the cars: one that is gone again must not be.
                    if not path.source.local or self._current(path_id + prefix) is path:
                        arrived[path].append(path_id + prefix)
            for path, told in arrived.items():
                self.loader.load(train, path, told)

    def _encode_changed(self, train: Train, candidates: dict[bytes, Candidates | None]) -> None:
        routes = self.table.routes
        withdrawn: dict[Source, list[bytes]] = defaultdict(list)
        announced: dict[Path, list[bytes]] = defaultdict(list)
        for prefix, before in candidates.items():
            difference = self._difference(prefix, before, routes.get(prefix))
            for path_id, path in difference.gone:
                withdrawn[path.source].append(path_id + prefix)
            for path_id, path, former in difference.come:
                announced[path].append(path_id + prefix)
                if former is not None and path.source.local:
                    # Ours replaces ours: it may be one that not every member can be told.
                    train.taken_back[path.source].append(path_id + prefix)
        self.loader.load_all(train, withdrawn, announced)

    # Catching up.

    def _current(self, route: bytes) -> Path | None:
        prefix = route[PATH_ID_BYTES:]
        return self._paths(prefix, self.table.routes.get(prefix)).get(route[:PATH_ID_BYTES])

    def _encode_current(self, prefixes: list[bytes]) -> Piece:
        by_path: dict[Path, list[bytes]] = defaultdict(list)
        room, cost = CATCH_UP_PIECE_BYTES, 0
        for count, prefix in enumerate(prefixes, 1):
            cost += 1
            for path_id, path in self._paths(prefix, self.table.routes.get(prefix)).items():
                if path not in by_path:
                    room -= path.wire_bytes
                by_path[path].append(path_id + prefix)
                cost += 1
            if room <= 0 or cost >= CATCH_UP_PIECE_PREFIXES:
                return Piece(self.loader.train_of(by_path), count, CATCH_UP_PIECE_PREFIXES)
        return Piece(self.loader.train_of(by_path), len(prefixes), cost)

    def _note_missed(self, source: Source, missed: dict[bytes, bool], changes: Changes) -> None:
        for arriving, prefixes in changes.arrivals.items():
            for prefix in prefixes:
                for path_id, path in self._paths(prefix, arriving).items():
                    if path.source is not source:
                        missed.setdefault(path_id + prefix, False)
        routes = self.table.routes
        for prefix, before in changes.candidates.items():
            difference = self._difference(prefix, before, routes.get(prefix))
            for path_id, path in difference.gone:
                # What came and went unseen is forgotten.
                if path.source is not source and not missed.setdefault(path_id + prefix, True):
                    del missed[path_id + prefix]
            for path_id, path, former in difference.come:
                if path.source is not source:
                    missed.setdefault(path_id + prefix, former is not None)
