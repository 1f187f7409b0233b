"""Two clusters, each node a network namespace with a real kube-router and a pod behind it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Final

from tests.kube_router.setting import REFLECTOR, SECOND, Setting
from tests.support.netns import Host, Lab, ip, pod_subnet_ipv6
from tests.support.process import (
    BackgroundProcess,
    QueryError,
    find_binary,
    in_netns,
    query,
    wait_until,
)
from tests.support.reflector_process import REPOSITORY, Reflector, ReflectorSettings

_API_PORT: Final = 8080
_DEADLINE_S: Final = 180.0

_KUBECONFIG: Final = f"""\
apiVersion: v1
kind: Config
clusters: [{{name: class, cluster: {{server: "http://127.0.0.1:{_API_PORT}"}}}}]
users: [{{name: node, user: {{}}}}]
contexts: [{{name: class, context: {{cluster: class, user: node}}}}]
current-context: class
"""


@dataclass(frozen=True)
class Node:
    """A node of a cluster."""

    name: str
    cluster: str
    host: Host
    pod_cidr: str

    def in_kubernetes(self, setting: Setting) -> tuple[str, list[str], list[str]]:
        """Its name, addresses and pod CIDRs there."""
        addresses = {4: setting.behind or self.host.address, 6: self.host.address_ipv6}
        pod_cidrs = {4: self.pod_cidr, 6: pod_subnet_ipv6(self.pod_cidr)}
        return (
            self.name,
            [addresses[each] for each in setting.families],
            [pod_cidrs[each] for each in setting.families],
        )

    def reaches(self, address: str | None) -> bool:
        """Whether a ping from its pod is answered."""
        assert self.host.pod_netns is not None
        assert address is not None
        ping = (find_binary("ping"), "-n", "-c", "1", "-W", "1", address)
        try:
            query([*in_netns(self.host.pod_netns), *ping])
        except QueryError:
            return False
        return True


class Classroom:
    """The class and its reflectors.

    Args:
        kube_router: The program.
        setting: How it is set up.
        makers: Make the reflectors, one or two.
        directory: For logs and what processes need.
    """

    def __init__(
        self,
        kube_router: Path,
        setting: Setting,
        makers: list[Callable[[ReflectorSettings], Reflector]],
        directory: Path,
    ) -> None:
        self._kube_router, self.setting, self._directory = kube_router, setting, directory
        self._lab = Lab("kr-")
        self.reflectors = [
            self._add_reflector(make, address)
            for make, address in zip(makers, (REFLECTOR, SECOND), strict=False)
        ]
        self.nodes = [
            self._add(f"c{cluster}", number)
            for cluster in (1, 2)
            for number in range(1, setting.size + 1)
        ]
        self._processes: dict[str, BackgroundProcess] = {}

    def start(self) -> None:
        """Start everything, and wait until every pod reaches every other."""
        self.start_processes()
        self.wait_reached()

    def start_processes(self) -> None:
        """Start everything."""
        for reflector in self.reflectors:
            reflector.start()
        (self._directory / "kubeconfig").write_text(_KUBECONFIG)
        for node in self.nodes:
            cluster = {
                "nodes": [
                    each.in_kubernetes(self.setting)
                    for each in self.nodes
                    if each.cluster == node.cluster
                ],
                "service": self.setting.services.get(node.cluster, ()),
            }
            api = ("-m", "tests.kube_router.api", str(_API_PORT), json.dumps(cluster))
            self._run(f"api-{node.name}", node, sys.executable, *api)
            for address in self.setting.services.get(node.cluster, ()):
                ip("addr", "add", f"{address}/32", "dev", "lo", netns=node.host.netns)
            self.start_node(node)

    def start_node(self, node: Node) -> None:
        """Start a node's kube-router."""
        own = (
            f"--hostname-override={node.name}",
            f"--kubeconfig={self._directory / 'kubeconfig'}",
        )
        flags = self.setting.flags_of(node.name)
        # GoBGP tells the machine's name (FQDN capability), which is a namespace's too.
        named = ("unshare", "--uts", "sh", "-c", f'hostname {node.name}; exec "$@"', "-")
        self._run(node.name, node, *named, str(self._kube_router), *own, *flags)

    def kill_node(self, node: Node) -> None:
        """Kill -9 a node's kube-router; its kernel keeps its routes."""
        self._processes[node.name].kill()

    def stop_node(self, node: Node) -> None:
        """End a node's kube-router politely."""
        self._processes[node.name].stop()

    def log_of(self, node: Node) -> str:
        """What a node's kube-router has said."""
        return self._processes[node.name].log()

    def all_reached(self) -> bool:
        """Whether every pod reaches every other, and every service's address."""
        pairs = [
            (one, address)
            for one, other in permutations(self.nodes, 2)
            for family, address in (
                (4, other.host.pod_address),
                (6, other.host.pod_address_ipv6),
            )
            if family in self.setting.families
        ]
        services = [
            (node, address)
            for node in self.nodes
            for addresses in self.setting.services.values()
            for address in addresses
        ]
        return all(node.reaches(address) for node, address in pairs + services)

    def wait_reached(self) -> None:
        """Wait until every pod reaches every other, and every service's address."""
        wait_until(
            self.all_reached,
            what="every pod reaches every other",
            timeout_s=_DEADLINE_S,
            explain=self.explain,
        )

    def wait_connected(self) -> None:
        """Wait until every node is connected with every reflector: pings may be answered long before."""
        wait_until(
            lambda: all(self._connected(each) >= len(self.nodes) for each in self.reflectors),
            what="every node is connected",
            timeout_s=_DEADLINE_S,
            explain=self.explain,
        )

    def explain(self) -> str:
        """What helps to understand a failure."""
        logs = [each.log_tail() for each in self._processes.values()]
        return "\n".join([*(each.explain() for each in self.reflectors), *logs])

    def close(self) -> None:
        """End everything."""
        for process in self._processes.values():
            process.kill()
        for reflector in self.reflectors:
            reflector.stop()
        self._lab.close()

    def _connected(self, reflector: Reflector) -> int:
        bgp = ("state", "established", "( sport = :179 or dport = :179 )")
        sockets = query(
            [*in_netns(reflector.settings.netns), find_binary("ss"), "-Htn", *bgp]
        ).splitlines()
        return sum(each.host.address in socket for each in self.nodes for socket in sockets)

    def _add_reflector(
        self, make: Callable[[ReflectorSettings], Reflector], address: str
    ) -> Reflector:
        last = address.rpartition(".")[2]
        host = self._lab.add_host(f"r{last}", address)
        listen = (address, host.address_ipv6) if 6 in self.setting.families else (address,)
        return make(
            ReflectorSettings(
                directory=self._directory / f"reflector-{last}",
                listen=listen,
                router_id=f"223.255.0.{last}",  # high, as ours is where nobody sets it
                netns=host.netns,
            )
        )

    def _add(self, cluster: str, number: int) -> Node:
        name, last = f"{cluster}n{number}", f"{cluster[1:]}{number}"
        pod_cidr = self.setting.pod_cidrs.get(name, f"10.{last}.0.0/24")
        host = self._lab.add_host(name, f"10.77.0.{last}", pod_subnet=pod_cidr)
        if self.setting.behind:
            ip("link", "add", "nat0", "type", "bridge", netns=host.netns)
            ip("addr", "add", f"{self.setting.behind}/24", "dev", "nat0", netns=host.netns)
            ip("link", "set", "nat0", "up", netns=host.netns)
            behind = ("-s", self.setting.behind, "-o", "eth0", "-j", "MASQUERADE")
            _iptables(host, "-t", "nat", "-A", "POSTROUTING", *behind)
        for rule in self.setting.firewall.get(name, ()):
            _iptables(host, "-A", *rule.split())
        return Node(name, cluster, host, pod_cidr)

    def _run(self, name: str, node: Node, *command: str) -> None:
        self._processes[name] = BackgroundProcess(
            name,
            command,
            log_path=self._directory / f"{name}.log",
            netns=node.host.netns,
            cwd=REPOSITORY,
        )


def _iptables(host: Host, *arguments: str) -> None:
    query([*in_netns(host.netns), find_binary("iptables"), *arguments])
