"""The only reflector restarts while pings run between two clusters: none is lost.

The nodes' BIRDs install routes into their kernels and keep them as kube-router does with
--bgp-graceful-restart (RFC 4724). `test_redial` shows what it costs those that don't.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.support.bird import Bird
from tests.support.netns import Host, Lab
from tests.support.peer import PeerSettings, announce_all
from tests.support.pinging import INTERVAL_S, Pinging
from tests.support.process import wait_until
from tests.support.reflector_process import OURS, Reflector, ReflectorSettings, make_reflector

pytestmark = pytest.mark.lab

REFLECTOR: Final = "10.77.0.1"
DEBUG_PREFIX: Final = "1.0.0.2/32"
NODES: Final = {"10.77.0.11": "10.11.0.0/24", "10.77.0.12": "10.12.0.0/24"}


@dataclass
class Course:
    """A reflector and a node for each of two clusters."""

    lab: Lab
    reflector: Reflector
    directory: Path
    hosts: list[Host] = field(default_factory=list)
    birds: list[Bird] = field(default_factory=list)

    def add_node(self, number: int) -> None:
        """Start a node."""
        address, pods = list(NODES.items())[number]
        host = self.lab.add_host(f"n{number}", address, pod_subnet=pods)
        peer = PeerSettings(
            name=f"n{number}",
            directory=self.directory / f"n{number}",
            local_address=address,
            reflector_address=REFLECTOR,
            reflector_port=179,
            netns=host.netns,
            next_hop_ipv6=host.address_ipv6,
            announcements=announce_all(pods),
        )
        self.hosts.insert(number, host)
        self.birds.insert(number, Bird(peer, installs_routes=True, graceful_restart=True))
        self.birds[number].start()

    def wait_complete(self) -> None:
        """Wait until each node has the debug route and the other's pods, none of it stale."""
        expected = {DEBUG_PREFIX, *NODES.values()}

        def is_complete() -> bool:
            return all(
                bird.session_state() == "established"
                and expected - {NODES[bird.settings.local_address]} <= bird.routes().keys()
                for bird in self.birds
            )

        wait_until(is_complete, what="each node has all", explain=self.explain)

    def wait_remembered(self) -> None:
        """Wait until each node is in the state file, which is written every two seconds at most.

        Whom a reflector that is killed doesn't remember, it doesn't wait for when it starts.
        """
        file = self.directory / "reflector" / "peers.json"
        wait_until(
            lambda: file.exists() and all(each in file.read_text() for each in NODES),
            what="each node is remembered",
            explain=self.explain,
        )

    def wait_down(self) -> None:
        """Wait until each node has noticed that the reflector is gone."""
        wait_until(
            lambda: all(bird.session_state() != "established" for bird in self.birds),
            what="the sessions are down",
            explain=self.explain,
        )

    def wait_logged(self, text: str) -> None:
        """Wait until the reflector's log says something."""
        wait_until(
            lambda: text in self.reflector.explain(),
            what=f"the log says {text!r}",
            timeout_s=60,
            explain=self.explain,
        )

    def explain(self) -> str:
        """Return what helps to understand a failure."""
        return self.reflector.explain() + "".join(bird.explain() for bird in self.birds)


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    directory = tmp_path_factory.mktemp("graceful")
    lab = Lab("graceful-")
    made = None
    try:
        settings = ReflectorSettings(
            directory=directory / "reflector",
            router_id="223.255.0.1",
            netns=lab.add_host("rr", REFLECTOR).netns,
        )
        reflector = make_reflector(settings)
        if reflector.kind != OURS:
            pytest.skip("what is tested is our own")
        made = Course(lab, reflector, directory)
        reflector.start()
        for number in range(len(NODES)):
            made.add_node(number)
        made.wait_complete()
        made.wait_remembered()
        yield made
        reflector.stop()
    finally:
        if made is not None:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda bird: bird.kill(), made.birds))
            made.reflector.kill()
        lab.close()


@pytest.mark.rfc("4724", "4.1 R bit", "4.1 deferral")
@pytest.mark.parametrize("politely", [False, True], ids=["SIGKILL", "SIGTERM"])
def test_the_reflector_restarts_and_no_ping_is_lost(course: Course, *, politely: bool) -> None:
    """As `docker kill` and `docker compose restart`; twice, so that the second finds what it left."""
    first, second = course.hosts
    pings = [
        Pinging(first, second, course.directory),
        Pinging(second, first, course.directory),
    ]
    for _ in range(2):
        if politely:
            course.reflector.stop()
        else:
            course.reflector.kill()
        course.wait_down()
        course.reflector.start()
        course.wait_complete()
        course.wait_logged("the restart is over after")
    results = {ping.name: ping.stop() for ping in pings}
    print(f"sent and answered {results}")  # noqa: T201 - for docs/restart.md
    for name, (sent, answered) in results.items():
        assert sent > 1 / INTERVAL_S, name
        assert answered == sent, f"{name}: {answered} of {sent} answered\n{course.explain()}"


@pytest.mark.rfc("4724", "4.2 retain", "4.2 Restart Time")
def test_a_node_is_killed_and_the_others_keep_its_routes(course: Course) -> None:
    """Its pods can be reached all the while: the kernel forwards without BIRD."""
    first, second = course.hosts
    node = course.birds[0]
    ping = Pinging(second, first, course.directory)
    node.kill()
    course.wait_logged("kept for")
    assert NODES[node.settings.local_address] in course.birds[1].routes()
    node.start()
    course.wait_complete()
    sent, answered = ping.stop()
    assert answered == sent, f"{answered} of {sent} answered\n{course.explain()}"


@pytest.mark.rfc("4724", "4.2 detect")
def test_a_node_loses_power_and_the_others_keep_its_routes(course: Course) -> None:
    """Its old session looks alive when it is back: the end of that one costs no routes."""
    gone, other = course.birds
    pods = NODES[gone.settings.local_address]
    # What is not acknowledged yet would be sent again, and the node that is back would answer with a
    # reset before it connects: the old session would not look alive.
    time.sleep(1.0)
    course.lab.unplug(course.hosts.pop(0))
    course.birds.pop(0).kill()
    course.add_node(0)
    course.wait_logged("its old session was dead and is replaced")
    assert pods in other.routes()
    course.wait_complete()
