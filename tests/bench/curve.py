"""How cost grows: with routes up to 1,000,000 and with clients up to 1,000."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench import plot, runner
from tests.bench.loads import Load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.bench.peers import Peer

_ROUTES = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
_CLIENTS = (11, 30, 100, 300, 1_000)
_SENDERS, _ROUTES_EACH = 10, 1_000

Points = dict[str, list[tuple[float, float, float]]]


def _routes(count: int) -> Load:
    args = f"--load table --clients 2 --senders 1 --routes {count}"
    return Load(f"routes-{count}", f"{count} routes, 2 clients", args, args)


def _clients(count: int) -> Load:
    args = f"--load own --clients {count} --senders {_SENDERS} --routes {_ROUTES_EACH}"
    return Load(f"clients-{count}", f"10,000 routes, {count} clients", args, args)


def _measure(
    program: Path,
    loads: Sequence[tuple[int, Load]],
    reflectors: Sequence[Peer],
    settings: runner.Settings,
    say: Callable[[str], None],
) -> Points:
    points: Points = {peer.name: [] for peer in reflectors}
    for x, load in loads:
        for peer in reflectors:
            sample = runner.run(program, load, peer, settings)
            say(
                f"{load.title}, {peer.name}: {sample.reason or sample.figures} {sample.cpu_s:.3f} s"
            )
            if not sample.reason:
                figure = sample.figures["all-hold"]
                points[peer.name].append((x, figure, sample.peak_mb))
    return points


def measure(
    program: Path,
    reflectors: Sequence[Peer],
    settings: runner.Settings,
    say: Callable[[str], None],
) -> tuple[Points, Points]:
    """Runs both series.

    Args:
        program: The compiled generator.
        reflectors: Whose curves to draw.
        settings: What holds for all runs.
        say: Is told of each run.

    Returns:
        Seconds and peak MB by routes, and by clients.
    """
    routes = _ROUTES[:4] if settings.quick else _ROUTES
    clients = _CLIENTS[:3] if settings.quick else _CLIENTS
    by_routes = [(count, _routes(count)) for count in routes]
    by_clients = [(count, _clients(count)) for count in clients]
    return (
        _measure(program, by_routes, reflectors, settings, say),
        _measure(program, by_clients, reflectors, settings, say),
    )


def svg(results: tuple[Points, Points], titles: dict[str, str]) -> str:
    """The two series as one plot."""
    panels = []
    names = ("routes of a full table, 2 clients", "clients that take 10,000 routes")
    for x_title, points in zip(names, results, strict=True):
        lines = [
            plot.Line(name, titles[name], [(x, y) for x, y, _ in series])
            for name, series in points.items()
            if series
        ]
        panels.append((x_title, lines))
    return plot.curves("Time until all hold all: growth", panels)


def as_markdown(results: tuple[Points, Points], titles: dict[str, str]) -> str:
    """The two series as tables: a constant cost a unit is linear growth."""
    out = []
    for unit, points in zip(("routes", "clients"), results, strict=True):
        out += [
            f"| {unit} | reflector | time | per {unit[:-1]} | peak MB |",
            "|--:|---|--:|--:|--:|",
        ]
        for name, series in points.items():
            for x, y, peak in series:
                each = f"{y / x * 1e6:.2f} µs"
                out.append(f"| {x:,} | {titles[name]} | {y * 1e3:.1f} ms | {each} | {peak:.0f} |")
        out.append("")
    return "\n".join(out)
