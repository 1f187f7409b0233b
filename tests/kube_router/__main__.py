"""What a restart of the reflector costs a class of real kube-routers, in pings.

``python -m tests.kube_router PROGRAM...`` (as root), with programs that were built from kube-router's
source and are called kube-router-vVERSION; ``REFLECTOR_UNDER_TEST=frr`` puts FRR into the reflector's
place. Fails where a class does not come up or come back, the reflector sees a problem in it, or an OPEN
is not what `reflector.sim`'s profile of that version says. No part of the gate, which cannot build a
kube-router.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from reflector import sim
from tests.kube_router.classroom import Classroom, Node
from tests.support.pinging import Pinging
from tests.support.process import in_netns
from tests.support.reflector_process import OURS, REPOSITORY, ReflectorProcess

GRACEFUL: Final = "--bgp-graceful-restart"
_GRACEFUL_RESTART: Final = 64
# Capabilities of an OPEN, in order: code and value.
Opening = list[tuple[int, bytes]]

# How long everything is watched once everybody is back.
_WATCH_S: Final = 5.0


def _say(*cells: str) -> None:
    sys.stdout.write("| " + " | ".join(cells) + " |\n")
    sys.stdout.flush()


class Desk:
    """What our reflector says of the class.

    Args:
        reflector: It.
        netns: Where it runs.
    """

    def __init__(self, reflector: ReflectorProcess, netns: str) -> None:
        self._socket, self._netns = str(reflector.control_socket), netns

    def faults(self, room: Classroom, expected: Opening) -> str:
        """What is wrong, and whose OPEN is not as expected; empty if nothing is."""
        status, problems = self._ask("problems")
        strange = [
            f"the OPEN of {node.name} is not what the profile says\n"
            for node in room.nodes
            if self._opening(node) != expected
        ]
        return ("" if status == 0 else problems) + "".join(strange)

    def _opening(self, node: Node) -> Opening:
        _, answer = self._ask("show", "messages", node.host.address, "--json")
        said = json.loads(answer)["connections"][-1]["messages"]
        opening = next(
            each for each in said if each["type"] == "OPEN" and each["direction"] == "received"
        )
        return [
            (each["code"], _whenever(each["code"], bytes.fromhex(each["value_hex"])))
            for each in opening["details"]["capabilities"]
        ]

    def _ask(self, *command: str) -> tuple[int, str]:
        ask = (sys.executable, "-m", "reflector", *command, "--socket", self._socket)
        done = subprocess.run(
            [*in_netns(self._netns), *ask],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr


def _whenever(code: int, value: bytes) -> bytes:
    """A capability without what is a matter of time: whether a restart was just now (RFC 4724 3, R and F)."""
    if code != _GRACEFUL_RESTART:
        return value
    bits = {0, *range(5, len(value), 4)}
    return bytes(octet & 0x7F if at in bits else octet for at, octet in enumerate(value))


def _profile(program: Path, *, graceful: bool) -> Opening:
    """The capabilities of the simulated kube-router of that version."""
    profile = sim.kube_router(
        program.name.partition("-v")[2],
        node_name=socket.gethostname(),
        graceful_restart=graceful,
    )
    return [(each.code, each.value) for each in profile.capabilities or ()]


def _lost_s(
    room: Classroom,
    end: Callable[[], None],
    start: Callable[[], None],
    away_s: float,
    directory: Path,
) -> float:
    """End something and start it; for how many seconds pings between clusters went unanswered."""
    began_s = time.monotonic()
    pinging = Pinging(room.nodes[0].host, room.nodes[-1].host, directory)
    end()
    time.sleep(away_s)
    start()
    room.wait_reached()
    time.sleep(_WATCH_S)
    sent, answered = pinging.stop()
    # Not by the interval that ping was asked for: it keeps it only nearly.
    return (sent - answered) / sent * (time.monotonic() - began_s)


def _measure(program: Path, away_s: float, *, graceful: bool) -> bool:
    with tempfile.TemporaryDirectory(prefix="kube-router-") as name:
        directory = Path(name)
        room = Classroom(program, (GRACEFUL,) if graceful else (), directory)
        try:
            room.start()
            reflector, node = room.reflector, room.nodes[-1]
            ends: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
                "kill -9": (reflector.kill, reflector.start),
                "SIGTERM": (reflector.stop, reflector.start),
                "kill -9 of a kube-router": (
                    partial(room.kill_node, node),
                    partial(room.start_node, node),
                ),
            }
            for how, (end, start) in ends.items():
                time.sleep(_WATCH_S)  # so that no session is younger than its last fall
                lost_s = _lost_s(room, end, start, away_s, directory)
                _say(program.name, GRACEFUL if graceful else "", how, f"{lost_s:.1f} s")
            wrong = ""
            if isinstance(reflector, ReflectorProcess):
                expected = _profile(program, graceful=graceful)
                wrong = Desk(reflector, room.netns).faults(room, expected)
                sys.stderr.write(wrong)
        finally:
            room.close()
    return not wrong


def main() -> int:
    """Measure; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.kube_router", description=__doc__)
    parser.add_argument("programs", nargs="+", type=Path, metavar="PROGRAM")
    parser.add_argument(
        "--away", type=float, default=1.0, metavar="SECONDS", help="how long it is (default: 1)"
    )
    options = parser.parse_args()
    under_test = os.environ.get("REFLECTOR_UNDER_TEST", OURS)
    _say("kube-router", "with", f"{under_test} ends by", "pings lost for")
    _say("---", "---", "---", "--:")
    fine = [
        _measure(program.resolve(), options.away, graceful=graceful)
        for program in options.programs
        for graceful in (False, True)
    ]
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
