"""For all tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """How many processes `-n auto` is."""
    from tests.support.workers import number_of_workers  # noqa: PLC0415 - only `-n` needs xdist

    return number_of_workers()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:  # noqa: ANN401 - xdist's
    """Keep in one process what shares a daemon, and begin with what takes longest."""
    from tests.support.workers import Scheduling  # noqa: PLC0415 - likewise

    config.option.loadscopereorder = False
    return Scheduling(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with what takes longest, where several processes share the tests."""
    if hasattr(config, "workerinput"):
        from tests.support.workers import longest_first  # noqa: PLC0415 - likewise

        longest_first(items)
