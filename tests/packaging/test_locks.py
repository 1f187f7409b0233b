"""The locks: complete, in agreement, and no index's address in them."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
from packaging.requirements import Requirement

REPOSITORY: Final = Path(__file__).resolve().parents[2]
LOCKS: Final = ("runtime", "dev", "build", "fuzz")


def entries(lock: str) -> dict[str, str]:
    """Return each pinned distribution's version, with its hashes, by name."""
    text = (REPOSITORY / "requirements" / f"{lock}.lock").read_text()
    joined = re.sub(r"#.*", "", text).replace("\\\n", " ")
    lines = [line.strip() for line in joined.splitlines() if line.strip()]
    return dict(line.split("==", maxsplit=1) for line in lines)


def version(entry: str) -> str:
    """Return the version of an entry."""
    return entry.split(maxsplit=1)[0]


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_is_locked_by_hash(lock: str) -> None:
    for name, entry in entries(lock).items():
        assert "--hash=sha256:" in entry, name


@pytest.mark.parametrize("lock", LOCKS)
def test_no_address_is_in_a_lock(lock: str) -> None:
    text = (REPOSITORY / "requirements" / f"{lock}.lock").read_text()
    assert "://" not in text
    assert "index-url" not in text


def test_locks_agree() -> None:
    """They are installed on top of each other."""
    dev = entries("dev")
    for lock in ("runtime", "build", "fuzz"):
        for name, entry in entries(lock).items():
            if name in dev:
                assert version(entry) == version(dev[name]), f"{name} in {lock}.lock"


@pytest.mark.parametrize("lock", ["runtime", "dev"])
def test_lock_is_up_to_date_with_the_project(lock: str) -> None:
    """What pyproject.toml asks for is pinned, within its bounds; `make lock` if not."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wanted = list(project["project"]["dependencies"])
    if lock == "dev":
        groups = project["dependency-groups"]
        wanted += [each for group in groups.values() for each in group if isinstance(each, str)]
    pinned = entries(lock)
    for requirement in map(Requirement, wanted):
        assert version(pinned[requirement.name.lower()]) in requirement.specifier, requirement
