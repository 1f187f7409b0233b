"""The roll call: who is in the class, who has left and why, in which cluster."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Network, ip_network
from itertools import islice
from typing import Final

from reflector.bgp.nlri import unpack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST, State
from reflector.observe.ledger import Record
from reflector.observe.reflector import PeerConnection, Reflector
from reflector.observe.views import View
from reflector.reports import PeerDown
from reflector.rib.source import Source
from reflector.speaker import Peer, Speaker

# Prefixes that are shown of a node; a node has one pod CIDR of each family.
_MAX_CIDRS: Final = 6
_MAX_LOOKED_AT: Final = 200
_HOST_BITS: Final = {1: 32, 2: 128}

# Two clusters with a /16 each is what the course's materials give; the page can be set otherwise.
CLUSTER_BITS: Final = 16
UNPLACED: Final = ""

Signature = tuple[object, ...]


@dataclass(slots=True)
class _Known:
    signature: Signature
    view: View


@dataclass
class Roll:
    """Makes views of peers, and remembers them as long as nothing about them changes.

    Args:
        reflector: Whose peers.
        clock_offset_s: What makes of the loop's time seconds since the epoch; may be set anew.
    """

    reflector: Reflector
    clock_offset_s: float
    _known: dict[str, _Known] = field(default_factory=dict)
    _together: dict[str, int] = field(default_factory=dict)

    def views(self) -> Iterator[tuple[str, View]]:
        """Every node with its key; whoever iterates may take pauses."""
        speaker = self.reflector.speaker
        self._together = _together(speaker)
        seen: set[str] = set()
        present = sorted(
            self.reflector.peering.connections, key=lambda each: each.peer is not None, reverse=True
        )
        for connection in present:
            name = connection.name
            key = f"{name.address} {name.router_id}".rstrip()
            if key in seen:
                continue  # of two connections with a node the established one is shown
            seen.add(key)
            yield key, self._present(speaker, key, connection)
        for record in list(self.reflector.desk.ledger.records.values()):
            key = f"{record.name.address} {record.name.router_id}"
            if record.left is not None and key not in seen:
                seen.add(key)
                yield key, self._absent(key, record)
        for key in self._known.keys() - seen:
            del self._known[key]

    def _present(self, speaker: Speaker, key: str, connection: PeerConnection) -> View:
        peer, name = connection.peer, connection.name
        counters = () if peer is None else self._counters(speaker, peer)
        offset_s = self.clock_offset_s
        signature = (name, connection.session.state, connection.since, counters, offset_s)
        known = self._known.get(key)
        if known is None or known.signature != signature:
            known = self._known[key] = _Known(signature, self._describe(speaker, connection))
        elif peer is not None and known.view["routes_out"] != (told := self._told(speaker, peer)):
            # With each route of anybody that changes for all; the rest of the view needs no second look.
            known.view = known.view | {"routes_out": told}
        return known.view

    def _describe(self, speaker: Speaker, connection: PeerConnection) -> View:
        name, peer, session = connection.name, connection.peer, connection.session
        view: View = {
            "name": name.host_name or name.description,
            "address": str(name.address),
            "router_id": name.router_id,
            "state": session.state.value,
            "since": round(connection.since + self.clock_offset_s, 1),
            "direction": "outbound" if connection.outbound else "inbound",
        }
        if session.negotiated is not None and session.state is not State.IDLE:
            view["asn"] = session.negotiated.remote.asn
            view["software"] = session.negotiated.remote.capabilities.software_version
            view["families"] = sorted(map(str, session.negotiated.families))
        if peer is not None:
            held = speaker.held_by(peer)
            view |= {
                "routes_in": held,
                "routes_out": self._told(speaker, peer),
                "rejected": peer.counters.refused,
                "cidrs": _cidrs(speaker, peer.source),
            }
        return view

    @staticmethod
    def _counters(speaker: Speaker, peer: Peer) -> Signature:
        counters, held = peer.counters, speaker.held_by(peer)
        return counters.announced, counters.withdrawn, counters.refused, held

    def _told(self, speaker: Speaker, peer: Peer) -> int:
        """How many prefixes others have, which is what a client is told of."""
        held = speaker.held_by(peer)
        if self._together:
            return self._together.get(speaker.separation.cluster(peer.source), held) - held
        families = peer.negotiated.families
        return sum(len(speaker.tables[family].routes) for family in families) - held

    def _absent(self, key: str, record: Record) -> View:
        left, name = record.left, record.name
        signature = (name, left, self.clock_offset_s)
        known = self._known.get(key)
        if known is None or known.signature != signature:
            report = None if left is None else left.report
            before = None if known is None else known.view
            view: View = {
                "name": name.host_name or name.description,
                "address": str(name.address),
                "router_id": name.router_id,
                "state": "Left",
                "since": None if left is None else round(left.at_s + self.clock_offset_s, 1),
                "reason": report.reason if isinstance(report, PeerDown) else "",
                "sessions": record.sessions,
                "cidrs": [] if before is None else before.get("cidrs", []),
            }
            known = self._known[key] = _Known(signature, view)
        return known.view


def clusters(views: list[View], bits: int = CLUSTER_BITS) -> list[View]:
    """Group nodes by the network that holds their first IPv4 pod CIDR.

    Args:
        views: Of nodes.
        bits: Length of that network's prefix.

    Returns:
        By network, nodes without a pod CIDR last.
    """
    grouped: dict[str, list[View]] = {}
    for view in views:
        grouped.setdefault(cluster_of(view, bits), []).append(view)
    ordered = sorted(grouped.items(), key=lambda item: _order(item[0]))
    return [
        {"network": network or None, "nodes": sorted(nodes, key=lambda node: str(node["name"]))}
        for network, nodes in ordered
    ]


def cluster_of(view: View, bits: int) -> str:
    """The network that holds a node's first IPv4 pod CIDR; empty if it has none."""
    cidrs = view.get("cidrs")
    for cidr in cidrs if isinstance(cidrs, list) else ():
        network = ip_network(cidr)
        if isinstance(network, IPv4Network):
            return str(network.supernet(new_prefix=min(bits, network.prefixlen)))
    return UNPLACED


def _order(network: str) -> tuple[bool, bytes]:
    return not network, ip_network(network).network_address.packed if network else b""


def _together(speaker: Speaker) -> dict[str, int]:
    """How many routes each cluster that is kept apart holds, and the others together; empty if none is."""
    separation = speaker.separation
    if not separation.clusters:
        return {}
    together: dict[str, int] = {}
    for source, peer in speaker.peers.items():
        cluster = separation.cluster(source)
        together[cluster] = together.get(cluster, speaker.originated) + speaker.held_by(peer)
    return together


def _cidrs(speaker: Speaker, source: Source) -> list[str]:
    """Prefixes of a node that are not host routes, IPv4 first."""
    found = []
    for family, table in speaker.tables.items():
        some = islice(table.prefixes_of(source), _MAX_LOOKED_AT)
        most = _HOST_BITS[family.afi]
        found += sorted(
            (family is not IPV4_UNICAST, prefix, family)
            for prefix in some
            if prefix and 0 < prefix[0] < most
        )[:_MAX_CIDRS]
    return [str(unpack_prefix(prefix, family)) for _, prefix, family in found[:_MAX_CIDRS]]
