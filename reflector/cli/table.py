"""Aligned tables and a little colour, for people at a terminal."""

import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

_GAP: Final = "  "
_RESET: Final = "\x1b[0m"


class Paint(Enum):
    """What colours mean here; the words beside them say the same."""

    GOOD = "\x1b[32m"
    PENDING = "\x1b[33m"
    HEADING = "\x1b[1m"


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        heading: Above it.
        right: Whether its cells end at the same place, as numbers do.
        extra: Left out on a terminal that is too narrow, the highest first; 0 always stays.
    """

    heading: str
    right: bool = False
    extra: int = 0


def print_table(
    columns: Sequence[Column], rows: Sequence[Sequence[str]], paint: dict[str, Paint] | None = None
) -> None:
    """Print a table, with the columns that a terminal has room for; all where it is none.

    Args:
        columns: What there is.
        rows: Cells, as many as columns.
        paint: Colours for cells that are these words.
    """
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for line in table_lines(columns, rows, paint, room):
        print(line)


def table_lines(
    columns: Sequence[Column],
    rows: Sequence[Sequence[str]],
    paint: dict[str, Paint] | None,
    room: int | None,
) -> list[str]:
    """A table in lines, its heading first.

    Args:
        columns: What there is.
        rows: Cells, as many as columns.
        paint: Colours for cells that are these words.
        room: Columns of the terminal, for which some of the table's may be left out; None for any.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    widths = [
        max(len(column.heading), *(len(row[i]) for row in cells)) if cells else len(column.heading)
        for i, column in enumerate(columns)
    ]
    shown = _fitting(columns, widths, room)
    fitting = [widths[i] for i in shown]
    heading = _line([columns[i].heading for i in shown], fitting, columns, shown)
    return [coloured(heading, Paint.HEADING)] + [
        _line([row[i] for i in shown], fitting, columns, shown, paint) for row in cells
    ]


def print_facts(facts: Sequence[tuple[str, str]], indent: str = "") -> None:
    """Print names and values, one a line, values aligned."""
    width = max(len(name) for name, _ in facts) + len(_GAP)
    for name, value in facts:
        print(f"{indent}{name:{width}}{printable(value)}".rstrip())


def coloured(text: str, paint: Paint) -> str:
    """Colour a text if stdout is a terminal that wants it."""
    wanted = (
        sys.stdout.isatty()
        and not os.environ.get("NO_COLOR")
        and os.environ.get("TERM") not in (None, "", "dumb")
    )
    return f"{paint.value}{text}{_RESET}" if wanted else text


def printable(text: str) -> str:
    """A text without what would steer a terminal: peers choose their names themselves."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _fitting(columns: Sequence[Column], widths: Sequence[int], room: int | None) -> list[int]:
    """The columns that there is room for."""
    shown = list(range(len(columns)))
    if room is None:
        return shown
    for index in sorted(shown, key=lambda i: -columns[i].extra):
        needed = sum(widths[i] for i in shown) + len(_GAP) * (len(shown) - 1)
        if needed <= room or not columns[index].extra:
            break
        shown.remove(index)
    return shown


def _line(
    cells: Sequence[str],
    widths: Sequence[int],
    columns: Sequence[Column],
    shown: Sequence[int],
    paint: dict[str, Paint] | None = None,
) -> str:
    parts = []
    for cell, width, index in zip(cells, widths, shown, strict=True):
        padded = cell.rjust(width) if columns[index].right else cell.ljust(width)
        colour = None if paint is None else paint.get(cell)
        parts.append(padded if colour is None else coloured(padded, colour))
    return _GAP.join(parts).rstrip()
