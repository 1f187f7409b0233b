"""Recordings of a terminal in asciinema's format, version 2."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

Event = tuple[float, str]


@dataclass
class Cast:
    """A recording.

    Args:
        columns: The terminal's width.
        rows: The terminal's height.
        title: What it shows.
        events: When something was printed, in seconds since the beginning, and what.
    """

    columns: int
    rows: int
    title: str
    events: list[Event] = field(default_factory=list)

    def dumps(self) -> str:
        """As a file."""
        header = {"version": 2, "width": self.columns, "height": self.rows, "title": self.title}
        lines = [json.dumps(header)]
        lines += [json.dumps([round(at_s, 3), "o", text]) for at_s, text in self.events]
        return "\n".join(lines) + "\n"

    @staticmethod
    def loads(text: str) -> Cast:
        """Read a file.

        Raises:
            ValueError: It is no recording of version 2.
        """
        first, *others = text.splitlines()
        header = json.loads(first)
        if header["version"] != 2:
            raise ValueError(f"version {header['version']} is not 2")
        events = [
            (float(at_s), str(text)) for at_s, kind, text in map(json.loads, others) if kind == "o"
        ]
        return Cast(header["width"], header["height"], header["title"], events)
