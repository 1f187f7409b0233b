"""Peers of a bgpd.conf as far as it describes them, and what they become when all of it is read."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from ipaddress import IPv6Address, ip_address
from typing import Any, Final

from reflector.config import kinds
from reflector.config.checks import conflicts
from reflector.config.frr_filters import PrefixLists
from reflector.config.frr_route_maps import RouteMapError, RouteMaps
from reflector.config.model import (
    BGP_PORT,
    AddPathWord,
    Config,
    FamilyName,
    IPAddress,
    IPNetwork,
    MaximumPrefix,
    Neighbor,
    PeerRange,
    PeerSettings,
    RemoteAsWord,
)

FAMILIES: Final[tuple[FamilyName, ...]] = ("ipv4", "ipv6")
FRR_DEFAULT: Final[frozenset[FamilyName]] = frozenset({"ipv4"})


@dataclass(slots=True)
class Peer:
    """A neighbor or a peer group.

    Args:
        line: Where it was named first.
        default: Families that it has without a word (`bgp default ipv4-unicast`).
        is_group: Whether it is a peer group.
        group: The group that it is in.
        remote_as: Its AS number, or the word for it.
        values: What was said of it, by the names of the model.
        active: Families that were switched on, or off.
        clients: Families in which it was said to be a client, or not to be.
        served: Families in which it was said to be a client of a route server, or not to be.
        told_all: Families in which it was said to be told of all paths, or not to be.
    """

    line: int
    default: frozenset[FamilyName] = FRR_DEFAULT
    is_group: bool = False
    group: str | None = None
    remote_as: int | RemoteAsWord | None = None
    values: dict[str, Any] = field(default_factory=dict)
    active: dict[FamilyName, bool] = field(default_factory=dict)
    clients: dict[FamilyName, bool] = field(default_factory=dict)
    served: dict[FamilyName, bool] = field(default_factory=dict)
    told_all: dict[FamilyName, bool] = field(default_factory=dict)

    def within(self, group: "Peer") -> "Peer":
        """The peer with what its group says and it doesn't say itself."""
        return replace(
            self,
            default=group.default,
            remote_as=group.remote_as if self.remote_as is None else self.remote_as,
            values=group.values | self.values,
            active=group.active | self.active,
            clients=group.clients | self.clients,
            served=group.served | self.served,
            told_all=group.told_all | self.told_all,
        )


_NEXT_HOP_SELF: Final = (
    "{}: next-hop-self with external peers would lead what they send to the reflector, which forwards "
    "nothing; take the line out"
)


class WrongPeerError(Exception):
    """A peer can't be as the file has it; the message says why.

    Args:
        what: Why.
        line: Where, if that is not where the peer stands.
    """

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.line = line


Say = Callable[[int, str], None]


@dataclass(slots=True)
class Peers:
    """All peers and groups of a file, by name, and the ranges of the groups.

    Attributes:
        enforce_first_as: What holds for external peers of which the file doesn't say it.
        prefix_lists: By which peers are filtered.
        route_maps: By which they are, too.
    """

    by_name: dict[str, Peer] = field(default_factory=dict)
    ranges: dict[IPNetwork, tuple[int, str]] = field(default_factory=dict)
    enforce_first_as: bool = True
    prefix_lists: PrefixLists = field(default_factory=PrefixLists)
    route_maps: RouteMaps = field(init=False)

    def __post_init__(self) -> None:
        """Keep the policies of both together."""
        self.route_maps = RouteMaps(self.prefix_lists)

    def get(self, name: str, line: int, default: frozenset[FamilyName]) -> Peer:
        """Find a peer or group, or start one."""
        return self.by_name.setdefault(_normal(name), Peer(line, default))

    def forget(self, name: str) -> None:
        """Take back all that was said of a peer, or of a group with its members and ranges."""
        name = _normal(name)
        self.by_name.pop(name, None)
        self.by_name = {key: peer for key, peer in self.by_name.items() if peer.group != name}
        self.ranges = {key: held for key, held in self.ranges.items() if held[1] != name}

    def build(self, config: Config, *, blame: Say, note: Say) -> Config:
        """Add the peers to a configuration.

        Args:
            config: Without them.
            blame: Called with the line and a sentence for each that can't be.
            note: The same for each that is left out.
        """
        ranges: dict[int, PeerRange] = {}
        neighbors: dict[int, Neighbor] = {}
        for network, (line, name) in self.ranges.items():
            try:
                group = self._group(name)
                if group.values.get("shutdown"):
                    note(line, f"{network} is left out: its group {name} is shut down")
                else:
                    ranges[line] = PeerRange(network, self._settings(name, group, config.asn))
            except WrongPeerError as error:
                blame(error.line or line, str(error))
        for name, peer in self.by_name.items():
            try:
                if peer.is_group:
                    continue
                neighbor = self._neighbor(name, peer, config.asn)
                if neighbor is None:
                    note(peer.line, f"neighbor {name} is left out: it is shut down")
                else:
                    neighbors[peer.line] = neighbor
            except WrongPeerError as error:
                blame(error.line or peer.line, str(error))
        built = replace(
            config,
            ranges=tuple(ranges.values()),
            neighbors=tuple(neighbors.values()),
            prefix_sets=tuple(self.prefix_lists.sets.values()),
            policies=tuple(self.prefix_lists.policies.values()),
        )
        lines = {f"ranges[{index}]": line for index, line in enumerate(ranges)}
        lines |= {f"neighbors[{index}]": line for index, line in enumerate(neighbors)}
        for key, what in conflicts(built):
            blame(lines[key], what)
        self._check_next_hops(built, blame)
        return built

    def _check_next_hops(self, built: Config, blame: Say) -> None:
        """FRR's `next-hop-self` says nothing of reflected routes, but of those from outside it does."""
        everybody = [each.settings for each in built.ranges]
        everybody += [each.settings for each in built.neighbors]
        if any(settings.remote_as != ("internal",) for settings in everybody):
            for name, peer in self.by_name.items():
                if peer.values.get("next_hop_self"):
                    blame(peer.line, _NEXT_HOP_SELF.format(name))

    def _group(self, name: str) -> Peer:
        group = self.by_name.get(name)
        if group is None or not group.is_group:
            raise WrongPeerError(f"there is no peer group {name}: say `neighbor {name} peer-group`")
        return group

    def _neighbor(self, name: str, peer: Peer, asn: int) -> Neighbor | None:
        """What a peer becomes; None if it is shut down."""
        if peer.group is not None:
            peer = peer.within(self._group(peer.group))
        address = _address(name, peer.values.get("interface"))
        if peer.values.get("shutdown"):
            return None
        return Neighbor(
            address,
            peer.values.get("port", BGP_PORT),
            bool(peer.values.get("passive", False)),
            self._settings(name, peer, asn),
        )

    def _settings(self, name: str, peer: Peer, asn: int) -> PeerSettings:
        if peer.remote_as is None:
            raise WrongPeerError(f"{name} has no AS: say `neighbor {name} remote-as {asn}`")
        families = _families(name, peer)
        known = families or ("ipv4",)
        values = peer.values
        return PeerSettings(
            description=values.get("description", ""),
            client=_in_all(f"{name} route-reflector-client", peer.clients, known),
            remote_as=("internal",) if peer.remote_as == asn else (peer.remote_as,),
            route_server=_in_all(f"{name} route-server-client", peer.served, known),
            enforce_first_as=values.get("enforce_first_as", self.enforce_first_as),
            import_policy=self._policy(name, peer, "import"),
            export_policy=self._policy(name, peer, "export"),
            maximum_prefix=values.get("maximum_prefix", MaximumPrefix()),
            hold_time_s=values.get("hold_time_s"),
            families=families,
            add_path=_add_path(name, peer, known),
            password=values.get("password"),
            ttl_security=values.get("ttl_security"),
        )

    def _policy(self, name: str, peer: Peer, direction: str) -> str | None:
        """The policy that the prefix lists or route maps of a peer come to."""
        lists, maps = (
            {family: named for family in FAMILIES if (named := peer.values.get(f"{what} {family}"))}
            for what in (direction, f"{direction} map")
        )
        if lists and maps:
            raise WrongPeerError(
                f"{name}: a prefix list and a route map in one direction can't both count: "
                "name the list in the map"
            )
        try:
            if maps:
                return self.route_maps.policy(maps, peer.line, outbound=direction == "export")
            return self.prefix_lists.policy(lists)
        except RouteMapError as error:
            raise WrongPeerError(f"{name}: {error}", error.line) from None
        except LookupError as error:
            raise WrongPeerError(f"{name}: {error.args[0]}") from None


def _address(name: str, interface: str | None) -> IPAddress:
    """Where a neighbor is; a link-local one is so on an interface."""
    try:
        address = ip_address(name)
    except ValueError:
        raise WrongPeerError(
            f"neighbor {name} is no address: for a peer group say `neighbor {name} peer-group`"
        ) from None
    if isinstance(address, IPv6Address) and address.is_link_local:
        if interface is None:
            raise WrongPeerError(f"{name} is on every link: say `neighbor {name} interface IFNAME`")
        name = f"{address}%{interface}"
    try:
        return kinds.PEER_ADDRESS.read(name)  # type: ignore[return-value]
    except ValueError as error:
        raise WrongPeerError(str(error)) from None


def _families(name: str, peer: Peer) -> tuple[FamilyName, ...] | None:
    """The families of a peer.

    A file that says nothing of them, like the course's, means IPv4 to FRR. Here such peers are also
    offered IPv6: one that doesn't want it doesn't negotiate it.
    """
    if not peer.active and peer.default == FRR_DEFAULT:
        return None
    active = dict.fromkeys(peer.default, True) | peer.active
    families = tuple(each for each in FAMILIES if active.get(each))
    if not families:
        raise WrongPeerError(f"{name} has no address family: say `neighbor {name} activate` in one")
    return families


def _add_path(name: str, peer: Peer, families: tuple[FamilyName, ...]) -> AddPathWord:
    """FRR takes several paths from all who send them; here it goes with telling a peer all."""
    if not _in_all(f"{name} addpath-tx-all-paths", peer.told_all, families):
        return "off"
    return "send" if peer.values.get("disable_addpath_rx") else "both"


def _in_all(statement: str, said: dict[FamilyName, bool], families: tuple[FamilyName, ...]) -> bool:
    """Whether something is said of a peer, which FRR lets differ between families."""
    roles = {family: said.get(family, False) for family in families}
    if len(set(roles.values())) > 1:
        no, yes = sorted(roles, key=lambda family: roles[family])
        name, role = statement.split()
        raise WrongPeerError(
            f"{name} {'has' if role.startswith('addpath') else 'is a'} {role} for {yes} and not for {no}: say "
            f"`neighbor {statement}` in both address families, or in none"
        )
    return any(roles.values())


def _normal(name: str) -> str:
    """A name, or an address in its one shortest form."""
    try:
        return str(ip_address(name))
    except ValueError:
        return name
