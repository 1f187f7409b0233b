"""How `make test` shares the tests among processes: most of them wait, few compute.

What takes long to start is started once: the tests that share it run in one process, one after the
other. Any other file is a unit of its own.
"""

from __future__ import annotations

import os
import re
from functools import cache
from pathlib import Path
from typing import Final

import pytest
from xdist.scheduler import LoadScopeScheduling

# There are no more units than these that take long.
MOST_WORKERS: Final = 8

REPOSITORY: Final = Path(__file__).resolve().parents[2]
# The longest first, so that no process ends with a long one while the others have nothing to do.
_ORDER: Final = ("docker", "packaging", "interop", "process", "lab", "web", "behaviour", "sockets")
# A file that names what its folder's conftest makes, such as a class of daemons, shares it.
_SHARES: Final = re.compile(r"^from tests\.(\w+)\.conftest import", re.MULTILINE)


class Scheduling(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process a unit whenever it has done one."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid.partition("::")[0])


def number_of_workers() -> int:
    """Return how many processes are worth it here."""
    return min((os.cpu_count() or 1) + 2, MOST_WORKERS)


def longest_first(items: list[pytest.Item]) -> None:
    """Sort tests by how long what they belong to takes."""
    items.sort(key=lambda item: _rank(_folder(item.nodeid)))


@cache
def unit_of(path: str) -> str:
    """Return with what a file of tests must stay in one process."""
    found = _SHARES.search((REPOSITORY / path).read_text())
    return found[1] if found else path


def _folder(path: str) -> str:
    return (*Path(path).parts, "", "")[1]


def _rank(folder: str) -> int:
    return _ORDER.index(folder) if folder in _ORDER else len(_ORDER)
