"""Two clusters of two nodes, each a network namespace with a real kube-router and a pod behind it."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Final

from tests.support.netns import Host, Lab
from tests.support.process import (
    BackgroundProcess,
    QueryError,
    find_binary,
    in_netns,
    query,
    wait_until,
)
from tests.support.reflector_process import REPOSITORY, ReflectorSettings, make_reflector

_REFLECTOR: Final = "10.77.0.1"
_API_PORT: Final = 8080
_DEADLINE_S: Final = 180.0

# As a course has it: the router alone, with the two flags that the reflector prints.
_FLAGS: Final = (
    *("--run-router=true", "--run-firewall=false", "--run-service-proxy=false"),
    *("--enable-cni=false", "--enable-overlay=false", "--enable-pod-egress=false"),
    *("--cluster-asn=64512", f"--peer-router-ips={_REFLECTOR}", "--peer-router-asns=64512"),
    "--health-port=0",
)
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
    cluster: int
    host: Host
    pod_cidr: str

    def reaches(self, other: Node) -> bool:
        """Whether a ping from its pod to the other's is answered."""
        assert self.host.pod_netns is not None
        assert other.host.pod_address is not None
        ping = (find_binary("ping"), "-n", "-c", "1", "-W", "1", other.host.pod_address)
        try:
            query([*in_netns(self.host.pod_netns), *ping])
        except QueryError:
            return False
        return True


class Classroom:
    """The class, and the reflector that REFLECTOR_UNDER_TEST names: ours, if it names none.

    Args:
        kube_router: The program.
        flags: More flags for it.
        directory: For logs and what processes need.
    """

    def __init__(self, kube_router: Path, flags: tuple[str, ...], directory: Path) -> None:
        self._kube_router, self._flags, self._directory = kube_router, flags, directory
        self._lab = Lab("kr-")
        self.netns = self._lab.add_host("r", _REFLECTOR).netns
        self.nodes = [self._add(cluster, number) for cluster in (1, 2) for number in (1, 2)]
        self._processes: dict[str, BackgroundProcess] = {}
        self.reflector = make_reflector(
            ReflectorSettings(
                directory=directory / "reflector", listen=(_REFLECTOR,), netns=self.netns
            )
        )

    def start(self) -> None:
        """Start everything, and wait until every pod reaches every other."""
        self.reflector.start()
        (self._directory / "kubeconfig").write_text(_KUBECONFIG)
        for node in self.nodes:
            cluster = [
                (each.name, each.host.address, each.pod_cidr)
                for each in self.nodes
                if each.cluster == node.cluster
            ]
            api = ("-m", "tests.kube_router.api", str(_API_PORT), json.dumps(cluster))
            self._run(f"api-{node.name}", node, sys.executable, *api)
            self.start_node(node)
        self.wait_reached()

    def start_node(self, node: Node) -> None:
        """Start a node's kube-router."""
        name = (
            "--hostname-override",
            node.name,
            "--kubeconfig",
            str(self._directory / "kubeconfig"),
        )
        self._run(node.name, node, str(self._kube_router), *_FLAGS, *name, *self._flags)

    def kill_node(self, node: Node) -> None:
        """Kill -9 a node's kube-router; its kernel keeps its routes."""
        self._processes[node.name].kill()

    def wait_reached(self) -> None:
        """Wait until every pod reaches every other."""
        wait_until(
            lambda: all(one.reaches(other) for one, other in permutations(self.nodes, 2)),
            what="every pod reaches every other",
            timeout_s=_DEADLINE_S,
            explain=self.explain,
        )

    def explain(self) -> str:
        """What helps to understand a failure."""
        logs = [each.log_tail() for each in self._processes.values()]
        return "\n".join([self.reflector.explain(), *logs])

    def close(self) -> None:
        """End everything."""
        for process in self._processes.values():
            process.kill()
        self.reflector.stop()
        self._lab.close()

    def _add(self, cluster: int, number: int) -> Node:
        name, pod_cidr = f"c{cluster}n{number}", f"10.{cluster}{number}.0.0/24"
        host = self._lab.add_host(name, f"10.77.0.{cluster}{number}", pod_subnet=pod_cidr)
        return Node(name, cluster, host, pod_cidr)

    def _run(self, name: str, node: Node, *command: str) -> None:
        self._processes[name] = BackgroundProcess(
            name,
            command,
            log_path=self._directory / f"{name}.log",
            netns=node.host.netns,
            cwd=REPOSITORY,
        )
