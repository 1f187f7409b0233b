"""The pods of a class: what the nodes learn goes into their kernels, and pings tell who is reached."""

import asyncio
import random
import socket
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from itertools import combinations
from typing import Final

from reflector.sim.namespace import new_socket
from reflector.sim.netns.classroom import pod_address_of
from reflector.sim.netns.reach import Reach
from reflector.sim.netns.rtnetlink import Routes
from reflector.sim.rehearsal import Node, NodeState

# From what a node learns to its kernel; kube-router takes no longer.
_LOOK_S: Final = 0.2
# From the pings of a round to those of the next, at least; a big class's own time, at most half of all.
_ROUND_S: Final = 1.0
# Their answers wait in the kernel, which has room for some 250.
_PINGS_AT_ONCE: Final = 64
_DATAGRAM_BYTES: Final = 256

# linux/icmp.h; not in the socket module.
_ICMP_FILTER: Final = 1
_ECHO_REPLY: Final = 0
_ECHO_REQUEST: Final = 8
_ICMP: Final = struct.Struct("!BBHHH")

Pair = tuple[int, int]


class Pods:
    """One pod on each node. Every two of them ping each other, about once a second.

    Args:
        nodes: Of a rehearsal, seated in a classroom.

    Attributes:
        answering: The pairs that answered in the last round, by the nodes' places.
        pairs: How many pairs there are.
        report: Called after a round in which other pairs answered than in the one before.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.answering: frozenset[Pair] = frozenset()
        self.pairs = len(nodes) * (len(nodes) - 1) // 2
        self.report: Callable[[], None] = lambda: None
        self._addresses = [pod_address_of(node.plan) for node in nodes]
        self._place = {address: place for place, address in enumerate(self._addresses)}
        self._answered: set[Pair] = set()
        self._identifier = random.SystemRandom().randrange(1 << 16)
        self._round = 0
        reach = Reach([node.plan for node in nodes])
        self._to_reach = {
            (one, other): reach.between(nodes[one].plan, nodes[other].plan)
            for one, other in combinations(range(len(nodes)), 2)
        }
        self._kernels = [Routes(node.plan.netns) for node in nodes]
        self._sockets = [
            _ping_socket(node.plan.netns, address)
            for node, address in zip(nodes, self._addresses, strict=True)
        ]
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Install what is learned, and ping."""
        loop = asyncio.get_running_loop()
        for place, sock in enumerate(self._sockets):
            loop.add_reader(sock.fileno(), self._on_readable, place)
        self._tasks = [
            asyncio.create_task(self._keep_routes()),
            asyncio.create_task(self._keep_pinging()),
        ]

    async def stop(self) -> None:
        """End it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.remove_reader(sock.fileno())
            sock.close()
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
            self._answered.clear()
            request = _echo_request(self._identifier, self._round & 0xFFFF)
            for number, (one, other) in enumerate(self._to_reach):
                with suppress(OSError):  # no route, say: no answer
                    self._sockets[one].sendto(request, (self._addresses[other], 0))
                if number % _PINGS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(max(_ROUND_S, loop.time() - began_s))
            if self._answered != self.answering:
                self.answering = frozenset(self._answered)
                self.report()

    def _on_readable(self, place: int) -> None:
        sock = self._sockets[place]
        while True:
            try:
                data, (address, _) = sock.recvfrom(_DATAGRAM_BYTES)
            except OSError:  # no more
                return
            header_bytes = (data[0] & 0xF) * 4
            kind, _, _, identifier, number = _ICMP.unpack_from(data, header_bytes)
            asked = (_ECHO_REPLY, self._identifier, self._round & 0xFFFF)
            if (kind, identifier, number) == asked and address in self._place:
                self._answered.add((place, self._place[address]))


def _learned(node: Node) -> dict[str, str]:
    """Next hops of what a node has learned, by prefix, less what it takes for its own."""
    if node.state is not NodeState.UP or node.peer is None:
        return {}
    return {
        prefix: route.next_hop
        for prefix, route in node.peer.routes.items()
        if route.family == "ipv4"
        and route.next_hop is not None
        and route.originator_id != node.plan.profile.router_id  # RFC 4456 8
        and prefix not in node.plan.pods
    }


def _ping_socket(netns: str | None, address: str) -> socket.socket:
    sock = new_socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP, netns=netns)
    sock.setblocking(False)  # noqa: FBT003 - the socket module's own
    unwanted = ~(1 << _ECHO_REPLY) & 0xFFFFFFFF
    sock.setsockopt(socket.IPPROTO_RAW, _ICMP_FILTER, struct.pack("=I", unwanted))
    sock.bind((address, 0))
    return sock


def _echo_request(identifier: int, number: int) -> bytes:
    """An ICMP echo request (RFC 792)."""
    words = (_ECHO_REQUEST << 8) + identifier + number
    words = (words & 0xFFFF) + (words >> 16)
    return _ICMP.pack(_ECHO_REQUEST, 0, ~words & 0xFFFF, identifier, number)
