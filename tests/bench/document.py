"""Writes docs/benchmarks.md and its plots."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import curve, plot, report
from tests.bench.loads import LOADS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.bench.loads import Load
    from tests.bench.peers import Peer
    from tests.bench.report import Row
    from tests.bench.runner import Sample

_HEAD = """\
# Benchmarks

Written by `make bench`; do not edit. Each reflector runs alone on loopback as a dynamic-range
route reflector; one compiled load generator drives all of them in turn, round by round. It checks
every prefix and attribute that arrives, so a figure stands only for a run in which every client
ended with exactly the right table. The hub knows no routes: it copies each client's bytes to all
the others, and marks what the machine and the generator can do at all.

"Against fastest peer" is the fastest other daemon's median divided by this one's: above 1 is
faster. CPU seconds are the reflector's while the clock ran, peak memory is the sum over its
processes. A run ends after a time limit; it then "did not finish".

Daemons run as Debian packages them, and ours as its image has it, on Debian's Python, where there is
an image to measure (`BENCH_IMAGE_ROOT`); the last part says what ran on what.
"""
_CURVE_MARK = "## Growth\n"


def _overview(table: Sequence[Row]) -> list[str]:
    """One line a figure: ours beside the fastest peer and the hub."""
    lines = [
        "| load | ours | fastest peer | against it | hub | ours / hub |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for row in table:
        if row.peer != "ours":
            continue
        same = [other for other in table if (other.load, other.figure) == (row.load, row.figure)]
        others = [other for other in same if other.peer not in report.NOT_PEERS and other.median]
        best = min(others, key=lambda other: other.median or 0.0, default=None)
        hub = next((other.median for other in same if other.peer == "hub"), None)
        title = row.load.title
        title += f": {row.figure.title}" if len(row.load.figures) > 1 else ""
        ours = report.seconds(row.median) if row.median else f"void: {row.note}"
        peer = f"{report.seconds(best.median or 0.0)} ({best.peer})" if best else "none finished"
        ratio = f"{row.ratio:.1f} x" if row.ratio else ""
        limit = report.seconds(hub) if hub else ""
        over = f"{row.median / hub:.1f} x" if hub and row.median else ""
        lines.append(f"| {title} | {ours} | {peer} | {ratio} | {limit} | {over} |")
    return lines


def _generator_share(samples: Sequence[Sample]) -> str:
    """How busy the generator was beside ours: below 1 it was waiting for the reflector."""
    shares: dict[str, list[float]] = {}
    for sample in samples:
        share = sample.answer.get("own_share")
        if sample.peer == "ours" and not sample.reason and isinstance(share, float):
            shares.setdefault(sample.load, []).append(share)
    parts = [f"{load} {max(values):.0%}" for load, values in shares.items()]
    return "The generator's share of one core beside ours: " + ", ".join(parts) + "."


def _noise(samples: Sequence[Sample]) -> str:
    """What other processes of the machine took meanwhile."""
    shares = sorted(sample.foreign for sample in samples if sample.foreign)
    if not shares:
        return ""
    middle, most = shares[len(shares) // 2], shares[-1]
    return (
        f"Other processes took {middle:.0%} of the machine in the median run, {most:.0%} at most."
    )


def _hold(samples: Sequence[Sample], loads: Sequence[Load]) -> list[str]:
    """Ours once more, with the shortest hold time."""
    if not samples:
        return []
    titles = {load.name: load.title for load in loads}
    lines = [
        "\n## With a hold time of 9 s\n",
        "Every load once more with clients that propose 9 s: the reflector's KEEPALIVEs must come",
        "in time however large the dump is, and so must its reading of theirs.\n",
        "| load | sessions lost | clock | |",
        "|---|--:|--:|---|",
    ]
    for sample in samples:
        lost, clock = sample.answer.get("sessions_lost", "?"), sample.answer.get("clock_s", 0.0)
        lines.append(f"| {titles[sample.load]} | {lost} | {clock:.2f} s | {sample.reason} |")
    return lines


def _groups(table: Sequence[Row], titles: dict[str, str]) -> list[tuple[str, list[plot.Bar]]]:
    groups: dict[str, list[plot.Bar]] = {}
    for row in table:
        if row.figure is not row.load.figures[-1]:
            continue
        title = row.load.title if len(row.load.title) < 44 else row.load.title[:42] + "..."
        groups.setdefault(title, []).append(plot.Bar(row.peer, titles[row.peer], row.median))
    return list(groups.items())


def write(
    directory: Path,
    table: Sequence[Row],
    samples: Sequence[Sample],
    hold: Sequence[Sample],
    known: Sequence[Peer],
) -> None:
    """Writes the page and its plot; the page's curves stay as they are.

    Args:
        directory: Of the documentation.
        table: The lines.
        samples: All runs.
        hold: Ours, with a hold time of 9 s.
        known: All reflectors, for titles and versions.
    """
    titles = {peer.name: peer.title for peer in known}
    measured = {row.peer for row in table}
    directory.mkdir(exist_ok=True)
    page = directory / "benchmarks.md"
    old = page.read_text() if page.exists() else ""
    kept = old[old.index(_CURVE_MARK) :] if _CURVE_MARK in old else ""
    facts = [f"- {name}: {value}" for name, value in report.machine().items()]
    facts += [f"- {peer.title} {peer.version()}" for peer in known if peer.name in measured]
    parts = [
        _HEAD,
        "![Time to the right tables](benchmarks.svg)\n",
        *_overview(table),
        "\n## Every figure\n",
        report.as_markdown(table, titles),
        "\n" + _generator_share(samples),
        _noise(samples),
        *_hold(hold, LOADS),
        "\n## Measured with\n",
        *facts,
        "",
        kept,
    ]
    page.write_text("\n".join(parts).rstrip() + "\n")
    title = "Time until all hold what they must (logarithmic, shorter is better)"
    (directory / "benchmarks.svg").write_text(plot.bars(title, _groups(table, titles)))


def write_curve(
    directory: Path, results: tuple[curve.Points, curve.Points], titles: dict[str, str]
) -> None:
    """Writes the page's last part, on growth, and its plot.

    Args:
        directory: Of the documentation.
        results: What `curve.measure` returned.
        titles: The reflectors' names as people write them.
    """
    directory.mkdir(exist_ok=True)
    page = directory / "benchmarks.md"
    old = page.read_text() if page.exists() else _HEAD
    kept = old[: old.index(_CURVE_MARK)] if _CURVE_MARK in old else old.rstrip() + "\n\n"
    plotted = "![Growth with routes and clients](benchmarks-growth.svg)\n"
    page.write_text("\n".join([kept + _CURVE_MARK, plotted, curve.as_markdown(results, titles)]))
    (directory / "benchmarks-growth.svg").write_text(curve.svg(results, titles))
