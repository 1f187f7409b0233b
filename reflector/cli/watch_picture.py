"""What `bgp-reflector watch` draws: lines, as many as there is room for."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from reflector.cli.events import event_line
from reflector.cli.show_class import CLUSTER_COLUMNS, cluster_rows, state_paint
from reflector.cli.table import Column, Paint, coloured, fold, printable, table_lines
from reflector.observe.duration import span

View = dict[str, Any]
Size = tuple[int, int]

# What each part of the picture gets of the lines that are left, and at least.
_PARTS: Final = {"PROBLEMS": 3, "NODES": 4, "ROUTES": 2, "EVENTS": 2}
_LEAST: Final = 3

_ROUTE_COLUMNS: Final = (
    Column("PREFIX"),
    Column("NEXT HOP"),
    Column("FROM"),
    Column("BEST BECAUSE", extra=1),
)


def picture(view: View, now_s: float, size: Size | None, trouble: str = "") -> list[str]:
    """The class in lines.

    Args:
        view: What was asked.
        now_s: Seconds since the epoch.
        size: Columns and lines of the terminal; None where there is no end of either.
        trouble: Why there was no answer the last time; empty if there was.
    """
    columns = None if size is None else size[0]
    heading = _heading(view, now_s, trouble, columns)
    parts = {
        "PROBLEMS": _problems(view["problems"], columns),
        "NODES": _nodes(view["clusters"], now_s, columns),
        "ROUTES": _routes(view["routes"]["routes"], columns),
        "EVENTS": [event_line(event) for event in reversed(view["events"])] or ["Nothing yet."],
    }
    rooms = _share(parts, None if size is None else size[1] - len(heading))
    lines = heading
    for name, part in parts.items():
        room = rooms[name]
        if room < _LEAST - 1:
            continue
        shown = part if len(part) < room else [*part[: room - 2], _more(len(part) - room + 2)]
        lines += (
            ["", coloured(name, Paint.HEADING), *shown]
            if size is None
            else [
                coloured(name, Paint.HEADING),
                *shown,
            ]
        )
    return lines


def _share(parts: dict[str, list[str]], room: int | None) -> dict[str, int]:
    """How many lines each part gets, its name among them."""
    wanted = {name: len(lines) + 1 for name, lines in parts.items()}
    if room is None:
        return wanted | {name: count + 1 for name, count in wanted.items()}
    left = max(0, room)
    given = dict.fromkeys(wanted, 0)
    while left and given != wanted:
        # Who wants more gets a line by turns, the important ones more often.
        for name, weight in _PARTS.items():
            more = min(weight, wanted[name] - given[name], left)
            given[name] += more
            left -= more
    return given


def _more(count: int) -> str:
    return f"  and {count} more"


def _heading(view: View, now_s: float, trouble: str, columns: int | None) -> list[str]:
    summary, clusters = view["summary"], view["clusters"]
    pending = summary["connections"] - summary["established"]
    who = (
        f"bgp-reflector {summary['version']}, AS {summary['asn']}, router id {summary['router_id']}"
    )
    nodes = f"{_count(summary['established'], 'node')} in {_count(_networks(clusters), 'cluster')}"
    if pending > 0:
        nodes += f", {pending} on the way"
    routes = ", ".join(
        f"{of['prefixes']} {_FAMILIES.get(family, family)}"
        for family, of in summary["routes"].items()
    )
    clock = datetime.fromtimestamp(now_s).astimezone().strftime("%H:%M:%S")
    facts = f"{nodes}; routes: {routes}; up {span(summary['up_s'])}; {clock}"
    lines = [coloured(who, Paint.HEADING), facts]
    off = [f"{cluster} is disconnected" for cluster in summary["disconnected"]]
    if summary["own_routes_hidden"]:
        off.append("the debug route is hidden")
    if off:
        lines.append(coloured(f"! {', '.join(off)}", Paint.PENDING))
    if trouble:
        words = fold(f"! {printable(trouble)}", columns, 2)
        lines += [coloured(line, Paint.PENDING) for line in words]
    return lines


_FAMILIES: Final = {"ipv4": "IPv4", "ipv6": "IPv6"}


def _count(number: int, one: str) -> str:
    return f"{number} {one}{'' if number == 1 else 's'}"


def _networks(clusters: Sequence[View]) -> int:
    """How many clusters have a node that is here."""
    return sum(
        bool(cluster["network"]) and any(node["state"] != "Left" for node in cluster["nodes"])
        for cluster in clusters
    )


def _problems(problems: Sequence[View], columns: int | None) -> list[str]:
    if not problems:
        return [coloured("Nothing is wrong.", Paint.GOOD)]
    lines = []
    for problem in problems:
        words = f"{problem['severity'].upper()}: {problem['what']} {problem['fix']}"
        text = printable(words)
        lines += fold(text, columns, 2)
    return lines


def _nodes(clusters: Sequence[View], now_s: float, columns: int | None) -> list[str]:
    rows = cluster_rows(clusters, now_s)
    if not rows:
        return ["Nobody is here yet."]
    return table_lines(CLUSTER_COLUMNS, rows, state_paint(rows), columns)


def _routes(routes: Sequence[View], columns: int | None) -> list[str]:
    if not routes:
        return ["There are no routes."]
    rows = []
    for route in routes:
        path = route["paths"][0]
        source = path["from"]
        name = source["host_name"] or source["address"] or "this reflector"
        others = len(route["paths"]) - 1
        why = f"{route['best_because']} (of {others + 1})" if others else ""
        rows.append([route["prefix"], path["next_hop"] or "self", name, why])
    return table_lines(_ROUTE_COLUMNS, rows, None, columns)
