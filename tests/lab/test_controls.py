"""The presenter takes a cluster off and on again: pings stop and return, sessions stay up."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.peer import ESTABLISHED
from tests.support.process import QueryError, find_binary, in_netns, query, wait_until
from tests.support.reflector_process import REPOSITORY, ReflectorProcess

if TYPE_CHECKING:
    from tests.lab.conftest import Course, Node

pytestmark = pytest.mark.lab

# Holds the pods of a1 and a2, and none of b1 and b2.
CLUSTER = "10.8.0.0/13"


def order(course: Course, *command: str) -> None:
    """Give an order on the reflector's command line."""
    assert isinstance(course.reflector, ReflectorProcess)
    subprocess.run(
        [
            *(sys.executable, "-m", "reflector", *command),
            *("--socket", str(course.reflector.control_socket)),
        ],
        check=True,
        cwd=REPOSITORY,
        timeout=30,
    )


def answers(source: Node, target: Node) -> bool:
    """Whether one ping from a node's pod to another's is answered."""
    assert source.host.pod_netns is not None
    ping = (find_binary("ping"), "-n", "-c", "1", "-W", "1", str(target.host.pod_address))
    try:
        query([*in_netns(source.host.pod_netns), *ping])
    except QueryError:
        return False
    return True


def test_pings_stop_and_return(course: Course) -> None:
    if not isinstance(course.reflector, ReflectorProcess):
        pytest.skip("a control of ours")
    a1, a2, b1 = (course.nodes[name] for name in ("a1", "a2", "b1"))
    course.wait_complete()
    a1.pings(b1)
    sessions = {name: node.bird.session_state() for name, node in course.nodes.items()}
    assert set(sessions.values()) == {ESTABLISHED}
    order(course, "disconnect", CLUSTER)
    try:
        for node in (a1, a2):
            for other in (course.nodes["b1"], course.nodes["b2"]):
                course.wait_without(node, other.expected_routes)
                course.wait_without(other, node.expected_routes)
        wait_until(lambda: not answers(a1, b1), what="pings to b1 stop")
        a1.pings(a2)
        b1.pings(course.nodes["b2"])
        assert a1.kernel_routes()["1.0.0.2/32"] == "10.77.0.1"
        assert all(node.bird.session_state() == ESTABLISHED for node in course.nodes.values())
    finally:
        order(course, "connect", CLUSTER)
    course.wait_complete()
    a1.pings(b1)
    b1.pings(a2)
