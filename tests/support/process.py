"""Child processes for tests: they log to files, die with the tests, and are waited for by deadline.

Real daemons fork, change user and ignore polite signals. Each runs in a process group of its own,
so that one signal reaches all of it, and every wait ends in an error that shows what was logged.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

import pytest

T = TypeVar("T")

LOG_TAIL_LINES = 40
POLL_INTERVAL_S = 0.1
QUERY_TIMEOUT_S = 30.0
# What is awaited comes in a moment, but for a machine that has much else to do.
PATIENCE_S = 60.0

_running: set[BackgroundProcess] = set()


class QueryError(Exception):
    """A daemon did not answer a question (yet)."""


def skip_or_fail(reason: str) -> None:
    """Skip the test for want of something on this machine; in CI nothing may be wanting."""
    if os.environ.get("CI"):
        pytest.fail(f"{reason} (CI is set, so this is not skipped)", pytrace=False)
    pytest.skip(reason)


def find_binary(*names: str) -> str:
    """Return the path of the first of `names` that is there; skip the test if none is.

    Looks in the sbin folders too, which a user's PATH leaves out.
    """
    path = os.pathsep.join(
        [os.environ.get("PATH", os.defpath), "/usr/local/sbin", "/usr/sbin", "/sbin"]
    )
    for name in names:
        found = shutil.which(name, path=path)
        if found:
            return found
    skip_or_fail(f"{' or '.join(names)} is not installed (.ci/install puts it there)")
    raise AssertionError  # skip_or_fail raised


def program(name: str, root: Path | None = None) -> list[str]:
    """Return what starts a program: its path, or what runs the one of another Debian root.

    Args:
        name: Of the program, or its path on this machine.
        root: Where another Debian lies; its programs run here on its own libraries.
    """
    if root is None:
        return [find_binary(name)]
    places = (name.lstrip("/"), f"usr/sbin/{name}", f"usr/bin/{name}")
    found = [path for each in places if (path := root / each).is_file()]
    loaders = [*root.glob("usr/lib64/ld-linux-*"), *root.glob("usr/lib/ld-linux-*")]
    if not found or not loaders:
        skip_or_fail(f"{name} is not in {root} (.ci/install-new-peers puts it there)")
    libraries = root / "usr/lib"
    ours = [libraries, *libraries.glob("*-linux-gnu*"), *libraries.glob("*-linux-gnu*/frr")]
    return [str(loaders[0]), "--library-path", ":".join(map(str, ours)), str(found[0])]


def require_root() -> None:
    """Skip the test unless it runs as root."""
    if os.geteuid() != 0:
        skip_or_fail("needs root")


def query(command: Sequence[str], *, timeout_s: float = QUERY_TIMEOUT_S) -> str:
    """Run a command to its end and return what it printed.

    Raises:
        QueryError: It failed, or did not end in time.
    """
    try:
        done = subprocess.run(  # noqa: PLW1510 - the message below says more than CalledProcessError
            command, capture_output=True, text=True, timeout=timeout_s, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired as error:
        raise QueryError(f"{' '.join(command)}: no end after {timeout_s} s") from error
    if done.returncode != 0:
        raise QueryError(
            f"{' '.join(command)}: exit {done.returncode}: {done.stderr.strip() or done.stdout.strip()}"
        )
    return done.stdout


def wait_until(
    check: Callable[[], T],
    *,
    what: str,
    timeout_s: float = PATIENCE_S,
    explain: Callable[[], str] | None = None,
) -> T:
    """Call `check` until it returns something true, and return that.

    A check that raises QueryError or AssertionError is asked again; its last message becomes part
    of the failure, so a check may simply assert what it wants to see.

    Args:
        check: What to ask.
        what: What is awaited, for the failure's message.
        timeout_s: Deadline.
        explain: Gives what else to show on failure, such as logs.
    """
    deadline = time.monotonic() + timeout_s
    last = ""
    while True:
        try:
            result = check()
        except (QueryError, AssertionError) as error:
            last = str(error)
        else:
            if result:
                return result
            last = f"last answer: {result!r}"
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_INTERVAL_S)
    shown = explain() if explain else ""
    pytest.fail(f"not within {timeout_s:g} s: {what}\n{last}\n{shown}", pytrace=False)


class BackgroundProcess:
    """A process that runs beside the test, with its output in a file."""

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        log_path: Path,
        netns: str | None = None,
        environment: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        """Start it.

        Args:
            name: What to call it in messages.
            command: Program and arguments.
            log_path: Where stdout and stderr are appended.
            netns: Network namespace to run it in; None is the test's own.
            environment: Added to this process's environment.
            cwd: Where to run it.
        """
        self.name = name
        self.command = [*in_netns(netns), *command]
        self.log_path = log_path
        with log_path.open("ab") as log:
            self._popen = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
                cwd=cwd,
            )
        _running.add(self)

    @property
    def pid(self) -> int:
        """The process id, which is its group's too."""
        return self._popen.pid

    def is_running(self) -> bool:
        """Whether the first process of the group still runs."""
        return self._popen.poll() is None

    def log(self) -> str:
        """Everything it printed."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def log_tail(self) -> str:
        """The last lines it printed, under a heading."""
        state = "running" if self.is_running() else f"exited with {self._popen.returncode}"
        lines = self.log().splitlines()[-LOG_TAIL_LINES:]
        return "\n".join([f"--- {self.name} ({state}), {self.log_path}:", *lines])

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to the first process only."""
        self._popen.send_signal(number)

    def wait(self, timeout_s: float) -> int:
        """Wait for its end and return the exit status (negative: the signal that ended it)."""
        try:
            return self._popen.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f"{self.name} did not end in {timeout_s:g} s\n{self.log_tail()}")

    def kill(self) -> None:
        """SIGKILL the whole group: no goodbye to anybody."""
        self._signal_group(signal.SIGKILL)
        self._popen.wait()
        _running.discard(self)

    def stop(self, timeout_s: float = 3.0) -> None:
        """Ask the group to end, and make it end when it has not after `timeout_s`."""
        self._signal_group(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._popen.wait(timeout_s)
        self.kill()

    def _signal_group(self, number: signal.Signals) -> None:
        # Once killed, the number may belong to somebody else.
        if self in _running:
            with suppress(ProcessLookupError):
                os.killpg(self._popen.pid, number)


def in_netns(netns: str | None) -> list[str]:
    """Return what to put before a command to run it in a network namespace."""
    return [] if netns is None else [find_binary("ip"), "netns", "exec", netns]


@atexit.register
def _kill_what_is_left() -> None:
    for process in list(_running):
        process.kill()
