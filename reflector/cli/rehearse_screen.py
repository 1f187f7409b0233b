"""What `bgp-reflector rehearse` shows: a picture of the class on a terminal, lines elsewhere."""

import asyncio
import os
import shutil
import sys
import time
from collections import deque
from typing import Final

from reflector.cli.table import fold
from reflector.cli.terminal import can_draw
from reflector.sim.class_plan import ClassSettings
from reflector.sim.netns.pods import Pods
from reflector.sim.rehearsal import Node, NodeState, Rehearsal
from reflector.sim.running import RunningReflector
from reflector.sim.transport import Address

_DRAW_S: Final = 0.2
_SHOWN_EVENTS: Final = 8
_SHOWN_PROBLEMS: Final = 12

_MARKS: Final = {
    NodeState.EXPECTED: ("·", ".", "2"),
    NodeState.DIALLING: ("○", "o", "0"),
    NodeState.UP: ("●", "#", "32"),
    NodeState.REFUSED: ("✗", "x", "31"),
    NodeState.GONE: ("◌", "-", "33"),
}
_WORDS: Final = {
    NodeState.UP: "up",
    NodeState.REFUSED: "refused",
    NodeState.GONE: "gone",
}


class Screen:
    """Lines: one whenever a node's state changes, and the verdict.

    Args:
        rehearsal: What to show.
        settings: What the class is like.
        target: Address and port of the reflector.
        own: The reflector, if it was started for this.
        pods: Those that ping, if any do.
    """

    def __init__(
        self,
        rehearsal: Rehearsal,
        settings: ClassSettings,
        target: Address,
        own: RunningReflector | None,
        pods: Pods | None = None,
    ) -> None:
        self.rehearsal = rehearsal
        self.pods = pods
        if pods is not None:
            pods.report = self.pinged
        self.settings = settings
        self.target = target
        self.own = own
        self._began_s = time.monotonic()
        for line in self.title():
            self.write(f"{line}\n")

    def title(self) -> list[str]:
        """What is rehearsed against whom."""
        settings = self.settings
        host, port = self.target
        who = f"{_of(settings.clusters, 'cluster')} of {_of(settings.nodes, 'node')}"
        how = f"kube-router {settings.version}, AS {settings.asn}"
        lines = [f"{who}, {how}, against the reflector at {host} port {port}"]
        if self.own is not None:
            page = "" if self.own.http == "off" else f"http://{self.own.http}, or "
            lines.append(f"look at it: {page}bgp-reflector show neighbors")
            lines.append(f"            --socket {self.own.control_socket} (or problems)")
        if self.pods is not None:
            netns = self.pods.nodes[0].plan.netns
            lines.append(f"on a node:  ip netns exec {netns} ip route")
        return lines

    def report(self, node: Node) -> None:
        """A node's state has changed."""
        line = self.event(node)
        if line:
            self.write(f"{line}\n")

    def pinged(self) -> None:
        """Other pods answer than before."""
        self.write(f"{self.elapsed()}  {self.answering()}\n")

    def answering(self) -> str:
        """How many pods answer pings."""
        if self.pods is None:
            return ""
        return f"{len(self.pods.answering)} of {self.pods.pairs} pairs of pods answer pings"

    def event(self, node: Node) -> str:
        """A change in words; empty where it is none to tell."""
        word = _WORDS.get(node.state)
        if word is None:
            return ""
        said = f": {node.said}" if node.said and node.state is not NodeState.UP else ""
        planted = "" if node.plan.mistake is None else f" ({node.plan.mistake.name})"
        return f"{self.elapsed()}  {node.plan.name}{planted} is {word}{said}"

    async def keep_drawing(self) -> None:
        """Draw until cancelled; nothing to do for lines."""

    def verdict(self, problems: list[str], *, stays: bool) -> None:
        """All is as planned, or this is not."""
        self.write("\n".join(["", *self.closing(problems, stays=stays)]) + "\n")

    def leave(self) -> None:
        """Everybody leaves."""
        self.write(f"{self.elapsed()}  everybody leaves\n")

    def closing(self, problems: list[str], *, stays: bool) -> list[str]:
        """The verdict in lines."""
        healthy = [node for node in self.rehearsal.nodes if node.plan.mistake is None]
        planted = {
            node.plan.mistake.name: node for node in self.rehearsal.nodes if node.plan.mistake
        }
        if problems:
            shown = [f"  {problem}" for problem in problems[:_SHOWN_PROBLEMS]]
            more = len(problems) - len(shown)
            return [
                f"{self.elapsed()}  not as planned:",
                *shown,
                *([f"  and {more} more"] if more else []),
            ]
        has = f"each has all of the class's {self.rehearsal.wanted_routes} routes"
        lines = [f"{self.elapsed()}  all is as planned: {len(healthy)} nodes are up, and {has}"]
        if self.pods is not None:
            lines.append(f"      {self.answering()}")
        for node in planted.values():
            mistake = node.plan.mistake
            if mistake is not None:
                lines.append(f"  cluster-{node.plan.cluster:02}, {mistake.name}: {mistake.seen}")
            if self.pods is not None:
                answering, pairs = self.pods.of_cluster(node.plan.cluster)
                lines.append(f"      {answering} of {pairs} pairs with its pods answer pings")
        return [*lines, "Ctrl-C lets everybody leave"] if stays else lines

    def elapsed(self) -> str:
        """Minutes and seconds since the beginning."""
        seconds = int(time.monotonic() - self._began_s)
        return f"{seconds // 60}:{seconds % 60:02}"

    def write(self, text: str) -> None:
        """Print at once: whoever watches a pipe sees it come."""
        sys.stdout.write(text)
        sys.stdout.flush()


class Picture(Screen):
    """A picture that is drawn over itself: a mark for each node, counts, and what happened last."""

    def __init__(
        self,
        rehearsal: Rehearsal,
        settings: ClassSettings,
        target: Address,
        own: RunningReflector | None,
        pods: Pods | None = None,
    ) -> None:
        self._events: deque[str] = deque(maxlen=_SHOWN_EVENTS)
        self._closing: list[str] = []
        self._height = 0
        encoding = (sys.stdout.encoding or "").lower()
        self._column = 0 if encoding.startswith("utf") else 1
        super().__init__(rehearsal, settings, target, own, pods)

    def report(self, node: Node) -> None:
        """A node's state has changed: shown with the next picture."""
        line = self.event(node)
        if line and (node.plan.mistake is not None or node.state is not NodeState.UP):
            self._events.append(line)

    def pinged(self) -> None:
        """Other pods answer than before: shown with the next picture."""

    async def keep_drawing(self) -> None:
        """Draw until cancelled."""
        while True:
            self._draw()
            await asyncio.sleep(_DRAW_S)

    def verdict(self, problems: list[str], *, stays: bool) -> None:
        """All is as planned, or this is not: shown below the picture from now on."""
        self._closing = self.closing(problems, stays=stays)
        self._draw()

    def leave(self) -> None:
        """Everybody leaves; the picture stays."""
        self._draw()

    def _draw(self) -> None:
        size = shutil.get_terminal_size()
        lines = self._lines(size.columns)
        # What is taller than the terminal can't be drawn over: its end is what matters.
        lines = lines[-(size.lines - 1) :]
        up = f"\x1b[{self._height}F" if self._height else ""
        self.write(up + "".join(f"\x1b[2K{line}\n" for line in lines) + "\x1b[J")
        self._height = len(lines)

    def _lines(self, columns: int) -> list[str]:
        nodes = self.rehearsal.nodes
        count = {state: sum(node.state is state for node in nodes) for state in NodeState}
        healthy = [node for node in nodes if node.plan.mistake is None]
        full = sum(
            node.state is NodeState.UP and not self.rehearsal.missing(node) for node in healthy
        )
        summary = ", ".join(
            f"{number} {self._mark(state)} {state.value}"
            for state, number in count.items()
            if number
        )
        events = [event[:columns] for event in self._events]
        closing = [part for line in self._closing for part in fold(line, columns, 6)]
        return [
            "",
            *self._grid(columns),
            "",
            f"{self.elapsed()}  {summary}",
            f"      {full} of {len(healthy)} nodes have every route of the class",
            *([f"      {self.answering()}"] if self.pods is not None else []),
            "",
            *events,
            *[""] * bool(closing),
            *closing,
        ]

    def _grid(self, columns: int) -> list[str]:
        clusters: dict[int, list[Node]] = {}
        for node in sorted(
            self.rehearsal.nodes, key=lambda each: (each.plan.cluster, each.plan.number)
        ):
            clusters.setdefault(node.plan.cluster, []).append(node)
        width = len("000 ") + self.settings.nodes + 2
        per_line = max(1, columns // width)
        cells = [
            f"{number:3} {''.join(self._mark(node.state) for node in of)}  "
            for number, of in clusters.items()
        ]
        return ["".join(cells[at : at + per_line]) for at in range(0, len(cells), per_line)]

    def _mark(self, state: NodeState) -> str:
        marks = _MARKS[state]
        mark = marks[self._column]
        return mark if "NO_COLOR" in os.environ else f"\x1b[{marks[2]}m{mark}\x1b[0m"


def make_screen(
    rehearsal: Rehearsal,
    settings: ClassSettings,
    target: Address,
    own: RunningReflector | None,
    pods: Pods | None = None,
) -> Screen:
    """A picture on a terminal, lines elsewhere."""
    return (Picture if can_draw() else Screen)(rehearsal, settings, target, own, pods)


def _of(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
