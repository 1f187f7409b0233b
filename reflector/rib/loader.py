"""Loads trains: what the members of an update group are told, written in their form."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from reflector.bgp.update import write_withdrawals
from reflector.bgp.vocabulary import Family
from reflector.rib.form import Form
from reflector.rib.member import Member
from reflector.rib.path import Path
from reflector.rib.source import Source
from reflector.rib.train import Train


class Loader:
    """Writes routes for an update group.

    Routes are as they are on the wire: prefixes, with path identifiers in front for those who are told
    every path (RFC 7911 3).

    Args:
        family: Of the routes.
        form: In which all members are told.
    """

    def __init__(self, family: Family, form: Form) -> None:
        self._family = family
        self._form = form
        self._kind = form.audience

    def load(self, train: Train, path: Path, prefixes: list[bytes]) -> None:
        """Load what is announced with a path."""
        if path.source.local:
            if prefixes:
                train.local.append((path, prefixes))
        else:
            train.cars.append((path.source, path.write(prefixes, self._form)))

    def train_of_differences(
        self, differences: Iterable[tuple[Mapping[bytes, Path], Mapping[bytes, Path]]]
    ) -> Train:
        """A train of what is told of prefixes before and after, both as routes on the wire."""
        train = Train()
        withdrawn: dict[Source, list[bytes]] = defaultdict(list)
        announced: dict[Path, list[bytes]] = defaultdict(list)
        for before, after in differences:
            for route, path in before.items():
                if route not in after:
                    withdrawn[path.source].append(route)
            for route, path in after.items():
                former = before.get(route)
                if former is path:
                    continue
                announced[path].append(route)
                # Where ours replaces ours, it may be one that not every member can be told.
                if former is not None and (former.source is not path.source or path.source.local):
                    train.taken_back[path.source].append(route)
        self.load_all(train, withdrawn, announced)
        return train

    def load_all(
        self,
        train: Train,
        withdrawn: Mapping[Source, list[bytes]],
        announced: Mapping[Path, list[bytes]],
    ) -> None:
        """Load what is withdrawn, by the source that was told of, and announced; the train is full."""
        for source, routes in withdrawn.items():
            train.cars.append(
                (source, write_withdrawals(self._family, routes, self._form.most_bytes))
            )
        for path, routes in announced.items():
            self.load(train, path, routes)
        train.couple()

    def train_of(self, by_path: Mapping[Path, list[bytes]]) -> Train:
        """A train of routes by path, as far as they are for this audience."""
        train = Train()
        for path, prefixes in by_path.items():
            if path.audience & self._kind:
                self.load(train, path, prefixes)
        train.couple()
        return train

    def own(self, member: Member, train: Train) -> bytes:
        """Write what of a train is for one member alone."""
        own: list[bytes] = []
        taken_back = train.taken_back.get(member.source)
        if taken_back:
            own.append(write_withdrawals(self._family, taken_back, self._form.most_bytes))
        for path, prefixes in train.local:
            next_hop = member.next_hop_of(path)
            if next_hop:
                own.append(path.write(prefixes, self._form, next_hop))
                continue
            # It can't be told of ours, so that what it was told before is gone.
            replaced = set(train.taken_back.get(path.source, ())).intersection(prefixes)
            if replaced:
                own.append(write_withdrawals(self._family, list(replaced), self._form.most_bytes))
        return b"".join(own)
