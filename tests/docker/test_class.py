"""The class on one machine, on a real Docker engine: real GoBGPs, kernels' routes and pings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest

from tests.docker.conftest import BUILD_TIMEOUT_S, Project
from tests.support.process import QueryError, find_binary, in_netns, query, wait_until

pytestmark = pytest.mark.docker

NODES: Final = ("a1", "a2", "b1", "b2")
# The script's own waits are shorter; a loaded machine starts containers slowly.
PING_TIMEOUT_S: Final = 180.0


@pytest.fixture(scope="module")
def classroom(image: Any, checkout: Project) -> Iterator[Project]:  # noqa: ANN401 - JSON
    """Run the class as it stands."""
    assert image
    project = Project(checkout.engine, checkout.directory, "class.yaml")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DOCKER_HOST", f"unix://{checkout.engine.socket}")
        try:
            project.compose("up", "--detach", timeout_s=BUILD_TIMEOUT_S)
            yield project
        finally:
            project.compose("down", timeout_s=60)


def logs(project: Project) -> str:
    """What everyone in the class said."""
    return project.compose("logs", "--no-color", "--tail", "40")


def ping_all(project: Project) -> str:
    """Run the command that the example offers."""
    return query([str(project.directory / "class" / "ping")], timeout_s=PING_TIMEOUT_S)


def test_every_pod_pings_every_other(classroom: Project) -> None:
    said = wait_until(
        lambda: ping_all(classroom), what="the pods ping", explain=lambda: logs(classroom)
    )
    assert said.count(" reaches pod ") == len(NODES) * (len(NODES) - 1)
    assert said.splitlines()[-1] == "all 4 pods reach each other"


def test_a_node_sees_what_a_student_sees(classroom: Project) -> None:
    """The debug route, and everyone's pods, in a kernel's routing table."""
    routes = classroom.compose("exec", "-T", "a1", "ip", "route")
    assert "1.0.0.2 via 10.77.0.1 dev eth0" in routes
    assert routes.count("proto zebra") == len(NODES)  # all but its own pods, and 1.0.0.2


def test_a_node_asks_who_it_is(classroom: Project) -> None:
    curl = ("exec", "-T", "a1", "curl", "-sS", "-m", "3", "http://1.0.0.2/")
    said = wait_until(
        lambda: classroom.compose(*curl), what="an answer", explain=lambda: logs(classroom)
    )
    assert "You came through a1 (10.77.0." in said
    assert "\n  10.11." in said


def test_page_shows_two_clusters_by_name(classroom: Project) -> None:
    """Where the class's comments say that the page is."""
    curl = (find_binary("curl"), "-sS", "-m", "10", "http://127.0.0.1:8179/api/v1/clusters")
    clusters = json.loads(query([*in_netns(classroom.engine.netns), *curl]))["clusters"]
    assert [[node["name"] for node in each["nodes"]] for each in clusters] == [
        ["a1", "a2"],
        ["b1", "b2"],
    ], clusters


def test_a_node_leaves_and_returns(classroom: Project) -> None:
    """It takes leave, the others forget its pods, and a ping of all says so until it is back."""

    def routes() -> int:
        return classroom.compose("exec", "-T", "a1", "ip", "route").count("proto zebra")

    classroom.compose("stop", "b2")
    wait_until(
        lambda: routes() == len(NODES) - 1, what="a1 forgot", explain=lambda: logs(classroom)
    )
    assert ping_all(classroom).splitlines()[-1] == "all 3 pods reach each other"
    classroom.compose("start", "b2")
    said = wait_until(
        lambda: ping_all(classroom), what="the pods ping", explain=lambda: logs(classroom)
    )
    assert said.splitlines()[-1] == "all 4 pods reach each other"


def test_further_nodes_come_and_go(classroom: Project) -> None:
    """A third cluster's, by the command that the file offers; they have addresses of their own."""
    up = ("up", "--detach", "--no-recreate", "--scale")
    classroom.compose(*up, "c=2", timeout_s=BUILD_TIMEOUT_S)
    try:
        said = wait_until(
            lambda: ping_all(classroom), what="the pods ping", explain=lambda: logs(classroom)
        )
    finally:
        classroom.compose(*up, "c=0", timeout_s=BUILD_TIMEOUT_S)
    assert said.splitlines()[-1] == "all 6 pods reach each other"


def test_pings_that_fail_are_told(classroom: Project) -> None:
    """The command fails where a pod is not reached: here its address is taken away.

    Each node waits twenty seconds for it, so only one does.
    """
    pod = classroom.compose(
        *("exec", "-T", "b1", "sh", "-c"), "ip -4 -brief address show kube-bridge"
    ).split()[-1]
    classroom.compose("stop", "a2", "b2")
    classroom.compose("exec", "-T", "b1", "ip", "address", "delete", pod, "dev", "kube-bridge")
    try:
        with pytest.raises(QueryError, match="exit 1"):
            ping_all(classroom)
    finally:
        classroom.compose("exec", "-T", "b1", "ip", "address", "add", pod, "dev", "kube-bridge")
        classroom.compose("start", "a2", "b2")
