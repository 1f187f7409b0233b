"""The reflector restarts, and GoBGPs as in kube-router with --bgp-graceful-restart lose no route.

What their RIB holds is what kube-router installs; it is looked at all the time.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from tests.support.gobgp import GoBgp
from tests.support.netns import Lab
from tests.support.peer import ESTABLISHED, PeerSettings, announce_all
from tests.support.process import wait_until
from tests.support.reflector_process import OURS, Reflector, ReflectorSettings, make_reflector

pytestmark = pytest.mark.lab

REFLECTOR: Final = "10.77.0.1"
DEBUG_PREFIX: Final = "1.0.0.2/32"
NODES: Final = {
    "10.77.0.11": ("10.11.0.0/24", "fd10:11::/64"),
    "10.77.0.12": ("10.12.0.0/24", "fd10:12::/64"),
}
# GoBGP is idle for 5 s once its session fell; the rest is Python's start on a loaded machine.
BACK_WITHIN_S: Final = 30.0


@dataclass
class Course:
    """A reflector, and a node for each of two clusters."""

    reflector: Reflector
    nodes: list[GoBgp] = field(default_factory=list)

    def wanted(self, node: GoBgp) -> set[str]:
        """Return what a node has of others when all is well."""
        others = [pods for address, pods in NODES.items() if address != node.settings.local_address]
        return {DEBUG_PREFIX, *(prefix for pods in others for prefix in pods)}

    def wait_complete(self) -> None:
        """Wait until every session is up and every node has everything."""
        wait_until(
            lambda: all(
                node.session_state() == ESTABLISHED and node.best() >= self.wanted(node)
                for node in self.nodes
            ),
            what="each node has all",
            timeout_s=BACK_WITHIN_S,
            explain=self.explain,
        )

    def explain(self) -> str:
        """Return what helps to understand a failure."""
        return self.reflector.explain() + "".join(node.explain() for node in self.nodes)


class Watch:
    """Looks at the nodes' RIBs all the time and notes what is missing."""

    def __init__(self, course: Course) -> None:
        self.missing: list[set[str]] = []
        self.looks = 0
        self._course = course
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        while not self._over.is_set():
            for node in self._course.nodes:
                missing = self._course.wanted(node) - node.best()
                if missing:
                    self.missing.append(missing)
            self.looks += 1

    def stop(self) -> None:
        """End it."""
        self._over.set()
        self._thread.join()


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Course]:
    directory: Path = tmp_path_factory.mktemp("gobgp")
    lab = Lab("gograceful-")
    made = None
    try:
        settings = ReflectorSettings(
            directory=directory / "reflector",
            router_id="223.255.0.1",
            netns=lab.add_host("rr", REFLECTOR).netns,
        )
        made = Course(make_reflector(settings))
        if made.reflector.kind != OURS:
            pytest.skip("what is tested is our own")
        made.reflector.start()
        for number, (address, pods) in enumerate(NODES.items()):
            host = lab.add_host(f"n{number}", address)
            peer = PeerSettings(
                name=f"n{number}",
                directory=directory / f"n{number}",
                local_address=address,
                reflector_address=REFLECTOR,
                reflector_port=179,
                netns=host.netns,
                next_hop_ipv6=host.address_ipv6,
                hold_time_s=90,
                announcements=announce_all(*pods),
            )
            made.nodes.append(GoBgp(peer, as_in_kube_router=True, graceful_restart=True))
            made.nodes[-1].start()
        made.wait_complete()
        yield made
        made.reflector.stop()
    finally:
        if made is not None:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda node: node.kill(), made.nodes))
            made.reflector.kill()
        lab.close()


@pytest.mark.rfc("4724", "4.1 R bit", "4.1 deferral")
@pytest.mark.parametrize("politely", [False, True], ids=["SIGKILL", "SIGTERM"])
def test_the_reflector_restarts_and_no_route_is_lost(course: Course, *, politely: bool) -> None:
    wait_until(
        lambda: all(
            f'"{address}"' in (course.reflector.settings.directory / "peers.json").read_text()
            for address in NODES
        ),
        what="the nodes are remembered",
        explain=course.explain,
    )
    watch = Watch(course)
    try:
        if politely:
            course.reflector.stop()
        else:
            course.reflector.kill()
        course.reflector.start()
        wait_until(
            lambda: "the restart is over after" in course.reflector.explain(),
            what="the restart is over",
            timeout_s=BACK_WITHIN_S,
            explain=course.explain,
        )
        course.wait_complete()
    finally:
        watch.stop()
    print(f"looked {watch.looks} times, {len(watch.missing)} times something was missing")  # noqa: T201
    assert not watch.missing
    assert watch.looks > 1
