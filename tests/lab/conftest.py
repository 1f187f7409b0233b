"""The course on one machine: two clusters of two nodes and the reflector on one layer-2 network.

Each node is a network namespace whose BIRD installs what it learns in that namespace's kernel, and
has a pod (a further namespace) behind it. What the tests see is what a student sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.support.bird import Bird
from tests.support.netns import Host, Lab, ip, pod_subnet_ipv6
from tests.support.peer import PeerSettings, announce_all, normal_prefix
from tests.support.process import PATIENCE_S, QueryError, find_binary, in_netns, query, wait_until
from tests.support.reflector_process import Reflector, ReflectorSettings, make_reflector

REFLECTOR_ADDRESS: Final = "10.77.0.1"
DEBUG_PREFIX: Final = "1.0.0.2/32"

# A kube-router default. Longer than any wait here: no test may pass because a hold timer expired.
HOLD_TIME_S: Final = 90

# Node name: its address, its pods' subnet.
NODES: Final = {
    "a1": ("10.77.0.11", "10.11.0.0/24"),
    "a2": ("10.77.0.12", "10.12.0.0/24"),
    "b1": ("10.77.0.21", "10.21.0.0/24"),
    "b2": ("10.77.0.22", "10.22.0.0/24"),
}


@dataclass
class Node:
    """One node of a cluster: a host, its BIRD, and the pod behind it."""

    host: Host
    bird: Bird
    pod_subnet: str

    @property
    def expected_routes(self) -> dict[str, str]:
        """What another node's kernel must show once it has learned this one's routes."""
        return {
            self.pod_subnet: self.host.address,
            normal_prefix(pod_subnet_ipv6(self.pod_subnet)): self.host.address_ipv6,
        }

    def kernel_routes(self) -> dict[str, str]:
        """Return the gateways in this node's kernel by prefix, as `ip route` shows them."""
        found = {}
        for family in ("-4", "-6"):
            for line in ip(family, "route", "show", netns=self.host.netns).splitlines():
                if route := re.match(r"(\S+) via (\S+)", line):
                    found[normal_prefix(route[1])] = route[2]
        return found

    def pings(self, other: Node) -> None:
        """Ping another node's pod from this one's, by IPv4 and IPv6, until it answers."""
        if self.host.pod_netns is None:
            raise AssertionError(self)
        ping = (find_binary("ping"), "-n", "-c", "1", "-W", "2")
        for address in (other.host.pod_address, other.host.pod_address_ipv6):
            command = [*in_netns(self.host.pod_netns), *ping, str(address)]
            wait_until(partial(query, command), what=f"{address} answers pings")


@dataclass
class Course:
    """The lab with everything in it."""

    lab: Lab
    reflector: Reflector
    nodes: dict[str, Node]
    directory: Path

    def others(self, name: str) -> list[Node]:
        """Return every node but one."""
        return [node for key, node in self.nodes.items() if key != name]

    def start_node(self, name: str, *, hold_time_s: int = HOLD_TIME_S) -> Node:
        """Plug a node in and start its BIRD."""
        address, pod_subnet = NODES[name]
        host = self.lab.add_host(name, address, pod_subnet=pod_subnet)
        settings = PeerSettings(
            name=name,
            directory=self.directory / name,
            local_address=address,
            reflector_address=REFLECTOR_ADDRESS,
            reflector_port=179,
            netns=host.netns,
            next_hop_ipv6=host.address_ipv6,
            hold_time_s=hold_time_s,
            announcements=announce_all(pod_subnet, pod_subnet_ipv6(pod_subnet)),
        )
        node = Node(host, Bird(settings, installs_routes=True), pod_subnet)
        self.nodes[name] = node
        node.bird.start()
        return node

    def cut_node(self, name: str) -> Node:
        """Take a node away as a power cut does: it sends nothing more, not even a FIN."""
        node = self.nodes.pop(name)
        self.lab.unplug(node.host)
        node.bird.kill()
        return node

    def wait_complete(self, timeout_s: float = PATIENCE_S) -> None:
        """Wait until every node's kernel has the debug route and every other node's pods."""
        for name in self.nodes:
            self.wait_node_complete(name, timeout_s)

    def wait_node_complete(self, name: str, timeout_s: float = PATIENCE_S) -> None:
        """Wait until one node's kernel has everything."""
        expected = {DEBUG_PREFIX: REFLECTOR_ADDRESS}
        for other in self.others(name):
            expected |= other.expected_routes
        node = self.nodes[name]
        wait_until(
            lambda: node.kernel_routes().items() >= expected.items(),
            what=f"{name}: ip route shows {expected}",
            timeout_s=timeout_s,
            explain=lambda: self.explain(node),
        )

    def wait_without(self, node: Node, gone: dict[str, str], timeout_s: float = PATIENCE_S) -> None:
        """Wait until a node's kernel has none of some prefixes."""
        wait_until(
            lambda: not node.kernel_routes().keys() & gone.keys(),
            what=f"{node.bird.settings.name}: ip route no longer shows {list(gone)}",
            timeout_s=timeout_s,
            explain=lambda: self.explain(node),
        )

    def explain(self, node: Node) -> str:
        """Return what helps to understand a failure at one node."""
        try:
            routes = "\n".join(f"{key} via {via}" for key, via in node.kernel_routes().items())
        except QueryError as error:
            routes = str(error)
        return f"{routes}\n{node.bird.explain()}\n{self.reflector.explain()}"

    def close(self) -> None:
        """End everything."""
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda node: node.bird.kill(), self.nodes.values()))
            self.reflector.stop()
        finally:
            self.reflector.kill()
            self.lab.close()


@pytest.fixture(scope="package")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """Build the lab, start everything and wait until all nodes know all."""
    directory = tmp_path_factory.mktemp("l")
    lab = Lab()
    try:
        host = lab.add_host("rr", REFLECTOR_ADDRESS)
        reflector = make_reflector(
            ReflectorSettings(
                directory=directory / "reflector", router_id=REFLECTOR_ADDRESS, netns=host.netns
            )
        )
    except BaseException:
        lab.close()
        raise
    made = Course(lab, reflector, {}, directory)
    try:
        reflector.start()
        for name in NODES:
            made.start_node(name)
        made.wait_complete()
        yield made
    finally:
        made.close()
