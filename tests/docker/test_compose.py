"""The compose service on a real Docker engine, with a real GoBGP as its client."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from reflector import __version__
from tests.docker.conftest import (
    BUILD_TIMEOUT_S,
    CONTAINER,
    HOST_ADDRESS,
    NODE_ADDRESS,
    Project,
    running,
)
from tests.support.gobgp import GoBgp
from tests.support.peer import PeerSettings, Route, announce_all
from tests.support.process import QueryError, wait_until

pytestmark = pytest.mark.docker

DEBUG_PREFIX: Final = "1.0.0.2/32"
IMAGE_LIMIT_BYTES: Final = 80_000_000
NET_BIND_SERVICE: Final = 1 << 10
# Several times the health check's interval, which is 10 s.
HEALTHY_TIMEOUT_S: Final = 60.0


@contextmanager
def gobgp(netns: str, directory: Path, *, asn: int = 64512) -> Iterator[GoBgp]:
    """Run a node's GoBGP that dials the service's port 179, and wait for its session."""
    peer = GoBgp(
        PeerSettings(
            name="node",
            directory=directory / "gobgp",
            local_address=NODE_ADDRESS,
            reflector_address=HOST_ADDRESS,
            reflector_port=179,
            netns=netns,
            asn=asn,
            announcements=announce_all("10.1.0.0/24"),
        )
    )
    try:
        peer.start()
        peer.wait_established()
        yield peer
    finally:
        peer.kill()


def wait_for_debug_route(peer: GoBgp, project: Project) -> Route:
    """Wait until the peer was sent 1.0.0.2/32, and return that route."""
    wait_until(
        lambda: DEBUG_PREFIX in peer.routes(),
        what=f"GoBGP has {DEBUG_PREFIX}",
        explain=lambda: peer.explain() + project.explain(),
    )
    return peer.routes()[DEBUG_PREFIX]


@pytest.fixture(scope="module")
def service(image: Any, checkout: Project) -> Iterator[Project]:  # noqa: ANN401 - JSON
    """Run the service from the repository's own compose/."""
    assert image
    with running(checkout):
        yield checkout


def test_image_is_small(image: Any) -> None:  # noqa: ANN401 - JSON
    assert image["Size"] < IMAGE_LIMIT_BYTES


def test_image_says_what_it_is(image: Any) -> None:  # noqa: ANN401 - JSON
    labels = image["Config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "bgp-reflector"
    assert labels["org.opencontainers.image.version"] == __version__
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"


def test_process_has_one_capability_and_no_root(service: Project) -> None:
    read = "print(open('/proc/1/status').read())"
    said = service.compose("exec", "-T", "reflector", "python3", "-c", read)
    status = dict(line.split(":", maxsplit=1) for line in said.split("\n") if ":" in line)
    assert set(status["Uid"].split()) == {"65532"}
    for name in ("CapPrm", "CapEff", "CapBnd"):
        assert int(status[name], 16) == NET_BIND_SERVICE, name


def test_root_file_system_is_read_only(service: Project) -> None:
    host_config = service.engine.inspect(CONTAINER)["HostConfig"]
    assert host_config["ReadonlyRootfs"]
    with pytest.raises(QueryError, match="Read-only file system"):
        service.compose("exec", "-T", "reflector", "python3", "-c", "open('/opt/x', 'w')")


def test_answers_show_inside(service: Project) -> None:
    assert "64512" in service.compose("exec", "-T", "reflector", "bgp-reflector", "show", "summary")


def test_vtysh_answers_beside_it(service: Project) -> None:
    """As the course types it; in a container of its own, without a network."""
    run = ("run", "--rm", "-T", "vtysh", "-c")
    assert "IPv4 Unicast Summary" in service.compose(*run, "show bgp summary")
    assert '"1.0.0.2/32"' in service.compose(*run, "show bgp ipv4 unicast json")
    readline = "import readline, os; assert os.path.exists('/usr/share/terminfo/x/xterm')"
    service.compose("exec", "-T", "reflector", "python3", "-c", readline)


def test_becomes_healthy(service: Project) -> None:
    wait_until(
        lambda: service.engine.inspect(CONTAINER)["State"]["Health"]["Status"] == "healthy",
        what="the health check is content",
        timeout_s=HEALTHY_TIMEOUT_S,
        explain=service.explain,
    )


def test_a_node_peers_on_179(service: Project, node_netns: str, tmp_path: Path) -> None:
    with gobgp(node_netns, tmp_path) as peer:
        assert wait_for_debug_route(peer, service).next_hop == HOST_ADDRESS


def test_stops_by_itself(service: Project, node_netns: str, tmp_path: Path) -> None:
    """With a peer connected, which is told goodbye; as PID 1, without an init.

    It would be killed, and its status not 0, were it not done within the file's stop_grace_period.
    """
    with gobgp(node_netns, tmp_path):
        service.compose("stop")
    assert service.engine.inspect(CONTAINER)["State"]["ExitCode"] == 0, service.explain()
    service.down()
    assert not service.engine.listeners()


@pytest.mark.usefixtures("image")
def test_in_the_place_of_frr(course: Project, node_netns: str, tmp_path: Path) -> None:
    """The course's checkout, with our compose file in it and nothing else changed."""
    with running(course), gobgp(node_netns, tmp_path) as peer:
        assert wait_for_debug_route(peer, course).next_hop == HOST_ADDRESS


@pytest.mark.usefixtures("image")
def test_peers_are_remembered_over_restart_and_down_and_up(
    course: Project, node_netns: str, tmp_path: Path
) -> None:
    """By an ordinary user with a read-only root: the volume is what is writable."""

    def says(what: str, times: int) -> None:
        wait_until(
            lambda: course.compose("logs", "--no-color").count(what) >= times,
            what=f"the log says {what!r} {times} times",
            explain=course.explain,
        )

    def reads_state() -> str:
        read = "print(open('/var/lib/bgp-reflector/peers.json').read())"
        return course.compose("exec", "-T", "reflector", "python3", "-c", read)

    with running(course):
        with gobgp(node_netns, tmp_path):
            wait_until(lambda: NODE_ADDRESS in reads_state(), what="the node is written")
        course.compose("restart")
        says("dialling 1 peer", 1)
    with running(course):
        says("dialling 1 peer", 1)
    assert "can't be remembered" not in course.compose("logs", "--no-color")


@pytest.mark.usefixtures("image")
def test_bgpd_conf_is_what_counts(course: Project, node_netns: str, tmp_path: Path) -> None:
    """An AS that only conf/bgpd.conf names is the one that is spoken."""
    conf = course.directory / "conf" / "bgpd.conf"
    conf.write_text(conf.read_text().replace("64512", "64999"))
    with running(course), gobgp(node_netns, tmp_path, asn=64999) as peer:
        wait_for_debug_route(peer, course)


@pytest.mark.usefixtures("image")
def test_unreadable_bgpd_conf_is_said_not_ignored(course: Project) -> None:
    """The defaults instead would be a reflector that silently does something else."""
    (course.directory / "conf" / "bgpd.conf").chmod(0o600)
    with pytest.raises(QueryError, match=r"exit 1: .*bgpd\.conf") as caught:
        course.compose("run", "--rm", "-T", "reflector", timeout_s=BUILD_TIMEOUT_S)
    assert "Traceback" not in str(caught.value)


@pytest.mark.usefixtures("image")
def test_reflector_yaml_is_read_without_bgpd_conf(course: Project) -> None:
    (course.directory / "conf" / "bgpd.conf").unlink()
    (course.directory / "conf" / "reflector.yaml").write_text("no-such-key: 1\n")
    with pytest.raises(QueryError, match=r"reflector\.yaml:1:1: no-such-key"):
        course.compose("run", "--rm", "-T", "reflector", timeout_s=BUILD_TIMEOUT_S)
