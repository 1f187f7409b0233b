"""A fresh clone, and commands in it as on a machine that knows nothing of this project."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.process import find_binary, skip_or_fail

REPOSITORY: Final = Path(__file__).resolve().parents[2]
COMMAND_TIMEOUT_S: Final = 300.0

# How a machine reaches an index at all, which is its own affair and may be set up by these.
_WAY_OUT: Final = {
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "all_proxy",
    "ssl_cert_file",
    "ssl_cert_dir",
    "requests_ca_bundle",
}


@dataclass(frozen=True)
class Clone:
    """A clone of this repository and the environment to run commands in."""

    directory: Path
    environment: Mapping[str, str]

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command in it to its end."""
        return subprocess.run(
            command,
            cwd=self.directory,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_TIMEOUT_S,
            check=False,
        )


def bare_environment(home: Path) -> dict[str, str]:
    """Return what `env -i PATH=... HOME=...` leaves, and this machine's way out."""
    way_out = {
        name: value
        for name, value in os.environ.items()
        if name.lower() in _WAY_OUT or name.startswith("PIP_")
    }
    return {"PATH": os.environ["PATH"], "HOME": str(home), **way_out}


@pytest.fixture(scope="session")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """Clone what is committed."""
    if not (REPOSITORY / ".git").exists():
        skip_or_fail(f"{REPOSITORY} is not a git clone")
    directory = tmp_path_factory.mktemp("clone") / "bgp-reflector"
    environment = bare_environment(tmp_path_factory.mktemp("home"))
    # The clone's owner need not be who runs the tests.
    trust = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    subprocess.run(
        [find_binary("git"), "clone", "--quiet", "--no-hardlinks", str(REPOSITORY), str(directory)],
        env={**environment, **trust},
        check=True,
        timeout=COMMAND_TIMEOUT_S,
    )
    find_binary("make")
    return Clone(directory, environment)


@pytest.fixture
def makefile(tmp_path: Path) -> Clone:
    """Return a folder with nothing but the Makefile and the locks, for what must not get far."""
    directory = tmp_path / "bgp-reflector"
    directory.mkdir()
    shutil.copy(REPOSITORY / "Makefile", directory)
    shutil.copy(REPOSITORY / "pyproject.toml", directory)
    shutil.copytree(REPOSITORY / "requirements", directory / "requirements")
    find_binary("make")
    return Clone(directory, bare_environment(tmp_path))
