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
# Columns for words without which folding them is worse than leaving them to the terminal.
_LEAST: Final = 20


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
    for line in table_lines(columns, rows, paint, terminal_columns()):
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
    lines = [coloured(heading, Paint.HEADING)]
    # What is still too wide is the last column, which has sentences where a table has them.
    before = sum(fitting[:-1]) + len(_GAP) * (len(fitting) - 1)
    foldable = room if room is not None and room - before >= _LEAST else None
    for row in cells:
        first, *more = fold(" " * before + row[shown[-1]], foldable, before)
        texts = [*(row[i] for i in shown[:-1]), first[before:]]
        lines.append(_line(texts, fitting, columns, shown, paint))
        lines += more
    return lines


def print_facts(facts: Sequence[tuple[str, str]], indent: str = "") -> None:
    """Print names and values, values aligned and folded at a terminal's edge."""
    width = max(len(name) for name, _ in facts) + len(_GAP)
    room = terminal_columns()
    for name, value in facts:
        line = f"{indent}{name:{width}}{printable(value)}".rstrip()
        print("\n".join(fold(line, room, len(indent) + width)))


def terminal_columns() -> int | None:
    """How wide the terminal is; None where stdout is none, and lines may be as long as they are."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def fold(line: str, room: int | None, indent: int) -> list[str]:
    """A line as lines that fit a terminal, broken between words.

    Args:
        line: Without colours.
        room: Columns of the terminal; None for any.
        indent: Of all but the first; where that leaves too little, they are not indented.
    """
    if room is None or len(line) <= room:
        return [line]
    from textwrap import wrap  # noqa: PLC0415 - few lines are so long

    start, text = line[:indent], line[indent:]
    if room - indent < _LEAST:
        start, text, indent = "", line, 0
    first, *more = wrap(text, room - indent, break_on_hyphens=False) or [""]
    return [start + first, *(" " * indent + each for each in more)]


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
