"""How a class is set up: its clusters, the flags of its kube-routers, and the reflector's configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

Flags = Mapping[str, str]

REFLECTOR: Final = "10.77.0.1"
SECOND: Final = "10.77.0.2"
NO_FLAGS: Final[Flags] = {}

# As a course has it: the router alone, with the two flags that the reflector prints.
_COURSE: Final = {
    "--run-router": "true",
    "--run-firewall": "false",
    "--run-service-proxy": "false",
    "--enable-cni": "false",
    "--enable-overlay": "false",
    "--enable-pod-egress": "false",
    "--cluster-asn": "64512",
    "--peer-router-ips": REFLECTOR,
    "--peer-router-asns": "64512",
    "--health-port": "0",
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """A class.

    Args:
        name: In a few words.
        flags: What every kube-router has besides a course's flags, or in their place; an empty one is
            left out.
        nodes: What single ones have besides, by the beginning of their names: c2 is a cluster, c2n1 a
            node.
        yaml: The reflector's configuration.
        families: 4 and 6: which addresses nodes and pods have in Kubernetes.
        size: Nodes of a cluster.
        pod_cidrs: Of nodes that have another IPv4 pod CIDR than their own.
        services: Addresses of a service of each cluster, by its name.
        since: The first kube-router for which it works.
        behind: The address that each node has behind a NAT of its own, as VirtualBox gives 10.0.2.15 to each
            virtual machine; empty if there is no NAT.
        firewall: What iptables appends on single nodes.
    """

    name: str
    flags: Flags = field(default_factory=dict)
    nodes: Mapping[str, Flags] = field(default_factory=dict)
    yaml: str = ""
    families: tuple[int, ...] = (4,)
    size: int = 2
    pod_cidrs: Mapping[str, str] = field(default_factory=dict)
    services: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    since: tuple[int, int] = (1, 0)
    behind: str = ""
    firewall: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def flags_of(self, name: str) -> list[str]:
        """The command line of a node's kube-router."""
        flags = {**_COURSE, **self.flags}
        for beginning, more in self.nodes.items():
            if name.startswith(beginning):
                flags |= more
        return [f"{flag}={value}" for flag, value in flags.items() if value]


GRACEFUL: Final[Flags] = {"--bgp-graceful-restart": "true"}
_IPV6: Final = {"--enable-ipv6": "true"}
_OWN_AS: Final = {
    "c1": {"--cluster-asn": "65001"},
    "c2": {"--cluster-asn": "65002"},
}
_ANY_AS: Final = "ranges:\n  - network: 0.0.0.0/0\n    remote-as: any\n"
SIGNED_YAML: Final = "ranges:\n  - network: 0.0.0.0/0\n    password: what-is-on-the-board\n"
SIGNED: Final = {"--peer-router-passwords": "d2hhdC1pcy1vbi10aGUtYm9hcmQ="}
_IPV6_ONLY: Final = {
    **_IPV6,
    "--enable-ipv4": "false",
    "--peer-router-ips": "fd77::1",
    "--service-cluster-ip-range": "fd96::/108",
}

SETTINGS: Final = (
    Setting(name="as a course has it"),
    Setting(name="graceful restart", flags=GRACEFUL),
    Setting(name="dual stack", flags=_IPV6, families=(4, 6), since=(2, 7)),
    Setting(
        name="dual stack, graceful restart",
        flags={**_IPV6, **GRACEFUL},
        families=(4, 6),
        since=(2, 0),
    ),
    Setting(
        name="IPv6 only",
        flags=_IPV6_ONLY,
        nodes={
            f"c{cluster}n{number}": {"--router-id": f"10.77.0.{cluster}{number}"}
            for cluster in (1, 2)
            for number in (1, 2)
        },
        families=(6,),
        since=(2, 0),
    ),
    Setting(
        name="IPv6 only, --router-id=generate",
        flags={**_IPV6_ONLY, "--router-id": "generate"},
        families=(6,),
        since=(2, 0),
    ),
    Setting(name="a password", flags=SIGNED, yaml=SIGNED_YAML),
    Setting(name="each cluster an AS of its own", nodes=_OWN_AS, yaml=_ANY_AS),
    Setting(
        name="each cluster an AS of its own, dual stack, graceful restart",
        flags={**_IPV6, **GRACEFUL},
        nodes=_OWN_AS,
        yaml=_ANY_AS,
        families=(4, 6),
        since=(2, 0),
    ),
    Setting(name="one cluster in an AS of its own", nodes={"c2": _OWN_AS["c2"]}, yaml=_ANY_AS),
    Setting(
        name="a route server",
        nodes=_OWN_AS,
        yaml="ranges:\n  - network: 0.0.0.0/0\n    remote-as: external\n    route-server: true\n",
    ),
    Setting(name="four nodes a cluster", size=4),
    Setting(name="overlays as they come", flags={"--enable-overlay": ""}),
    Setting(name="--override-nexthop", flags={"--override-nexthop": "true"}),
    Setting(name="no mesh in a cluster", flags={"--enable-ibgp": "false"}),
    Setting(
        name="a firewall before the port 179 of a cluster's nodes",
        firewall=dict.fromkeys(("c2n1", "c2n2"), ("INPUT -p tcp --dport 179 -j DROP",)),
    ),
    Setting(
        name="services",
        flags={
            "--advertise-cluster-ip": "true",
            "--advertise-external-ip": "true",
            "--service-cluster-ip-range": "10.96.0.0/11",
            "--service-external-ip-range": "203.0.113.0/24",
        },
        services={"c1": ("10.96.0.10", "203.0.113.1"), "c2": ("10.97.0.10", "203.0.113.2")},
    ),
    Setting(
        name="services with addresses that both clusters use",
        flags={"--advertise-cluster-ip": "true"},
        services={"c1": ("10.96.0.10",), "c2": ("10.96.0.10",)},
    ),
)
