"""How soon a class is back after our own restart, where nobody but us will dial.

Real GoBGPs with the timers that kube-router leaves them: they redial 90 to 120 s after their
session fell, so what is back before that is our dial's doing. No dial brings one back before 5 s:
for so long a GoBGP whose session fell is idle and hangs up on whoever dials it.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from tests.support.gobgp import GoBgp
from tests.support.netns import Lab
from tests.support.peer import ESTABLISHED, PeerSettings, announce_all
from tests.support.process import wait_until
from tests.support.reflector_process import OURS, Reflector, ReflectorSettings, make_reflector

pytestmark = pytest.mark.lab

REFLECTOR: Final = "10.77.0.1"
NODES: Final = {"10.77.0.11": "10.11.0.0/24", "10.77.0.12": "10.12.0.0/24"}
DEBUG_PREFIX: Final = "1.0.0.2/32"

# holdtimeIdle of GoBGP's fsm.go.
GOBGP_IS_IDLE_S: Final = 5.0
# What may come on top: Python's start, a try every quarter of a second, this test's questions; and what a
# loaded machine adds. By itself GoBGP would not be back in a minute.
OURS_S: Final = 20.0


@dataclass
class Class:
    """A reflector and nodes that wait to be dialled."""

    reflector: Reflector
    nodes: list[GoBgp]
    state_file: Path

    def is_back(self) -> bool:
        """Whether each node has the debug route and the other's."""
        expected = {DEBUG_PREFIX, *NODES.values()}
        return all(
            expected - {NODES[node.settings.local_address]} <= node.routes().keys()
            for node in self.nodes
        )

    def restart(self, *, down_s: float = 0.0) -> float:
        """Kill -9 and start again.

        Returns:
            When it was killed.
        """
        self.reflector.kill()
        killed_s = time.monotonic()
        time.sleep(down_s)
        self.reflector.start()
        return killed_s

    def wait_back(self, timeout_s: float) -> None:
        """Wait until all routes are there."""
        wait_until(
            self.is_back,
            what="every node has every route",
            timeout_s=timeout_s,
            explain=lambda: self.reflector.explain() + "".join(n.explain() for n in self.nodes),
        )

    def wait_remembered(self) -> None:
        """Wait until the state file names all nodes."""
        wait_until(
            lambda: (
                self.state_file.exists()
                and all(f'"{node}"' in self.state_file.read_text() for node in NODES)
            ),
            what=f"{self.state_file} names all nodes",
            explain=self.reflector.explain,
        )


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Class]:
    """Two nodes whose first sessions come of being dialled as named neighbors."""
    directory = tmp_path_factory.mktemp("redial")
    settings = ReflectorSettings(
        directory=directory / "reflector", router_id="223.255.0.1", asn=64512
    )
    if make_reflector(settings).kind != OURS:
        pytest.skip("what is tested is our own")
    settings.directory.mkdir()
    named = settings.directory / "named.yaml"
    named.write_text(f"neighbors: [{', '.join(f'{{address: {node}}}' for node in NODES)}]\n")
    lab = Lab("redial-")
    nodes: list[GoBgp] = []
    reflector = None
    try:
        settings = replace(settings, netns=lab.add_host("rr", REFLECTOR).netns)
        for number, (address, pods) in enumerate(NODES.items()):
            host = lab.add_host(f"n{number}", address)
            node = PeerSettings(
                name=f"n{number}",
                directory=directory / f"n{number}",
                local_address=address,
                reflector_address=REFLECTOR,
                reflector_port=179,
                netns=host.netns,
                hold_time_s=90,
                announcements=announce_all(pods),
            )
            nodes.append(GoBgp(node, as_in_kube_router=True))
            nodes[-1].start()
        reflector = make_reflector(replace(settings, arguments=("--config", str(named))))
        reflector.start()
        made = Class(reflector, nodes, settings.directory / "peers.json")
        made.wait_back(20)
        reflector.settings = settings  # from now on it knows of nobody but by what it remembers
        yield made
        reflector.stop()
    finally:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: node.kill(), nodes))
        if reflector is not None:
            reflector.kill()
        lab.close()


@pytest.fixture(autouse=True)
def _all_is_well(room: Class) -> None:
    room.wait_remembered()
    room.wait_back(GOBGP_IS_IDLE_S + OURS_S)


def test_killed_and_started_again_all_is_back_as_soon_as_gobgp_takes_a_dial(room: Class) -> None:
    killed_s = room.restart()
    room.wait_back(GOBGP_IS_IDLE_S + OURS_S)
    took_s = time.monotonic() - killed_s
    print(f"back {took_s:.2f} s after the kill")  # noqa: T201 - for docs/restart.md
    assert took_s < GOBGP_IS_IDLE_S + OURS_S


def test_where_gobgp_is_not_idle_any_more_all_is_back_at_once(room: Class) -> None:
    """As after `docker compose down` and `up`, or a reboot."""
    room.restart(down_s=GOBGP_IS_IDLE_S + 0.5)
    started_s = time.monotonic()
    room.wait_back(OURS_S)
    took_s = time.monotonic() - started_s
    print(f"back {took_s:.2f} s after it listened")  # noqa: T201 - for docs/restart.md
    assert took_s < OURS_S


def test_a_session_that_is_dropped_while_it_runs_is_dialled_anew(room: Class) -> None:
    """As where a laptop slept, or a cable was pulled: else it would take GoBGP a minute or two."""
    for address in NODES:
        subprocess.run(
            [
                *(sys.executable, "-m", "reflector", "clear", address),
                *("--socket", str(room.reflector.settings.directory / "control")),
            ],
            check=True,
        )
    began_s = time.monotonic()
    wait_until(
        lambda: not any(node.session_state() == ESTABLISHED for node in room.nodes),
        what="the sessions are down",
    )
    room.wait_back(GOBGP_IS_IDLE_S + OURS_S)
    print(f"back {time.monotonic() - began_s:.2f} s after the end")  # noqa: T201 - for docs/restart.md


def test_a_polite_end_and_start_is_remembered_too(room: Class) -> None:
    room.reflector.stop()
    room.reflector.start()
    room.wait_back(GOBGP_IS_IDLE_S + OURS_S)


def test_without_its_memory_nobody_is_back(room: Class) -> None:
    """The state file is what makes the difference."""
    kept = room.state_file.read_bytes()
    # A GoBGP's own clock may run out just now, and then does not in the next minute again.
    for _ in range(1 + len(NODES)):
        room.reflector.kill()
        room.state_file.unlink(missing_ok=True)
        room.reflector.start()
        time.sleep(GOBGP_IS_IDLE_S + 4)
        if not any(node.session_state() == ESTABLISHED for node in room.nodes):
            break
    else:
        pytest.fail("somebody is back each time, though nobody has dialled")
    room.reflector.kill()
    room.state_file.write_bytes(kept)
    room.reflector.start()
    room.wait_back(OURS_S)
