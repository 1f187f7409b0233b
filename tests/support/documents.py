"""Documents of this project: the commands in them, and what they say these print."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.reflector_process import REPOSITORY

DOCS: Final = REPOSITORY / "docs"
DOCUMENTS: Final = [
    path.relative_to(REPOSITORY).as_posix()
    for path in (REPOSITORY / "README.md", *sorted(DOCS.glob("*.md")))
]

_INDENT = re.compile(r"^ {4,}")
# What a command begins with where no prompt says that it is one.
_PROGRAM = re.compile(
    r"(sudo )?(bgp-reflector(?! \d)|bgpdump|cd|class/ping|cp|curl|docker|gobgp|ip|kubectl|make|nc|ping|pip|"
    r"pipx|printf|python3?|source|sysctl|systemctl|venv/bin/pip|wireshark)( |$)(?!=)"
)


@dataclass(frozen=True)
class Shown:
    """A command that a document shows at a prompt.

    Args:
        command: What follows the `$`.
        output: The lines that it is said to print.
    """

    command: str
    output: Sequence[str]


def shown_commands(path: Path) -> list[Shown]:
    """The commands at a prompt, in order, with what follows them."""
    found: list[tuple[str, list[str]]] = []
    inside = False
    for line in path.read_text().splitlines():
        text = line.strip()
        if _INDENT.match(line) and text.startswith("$ "):
            found.append((text.removeprefix("$ "), []))
            inside = True
        elif inside and _INDENT.match(line):
            found[-1][1].append(text)
        elif text:
            inside = False
    return [Shown(command, output) for command, output in found]


def typed_commands(path: Path) -> list[str]:
    """All commands, at a prompt or in a block of commands, in order and without their comments."""
    return [re.sub(r" {2,}(#.*|\S.*)$", "", command) for command in _typed(path)]


def _typed(path: Path) -> Iterator[str]:
    lines = iter(path.read_text().splitlines())
    shown = False
    for line in lines:
        text = line.strip()
        if not _INDENT.match(line):
            shown = shown and not text
        elif text.startswith("$ "):
            shown = True
            yield text.removeprefix("$ ")
        elif not shown and _PROGRAM.match(text):
            while text.endswith("\\"):
                text = f"{text[:-1]}{next(lines).strip()}"
            yield text


def alike(line: str) -> str:
    """A line of output without what differs from one time to the next: numbers and spaces."""
    return " ".join(re.sub(r"\d+", "0", line).split())
