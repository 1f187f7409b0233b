"""Two reflectors on real networks, one killed while pings run: nothing that is on both loses one.

The nodes' BIRDs install routes into their kernels and, like kube-router without graceful restart,
take a reflector's routes out the moment its session falls. The configuration is that of config/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.bird import Bird
from tests.support.netns import Host, Lab, pod_subnet_ipv6
from tests.support.peer import PeerSettings, announce_all, normal_prefix
from tests.support.pinging import INTERVAL_S, Pinging
from tests.support.process import wait_until
from tests.support.reflector_process import (
    OURS,
    ReflectorProcess,
    ReflectorSettings,
    make_reflector,
)

pytestmark = pytest.mark.lab

CONFIG: Final = Path(__file__).resolve().parents[2] / "config"
DEBUG_PREFIX: Final = "1.0.0.2/32"
HOLD_TIME_S: Final = 90  # longer than any wait here

# The addresses of the example, and those of the lab in their place.
A, B = "10.77.0.1", "10.77.0.2"
ADDRESSES: Final = {"192.0.2.11": A, "192.0.2.12": B}

# Node: its address, its pods' subnet, its reflectors.
NODES: Final = {
    "n1": ("10.77.0.11", "10.11.0.0/24", (A, B)),
    "n2": ("10.77.0.12", "10.12.0.0/24", (B, A)),
    "n3": ("10.77.0.13", "10.13.0.0/24", (A,)),
    "n4": ("10.77.0.14", "10.14.0.0/24", (B,)),
}
ON_BOTH: Final = ("n1", "n2")


@dataclass(frozen=True)
class Topology:
    """How the two reflectors see each other.

    Args:
        one_cluster: Whether both have the first one's cluster id.
        hierarchy: Whether the first is a client of the second.
    """

    one_cluster: bool = False
    hierarchy: bool = False


TOPOLOGIES: Final = {
    "as in the example": Topology(),
    "one cluster": Topology(one_cluster=True),
    "hierarchy": Topology(hierarchy=True),
}


@dataclass
class Node:
    """A node, its BIRD, and what others must know of it."""

    host: Host
    bird: Bird
    pods: tuple[str, str]


class OneReflector(ReflectorProcess):
    """One of the two: all that it is stands in its file."""

    def command(self) -> list[str]:
        """Return the command line: nothing but the file and what tells two on one machine apart."""
        command = super().command()
        file = str(self.settings.directory / "reflector.yaml")
        return [
            *command[:4],
            "--config",
            file,
            "--socket",
            str(self.control_socket),
            "--http",
            "off",
        ]


class TwoReflectors:
    """The network with nodes and two reflectors that can be set up in one topology after another."""

    def __init__(self, lab: Lab, directory: Path) -> None:
        self.nodes: dict[str, Node] = {}
        self.reflectors: dict[str, OneReflector] = {}
        self.directory = directory
        self._lab = lab

    def build(self) -> None:
        """Plug everything in; nothing is started but the nodes' BIRDs."""
        for letter, address in zip("ab", (A, B), strict=True):
            netns = self._lab.add_host(letter, address).netns
            settings = ReflectorSettings(directory=self.directory / letter, netns=netns)
            self.reflectors[address] = OneReflector(settings)
            settings.directory.mkdir()
        for name, (address, subnet, reflectors) in NODES.items():
            host = self._lab.add_host(name, address, pod_subnet=subnet)
            pods = (subnet, normal_prefix(pod_subnet_ipv6(subnet)))
            peer = PeerSettings(
                name=name,
                directory=self.directory / name,
                local_address=address,
                reflector_address=reflectors[0],
                reflector_port=179,
                netns=host.netns,
                next_hop_ipv6=host.address_ipv6,
                hold_time_s=HOLD_TIME_S,
                announcements=announce_all(*pods),
            )
            bird = Bird(peer, installs_routes=True, more_reflectors=reflectors[1:])
            self.nodes[name] = Node(host, bird, pods)
            bird.start()

    def start(self, topology: Topology) -> None:
        """Start both reflectors from the example's files."""
        for letter, reflector in zip("ab", self.reflectors.values(), strict=True):
            text = (CONFIG / f"two-reflectors-{letter}.yaml").read_text()
            for example, address in ADDRESSES.items():
                text = text.replace(example, address)
            if topology.one_cluster:
                text = re.sub(r"(?m)^cluster-id: .*", "cluster-id: 223.255.0.1", text)
            if topology.hierarchy and letter == "b":
                text = text.replace("client: false", "client: true")
            (reflector.settings.directory / "reflector.yaml").write_text(text)
            reflector.start()

    def others(self, name: str) -> dict[str, Node]:
        """Every node but one that it can hear of."""
        return {key: node for key, node in self.nodes.items() if key != name}

    def wait_told(self, name: str, reflector: str, others: set[str]) -> None:
        """Wait until a reflector has told a node of the debug route and all pods of some others."""
        wanted = {pods for other in others for pods in self.nodes[other].pods} | {DEBUG_PREFIX}
        node = self.nodes[name]
        wait_until(
            lambda: node.bird.prefixes_of(reflector) >= wanted,
            what=f"{name} has {wanted} from {reflector}",
            explain=self.explain,
        )

    def wait_complete(self, topology: Topology) -> None:
        """Wait until each has been told of all others by each of its reflectors."""
        for name, (_, _, reflectors) in NODES.items():
            for reflector in reflectors:
                reachable = set(self.others(name))
                if topology.one_cluster:  # what only the other reflector heard stays with that one
                    reachable = {key for key in reachable if reflector in NODES[key][2]}
                self.wait_told(name, reflector, reachable)

    def wait_left(self, name: str, reflector: str) -> None:
        """Wait until a node has noticed that a reflector is gone."""
        node = self.nodes[name]
        wait_until(
            lambda: not node.bird.prefixes_of(reflector),
            what=f"{name} has nothing from {reflector}",
            explain=self.explain,
        )

    def explain(self) -> str:
        """Return what helps to understand a failure."""
        return "\n".join(
            [each.explain() for each in self.reflectors.values()]
            + [node.bird.explain() for node in self.nodes.values()]
        )

    def close(self) -> None:
        """End everything."""
        try:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda node: node.bird.kill(), self.nodes.values()))
        finally:
            for reflector in self.reflectors.values():
                reflector.kill()
            self._lab.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoReflectors]:
    """Build the network once; topologies come and go on it."""
    directory = tmp_path_factory.mktemp("two")
    if make_reflector(ReflectorSettings(directory=directory)).kind != OURS:
        pytest.skip("the files in config/ are ours")
    made = TwoReflectors(Lab("two-"), directory)
    try:
        made.build()
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("topology", TOPOLOGIES.values(), ids=TOPOLOGIES.keys())
def test_one_of_two_dies_and_comes_back_and_no_ping_is_lost(
    lab: TwoReflectors, topology: Topology
) -> None:
    lab.start(topology)
    try:
        lab.wait_complete(topology)
        first, second = (lab.nodes[name].host for name in ON_BOTH)
        pings = [
            Pinging(first, second, lab.directory),
            Pinging(second, first, lab.directory),
        ]
        for address, reflector in lab.reflectors.items():
            reflector.kill()
            for name in ON_BOTH:
                lab.wait_left(name, address)
            reflector.start()
            lab.wait_complete(topology)
        results = {ping.name: ping.stop() for ping in pings}
        print(f"{topology}: sent and answered {results}")  # noqa: T201 - for docs/two-reflectors.md
        for name, (sent, answered) in results.items():
            assert sent > 1 / INTERVAL_S, name
            assert sent - answered <= 1, f"{name}: {answered} of {sent} pings were answered"
    finally:
        for reflector in lab.reflectors.values():
            reflector.stop()
