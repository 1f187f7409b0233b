"""A class to rehearse: its clusters and nodes with their addresses, and who makes which mistake."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from reflector.sim import capability
from reflector.sim.kube_router import NEWEST, kube_router
from reflector.sim.mistakes import MISTAKES, Mistake
from reflector.sim.profile import Profile

# How far the nodes of one cluster come apart, in seconds: a DaemonSet restarts them one by one.
_NODE_GAP_S: Final = 0.3


@dataclass
class PlannedNode:
    """A node of a cluster, before anything has happened.

    Attributes:
        cluster: Its cluster's number, from 1.
        number: Its own within the cluster, from 1.
        source: The address that it dials from, None for this machine's own.
        arrival_s: When it dials first, in seconds.
        profile: How it speaks.
        pods: The pod subnets that it announces.
        mistake: What its student did wrong, if anything.
        netns: The network namespace with its kernel and its pod, if it has one.
    """

    cluster: int
    number: int
    source: str | None
    arrival_s: float
    profile: Profile
    pods: tuple[str, ...]
    mistake: Mistake | None = None
    netns: str | None = None

    @property
    def name(self) -> str:
        """As its log lines and `show neighbors` call it."""
        return f"cluster-{self.cluster:02}-node-{self.number}"


@dataclass(frozen=True, kw_only=True)
class ClassSettings:
    """What a class is like.

    Args:
        clusters: How many students.
        nodes: How many nodes each has.
        pace_s: Seconds from one student to the next, on average; 0 has all come at once.
        mistakes: Names of mistakes, each made by a cluster of its own.
        version: Of kube-router.
        graceful_restart: Whether all start it with --bgp-graceful-restart.
        asn: The AS number of the class.
        password: Of the sessions (TCP MD5), None for none.
        on_loopback: Whether each node has an address of 127.0.0.0/8. Else all share this
            machine's address and only their router ids tell them apart.
        ipv6: Whether the nodes have IPv6 pod subnets besides.
        seed: Makes the same class again.
    """

    clusters: int = 30
    nodes: int = 3
    pace_s: float = 1.0
    mistakes: Sequence[str] = field(default_factory=tuple)
    version: str = NEWEST
    graceful_restart: bool = False
    asn: int = 64512
    password: str | None = None
    on_loopback: bool = True
    ipv6: bool = False
    seed: int = 1


def plan_class(settings: ClassSettings) -> list[PlannedNode]:
    """Plan a class.

    Returns:
        All nodes in the order in which they arrive.

    Raises:
        ValueError: There are more mistakes than clusters, or an unknown one, or the kube-router has
            no IPv6 routes to tell.
    """
    if settings.ipv6:
        _require_ipv6(settings)
    culprits = _culprits(settings)
    chance = random.Random(settings.seed)  # noqa: S311 - no secret, and the same each time
    planned = []
    arrival_s = 0.0
    for cluster in range(1, settings.clusters + 1):
        arrival_s += settings.pace_s * chance.uniform(0.5, 1.5)
        for number in range(1, settings.nodes + 1):
            gap_s = (number - 1) * chance.uniform(0, _NODE_GAP_S) if settings.pace_s else 0.0
            node = _node(settings, cluster, number, arrival_s + gap_s)
            mistake = culprits.get(cluster)
            if mistake is not None:
                _make(node, mistake, settings, _victim(cluster, settings, culprits))
            planned.append(node)
    return sorted(planned, key=lambda node: node.arrival_s)


def pod_subnets(cluster: int, number: int, *, ipv6: bool) -> tuple[str, ...]:
    """The pod subnets of a node: an IPv4 one, and an IPv6 one if its class has such."""
    subnets = (f"10.{cluster}.{number}.0/24", f"fd00:10:{cluster:x}:{number:x}::/64")
    return subnets if ipv6 else subnets[:1]


def _families(settings: ClassSettings) -> tuple[str, ...]:
    return ("ipv4", "ipv6") if settings.ipv6 else ("ipv4",)


def _require_ipv6(settings: ClassSettings) -> None:
    spoken = kube_router(
        settings.version,
        node_name="",
        families=_families(settings),
        graceful_restart=settings.graceful_restart,
    )
    if capability.multiprotocol("ipv6") not in spoken.offered():
        raise ValueError(
            f"kube-router {settings.version} tells no IPv6 routes over an IPv4 session: from 2.7 on it"
            " does, and from 2.0 on with --graceful-restart"
        )


def _node(settings: ClassSettings, cluster: int, number: int, arrival_s: float) -> PlannedNode:
    # What follows from cluster and node: each is an octet of the addresses.
    address = f"192.168.{cluster}.{number}"
    source = f"127.1.{cluster}.{number}" if settings.on_loopback else None
    node = PlannedNode(
        cluster=cluster,
        number=number,
        source=source,
        arrival_s=arrival_s,
        profile=Profile(),
        pods=pod_subnets(cluster, number, ipv6=settings.ipv6),
    )
    spoken = kube_router(
        settings.version,
        node_name=node.name,
        asn=settings.asn,
        peer_asn=settings.asn,
        families=_families(settings),
        graceful_restart=settings.graceful_restart,
    )
    node.profile = replace(
        spoken,
        router_id=address,
        next_hop=address,
        next_hop_ipv6=f"fd00:192:168::{cluster:x}:{number:x}" if settings.ipv6 else None,
        source=source,
        password=settings.password,
        deadline_s=60.0,
    )
    return node


def _victim(culprit: int, settings: ClassSettings, culprits: Mapping[int, Mistake]) -> int:
    """Whose addresses a cluster takes: the nearest one's that does everything right."""
    others = [each for each in range(1, settings.clusters + 1) if each != culprit]
    healthy = [each for each in others if each not in culprits]
    return min(healthy or others or [culprit], key=lambda each: (abs(each - culprit), each))


def _make(node: PlannedNode, mistake: Mistake, settings: ClassSettings, victim: int) -> None:
    """Have a node make a mistake."""
    node.mistake = mistake
    changes = dict(mistake.settings)
    if mistake.name in ("wrong-asn", "wrong-peer-asn"):
        told = kube_router(
            settings.version,
            node_name=node.name,
            asn=settings.asn + (mistake.name == "wrong-asn"),
            peer_asn=settings.asn + (mistake.name == "wrong-peer-asn"),
            families=_families(settings),
        )
        changes |= {"asn": told.asn, "peer_asn": told.peer_asn, "capabilities": told.capabilities}
    if mistake.name == "duplicate-router-id":
        changes["router_id"] = f"192.168.{victim}.{node.number}"
    if mistake.name == "duplicate-cidr":
        node.pods = pod_subnets(victim, node.number, ipv6=settings.ipv6)
    if mistake.name == "default-route":
        node.pods += ("0.0.0.0/0",)
    if mistake.name == "no-routes":
        node.pods = ()
    node.profile = replace(node.profile, **changes)


def _culprits(settings: ClassSettings) -> dict[int, Mistake]:
    """Who makes which mistake: the class's mistakes, spread over it."""
    names = list(dict.fromkeys(settings.mistakes))
    for name in names:
        if name not in MISTAKES:
            raise ValueError(
                f"{name!r} is no mistake that is known; there are {', '.join(MISTAKES)}"
            )
    if len(names) > settings.clusters:
        raise ValueError(
            f"{len(names)} mistakes need as many clusters, and there are {settings.clusters}"
        )
    step = settings.clusters / (len(names) + 1)
    places = [max(index, round(step * index)) for index in range(1, len(names) + 1)]
    return {place: MISTAKES[name] for place, name in zip(places, names, strict=True)}
