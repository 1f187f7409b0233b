"""The speaker: sessions' routes in, packets out. Where `bgp` and `rib` meet, still sans-IO.

Its owner tells it of peers that came and went and hands it the bodies of their UPDATEs; after each
turn of the loop in which something happened it calls `turn`, in which everything that changed is
sent, once.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from typing import Final

from reflector.bgp.attributes import Judge, PathAttributes
from reflector.bgp.errors import Action, Finding
from reflector.bgp.limits import MAX_MISSED_PREFIXES, MAX_PATHS_PER_PREFIX, SPARE_PATHS_PER_PEER
from reflector.bgp.nlri import DEFAULT_ROUTE
from reflector.bgp.open import Negotiated
from reflector.bgp.rewrite import with_local_pref
from reflector.bgp.update import Announcement, JudgedBlocks, Update, read_update
from reflector.bgp.vocabulary import FAMILIES, Family
from reflector.rib.audience import Form
from reflector.rib.fate import Fate, Reason, fate
from reflector.rib.import_filter import ImportFilter
from reflector.rib.intake import USUAL_INTAKE, Intake
from reflector.rib.long_lived import as_stale, is_marked
from reflector.rib.next_hop import every_form, own_next_hop
from reflector.rib.originated import LocalRoute, Originated
from reflector.rib.path import IPAddress, Path, Place, Source
from reflector.rib.path_ids import PathIds
from reflector.rib.policy import Outcome, Policy
from reflector.rib.quarantine import HeldBack, QuarantineTable
from reflector.rib.refusals import Refusals
from reflector.rib.returning import Returning, returning
from reflector.rib.separation import Separation
from reflector.rib.stale import Renewals
from reflector.rib.table import Table
from reflector.rib.update_group import Member, Outlet, UpdateGroup
from reflector.rib.update_groups import UpdateGroups


@dataclass(frozen=True, slots=True)
class Identity:
    """Who we are.

    Args:
        asn: Our AS number.
        router_id: Our BGP identifier.
        cluster_id: What we prepend to CLUSTER_LIST (RFC 4456 7).
    """

    asn: int
    router_id: IPv4Address
    cluster_id: IPv4Address


@dataclass(slots=True)
class Counters:
    """What a peer sent and what became of it, as plain integers that are read on demand."""

    updates: int = 0
    announced: int = 0
    withdrawn: int = 0
    refused: int = 0


@dataclass(slots=True, eq=False)
class Peer:
    """A peer whose session is established.

    Attributes:
        source: It, as a source of paths.
        negotiated: What its session runs on.
        local_address: Our end of the session.
        outlet: Its connection.
        own_next_hops: Our address towards it as each family carries it; empty where we have none.
        blocks: What is known of attributes that its kind of peer sends.
        first_as: Which AS its paths must begin with; 0 for any.
        intake: What becomes of its routes on their way in.
        filter: Its import policy at work, if it has one.
        export: Which routes it is told of, None for all.
        counters: What it sent.
        paths: Its interned paths by attributes and next hop, a memory that may be dropped.
        end_of_rib: Families for which it has said that its first dump is complete.
        members: It, as a member of an update group for each family.
        renewals: What it has announced again since it began a refresh.
        watermarks: How many prefixes of a family it may have before something is to be done.
        default_refused: Whether it was said that its default route is not used.
        refusals: Which of its routes were refused last.
        path_ids: The families of which it may announce several paths of a prefix (RFC 7911).
        restoring: Families of which it has not announced all again since its restart (RFC 4724 4.2).
        long_lived: Those whose stale routes are kept beyond its restart time (RFC 9494 4.2).
    """

    source: Source
    negotiated: Negotiated
    local_address: IPAddress
    outlet: Outlet
    own_next_hops: dict[Family, bytes]
    blocks: JudgedBlocks
    first_as: int = 0
    intake: Intake = USUAL_INTAKE
    filter: ImportFilter | None = None
    export: Policy | None = None
    counters: Counters = field(default_factory=Counters)
    paths: dict[tuple[object, ...], Path] = field(default_factory=dict)
    end_of_rib: set[Family] = field(default_factory=set)
    members: list[Member] = field(default_factory=list)
    renewals: Renewals = field(default_factory=Renewals)
    watermarks: dict[Family, int] = field(default_factory=dict)
    default_refused: bool = False
    refusals: Refusals = field(default_factory=Refusals)
    path_ids: dict[Family, PathIds] = field(default_factory=dict)
    restoring: set[Family] = field(default_factory=set)
    long_lived: set[Family] = field(default_factory=set)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A peer whose session fell and whose routes are kept (RFC 4724 4.2).

    Args:
        peer: It. Its source is the same when it is back, or its routes would be another's. What it
            announces again unchanged is then the same interned path, and nobody is told.
        families: Of its routes that are kept.
        prefixes: How many those were when it fell.
    """

    peer: Peer
    families: Collection[Family]
    prefixes: int

    @property
    def source(self) -> Source:
        """It, as a source of paths."""
        return self.peer.source

    @property
    def asn(self) -> int:
        """The AS that it is in."""
        return self.peer.negotiated.remote.asn


class _Nowhere:
    """Where messages of a peer without a session would go."""

    backlog_bytes = 0

    def write(self, chunks: list[bytes]) -> None:
        """Nobody is there."""


_NOWHERE: Final = _Nowhere()


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
        self._on_finding = on_finding
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
        self._own_next_hops: set[bytes] = set()

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
        if kept is not None:
            source = kept.source
        blocks = self._blocks[source.internal, negotiated.as4]
        peer = Peer(source, negotiated, local_address, outlet, own_next_hops, blocks, export=export)
        peer.path_ids = {family: PathIds(source) for family in negotiated.add_path_receive}
        _set_intake(peer, intake)
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
        families = [each for each in keep if self.tables[each].count_held(peer.source)]
        for family in peer.negotiated.families.difference(families):
            gone += self.tables[family].drop(peer.source)
        if families:
            prefixes = sum(self.tables[each].count_held(peer.source) for each in families)
            peer.outlet, peer.members = _NOWHERE, []
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
        return sum(self.tables[family].drop(kept.source) for family in over)

    def keep_long(self, who: Returning, families: Collection[Family]) -> tuple[int, int]:
        """A peer's restart time is over, and it asked for its routes to be kept on (RFC 9494 4.2).

        Args:
            who: Which; it is restarting.
            families: Of these.

        Returns:
            How many routes are long-lived stale now, and how many are gone: those with NO_LLGR.
        """
        peer = self.restarting[who].peer
        peer.long_lived.update(families)
        return self._make_stale(peer, families)

    def drop_stale(self, peer: Peer, families: Collection[Family] | None = None) -> int:
        """Withdraw what a peer announced before its restart and not since.

        Args:
            peer: Which.
            families: Of these; None for all.

        Returns:
            How many prefixes that were.
        """
        gone = 0
        for family in peer.restoring.intersection(peer.restoring if families is None else families):
            peer.restoring.discard(family)
            peer.long_lived.discard(family)
            gone += self._end_renewal(peer, family)
        peer.counters.withdrawn += gone
        return gone

    def is_stale(self, path: Path, prefix: bytes) -> bool:
        """Whether a route was announced in an earlier session only."""
        peer, family = self.peers.get(path.source), path.family
        if peer is not None:
            return family in peer.restoring and peer.renewals.is_stale(family, path.place, prefix)
        kept = self.restarting.get(returning(path.source))
        return kept is not None and kept.source is path.source

    def path_id(self, path: Path, prefix: bytes) -> int | None:
        """The identifier with which a path was received (RFC 7911 3); None where it had none."""
        peer = self.peers.get(path.source)
        if peer is None:
            kept = self.restarting.get(returning(path.source))
            peer = None if kept is None else kept.peer
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

    def receive_update(self, peer: Peer, body: bytes) -> None:
        """Take an UPDATE of a peer.

        Raises:
            SessionError: Its session must be reset; what the UPDATE said is not used.
        """
        counters = peer.counters
        negotiated = peer.negotiated
        update = read_update(body, peer.blocks, negotiated.families, negotiated.add_path_receive)
        counters.updates += 1
        if update.refusals:
            counters.refused += update.refused
            for refusal in update.refusals:
                peer.refusals.note(*refusal)
        for finding in update.findings:
            self._on_finding(peer, finding)
        if peer.path_ids:
            self._find_places(peer, update)
        for family, prefixes in update.withdrawn:
            counters.withdrawn += self.tables[family].withdraw(peer.source, prefixes)
        for announcement in update.announced:
            # As `_take`, which is a call more for each of all UPDATEs.
            if peer.renewals or peer.filter is not None or announcement.default:
                self._take(peer, announcement, peer.source)
            else:
                self._announce(peer, announcement, peer.source)
        if update.end_of_rib is not None:
            peer.end_of_rib.add(update.end_of_rib)
            self.drop_stale(peer, (update.end_of_rib,))
            self.on_end_of_rib(peer, update.end_of_rib)

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

        Raises:
            SessionError: It has too many prefixes by them.
        """
        if export != peer.export:
            forms = self._forms_of(peer)
            peer.export = export
            self._regroup(forms)
        if intake == peer.intake:
            return False
        _set_intake(peer, intake)
        self._judge_again(peer)
        return True

    def reconfigure_kept(self, who: Returning, intake: Intake) -> None:
        """The routes of a peer that is restarting are to be taken by other rules from now on.

        Raises:
            SessionError: It has too many prefixes by them.
        """
        peer = self.restarting[who].peer
        if intake != peer.intake:
            _set_intake(peer, intake)
            self._judge_again(peer)

    def separate(self, separation: Separation) -> None:
        """Keep these clusters apart from the others, and no others from now on."""
        forms = [each for peer in self.peers.values() for each in self._forms_of(peer)]
        self.separation = separation
        self._regroup(forms)

    def begin_refresh(self, peer: Peer, family: Family) -> bool:
        """A peer begins to announce its routes of a family again (RFC 7313 4): all are stale.

        Returns:
            Whether its word counts: without the capability it is ignored, and so it is before the
            End-of-RIB of a peer that has the Graceful Restart capability.
        """
        if not peer.negotiated.enhanced_refresh:
            return False
        graceful = peer.negotiated.remote.capabilities.graceful_restart is not None
        if graceful and family not in peer.end_of_rib:
            self._on_finding(peer, _EARLY_REFRESH)
            return False
        peer.renewals.begin(family)
        return True

    def end_refresh(self, peer: Peer, family: Family) -> int:
        """A peer has announced its routes again, or had its time: what is still stale is withdrawn.

        Returns:
            How many routes that were; 0 also where the peer had not begun, which is ignored.
        """
        if family in peer.restoring:
            return 0  # what it has begun is no refresh: its End-of-RIB ends that (RFC 4724 4.2)
        stale = self._end_renewal(peer, family)
        if stale:
            peer.counters.withdrawn += stale
            self._on_finding(peer, Finding(Action.WITHDRAW, _STALE.format(stale)))
        return stale

    def held_by(self, peer: Peer) -> int:
        """How many routes a peer has announced and not withdrawn."""
        return sum(self.tables[each].count_held(peer.source) for each in peer.negotiated.families)

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
            source = table.routes[prefix].best.source
            cluster = self.separation.parts(peer.source, source)
            if cluster:
                return Fate(Reason.DISCONNECTED, cluster)
        return found

    def count_told(self) -> dict[Source, dict[Family, int]]:
        """How many prefixes of each family every peer is told of."""
        return self._groups.count_told()

    # Ourselves.

    def own_addresses(self, addresses: Iterable[IPAddress]) -> None:
        """Addresses of our own, besides those that sessions come to: no next hops of others."""
        for address in addresses:
            self._own_next_hops |= every_form(address)

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
        return any(table.changed for table in self.tables.values())

    def turn(self) -> bool:
        """Send every peer what has changed, and those that are behind their next piece.

        Returns:
            Whether another turn could go on at once with those that are behind.
        """
        self._groups.send_changes()
        if self._releasing:
            self._release_end_of_rib()
        return self._groups.catch_up()

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

    def _make_stale(self, peer: Peer, families: Collection[Family]) -> tuple[int, int]:
        """Have what is stale of a peer told and chosen as long-lived stale."""
        kept = gone = 0
        for family in families:
            table = self.tables[family]
            for path, prefixes in table.held_by_path(peer.source).items():
                which = [prefix for prefix in prefixes if self.is_stale(path, prefix)]
                stale = as_stale(path, self._cluster_id)
                if stale is None:
                    gone += self._withdraw(peer, family, path.place, which)
                    continue
                kept += len(which)
                if stale is not path and which:
                    table.announce(stale, which)
        return kept, gone

    def _judge_again(self, peer: Peer) -> None:
        """Take what is held of a peer as if it came now."""
        self._make_room(peer)
        source, announced = peer.source, peer.counters.announced
        for family in peer.negotiated.families:
            table = self.tables[family]
            held: dict[tuple[PathAttributes, bytes, Place], list[bytes]] = defaultdict(list)
            for path, prefixes in table.held_by_path(source).items():
                attributes = path.attributes.received or path.attributes
                held[attributes, path.next_hop, path.place].extend(prefixes)
            for (attributes, next_hop, place), prefixes in held.items():
                announcement = Announcement(
                    family, attributes, next_hop, prefixes, DEFAULT_ROUTE in prefixes
                )
                for admitted in self._admitted(peer, announcement, place):
                    self._announce(peer, admitted, place)
        peer.counters.announced = announced
        self._make_stale(peer, peer.long_lived)

    def _find_places(self, peer: Peer, update: Update) -> None:
        """Take the routes of an UPDATE that come with path identifiers, and leave the others."""
        for family, identified in update.withdrawn:
            path_ids = peer.path_ids.get(family)
            if path_ids is not None:
                for place, prefixes in path_ids.release(identified):
                    peer.counters.withdrawn += self.tables[family].withdraw(place, prefixes)
        update.withdrawn = [each for each in update.withdrawn if each[0] not in peer.path_ids]
        for announcement in update.announced:
            path_ids = peer.path_ids.get(announcement.family)
            if path_ids is not None:
                places, crowded = path_ids.claim(announcement.prefixes)
                for place, prefixes in places.items():
                    self._take(peer, replace(announcement, prefixes=prefixes), place)
                if crowded:
                    peer.counters.refused += len(crowded)
                    peer.refusals.note(announcement.family, crowded, _CROWDED.reason)
                    self._on_finding(peer, _CROWDED)
        update.announced = [each for each in update.announced if each.family not in peer.path_ids]

    def _take(self, peer: Peer, announcement: Announcement, place: Place) -> None:
        if peer.renewals:
            peer.renewals.renew(announcement.family, place, announcement.prefixes)
        if peer.filter is None and not announcement.default:
            self._announce(peer, announcement, place)
        else:
            for admitted in self._admitted(peer, announcement, place):
                self._announce(peer, admitted, place)

    def _announce(self, peer: Peer, announcement: Announcement, place: Place) -> None:
        family, next_hop = announcement.family, announcement.next_hop
        prefixes = announcement.prefixes
        table = self.tables[family]
        attributes = announcement.attributes
        key = family, attributes, next_hop, place
        path = peer.paths.get(key)
        if path is None:
            fault = self._fault(peer, announcement)
            if fault is not None:
                self._on_finding(peer, fault)
                self._refuse(peer, family, place, prefixes, fault.reason)
                return
            if attributes.graceful_shutdown and peer.intake.graceful_shutdown:
                attributes = with_local_pref(attributes, 0)
            # RFC 9494 4.3: who has said that it heeds the community does so.
            stale = peer.negotiated.offers_long_lived and is_marked(attributes)
            path = Path(
                peer.source, family, attributes, next_hop, self._cluster_id, place, stale=stale
            )
            if path.outgrown:
                self._on_finding(peer, _OUTGROWN)
            known = len(peer.paths)
            if known >= SPARE_PATHS_PER_PEER and known >= 2 * self.held_by(peer):
                peer.paths.clear()
            peer.paths[key] = path
        peer.counters.announced += len(prefixes)
        table.announce(path, prefixes)
        if family in peer.restoring:
            self._make_room(peer, (family,))
        source = peer.source
        held = table.count_held(source) if source.further else len(table.held[source])
        if held > peer.watermarks[family]:
            finding, peer.watermarks[family] = peer.intake.maximum.exceeded(family, held)
            self._on_finding(peer, finding)

    def _admitted(
        self, peer: Peer, announcement: Announcement, place: Place
    ) -> Iterator[Announcement]:
        """What of an announcement may be used: its policy, and the rule on default routes."""
        family, attributes = announcement.family, announcement.attributes
        prefixes, next_hop = announcement.prefixes, announcement.next_hop
        if peer.filter is None:
            outcomes = {Outcome(attributes, "", names_default=False): prefixes}
        else:
            outcomes = peer.filter.sort(family, attributes, prefixes)
        for outcome, which in outcomes.items():
            if outcome.attributes is None:
                self._refuse(peer, family, place, which, _BY_POLICY.format(outcome.rule))
                continue
            asked = peer.intake.accept_default or outcome.names_default
            if announcement.default and not asked and DEFAULT_ROUTE in which:
                self._refuse_default(peer, family, place)
                which = [prefix for prefix in which if prefix != DEFAULT_ROUTE]  # noqa: PLW2901 - the rest of it
            if which:
                yield Announcement(family, outcome.attributes, next_hop, which)

    def _refuse(
        self, peer: Peer, family: Family, place: Place, prefixes: list[bytes], reason: str
    ) -> None:
        """A peer announces routes that are not used, nor what it announced for them before."""
        peer.counters.refused += len(prefixes)
        peer.refusals.note(family, prefixes, reason)
        peer.counters.withdrawn += self._withdraw(peer, family, place, prefixes)

    def _withdraw(
        self, peer: Peer, family: Family, place: Place, prefixes: Collection[bytes]
    ) -> int:
        """Have a peer's routes gone without its having withdrawn them.

        Returns:
            How many there were.
        """
        if family in peer.path_ids:
            peer.path_ids[family].free(place, prefixes)
        return self.tables[family].withdraw(place, prefixes)

    def _end_renewal(self, peer: Peer, family: Family) -> int:
        stale = list(peer.renewals.end(self.tables[family], peer.source))
        return sum(self._withdraw(peer, family, place, prefixes) for place, prefixes in stale)

    def _refuse_default(self, peer: Peer, family: Family, place: Place) -> None:
        self._refuse(peer, family, place, [DEFAULT_ROUTE], _DEFAULT_REFUSED.reason)
        if not peer.default_refused:
            peer.default_refused = True
            self._on_finding(peer, _DEFAULT_REFUSED)

    def _fault(self, peer: Peer, announcement: Announcement) -> Finding | None:
        """What is wrong with attributes from this peer, though another might send them."""
        # RFC 4271 6.3: the next hop must not be the receiver's own address. Of an IPv6 pair the
        # global one counts (RFC 2545 3).
        if announcement.next_hop[:16] in self._own_next_hops:
            return _OWN_NEXT_HOP
        if peer.first_as and announcement.attributes.neighbor_as != peer.first_as:
            return Finding(
                Action.WITHDRAW,
                f"AS_PATH doesn't begin with the peer's AS {peer.first_as} (RFC 4271 6.3): "
                "if it is a route server set enforce-first-as to false",
            )
        return None

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
        as_before = (kept.peer.intake, kept.peer.first_as) == (peer.intake, peer.first_as)
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

    def _make_room(self, peer: Peer, families: Collection[Family] = ()) -> None:
        """Drop stale routes by which a peer has too many: it can't withdraw what it had before."""
        maximum = peer.intake.maximum
        for family in peer.restoring.intersection(families or peer.restoring):
            held = self.tables[family].count_held(peer.source)
            if held > maximum.limit and not maximum.warning_only:
                gone = self.drop_stale(peer, (family,))
                self._on_finding(peer, Finding(Action.WITHDRAW, _NO_ROOM.format(gone)))

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


_OUTGROWN: Final = Finding(
    Action.DISCARD,
    "with what a reflector adds its attributes outgrow a message of 4096 octets: told to nobody, or "
    "only to peers with extended messages (RFC 8654)",
)
_BY_POLICY: Final = "its import policy rejects it ({})"
_EARLY_REFRESH: Final = Finding(
    Action.DISCARD, "a BoRR before the End-of-RIB of a graceful peer is ignored (RFC 7313 4)"
)
_STALE: Final = "{} routes were not announced again in a route refresh and are gone (RFC 7313 4)"
_NO_ROOM: Final = "with {} routes from before its restart it has more than maximum-prefix lets it have: they are gone"
_CROWDED: Final = Finding(
    Action.WITHDRAW,
    f"it has {MAX_PATHS_PER_PREFIX} paths of the prefix already, and more are not taken",
)
_OWN_NEXT_HOP: Final = Finding(
    Action.WITHDRAW, "the next hop is the reflector's own address (RFC 4271 6.3)"
)
_DEFAULT_REFUSED: Final = Finding(
    Action.WITHDRAW,
    "a default route would lead everybody's traffic to this peer: if it should, set accept-default "
    "to true for it",
)


def _set_intake(peer: Peer, intake: Intake) -> None:
    """Have a peer's routes taken so from now on."""
    peer.intake = intake
    peer.filter = None if intake.policy is None else ImportFilter(intake.policy, peer.source)
    peer.watermarks = dict.fromkeys(peer.negotiated.families, intake.maximum.watermark)
    peer.default_refused = False
    peer.paths.clear()
