"""All update groups: one for each family and form in which peers are told of paths."""

from collections.abc import Iterable, Iterator, Mapping

from reflector.bgp.vocabulary import Family
from reflector.rib.add_path_group import AddPathGroup
from reflector.rib.export_filter import FilteredGroup
from reflector.rib.form import Form
from reflector.rib.member import Member
from reflector.rib.move import Move
from reflector.rib.source import Source
from reflector.rib.table import Table
from reflector.rib.update_group import UpdateGroup


class UpdateGroups:
    """Makes groups as forms come, and forgets special ones that nobody is in any more.

    Args:
        tables: The routes, by family.
        cluster_id: Ours, four octets.
    """

    def __init__(self, tables: Mapping[Family, Table], cluster_id: bytes) -> None:
        self._tables = tables
        self._cluster_id = cluster_id
        self._groups: dict[tuple[Family, Form], UpdateGroup] = {}
        self._backward = False
        # Until the next turn: peers that are reconfigured one by one move together nevertheless.
        self._moves: dict[tuple[Family, Form], Move] = {}

    def __getitem__(self, key: tuple[Family, Form]) -> UpdateGroup:
        """The group of a family and form, made if there is none yet."""
        group = self._groups.get(key)
        if group is None:
            family, form = key
            table = self._tables[family]
            if form.needs_candidates and not table.notes_candidates:
                self.send_changes()  # while it was not noted what there was before
                table.notes_candidates = True
            if form.add_path:
                group = AddPathGroup(table, form, self._cluster_id)
            elif form.policy is None:
                group = UpdateGroup(table, form)
            else:
                group = FilteredGroup(table, form, form.policy, self._cluster_id)
            self._groups[key] = group
        return group

    def __iter__(self) -> Iterator[UpdateGroup]:
        """The groups that there are."""
        return iter(self._groups.values())

    def close(self, family: Family, form: Form) -> None:
        """A peer of a form is gone: forget its group if that is special and has no members."""
        if not (form.policy or form.add_path) or self._groups[family, form].members:
            return
        del self._groups[family, form]
        self._tables[family].notes_candidates = any(
            each.needs_candidates for of, each in self._groups if of is family
        )

    def move(self, moves: Iterable[tuple[Member, Family, Form, Form]]) -> None:
        """Have members told by other policies: each is sent what is different.

        Args:
            moves: Members with their family, and their form before and from now on.
        """
        self.send_changes()
        left: set[tuple[Family, Form]] = set()
        for member, family, before, after in moves:
            if before != after:
                former, group = self[family, before], self[family, after]
                former.leave(member.source)
                group.take_over(member, self._move_from(former, before))
                left.add((family, before))
        for family, before in left:
            self.close(family, before)

    def _move_from(self, former: UpdateGroup, form: Form) -> Move:
        """What members of a group were told until now."""
        family = former.family
        move = self._moves.get((family, form))
        if move is None:
            same = next((each for (of, _), each in self._moves.items() if of is family), None)
            if same is None:
                routes = self._tables[family].routes
                move = Move(former, routes.copy(), list(routes))
            else:
                move = Move(former, same.routes, same.prefixes)
            self._moves[family, form] = move
        return move

    def send_changes(self) -> None:
        """Send every peer what has changed in the tables."""
        for family, table in self._tables.items():
            if not table.changed:
                continue
            changes = table.take_changes()
            self._moves.clear()
            for group in self._groups.values():
                if group.family is family:
                    group.send_changes(changes)

    def catch_up(self) -> bool:
        """Send those that are behind their next piece.

        Returns:
            Whether there is more that could be sent at once.
        """
        more = False
        self._moves.clear()
        # The other way round each time: else a peer that reads slowly, whose queue one family fills
        # as soon as there is room, would hear nothing of the other.
        self._backward = not self._backward
        groups = self._groups.values()
        for group in reversed(groups) if self._backward else groups:
            more = group.catch_up() or more
        return more

    def missed(self) -> dict[Source, int]:
        """How many prefixes are noted for peers that don't keep up."""
        noted: dict[Source, int] = {}
        for group in self._groups.values():
            for source, count in group.missed():
                noted[source] = noted.get(source, 0) + count
        return noted

    def count_told(self) -> dict[Source, dict[Family, int]]:
        """How many prefixes of each family every peer is told of."""
        counts: dict[Source, dict[Family, int]] = {}
        for group in self._groups.values():
            for source, count in group.count_told().items():
                counts.setdefault(source, {})[group.family] = count
        return counts
