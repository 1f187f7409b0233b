"""Update groups: what changed is encoded once for all peers that are told the same (Adj-RIB-Out).

Each turn of the loop the changes of a table become a *train*: encoded UPDATEs, each with the
source that must not get it. Every member gets the train less its own part, the same bytes objects
as all others. No list of what each member was sent is kept: a member that is in step holds the
best path of every prefix, unless that path is its own or not for its kind.

A member can be out of step in three ways, and all are mended by *catching up*: looking at prefixes
again, a piece a turn, and sending what the table holds by then.

- It has just joined, or asked for a refresh: it rides the train and is *dumped* the table beside
  it. A prefix may so be sent twice, but what is sent last is right.
- It was told by another policy, and so in another group: it rides this one's train from now on, and is
  sent what is *different* beside it (`rib.move`).
- It reads too slowly: it leaves the train, and each prefix that changes meanwhile is noted once in
  `Member.missed`, with whether the member holds a route for it.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final, Protocol

from reflector.bgp.codec import encode_route_refresh
from reflector.bgp.limits import (
    CATCH_UP_PIECE_BYTES,
    CATCH_UP_PIECE_PREFIXES,
    CATCH_UP_TURN_PREFIXES,
    RESUME_BYTES,
    SEND_QUEUE_BYTES,
)
from reflector.bgp.message import count_messages
from reflector.bgp.update import write_end_of_rib
from reflector.bgp.vocabulary import Family, RefreshSubtype
from reflector.rib.form import Form
from reflector.rib.loader import Loader
from reflector.rib.member import Dump, Member
from reflector.rib.move import Move, Moving
from reflector.rib.path import Candidates, Path
from reflector.rib.source import Source
from reflector.rib.table import Changes
from reflector.rib.train import Piece, Train

# How many prefixes of a dump one of a move counts for: policies are asked about it, twice.
_COMPARING: Final = 4


class Shown(Protocol):
    """A table, or as much of it as may be shown to a group."""

    @property
    def family(self) -> Family:
        """Of the routes."""

    @property
    def routes(self) -> Mapping[bytes, Candidates]:
        """By prefix."""


class UpdateGroup:
    """Peers that are told the same.

    Args:
        table: The routes of the family.
        form: In which all members are told.

    Attributes:
        table: The routes, as they are shown to the group.
        form: In which all members are told.
        loader: Writes what they are told.
        members: By source.
    """

    def __init__(self, table: Shown, form: Form) -> None:
        self.family: Family = table.family
        self.form = form
        self.members: dict[Source, Member] = {}
        self.table = table
        self.loader = Loader(table.family, form)
        self._kind = form.audience
        self._behind: dict[Source, Member] = {}
        self._snapshot: list[bytes] | None = None

    def join(self, member: Member) -> None:
        """A peer is up: it rides the train from now on and is sent the whole table."""
        self.members[member.source] = member
        self._behind[member.source] = member
        member.dump = Dump()

    def leave(self, source: Source) -> None:
        """A peer is gone."""
        self.members.pop(source, None)
        self._behind.pop(source, None)

    def bests(self) -> dict[bytes, Path]:
        """The best path of each prefix, as members may see it."""
        return {prefix: each.best for prefix, each in self.table.routes.items()}

    def take_over(self, member: Member, move: Move) -> None:
        """A member of another group is told what this one's are: it is sent what is different.

        Args:
            member: Which; it has left its group.
            move: From there. All changes until then have been sent.
        """
        member.moves += (Moving(move),)
        self.members[member.source] = member
        self._behind[member.source] = member

    def refresh(self, source: Source) -> None:
        """Send a member the whole table again (RFC 2918 4).

        While it is being sent the table it may ask as often as it likes, for one more in the end:
        beginning anew each time would send the first piece for ever. And the first dump is brought
        to its End-of-RIB before a refresh may be said to begin (RFC 7313 4).
        """
        member = self.members[source]
        dump = member.dump
        if dump is not None and (dump.begun or dump.marked is not member.marks_refreshes):
            member.dump_again = True
            return
        member.dump = Dump(marked=member.marks_refreshes)
        # Begun at the end of the turn, with what the table holds then.
        self._behind[source] = member

    def release_end_of_rib(self, member: Member) -> None:
        """The End-of-RIB marker of a member has to wait no more."""
        member.deferred = False
        if member.end_of_rib_due and member.behind:
            self.refresh(member.source)  # the marker follows what is sent then
        elif member.end_of_rib_due:
            self._send_end_of_rib(member)

    def send_changes(self, changes: Changes) -> None:
        """Send every member what a turn has changed."""
        if not changes or not self.members:
            return
        train = self._encode(changes)
        for member in self.members.values():
            if member.missed is not None:
                self._note_missed(member.source, member.missed, changes)
            else:
                self._send(member, train)

    def missed(self) -> Iterator[tuple[Source, int]]:
        """Members for which prefixes are noted, with how many."""
        for source, member in self._behind.items():
            noted = 0 if member.missed is None else len(member.missed)
            noted += sum(len(moving.move.prefixes) for moving in member.moves)
            if noted:
                yield source, noted

    def catch_up(self) -> bool:
        """Send members that are behind their next piece.

        Returns:
            Whether there is more that could be sent at once; otherwise the next call is due when
            an outlet has room again, or something changes.
        """
        if not self._behind:
            return False
        self._start_dumps()
        budget = CATCH_UP_TURN_PREFIXES
        pieces: dict[tuple[int, int], Piece] = {}
        more = False
        for source, member in list(self._behind.items()):
            if member.outlet.backlog_bytes > RESUME_BYTES:
                continue
            if budget <= 0:
                more = True
                break
            # What was missed comes first: `missed` knows what the member holds only as long as
            # nothing else is sent to it.
            if member.missed is not None:
                budget -= self._send_missed(member, member.missed)
            elif member.moves:
                budget -= self._send_difference(member, member.moves[0], pieces)
            elif member.dump is not None:
                budget -= self._send_dump(member, member.dump, pieces)
            # Whoever had a piece goes to the end of the queue.
            del self._behind[source]
            if member.behind:
                self._behind[source] = member
                more = more or member.outlet.backlog_bytes <= RESUME_BYTES
        self._snapshot = None
        return more

    # What it comes to: the Adj-RIBs-Out.

    def told(self, source: Source) -> Iterator[tuple[bytes, Path]]:
        """What a member is told of: each prefix with its path, as the table stands.

        One that is behind may hold something else until it has caught up.
        """
        return self.told_to(self.members[source])

    def told_to(self, member: Member) -> Iterator[tuple[bytes, Path]]:
        """What somebody would be told of as a member."""
        routes = self.table.routes
        for prefix in list(routes):
            candidates = routes.get(prefix)
            if candidates is not None:
                best = candidates.best
                if self.may_have(member, best):
                    yield prefix, best

    def may_have(self, member: Member, path: Path) -> bool:
        """Whether somebody would be told of a path as a member."""
        return path.audience & self._kind != 0 and member.can_have(path)

    def told_of(self, prefix: bytes, candidates: Candidates) -> Mapping[bytes, Path]:
        """The paths of a prefix that are told to others than their sources, as routes on the wire."""
        path = self.seen(prefix, candidates)
        return {} if path is None or not path.audience & self._kind else {prefix: path}

    def seen(self, _prefix: bytes, candidates: Candidates) -> Path | None:
        """What members may see of a prefix's candidates, if they are of its audience."""
        return candidates.best

    def shown(self, prefix: bytes, _member: Member) -> tuple[Path | None, str]:
        """The path of a prefix that a member may see, and the rule that made it so.

        Args:
            prefix: With a route in the table.
        """
        return self.table.routes[prefix].best, ""

    def is_due(self, member: Member, prefix: bytes) -> bool:
        """Whether a member that is out of step may still be told what became of a prefix."""
        return bool(member.moves) or (member.missed is not None and prefix in member.missed)

    def count_told(self) -> dict[Source, int]:
        """How many routes each member is told of, in one pass over the table."""
        told = self._tally()
        total = sum(told.values())
        of_source: dict[Source, int] = defaultdict(int)
        for path, count in told.items():
            of_source[path.source] += count
        ours = [(path, count) for path, count in told.items() if path.source.local]
        return {
            source: total
            - of_source.get(source, 0)
            - sum(count for path, count in ours if not member.can_have(path))
            for source, member in self.members.items()
        }

    def _tally(self) -> dict[Path, int]:
        """How many prefixes members are told of with each path, their own among them."""
        bests = Counter(self.bests().values())
        return {path: count for path, count in bests.items() if path.audience & self._kind}

    # The train.

    def _encode(self, changes: Changes) -> Train:
        train = Train()
        kind, routes = self._kind, self.table.routes
        for path, prefixes in changes.arrivals.items():
            if path.audience & kind:
                # Our own paths are sent behind the cars: one that is gone again must not be.
                still = self._best_by(path, prefixes) if path.source.local else prefixes
                self.loader.load(train, path, still)
        withdrawn: dict[Source, list[bytes]] = defaultdict(list)
        announced: dict[Path, list[bytes]] = defaultdict(list)
        for prefix, before in changes.former.items():
            candidates = routes.get(prefix)
            after = None if candidates is None else candidates.best
            if after is before:
                continue
            told = before is not None and before.audience & kind != 0
            if after is not None and after.audience & kind:
                announced[after].append(prefix)
                # Where ours replaces ours, it may be one that not every member can be told.
                replaced = before is not None and before.source is not after.source
                if told and (replaced or after.source.local):
                    train.taken_back[after.source].append(prefix)
            elif told and before is not None:
                withdrawn[before.source].append(prefix)
        self.loader.load_all(train, withdrawn, announced)
        return train

    def _best_by(self, path: Path, prefixes: list[bytes]) -> list[bytes]:
        """Those of the prefixes whose best path this is."""
        routes = self.table.routes
        return [prefix for prefix in prefixes if prefix in routes and routes[prefix].best is path]

    def _send(self, member: Member, train: Train) -> None:
        source, outlet = member.source, member.outlet
        chunks, updates = train.whole, train.updates
        if source in train.sources:
            chunks = train.without(source)
            updates -= train.updates_of[source]
        if train.local or source in train.taken_back:
            own = self.loader.own(member, train)
            if own:
                chunks = [*chunks, own]
                updates += count_messages(own)
        if not chunks:
            return
        member.updates += updates
        outlet.write(chunks)
        if outlet.backlog_bytes > SEND_QUEUE_BYTES and member.missed is None:
            member.missed = {}
            self._behind[source] = member

    # Catching up.

    def _start_dumps(self) -> None:
        for member in self._behind.values():
            dump = member.dump
            if dump is not None and not dump.begun:
                if self._snapshot is None:
                    self._snapshot = list(self.table.routes)
                dump.prefixes = self._snapshot
                dump.begun = True
                if dump.marked:
                    # Here and not before the first piece, which may have to wait: prefixes that are
                    # new meanwhile are not in the dump, and told before the mark they'd be stale.
                    self._mark(member, RefreshSubtype.BEGIN)

    def _mark(self, member: Member, subtype: int) -> None:
        """Tell a member that a refresh begins or ends (RFC 7313 4)."""
        member.refresh_marks += 1
        member.outlet.write([encode_route_refresh(self.family.afi, self.family.safi, subtype)])

    def _send_dump(self, member: Member, dump: Dump, pieces: dict[tuple[int, int], Piece]) -> int:
        """Send the next piece of the table; members at the same place share its encoding."""
        key = id(dump.prefixes), dump.position
        piece = pieces.get(key)
        cost = 0
        if piece is None:
            stop = dump.position + CATCH_UP_PIECE_PREFIXES
            piece = pieces[key] = self._encode_current(dump.prefixes[dump.position : stop])
            cost = piece.cost
        self._send(member, piece.train)
        dump.position += piece.count
        if dump.position >= len(dump.prefixes):
            if dump.marked:
                self._mark(member, RefreshSubtype.END)
            else:
                self._send_end_of_rib(member)
            again = Dump(marked=member.marks_refreshes)
            member.dump = again if member.dump_again else None
            member.dump_again = False
        return cost + 1

    def _send_end_of_rib(self, member: Member) -> None:
        member.end_of_rib_due = member.deferred
        if not member.deferred:
            member.updates += 1
            member.outlet.write([write_end_of_rib(self.family)])

    def _send_missed(self, member: Member, missed: dict[bytes, bool]) -> int:
        """Send a piece of what a member missed; it is in step again when nothing is left."""
        kind = self._kind
        by_path: dict[Path, list[bytes]] = defaultdict(list)
        taken_back = []
        room = CATCH_UP_PIECE_BYTES
        cost = 0
        # The longest missed first: what changes all the time must not starve what changed once.
        for prefix, held in list(islice(missed.items(), CATCH_UP_PIECE_PREFIXES)):
            del missed[prefix]
            cost += 1
            best = self._current(prefix)
            if best is not None and best.audience & kind and member.can_have(best):
                if best not in by_path:
                    room -= best.wire_bytes
                by_path[best].append(prefix)
                if room <= 0:
                    cost = CATCH_UP_PIECE_PREFIXES
                    break
            elif held:
                taken_back.append(prefix)
        train = self.loader.train_of(by_path)
        if taken_back:
            train.taken_back[member.source] = taken_back
        if not missed:
            member.missed = None
        self._send(member, train)
        return cost + 1

    def _send_difference(
        self, member: Member, moving: Moving, pieces: dict[tuple[int, int], Piece]
    ) -> int:
        """Send the next piece of what a move makes different; members at the same place share it."""
        move = moving.move
        key = id(move), moving.position
        piece = pieces.get(key)
        cost = 0
        if piece is None:
            piece = pieces[key] = self._encode_move(move, moving.position)
            cost = piece.cost
        moving.position += piece.count
        if moving.position >= len(move.prefixes):
            member.moves = member.moves[1:]
        self._send(member, piece.train)
        return cost + 1

    def _encode_move(self, move: Move, position: int) -> Piece:
        """Encode what a move makes different from a position on."""
        differences: list[tuple[Mapping[bytes, Path], Mapping[bytes, Path]]] = []
        seen: set[Path] = set()
        room = CATCH_UP_PIECE_BYTES
        most = max(1, CATCH_UP_PIECE_PREFIXES // _COMPARING)
        count = 0
        for prefix in move.prefixes[position : position + most]:
            count += 1
            before = move.view.told_of(prefix, move.routes[prefix])
            after = self._told_now(prefix)
            if before == after:
                continue
            differences.append((before, after))
            for path in after.values():
                if path not in seen:
                    seen.add(path)
                    room -= path.wire_bytes
            if room <= 0:
                break
        train = self.loader.train_of_differences(differences)
        return Piece(train, count, count * _COMPARING if room > 0 else CATCH_UP_PIECE_PREFIXES)

    def _told_now(self, prefix: bytes) -> Mapping[bytes, Path]:
        """The paths of a prefix that are told by now, as routes on the wire."""
        path = self._current(prefix)
        return {} if path is None or not path.audience & self._kind else {prefix: path}

    def _current(self, prefix: bytes) -> Path | None:
        """What the table holds by now for what is noted in `Member.missed`."""
        candidates = self.table.routes.get(prefix)
        return None if candidates is None else candidates.best

    def _encode_current(self, prefixes: list[bytes]) -> Piece:
        """Encode what the table holds now for prefixes, or for the first of them if that is much."""
        routes = self.table.routes
        by_path: dict[Path, list[bytes]] = {}
        room = CATCH_UP_PIECE_BYTES
        for count, prefix in enumerate(prefixes, 1):
            candidates = routes.get(prefix)
            if candidates is None:
                continue
            best = candidates.best
            together = by_path.get(best)
            if together is not None:
                together.append(prefix)
                continue
            by_path[best] = [prefix]
            room -= best.wire_bytes
            if room <= 0:
                return Piece(self.loader.train_of(by_path), count, CATCH_UP_PIECE_PREFIXES)
        return Piece(self.loader.train_of(by_path), len(prefixes), len(prefixes))

    def _note_missed(self, source: Source, missed: dict[bytes, bool], changes: Changes) -> None:
        kind = self._kind
        for path, prefixes in changes.arrivals.items():
            if path.audience & kind and path.source is not source:
                for prefix in prefixes:
                    missed.setdefault(prefix, False)
        routes = self.table.routes
        for prefix, before in changes.former.items():
            held = before is not None and before.audience & kind != 0
            held = held and before is not None and before.source is not source
            if not missed.setdefault(prefix, held) and prefix not in routes:
                # It came and went unseen: else a peer that doesn't read would have a note of every
                # prefix that somebody invents.
                del missed[prefix]
