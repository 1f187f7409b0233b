"""`bgp-reflector rehearse` as a process."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from typing import Final

from tests.support.reflector_process import REPOSITORY

COMMAND: Final = (sys.executable, "-m", "reflector", "rehearse")
RUN_TIMEOUT_S: Final = 180.0
COMPLETE: Final = "Ctrl-C lets everybody leave"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm"}


def rehearse(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Play a class to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
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
        [*COMMAND, *arguments], stdout=subprocess.PIPE, text=True, env=environment(), cwd=REPOSITORY
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
