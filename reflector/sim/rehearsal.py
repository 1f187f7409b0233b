"""A whole class of simulated clusters against one reflector, student by student."""

import asyncio
import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from reflector.bgp.words import describe_notification
from reflector.sim.class_plan import PlannedNode
from reflector.sim.connect import connect
from reflector.sim.errors import SimError
from reflector.sim.kube_router import Timers
from reflector.sim.link import Ended
from reflector.sim.peer import Peer
from reflector.sim.transport import Address

# How long a flapping node is there, and then away, in seconds.
_FLAP_S: Final = 5.0
_LOOK_S: Final = 0.1
_FOREVER_S: Final = 1e9

DEBUG_ROUTE: Final = "1.0.0.2/32"
DEFAULT_ROUTE: Final = "0.0.0.0/0"
_HTTP: Final = b"GET / HTTP/1.1\r\nHost: reflector\r\n\r\n"
_BAD_NEXT_HOPS: Final = {"ipv4": "127.0.0.1", "ipv6": "::1"}


class NodeState(Enum):
    """Where a node stands."""

    EXPECTED = "expected"
    DIALLING = "dialling"
    UP = "up"
    REFUSED = "refused"
    GONE = "gone"


@dataclass
class Node:
    """A node of the class, while it runs.

    Attributes:
        plan: What it was planned to be.
        state: Where it stands.
        peer: Its simulated peer, once it has dialled.
        last: How its last session ended, if one did.
        said: Why it is not up, in words.
    """

    plan: PlannedNode
    state: NodeState = NodeState.EXPECTED
    peer: Peer | None = None
    last: Ended | None = None
    said: str = ""


class Rehearsal:
    """Runs a class.

    Args:
        plan: The nodes.
        target: Address and port of the reflector.
        timers: When nodes dial again.
        debug_route: Whether the reflector announces 1.0.0.2/32.

    Attributes:
        nodes: All nodes, in the order in which they arrive.
        report: Called with a node whenever its state changes.
        further_problems: Asked by `problems` for what else is not as it should be.
    """

    def __init__(
        self,
        plan: list[PlannedNode],
        target: Address,
        timers: Timers,
        *,
        debug_route: bool,
    ) -> None:
        self.nodes = [Node(each) for each in plan]
        self._target = target
        self._timers = timers
        self.report: Callable[[Node], None] = lambda _: None
        self.further_problems: Callable[[], Iterable[str]] = lambda: ()
        self._chance = random.Random(1)  # noqa: S311 - no secret
        self._tasks: list[asyncio.Task[None]] = []
        self._by_router_id: dict[str, set[str]] = {}
        for node in self.nodes:
            own = self._by_router_id.setdefault(node.plan.profile.router_id or "", set())
            own.update(node.plan.pods)
        shared = {pods for node in self.nodes for pods in node.plan.pods if _shares(node)}
        shared.discard(DEFAULT_ROUTE)  # a reflector may well refuse to pass it on
        self._wanted = frozenset(shared | ({DEBUG_ROUTE} if debug_route else set()))

    @property
    def wanted_routes(self) -> int:
        """How many routes a healthy node is to have in the end, its own included."""
        return len(self._wanted)

    def start(self) -> None:
        """Let the class arrive."""
        self._tasks = [asyncio.create_task(self._live(node)) for node in self.nodes]

    async def complete(self, deadline_s: float) -> bool:
        """Wait until everything is as it should be; whether it is, by the deadline.

        Args:
            deadline_s: How long to wait after the last one's arrival, in seconds.
        """
        last_s = max((node.plan.arrival_s for node in self.nodes), default=0.0)
        loop = asyncio.get_running_loop()
        deadline = loop.time() + last_s + deadline_s
        while next(self.problems(), None) is not None:
            if loop.time() > deadline:
                return False
            await asyncio.sleep(_LOOK_S)
        return True

    async def stop(self) -> None:
        """Let everybody leave properly."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        peers = [node.peer for node in self.nodes if node.peer is not None]
        await asyncio.gather(*(peer.close() for peer in peers), return_exceptions=True)
        for peer in peers:
            peer.dispose()

    def missing(self, node: Node) -> frozenset[str]:
        """Which routes a node should have and has not."""
        # What a peer announced with the same router id is its own route to it (RFC 4456 8).
        own = self._by_router_id[node.plan.profile.router_id or ""]
        held = () if node.peer is None else node.peer.routes
        return self._wanted.difference(own, held)

    def problems(self) -> Iterator[str]:
        """What is not as it should be, in sentences; mistakes that show as planned are none."""
        for node in self.nodes:
            name, mistake = node.plan.name, node.plan.mistake
            if mistake is not None and mistake.refused is not None:
                if not _refused_as_planned(node):
                    yield f"{name} ({mistake.name}) was not refused as planned: {_standing(node)}"
            elif mistake is not None and mistake.shares is None:
                if node.last is None:
                    yield f"{name} ({mistake.name}) has not lost its session yet"
            elif node.state is not NodeState.UP:
                yield f"{name} is not up: {_standing(node)}"
            elif mistake is None:
                missing = sorted(self.missing(node))
                if missing:
                    yield f"{name} lacks {len(missing)} routes: {', '.join(missing[:3])}" + (
                        ", ..." if len(missing) > 3 else ""  # noqa: PLR2004
                    )
                yield from self._surplus(node)
        yield from self.further_problems()

    def _surplus(self, node: Node) -> Iterator[str]:
        """What a healthy node has of those whose routes must not be passed on."""
        for other in self.nodes:
            mistake = other.plan.mistake
            if mistake is not None and mistake.shares is False and node.peer is not None:
                for pods in other.plan.pods:
                    if pods in node.peer.routes:
                        yield f"{node.plan.name} has {pods} of {mistake.name}"

    # A node's life.

    async def _live(self, node: Node) -> None:
        await asyncio.sleep(node.plan.arrival_s)
        while True:
            self._change(node, NodeState.DIALLING)
            try:
                await self._session(node)
            except SimError as error:
                node.said = error.reason
                self._change(node, NodeState.GONE)
            await asyncio.sleep(self._away_s(node))

    async def _session(self, node: Node) -> None:
        """One session, from the dial to its end."""
        plan = node.plan
        what = "" if plan.mistake is None else plan.mistake.name
        profile = replace(plan.profile, open_message=_HTTP) if what == "no-bgp" else plan.profile
        node.peer = peer = await connect(*self._target, profile)
        if what != "no-bgp":
            try:
                await peer.established()
            except SimError:
                pass  # how it ended is told below
            else:
                await self._announce(peer, plan, what)
                self._change(node, NodeState.UP)
                await self._misbehave(peer, what)
        node.last = ended = await peer.closed(deadline_s=_FOREVER_S)
        said = ended.sent if plan.mistake is not None and plan.mistake.sent else ended.received
        node.said = ended.reason if said is None else describe_notification(said)
        refused = said is not None and node.state is not NodeState.UP
        self._change(node, NodeState.REFUSED if refused else NodeState.GONE)

    async def _announce(self, peer: Peer, plan: PlannedNode, what: str) -> None:
        if plan.pods and what == "bad-next-hop":
            for pods in plan.pods:
                await peer.announce(
                    pods, next_hop=_BAD_NEXT_HOPS["ipv6" if ":" in pods else "ipv4"]
                )
        elif plan.pods:
            await peer.announce(*plan.pods)
        if plan.profile.restarts_gracefully:
            await peer.announce_end_of_rib()

    async def _misbehave(self, peer: Peer, what: str) -> None:
        match what:
            case "silent":
                peer.silence()
            case "stalled":
                peer.stall()
            case "flapping":
                await asyncio.sleep(_FLAP_S)
                peer.crash()

    def _away_s(self, node: Node) -> float:
        """How long until a node dials again."""
        if node.plan.mistake is not None and node.plan.mistake.name == "flapping":
            return _FLAP_S
        return self._timers.idle_s + self._chance.uniform(*self._timers.first_dial_s)

    def _change(self, node: Node, state: NodeState) -> None:
        if node.state is not state:
            node.state = state
            self.report(node)


def _shares(node: Node) -> bool:
    return node.plan.mistake is None or node.plan.mistake.shares is True


def _refused_as_planned(node: Node) -> bool:
    mistake, last = node.plan.mistake, node.last
    if mistake is None or last is None:
        return False
    said = last.sent if mistake.sent else last.received
    return said is not None and (said.code, said.subcode) == mistake.refused


def _standing(node: Node) -> str:
    return f"{node.state.value}{f', {node.said}' if node.said else ''}"
