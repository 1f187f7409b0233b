"""`flags`, `events`, `show clusters` and `show advertised`, asked of a reflector with two nodes."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from reflector import sim
from tests.support.commands import run_command

DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def reflector() -> Iterator[sim.RunningReflector]:
    """Two nodes of one cluster, as kube-routers, one of which has left again."""
    with sim.RunningReflector() as running, sim.Blocking() as peers:
        for number in (1, 2):
            node = peers.connect(
                *running.address,
                profile=sim.kube_router(),
                source=f"127.0.9.{number}",
                router_id=f"10.0.9.{number}",
            )
            node.announce(f"10.9.{number}.0/24")
            node.route("1.0.0.2/32")
            if number == 1:
                staying = node
        staying.route("10.9.2.0/24")
        node.close()
        staying.no_route("10.9.2.0/24")
        yield running


def test_flags(reflector: sim.RunningReflector) -> None:
    done = run_command(reflector, "flags")
    assert done.returncode == 0
    flag = (
        f"--peer-router-ips=127.0.0.1 --peer-router-asns=64512 --peer-router-ports={reflector.port}"
    )
    assert flag in done.stdout.splitlines()
    assert json.loads(run_command(reflector, "flags", "--json").stdout)["asn"] == 64512


def test_show_clusters(reflector: sim.RunningReflector) -> None:
    done = run_command(reflector, "show", "clusters")
    assert done.returncode == 0
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0][:4] == ["CLUSTER", "NODE", "ADDRESS", "STATE"]
    here = next(row for row in rows if "127.0.9.1" in row)
    assert here[0] == "10.9.0.0/16"
    assert "Established" in here
    assert "10.9.1.0/24" in here
    assert "Left" in next(row for row in rows if "127.0.9.2" in row)
    assert "clusters" in json.loads(run_command(reflector, "show", "clusters", "--json").stdout)


def test_show_advertised(reflector: sim.RunningReflector) -> None:
    done = run_command(reflector, "show", "advertised", "127.0.9.1")
    assert done.returncode == 0
    heading, *routes = done.stdout.splitlines()
    assert heading.startswith("PREFIX")
    assert [route.split()[:2] for route in routes] == [["1.0.0.2/32", "127.0.0.1"]]
    assert "this reflector" in routes[0]
    gone = run_command(reflector, "show", "advertised", "127.0.9.2")
    assert gone.returncode == 1
    assert gone.stderr == "bgp-reflector: there is no established session with 127.0.9.2\n"


def test_events(reflector: sim.RunningReflector) -> None:
    done = run_command(reflector, "events")
    assert done.returncode == 0
    assert "127.0.9.1" in done.stdout
    assert "warning" in done.stdout
    kinds = [
        json.loads(line)["event"]
        for line in run_command(reflector, "events", "--json").stdout.splitlines()
    ]
    assert kinds.count("peer_up") == 2
    assert "peer_down" in kinds


def test_events_are_followed(reflector: sim.RunningReflector) -> None:
    follower = subprocess.Popen(
        [
            *(sys.executable, "-m", "reflector", "events", "--follow", "--json"),
            *("--socket", str(reflector.control_socket)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert follower.stdout is not None
        assert json.loads(follower.stdout.readline())["event"] == "peer_up"
        with sim.Blocking() as peers:
            peers.connect(*reflector.address, source="127.0.9.3").established()
        while "127.0.9.3" not in follower.stdout.readline():
            assert follower.poll() is None
    finally:
        follower.kill()
        follower.communicate()


def test_not_one_of_many_events_is_missed(reflector: sim.RunningReflector) -> None:
    """More come between two looks than one answer has by default."""
    follower = subprocess.Popen(
        [
            *(sys.executable, "-m", "reflector", "events", "--follow", "--json"),
            *("--socket", str(reflector.control_socket)),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    end = threading.Timer(DEADLINE_S, follower.kill)
    end.start()
    try:
        assert follower.stdout is not None
        first = json.loads(follower.stdout.readline())["number"]
        with sim.Blocking() as peers:
            for number in range(150):
                peer = peers.connect(
                    *reflector.address, source=f"127.0.9.{number + 4}", router_id=f"9.9.9.{number}"
                )
                peer.established()
        numbers = [first]
        lost = 0
        while lost < 150:
            event = json.loads(follower.stdout.readline())
            numbers.append(event["number"])
            lost += event["event"] == "peer_down"
        assert numbers == list(range(first, first + len(numbers)))
    finally:
        end.cancel()
        follower.kill()
        follower.communicate()


@pytest.mark.parametrize("command", [("flags",), ("events",), ("show", "clusters")])
def test_with_nobody_to_ask(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reflector", *command, "--socket", "/nonexistent"],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("bgp-reflector: no reflector is running here")
