"""What `pip install .` and `pipx install .` put on a machine."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import pytest

from reflector import __version__
from tests.packaging.conftest import Clone

EXECUTABLE: Final = "bgp-reflector"


@pytest.fixture(scope="module")
def installed(clone: Clone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the clone into an empty environment, as pipx does, and return that environment."""
    environment = tmp_path_factory.mktemp("pipx") / "venv"
    for command in (
        (sys.executable, "-m", "venv", str(environment)),
        (str(environment / "bin" / "pip"), "install", "--quiet", "."),
    ):
        done = clone.run(*command)
        assert done.returncode == 0, done.stdout + done.stderr
    return environment


def test_command_works(clone: Clone, installed: Path) -> None:
    done = clone.run(str(installed / "bin" / EXECUTABLE), "--version")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{EXECUTABLE} {__version__}"


def test_type_checkers_find_the_types(installed: Path) -> None:
    assert list(installed.glob("lib/python3*/site-packages/reflector/py.typed"))


def test_commented_configuration_comes_along(installed: Path) -> None:
    assert list(installed.rglob("reflector.yaml"))


def test_the_man_page_and_the_completions_come_along(installed: Path) -> None:
    for name in (
        "bgp-reflector.1",
        "_bgp-reflector",
        "completions/bgp-reflector",
        "bgp-reflector.fish",
    ):
        assert list(installed.glob(f"share/**/{name}")), name


def test_pytest_finds_the_plugin(clone: Clone, installed: Path) -> None:
    code = "from importlib.metadata import entry_points; print(entry_points(group='pytest11'))"
    done = clone.run(str(installed / "bin" / "python"), "-c", code)
    assert "reflector.pytest_plugin" in done.stdout, done.stderr
