"""The facts that a diagnosis is made of."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address
from itertools import islice
from typing import Final

from reflector.bgp.nlri import unpack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST, Family, State
from reflector.observe.kernel import Md5Drops
from reflector.observe.ledger import Record
from reflector.observe.overlap import Overlap
from reflector.observe.reflector import PeerConnection, Reflector
from reflector.rib.audience import Audience
from reflector.rib.quarantine import HeldBack
from reflector.rib.refusals import Refusals
from reflector.rib.source import Source
from reflector.speaker import Peer, Speaker

# How long a signature that was wrong counts as wrong: a peer tries again at the latest after 120 s.
MD5_S: Final = 130.0

# Routes of a peer that are looked at for their next hop.
_MAX_LOOKED_AT: Final = 10


@dataclass(frozen=True, slots=True)
class Node:
    """A connection with a peer, as far as a diagnosis needs it.

    Args:
        address: Where it connects from.
        router_id: From its OPEN, empty before.
        host_name: What it calls itself.
        description: From the configuration.
        state: Of its session.
        in_state_s: For how long.
        outbound: Whether we dialled it.
        source: As a source of routes, while established.
        client: Whether it is a route reflector client.
        held: How many prefixes it announces.
        unchanged_s: How long it has said nothing about routes.
        refused: How many of its prefixes are rejected.
        rejected: The last prefix that breaks a rule, the rule, and how many more break one.
        had_rejected: Whether it has announced such in this session, now or before.
        graceful: Whether it asks for graceful restart, and has not sent End-of-RIB.
        foreign_hop: A prefix and its next hop, where that is not the node's own address.
    """

    address: str
    router_id: str = ""
    host_name: str = ""
    description: str = ""
    state: State = State.ESTABLISHED
    in_state_s: float = 0.0
    outbound: bool = False
    source: Source | None = None
    client: bool = True
    held: int = 0
    unchanged_s: float = math.inf
    refused: int = 0
    rejected: tuple[str, str, int] | None = None
    had_rejected: bool = False
    graceful: bool = False
    foreign_hop: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that a diagnosis looks at.

    Args:
        now_s: Loop time.
        asn: Our AS number.
        nodes: Connections with peers.
        records: What became of peers.
        overlaps: Pod CIDRs that several nodes announce.
        md5_drops: Segments that the kernel has dropped lately.
        held_back: Routes that are in quarantine: each prefix with what holds it back.
        disconnected: Clusters that the presenter has disconnected, with their nodes' addresses.
        own_routes_hidden: Whether the presenter has hidden our own routes.
    """

    now_s: float
    asn: int
    nodes: list[Node] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    overlaps: list[Overlap] = field(default_factory=list)
    md5_drops: Md5Drops = field(default_factory=Md5Drops)
    held_back: list[tuple[Family, bytes, HeldBack]] = field(default_factory=list)
    disconnected: dict[str, tuple[str, ...]] = field(default_factory=dict)
    own_routes_hidden: bool = False


def nodes(
    reflector: Reflector, now_s: float, unchanged_s: Callable[[Peer], float]
) -> Iterator[Node]:
    """Gather the facts of all connections; whoever iterates may take pauses.

    Args:
        reflector: Whose.
        now_s: Loop time.
        unchanged_s: How long a peer has said nothing about routes.
    """
    speaker = reflector.speaker
    for connection in list(reflector.peering.connections):
        yield _node(speaker, connection, now_s, unchanged_s)


def _node(
    speaker: Speaker,
    connection: PeerConnection,
    now_s: float,
    unchanged_s: Callable[[Peer], float],
) -> Node:
    name, peer = connection.name, connection.peer
    node = Node(
        str(name.address),
        name.router_id,
        name.host_name,
        name.description,
        connection.session.state,
        now_s - connection.since,
        connection.outbound,
    )
    if peer is None:
        return node
    graceful = peer.negotiated.remote.capabilities.graceful_restart is not None
    return replace(
        node,
        source=peer.source,
        client=peer.source.kind == Audience.CLIENT,
        held=speaker.held_by(peer),
        unchanged_s=unchanged_s(peer),
        refused=peer.refusals.standing,
        rejected=_rejected(peer.refusals),
        had_rejected=peer.refusals.had_wrong,
        graceful=graceful and not peer.end_of_rib,
        foreign_hop=_foreign_hop(speaker, peer.source),
    )


def _rejected(refusals: Refusals) -> tuple[str, str, int] | None:
    wrong = refusals.wrong()
    if wrong is None:
        return None
    return str(unpack_prefix(wrong.prefix, wrong.family)), wrong.reason, wrong.others


def _foreign_hop(speaker: Speaker, source: Source) -> tuple[str, str] | None:
    """The first of a client's IPv4 routes whose next hop is another address than its own.

    A client on this machine, behind a loopback address, can't have that as a next hop.
    """
    address = source.address
    if source.kind != Audience.CLIENT or not isinstance(address, IPv4Address):
        return None
    if address.is_loopback:
        return None
    table = speaker.tables[IPV4_UNICAST]
    own = address.packed
    for prefix in islice(table.prefixes_of(source), _MAX_LOOKED_AT):
        candidates = table.routes.get(prefix)
        for path in () if candidates is None else candidates.paths:
            foreign = path.source is source and path.next_hop != own
            if foreign and not path.attributes.originator_id:
                hop = ".".join(map(str, path.next_hop))
                return str(unpack_prefix(prefix, IPV4_UNICAST)), hop
    return None
