"""Plots as SVG, written by hand: no plotting library is worth a dependency here."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_COLOURS = {
    "ours": "#0b7a5b",
    "frr": "#c2571a",
    "bird": "#3b6fb6",
    "gobgp": "#8a5fb0",
    "openbgpd": "#b8952a",
    "hub": "#9aa0a6",
}
_OTHER = "#555"
_WIDTH, _LEFT, _RIGHT = 900, 300, 90
_BAR, _GAP, _HEAD = 13, 16, 58
_INK, _GRID = "#222", "#ddd"
_FONT = "font-family='system-ui, sans-serif' font-size='12'"


def colour(peer: str) -> str:
    """A reflector's colour."""
    return _COLOURS.get(peer.removesuffix("-host"), _OTHER)


def _text(x: float, y: float, text: str, extra: str = "") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' fill='{_INK}' {extra}>{escape(text)}</text>"


def _time(value: float) -> str:
    for limit, scale, unit in ((1, 1, "s"), (1e-3, 1e3, "ms")):
        if value >= limit:
            return f"{value * scale:.3g} {unit}"
    return f"{value * 1e6:.3g} µs"


def _frame(height: float, title: str, body: Sequence[str]) -> str:
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height:.0f}' {_FONT}>",
            f"<rect width='100%' height='100%' fill='white'/><title>{escape(title)}</title>",
            _text(16, 24, title, "font-size='16' font-weight='bold'"),
            *body,
            "</svg>\n",
        ]
    )


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: seconds, None for a run that did not finish."""

    peer: str
    title: str
    value: float | None


def bars(title: str, groups: Sequence[tuple[str, Sequence[Bar]]]) -> str:
    """Horizontal bars on a logarithmic scale, grouped by load.

    Args:
        title: Above the plot.
        groups: Each load's title and bars.

    Returns:
        An SVG document.
    """
    values = [bar.value for _, group in groups for bar in group if bar.value]
    low = math.floor(math.log10(min(values, default=1e-3)))
    high = max(math.ceil(math.log10(max(values, default=1.0))), low + 1)
    span = _WIDTH - _LEFT - _RIGHT

    def at(value: float) -> float:
        return _LEFT + span * (math.log10(value) - low) / (high - low)

    height = _HEAD + sum(len(group) * _BAR + _GAP for _, group in groups) + 10
    body = []
    for power in range(low, high + 1):
        x = at(10.0**power)
        body.append(
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{_HEAD - 8}' y2='{height - 12}' stroke='{_GRID}'/>"
        )
        body.append(_text(x, _HEAD - 14, _time(10.0**power), "text-anchor='middle'"))
    y = float(_HEAD)
    for name, group in groups:
        middle = y + len(group) * _BAR / 2 + 4
        body.append(_text(16, middle, name, "font-weight='bold'"))
        for bar in group:
            fill = colour(bar.peer)
            right = at(bar.value) if bar.value else float(_WIDTH - _RIGHT)
            style = "" if bar.value else " fill-opacity='0.15'"
            width = max(right - _LEFT, 1)
            body.append(
                f"<rect x='{_LEFT}' y='{y:.1f}' width='{width:.1f}' height='{_BAR - 2}'"
                f" fill='{fill}'{style}/>"
            )
            label = _time(bar.value) if bar.value else "did not finish"
            body.append(_text(right + 4, y + _BAR - 4, f"{bar.title} {label}", "font-size='10'"))
            y += _BAR
        y += _GAP
    return _frame(height, title, body)


@dataclass(frozen=True, slots=True)
class Line:
    """One curve."""

    peer: str
    title: str
    points: Sequence[tuple[float, float]]


def _panel(
    left: float, width: float, top: float, height: float, x_title: str, lines: Sequence[Line]
) -> list[str]:
    xs = [x for line in lines for x, _ in line.points]
    ys = [y for line in lines for _, y in line.points]
    x_low, x_high = math.floor(math.log10(min(xs))), math.ceil(math.log10(max(xs)))
    y_low, y_high = math.floor(math.log10(min(ys))), math.ceil(math.log10(max(ys)))

    def at(x: float, y: float) -> tuple[float, float]:
        return (
            left + width * (math.log10(x) - x_low) / max(x_high - x_low, 1),
            top + height * (1 - (math.log10(y) - y_low) / max(y_high - y_low, 1)),
        )

    body = []
    for power in range(x_low, x_high + 1):
        x, _ = at(10.0**power, 10.0**y_low)
        body.append(
            f"<line x1='{x:.1f}' x2='{x:.1f}' y1='{top}' y2='{top + height}' stroke='{_GRID}'/>"
        )
        body.append(_text(x, top + height + 16, f"{10**power:,}", "text-anchor='middle'"))
    for power in range(y_low, y_high + 1):
        _, y = at(10.0**x_low, 10.0**power)
        body.append(
            f"<line x1='{left}' x2='{left + width}' y1='{y:.1f}' y2='{y:.1f}' stroke='{_GRID}'/>"
        )
        body.append(_text(left - 6, y + 4, _time(10.0**power), "text-anchor='end'"))
    body.append(_text(left + width / 2, top + height + 34, x_title, "text-anchor='middle'"))
    for line in lines:
        points = [at(x, y) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        stroke = colour(line.peer)
        body.append(f"<polyline points='{path}' fill='none' stroke='{stroke}' stroke-width='2'/>")
        body += [f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3' fill='{stroke}'/>" for x, y in points]
        body.append(
            _text(
                points[-1][0] - 4, points[-1][1] - 8, line.title, "text-anchor='end' font-size='11'"
            )
        )
    return body


def curves(title: str, panels: Sequence[tuple[str, Sequence[Line]]]) -> str:
    """Panels side by side, both axes logarithmic: a straight line of slope one is linear growth.

    Args:
        title: Above the plot.
        panels: Each one's horizontal axis and lines.

    Returns:
        An SVG document.
    """
    body = []
    width = (_WIDTH - 40) / len(panels)
    for i, (x_title, lines) in enumerate(panels):
        body += _panel(20 + i * width + 60, width - 90, 60, 300, x_title, lines)
    return _frame(420, title, body)
