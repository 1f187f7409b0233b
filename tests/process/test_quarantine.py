"""`quarantine: true` in a running reflector: the first keeps its pod CIDR, the newcomer is named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from reflector import sim
from tests.support.commands import run_command


@pytest.mark.parametrize("claimed", ["10.1.1.0/24", "10.1.0.0/16"])
def test_the_newcomer_is_named_and_gets_its_route_later(tmp_path: Path, claimed: str) -> None:
    config = tmp_path / "reflector.yaml"
    config.write_text("quarantine: true\n")
    with (
        sim.RunningReflector("--config", str(config)) as reflector,
        sim.Blocking() as peers,
    ):
        first, newcomer, watcher = (
            peers.connect(
                *reflector.address,
                profile=sim.kube_router(node_name=name),
                source=f"127.0.9.{number}",
                router_id=f"10.0.9.{number}",
            )
            for name, number in (("first", 9), ("newcomer", 1), ("watcher", 5))
        )
        first.announce("10.1.1.0/24")
        assert watcher.route("10.1.1.0/24").next_hop == "10.0.9.9"
        newcomer.announce(claimed)
        newcomer.announce("10.7.0.0/24")
        watcher.route("10.7.0.0/24")
        assert watcher.route("10.1.1.0/24").next_hop == "10.0.9.9"
        problems = run_command(reflector, "problems", "--json")
        assert problems.returncode == 1
        [problem] = [
            each for each in json.loads(problems.stdout)["problems"] if each["kind"] == "held-back"
        ]
        assert problem["peers"] == ["127.0.9.1", "127.0.9.9"]
        assert problem["what"] == (
            f"newcomer (127.0.9.1) announces {claimed}, which overlaps 10.1.1.0/24 of "
            "first (127.0.9.9): it is held back."
        )
        [refusal] = json.loads(run_command(reflector, "explain", claimed, "--json").stdout)[
            "refused"
        ]
        assert refusal["host_name"] == "newcomer"
        assert refusal["why"] == "it is held back: 10.1.1.0/24 of 127.0.9.9 overlaps it"
        first.close()
        assert watcher.route(claimed, next_hop="10.0.9.1")
        assert run_command(reflector, "problems").stdout.count("held back") == 0


def test_a_reload_turns_it_on_and_off(tmp_path: Path) -> None:
    """No session drops for it."""
    config = tmp_path / "reflector.yaml"
    config.write_text("quarantine: false\n")
    with (
        sim.RunningReflector("--config", str(config)) as reflector,
        sim.Blocking() as peers,
    ):
        first, newcomer, watcher = (
            peers.connect(
                *reflector.address, source=f"127.0.9.{number}", router_id=f"10.0.9.{number}"
            )
            for number in (9, 1, 5)
        )
        first.announce("10.1.1.0/24", next_hop="10.0.9.9")
        watcher.route("10.1.1.0/24")
        newcomer.announce("10.1.1.0/24", next_hop="10.0.9.1")
        assert watcher.route("10.1.1.0/24", next_hop="10.0.9.1")
        for word, next_hop in (("true", "10.0.9.9"), ("false", "10.0.9.1")):
            config.write_text(f"quarantine: {word}\n")
            reflector.reload()
            assert watcher.route("10.1.1.0/24", next_hop=next_hop)
        assert all(each.established() for each in (first, newcomer, watcher))
        assert "needs a restart" not in reflector.log
