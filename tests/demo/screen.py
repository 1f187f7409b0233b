"""A terminal's screen: what a recording's output comes to, as far as this project's commands use one."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

_PIECE: Final = re.compile(
    r"\x1b\[(?P<arguments>[0-9;?]*)(?P<command>[A-Za-z])|(?P<text>.)", re.DOTALL
)


@dataclass(frozen=True)
class Style:
    """How a character looks.

    Args:
        colour: 31 to 36 as in SGR, None for the terminal's own.
        bold: Whether it is bold.
        dim: Whether it is dim.
    """

    colour: int | None = None
    bold: bool = False
    dim: bool = False


PLAIN: Final = Style()
BLANK: Final = (" ", PLAIN)
Row = tuple[tuple[str, Style], ...]


class Screen:
    """A screen of fixed size, which scrolls.

    Args:
        columns: Its width.
        rows: Its height.
    """

    def __init__(self, columns: int, rows: int) -> None:
        self._columns = columns
        self._rows = [[BLANK] * columns for _ in range(rows)]
        self._row = self._column = 0
        self._style = PLAIN

    def rows(self) -> list[Row]:
        """What it shows."""
        return [tuple(row) for row in self._rows]

    def feed(self, output: str) -> None:
        """Take what a program printed.

        Raises:
            ValueError: It has a sequence that this does not know.
        """
        for piece in _PIECE.finditer(output):
            if piece["text"] is None:
                self._control(piece["command"], piece["arguments"])
            else:
                self._put(piece["text"])

    def _put(self, character: str) -> None:
        if character == "\n":
            self._down()
        elif character == "\r":
            self._column = 0
        elif character.isprintable():
            if self._column == self._columns:
                self._column = 0
                self._down()
            self._rows[self._row][self._column] = (character, self._style)
            self._column += 1
        else:
            raise ValueError(f"unknown control character {character!r}")

    def _down(self) -> None:
        if self._row == len(self._rows) - 1:
            self._rows.append([BLANK] * self._columns)
            del self._rows[0]
        else:
            self._row += 1

    def _control(self, command: str, arguments: str) -> None:
        match command:
            case "m":
                for each in arguments.split(";"):
                    self._style = _styled(self._style, int(each or "0"))
            case "F":
                self._row = max(0, self._row - int(arguments or "1"))
                self._column = 0
            case "H":
                self._row = self._column = 0
            case "K":
                first = 0 if arguments == "2" else self._column
                self._rows[self._row][first:] = [BLANK] * (self._columns - first)
            case "J":
                first = 0 if arguments == "2" else self._row + bool(self._column)
                self._rows[first:] = [[BLANK] * self._columns for _ in self._rows[first:]]
            case _ if arguments.startswith("?"):
                pass  # a terminal's mode, such as bracketed paste: nothing to be seen
            case _:
                raise ValueError(f"unknown sequence CSI {arguments}{command}")


def _styled(style: Style, number: int) -> Style:
    match number:
        case 0:
            return PLAIN
        case 1:
            return replace(style, bold=True)
        case 2:
            return replace(style, dim=True)
        case 22:
            return replace(style, bold=False, dim=False)
        case 39:
            return replace(style, colour=None)
        case _ if number in range(30, 38):
            return replace(style, colour=number)
        case _:
            raise ValueError(f"unknown colour {number}")
