"""What a reflector knows of routes, as plain dictionaries ready for JSON: each path, and who is told of it."""

from collections.abc import Iterator
from ipaddress import IPv4Address

from reflector.bgp.describe import describe_attributes, describe_next_hop
from reflector.bgp.nlri import IPNetwork, unpack_prefix
from reflector.bgp.vocabulary import Family
from reflector.observe.nearest import family_of, find
from reflector.observe.reflector import Reflector
from reflector.observe.views import ROLES, View
from reflector.rib.audience import Audience
from reflector.rib.decision import explain
from reflector.rib.path import Candidates, Path
from reflector.rib.source import IPAddress, Source
from reflector.speaker import Peer, Speaker


def advertised(reflector: Reflector, address: IPAddress) -> Iterator[View]:
    """What the peers with an address are told of: their Adj-RIBs-Out, each prefix with one path.

    Args:
        reflector: Whose.
        address: Of the peers.
    """
    routes = Routes(reflector.speaker)
    for peer in list(reflector.speaker.peers.values()):
        if peer.source.address == address:
            for family, prefix, path in reflector.speaker.told(peer):
                yield routes.as_told(prefix, family, path, peer)


def received(reflector: Reflector, address: IPAddress) -> Iterator[View]:
    """What the peers with an address have announced: their Adj-RIBs-In, each prefix with one path.

    Args:
        reflector: Whose.
        address: Of the peers.
    """
    speaker = reflector.speaker
    routes = Routes(speaker)
    for source in list(speaker.peers):
        if source.address == address:
            for family, table in speaker.tables.items():
                for prefix in list(table.prefixes_of(source)):
                    candidates = table.routes.get(prefix)
                    if candidates is not None:
                        yield from routes.of_source(prefix, family, candidates, source)


class Routes:
    """Views of routes that share what they have in common.

    Most prefixes share their path with many others, which is described once.

    Args:
        speaker: Whose routes.
    """

    def __init__(self, speaker: Speaker) -> None:
        self._speaker = speaker
        self._described: dict[Path, View] = {}

    def all(self) -> Iterator[View]:
        """Every prefix, in no particular order."""
        for family, table in self._speaker.tables.items():
            for prefix in list(table.routes):
                candidates = table.routes.get(prefix)
                if candidates is not None:
                    yield self.route(prefix, family, candidates)

    def matching(self, wanted: IPNetwork | IPAddress) -> View | None:
        """The route of exactly a prefix, or the one that an address would take.

        Returns:
            None if there is none.
        """
        family = family_of(wanted)
        routes = self._speaker.tables[family].routes
        prefix = find(routes, wanted)
        return None if prefix is None else self.route(prefix, family, routes[prefix])

    def as_told(self, prefix: bytes, family: Family, path: Path, peer: Peer) -> View:
        """A prefix as one peer is told of it.

        Args:
            prefix: Packed.
            family: Its family.
            path: With which it is announced.
            peer: Who is told.
        """
        view = self._path(path)
        if path.source.local and not path.next_hop:
            view = view | {"next_hop": describe_next_hop(peer.own_next_hops[family])}
        if not peer.source.internal:
            view = self._outside(view, served=path.is_served_to(peer.source.kind))
        if family in peer.negotiated.add_path_send:
            view = view | {"path_id": int.from_bytes(path.place.path_id)}
        network = str(unpack_prefix(prefix, family))
        return {"prefix": network, "family": str(family), "paths": [view]}

    def _outside(self, view: View, *, served: bool) -> View:
        """A path in the form for external peers, as `bgp.external` writes it."""
        hidden = {"local_pref", "originator_id", "cluster_list"} | (set() if served else {"med"})
        told = {key: value for key, value in view.items() if key not in hidden}
        if not served:
            told["as_path"] = f"{self._speaker.identity.asn} {view['as_path']}".strip()
        return told

    def route(self, prefix: bytes, family: Family, candidates: Candidates) -> View:
        """The view of a prefix with its candidates."""
        best = candidates.best
        others = [path for path in candidates.paths if path is not best]
        return {
            "prefix": str(unpack_prefix(prefix, family)),
            "family": str(family),
            "best_because": explain(candidates.paths),
            "paths": [self._marked(path, prefix) for path in (best, *others)],
        }

    def of_source(
        self, prefix: bytes, family: Family, candidates: Candidates, source: Source
    ) -> Iterator[View]:
        """A prefix with what one source announced for it, and whether that is the best."""
        network = str(unpack_prefix(prefix, family))
        for path in candidates.paths:
            if path.source is source:
                view = self._marked(path, prefix)
                best = path is candidates.best
                yield {"prefix": network, "family": str(family), "best": best, "paths": [view]}

    def _marked(self, path: Path, prefix: bytes) -> View:
        """A path with what is so for this prefix alone.

        Marked is what only an earlier session of a restarting peer announced, and a path that came
        with an identifier has it (RFC 7911 3).
        """
        view = self._path(path)
        path_id = self._speaker.path_id(path, prefix)
        if path_id is not None:
            view = view | {"path_id": path_id}
        if self._speaker.is_stale(path, prefix):
            return view | {"stale": True}
        return view

    def _path(self, path: Path) -> View:
        view = self._described.get(path)
        if view is None:
            view = self._described[path] = {
                "from": _source(self._speaker, path.source),
                "next_hop": describe_next_hop(path.next_hop) or None,
                "told_to": _told(path),
                **describe_attributes(path.attributes),
            }
        return view


def _told(path: Path) -> str:
    """Who is told of a path, in words."""
    if not path.stale:
        return _named(path.audience)
    return f"{_named(path.audience >> 16)}, of those with long-lived graceful restart"


def _named(audience: int) -> str:
    if audience & Audience.ALL == Audience.ALL:
        return "all"
    if audience & Audience.ALL == Audience.INTERNAL:
        return "internal peers"
    kinds = [f"{role}s" for kind, role in ROLES.items() if audience & kind]
    if not kinds:
        return "peers with extended messages" if audience else "nobody"
    kinds = ["external peers" if each == "externals" else each for each in kinds]
    return " and ".join([", ".join(kinds[:-1]), kinds[-1]] if len(kinds) > 1 else kinds)


def _source(speaker: Speaker, source: Source) -> View:
    peer = speaker.peers.get(source)
    return {
        "address": None if source.local else str(source.address),
        "router_id": str(IPv4Address(source.router_id)),
        "host_name": "" if peer is None else peer.negotiated.remote.capabilities.host_name,
        "local": source.local,
        "role": "" if source.local else ROLES[source.kind],
    }
