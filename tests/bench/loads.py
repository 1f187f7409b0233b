"""The loads: what the generator is told, and which figures are read from its answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MILLISECONDS = 1000.0


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a load.

    Attributes:
        name: Short and unique within the load.
        title: As the table writes it.
        path: Where it stands in the generator's JSON, with dots.
        in_ms: Whether that is milliseconds already; else it is seconds.
    """

    name: str
    title: str
    path: str
    in_ms: bool = False

    def read(self, answer: Mapping[str, object]) -> float | None:
        """The figure in seconds, None where the answer has none."""
        value: object = answer
        for step in self.path.split("."):
            value = value.get(step) if isinstance(value, dict) else None
        if not isinstance(value, int | float):
            return None
        return value / _MILLISECONDS if self.in_ms else float(value)


ALL_HOLD = (Figure("all-hold", "all hold all", "main_s"),)


def _percentiles(name: str, series: str, title: str) -> tuple[Figure, Figure]:
    return (
        Figure(f"{name}-p50", f"{title}, p50", f"latency_ms.{series}.p50", in_ms=True),
        Figure(f"{name}-p99", f"{title}, p99", f"latency_ms.{series}.p99", in_ms=True),
    )


@dataclass(frozen=True, slots=True)
class Load:
    """One load.

    Attributes:
        name: As options name it.
        title: As the table writes it.
        args: The generator's arguments.
        quick: What ``--quick`` puts in their place.
        figures: What is read from the answer.
        on_hub: Whether a hub that knows no routes can carry it.
        startup: Whether the reflector is started under the running generator.
        family: Of its routes.
    """

    name: str
    title: str
    args: str
    quick: str
    figures: tuple[Figure, ...] = ALL_HOLD
    on_hub: bool = True
    startup: bool = False
    family: int = 4

    def argv(self, *, quick: bool) -> list[str]:
        """The generator's arguments as a list."""
        return (self.quick if quick else self.args).split()


LOADS = (
    Load(
        "class-30",
        "class: 30 clients x 4 routes",
        "--load own --clients 30 --routes 4",
        "--load own --clients 30 --routes 4",
    ),
    Load(
        "class-120",
        "class: 120 clients x 24 routes",
        "--load own --clients 120 --routes 24",
        "--load own --clients 120 --routes 24",
    ),
    Load(
        "own-100x100",
        "100 clients x 100 routes",
        "--load own --clients 100 --routes 100",
        "--load own --clients 50 --routes 100",
    ),
    Load(
        "own-100x1000",
        "100 clients x 1,000 routes",
        "--load own --clients 100 --routes 1000",
        "--load own --clients 50 --routes 500",
    ),
    Load(
        "unique",
        "50 clients x 200 routes, each its own attributes",
        "--load unique --clients 50 --routes 200",
        "--load unique --clients 20 --routes 100",
    ),
    Load(
        "overlap",
        "10 clients x the same 50,000 prefixes",
        "--load overlap --clients 10 --routes 50000",
        "--load overlap --clients 10 --routes 3000",
        figures=(Figure("all-hold", "all hold the best", "main_s"),),
        on_hub=False,
    ),
    Load(
        "table",
        "2 clients, a table of 1,000,000 routes",
        "--load table --clients 2 --senders 1 --routes 1000000",
        "--load table --clients 2 --senders 1 --routes 50000",
        figures=(Figure("all-hold", "the other holds all", "main_s"),),
    ),
    Load(
        "many",
        "1,000 clients x 10 routes",
        "--load own --clients 1000 --routes 10",
        "--load own --clients 200 --routes 10",
        figures=(Figure("sessions", "sessions up", "sessions_s"), *ALL_HOLD),
    ),
    Load(
        "latency",
        "a single route, 50 clients",
        "--load latency --clients 50 --routes 20 --samples 500",
        "--load latency --clients 50 --routes 20 --samples 50",
        figures=(
            *_percentiles("withdraw", "withdraw", "withdraw"),
            *_percentiles("announce", "announce", "announce"),
        ),
    ),
    Load(
        "late",
        "late joiner on 100,000 routes",
        "--load late --clients 13 --samples 3 --routes 10000",
        "--load late --clients 13 --samples 3 --routes 500",
        figures=(Figure("all-hold", "it holds all (from dialling)", "main_s"),),
        on_hub=False,
    ),
    Load(
        "drop",
        "one of 100 clients drops (1,000 routes)",
        "--load drop --clients 100 --first-routes 1000 --routes 100",
        "--load drop --clients 50 --first-routes 500 --routes 20",
        figures=(Figure("withdrawn", "all have withdrawn", "main_s"),),
        on_hub=False,
    ),
    Load(
        "ipv6",
        "IPv6: 100 clients x 1,000 routes",
        "--load own --family 6 --clients 100 --routes 1000",
        "--load own --family 6 --clients 50 --routes 200",
        family=6,
    ),
    Load(
        "startup",
        "start-up",
        "--load startup --clients 1",
        "--load startup --clients 1",
        figures=(
            Figure("listening", "from exec to listening", "extra.listening"),
            Figure("established", "to the first session", "extra.established"),
        ),
        startup=True,
    ),
    Load(
        "stall",
        "a client stops reading, 200,000 prefixes change",
        "--load stall --clients 12 --routes 20000 --passes 2 --limit 180",
        "--load stall --clients 12 --routes 1000 --passes 2",
        figures=(
            *_percentiles("reading", "all_reading", "a single route, all read"),
            *_percentiles("stalled", "one_stalled", "a single route, one stalled"),
            Figure("converged", "it reads again and holds all", "main_s"),
        ),
        on_hub=False,
    ),
    Load(
        "flood",
        "a client floods updates without end",
        "--load flood --clients 10 --routes 1000 --samples 400 --gap-us 5000",
        "--load flood --clients 10 --routes 1000 --samples 40 --gap-us 5000",
        figures=(
            *_percentiles("calm", "calm", "another's single route, before"),
            *_percentiles("flooded", "flooded", "another's single route, in the flood"),
        ),
        on_hub=False,
    ),
    Load(
        "flaps",
        "10,000 flaps of one prefix",
        "--load flaps --clients 10 --samples 10000",
        "--load flaps --clients 10 --samples 1000",
        figures=(Figure("exact", "all hold its last state", "main_s"),),
    ),
)


def by_name(names: list[str]) -> list[Load]:
    """The loads of these names, or all.

    Args:
        names: Empty for all.

    Returns:
        In the table's order.

    Raises:
        ValueError: A name is no load's.
    """
    known = {load.name for load in LOADS}
    unknown = set(names) - known
    if unknown:
        raise ValueError(
            f"no load {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        )
    return [load for load in LOADS if not names or load.name in names]
