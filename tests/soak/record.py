"""What a soak measured: samples, the verdict on memory, a table and a picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

MIB: Final = 1 << 20

# Peaks, since what is remembered of attributes grows to its bound and is dropped whole: a saw.
GROWTH_BYTES: Final = 24 * MIB

_WIDTH, _LEFT, _PANEL = 900, 70, 170
_FONT = "font-family='system-ui, sans-serif' font-size='12'"


@dataclass(frozen=True, slots=True)
class Sample:
    """What was so at one moment.

    Args:
        at_s: Since the beginning.
        memory_bytes: Resident.
        descriptors: Open ones.
        latency_s: The longest that a route change of the healthy pair took since the last sample.
    """

    at_s: float
    memory_bytes: int
    descriptors: int
    latency_s: float


def growth_bytes(samples: Sequence[Sample]) -> int:
    """How much the peak of the last third is above that of the second."""
    end_s = samples[-1].at_s
    second = [each for each in samples if end_s / 3 <= each.at_s < end_s * 2 / 3]
    last = [each for each in samples if each.at_s >= end_s * 2 / 3]
    return max(s.memory_bytes for s in last) - max(s.memory_bytes for s in second)


def table(samples: Sequence[Sample], rows: int = 10) -> str:
    """The samples, summed up in a few rows of a Markdown table."""
    lines = [
        "| minutes | memory, peak MiB | descriptors, most | slowest route change, ms |",
        "|---|---|---|---|",
    ]
    step_s = samples[-1].at_s / rows
    for row in range(rows):
        part = [s for s in samples if row * step_s <= s.at_s < (row + 1) * step_s]
        if part:
            lines.append(
                f"| {row * step_s / 60:.1f} to {(row + 1) * step_s / 60:.1f}"
                f" | {max(s.memory_bytes for s in part) / MIB:.1f}"
                f" | {max(s.descriptors for s in part)}"
                f" | {max(s.latency_s for s in part) * 1000:.0f} |"
            )
    return "\n".join(lines)


def picture(samples: Sequence[Sample]) -> str:
    """Memory and latency over time, as SVG."""
    panels: list[tuple[str, Callable[[Sample], float]]] = [
        ("resident memory, MiB", lambda s: s.memory_bytes / MIB),
        ("slowest route change of the healthy pair in a second, ms", lambda s: s.latency_s * 1000),
    ]
    body = []
    for number, (title, value) in enumerate(panels):
        body += _panel(30 + number * (_PANEL + 60), title, samples, value)
    height = 30 + len(panels) * (_PANEL + 60)
    return "\n".join(
        [
            f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {_WIDTH} {height}' {_FONT}>",
            "<rect width='100%' height='100%' fill='white'/>",
            *body,
            "</svg>\n",
        ]
    )


def _panel(
    top: float, title: str, samples: Sequence[Sample], value: Callable[[Sample], float]
) -> list[str]:
    width, end_s = _WIDTH - _LEFT - 20, samples[-1].at_s
    most = max(map(value, samples)) * 1.1 or 1.0

    def x(at_s: float) -> float:
        return _LEFT + width * at_s / end_s

    def y(amount: float) -> float:
        return top + _PANEL * (1 - amount / most)

    body = [f"<text x='{_LEFT}' y='{top - 8}' font-weight='bold'>{title}</text>"]
    for tick in range(5):
        amount, at_s = most * tick / 4, end_s * tick / 4
        body += [
            (
                f"<line x1='{_LEFT}' x2='{_LEFT + width}' y1='{y(amount):.1f}' y2='{y(amount):.1f}'"
                " stroke='#ddd'/>"
            ),
            f"<text x='{_LEFT - 6}' y='{y(amount) + 4:.1f}' text-anchor='end'>{amount:.0f}</text>",
            (
                f"<text x='{x(at_s):.1f}' y='{top + _PANEL + 16}' text-anchor='middle'>"
                f"{at_s / 60:.1f} min</text>"
            ),
        ]
    path = " ".join(f"{x(s.at_s):.1f},{y(value(s)):.1f}" for s in samples)
    body.append(f"<polyline points='{path}' fill='none' stroke='#0b7a5b' stroke-width='1.5'/>")
    return body
