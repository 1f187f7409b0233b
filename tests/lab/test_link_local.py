"""BGP over link-local addresses: a neighbor that is named and dialled, and one out of a range."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import permutations
from typing import Final

import pytest

from tests.lab.conftest import HOLD_TIME_S, REFLECTOR_ADDRESS, Course, Node
from tests.support.bird import Bird
from tests.support.netns import Host, Lab, ip, pod_subnet_ipv6
from tests.support.peer import Announcement, PeerSettings
from tests.support.process import wait_until
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

pytestmark = pytest.mark.lab

# Node name: its address, its pods' subnet.
NODES: Final = {"la": ("10.77.0.11", "10.11.0.0/24"), "lb": ("10.77.0.21", "10.21.0.0/24")}
OUR_PREFIX6: Final = "2001:db8:77::/64"
CONFIG: Final = """\
networks:
  - prefix: 1.0.0.2/32
  - prefix: {}
ranges:
  - network: fe80::/10
neighbors:
  - address: {}
    port: 17900
"""


def link_local(host: Host) -> str:
    """Return a host's link-local address, once the kernel is sure that nobody else has it."""
    return wait_until(
        lambda: (
            ip(
                *("-6", "-o", "addr", "show", "dev", "eth0", "scope", "link", "-tentative"),
                netns=host.netns,
            )
            .partition("inet6 ")[2]
            .partition("/")[0]
        ),
        what="a link-local address is there",
    )


@pytest.fixture
def neighbors(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    """Build the lab and start everything."""
    directory = tmp_path_factory.mktemp("y")
    lab = Lab("y")
    made: Course | None = None
    try:
        host = lab.add_host("yr", REFLECTOR_ADDRESS)
        hosts = {
            name: lab.add_host(name, address, pod_subnet=pods)
            for name, (address, pods) in NODES.items()
        }
        config = directory / "reflector.yaml"
        config.write_text(CONFIG.format(OUR_PREFIX6, f"{link_local(hosts['la'])}%eth0"))
        reflector = ReflectorProcess(
            ReflectorSettings(
                directory=directory / "reflector",
                netns=host.netns,
                arguments=("--config", str(config)),
            )
        )
        made = Course(lab, reflector, {}, directory)
        ours = link_local(host)
        reflector.start()
        for name, each in hosts.items():
            settings = PeerSettings(
                name=name,
                directory=directory / name,
                local_address=link_local(each),
                router_id=each.address,
                next_hop_ipv6=each.address_ipv6,
                reflector_address=ours,
                reflector_port=179,
                netns=each.netns,
                hold_time_s=HOLD_TIME_S,
                announcements=(
                    Announcement(prefix=NODES[name][1], next_hop=each.address),
                    Announcement(prefix=pod_subnet_ipv6(NODES[name][1])),
                ),
            )
            bird = Bird(settings, installs_routes=True, passive=name == "la")
            made.nodes[name] = Node(each, bird, NODES[name][1])
            bird.start()
        yield made
    finally:
        if made is None:
            lab.close()
        else:
            made.close()


@pytest.mark.rfc("2545", "3 link-local session")
def test_routes_travel_over_link_local_sessions(neighbors: Course) -> None:
    """RFC 2545 3: our own next hop is the global address, with the link's behind it."""
    neighbors.wait_complete()
    nodes = list(neighbors.nodes.values())
    for source, target in permutations(nodes, 2):
        source.pings(target)
    for node in nodes:
        wait_until(
            partial(_has_our_route, node),
            what="our own IPv6 route is there",
            explain=partial(neighbors.explain, node),
        )
        told = node.bird.routes()
        assert told["1.0.0.2/32"].next_hop == REFLECTOR_ADDRESS
        assert told[OUR_PREFIX6].next_hop == "fd77::1"
    log = neighbors.reflector.explain()
    assert all(f'"peer": "{node.bird.settings.local_address}%eth0"' in log for node in nodes)


def _has_our_route(node: Node) -> bool:
    return OUR_PREFIX6 in node.kernel_routes()
