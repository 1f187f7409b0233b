"""The network of a class: each node a network namespace with a cable into one bridge."""

import os
import re
import signal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from typing import Final

from reflector.sim.class_plan import PlannedNode, pod_subnets
from reflector.sim.errors import SimError
from reflector.sim.namespace import names, processes_in, require_namespaces, run_ip

# Where the reflector is: no cluster has the number 0.
REFLECTOR_ADDRESS: Final = "192.168.0.1"

# The kernel shares one table of neighbours among all namespaces, and a bridge has 1,023 ports. Each
# pair of nodes pings, so that 300 nodes are 44,850 pairs.
MAX_NODES: Final = 300

_PREFIX: Final = "bgp-rehearse-"
_OURS: Final = re.compile(rf"{_PREFIX}(?P<pid>\d+)-(?P<who>hub|c\d+n\d+)")
_HUB: Final = "hub"


@contextmanager
def classroom(plan: Sequence[PlannedNode], *, dial_inside: bool = True) -> Iterator[str]:
    """Build the network of a class, and take it away at the end.

    A reflector listens in the hub's namespace, at `REFLECTOR_ADDRESS`, unless it is elsewhere.

    Args:
        plan: The nodes, with router ids as addresses.
        dial_inside: Whether the nodes dial from their namespaces, too. A reflector elsewhere is dialled
            from this machine's own network: what it says is installed and pinged in the namespaces.

    Yields:
        The hub's name.

    Raises:
        SimError: Namespaces can't be made here.
    """
    if len(plan) > MAX_NODES:
        raise SimError(f"--netns takes up to {MAX_NODES} nodes, and these are {len(plan)}")
    require_namespaces("--netns")
    remove_leftovers()
    hub = _name(_HUB)
    of_nodes = {_name(_short(node)): node for node in plan}
    try:
        _build(hub, of_nodes)
        for name, node in of_nodes.items():
            node.netns = name
            if dial_inside:
                node.profile = replace(node.profile, netns=name)
        yield hub
    finally:
        _remove([hub, *of_nodes])


def address_of(node: PlannedNode) -> str:
    """A node's own address."""
    return f"192.168.{node.cluster}.{node.number}"


def ipv6_address_of(node: PlannedNode) -> str | None:
    """A node's own IPv6 address, in a class that has such."""
    return node.profile.next_hop_ipv6


def pod_addresses_of(node: PlannedNode) -> tuple[str, ...]:
    """The addresses of a node's pod, of each family: in its pod subnet, with the cluster's number at its end.

    Clusters with the same pod CIDR have pods with other addresses all the same, as in real life.
    """
    ipv6 = ipv6_address_of(node) is not None
    own = pod_subnets(node.cluster, node.number, ipv6=ipv6)
    subnets = node.pods[: len(own)] or own
    return tuple(str(ip_network(subnet)[node.cluster]) for subnet in subnets)


def remove_leftovers() -> None:
    """Remove namespaces of rehearsals that were killed, with the reflectors in them."""
    left = [name for name in names() if (found := _OURS.fullmatch(name)) and _is_over(found["pid"])]
    for name in left:
        if name.endswith(_HUB):
            for pid in processes_in(name):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
    _remove(left)


def _is_over(pid: str) -> bool:
    """Whether no rehearsal has this process id, other than this one, which has made nothing yet."""
    if int(pid) == os.getpid():
        return True
    try:
        return b"rehearse" not in Path("/proc", pid, "cmdline").read_bytes()
    except OSError:
        return True


def _name(who: str) -> str:
    return f"{_PREFIX}{os.getpid()}-{who}"


def _short(node: PlannedNode) -> str:
    return f"c{node.cluster}n{node.number}"


def _mac(address: str) -> str:
    """An Ethernet address made of an IPv4 one, locally administered."""
    return "02:00:" + ":".join(f"{octet:02x}" for octet in IPv4Address(address).packed)


def _build(hub: str, of_nodes: dict[str, PlannedNode]) -> None:
    run_ip(f"netns add {name}" for name in (hub, *of_nodes))
    run_ip(
        f"link add {_short(node)} netns {hub} type veth peer name eth0 netns {name}"
        for name, node in of_nodes.items()
    )
    run_ip(
        [
            "link set lo up",
            f"link add br0 address {_mac(REFLECTOR_ADDRESS)} type bridge forward_delay 0",
            "link set br0 addrgenmode none",
            f"address add {REFLECTOR_ADDRESS}/16 dev br0",
            "link set br0 up",
            *(f"link set {_short(node)} master br0 up" for node in of_nodes.values()),
        ],
        netns=hub,
    )
    addresses = [REFLECTOR_ADDRESS, *map(address_of, of_nodes.values())]
    for name, node in of_nodes.items():
        own = address_of(node)
        run_ip(
            [
                "link set lo up",
                f"link set eth0 address {_mac(own)} addrgenmode none",
                f"address add {own}/16 dev eth0",
                "link set eth0 up",
                # Behind which a kube-router has its pods.
                "link add kube-bridge type bridge",
                "link set kube-bridge addrgenmode none",
                *(
                    f"address add {pod}{'/64 nodad' if ':' in pod else '/24'} dev kube-bridge"
                    for pod in pod_addresses_of(node)
                ),
                "link set kube-bridge up",
                # Found out by ARP, they would fill the table that all namespaces of the machine
                # share (gc_thresh3, 1,024 entries); permanent ones don't count.
                *(
                    f"neighbour add {other} lladdr {_mac(other)} dev eth0 nud permanent"
                    for other in addresses
                    if other != own
                ),
                *_ipv6_lines(node, of_nodes.values()),
            ],
            netns=name,
        )


def _ipv6_lines(node: PlannedNode, nodes: Iterable[PlannedNode]) -> Iterator[str]:
    """What a node needs besides in a class with IPv6."""
    own = ipv6_address_of(node)
    if own is None:
        return
    # Nobody else has it, and pings are not to wait for that to be found out.
    yield f"address add {own}/64 dev eth0 nodad"
    for other in nodes:
        if other is not node:
            mac = _mac(address_of(other))
            yield f"neighbour add {ipv6_address_of(other)} lladdr {mac} dev eth0 nud permanent"


def _remove(which: Sequence[str]) -> None:
    there = set(names())
    run_ip((f"netns delete {name}" for name in which if name in there), force=True)
