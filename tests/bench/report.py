"""Sums up the samples and writes the table."""

from __future__ import annotations

import os
import platform
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.bench.loads import Figure, Load
    from tests.bench.runner import Sample

NOT_PEERS = ("ours", "ours-host", "hub")
_MS, _S = 0.1, 1.0  # below which a time is written with more digits


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: a figure of a load for one reflector.

    Attributes:
        load: Which load.
        figure: Which figure of it.
        peer: The reflector's name.
        median: Seconds; None where no run counts.
        low: Least of the rounds.
        high: Greatest of the rounds.
        ratio: The fastest peer's median over this one: above 1 is faster than the fastest peer.
        cpu_s: Median CPU time.
        peak_mb: Greatest peak memory.
        rounds: How many runs count.
        note: Why there is no figure, or how many runs were void.
    """

    load: Load
    figure: Figure
    peer: str
    median: float | None
    low: float
    high: float
    ratio: float | None
    cpu_s: float
    peak_mb: float
    rounds: int
    note: str


def seconds(value: float) -> str:
    """A time as people read it."""
    if value >= _S:
        return f"{value:.2f} s"
    if value >= _MS:
        return f"{value * 1e3:.0f} ms"
    return f"{value * 1e3:.2f} ms" if value < _MS / 10 else f"{value * 1e3:.1f} ms"


def _note(runs: Sequence[Sample]) -> str:
    reasons = [run.reason for run in runs if run.reason]
    if not reasons:
        return ""
    if len(reasons) < len(runs):
        return f"{len(reasons)} of {len(runs)} void: {reasons[0][:44]}"
    return reasons[0][:44]


def fastest_peer(samples: Iterable[Sample], load: Load, figure: Figure) -> tuple[str, float] | None:
    """Which of the other daemons has the best median, and that median."""
    by_peer: dict[str, list[float]] = {}
    for run in samples:
        if run.load == load.name and run.peer not in NOT_PEERS and not run.reason:
            by_peer.setdefault(run.peer, []).append(run.figures[figure.name])
    medians = {peer: statistics.median(values) for peer, values in by_peer.items()}
    best = min(medians, key=medians.__getitem__, default=None)
    return None if best is None else (best, medians[best])


def rows(samples: Sequence[Sample], loads: Sequence[Load], peers: Sequence[str]) -> list[Row]:
    """The table's lines.

    Args:
        samples: Of all runs.
        loads: In the table's order.
        peers: Names in the table's order.

    Returns:
        One line for each figure and reflector that was tried.
    """
    table = []
    for load in loads:
        for figure in load.figures:
            best = fastest_peer(samples, load, figure)
            for peer in peers:
                runs = [run for run in samples if (run.load, run.peer) == (load.name, peer)]
                if not runs:
                    continue
                values = [run.figures[figure.name] for run in runs if not run.reason]
                median = statistics.median(values) if values else None
                table.append(
                    Row(
                        load=load,
                        figure=figure,
                        peer=peer,
                        median=median,
                        low=min(values, default=0.0),
                        high=max(values, default=0.0),
                        ratio=best[1] / median if best and median else None,
                        cpu_s=statistics.median(
                            [run.cpu_s for run in runs if not run.reason] or [0.0]
                        ),
                        peak_mb=max(run.peak_mb for run in runs),
                        rounds=len(values),
                        note=_note(runs),
                    )
                )
    return table


_HEADINGS = (
    "load",
    "reflector",
    "median",
    "spread",
    "against fastest peer",
    "CPU s",
    "peak MB",
    "",
)


def _cells(row: Row, titles: dict[str, str]) -> tuple[str, ...]:
    several = len(row.load.figures) > 1
    load = f"{row.load.title}: {row.figure.title}" if several else row.load.title
    median = "-" if row.median is None else seconds(row.median)
    spread = f"{seconds(row.low)} - {seconds(row.high)}" if row.rounds > 1 else ""
    ratio = "" if row.ratio is None else f"{row.ratio:.2f} x"
    peer = titles.get(row.peer, row.peer)
    cpu = f"{row.cpu_s:.3f}" if row.rounds else "-"
    return (load, peer, median, spread, ratio, cpu, f"{row.peak_mb:.0f}", row.note)


def as_text(table: Sequence[Row], titles: dict[str, str]) -> str:
    """The table for a terminal; a load's name stands once."""
    lines = [_HEADINGS, *(_cells(row, titles) for row in table)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(_HEADINGS))]
    out = []
    last = ""
    for line in lines:
        first = "" if line[0] == last else line[0]
        if first and last:
            out.append("")
        last = line[0]
        cells = [first, *line[1:]]
        out.append(
            "  ".join(
                cell.ljust(width) if i in {0, 1, 7} else cell.rjust(width)
                for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
            ).rstrip()
        )
    return "\n".join(out)


def as_markdown(table: Sequence[Row], titles: dict[str, str]) -> str:
    """The table for the documentation."""
    lines = ["| " + " | ".join(_HEADINGS) + " |", "|---|---|--:|--:|--:|--:|--:|---|"]
    for row in table:
        cells = [cell.replace("|", "\\|") for cell in _cells(row, titles)]
        if row.peer == "ours":
            cells[1:5] = [f"**{cell}**" if cell else "" for cell in cells[1:5]]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    model = "unknown"
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    return {
        "CPU": f"{model}, {os.cpu_count()} cores",
        "kernel": f"Linux {platform.release()}",
    }
