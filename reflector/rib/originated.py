"""The routes that we originate."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from reflector.bgp.attributes import DEFAULT_LOCAL_PREF
from reflector.bgp.nlri import IPNetwork, pack_prefix
from reflector.bgp.vocabulary import FAMILIES, Family
from reflector.rib.audience import Audience
from reflector.rib.next_hop import pack_next_hop
from reflector.rib.path import Path, local_attributes
from reflector.rib.source import IPAddress, Source
from reflector.rib.table import Table


@dataclass(frozen=True, slots=True)
class LocalRoute:
    """A route that we originate.

    Args:
        prefix: What we announce.
        next_hop: With which next hop; None for the address that the peer told connected to.
    """

    prefix: IPNetwork
    next_hop: IPAddress | None = None


class Originated:
    """Keeps the tables at the routes that we are to originate.

    Args:
        tables: The routes, by family.
        router_id: Ours.
        cluster_id: Ours, four octets.
    """

    def __init__(
        self, tables: Mapping[Family, Table], router_id: IPv4Address, cluster_id: bytes
    ) -> None:
        self._tables = tables
        self._cluster_id = cluster_id
        self._source = Source("local", Audience.ALL, router_id.packed, router_id, local=True)
        self._routes: dict[tuple[Family, bytes], IPAddress | None] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._routes)

    def replace(self, routes: Iterable[LocalRoute]) -> None:
        """Announce these routes, and no others from now on; what stays as it was is not touched."""
        wanted = {
            (_family_of(route.prefix), pack_prefix(route.prefix)): route.next_hop
            for route in routes
        }
        for family, prefix in self._routes.keys() - wanted.keys():
            self._tables[family].withdraw(self._source, [prefix])
        for (family, prefix), next_hop in wanted.items():
            if self._routes.get((family, prefix), _NONE) != next_hop:
                self._tables[family].announce(self._path(family, next_hop), [prefix])
        self._routes = wanted

    def _path(self, family: Family, next_hop: IPAddress | None) -> Path:
        packed = b"" if next_hop is None else pack_next_hop(family, next_hop)
        attributes = local_attributes(DEFAULT_LOCAL_PREF)
        return Path(self._source, family, attributes, packed, self._cluster_id)


_NONE: Final = object()


def _family_of(prefix: IPNetwork) -> Family:
    return FAMILIES[1 if prefix.version == 4 else 2, 1]  # noqa: PLR2004 - IP version
