"""Three clusters on one network, two of them in ASes of their own: their pods reach each other."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import permutations
from typing import Final

import pytest

from tests.lab.conftest import DEBUG_PREFIX, HOLD_TIME_S, REFLECTOR_ADDRESS, Course, Node
from tests.support.bird import Bird
from tests.support.netns import Lab, pod_subnet_ipv6
from tests.support.peer import PeerSettings, announce_all
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

pytestmark = pytest.mark.lab

OUR_AS: Final = 64512
# Node name: its AS, its address, its pods' subnet.
NODES: Final = {
    "xa": (65001, "10.77.0.11", "10.11.0.0/24"),
    "xb": (4200000001, "10.77.0.21", "10.21.0.0/24"),
    "xc": (OUR_AS, "10.77.0.31", "10.31.0.0/24"),
}
CONFIG: Final = """\
ranges:
  - network: 10.77.0.0/24
    remote-as: any
    route-server: {}
"""


@pytest.fixture(params=["false", "true"], ids=["ordinary", "route server"])
def clusters(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Course]:
    """Build the lab and start everything."""
    directory = tmp_path_factory.mktemp("x")
    config = directory / "reflector.yaml"
    config.write_text(CONFIG.format(request.param))
    lab = Lab("x")
    try:
        host = lab.add_host("xr", REFLECTOR_ADDRESS)
    except BaseException:
        lab.close()
        raise
    reflector = ReflectorProcess(
        ReflectorSettings(
            directory=directory / "reflector",
            netns=host.netns,
            arguments=("--config", str(config)),
        )
    )
    made = Course(lab, reflector, {}, directory)
    try:
        reflector.start()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: _start(made, name), NODES))
        yield made
    finally:
        made.close()


def _start(course: Course, name: str) -> None:
    asn, address, pod_subnet = NODES[name]
    host = course.lab.add_host(name, address, pod_subnet=pod_subnet)
    settings = PeerSettings(
        name=name,
        directory=course.directory / name,
        local_address=address,
        reflector_address=REFLECTOR_ADDRESS,
        reflector_port=179,
        netns=host.netns,
        asn=asn,
        reflector_asn=OUR_AS,
        next_hop_ipv6=host.address_ipv6,
        hold_time_s=HOLD_TIME_S,
        announcements=announce_all(pod_subnet, pod_subnet_ipv6(pod_subnet)),
    )
    course.nodes[name] = Node(host, Bird(settings, installs_routes=True), pod_subnet)
    course.nodes[name].bird.start()


@pytest.mark.rfc("4271", "5.1.3 external")
@pytest.mark.rfc("7947", "2.2.1")
def test_pods_ping_across_clusters_in_ases_of_their_own(clusters: Course) -> None:
    """RFC 4271 5.1.3: with the next hop of the node itself, and nothing through the reflector."""
    clusters.wait_complete()
    for source, target in permutations(clusters.nodes.values(), 2):
        source.pings(target)
    node = clusters.nodes["xb"]
    node.bird.kill()
    for other in clusters.others("xb"):
        clusters.wait_without(other, node.expected_routes)
        assert other.kernel_routes()[DEBUG_PREFIX] == REFLECTOR_ADDRESS
    node.bird.start()
    clusters.wait_complete()
