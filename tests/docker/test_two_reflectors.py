"""The example of two reflectors on a real Docker engine, both on one machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest

from tests.docker.conftest import BUILD_TIMEOUT_S, CABLE, NODE_ADDRESS, Project
from tests.support.bird import Bird
from tests.support.netns import ip
from tests.support.peer import PeerSettings, announce_all
from tests.support.process import QueryError, wait_until

pytestmark = pytest.mark.docker

# Those of the example, one for each service.
ADDRESSES: Final = {"reflector-a": "192.0.2.11", "reflector-b": "192.0.2.12"}
A, B = ADDRESSES.values()


@pytest.fixture
def two(image: Any, checkout: Project, node_netns: str) -> Iterator[Project]:  # noqa: ANN401 - JSON
    """Give the engine's machine the example's two addresses, and run the example as it stands."""
    assert image
    project = Project(checkout.engine, checkout.directory, "two-reflectors.yaml")
    for address in ADDRESSES.values():
        ip("addr", "add", f"{address}/32", "dev", CABLE, netns=checkout.engine.netns)
        ip("route", "add", address, "dev", "eth0", netns=node_netns)
    try:
        project.compose("up", "--detach", timeout_s=BUILD_TIMEOUT_S)
        yield project
    finally:
        project.compose("down", "--volumes")
        for address in ADDRESSES.values():
            ip("addr", "del", f"{address}/32", "dev", CABLE, netns=checkout.engine.netns)


def established(project: Project, service: str) -> set[str]:
    """Whom a reflector has a session with."""
    command = ("exec", "-T", service, "bgp-reflector", "show", "neighbors", "--json")
    neighbors = json.loads(project.compose(*command))["neighbors"]
    return {each["address"] for each in neighbors if each["state"] == "Established"}


def is_with(project: Project, service: str, peers: set[str]) -> bool:
    """Whether a reflector has sessions with these and no others."""
    return established(project, service) == peers


def test_the_two_peer_and_one_is_enough(two: Project, node_netns: str, tmp_path: Path) -> None:
    def logs() -> str:
        return two.compose("logs", "--no-color", "--tail", "30")

    settings = PeerSettings(
        name="node",
        directory=tmp_path / "bird",
        local_address=NODE_ADDRESS,
        reflector_address=A,
        reflector_port=179,
        netns=node_netns,
        announcements=announce_all("10.1.0.0/24"),
    )
    bird = Bird(settings, more_reflectors=(B,))
    bird.start()
    try:
        for service, other in (("reflector-a", B), ("reflector-b", A)):
            wait_until(
                partial(is_with, two, service, {other, NODE_ADDRESS}),
                what=f"{service} has a session with {other} and the node",
                explain=logs,
            )
        assert "can't be served" not in logs()  # on one machine, too, each has a page
        two.compose("kill", "reflector-a")
        wait_until(lambda: not bird.prefixes_of(A), what="the node noticed", explain=logs)
        assert "1.0.0.2/32" in bird.prefixes_of(B)
        with pytest.raises(QueryError):
            established(two, "reflector-a")
    finally:
        bird.kill()
