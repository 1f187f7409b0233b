"""The reflector's process, with what it uses, and the compiled load generator beside it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.support.process import query, wait_until
from tests.support.reflector_process import REPOSITORY, ReflectorProcess

GENERATOR_DEADLINE_S: Final = 60.0
KIB: Final = 1 << 10
MIB: Final = 1 << 20


class Measured(ReflectorProcess):
    """Our own reflector, and what the kernel says of it."""

    def _listens(self) -> bool:
        # Said once it listens; a probing connection would be a peer to it. It answers `show` last.
        assert self.process is not None
        return "ready: " in self.process.log() and self.control_socket.exists()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.process is not None
        return self.process.pid

    def send_signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.process is not None
        self.process.send_signal(number)

    def wait_for(self, check: Callable[[], bool], what: str) -> None:
        """Wait until something is so."""
        wait_until(check, what=what, explain=self.explain)

    def memory_bytes(self) -> int:
        """Resident memory now."""
        return self._status("VmRSS")

    def peak_bytes(self) -> int:
        """The most resident memory so far."""
        return self._status("VmHWM")

    def descriptors(self) -> int:
        """Open file descriptors."""
        return len(list(Path(f"/proc/{self.pid}/fd").iterdir()))

    def neighbors(self) -> list[dict[str, Any]]:
        """What `show neighbors` knows."""
        answer = query(
            [
                *(sys.executable, "-m", "reflector", "show", "neighbors", "--json"),
                *("--socket", str(self.control_socket)),
            ]
        )
        found: dict[str, list[dict[str, Any]]] = json.loads(answer)
        return found["neighbors"]

    def _status(self, name: str) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * KIB
        raise AssertionError(name)


class Generator:
    """The load generator of the benchmark: many clients in one process, all of them checked."""

    def __init__(self, program: Path, port: int) -> None:
        self._command = [str(program), "--address", "127.0.0.1", "--port", str(port)]

    def run(self, *arguments: str, hold_s: int = 9) -> dict[str, Any]:
        """Run a load to its end and return what it measured.

        Every client held exactly what it had to, and no session was lost.
        """
        command = [*self._command, "--hold", str(hold_s), "--limit", "40", *arguments]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=GENERATOR_DEADLINE_S,
            check=False,
            cwd=REPOSITORY,
        )
        assert done.stdout, f"the generator died: {done.stderr}"
        answer: dict[str, Any] = json.loads(done.stdout)
        assert answer["ok"], answer["reason"]
        assert answer["sessions_lost"] == 0
        assert answer["notifications"] == 0
        assert done.returncode == 0
        return answer
