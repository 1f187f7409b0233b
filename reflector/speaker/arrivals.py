"""The way in: a peer's UPDATEs become routes in the tables, or don't for a reason that has a name."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from reflector.bgp.add_path import without_path_ids
from reflector.bgp.attributes import PathAttributes
from reflector.bgp.errors import Action, Finding
from reflector.bgp.limits import MAX_PATHS_PER_PREFIX, SPARE_PATHS_PER_PEER, SWEEP_PIECE_PREFIXES
from reflector.bgp.nlri import DEFAULT_ROUTE
from reflector.bgp.plain import read_plain
from reflector.bgp.rewrite import with_local_pref
from reflector.bgp.update import Announcement, Update, read_update
from reflector.bgp.vocabulary import IPV4_UNICAST, Family
from reflector.rib.long_lived import as_stale, is_marked
from reflector.rib.next_hop import every_form
from reflector.rib.path import Path
from reflector.rib.policy import Outcome
from reflector.rib.source import IPAddress, Place, Source
from reflector.rib.table import Table
from reflector.speaker.peer import Peer
from reflector.speaker.sweeps import Sweep


class Arrivals:
    """What becomes of the routes that peers announce: their Adj-RIBs-In.

    Args:
        tables: Where they go, by family.
        cluster_id: What we prepend to CLUSTER_LIST (RFC 4456 7), packed.
        on_finding: Told of everything wrong in a peer's UPDATEs that doesn't cost its session.
        peer_of: Whose a source's routes are, established or restarting; None if it is gone.
    """

    def __init__(
        self,
        tables: Mapping[Family, Table],
        cluster_id: bytes,
        on_finding: Callable[[Peer, Finding], None],
        peer_of: Callable[[Source], Peer | None],
    ) -> None:
        self._tables = tables
        self._cluster_id = cluster_id
        self._on_finding = on_finding
        self._peer_of = peer_of
        self._own_next_hops: set[bytes] = set()

    def own_addresses(self, addresses: Iterable[IPAddress]) -> None:
        """Addresses of our own, besides those that sessions come to: no next hops of others."""
        for address in addresses:
            self._own_next_hops |= every_form(address)

    def receive(self, peer: Peer, body: bytes) -> Family | None:
        """Take an UPDATE of a peer.

        Returns:
            The family whose End-of-RIB it is, if it is one.

        Raises:
            SessionError: Its session must be reset; what the UPDATE said is not used.
        """
        if (
            IPV4_UNICAST in peer.negotiated.families
            and peer.filter is None
            and not (peer.path_ids or peer.renewals.renewed or peer.refusals.standing)
        ):
            plain = read_plain(body, peer.blocks)
            if plain is not None:
                peer.counters.updates += 1
                self._announce(peer, plain, peer.source)
                return None
        return self._receive(peer, body)

    def _receive(self, peer: Peer, body: bytes) -> Family | None:
        """Take an UPDATE whatever it says."""
        counters, negotiated = peer.counters, peer.negotiated
        update = read_update(body, peer.blocks, negotiated.families, negotiated.add_path_receive)
        counters.updates += 1
        if peer.refusals.standing:
            _lift(peer, update)
        if update.refusals:
            counters.refused += update.refused
            for refusal in update.refusals:
                peer.refusals.note(*refusal)
        for finding in update.findings:
            self._on_finding(peer, finding)
        if peer.path_ids:
            self._find_places(peer, update)
        for family, prefixes in update.withdrawn:
            counters.withdrawn += self._tables[family].withdraw(peer.source, prefixes)
        for announcement in update.announced:
            self._take(peer, announcement, peer.source)
        if update.end_of_rib is not None:
            peer.end_of_rib.add(update.end_of_rib)
            self.drop_stale(peer, (update.end_of_rib,))
        return update.end_of_rib

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

    def held_by(self, peer: Peer) -> int:
        """How many routes a peer has announced and not withdrawn."""
        return sum(self._tables[each].count_held(peer.source) for each in peer.negotiated.families)

    def make_stale(
        self, source: Source, families: Collection[Family], told: Callable[[int, int], object]
    ) -> Sweep:
        """Have what is stale of a peer told and chosen as long-lived stale (RFC 9494 4.3).

        Args:
            source: The peer.
            families: Of these.
            told: Called in the end: how many routes are, and how many are gone, with NO_LLGR.
        """
        kept = gone = 0
        for family, place, prefixes in self._pieces(source, families):
            peer = self._peer_of(source)
            if peer is not None and family in peer.long_lived:
                stale, lost = self._make_stale(peer, family, place, prefixes)
                kept, gone = kept + stale, gone + lost
            yield len(prefixes)
        told(kept, gone)

    def judge_again(self, peer: Peer) -> Sweep:
        """Take what is held of a peer as if it came now."""
        self._make_room(peer)
        return self._judge_again(peer.source, peer.negotiated.families)

    def _judge_again(self, source: Source, families: Collection[Family]) -> Sweep:
        for family, place, prefixes in self._pieces(source, families):
            peer = self._peer_of(source)
            if peer is not None:
                self._judge(peer, family, place, prefixes)
            yield len(prefixes)

    def _pieces(
        self, source: Source, families: Collection[Family]
    ) -> Iterator[tuple[Family, Place, list[bytes]]]:
        """What is held of a peer, piece by piece; what comes meanwhile needn't be in it."""
        for family in families:
            for place in source.places:
                prefixes = list(self._tables[family].announced(place))
                for start in range(0, len(prefixes), SWEEP_PIECE_PREFIXES):
                    yield family, place, prefixes[start : start + SWEEP_PIECE_PREFIXES]

    def _make_stale(
        self, peer: Peer, family: Family, place: Place, prefixes: list[bytes]
    ) -> tuple[int, int]:
        kept = gone = 0
        table = self._tables[family]
        for path, held in table.by_path(place, prefixes).items():
            which = [prefix for prefix in held if peer.is_stale(path, prefix)]
            stale = as_stale(path, self._cluster_id)
            if stale is None:
                gone += self._withdraw(peer, family, place, which)
                continue
            kept += len(which)
            if stale is not path and which:
                table.announce(stale, which)
        return kept, gone

    def _judge(self, peer: Peer, family: Family, place: Place, prefixes: list[bytes]) -> None:
        announced = peer.counters.announced
        held: dict[tuple[PathAttributes, bytes, bool], list[bytes]] = defaultdict(list)
        for path, which in self._tables[family].by_path(place, prefixes).items():
            attributes = path.attributes.received or path.attributes
            held[attributes, path.next_hop, path.stale].extend(which)
        for (attributes, next_hop, stale), which in held.items():
            announcement = Announcement(family, attributes, next_hop, which, DEFAULT_ROUTE in which)
            for admitted in self._admitted(peer, announcement, place):
                self._announce(peer, admitted, place)
            # What it announced after one restart, and before the next, is not long-lived stale yet.
            if stale and family in peer.long_lived:
                self._make_stale(peer, family, place, which)
        peer.counters.announced = announced

    def _find_places(self, peer: Peer, update: Update) -> None:
        """Take the routes of an UPDATE that come with path identifiers, and leave the others."""
        for family, identified in update.withdrawn:
            path_ids = peer.path_ids.get(family)
            if path_ids is not None:
                for place, prefixes in path_ids.release(identified):
                    peer.counters.withdrawn += self._tables[family].withdraw(place, prefixes)
        update.withdrawn = [each for each in update.withdrawn if each[0] not in peer.path_ids]
        for announcement in update.announced:
            path_ids = peer.path_ids.get(announcement.family)
            if path_ids is not None:
                places, crowded = path_ids.claim(announcement.prefixes)
                for place, prefixes in places.items():
                    self._take(peer, replace(announcement, prefixes=prefixes), place)
                    away = self._tables[announcement.family].turned_away(place, prefixes)
                    path_ids.free(place, away)
                if crowded:
                    peer.counters.refused += len(crowded)
                    peer.refusals.note(announcement.family, crowded, _CROWDED.reason)
                    self._on_finding(peer, _CROWDED)
        update.announced = [each for each in update.announced if each.family not in peer.path_ids]

    def _take(self, peer: Peer, announcement: Announcement, place: Place) -> None:
        if peer.renewals.renewed:
            peer.renewals.renew(announcement.family, place, announcement.prefixes)
        if peer.filter is None and not announcement.default:
            self._announce(peer, announcement, place)
        else:
            for admitted in self._admitted(peer, announcement, place):
                self._announce(peer, admitted, place)

    def _announce(self, peer: Peer, announcement: Announcement, place: Place) -> None:
        family, next_hop = announcement.family, announcement.next_hop
        prefixes = announcement.prefixes
        table = self._tables[family]
        attributes = announcement.attributes
        key: object = attributes  # of itself it tells all, for nearly all
        if next_hop is not attributes.next_hop or place is not peer.source:
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
            if len(peer.paths) >= peer.paths_due:
                self._spare_paths(peer)
            peer.paths[key] = path
        peer.counters.announced += len(prefixes)
        table.announce(path, prefixes)
        if peer.restoring and family in peer.restoring:
            self._make_room(peer, (family,))
        source = peer.source
        held = table.count_held(source) if source.further else table.held[source].count
        if held > peer.watermarks[family]:
            finding, peer.watermarks[family] = peer.intake.maximum.exceeded(family, held)
            self._on_finding(peer, finding)

    def _spare_paths(self, peer: Peer) -> None:
        """Drop the memory of a peer's paths where most of it is of the past.

        Looked at again when it has grown by an eighth: at each new path it would cost as much as that.
        """
        known = len(peer.paths)
        if known >= 2 * self.held_by(peer):
            peer.paths.clear()
            known = 0
        peer.paths_due = max(SPARE_PATHS_PER_PEER, known + known // 8)

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
                reason = _BY_POLICY.format(outcome.rule)
                self._refuse(peer, family, place, which, reason, by_policy=True)
                continue
            asked = peer.intake.accept_default or outcome.names_default
            if announcement.default and not asked and DEFAULT_ROUTE in which:
                self._refuse_default(peer, family, place)
                which = [prefix for prefix in which if prefix != DEFAULT_ROUTE]  # noqa: PLW2901 - the rest of it
            if which:
                yield Announcement(family, outcome.attributes, next_hop, which)

    def _refuse(
        self,
        peer: Peer,
        family: Family,
        place: Place,
        prefixes: list[bytes],
        reason: str,
        *,
        by_policy: bool = False,
    ) -> None:
        """A peer announces routes that are not used, nor what it announced for them before."""
        peer.counters.refused += len(prefixes)
        peer.refusals.note(family, prefixes, reason, by_policy=by_policy)
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
        return self._tables[family].withdraw(place, prefixes)

    def _end_renewal(self, peer: Peer, family: Family) -> int:
        stale = list(peer.renewals.end(self._tables[family], peer.source))
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

    def _make_room(self, peer: Peer, families: Collection[Family] = ()) -> None:
        """Drop stale routes by which a peer has too many: it can't withdraw what it had before."""
        maximum = peer.intake.maximum
        for family in peer.restoring.intersection(families or peer.restoring):
            held = self._tables[family].count_held(peer.source)
            if held > maximum.limit and not maximum.warning_only:
                gone = self.drop_stale(peer, (family,))
                self._on_finding(peer, Finding(Action.WITHDRAW, _NO_ROOM.format(gone)))


def _lift(peer: Peer, update: Update) -> None:
    """Forget what was wrong with routes that are withdrawn or announced anew."""
    announced = [(each.family, each.prefixes) for each in update.announced]
    for family, prefixes in [*update.withdrawn, *announced]:
        plain = without_path_ids(prefixes) if family in peer.path_ids else prefixes
        peer.refusals.lift(family, plain)


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
