"""Several reflectors and their clients without sockets: what one writes, the other one receives."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address

from reflector.bgp.errors import Finding
from reflector.bgp.open import Capabilities, Negotiated, Open
from reflector.bgp.vocabulary import FAMILIES
from reflector.rib.audience import Audience
from reflector.rib.source import Source
from reflector.speaker import Identity, Peer, Speaker
from tests.support import wire
from tests.support.strict_reader import Network, Route, read_update, split_messages

# Far more exchanges than any of these networks needs: whoever needs more goes round in circles.
ROUNDS = 50


@dataclass
class Pipe:
    """One direction of a session: what is written waits until the network carries it over."""

    unread: list[bytes] = field(default_factory=list)

    @property
    def backlog_bytes(self) -> int:
        """Octets that are not carried over yet."""
        return sum(map(len, self.unread))

    def write(self, chunks: list[bytes]) -> None:
        """Take whole messages."""
        self.unread.extend(chunks)

    def take(self) -> list[bytes]:
        """Bodies of the UPDATEs that were written since the last call."""
        stream = b"".join(self.unread)
        self.unread.clear()
        return [body for kind, body in split_messages(stream) if kind == wire.UPDATE]


@dataclass(eq=False)
class Node:
    """A reflector."""

    name: str
    router_id: str
    cluster_id: str
    speaker: Speaker

    @property
    def is_empty(self) -> bool:
        """Whether it holds no route at all."""
        return not any(table.routes for table in self.speaker.tables.values())


@dataclass(eq=False)
class Client:
    """A client with a session to one or several reflectors.

    Attributes:
        tables: What each reflector has told it.
    """

    name: str
    address: str
    tables: dict[Node, dict[Network, Route]] = field(default_factory=dict)

    @property
    def prefixes(self) -> set[str]:
        """What it can reach by any reflector."""
        return {str(network) for table in self.tables.values() for network in table}

    def routes(self) -> Iterable[Route]:
        """Every route that it was told, whoever told it."""
        for table in self.tables.values():
            yield from table.values()


@dataclass(eq=False)
class _End:
    """One end of a session: a reflector's view of somebody, and what it has to tell them."""

    node: Node
    peer: Peer
    pipe: Pipe


class Cluster:
    """Reflectors and clients, and the sessions between them."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.clients: list[Client] = []
        self._links: list[tuple[_End, _End]] = []
        self._homes: dict[tuple[Client, Node], _End] = {}

    def add(self, name: str, router_id: str, cluster_id: str) -> Node:
        """A reflector starts."""
        identity = Identity(wire.ASN, IPv4Address(router_id), IPv4Address(cluster_id))
        node = Node(name, router_id, cluster_id, Speaker(identity, _ignore))
        self.nodes.append(node)
        return node

    def link(self, one: Node, other: Node, *, one_serves: bool, other_serves: bool) -> None:
        """Two reflectors peer.

        Args:
            one: The first.
            other: The second.
            one_serves: Whether the other is a client of the first.
            other_serves: Whether the first is a client of the second.
        """
        ends = (
            self._end(one, other.name, other.router_id, client=one_serves),
            self._end(other, one.name, one.router_id, client=other_serves),
        )
        self._links.append(ends)

    def home(self, client: Client, node: Node) -> None:
        """A client's session with a reflector is up."""
        if client not in self.clients:
            self.clients.append(client)
        client.tables[node] = {}
        self._homes[client, node] = self._end(node, client.name, client.address, client=True)

    def say(self, client: Client, body: bytes, nodes: Iterable[Node] = ()) -> None:
        """A client sends an UPDATE, to all its reflectors or only to some."""
        for node in list(nodes) or list(client.tables):
            end = self._homes[client, node]
            node.speaker.receive_update(end.peer, body)

    def kill(self, node: Node) -> None:
        """A reflector is gone, and everybody's session with it."""
        self.nodes.remove(node)
        for ends in list(self._links):
            for mine, theirs in (ends, ends[::-1]):
                if mine.node is node:
                    theirs.node.speaker.peer_down(theirs.peer)
                    self._links.remove(ends)
        for client in self.clients:
            if client.tables.pop(node, None) is not None:
                del self._homes[client, node]

    def settle(self) -> None:
        """Carry over what there is until nobody has anything left to say.

        Raises:
            AssertionError: It never ends: routes go round in a loop.
        """
        for _ in range(ROUNDS):
            for node in self.nodes:
                while node.speaker.turn():
                    pass
            if not self._carry():
                return
        raise AssertionError("routes go round in a loop")

    def _carry(self) -> bool:
        carried = False
        for ends in self._links:
            for mine, theirs in (ends, ends[::-1]):
                for body in mine.pipe.take():
                    carried = True
                    theirs.node.speaker.receive_update(theirs.peer, body)
        for (client, node), end in self._homes.items():
            for body in end.pipe.take():
                carried = True
                update = read_update(body)
                for network in update.withdrawn:
                    client.tables[node].pop(network, None)
                client.tables[node].update(update.announced)
        return carried

    def _end(self, node: Node, name: str, address: str, *, client: bool) -> _End:
        identifier = IPv4Address(address)
        kind = Audience.CLIENT if client else Audience.NON_CLIENT
        negotiated = Negotiated(
            hold_time_s=90,
            families=frozenset(FAMILIES.values()),
            as4=True,
            route_refresh=True,
            remote=Open(wire.ASN, 90, identifier, Capabilities(as4=wire.ASN)),
        )
        pipe = Pipe()
        source = Source(name, kind, identifier.packed, identifier)
        peer = node.speaker.peer_up(source, negotiated, ip_address(node.router_id), pipe)
        return _End(node, peer, pipe)


def _ignore(_peer: Peer, _finding: Finding) -> None:
    """That a route came back is for the log."""
