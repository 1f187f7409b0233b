"""Records what this project's commands print, in terminals of their own, on one that is shown."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tests.demo.cast import Cast

_PROMPT: Final = "\x1b[32m$\x1b[0m "
_KEY_S: Final = 0.045
_BEFORE_ENTER_S: Final = 0.5
_READ_BYTES: Final = 1 << 16
_DEADLINE_S: Final = 60.0
_CLEAR: Final = "\x1b[2J\x1b[H"


class Recorder:
    """A terminal that is recorded.

    Args:
        cast: What it is recorded into.
        directory: Where commands run.
        environment: Of the commands.
    """

    def __init__(self, cast: Cast, directory: Path, environment: Mapping[str, str]) -> None:
        self._cast = cast
        self._directory = directory
        self._environment = environment
        self._began_s = time.monotonic()
        self._started: list[Running] = []
        self._running: list[Running] = []

    def title(self, text: str) -> None:
        """Begin with an empty screen and a line of comment."""
        self._show(f"{_CLEAR}\x1b[2m# {text}\x1b[0m\r\n")

    def type(self, command: str) -> Running:
        """Type a command and start it."""
        self._show(_PROMPT)
        for character in command:
            time.sleep(_KEY_S)
            self._show(character)
        time.sleep(_BEFORE_ENTER_S)
        self._show("\r\n")
        size = struct.pack("HHHH", self._cast.rows, self._cast.columns, 0, 0)
        running = Running(command, size, self._directory, self._environment)
        self._started.append(running)
        self._running.append(running)
        return running

    def watch(self, running: Running, awaited: str | None = None, stay_s: float = 0.0) -> None:
        """Show what a command prints until it has printed something, or to its end.

        Args:
            running: The command.
            awaited: What is waited for; None waits for the end.
            stay_s: How long to watch after that, in seconds.

        Raises:
            RuntimeError: It did not come.
        """
        deadline = time.monotonic() + _DEADLINE_S
        seen = ""
        while awaited is None or awaited not in seen:
            text = self._next(running, deadline)
            if text is None:
                break
            seen += text
            self._show(text)
        if awaited is not None and awaited not in seen:
            raise RuntimeError(f"{running.command} did not print {awaited!r}, but:\n{seen}")
        deadline = time.monotonic() + stay_s
        while awaited is not None and (text := self._next(running, deadline)):
            self._show(text)
        time.sleep(max(0.0, deadline - time.monotonic()))

    def close(self) -> None:
        """End everything that runs."""
        for running in reversed(self._started):
            running.close()

    def _next(self, shown: Running, deadline: float) -> str | None:
        """What a command prints next, None at its end or at the deadline; the others' goes nowhere."""
        while (left_s := deadline - time.monotonic()) > 0:
            ready, _, _ = select.select(self._running, [], [], left_s)
            for running in ready:
                text = running.read()
                if running is shown:
                    return text
                if text is None:
                    self._running.remove(running)
        return None

    def _show(self, text: str) -> None:
        self._cast.events.append((time.monotonic() - self._began_s, text))


class Running:
    """A command in a terminal of its own.

    Args:
        command: For the shell.
        size: Of the terminal, as TIOCSWINSZ takes it.
        directory: Where it runs.
        environment: Its environment.
    """

    def __init__(
        self, command: str, size: bytes, directory: Path, environment: Mapping[str, str]
    ) -> None:
        self.command = command
        self._here, there = pty.openpty()
        fcntl.ioctl(there, termios.TIOCSWINSZ, size)
        self._process = subprocess.Popen(
            ["bash", "-c", command],
            cwd=directory,
            env=environment,
            stdin=there,
            stdout=there,
            stderr=there,
            start_new_session=True,
        )
        os.close(there)

    def fileno(self) -> int:
        """For `select`."""
        return self._here

    def read(self) -> str | None:
        """What it has printed; None at its end."""
        try:
            return os.read(self._here, _READ_BYTES).decode(errors="replace") or None
        except OSError:  # the other end is closed
            return None

    def close(self) -> None:
        """End it as Ctrl-C does."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
        while self.read() is not None:
            pass  # what it says at its end must go somewhere
        self._process.wait(_DEADLINE_S)
        os.close(self._here)
