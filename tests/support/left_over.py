"""What a run of the tests that was killed has left on the machine, and how the next one clears it.

Everything that outlives a process carries the process id of its run: namespaces and folders in their
names, processes in their environment. A run whose process is gone has nothing left to lose; what
belongs to one that still runs is never touched, so that two may run at the same time.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

# For what is too large for pytest's own folder, which is kept after a run.
LARGE_FILES: Final = Path("/var/tmp")  # noqa: S108 - names are made by mkdtemp

_PREFIX: Final = "rrt"
_OURS: Final = re.compile(rf"{_PREFIX}(?P<pid>\d+)-")
_MARK: Final = "BGP_REFLECTOR_TEST_RUN"
_MARKED: Final = re.compile(rf"(?:^|\0){_MARK}=(?P<pid>\d+)\0".encode())


def own_name(name: str) -> str:
    """Return a name that is this test process's own."""
    return f"{_PREFIX}{os.getpid()}-{name}"


def is_left_over(name: str) -> bool:
    """Whether a name is one of a test process that no longer runs."""
    found = _OURS.match(name)
    return found is not None and not _is_running(found["pid"])


def mark_children() -> None:
    """Have whatever this process starts from now on carry its id.

    What carries it before is of another process, which had the same id.
    """
    os.environ[_MARK] = str(os.getpid())


def kill_left_over_processes() -> None:
    """Kill what test processes that no longer run have started."""
    for pid, run in _marked():
        if not _is_running(run):
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def remove_left_over_folders() -> None:
    """Remove the large files of test processes that no longer run."""
    for folder in LARGE_FILES.glob(f"{_PREFIX}*-*"):
        if is_left_over(folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _marked() -> Iterator[tuple[int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended, or is somebody else's
            found = _MARKED.search((folder / "environ").read_bytes())
            if found and folder.name != str(os.getpid()):
                yield int(folder.name), found["pid"].decode()


def _is_running(pid: str) -> bool:
    """Whether a process is there and more than a zombie that nobody has buried."""
    if pid == str(os.getpid()):
        return os.environ.get(_MARK) == pid
    try:
        status = Path("/proc", pid, "stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return status.rpartition(")")[2].split()[0] not in {"Z", "X"}
