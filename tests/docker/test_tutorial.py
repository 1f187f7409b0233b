"""docs/tutorial.md, from its first command to its last, on a real Docker engine."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import pytest

from tests.docker.conftest import BUILD_TIMEOUT_S, Project
from tests.support.documents import DOCS, Shown, alike, shown_commands
from tests.support.process import QueryError, in_netns, wait_until

pytestmark = pytest.mark.docker

TUTORIAL: Final = DOCS / "tutorial.md"
# What a command shows may need its time to come true, and a loaded machine takes its own.
PATIENCE_S: Final = 90.0


class Reader:
    """Types the tutorial's commands as they stand.

    Args:
        checkout: Where they stand.
    """

    def __init__(self, checkout: Project) -> None:
        self._project = Project(checkout.engine, checkout.directory, "class.yaml")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the text."""
        return subprocess.run(
            [*in_netns(self._project.engine.netns), "bash", "-c", command],
            cwd=self._project.directory,
            env={
                **os.environ,
                "DOCKER_HOST": f"unix://{self._project.engine.socket}",
                "COLUMNS": "120",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_TIMEOUT_S,
        )

    def close(self) -> None:
        """Take the class away."""
        self._project.compose("down", timeout_s=60)


@pytest.fixture
def reader(image: Any, checkout: Project) -> Iterator[Reader]:  # noqa: ANN401 - JSON
    """Someone who has just got a checkout."""
    assert image
    reader = Reader(checkout)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DOCKER_HOST", f"unix://{checkout.engine.socket}")
        try:
            yield reader
        finally:
            reader.close()


def does(reader: Reader, step: Shown) -> bool:
    """Whether a command does what the text shows."""
    done = reader.run(step.command)
    printed = done.stdout + done.stderr
    if not step.output and done.returncode:
        raise QueryError(printed)
    seen = {_alike(line) for line in done.stdout.splitlines()}
    missing = [line for line in step.output if _alike(line) not in seen]
    if missing:
        raise QueryError(f"not printed: {missing}, but:\n{printed}")
    return True


def _alike(line: str) -> str:
    """A line without what differs from one time to the next; whose addresses it has does not."""
    addresses = re.findall(r"\b\d+\.\d+\.\d+\.\d+\b", line)
    return " ".join([alike(line), *addresses])


def test_every_command_does_what_the_text_shows(reader: Reader) -> None:
    steps = [step for step in shown_commands(TUTORIAL) if step.command != "cd compose"]
    assert steps
    for step in steps:
        wait_until(partial(does, reader, step), what=step.command, timeout_s=PATIENCE_S)
