"""What a presenter does to the class: takes a cluster off and on again, drops a session, hides our routes.

Nothing of it outlives the process: after a restart all are connected again.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Final

from reflector.bgp.nlri import IPNetwork
from reflector.bgp.vocabulary import CeaseSubcode, State
from reflector.net.peering import Peering
from reflector.observe.orders import NothingThere, OrderRefused
from reflector.observe.reflector import Reflector
from reflector.observe.roll import Roll
from reflector.observe.views import View
from reflector.reports import Report, Steered
from reflector.rib.returning import Returning
from reflector.rib.separation import Separation
from reflector.rib.source import IPAddress

_CLEARED: Final = "cleared by the presenter"


class Controls:
    """Carries out a presenter's orders.

    Args:
        reflector: Whose class it is.
        peering: Its connections.
        originate: Has our own routes announced, as far as they are not hidden.
        allowed: From where orders may come over HTTP, asked each time.
        report: Told of every order that was carried out.

    Attributes:
        disconnected: Clusters that are kept apart, with their nodes as far as they are known.
        hidden: Whether our own routes are hidden.
    """

    def __init__(
        self,
        reflector: Reflector,
        peering: Peering,
        originate: Callable[[], int],
        allowed: Callable[[], tuple[IPNetwork, ...]],
        report: Callable[[Report], None],
    ) -> None:
        self.disconnected: dict[IPNetwork, frozenset[Returning]] = {}
        self.hidden = False
        self._peering = peering
        self._originate = originate
        self._allowed = allowed
        self._report = report
        self._roll = Roll(reflector, 0.0)

    def may(self, address: IPAddress | None) -> bool:
        """Whether somebody may give orders: by address, None for the control socket."""
        return address is None or any(address in network for network in self._allowed())

    # Clusters.

    def disconnect(self, cluster: IPNetwork, by: str) -> str:
        """Keep a cluster apart from the others.

        Raises:
            OrderRefused: It has no node, or another disconnected cluster has some of its addresses.
        """
        if cluster in self.disconnected:
            return f"{cluster} is disconnected already"
        for other in self.disconnected:
            if other.overlaps(cluster):
                raise OrderRefused(
                    f"{cluster} overlaps {other}, which is disconnected: connect that first"
                )
        nodes = self._nodes_of(cluster)
        if not nodes:
            raise NothingThere(f"there is no node with a pod CIDR in {cluster}")
        self.disconnected[cluster] = nodes
        self._separate()
        count = "1 node" if len(nodes) == 1 else f"{len(nodes)} nodes"
        return self._done(f"{cluster} ({count}) is disconnected from the others", by)

    def connect(self, cluster: IPNetwork, by: str) -> str:
        """Connect a cluster with the others again.

        Raises:
            OrderRefused: It is not disconnected.
        """
        if self.disconnected.pop(cluster, None) is None:
            known = ", ".join(map(str, self.disconnected)) or "none is"
            raise NothingThere(f"{cluster} is not disconnected ({known})")
        self._separate()
        return self._done(f"{cluster} is connected with the others again", by)

    def tick(self) -> None:
        """Take in nodes that came to a disconnected cluster; to be called about once a second."""
        changed = False
        for cluster, nodes in self.disconnected.items():
            known = nodes | self._nodes_of(cluster)
            if known != nodes:
                self.disconnected[cluster] = known
                changed = True
        if changed:
            self._separate()

    def _separate(self) -> None:
        clusters = {str(cluster): nodes for cluster, nodes in self.disconnected.items()}
        self._peering.speaker.separate(Separation(clusters))
        self._peering.routes_changed()

    def _nodes_of(self, cluster: IPNetwork) -> frozenset[Returning]:
        return frozenset(
            (ip_address(str(view["address"])), IPv4Address(str(view["router_id"])).packed)
            for _, view in self._roll.views()
            if view["state"] == State.ESTABLISHED.value and _is_of(view, cluster)
        )

    # Sessions and our own routes.

    def clear(self, address: IPAddress, by: str) -> str:
        """End the sessions with an address; they come back.

        Raises:
            OrderRefused: There is none.
        """
        connections = [c for c in self._peering.connections if c.name.address == address]
        if not connections:
            raise NothingThere(f"there is no connection with {address}")
        for connection in connections:
            self._peering.close(connection, CeaseSubcode.ADMINISTRATIVE_RESET, _CLEARED)
        return self._done(f"the session with {address} is dropped", by)

    def refresh(self, address: IPAddress, direction: str, by: str) -> str:
        """Ask a peer for its routes again, send it ours again, or both.

        Args:
            address: Of the peer.
            direction: "in", "out" or "both".
            by: Who wants it.

        Raises:
            OrderRefused: It has no session, or can't be asked.
        """
        connections = [
            c for c in self._peering.connections if c.name.address == address and c.peer is not None
        ]
        if not connections:
            raise NothingThere(f"there is no established session with {address}")
        asked = False
        for connection in connections:
            if direction != "out":
                asked = self._peering.request_refresh(connection) or asked
            peer = connection.peer
            if direction != "in" and peer is not None:
                for family in peer.negotiated.families:
                    self._peering.speaker.receive_refresh(peer, family.afi, family.safi)
        self._peering.routes_changed()
        if direction == "in" and not asked:
            raise OrderRefused(
                f"{address} can't be asked for its routes (no route refresh): clear its session"
            )
        done = {
            "in": f"{address} was asked for its routes again",
            "out": f"{address} is sent our routes again",
            "both": f"{address} was asked for its routes again and is sent ours"
            if asked
            else f"{address} is sent our routes again; it can't be asked for its own",
        }
        return self._done(done[direction], by)

    def hide(self, by: str, *, hidden: bool) -> str:
        """Hide our own routes, or show them again.

        Raises:
            OrderRefused: We have none.
        """
        before, self.hidden = self.hidden, hidden
        if not self._originate():
            self.hidden = before
            raise OrderRefused("this reflector has no route of its own (networks)")
        self._peering.routes_changed()
        if hidden is before:
            return f"the reflector's own routes are {_SEEN[hidden]} already"
        return self._done(f"the reflector's own routes are {_SEEN[hidden]}", by)

    def _done(self, what: str, by: str) -> str:
        self._report(Steered(what, by))
        return what


_SEEN: Final = {True: "hidden", False: "shown"}


def _is_of(view: View, cluster: IPNetwork) -> bool:
    """Whether a node's first pod CIDR of a cluster's family lies in it."""
    cidrs = view.get("cidrs")
    for cidr in cidrs if isinstance(cidrs, list) else ():
        network = ip_network(cidr)
        if network.version == cluster.version:
            wide_enough = network.prefixlen >= cluster.prefixlen
            return wide_enough and network.network_address in cluster
    return False
