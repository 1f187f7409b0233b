"""A naive model of a route reflector: everything is computed anew, as the RFCs say it, slowly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, ip_address, ip_network

from tests.support import wire
from tests.support.strict_reader import Address, Network, Route

_BIG = 1 << 16


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
    """

    cluster_id: str
    apart: frozenset[Member] = frozenset()
    offers: dict[Network, dict[tuple[Member, int], Offer]] = field(default_factory=dict)

    def announce(
        self, member: Member, prefix: str, variant: Variant, next_hop: str, path_id: int = 0
    ) -> None:
        """A member announces a prefix; a malformed one is treated as withdrawn."""
        refused = prefix in ("0.0.0.0/0", "::/0") and not member.accepts_default
        if variant.malformed or refused:
            self.withdraw(member, prefix, path_id)
            return
        offers = self.offers.setdefault(ip_network(prefix), {})
        offers[member, path_id] = Offer(member, variant, next_hop)

    def withdraw(self, member: Member, prefix: str, path_id: int = 0) -> None:
        """A member withdraws a prefix."""
        self.offers.get(ip_network(prefix), {}).pop((member, path_id), None)

    def drop(self, member: Member) -> None:
        """A member is gone."""
        for offers in self.offers.values():
            for key in [key for key in offers if key[0] == member]:
                del offers[key]

    def make_stale(self, member: Member) -> None:
        """A member's routes are long-lived stale (RFC 9494 4.2)."""
        for offers in self.offers.values():
            for key, offer in offers.items():
                if key[0] == member:
                    offers[key] = replace(offer, stale=True)

    def may_be_told(self, offer: Offer, member: Member) -> bool:
        """Whether a peer may be told of a path."""
        return offer.may_be_told(member) and not self._across(offer, member)

    def told_all(
        self, member: Member, own_address: Address
    ) -> dict[Network, dict[tuple[Member, int], dict[str, object]]]:
        """Return what a member that is told of every path must have, by who offers it (RFC 7911)."""
        found: dict[Network, dict[tuple[Member, int], dict[str, object]]] = {}
        for network, offers in self.offers.items():
            for key, offer in offers.items():
                hop = self._next_hop(offer, own_address, network, member)
                may = network.version in member.families and self.may_be_told(offer, member)
                if may and hop is not None:
                    found.setdefault(network, {})[key] = self._describe(offer, hop, member)
        return found

    def told(self, member: Member, own_address: Address) -> dict[Network, dict[str, object]]:
        """Return what a member must have: by prefix, what `describe` says of the route."""
        found: dict[Network, dict[str, object]] = {}
        for network, offers in self.offers.items():
            near = [offer for offer in offers.values() if not self._across(offer, member)]
            if not near or network.version not in member.families:
                continue
            best = choose(near)
            if not self.may_be_told(best, member):
                continue
            hop = self._next_hop(best, own_address, network, member)
            if hop is not None:
                found[network] = self._describe(best, hop, member)
        return found

    def _across(self, offer: Offer, member: Member) -> bool:
        """Whether a path is another's that is kept apart from a peer."""
        apart = (offer.member in self.apart) is not (member in self.apart)
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
