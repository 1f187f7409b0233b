"""`bgp-reflector problems` as a trainer calls it, with mistakes that peers really make."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reflector import sim
from reflector.sim import SessionOverError
from tests.support.process import wait_until
from tests.support.reflector_process import (
    REPOSITORY,
    ReflectorProcess,
    ReflectorSettings,
    free_port,
)

DEADLINE_S = 60.0


class Trainer:
    """Who calls the command."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.reflector = ReflectorProcess(
            ReflectorSettings(directory=directory, listen=("127.0.0.1",), port=self.port)
        )
        self.reflector.start()

    def ask(
        self, *arguments: str, command: tuple[str, ...] = ("problems",)
    ) -> subprocess.CompletedProcess[str]:
        socket_path = str(self.reflector.control_socket)
        return subprocess.run(
            [sys.executable, "-m", "reflector", *command, "--socket", socket_path, *arguments],
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
            env={"PYTHONPATH": str(REPOSITORY)},
        )

    def problems(self) -> list[dict[str, Any]]:
        answer = self.ask("--json")
        problems: list[dict[str, Any]] = json.loads(answer.stdout)["problems"]
        assert answer.returncode == (1 if problems else 0)
        return problems

    def wait_for(self, *kinds: str) -> None:
        wait_until(
            lambda: sorted(each["kind"] for each in self.problems()) == sorted(kinds),
            what=f"problems are {kinds}",
            explain=lambda: f"{self.problems()}\n{self.reflector.explain()}",
        )


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Trainer]:
    trainer = Trainer(tmp_path)
    try:
        # The control socket opens after the port.
        wait_until(lambda: trainer.ask().returncode == 0, what="`problems` answers")
        yield trainer
    finally:
        trainer.reflector.stop()


def test_nothing_is_wrong(trainer: Trainer) -> None:
    assert trainer.ask().stdout == "Nothing is wrong.\n"
    assert trainer.ask("--json").stdout == '{\n  "problems": []\n}\n'
    assert trainer.ask(command=("show", "problems")).stdout == "Nothing is wrong.\n"


def test_each_mistake_is_named_and_gone_when_it_is_mended(trainer: Trainer) -> None:
    port = trainer.port
    with sim.Blocking() as world:
        a = world.connect(
            "127.0.0.1", port, sim.kube_router(node_name="node-a"), source="127.0.0.2"
        )
        a.announce("10.1.0.0/24")
        trainer.wait_for()

        with socket.create_connection(("127.0.0.1", port), source_address=("127.0.0.9", 0)):
            trainer.wait_for("silent")
        trainer.wait_for()

        b = world.connect(
            "127.0.0.1", port, sim.kube_router(node_name="node-b"), source="127.0.0.3"
        )
        b.announce("10.1.0.0/24")
        trainer.wait_for("same-cidr")
        assert "node-a (127.0.0.2) and node-b (127.0.0.3)" in trainer.problems()[0]["what"]
        b.announce("10.2.0.0/24")
        b.withdraw("10.1.0.0/24")
        trainer.wait_for()

        wrong = {"asn": 65001, "peer_asn": 64512}
        for mistake, kind in (
            (wrong, "wrong-as"),
            ({"asn": 64512, "peer_asn": 65009}, "expects-other-as"),
        ):
            c = world.connect(
                "127.0.0.1",
                port,
                sim.kube_router(node_name="node-c", **mistake),  # type: ignore[arg-type]
                source="127.0.0.4",
            )
            with pytest.raises(SessionOverError):
                c.established()
            trainer.wait_for(kind)
            human = trainer.ask()
            assert human.returncode == 1
            assert "ERROR: " in human.stdout
            assert "  Fix " in human.stdout
            shown = trainer.ask(command=("show", "problems"))
            assert (shown.returncode, shown.stdout) == (1, human.stdout)
            c = world.connect(
                "127.0.0.1", port, sim.kube_router(node_name="node-c"), source="127.0.0.4"
            )
            c.announce("10.3.0.0/24")
            trainer.wait_for()
            c.close()

        d = world.connect(
            "127.0.0.1", port, sim.kube_router(node_name="node-d"), source="127.0.0.5"
        )
        trainer.wait_for("announces-nothing")
        d.announce("10.4.0.0/24")
        trainer.wait_for()


def test_a_mistake_is_named_within_five_seconds(trainer: Trainer) -> None:
    """The longest of the rules waits four seconds; what is beyond is the machine's load."""
    with sim.Blocking() as world:
        d = world.connect("127.0.0.1", trainer.port, source="127.0.0.5")
        d.established()
        began_s = time.time()
        trainer.wait_for("announces-nothing")
        [problem] = trainer.problems()
        assert abs(problem["since"] - began_s) < 2


def test_nothing_runs(tmp_path: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "reflector", "problems", "--socket", str(tmp_path / "none")],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
        env={"PYTHONPATH": str(REPOSITORY)},
    )
    assert answer.returncode == 1
    assert "no reflector is running here" in answer.stderr
