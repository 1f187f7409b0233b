"""The pods of a class: what the nodes learn goes into their kernels, and pings tell who is reached."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import Final

from reflector.sim.netns.classroom import pod_addresses_of
from reflector.sim.netns.pinging import Pair, Pings
from reflector.sim.netns.reach import Reach
from reflector.sim.netns.rtnetlink import Routes
from reflector.sim.rehearsal import Node, NodeState

# From what a node learns to its kernel; kube-router takes no longer.
_LOOK_S: Final = 0.2
# From the pings of a round to those of the next, at least; a big class's own time, at most half of all.
_ROUND_S: Final = 1.0


class Pods:
    """One pod on each node. Every two of them ping each other, about once a second.

    Args:
        nodes: Of a rehearsal, seated in a classroom.

    Attributes:
        answering: The pairs that answered in the last round, in all families, by the nodes' places.
        pairs: How many pairs there are.
        report: Called after a round in which other pairs answered than in the one before.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.answering: frozenset[Pair] = frozenset()
        self.pairs = len(nodes) * (len(nodes) - 1) // 2
        self.report: Callable[[], None] = lambda: None
        self._round = 0
        reach = Reach([node.plan for node in nodes])
        self._to_reach = {
            (one, other): reach.between(nodes[one].plan, nodes[other].plan)
            for one, other in combinations(range(len(nodes)), 2)
        }
        self._kernels = [Routes(node.plan.netns) for node in nodes]
        netns = [node.plan.netns for node in nodes]
        addresses = zip(*(pod_addresses_of(node.plan) for node in nodes), strict=True)
        self._pings = [Pings(list(zip(netns, each, strict=True))) for each in addresses]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Install what is learned, and ping."""
        for pings in self._pings:
            pings.start()
        self._tasks = [
            asyncio.create_task(self._keep_routes()),
            asyncio.create_task(self._keep_pinging()),
        ]

    async def stop(self) -> None:
        """End it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for pings in self._pings:
            pings.stop()
        for kernel in self._kernels:
            kernel.close()

    def problems(self) -> Iterator[str]:
        """What of the pings is not as planned, in sentences."""
        if self._round < 2:  # noqa: PLR2004 - the first is still under way
            yield "no ping has been answered yet"
            return
        for pair, planned in self._to_reach.items():
            if planned is None or planned is (pair in self.answering):
                continue
            one, other = (f"the pod of {self.nodes[place].plan.name}" for place in pair)
            yield f"{one} {'does not reach' if planned else 'reaches'} {other}"

    def of_cluster(self, cluster: int) -> tuple[int, int]:
        """How many pairs with a pod of this cluster answer, and how many there are."""
        members = {place for place, node in enumerate(self.nodes) if node.plan.cluster == cluster}
        answering = sum(not members.isdisjoint(pair) for pair in self.answering)
        others = len(self.nodes) - len(members)
        return answering, len(members) * others + len(members) * (len(members) - 1) // 2

    # Routes.

    async def _keep_routes(self) -> None:
        while True:
            for node, kernel in zip(self.nodes, self._kernels, strict=True):
                kernel.become(_learned(node))
            await asyncio.sleep(_LOOK_S)

    # Pings.

    async def _keep_pinging(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            began_s = loop.time()
            self._round += 1
            for pings in self._pings:
                await pings.send(self._to_reach)
            await asyncio.sleep(max(_ROUND_S, loop.time() - began_s))
            answered = frozenset.intersection(*(frozenset(each.answered) for each in self._pings))
            if answered != self.answering:
                self.answering = answered
                self.report()


def _learned(node: Node) -> dict[str, str]:
    """Next hops of what a node has learned, by prefix, less what it takes for its own."""
    if node.state is not NodeState.UP or node.peer is None:
        return {}
    return {
        prefix: route.next_hop.partition(" ")[0]
        for prefix, route in node.peer.routes.items()
        if route.next_hop is not None
        and route.originator_id != node.plan.profile.router_id  # RFC 4456 8
        and prefix not in node.plan.pods
    }
