"""For all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.left_over import (
    kill_left_over_processes,
    mark_children,
    remove_left_over_folders,
)
from tests.support.netns import clear_left_over


@pytest.fixture(scope="session", autouse=True)
def _after_runs_that_were_killed() -> None:
    """What such a run has left is cleared, and what this one starts can be told from it."""
    kill_left_over_processes()
    clear_left_over()
    remove_left_over_folders()
    mark_children()


@pytest.fixture(scope="session", autouse=True)
def _no_memory_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A reflector that a test starts neither finds nor leaves peers in the usual state file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIRECTORY", str(tmp_path_factory.mktemp("state")))
        yield
