"""A naive model of a route reflector: everything is computed anew, as the RFCs say it, slowly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, ip_address, ip_network
from itertools import combinations

from tests.support import wire
from tests.support.strict_reader import Address, Network, Route

_BIG = 1 << 16

Key = tuple[Address, IPv4Address]


@dataclass(frozen=True)
class Variant:
    """Attributes of a path, as a test varies them."""

    local_pref: int = 100
    as_path: tuple[int, ...] = ()
    as_set: tuple[int, ...] = ()
    origin: int = 0
    med: int | None = None
    originator: str = ""
    clusters: tuple[str, ...] = ()
    no_advertise: bool = False
    no_export: bool = False
    malformed: bool = False

    @property
    def length(self) -> int:
        """RFC 4271 9.1.2.2 a."""
        return len(self.as_path) + bool(self.as_set)

    @property
    def neighbor_as(self) -> int:
        """RFC 4271 9.1.2.2 c; 0 if the path begins with a set or is empty."""
        return self.as_path[0] if self.as_path else 0

    def block(self, next_hop: str, *, as4: bool) -> bytes:
        """Return the attributes; without NEXT_HOP if there is none."""
        width = 4 if as4 else 2
        shown = [n if as4 or n < _BIG else 23456 for n in self.as_path]
        segments = [wire.sequence(*shown, width=width)] if shown else []
        whole = [wire.sequence(*self.as_path)] if shown else []
        if self.as_set:
            segments.append(wire.as_set(*self.as_set, width=width))
            whole.append(wire.as_set(*self.as_set))
        parts = [wire.origin(7 if self.malformed else self.origin), wire.as_path(*segments)]
        if next_hop:
            parts.append(wire.next_hop(next_hop))
        if self.med is not None:
            parts.append(wire.med(self.med))
        parts.append(wire.local_pref(self.local_pref))
        restrictions = [0xFFFFFF02] * self.no_advertise + [0xFFFFFF01] * self.no_export
        if restrictions:
            parts.append(wire.communities(*restrictions))
        if self.originator:
            parts.append(wire.originator_id(self.originator))
        if self.clusters:
            parts.append(wire.cluster_list(*self.clusters))
        if not as4 and shown != list(self.as_path):
            parts.append(wire.attribute(0xC0, 17, b"".join(whole)))
        return b"".join(parts)


@dataclass(frozen=True)
class Member:
    """A peer, or the reflector itself.

    Attributes:
        external: Whether it is in another AS.
        served: Whether it is a client of a route server.
        accepts_default: Whether a default route of it is used.
        long_lived: Whether it may be told of long-lived stale routes.
    """

    address: Address
    router_id: IPv4Address
    client: bool = True
    families: tuple[int, ...] = (4, 6)
    local: bool = False
    external: bool = False
    served: bool = False
    accepts_default: bool = True
    long_lived: bool = False

    @property
    def key(self) -> Key:
        """By what it is known when it is back."""
        return self.address, self.router_id


@dataclass(frozen=True)
class Offer:
    """A path: who has it and with which attributes and next hop."""

    member: Member
    variant: Variant
    next_hop: str
    stale: bool = False

    @property
    def local_pref(self) -> int:
        """RFC 4271 5.1.5: that of an external peer is ignored."""
        return 100 if self.member.external else self.variant.local_pref

    @property
    def originator(self) -> IPv4Address:
        """RFC 4456 9: stands for the BGP identifier; RFC 7606 7.9: not an external peer's."""
        said = "" if self.member.external else self.variant.originator
        return IPv4Address(said or self.member.router_id)

    @property
    def clusters(self) -> tuple[str, ...]:
        """RFC 7606 7.10: an external peer has none."""
        return () if self.member.external else self.variant.clusters

    def rivals(self, other: Offer) -> bool:
        """Whether it and another lead to different nodes."""
        if self.member.local or other.member.local or self.member == other.member:
            return False
        return self.next_hop != other.next_hop and self.originator != other.originator

    def may_be_told(self, member: Member) -> bool:
        """Whether a peer may be told of it."""
        source, variant = self.member, self.variant
        if source == member:
            return False
        if self.stale and not member.long_lived:
            return False  # RFC 9494 4.3
        if source.served and member.served:
            return True  # RFC 7947 2.2.4: communities are not for the route server
        if variant.no_advertise or (variant.no_export and member.external):
            return False  # RFC 1997
        outside = source.local or source.external or member.external
        return outside or source.client or member.client  # RFC 4456 6


def choose(offers: list[Offer]) -> Offer:
    """Choose the best path by elimination, step by step (RFC 4271 9.1.2.2, RFC 4456 9)."""
    left = list(offers)

    def keep_least(key: object) -> None:
        nonlocal left
        assert callable(key)
        least = min(key(offer) for offer in left)
        left = [offer for offer in left if key(offer) == least]

    keep_least(lambda o: not o.member.local)
    keep_least(lambda o: o.stale)  # RFC 9494 4.4
    keep_least(lambda o: -o.local_pref)
    keep_least(lambda o: o.variant.length)
    keep_least(lambda o: o.variant.origin)
    left = [
        o
        for o in left
        if not any(
            (p.variant.med or 0) < (o.variant.med or 0)
            for p in left
            if p.variant.neighbor_as == o.variant.neighbor_as
        )
    ]
    keep_least(lambda o: not o.member.external)
    keep_least(lambda o: o.originator)
    keep_least(lambda o: len(o.clusters))
    keep_least(lambda o: o.member.address.version)
    keep_least(lambda o: o.member.address)
    keep_least(lambda o: o.member.router_id)
    keep_least(lambda o: ip_address(o.next_hop).packed if o.next_hop else b"")
    (best,) = left
    return best


@dataclass
class Model:
    """All that is announced, by prefix, member and path identifier, 0 for those without.

    Attributes:
        apart: Members that are kept apart from all others.
        held_back: What quarantine holds back: whose, of which network, by which identifier.
        renewed: What members that are back have announced again, by member and IP version.
    """

    cluster_id: str
    apart: frozenset[Key] = frozenset()
    held_back: set[tuple[Key, Network, int]] = field(default_factory=set)
    renewed: dict[tuple[Member, int], set[tuple[Network, int]]] = field(default_factory=dict)
    offers: dict[Network, dict[tuple[Member, int], Offer]] = field(default_factory=dict)

    def announce(
        self, member: Member, prefix: str, variant: Variant, next_hop: str, path_id: int = 0
    ) -> None:
        """A member announces a prefix; a malformed one is treated as withdrawn."""
        refused = prefix in ("0.0.0.0/0", "::/0") and not member.accepts_default
        if variant.malformed or refused:
            self.withdraw(member, prefix, path_id)
            return
        network = ip_network(prefix)
        self.offers.setdefault(network, {})[member, path_id] = Offer(member, variant, next_hop)
        self.renewed.get((member, network.version), set()).add((network, path_id))

    def withdraw(self, member: Member, prefix: str, path_id: int = 0) -> None:
        """A member withdraws a prefix."""
        self.offers.get(ip_network(prefix), {}).pop((member, path_id), None)

    def drop(self, member: Member) -> None:
        """A member is gone."""
        for version in (4, 6):
            self.begin_again(member, version)
            self.end_of_rib(member, version)

    def begin_again(self, member: Member, version: int) -> None:
        """A member is to announce its routes again (RFC 4724 4.2)."""
        self.renewed[member, version] = set()

    def end_of_rib(self, member: Member, version: int) -> None:
        """It has, if it was to: what is missing is gone."""
        renewed = self.renewed.pop((member, version), None)
        for network, offers in self.offers.items():
            for key in list(offers):
                if (
                    renewed is not None
                    and key[0] == member
                    and network.version == version
                    and (network, key[1]) not in renewed
                ):
                    del offers[key]

    def fall(self, member: Member) -> None:
        """A member's session is lost, and its routes are kept: all of them are stale now."""
        for version in (4, 6):
            self.renewed.pop((member, version), None)

    def come_back(self, before: Member, now: Member, forwarding: tuple[int, ...]) -> None:
        """A member whose routes are kept has a session again (RFC 4724 4.2).

        Args:
            before: As it was.
            now: As it is; by other settings its routes may be refused.
            forwarding: The IP versions of the session for which it has the F bit.
        """
        if (before.client, before.external, before.served) != (
            now.client,
            now.external,
            now.served,
        ):
            self.drop(before)
        for network, offers in self.offers.items():
            for key in [key for key in offers if key[0] == before]:
                offer = offers.pop(key)
                if network.version not in forwarding or (
                    network.prefixlen == 0 and not now.accepts_default
                ):
                    continue
                offers[now, key[1]] = replace(offer, member=now)
                self.begin_again(now, network.version)

    def check_quarantine(self) -> None:
        """Check that no two nodes overlap, and that nobody waits for nothing."""
        used: list[tuple[Network, Offer]] = []
        waiting: list[tuple[Network, Offer]] = []
        for network, offers in self.offers.items():
            if 0 < network.prefixlen < network.max_prefixlen:
                for (member, path_id), offer in offers.items():
                    held = (member.key, network, path_id) in self.held_back
                    (waiting if held else used).append((network, offer))
        assert len(waiting) == len(self.held_back)
        clashes = [
            (one, other)
            for (network, one), (another, other) in combinations(used, 2)
            if network.overlaps(another) and one.rivals(other)
        ]
        assert not clashes
        for network, offer in waiting:
            assert any(each.overlaps(network) and other.rivals(offer) for each, other in used)

    def make_stale(self, member: Member) -> None:
        """A member's routes are long-lived stale (RFC 9494 4.2)."""
        for network, offers in self.offers.items():
            for key, offer in offers.items():
                renewed = self.renewed.get((member, network.version), set())
                if key[0] == member and (network, key[1]) not in renewed:
                    offers[key] = replace(offer, stale=True)

    def may_be_told(self, offer: Offer, member: Member) -> bool:
        """Whether a peer may be told of a path."""
        return offer.may_be_told(member) and not self._across(offer, member)

    def told_all(
        self, member: Member, own_address: Address
    ) -> dict[Network, dict[tuple[Member, int], dict[str, object]]]:
        """Return what a member that is told of every path must have, by who offers it (RFC 7911)."""
        found: dict[Network, dict[tuple[Member, int], dict[str, object]]] = {}
        for network in self.offers:
            for key, offer in self._used(network):
                hop = self._next_hop(offer, own_address, network, member)
                may = network.version in member.families and self.may_be_told(offer, member)
                if may and hop is not None:
                    found.setdefault(network, {})[key] = self._describe(offer, hop, member)
        return found

    def told(self, member: Member, own_address: Address) -> dict[Network, dict[str, object]]:
        """Return what a member must have: by prefix, what `describe` says of the route."""
        found: dict[Network, dict[str, object]] = {}
        for network in self.offers:
            near = [offer for _, offer in self._used(network) if not self._across(offer, member)]
            if not near or network.version not in member.families:
                continue
            best = choose(near)
            if not self.may_be_told(best, member):
                continue
            hop = self._next_hop(best, own_address, network, member)
            if hop is not None:
                found[network] = self._describe(best, hop, member)
        return found

    def _used(self, network: Network) -> Iterator[tuple[tuple[Member, int], Offer]]:
        """What is offered for a network and not held back."""
        for (member, path_id), offer in self.offers[network].items():
            if (member.key, network, path_id) not in self.held_back:
                yield (member, path_id), offer

    def _across(self, offer: Offer, member: Member) -> bool:
        """Whether a path is another's that is kept apart from a peer."""
        apart = (offer.member.key in self.apart) is not (member.key in self.apart)
        return apart and not offer.member.local

    def _describe(self, best: Offer, hop: Address, member: Member) -> dict[str, object]:
        variant = best.variant
        reflected = not (best.member.local or best.member.external or member.external)
        clusters = [self.cluster_id, *best.clusters] if reflected else []
        path, med = variant.as_path + variant.as_set, variant.med
        if member.external and not (best.member.served and member.served):
            path, med = (wire.ASN, *path), None
        return {
            "next hop": hop,
            "origin": variant.origin,
            "path": path,
            "med": med,
            "local pref": None if member.external else best.local_pref,
            "originator": best.originator if reflected else None,
            "clusters": [IPv4Address(each) for each in clusters],
        }

    @staticmethod
    def _next_hop(
        best: Offer, own_address: Address, network: Network, member: Member
    ) -> Address | None:
        """The next hop that a member is told, None if it can't be told."""
        if best.member.local and best.next_hop == str(member.address):
            return None  # RFC 4271 5.1.3: not with an address of its own
        hop = ip_address(best.next_hop) if best.next_hop else own_address
        if hop.version == network.version:
            return hop
        return ip_address(f"::ffff:{hop}") if hop.version == 4 else None


def describe(route: Route, *, as4: bool) -> dict[str, object]:
    """Say what a member was sent, in the terms of `Model.told`."""

    def number(code: int) -> int | None:
        return int.from_bytes(route[code]) if code in route else None

    def addresses(code: int) -> list[IPv4Address]:
        value = route.get(code)
        return [IPv4Address(value[i : i + 4]) for i in range(0, len(value), 4)]

    path = numbers(route[17], 4) if 17 in route else numbers(route[2], 4 if as4 else 2)
    originators = addresses(9)
    return {
        "next hop": route.next_hop,
        "origin": number(1),
        "path": path,
        "med": number(4),
        "local pref": number(5),
        "originator": originators[0] if originators else None,
        "clusters": addresses(10),
    }


def numbers(value: bytes, width: int) -> tuple[int, ...]:
    """Return all AS numbers of a path, in order."""
    found: list[int] = []
    while value:
        stop = 2 + width * value[1]
        found += [int.from_bytes(value[i : i + width]) for i in range(2, stop, width)]
        value = value[stop:]
    return tuple(found)
