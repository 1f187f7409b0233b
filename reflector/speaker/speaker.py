"""The speaker: sessions' routes in, packets out. Where `bgp` and `rib` meet, still sans-IO.

Its owner tells it of peers that came and went and hands it the bodies of their UPDATEs; after each
turn of the loop in which something happened it calls `turn`, in which everything that changed is
sent, once.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from reflector.bgp.errors import Finding, SessionError
from reflector.bgp.judge import Judge
from reflector.bgp.limits import MAX_MISSED_PREFIXES
from reflector.bgp.open import Negotiated
from reflector.bgp.update import JudgedBlocks
from reflector.bgp.vocabulary import FAMILIES, Family
from reflector.rib.fate import Fate, Reason, fate
from reflector.rib.form import Form
from reflector.rib.intake import USUAL_INTAKE, Intake
from reflector.rib.member import Member, Outlet
from reflector.rib.next_hop import own_next_hop
from reflector.rib.originated import LocalRoute, Originated
from reflector.rib.path import Path
from reflector.rib.path_ids import PathIds
from reflector.rib.policy import Policy
from reflector.rib.quarantine import HeldBack, QuarantineTable
from reflector.rib.returning import Returning, returning
from reflector.rib.separation import Separation
from reflector.rib.source import IPAddress, Source
from reflector.rib.table import Table
from reflector.rib.update_group import UpdateGroup
from reflector.rib.update_groups import UpdateGroups
from reflector.speaker.arrivals import Arrivals
from reflector.speaker.departures import Departures
from reflector.speaker.identity import Identity
from reflector.speaker.peer import Kept, Peer
from reflector.speaker.quarantine import switch_quarantine
from reflector.speaker.sweeps import Sweeps


class Speaker:
    """A route reflector's routing.

    Args:
        identity: Who we are.
        on_finding: Told of everything wrong in a peer's UPDATEs that doesn't cost its session.
        quarantine: Whether of overlapping pod CIDRs only the first is used.

    Attributes:
        tables: The routes, by family.
        peers: Established ones, by their source.
        restarting: Those whose session fell and whose routes are kept for a while (RFC 4724 4.2).
        separation: Which clusters are kept apart.
        on_end_of_rib: Told of a peer whose dump of a family is complete.
        on_error: Told of a peer, established or restarting, that has too many prefixes by the rules by
            which its routes are to be taken now.
    """

    def __init__(
        self,
        identity: Identity,
        on_finding: Callable[[Peer, Finding], None],
        *,
        quarantine: bool = False,
    ) -> None:
        self.identity = identity
        kind = QuarantineTable if quarantine else Table
        self.tables: dict[Family, Table] = {family: kind(family) for family in FAMILIES.values()}
        self.peers: dict[Source, Peer] = {}
        self.restarting: dict[Returning, Kept] = {}
        self.on_end_of_rib: Callable[[Peer, Family], None] = lambda _peer, _family: None
        self.on_error: Callable[[Source, SessionError], None] = lambda _source, _error: None
        self._deferring = False
        self._releasing = False
        self._cluster_id = identity.cluster_id.packed
        self._blocks = {
            (internal, as4): JudgedBlocks(
                Judge(
                    identity.asn,
                    identity.router_id.packed,
                    self._cluster_id,
                    external=not internal,
                ),
                as4=as4,
            )
            for internal in (True, False)
            for as4 in (True, False)
        }
        self._groups = UpdateGroups(self.tables, self._cluster_id)
        self._originated = Originated(self.tables, identity.router_id, self._cluster_id)
        self.separation = Separation()
        self._arrivals = Arrivals(self.tables, self._cluster_id, on_finding, self._peer_of)
        self._sweeps = Sweeps(lambda *error: self.on_error(*error))  # noqa: PLW0108 - it is set later
        self._departures = Departures(self.tables, self._sweeps)

    # Peers.

    def peer_up(
        self,
        source: Source,
        negotiated: Negotiated,
        local_address: IPAddress,
        outlet: Outlet,
        *,
        beside: Iterable[IPAddress] = (),
        enforce_first_as: bool = True,
        intake: Intake = USUAL_INTAKE,
        export: Policy | None = None,
    ) -> Peer:
        """A session is established: its peer gets the whole table and every change from now on.

        Args:
            source: The peer.
            negotiated: What the session runs on.
            local_address: Our end of it, the next hop of our own routes.
            outlet: The connection.
            beside: Our other addresses on the interface of a session over IPv6.
            enforce_first_as: Whether an external peer's paths must begin with its AS.
            intake: What becomes of its routes on their way in.
            export: Which routes it is told of, None for all.
        """
        beside = tuple(beside)
        self.own_addresses((local_address, *beside))
        own_next_hops = {
            family: own_next_hop(family, local_address, beside) for family in negotiated.families
        }
        kept = self._welcome_back(source, negotiated.remote.asn)
        self._departures.finish(returning(source))
        if kept is not None:
            source = kept.source
        blocks = self._blocks[source.internal, negotiated.as4]
        peer = Peer(source, negotiated, local_address, outlet, own_next_hops, blocks, export=export)
        peer.path_ids = {family: PathIds(source) for family in negotiated.add_path_receive}
        peer.take_by(intake)
        if enforce_first_as and not source.internal:
            peer.first_as = negotiated.remote.asn
        self.peers[source] = peer
        for family in negotiated.families:
            group = self._group(peer, family)
            member = Member(source, outlet, own_next_hops[family], negotiated.enhanced_refresh)
            member.deferred = self._deferring and negotiated.graceful_restart is not None
            peer.members.append(member)
            group.join(member)
        if kept is not None:
            self._take_over(peer, kept)
        return peer

    def peer_down(self, peer: Peer, keep: Collection[Family] = ()) -> int:
        """A session is over: its peer's routes are gone, unless it is restarting gracefully.

        Args:
            peer: Which.
            keep: Families whose routes stay, as `restarting`, until the peer is back or forgotten.

        Returns:
            How many prefixes are gone.
        """
        if self.peers.pop(peer.source, None) is None:
            return 0
        for family in peer.negotiated.families:
            self._group(peer, family).leave(peer.source)
            self._groups.close(family, self._form_for(peer, family))
        # RFC 4724 4.2: what was stale already when it restarts once more is deleted; RFC 8538 4.1
        # and RFC 9494 4.2 have it stay, up to a bound, which is the owner's.
        agreed = peer.negotiated
        gone = 0 if agreed.graceful_notification or agreed.kept_long else self.drop_stale(peer)
        families = [each for each in keep if self.tables[each].count_announced(peer.source)]
        gone += self._departures.begin(peer.source, peer.negotiated.families.difference(families))
        if families:
            prefixes = sum(self.tables[each].count_announced(peer.source) for each in families)
            peer.lose_session()
            kept = Kept(peer, tuple(families), prefixes)
            self.restarting[returning(peer.source)] = kept
        return gone

    def forget(self, who: Returning, families: Collection[Family] | None = None) -> int:
        """A peer that was restarting is not back in time: its routes are gone.

        Args:
            who: Which.
            families: Of these; None for all.

        Returns:
            How many prefixes that were.
        """
        kept = self.restarting.pop(who, None)
        if kept is None:
            return 0
        over = kept.families if families is None else families
        left = [family for family in kept.families if family not in over]
        if left:
            self.restarting[who] = replace(kept, families=left)
        return self._departures.begin(kept.source, over)

    def keep_long(
        self, who: Returning, families: Collection[Family], told: Callable[[int, int], object]
    ) -> None:
        """A peer's restart time is over, and it asked for its routes to be kept on (RFC 9494 4.2).

        Args:
            who: Which; it is restarting.
            families: Of these.
            told: Called some turns later, when it is done: how many routes are long-lived stale, and how
                many are gone: those with NO_LLGR.
        """
        peer = self.restarting[who].peer
        peer.long_lived.update(families)
        sweep = self._arrivals.make_stale(peer.source, families, told)
        self._sweeps.begin((peer.source, frozenset(families)), sweep)

    def is_stale(self, path: Path, prefix: bytes) -> bool:
        """Whether a route was announced in an earlier session only."""
        peer = self._peer_of(path.source)
        return peer is not None and peer.is_stale(path, prefix)

    def path_id(self, path: Path, prefix: bytes) -> int | None:
        """The identifier with which a path was received (RFC 7911 3); None where it had none."""
        peer = self._peer_of(path.source)
        path_ids = None if peer is None else peer.path_ids.get(path.family)
        return None if path_ids is None else path_ids.path_id(path.place, prefix)

    # Our own restart (RFC 4724 4.1).

    def defer_end_of_rib(self) -> None:
        """Who keeps our routes over our restart isn't told from now on that our dump is complete.

        We don't know yet what to tell: others' routes come first.
        """
        self._deferring = True

    def release_end_of_rib(self) -> None:
        """Tell them, behind what the coming turn still has to send."""
        self._deferring = False
        self._releasing = True

    def _release_end_of_rib(self) -> None:
        self._releasing = False
        for peer in self.peers.values():
            for member, group in zip(peer.members, self._groups_of(peer), strict=True):
                group.release_end_of_rib(member)

    # What peers say.

    def receive_update(self, peer: Peer, body: bytes) -> None:
        """Take an UPDATE of a peer.

        Raises:
            SessionError: Its session must be reset; what the UPDATE said is not used.
        """
        ended = self._arrivals.receive(peer, body)
        if ended is not None:
            self.on_end_of_rib(peer, ended)

    def begin_refresh(self, peer: Peer, family: Family) -> bool:
        """A peer begins to announce its routes of a family again (RFC 7313 4).

        Returns:
            Whether its word counts.
        """
        return self._arrivals.begin_refresh(peer, family)

    def end_refresh(self, peer: Peer, family: Family) -> int:
        """A peer has announced its routes again, or had its time.

        Returns:
            How many routes it has not announced again: they are gone.
        """
        return self._arrivals.end_refresh(peer, family)

    def drop_stale(self, peer: Peer, families: Collection[Family] | None = None) -> int:
        """Withdraw what a peer announced before its restart and not since.

        Args:
            peer: Which.
            families: Of these; None for all.

        Returns:
            How many prefixes that were.
        """
        return self._arrivals.drop_stale(peer, families)

    def held_by(self, peer: Peer) -> int:
        """How many routes a peer has announced and not withdrawn."""
        return self._arrivals.held_by(peer)

    def receive_refresh(self, peer: Peer, afi: int, safi: int) -> bool:
        """A peer asks for our routes again (RFC 2918 4).

        Returns:
            Whether it was for a family of its session; others are ignored.
        """
        family = FAMILIES.get((afi, safi))
        if family is None or family not in peer.negotiated.families:
            return False
        self._group(peer, family).refresh(peer.source)
        return True

    def reconfigure(self, peer: Peer, intake: Intake, export: Policy | None) -> bool:
        """A peer's routes are to be taken, or it is to be told of ours, by other rules from now on.

        What it holds and what is held of it is brought to what they say. What they would let in and
        was refused before is not known any more: the peer has to be asked for it.

        Returns:
            Whether it has to.
        """
        if export != peer.export:
            forms = self._forms_of(peer)
            peer.export = export
            self._regroup(forms)
        if intake == peer.intake:
            return False
        peer.take_by(intake)
        self._judge_again(peer)
        return True

    def reconfigure_kept(self, who: Returning, intake: Intake) -> None:
        """The routes of a peer that is restarting are to be taken by other rules from now on."""
        peer = self.restarting[who].peer
        if intake != peer.intake:
            peer.take_by(intake)
            self._judge_again(peer)

    def separate(self, separation: Separation) -> None:
        """Keep these clusters apart from the others, and no others from now on."""
        forms = [each for peer in self.peers.values() for each in self._forms_of(peer)]
        self.separation = separation
        self._regroup(forms)

    def quarantine(self, *, on: bool) -> None:
        """Use of overlapping pod CIDRs only the first from now on, or all of them."""
        self._departures.finish()
        everybody = [*self.peers.values(), *(kept.peer for kept in self.restarting.values())]
        switch_quarantine(self.tables, everybody, on=on)

    def held_back(self) -> Iterator[tuple[Family, bytes, HeldBack]]:
        """Routes that are in quarantine: each prefix with what holds it back."""
        for family, table in self.tables.items():
            if isinstance(table, QuarantineTable):
                for (_, prefix), held in list(table.held_back.items()):
                    yield family, prefix, held

    def told(self, peer: Peer) -> Iterator[tuple[Family, bytes, Path]]:
        """What a peer is told of, its Adj-RIB-Out: each prefix with its path."""
        for group in self._groups_of(peer):
            for prefix, path in group.told(peer.source):
                yield group.family, prefix, path

    def fate(self, peer: Peer, family: Family, prefix: bytes) -> Fate:
        """Whether a peer is told of a route that there is, and if not, why."""
        if family not in peer.negotiated.families:
            return Fate(Reason.FAMILY)
        table, group = self.tables[family], self._group(peer, family)
        found = fate(table, group, group.members[peer.source], prefix)
        if found.reason is Reason.POLICY:
            paths = table.routes[prefix].paths
            clusters = [self.separation.parts(peer.source, path.source) for path in paths]
            if all(clusters):
                return Fate(Reason.DISCONNECTED, clusters[0])
        return found

    def count_told(self) -> dict[Source, dict[Family, int]]:
        """How many prefixes of each family every peer is told of."""
        return self._groups.count_told()

    # Ourselves.

    def own_addresses(self, addresses: Iterable[IPAddress]) -> None:
        """Addresses of our own, besides those that sessions come to: no next hops of others."""
        self._arrivals.own_addresses(addresses)

    @property
    def originated(self) -> int:
        """How many routes are our own."""
        return len(self._originated)

    def originate(self, routes: Iterable[LocalRoute]) -> None:
        """Announce these routes of our own, and no others from now on."""
        self._originated.replace(routes)

    # The turn.

    @property
    def busy(self) -> bool:
        """Whether something changed since the last turn."""
        return bool(self._sweeps) or any(table.changed for table in self.tables.values())

    def turn(self) -> bool:
        """Send every peer what has changed, and those that are behind their next piece.

        Returns:
            Whether another turn could go on at once with those that are behind.
        """
        more = self._sweeps.turn()
        self._groups.send_changes()
        if self._releasing:
            self._release_end_of_rib()
        return self._groups.catch_up() or more

    def too_far_behind(self) -> list[Peer]:
        """Those who don't read fast enough, if more is noted for them than may be, else nobody.

        The session of one of them is to end: what it is to be told is then noted no more. Which one
        is for the owner to say, who knows when each has last taken anything. The number of notes
        tells nothing: a slow reader has more of them than one that reads nothing and floods, for
        what a peer announces itself is not noted for it.
        """
        noted = self._groups.missed()
        if sum(noted.values()) <= MAX_MISSED_PREFIXES:
            return []
        return [self.peers[source] for source in noted if source in self.peers]

    # Inner workings.

    def _judge_again(self, peer: Peer) -> None:
        """Have what is held of a peer taken by the rules that it has now."""
        self._sweeps.begin((peer.source, None), self._arrivals.judge_again(peer))

    def _peer_of(self, source: Source) -> Peer | None:
        """Whose a source's paths are, established or restarting."""
        peer = self.peers.get(source)
        if peer is None:
            kept = self.restarting.get(returning(source))
            if kept is not None and kept.source is source:
                return kept.peer
        return peer

    def _welcome_back(self, source: Source, asn: int) -> Kept | None:
        """What is kept of a peer that was restarting, unless it is back as another kind of peer."""
        kept = self.restarting.get(returning(source))
        if kept is None:
            return None
        if kept.source.kind == source.kind and kept.asn == asn:
            return self.restarting.pop(returning(source))
        self.forget(returning(source))
        return None

    def _take_over(self, peer: Peer, kept: Kept) -> None:
        """Go on with what was kept, as far as the peer says that it went on forwarding."""
        as_before = _taken_by(kept.peer) == _taken_by(peer)
        if as_before:
            peer.paths = kept.peer.paths
        agreed, long_lived = peer.negotiated, kept.peer.long_lived
        for family in kept.families:
            long = family in long_lived
            if agreed.forwarding_long(family) if long else family in agreed.forwarding:
                if family in peer.path_ids and family in kept.peer.path_ids:
                    peer.path_ids[family] = kept.peer.path_ids[family]
                peer.restoring.add(family)
                peer.renewals.begin(family)
            else:
                # RFC 4724 4.2: a family that is not listed, or without the F bit, goes at once; and
                # so RFC 9494 4.2 has it of the F bit of its own capability.
                self.tables[family].drop(peer.source)
        peer.long_lived = long_lived & peer.restoring
        if not as_before:  # a reload meanwhile
            self._judge_again(peer)

    def _forms_of(self, peer: Peer) -> list[tuple[Peer, Member, Family, Form]]:
        return [
            (peer, member, family, self._form_for(peer, family))
            for member, family in zip(peer.members, peer.negotiated.families, strict=True)
        ]

    def _regroup(self, forms: Iterable[tuple[Peer, Member, Family, Form]]) -> None:
        """Have peers told by what their policies are now, who had other forms before."""
        self._groups.move(
            (member, family, before, self._form_for(peer, family))
            for peer, member, family, before in forms
        )

    def _groups_of(self, peer: Peer) -> list[UpdateGroup]:
        return [self._group(peer, family) for family in peer.negotiated.families]

    def _group(self, peer: Peer, family: Family) -> UpdateGroup:
        return self._groups[family, self._form_for(peer, family)]

    def _form_for(self, peer: Peer, family: Family) -> Form:
        """In which form a peer is told of paths."""
        source = peer.source
        local_as = 0 if source.internal else self.identity.asn
        export = self.separation.export(source, peer.export)
        agreed = peer.negotiated
        return Form(
            source.kind,
            agreed.as4,
            local_as,
            export,
            agreed.most_bytes,
            add_path=family in agreed.add_path_send,
            long_lived=agreed.long_lived is not None,
        )


def _taken_by(peer: Peer) -> tuple[object, ...]:
    """What of a peer's settings shapes its paths."""
    return peer.intake, peer.first_as, peer.negotiated.offers_long_lived
