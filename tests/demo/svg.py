"""A recording as an animated SVG, which a page shows as it shows a picture.

Each row of the screen is drawn once for as long as it stays as it is, so that the file grows with what
changes. Whatever does not animate shows the last picture.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import Final
from xml.sax.saxutils import escape

from tests.demo.cast import Cast
from tests.demo.screen import BLANK, Row, Screen, Style

# SVG makes one space of several.
_WORDS: Final = re.compile(r"\S+(?: \S+)*")
# Output closer together than this is one picture.
_FRAME_S: Final = 0.1
# How long the last picture stays before all begins again.
_END_S: Final = 6.0

_FONTS: Final = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_FONT_PX: Final = 14
_COLUMN_PX: Final = 8.4
_ROW_PX: Final = 19
_MARGIN_PX: Final = 16
_COLOURS: Final = {
    31: "#ff7b72",
    32: "#7ee787",
    33: "#e3b341",
    34: "#79c0ff",
    35: "#d2a8ff",
    36: "#76e3ea",
}
_BACKGROUND: Final = "#0d1117"
_FOREGROUND: Final = "#e6edf3"
_DIM: Final = "#8b949e"


def render(cast: Cast) -> str:
    """The picture's file."""
    pictures = _pictures(cast)
    length_s = pictures[-1][0] + _END_S
    width = round(cast.columns * _COLUMN_PX + 2 * _MARGIN_PX)
    height = cast.rows * _ROW_PX + 2 * _MARGIN_PX
    size = f'width="{width}" height="{height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" {size} role="img">',
        f"<title>{escape(cast.title)}</title>",
        f'<rect {size} rx="8" fill="{_BACKGROUND}"/>',
        f'<g font-family="{_FONTS}" font-size="{_FONT_PX}" fill="{_FOREGROUND}">',
    ]
    for number in range(cast.rows):
        lines += _row(number, [(at_s, rows[number]) for at_s, rows in pictures], length_s)
    return "\n".join([*lines, "</g>", "</svg>", ""])


def _pictures(cast: Cast) -> list[tuple[float, list[Row]]]:
    """The screen whenever it has changed, and when."""
    screen = Screen(cast.columns, cast.rows)
    pictures: list[tuple[float, list[Row]]] = []
    for at_s, text in cast.events:
        screen.feed(text)
        if pictures and at_s - pictures[-1][0] < _FRAME_S:
            pictures[-1] = (pictures[-1][0], screen.rows())
        else:
            pictures.append((at_s, screen.rows()))
    return pictures


def _row(number: int, shown: list[tuple[float, Row]], length_s: float) -> list[str]:
    """One row of the screen through time."""
    lines = []
    runs = [
        (row, [at_s for at_s, _ in run]) for row, run in groupby(shown, key=lambda each: each[1])
    ]
    for at, (row, times_s) in enumerate(runs):
        if all(cell == BLANK for cell in row):
            continue
        last = at + 1 == len(runs)
        until_s = length_s if last else runs[at + 1][1][0]
        begin, end = times_s[0] / length_s, until_s / length_s
        visibility = "visible" if last else "hidden"
        lines.append(
            f'<g visibility="{visibility}"><animate attributeName="visibility" calcMode="discrete" '
            f'dur="{length_s:.2f}s" repeatCount="indefinite" values="hidden;visible;hidden" '
            f'keyTimes="0;{begin:.5f};{end:.5f}"/>{_texts(number, row)}</g>'
        )
    return lines


def _texts(number: int, row: Row) -> str:
    """The pieces of a row that look alike, each where it belongs, whatever font there is."""
    y = _MARGIN_PX + number * _ROW_PX + _FONT_PX
    texts, column = [], 0
    for style, run in groupby(row, key=lambda cell: cell[1]):
        text = "".join(character for character, _ in run)
        for words in _WORDS.finditer(text):
            x = _MARGIN_PX + (column + words.start()) * _COLUMN_PX
            texts.append(
                f'<text x="{x:.1f}" y="{y}" textLength="{len(words[0]) * _COLUMN_PX:.1f}"'
                f"{_look(style)}>{escape(words[0])}</text>"
            )
        column += len(text)
    return "".join(texts)


def _look(style: Style) -> str:
    colour = _DIM if style.dim else _COLOURS.get(style.colour or 0)
    return (f' fill="{colour}"' if colour else "") + (' font-weight="bold"' if style.bold else "")
