"""For all tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _no_memory_of_this_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A reflector that a test starts neither finds nor leaves peers in the usual state file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STATE_DIRECTORY", str(tmp_path_factory.mktemp("state")))
        yield
