"""What a reflector knows, as plain dictionaries ready for JSON. The API and whoever shows it.

Routes are in `route_views`. Names are snake_case with units in them and, once released, stay. Lists that
can be long are iterators, so that whoever sends them can take pauses; routes may come and go in a pause.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from reflector import __version__
from reflector.bgp.open import Capabilities, Negotiated, Open
from reflector.bgp.vocabulary import BGP_PORT, Family, State
from reflector.observe.orders import state
from reflector.observe.reflector import PeerConnection, Reflector
from reflector.rib.audience import Audience
from reflector.rib.source import IPAddress, Source
from reflector.speaker import Peer, Speaker

View = dict[str, object]

# What a peer is to us, in the words of the RFCs.
ROLES: Final[dict[int, str]] = {
    Audience.CLIENT: "client",
    Audience.NON_CLIENT: "non-client",
    Audience.EXTERNAL: "external",
    Audience.SERVED: "route server client",
}


# Summary.


def summary(reflector: Reflector, up_s: float) -> View:
    """Who the reflector is and how much it holds.

    Args:
        reflector: Which.
        up_s: How long it has been running.
    """
    speaker = reflector.speaker
    identity = speaker.identity
    return {
        "version": __version__,
        "asn": identity.asn,
        "router_id": str(identity.router_id),
        "cluster_id": str(identity.cluster_id),
        "up_s": round(up_s, 1),
        "connections": len(reflector.peering.connections),
        "established": len(speaker.peers),
        "restarting": len(speaker.restarting),
        **state(reflector.controls),
        "routes": {
            str(family): {
                "prefixes": len(table.routes),
                "paths": sum(map(len, table.held.values())),
            }
            for family, table in speaker.tables.items()
        },
    }


def flags(reflector: Reflector, reached: IPAddress | None = None) -> View:
    """What to tell kube-router, for each address at which peers reach us.

    Args:
        reflector: Which.
        reached: The address that whoever asks has reached: the first, unless it is the loopback.
    """
    desk = reflector.desk
    addresses = list(desk.addresses())
    if reached is not None and not reached.is_loopback:
        addresses = [reached, *(each for each in addresses if each != reached)]
    asn = reflector.speaker.identity.asn
    ports = "" if desk.port == BGP_PORT else f" --peer-router-ports={desk.port}"
    return {
        "asn": asn,
        "port": desk.port,
        "flags": [
            {
                "address": str(address),
                "flags": f"--peer-router-ips={address} --peer-router-asns={asn}{ports}",
            }
            for address in addresses
        ],
        "restart": "kubectl -n kube-system delete pod -l k8s-app=kube-router",
    }


# Neighbors.


def neighbors(
    reflector: Reflector, now_s: float, address: IPAddress | None = None
) -> Iterator[View]:
    """All connections with peers, by address.

    Args:
        reflector: Whose.
        now_s: Loop time.
        address: Of those wanted, None for all. Several nodes may share one behind NAT.
    """
    wanted = [c for c in reflector.peering.connections if address in (None, c.name.address)]
    wanted.sort(key=by_address)
    told = reflector.speaker.count_told() if wanted else {}  # a pass over the tables
    ledger = reflector.desk.ledger
    for connection in wanted:
        view = neighbor(reflector.speaker, connection, now_s, told)
        yield view | {"sessions": ledger.sessions(connection.name)}


def neighbor(
    speaker: Speaker,
    connection: PeerConnection,
    now_s: float,
    told: Mapping[Source, Mapping[Family, int]],
) -> View:
    """One connection with a peer.

    Args:
        speaker: Holds its routes.
        connection: Which.
        now_s: Loop time.
        told: How many prefixes of each family the peers are told of.
    """
    name, session = connection.name, connection.session
    view: View = {
        "address": str(name.address),
        "local_port": connection.local_port,
        "remote_port": connection.remote_port,
        "local_address": str(connection.local_address),
        "direction": "outbound" if connection.outbound else "inbound",
        "router_id": name.router_id,
        "host_name": name.host_name,
        "description": name.description,
        "state": session.state.value,
        "in_state_s": round(now_s - connection.since, 1),
        "bytes_in": connection.bytes_in,
        "bytes_out": connection.bytes_out,
        "backlog_bytes": connection.backlog_bytes,
        "messages": _messages(connection),
    }
    if session.negotiated is not None and session.state is not State.IDLE:
        view |= _negotiated(session.negotiated, session.local)
    if connection.peer is not None:
        view |= _received(speaker, connection.peer)
        sent = told.get(connection.peer.source, {})
        view["prefixes_sent"] = {str(family): count for family, count in sent.items()}
    return view


def held_prefixes(speaker: Speaker, source: Source) -> dict[Family, int]:
    """How many routes of each family a source has announced and not withdrawn."""
    return {family: table.count_held(source) for family, table in speaker.tables.items()}


def by_address(connection: PeerConnection) -> tuple[int, bytes, str]:
    """The order in which peers are listed."""
    name = connection.name
    return name.address.version, name.address.packed, name.router_id


def _negotiated(negotiated: Negotiated, local: Open) -> View:
    remote = negotiated.remote
    capabilities = remote.capabilities
    graceful = capabilities.graceful_restart
    return {
        "asn": remote.asn,
        "families": sorted(map(str, negotiated.families)),
        "hold_time_s": negotiated.hold_time_s,
        "keepalive_s": negotiated.keepalive_s,
        "four_octet_as": negotiated.as4,
        "route_refresh": negotiated.route_refresh,
        "add_path_receive": sorted(map(str, negotiated.add_path_receive)),
        "add_path_send": sorted(map(str, negotiated.add_path_send)),
        "graceful_restart_s": None if graceful is None else graceful.restart_time_s,
        "graceful_notification": negotiated.graceful_notification,
        "long_lived_s": max(map(negotiated.stale_time_s, negotiated.families)),
        "extended_messages": negotiated.extended_messages,
        "software_version": capabilities.software_version,
        "capability_codes": list(capabilities.codes),
        "capabilities_sent": _codes(local.capabilities),
    }


def _codes(capabilities: Capabilities) -> list[int]:
    """The codes of the capabilities that an OPEN of ours holds (RFC 5492)."""
    held = {
        1: capabilities.families is not None,
        2: capabilities.route_refresh,
        6: capabilities.extended_messages,
        71: capabilities.long_lived is not None,
        64: capabilities.graceful_restart is not None,
        65: capabilities.as4 is not None,
        69: bool(capabilities.add_path),
        70: capabilities.enhanced_refresh,
        73: bool(capabilities.host_name),
    }
    return [code for code, is_held in held.items() if is_held]


def _messages(connection: PeerConnection) -> View:
    """Messages by type, as far as they were counted while the session lasts."""
    session, peer = connection.session, connection.peer
    opened = session.remote is not None
    updates = 0 if peer is None else peer.counters.updates
    return {
        "received": {
            "open": int(opened),
            "notification": 0,
            "update": updates,
            # Each of these three restarts the hold timer, and only they do.
            "keepalive": max(0, session.heard - opened - updates),
            "route_refresh": session.refreshes,
        },
        "sent": {
            "open": 1,
            "notification": 0,
            "update": 0 if peer is None else sum(member.updates for member in peer.members),
            "keepalive": session.sent_keepalives,
            "route_refresh": session.sent_requests
            + (0 if peer is None else sum(member.refresh_marks for member in peer.members)),
        },
    }


def _received(speaker: Speaker, peer: Peer) -> View:
    counters = peer.counters
    held = held_prefixes(speaker, peer.source)
    return {
        "client": peer.source.kind in (Audience.CLIENT, Audience.SERVED),
        "role": ROLES[peer.source.kind],
        "updates_received": counters.updates,
        "prefixes_announced": counters.announced,
        "prefixes_withdrawn": counters.withdrawn,
        "prefixes_rejected": counters.refused,
        "prefixes_rejected_by": {} if peer.filter is None else dict(peer.filter.rejected),
        "prefixes_held": {
            str(family): count
            for family, count in held.items()
            if family in peer.negotiated.families
        },
        "end_of_rib": sorted(map(str, peer.end_of_rib)),
    }
