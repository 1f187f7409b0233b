"""`bgp-reflector vtysh` as a user meets it: at a prompt, in a script, and with nobody to ask."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.reflector_process import (
    REPOSITORY,
    ReflectorProcess,
    ReflectorSettings,
    free_port,
)

DEADLINE_S = 60.0
VTYSH = (sys.executable, "-m", "reflector", "vtysh", "--socket")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm"}


@pytest.fixture(scope="module")
def control_socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a running reflector without peers."""
    settings = ReflectorSettings(
        directory=tmp_path_factory.mktemp("r"), listen=("127.0.0.1",), port=free_port()
    )
    reflector = ReflectorProcess(settings)
    reflector.start()
    try:
        yield str(reflector.control_socket)
    finally:
        reflector.stop()


def vtysh(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*VTYSH, *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=ENVIRONMENT,
    )


class Terminal:
    """A shell on a terminal."""

    def __init__(self, control_socket: str) -> None:
        self.seen = ""
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.execve(VTYSH[0], [*VTYSH, control_socket], ENVIRONMENT)  # noqa: S606 - ours
        self.wait_for("# ")

    def type(self, keys: str) -> None:
        """Type."""
        os.write(self._fd, keys.encode())

    def wait_for(self, text: str) -> None:
        """Read until a text is seen, and forget all up to its end."""
        deadline_s = time.monotonic() + DEADLINE_S
        while text not in self.seen:
            ready, _, _ = select.select([self._fd], [], [], max(0, deadline_s - time.monotonic()))
            assert ready, f"{text!r} did not come; this did: {self.seen!r}"
            try:
                self.seen += os.read(self._fd, 4096).decode()
            except OSError:  # the other end is closed
                pytest.fail(f"{text!r} did not come; this did, and then the end: {self.seen!r}")
        self.seen = self.seen.partition(text)[2]

    def exit_code(self) -> int:
        """Wait for its end."""
        deadline_s = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline_s:
            ended, status = os.waitpid(self._pid, os.WNOHANG)
            if ended:
                os.close(self._fd)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        os.kill(self._pid, signal.SIGKILL)
        pytest.fail(f"the shell does not end; the last that it said: {self.seen!r}")


def test_at_a_prompt(control_socket: str) -> None:
    shell = Terminal(control_socket)
    shell.type("sh\tb s\t\r")
    shell.wait_for("No BGP neighbors found")
    shell.type("show bgp neighbors ?")
    shell.wait_for("A.B.C.D              An address")
    shell.wait_for("# show bgp neighbors ")
    shell.type("\x15frobnicate\r")
    shell.wait_for("% Unknown command: frobnicate")
    shell.wait_for("# ")
    shell.type("show ver")
    shell.wait_for("show ver")
    # Python may overlook a ^C until the next key, where it comes just before it waits for one.
    shell.type("\x03\r")
    shell.wait_for("# ")
    shell.type("exit\r")
    assert shell.exit_code() == 0


def test_commands_as_arguments(control_socket: str) -> None:
    done = vtysh(control_socket, "-c", "show version", "-c", "show ip bgp")
    assert done.returncode == 0
    assert "FRRouting" in done.stdout
    assert "*> 1.0.0.2/32       0.0.0.0                  0         32768 i" in done.stdout


def test_commands_by_a_pipe_get_answers_alone(control_socket: str) -> None:
    done = vtysh(control_socket, typed="show bgp summary failed\nexit\nshow version\n")
    assert done.returncode == 0
    assert done.stdout.strip().startswith("IPv4 Unicast Summary")
    assert "FRRouting" not in done.stdout
    assert "#" not in done.stdout


def test_what_is_no_command_exits_1(control_socket: str) -> None:
    done = vtysh(control_socket, "-c", "show bgp nonsense", "-c", "show version")
    assert done.returncode == 1
    assert done.stdout == "% Unknown command: show bgp nonsense\n"


def test_with_nobody_to_ask(tmp_path: Path) -> None:
    done = vtysh(str(tmp_path / "nobody"), "-c", "show bgp summary")
    assert done.returncode == 1
    assert done.stderr.startswith("bgp-reflector: no reflector is running here")
    assert "Traceback" not in done.stderr


def test_the_running_configuration_is_one_that_frr_writes(control_socket: str) -> None:
    """And so one that our reader of FRR's files takes."""
    shown = vtysh(control_socket, "-c", "show running-config").stdout
    assert "router bgp 64512" in shown
    assert " bgp listen range 0.0.0.0/0 peer-group range-1" in shown
    config = shown.partition("Current configuration:")[2]
    checked = subprocess.run(
        [sys.executable, "-m", "reflector", "check", "--frr", "/dev/stdin"],
        input=config,
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=ENVIRONMENT,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
