"""`bgp-reflector rehearse` as a process."""

from __future__ import annotations

import fcntl
import http.client
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.support.netns import require_namespaces
from tests.support.reflector_process import REPOSITORY, free_port

COMMAND: Final = (sys.executable, "-m", "reflector", "rehearse")
RUN_TIMEOUT_S: Final = 180.0
COMPLETE: Final = "Ctrl-C lets everybody leave"


@contextmanager
def alone() -> Iterator[None]:
    """Whoever rehearses in namespaces is the only one of all tests that run on this machine.

    A class clears what a killed one has left, and so what a test may be looking at.
    """
    require_namespaces()
    with Path(tempfile.gettempdir(), "bgp-reflector-tests-rehearse.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm"}


def _command(arguments: tuple[str, ...]) -> list[str]:
    """The command line; with a page of its own, where it says nothing else of its reflector.

    The usual port may be taken by another class between a look at it and its use.
    """
    own = not {"--", "--reflector"}.intersection(arguments) and "--netns" in arguments
    page = ("--", "--http", f"127.0.0.1:{free_port()}") if own else ()
    return [*COMMAND, *arguments, *page]


def rehearse(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Play a class to its end."""
    return subprocess.run(
        _command(arguments),
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
        env=environment(),
        cwd=REPOSITORY,
    )


def start(*arguments: str) -> subprocess.Popen[str]:
    """Begin a class."""
    return subprocess.Popen(
        _command(arguments),
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
        cwd=REPOSITORY,
    )


def read_until(process: subprocess.Popen[str], awaited: str) -> str:
    """Read what a class prints up to a line with these words, and return all of it."""
    assert process.stdout is not None
    said = ""
    while awaited not in said:
        line = process.stdout.readline()
        assert line, said
        said += line
    return said


def fetch(host: str, port: int, path: str) -> bytes:
    """What a rehearsal's reflector answers over HTTP."""
    connection = http.client.HTTPConnection(host, port, timeout=RUN_TIMEOUT_S)
    try:
        connection.request("GET", path)
        return connection.getresponse().read()
    finally:
        connection.close()
