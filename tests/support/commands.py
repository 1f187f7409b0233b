"""Commands that ask a running reflector, as a user runs them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflector import sim

_DEADLINE_S = 60.0


def run_command(reflector: sim.RunningReflector, *command: str) -> subprocess.CompletedProcess[str]:
    """Run a command against a reflector, and return what it printed."""
    return subprocess.run(
        [sys.executable, "-m", "reflector", *command, "--socket", str(reflector.control_socket)],
        capture_output=True,
        text=True,
        check=False,
        timeout=_DEADLINE_S,
    )
