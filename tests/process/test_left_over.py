"""What a run of the tests that is killed leaves, and that the next one clears that and nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support import left_over
from tests.support.left_over import is_left_over, own_name
from tests.support.process import wait_until
from tests.support.reflector_process import REPOSITORY

# A run: it has a folder, and a process that would outlive it, whose own child no longer knows it.
RUN: Final = """
import subprocess, tempfile, time
from tests.support import left_over
left_over.mark_children()
print(tempfile.mkdtemp(prefix=left_over.own_name("x-"), dir=left_over.LARGE_FILES))
print(subprocess.Popen(["sh", "-c", "sleep 300 & wait"], stdout=subprocess.DEVNULL, start_new_session=True).pid, flush=True)
time.sleep(300)
"""


class Run:
    """A run of the tests."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUN], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
        )
        assert self.process.stdout is not None
        self.folder = Path(self.process.stdout.readline().strip())
        self.child = Path("/proc", self.process.stdout.readline().strip())

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def is_gone(self) -> bool:
        return not self.child.exists() and not self.folder.exists()


def test_a_killed_run_is_cleared_and_a_running_one_is_not() -> None:
    killed, running = Run(), Run()
    try:
        killed.kill()
        assert killed.child.exists()
        assert is_left_over(killed.folder.name)
        assert not is_left_over(running.folder.name)
        assert not is_left_over(own_name("x"))
        left_over.kill_left_over_processes()
        left_over.remove_left_over_folders()
        wait_until(killed.is_gone, what="what the killed run has left is gone")
        assert running.child.exists()
        assert running.folder.exists()
    finally:
        running.kill()
        left_over.kill_left_over_processes()
        left_over.remove_left_over_folders()
    wait_until(running.is_gone, what="the other one is cleared as well")


def test_what_carries_another_name_is_nobodys() -> None:
    assert not is_left_over("rrt-docker")
    assert not is_left_over("docker-rrt1-x")
    assert not is_left_over("rrt1x-docker")
