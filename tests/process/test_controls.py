"""The presenter's orders, given on the command line to a running reflector with simulated nodes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from reflector import sim
from tests.support.commands import run_command
from tests.support.process import wait_until

DEBUG = "1.0.0.2/32"


class Lab:
    """Two nodes of cluster 10.1.0.0/16 and one of 10.2.0.0/16."""

    def __init__(self, reflector: sim.RunningReflector, peers: sim.Blocking) -> None:
        self.reflector = reflector
        self._peers = peers
        self.a1 = self.join("a1", 11, "10.1.1.0/24")
        self.a2 = self.join("a2", 12, "10.1.2.0/24")
        self.b1 = self.join("b1", 21, "10.2.1.0/24")
        for node, prefix in ((self.a1, "10.2.1.0/24"), (self.b1, "10.1.2.0/24"), (self.a1, DEBUG)):
            node.route(prefix)

    def join(self, name: str, number: int, prefix: str) -> sim.BlockingPeer:
        """A node comes and announces its pod CIDR."""
        node = self._peers.connect(
            *self.reflector.address,
            profile=sim.kube_router(node_name=name),
            source=f"127.0.9.{number}",
            router_id=f"10.0.9.{number}",
        )
        node.announce(prefix)
        return node

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command against the reflector."""
        return run_command(self.reflector, *command)

    def reload(self) -> None:
        """Have the reflector read its configuration again."""
        os.kill(self.reflector.pid, signal.SIGHUP)
        wait_until(
            lambda: "configuration reloaded" in self.reflector.log, what="the reload is over"
        )

    def order(self, *command: str) -> str:
        """Give an order that must be carried out."""
        done = self.run(*command)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout


@pytest.fixture
def lab() -> Iterator[Lab]:
    with sim.RunningReflector() as running, sim.Blocking() as peers:
        yield Lab(running, peers)


def test_a_cluster_is_taken_off_and_comes_back(lab: Lab) -> None:
    said = lab.order("disconnect", "10.1.0.0/16")
    assert said == "10.1.0.0/16 (2 nodes) is disconnected from the others\n"
    lab.a1.no_route("10.2.1.0/24")
    lab.b1.no_route("10.1.1.0/24")
    lab.b1.no_route("10.1.2.0/24")
    assert lab.a1.route("10.1.2.0/24")
    assert lab.a1.route(DEBUG)
    assert "Disconnected  10.1.0.0/16" in lab.order("show", "summary")
    problems = lab.run("problems")
    assert problems.returncode == 1
    assert "Connect it again: bgp-reflector connect 10.1.0.0/16" in problems.stdout
    why = json.loads(lab.run("explain", "10.1.1.0/24", "--to", "127.0.9.21", "--json").stdout)
    assert why["peers"][0]["reason"] == "disconnected"
    assert lab.order("connect", "10.1.0.0/16").endswith("is connected with the others again\n")
    lab.a1.route("10.2.1.0/24")
    lab.b1.route("10.1.1.0/24")
    assert lab.run("problems").returncode == 0
    assert lab.a1.established()


def test_it_holds_for_who_comes_and_survives_a_reload(lab: Lab) -> None:
    lab.order("disconnect", "10.1.0.0/16")
    lab.b1.no_route("10.1.1.0/24")
    lab.reload()
    lab.a2.close()
    back = lab.join("a2", 12, "10.1.2.0/24")
    new = lab.join("a3", 13, "10.1.3.0/24")
    lab.a1.route("10.1.3.0/24")
    back.route("10.1.3.0/24")
    new.no_route("10.2.1.0/24")
    lab.b1.no_route("10.1.3.0/24")
    lab.b1.no_route("10.1.2.0/24")


def test_what_cannot_be_done_is_said_in_a_sentence(lab: Lab) -> None:
    for command, said in (
        ("disconnect 10.9.0.0/16", "there is no node with a pod CIDR in 10.9.0.0/16"),
        ("connect 10.1.0.0/16", "10.1.0.0/16 is not disconnected (none is)"),
        ("clear 127.0.9.77", "there is no connection with 127.0.9.77"),
        ("refresh 127.0.9.77", "there is no established session with 127.0.9.77"),
    ):
        done = lab.run(*command.split())
        assert (done.returncode, done.stderr) == (1, f"bgp-reflector: {said}\n")
    lab.order("disconnect", "10.1.0.0/16")
    done = lab.run("disconnect", "10.1.1.0/24")
    assert done.returncode == 1
    assert "overlaps 10.1.0.0/16, which is disconnected: connect that first" in done.stderr
    assert lab.run("disconnect", "10.1.0.1/16").returncode == 2


def test_a_session_is_dropped(lab: Lab) -> None:
    assert lab.order("clear", "127.0.9.21") == "the session with 127.0.9.21 is dropped\n"
    lab.a1.no_route("10.2.1.0/24")
    events = lab.order("events")
    assert "cleared by the presenter" in events
    assert "the session with 127.0.9.21 is dropped (by the command line)" in events


def test_the_debug_route_is_hidden_and_shown(lab: Lab) -> None:
    lab.order("debug-route", "hide")
    lab.a1.no_route(DEBUG)
    assert "Hidden" in lab.order("show", "summary")
    lab.reload()
    assert lab.run("problems").returncode == 1
    lab.order("debug-route", "show")
    lab.a1.route(DEBUG)
    assert lab.run("problems").returncode == 0


def test_routes_are_exchanged_anew(lab: Lab) -> None:
    before = lab.run("show", "neighbors", "127.0.9.11", "--json")
    assert "was asked for its routes again and is sent ours" in lab.order("refresh", "127.0.9.11")
    sent = json.loads(before.stdout)["neighbors"][0]["messages"]["sent"]

    def again() -> bool:
        after = json.loads(lab.run("show", "neighbors", "127.0.9.11", "--json").stdout)
        now = after["neighbors"][0]["messages"]["sent"]
        return bool(now["route_refresh"] > sent["route_refresh"] and now["update"] > sent["update"])

    wait_until(again, what="the peer was asked, and told")


def test_frr_s_clear(lab: Lab) -> None:
    done = lab.run("vtysh", "-c", "cl b 127.0.9.11 so in", "-c", "clear ip bgp 127.0.9.77")
    assert done.returncode == 0
    assert done.stdout == '% BGP: Unknown neighbor - "127.0.9.77"\n'
    assert "was asked for its routes again" in lab.order("events")
    assert lab.order("vtysh", "-c", "clear bgp *") == ""
    for number in (11, 12, 21):
        assert f"the session with 127.0.9.{number} is dropped" in lab.order("events")
