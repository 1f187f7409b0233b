"""`curl http://1.0.0.2/` of a pod and of its node, over routes that a kernel has from its BIRD."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import pytest

from tests.support.bird import Bird
from tests.support.netns import Host, Lab, ip
from tests.support.peer import PeerSettings, announce_all
from tests.support.process import find_binary, in_netns, query, wait_until
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

pytestmark = pytest.mark.lab

REFLECTOR: Final = "10.77.0.1"
NODE: Final = "10.77.0.11"
PODS: Final = "10.11.0.0/24"
POD: Final = "10.11.0.2"
URL: Final = "http://1.0.0.2/"


@dataclass
class Class:
    """A reflector that owns the debug address, and one node with a pod."""

    hub: Host
    node: Host
    reflector: ReflectorProcess
    bird: Bird

    def explain(self) -> str:
        """What helps to understand a failure."""
        return f"{self.reflector.explain()}\n{self.bird.explain()}"

    def curl(self, netns: str | None, *options: str) -> str:
        """Ask as a student does, until there is an answer."""
        assert netns is not None
        command = [*in_netns(netns), find_binary("curl"), "-sS", "-m", "3", *options, URL]
        return wait_until(lambda: query(command), what="curl has an answer", explain=self.explain)


@pytest.fixture(scope="module")
def classroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """Build it; the debug address is given to the machine after the reflector has started."""
    directory = tmp_path_factory.mktemp("who")
    lab = Lab("who-")
    try:
        hub = lab.add_host("rr", REFLECTOR)
        node = lab.add_host("n1", NODE, pod_subnet=PODS)
        reflector = ReflectorProcess(
            ReflectorSettings(
                directory=directory / "reflector",
                router_id=REFLECTOR,
                netns=hub.netns,
                arguments=("--whoami", "1.0.0.2:80"),
            )
        )
        bird = Bird(
            PeerSettings(
                name="n1",
                directory=directory / "bird",
                local_address=NODE,
                reflector_address=REFLECTOR,
                reflector_port=179,
                netns=node.netns,
                announcements=announce_all(PODS),
            ),
            installs_routes=True,
        )
        made = Class(hub, node, reflector, bird)
        reflector.start()
        try:
            wait_until(
                lambda: "ip address add 1.0.0.2/32 dev lo" in reflector.explain(),
                what="it says what is missing",
                explain=reflector.explain,
            )
            ip("address", "add", "1.0.0.2/32", "dev", "lo", netns=hub.netns)
            bird.start()
            bird.wait_established()
            wait_until(
                lambda: "1.0.0.2 via 10.77.0.1" in ip("route", netns=node.netns),
                what="the node's kernel has the debug route",
                explain=made.explain,
            )
            yield made
        finally:
            bird.kill()
            reflector.stop()
    finally:
        lab.close()


@contextmanager
def masquerading(node: Host) -> Iterator[None]:
    """What kube-router does with what leaves a pod for outside of its cluster."""
    rule = ("POSTROUTING", "-s", PODS, "-o", "eth0", "-j", "MASQUERADE")
    iptables = [*in_netns(node.netns), find_binary("iptables"), "-t", "nat"]
    query([*iptables, "-A", *rule])
    try:
        yield
    finally:
        query([*iptables, "-D", *rule])


def test_node_is_told_that_it_is_one(classroom: Class) -> None:
    said = classroom.curl(classroom.node.netns)
    assert said.startswith(f"You are {NODE}, and you reach the reflector and it reaches you")
    assert f"({NODE}, router id {NODE})" in said
    assert f"  {PODS}\n" in said


def test_pod_comes_with_its_nodes_address_as_from_kube_router(classroom: Class) -> None:
    with masquerading(classroom.node):
        said = classroom.curl(classroom.node.pod_netns)
    assert said.startswith(f"You are {NODE},")
    assert "or a pod of it" in said


def test_pod_with_its_own_address_is_found_by_its_pod_cidr(classroom: Class) -> None:
    """For that, the reflector's machine needs a route to the pods: no address is translated."""
    ip("route", "add", PODS, "via", NODE, netns=classroom.hub.netns)
    try:
        said = classroom.curl(classroom.node.pod_netns)
    finally:
        ip("route", "delete", PODS, netns=classroom.hub.netns)
    assert said.startswith(f"You are {POD},")
    assert f"({NODE}, router id {NODE}), whose {PODS} holds you." in said


def test_a_browser_is_answered_in_html(classroom: Class) -> None:
    said = classroom.curl(classroom.node.netns, "-i", "-H", "Accept: text/html,*/*")
    assert "Content-Type: text/html; charset=utf-8" in said
    assert f"<li>{PODS}</li>" in said


def test_the_debug_address_is_not_offered_to_peers(classroom: Class) -> None:
    """It is on the machine now; who dialled it would have a session by way of its own route."""
    socket_path = str(classroom.reflector.control_socket)
    flags = query([sys.executable, "-m", "reflector", "flags", "--socket", socket_path])
    assert REFLECTOR in flags
    assert "1.0.0.2" not in flags
