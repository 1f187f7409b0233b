"""`show messages`, asked about nodes that are here, that have left, and that were refused."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reflector import sim

DEADLINE_S = 60.0


@pytest.fixture(scope="module")
def reflector() -> Iterator[sim.RunningReflector]:
    with sim.RunningReflector() as running, sim.Blocking() as peers:
        here = peers.connect(
            *running.address, profile=sim.kube_router(node_name="anna"), source="127.0.9.1"
        )
        here.announce("10.9.1.0/24")
        here.route("1.0.0.2/32")
        assert run(running, "127.0.9.1").returncode == 0
        here.refresh()
        with pytest.raises(sim.SimError):
            peers.connect(
                *running.address, profile=sim.kube_router(asn=65001), source="127.0.9.2"
            ).route("1.0.0.2/32")
        yield running


def run(reflector: sim.RunningReflector, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *(sys.executable, "-m", "reflector", "show", "messages", *words),
            *("--socket", str(reflector.control_socket)),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )


def test_a_node_that_is_here(reflector: sim.RunningReflector) -> None:
    done = run(reflector, "127.0.9.1")
    assert done.returncode == 0
    title, *lines = done.stdout.splitlines()
    assert title.startswith("127.0.9.1 (anna), port ")
    assert title.endswith("it dialled: Established")
    [theirs] = (line for line in lines if "<-  OPEN" in line)
    assert "router id 10.0.9.1, ipv4, host name anna" in theirs
    assert any(line.endswith("FQDN (73): it is called anna") for line in lines)
    assert any("<-  UPDATE: announces 10.9.1.0/24 via " in line for line in lines)
    assert any("->  UPDATE: announces 1.0.0.2/32 via 127.0.0.1" in line for line in lines)


def test_a_node_that_never_had_a_session(reflector: sim.RunningReflector) -> None:
    done = run(reflector, "127.0.9.2")
    assert done.returncode == 0
    assert "->  NOTIFICATION: 2/2 OPEN message error / Bad Peer AS" in done.stdout
    assert "the sender expects another AS number on the other side" in done.stdout
    assert "the session ended: the peer is in AS 65001 and we are in AS 64512" in done.stdout
    [connection] = json.loads(run(reflector, "127.0.9.2", "--json").stdout)["connections"]
    assert connection["state"] == "Closed"
    assert connection["ended_at"] > connection["messages"][0]["at"]
    kinds = [
        (each["direction"], each["type"])
        for each in connection["messages"]
        if each["type"] != "KEEPALIVE"
    ]
    assert kinds == [("sent", "OPEN"), ("received", "OPEN"), ("sent", "NOTIFICATION")]


def test_nobody(reflector: sim.RunningReflector) -> None:
    done = run(reflector, "127.0.9.9")
    assert done.returncode == 1
    assert done.stderr == (
        "bgp-reflector: nothing was said between us and 127.0.9.9 that is still kept\n"
    )


def test_a_file_that_cant_be_written(reflector: sim.RunningReflector, tmp_path: Path) -> None:
    done = run(reflector, "127.0.9.1", "--pcap", str(tmp_path / "no" / "such"))
    assert done.returncode == 1
    assert done.stderr.endswith("can't be written: No such file or directory\n")


def test_what_a_node_is_told_is_kept_from_when_somebody_asks() -> None:
    """A class of fifty is told each route fifty times."""
    unasked, asked = "10.250.1.0/24", "10.250.2.0/24"
    with sim.RunningReflector() as running, sim.Blocking() as peers:
        told = peers.connect(*running.address, source="127.0.9.1")
        other = peers.connect(*running.address, source="127.0.9.2")
        other.announce(unasked)
        told.route(unasked)
        first = run(running, "127.0.9.1").stdout
        other.announce(asked)
        told.route(asked)
        other.withdraw(asked)
        told.no_route(asked)
        second = run(running, "127.0.9.1").stdout
    assert "->  OPEN" in first
    assert "->  UPDATE" not in first
    assert first.endswith("UPDATEs to it are kept from now on, for 10 minutes\n")
    assert f"->  UPDATE: announces {asked} via" in second
    assert f"->  UPDATE: withdraws {asked}" in second
    assert "octets before this are not kept" in second
