"""`bgp-reflector rehearse --netns`: a class whose pods ping, and what is left of it afterwards."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reflector.sim import namespace
from tests.support.netns import ip
from tests.support.process import QueryError, find_binary, in_netns, query, wait_until
from tests.support.reference import REFERENCE_REFLECTORS
from tests.support.reflector_process import ReflectorSettings, free_port
from tests.support.rehearsing import (
    COMMAND,
    COMPLETE,
    RUN_TIMEOUT_S,
    alone,
    environment,
    fetch,
    read_until,
    rehearse,
    start,
)

pytestmark = pytest.mark.lab

CLASS = ("--netns", "--clusters", "3", "--nodes", "2", "--pace", "0")


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    with alone():
        yield


def namespaces(pid: int) -> list[str]:
    return [name for name in namespace.names() if name.startswith(f"bgp-rehearse-{pid}-")]


def ping(netns: str, source: str, target: str) -> bool:
    command = (find_binary("ping"), "-n", "-c", "1", "-W", "2", "-I", source, target)
    try:
        query([*in_netns(netns), *command])
    except QueryError:
        return False
    return True


@contextmanager
def playing(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A class that is complete, and what it has printed."""
    process = start(*arguments)
    try:
        yield process, read_until(process, COMPLETE)
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=RUN_TIMEOUT_S)
        assert not namespaces(process.pid)
    assert process.returncode == 0


def test_pods_of_all_clusters_ping_each_other() -> None:
    with playing(*CLASS) as (process, said):
        assert "15 of 15 pairs of pods answer pings" in said
        node = f"bgp-rehearse-{process.pid}-c1n1"
        assert f"ip netns exec {node} ip route" in said
        routes = ip("route", netns=node)
        assert "1.0.0.2 via 192.168.0.1 dev eth0 proto 17" in routes
        assert "10.3.2.0/24 via 192.168.3.2 dev eth0 proto 17" in routes
        assert ping(node, "10.1.1.1", "10.3.2.3")
        assert ping(f"bgp-rehearse-{process.pid}-c3n2", "10.3.2.3", "10.2.1.2")


def test_pods_of_both_families_ping_each_other() -> None:
    with playing(*CLASS, "--ipv6") as (process, said):
        assert "15 of 15 pairs of pods answer pings" in said
        node, other = (f"bgp-rehearse-{process.pid}-{who}" for who in ("c1n1", "c3n2"))
        routes = ip("-6", "route", netns=node)
        assert "fd00:10:3:2::/64 via fd00:192:168::3:2 dev eth0 proto 17" in routes
        assert ping(node, "fd00:10:1:1::1", "fd00:10:3:2::3")
        assert ping(node, "10.1.1.1", "10.3.2.3")
        # A pair answers in both families or not at all.
        ip("-6", "address", "flush", "dev", "kube-bridge", netns=other)
        read_until(process, "10 of 15 pairs of pods answer pings")
        assert ping(node, "10.1.1.1", "10.3.2.3")


@pytest.mark.parametrize(
    ("mistake", "answering"), [("bad-next-hop", "6 of 15"), ("duplicate-router-id", "13 of 15")]
)
def test_a_mistake_shows_in_pings_of_both_families(mistake: str, answering: str) -> None:
    done = rehearse(*CLASS, "--ipv6", "--stay", "0", "--mistake", mistake)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"      {answering} pairs of pods answer pings" in done.stdout


def test_the_reflector_s_page_and_answers_are_to_be_had_outside_of_its_namespace() -> None:
    with playing(*CLASS) as (_, said):
        page = re.search(r"http://([0-9.]+):(\d+)", said)
        control = re.search(r"--socket (\S+)", said)
        assert page is not None
        assert control is not None
        address = page[1], int(page[2])
        assert b"cluster-03-node-2" in fetch(*address, "/api/v1/neighbors")
        shown = query([*COMMAND[:-1], "show", "summary", "--socket", control[1]])
        assert "6 established" in shown
        # Whoever watches does not keep the class from leaving.
        watching = socket.create_connection(address)
        watching.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert watching.recv(4096).startswith(b"HTTP/1.1 200")
    watching.close()


def test_a_cluster_that_the_presenter_disconnects_is_not_reached() -> None:
    with playing(*CLASS) as (process, said):
        control = re.search(r"--socket (\S+)", said)
        assert control is not None
        for order, answering in (("disconnect", 7), ("connect", 15)):
            query([*COMMAND[:-1], order, "10.2.0.0/16", "--socket", control[1]])
            read_until(process, f"{answering} of 15 pairs of pods answer pings")


def test_of_two_clusters_with_one_pod_cidr_one_is_not_reached() -> None:
    with playing(*CLASS, "--mistake", "duplicate-cidr") as (process, said):
        # Clusters 1 and 2, of which 2 made the mistake, and 3: in each and from 3 to one of the two.
        found = re.search(r"(\d+) of 15 pairs of pods answer pings\n *cluster-02", said)
        assert found is not None, said
        assert int(found[1]) < 9
        outsider = f"bgp-rehearse-{process.pid}-c3n1"
        reached = [ping(outsider, "10.3.1.3", f"10.1.1.{cluster}") for cluster in (1, 2)]
        assert sorted(reached) == [False, True]
        loser = 1 + reached.index(False)
        assert not ping(f"bgp-rehearse-{process.pid}-c{loser}n1", f"10.1.1.{loser}", "10.3.1.3")


@pytest.mark.parametrize(
    ("mistake", "everywhere", "of_its_own"),
    [
        ("wrong-asn", "6 of 15", "0 of 9"),
        ("no-routes", "6 of 15", "0 of 9"),
        ("duplicate-router-id", "13 of 15", "7 of 9"),
        ("default-route", "15 of 15", "9 of 9"),
    ],
)
def test_a_mistake_shows_in_pings(mistake: str, everywhere: str, of_its_own: str) -> None:
    done = rehearse(*CLASS, "--stay", "0", "--mistake", mistake)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"      {everywhere} pairs of pods answer pings" in done.stdout
    assert f"      {of_its_own} pairs with its pods answer pings" in done.stdout


def test_pings_that_are_not_as_planned_are_told() -> None:
    """A node's cable is cut in the bridge; its session lasts as long as its hold time."""
    process = start(*CLASS, "--pace", "2", "--deadline", "8")
    read_until(process, "cluster-01-node-1 is up")
    ip("link", "set", "c1n1", "nomaster", netns=f"bgp-rehearse-{process.pid}-hub")
    said, _ = process.communicate(timeout=RUN_TIMEOUT_S)
    assert process.returncode == 1, said
    assert "the pod of cluster-01-node-1 does not reach the pod of cluster-01-node-2" in said
    assert not namespaces(process.pid)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("built", [1, 90])
def test_an_early_end_leaves_nothing_behind(signum: signal.Signals, built: int) -> None:
    process = start("--netns", "--clusters", "30", "--nodes", "3", "--pace", "60")
    wait_until(lambda: len(namespaces(process.pid)) >= built, what=f"{built} namespaces")
    process.send_signal(signum)
    process.communicate(timeout=RUN_TIMEOUT_S)
    assert process.returncode == 130
    assert not namespaces(process.pid)


def test_what_a_killed_class_left_goes_with_the_next_and_nothing_else_does() -> None:
    killed = start(*CLASS)
    read_until(killed, COMPLETE)
    killed.kill()
    killed.communicate(timeout=RUN_TIMEOUT_S)
    left = namespaces(killed.pid)
    assert len(left) == 7
    reflectors = namespace.processes_in(f"bgp-rehearse-{killed.pid}-hub")
    assert len(reflectors) == 1
    own = f"x{killed.pid}"
    strangers = [f"bgp-rehearse-{own}-hub", f"bgp-rehearse-{killed.pid}-class", f"rehearse-{own}"]
    for name in strangers:
        ip("netns", "add", name)
    try:
        with playing(*CLASS, "--pace", "0.5") as (another, _):
            assert namespaces(killed.pid) == [strangers[1]]
            done = rehearse(*CLASS, "--stay", "0")
            assert done.returncode == 0, done.stdout + done.stderr
            assert len(namespaces(another.pid)) == 7
        assert set(strangers) <= set(namespace.names())
        wait_until(lambda: _is_dead(reflectors[0]), what="the reflector left behind is gone")
    finally:
        for name in strangers:
            ip("netns", "delete", name)


def _is_dead(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_without_root_it_is_one_sentence() -> None:
    setpriv = find_binary("setpriv")
    done = subprocess.run(
        [setpriv, "--reuid", "65534", "--clear-groups", *COMMAND, "--netns"],
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
        env=environment(),
    )
    assert done.returncode == 1
    assert done.stderr == (
        "bgp-reflector rehearse: --netns needs root: it makes network namespaces (try sudo)\n"
    )


def test_what_it_can_t_do_is_one_sentence() -> None:
    done = rehearse("--netns", "--clusters", "101", "--nodes", "3")
    assert done.returncode == 1
    assert "--netns takes up to 300 nodes" in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("kind", ["frr", "gobgp"])
def test_pods_ping_by_the_routes_of_a_reflector_that_runs_already(
    kind: str, tmp_path: Path
) -> None:
    settings = ReflectorSettings(
        directory=tmp_path, listen=("127.0.0.1",), port=free_port(), router_id="192.0.2.254"
    )
    reflector = REFERENCE_REFLECTORS[kind](settings)
    reflector.start()
    try:
        with playing(*CLASS, "--reflector", f"127.0.0.1:{settings.port}") as (process, said):
            assert "15 of 15 pairs of pods answer pings" in said
            node = f"bgp-rehearse-{process.pid}-c1n1"
            routes = ip("route", netns=node)
            assert "10.3.2.0/24 via 192.168.3.2 dev eth0 proto 17" in routes
            assert ping(node, "10.1.1.1", "10.3.2.3")
    finally:
        reflector.kill()
