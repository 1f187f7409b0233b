"""Why a route is as it is: which path won, who is told of it and who is not, or why there is none."""

from collections.abc import Callable, Iterator
from ipaddress import IPv4Address
from typing import Final

from reflector.bgp.describe import ORIGINS
from reflector.bgp.nlri import IPNetwork, shorten, unpack_prefix
from reflector.bgp.vocabulary import State
from reflector.observe.nearest import family_of, find, longest_match, pack, within
from reflector.observe.reflector import PeerConnection, Reflector
from reflector.observe.route_views import Routes
from reflector.observe.views import View, by_address
from reflector.reports import PeerDown
from reflector.rib.decision import eliminate
from reflector.rib.fate import Fate, Reason
from reflector.rib.path import Candidates, Path
from reflector.rib.source import IPAddress, Source

# Longer prefixes that are named.
_MAX_WITHIN: Final = 20

_WHY: Final = {
    Reason.TOLD: "",
    Reason.DEFERRED: "the End-of-RIB behind it waits for peers that restart (RFC 4724 4.1)",
    Reason.PENDING: "it is on its way: the peer is still being sent the table, or reads slowly",
    Reason.FAMILY: "its session does not carry this address family",
    Reason.OWN: "the best path is its own",
    Reason.DISCONNECTED: "a cluster is disconnected from the others",
    Reason.POLICY: "its export policy rejects it",
    Reason.NO_ADVERTISE: "the community no-advertise: for nobody else (RFC 1997)",
    Reason.NO_EXPORT: "the community no-export: not for external peers (RFC 1997)",
    Reason.NON_CLIENT: "what a non-client says is not for other non-clients (RFC 4456 6)",
    Reason.STALE: "it is long-lived stale, and the peer has no long-lived graceful restart (RFC 9494)",
    Reason.OUTGROWN: "with what a reflector adds, its attributes outgrow a message to it",
    Reason.NEXT_HOP: "we have no next hop of its family that this peer could take",
}
_TOLD: Final = (Reason.TOLD, Reason.DEFERRED)

# What the steps of the decision process compare, where a value says more than the step's name.
_VALUES: Final[dict[str, Callable[[Path], object]]] = {
    "highest LOCAL_PREF": lambda path: path.attributes.local_pref,
    "shortest AS_PATH": lambda path: path.attributes.as_path_length,
    "lowest ORIGIN": lambda path: ORIGINS[path.attributes.origin],
    "lowest MULTI_EXIT_DISC": lambda path: path.attributes.med,
    "lowest BGP identifier (ORIGINATOR_ID)": lambda path: IPv4Address(
        path.attributes.originator_id or path.source.router_id
    ),
    "shortest CLUSTER_LIST": lambda path: len(path.attributes.cluster_list) // 4,
    "lowest peer address": lambda path: path.source.address,
    "lowest BGP identifier of the peer": lambda path: IPv4Address(path.source.router_id),
}


class Explanation:
    """Explains one prefix.

    Args:
        reflector: Whose.
        wanted: The prefix; of an address the longest prefix that holds it.
    """

    def __init__(self, reflector: Reflector, wanted: IPNetwork | IPAddress) -> None:
        self._reflector = reflector
        self._wanted = wanted
        self._family = family_of(wanted)
        self._routes = reflector.speaker.tables[self._family].routes
        self._prefix = find(self._routes, wanted) or pack(wanted)

    def view(self) -> View:
        """All but to whom it went and what is near."""
        candidates = self._routes.get(self._prefix)
        return {
            "asked": str(self._wanted),
            "route": None if candidates is None else self._route(candidates),
            "refused": [
                *self._held_back(),
                *(self._refused() if candidates is None else ()),
            ],
        }

    def peers(self, to: IPAddress | None = None) -> Iterator[View]:
        """To whom the route went, and why not to the others; whoever iterates may take pauses.

        Args:
            to: Peers with this address alone; None for all that are connected.
        """
        connections = [
            c for c in self._reflector.peering.connections if to in (None, c.name.address)
        ]
        for connection in sorted(connections, key=by_address):
            yield self._of_peer(connection)
        if to is not None and not connections:
            yield from self._of_absent(to)

    def nearest(self) -> tuple[View | None, Callable[[], View]]:
        """What holds the prefix, and what is within it.

        Returns:
            The longest shorter prefix that has a route, and what finds the longer ones: it goes
            through a copy of the table, in a thread.
        """
        length, routes = self._prefix[0], self._routes.copy()
        holder = longest_match(routes, shorten(self._prefix, length - 1)) if length else None
        shown = None
        if holder is not None:
            shown = Routes(self._reflector.speaker).route(holder, self._family, routes[holder])
        return shown, lambda: self._within(routes)

    def _within(self, routes: dict[bytes, Candidates]) -> View:
        found = within(routes, self._prefix)
        first = [str(unpack_prefix(prefix, self._family)) for prefix in found[:_MAX_WITHIN]]
        return {"count": len(found), "prefixes": first}

    def _route(self, candidates: Candidates) -> View:
        view = Routes(self._reflector.speaker).route(self._prefix, self._family, candidates)
        best = candidates.best
        lost = {path: _lost(path, best, step) for path, step in eliminate(candidates.paths)}
        paths = (best, *(path for path in candidates.paths if path is not best))
        views = view["paths"]
        assert isinstance(views, list)  # noqa: S101 - as `Routes` makes it
        view["paths"] = [
            described | {"lost_by": lost.get(path)}
            for path, described in zip(paths, views, strict=True)
        ]
        return view

    def _of_peer(self, connection: PeerConnection) -> View:
        name, peer = connection.name, connection.peer
        view: View = {
            "address": str(name.address),
            "router_id": name.router_id,
            "host_name": name.host_name or name.description,
        }
        if peer is None:
            state = connection.session.state
            where = "is over" if state is State.IDLE else f"is in the state {state.value}"
            return view | _told("not-established", f"its session {where}")
        if self._prefix not in self._routes:
            return view | _told("no-route", "there is no such route")
        return view | _words(self._reflector.speaker.fate(peer, self._family, self._prefix))

    def _of_absent(self, address: IPAddress) -> Iterator[View]:
        for record in self._reflector.desk.ledger.records.values():
            name = record.name
            last = record.left or record.failure
            if name.address == address and last is not None:
                report = last.report
                ended = record.left is not None and isinstance(report, PeerDown)
                reason = report.reason if isinstance(report, PeerDown) else "turned away"
                yield {
                    "address": str(address),
                    "router_id": name.router_id,
                    "host_name": name.host_name or name.description,
                } | _told(
                    "not-established", f"{'it has left' if ended else 'no session'}: {reason}"
                )

    def _held_back(self) -> Iterator[View]:
        """Peers whose route for the prefix is in quarantine."""
        for family, prefix, held in self._reflector.speaker.held_back():
            if family is self._family and prefix == self._prefix:
                first = str(unpack_prefix(held.prefix, family))
                yield self._refusal(
                    held.path.source,
                    f"it is held back: {first} of {held.first.address} overlaps it",
                )

    def _refused(self) -> Iterator[View]:
        """Peers that have announced the prefix in vain."""
        for peer in list(self._reflector.speaker.peers.values()):
            reason = peer.refusals.reason(self._family, self._prefix)
            if reason:
                yield self._refusal(peer.source, reason)

    def _refusal(self, source: Source, why: str) -> View:
        peer = self._reflector.speaker.peers.get(source)
        return {
            "address": str(source.address),
            "router_id": str(IPv4Address(source.router_id)),
            "host_name": "" if peer is None else peer.negotiated.remote.capabilities.host_name,
            "why": why,
        }


def _lost(path: Path, best: Path, step: str) -> str:
    """The step that was against a path, with what it compared."""
    value = _VALUES.get(step)
    return step if value is None else f"{step}: {value(path)} against {value(best)}"


def _words(fate: Fate) -> View:
    why = _WHY[fate.reason]
    if fate.rule:
        why = f"{why} ({fate.rule})" if why else f"as its export policy changes it ({fate.rule})"
    return _told(fate.reason.value, why, told=fate.reason in _TOLD)


def _told(reason: str, why: str, *, told: bool = False) -> View:
    return {"told": told, "reason": reason, "why": why}
