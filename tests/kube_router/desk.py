"""What our reflector says of the class."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from reflector import sim
from tests.kube_router.classroom import Classroom, Node
from tests.support.process import in_netns
from tests.support.reflector_process import REPOSITORY, ReflectorProcess

_GRACEFUL_RESTART: Final = 64
# Capabilities of an OPEN, in order: code and value.
Opening = list[tuple[int, bytes]]


class Desk:
    """A reflector of the class, asked as a presenter asks it.

    Args:
        reflector: It.
    """

    def __init__(self, reflector: ReflectorProcess) -> None:
        self._socket, self._netns = str(reflector.control_socket), reflector.settings.netns

    def problems(self) -> list[dict[str, Any]]:
        """What is wrong now."""
        found: list[dict[str, Any]] = self._ask("problems")["problems"]
        return found

    def strange_openings(self, room: Classroom, expected: Callable[[Node], Opening]) -> str:
        """Whose OPEN is not as expected of that node; empty if nobody's."""
        return "".join(
            f"the OPEN of {node.name} is not what the profile says\n"
            for node in room.nodes
            if self._opening(node) != expected(node)
        )

    def _opening(self, node: Node) -> Opening:
        said = self._ask("show", "messages", node.host.address)["connections"][-1]["messages"]
        opening = next(
            each for each in said if each["type"] == "OPEN" and each["direction"] == "received"
        )
        return [
            (each["code"], _whenever(each["code"], bytes.fromhex(each["value_hex"])))
            for each in opening["details"]["capabilities"]
        ]

    def _ask(self, *command: str) -> Any:  # noqa: ANN401 - JSON is anything
        ask = (sys.executable, "-m", "reflector", *command, "--json", "--socket", self._socket)
        done = subprocess.run(
            [*in_netns(self._netns), *ask],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.stdout, done.stderr
        return json.loads(done.stdout)


def _whenever(code: int, value: bytes) -> bytes:
    """A capability without what is a matter of time: whether a restart was just now (RFC 4724 3, R and F)."""
    if code != _GRACEFUL_RESTART:
        return value
    bits = {0, *range(5, len(value), 4)}
    return bytes(octet & 0x7F if at in bits else octet for at, octet in enumerate(value))


def profile(node: Node, program: Path, *, graceful: bool) -> Opening:
    """The capabilities of the simulated kube-router of that version, as that node."""
    simulated = sim.kube_router(
        program.name.partition("-v")[2],
        node_name=node.name,
        graceful_restart=graceful,
    )
    return [(each.code, each.value) for each in simulated.capabilities or ()]
