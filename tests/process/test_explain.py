"""`explain`, `show received` and `show routes PREFIX longer|exact`, asked of a running reflector."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from reflector import sim
from tests.support.commands import run_command


@pytest.fixture(scope="module")
def reflector() -> Iterator[sim.RunningReflector]:
    """Three nodes: the second claims the first's prefix, the third says what can't be used."""
    with sim.RunningReflector() as running, sim.Blocking() as peers:
        nodes = []
        for number in (1, 2, 3):
            node = peers.connect(
                *running.address,
                profile=sim.kube_router(node_name=f"node-{number}"),
                source=f"127.0.9.{number}",
                router_id=f"10.0.9.{number}",
            )
            node.announce(f"10.9.{number}.0/24")
            nodes.append(node)
            nodes[0].route(f"10.9.{number}.0/24") if number > 1 else node.route("1.0.0.2/32")
        nodes[2].announce("10.66.0.0/24", next_hop="127.0.0.9")
        nodes[1].announce("10.9.1.0/24")
        nodes[1].announce("10.9.0.0/20")
        nodes[0].route("10.9.0.0/20")
        nodes[2].announce("10.10.0.0/24")
        nodes[0].route("10.10.0.0/24")
        nodes[2].route("10.9.1.0/24")
        yield running


def test_why_this_path_and_to_whom(reflector: sim.RunningReflector) -> None:
    done = run_command(reflector, "explain", "10.9.1.7")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "10.9.1.0/24: 2 paths, best by: lowest BGP identifier (ORIGINATOR_ID)"
    best, lost = lines[2], lines[3]
    assert best.split() == [">", "127.0.9.1", "node-1", "10.0.9.1", "best"]
    assert lost.split()[:3] == ["127.0.9.2", "node-2", "10.0.9.2"]
    assert lost.endswith("10.0.9.2 against 10.0.9.1")
    told = [line.split(maxsplit=3) for line in lines[6:]]
    assert told == [
        ["127.0.9.1", "node-1", "no", "the best path is its own"],
        ["127.0.9.2", "node-2", "yes", "nothing is against it"],
        ["127.0.9.3", "node-3", "yes", "nothing is against it"],
    ]


def test_to_one_peer_and_as_json(reflector: sim.RunningReflector) -> None:
    done = run_command(reflector, "explain", "10.9.2.0/24", "--to", "127.0.9.2", "--json")
    assert done.returncode == 0
    [peer] = json.loads(done.stdout)["peers"]
    assert (peer["told"], peer["reason"]) == (False, "own-path")
    nobody = run_command(reflector, "explain", "10.9.2.0/24", "--to", "127.0.9.77")
    assert nobody.returncode == 1
    assert nobody.stderr == "bgp-reflector: there is no connection with 127.0.9.77\n"


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("10.66.0.0/24", "Refused  from node-3 (127.0.9.3): the next hop"),
        ("10.9.1.128/25", "Within  10.9.1.0/24 from node-1 (127.0.9.1), which takes its traffic"),
        ("10.9.0.0/16", "Parts of it  10.9.0.0/20, 10.9.1.0/24, 10.9.2.0/24, 10.9.3.0/24"),
        ("192.0.2.0/24", "Nothing is near it"),
    ],
)
def test_why_there_is_no_route(reflector: sim.RunningReflector, wanted: str, said: str) -> None:
    done = run_command(reflector, "explain", wanted)
    assert done.returncode == 1
    assert done.stdout.startswith(f"There is no route for {wanted}.\n")
    assert said in done.stdout


def test_what_is_no_prefix(reflector: sim.RunningReflector) -> None:
    done = run_command(reflector, "explain", "10.9.1.1/24")
    assert done.returncode == 2
    assert "has bits set beyond its length; the prefix is 10.9.1.0/24" in done.stderr


def test_show_received(reflector: sim.RunningReflector) -> None:
    done = run_command(reflector, "show", "received", "127.0.9.2")
    assert done.returncode == 0
    heading, *rows = [line.split()[:3] for line in done.stdout.splitlines()]
    assert heading == ["PREFIX", "NEXT", "HOP"]
    assert rows == [
        ["10.9.0.0/20", "10.0.9.2", "yes"],
        ["10.9.1.0/24", "10.0.9.2", "no"],
        ["10.9.2.0/24", "10.0.9.2", "yes"],
    ]
    view = json.loads(run_command(reflector, "show", "received", "127.0.9.2", "--json").stdout)
    assert [route["best"] for route in view["routes"]] == [True, False, True]
    assert run_command(reflector, "show", "received", "127.0.9.77").returncode == 1


def prefixes(done: subprocess.CompletedProcess[str]) -> list[str]:
    return [route["prefix"] for route in json.loads(done.stdout)["routes"]]


def test_frr_s_longer_prefixes(reflector: sim.RunningReflector) -> None:
    done = run_command(reflector, "vtysh", "-c", "show bgp 10.9.0.0/16 longer-prefixes json")
    assert json.loads(done.stdout)["routes"].keys() == {
        *("10.9.0.0/20", "10.9.1.0/24", "10.9.2.0/24", "10.9.3.0/24")
    }


def test_show_routes_longer_and_exact(reflector: sim.RunningReflector) -> None:
    longer = run_command(reflector, "show", "routes", "10.9.0.0/16", "longer", "--json")
    assert prefixes(longer) == ["10.9.0.0/20", "10.9.1.0/24", "10.9.2.0/24", "10.9.3.0/24"]
    assert prefixes(run_command(reflector, "show", "routes", "10.9.2.9", "--json")) == [
        "10.9.2.0/24"
    ]
    exact = run_command(reflector, "show", "routes", "10.9.2.9", "exact")
    assert (exact.returncode, exact.stderr) == (
        1,
        "bgp-reflector: there is no route for 10.9.2.9\n",
    )
    nothing = run_command(reflector, "show", "routes", "192.0.2.0/24", "longer")
    assert (nothing.returncode, nothing.stderr) == (
        1,
        "bgp-reflector: there is no route within 192.0.2.0/24\n",
    )
    assert run_command(reflector, "show", "routes", "10.9.0.0/16", "shorter").returncode == 2
