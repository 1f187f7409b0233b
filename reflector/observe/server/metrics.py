"""Prometheus metrics, in its text format 0.0.4: plain counters, read when somebody scrapes."""

import os
import resource
import sys
from collections.abc import Iterator
from copy import copy
from pathlib import Path
from typing import Final, get_args

from reflector import __version__
from reflector.bgp.vocabulary import State
from reflector.observe.diagnosis import KINDS, Problem
from reflector.observe.reflector import PeerConnection, Reflector
from reflector.observe.views import held_prefixes
from reflector.reports import Report
from reflector.tally import Tally

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

# Name, type, help: what docs/metrics.md is checked against.
METRICS: Final = {
    "bgp_reflector_info": ("gauge", "Who the reflector is; always 1."),
    "bgp_reflector_start_time_seconds": ("gauge", "When it started, in seconds since the epoch."),
    "bgp_reflector_connections": ("gauge", "Connections with peers, by state of the session."),
    "bgp_reflector_max_connections": ("gauge", "How many there may be."),
    "bgp_reflector_prefixes": ("gauge", "Prefixes that have a route, by family."),
    "bgp_reflector_paths": ("gauge", "Paths for them, by family."),
    "bgp_reflector_events_total": ("counter", "What happened to peers, by kind."),
    "bgp_reflector_updates_received_total": ("counter", "UPDATEs of all sessions."),
    "bgp_reflector_prefixes_announced_total": ("counter", "Prefixes announced by them."),
    "bgp_reflector_prefixes_withdrawn_total": ("counter", "Prefixes withdrawn by them."),
    "bgp_reflector_prefixes_rejected_total": ("counter", "Prefixes rejected of them."),
    "bgp_reflector_received_bytes_total": ("counter", "Octets read on them."),
    "bgp_reflector_sent_bytes_total": ("counter", "Octets sent on them."),
    "bgp_reflector_problems": ("gauge", "What is wrong now, by kind (docs/troubleshooting.md)."),
    "bgp_reflector_peer_up": ("gauge", "1 for each established session."),
    "bgp_reflector_peer_established_seconds": ("gauge", "How long the session is established."),
    "bgp_reflector_peer_sessions_total": ("counter", "Sessions that the peer has had."),
    "bgp_reflector_peer_prefixes": ("gauge", "Prefixes that the peer announces, by family."),
    "bgp_reflector_peer_updates_received_total": ("counter", "UPDATEs of this session."),
    "bgp_reflector_peer_prefixes_announced_total": ("counter", "Prefixes announced by them."),
    "bgp_reflector_peer_prefixes_withdrawn_total": ("counter", "Prefixes withdrawn by them."),
    "bgp_reflector_peer_prefixes_rejected_total": ("counter", "Prefixes rejected of them."),
    "bgp_reflector_peer_received_bytes_total": ("counter", "Octets read from the peer."),
    "bgp_reflector_peer_sent_bytes_total": ("counter", "Octets sent to the peer."),
    "bgp_reflector_peer_backlog_bytes": ("gauge", "Octets that wait for the peer to read."),
    "process_cpu_seconds_total": ("counter", "Processor time, user and system."),
    "process_resident_memory_bytes": ("gauge", "Memory in use."),
    "process_open_fds": ("gauge", "Open file descriptors."),
    "process_max_fds": ("gauge", "How many there may be."),
}

_EVENTS: Final = sorted(report.__name__ for report in get_args(Report))
_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")


def lines(
    reflector: Reflector, problems: list[Problem], now_s: float, started_s: float
) -> Iterator[str]:
    """The metrics, line by line; whoever iterates may take pauses.

    Args:
        reflector: Whose.
        problems: What is wrong now.
        now_s: Loop time.
        started_s: When it started, in seconds since the epoch.
    """
    identity = reflector.speaker.identity
    labels = _labels(version=__version__, asn=str(identity.asn), router_id=str(identity.router_id))
    yield from _family("bgp_reflector_info", [(labels, 1)])
    yield from _family("bgp_reflector_start_time_seconds", [("", round(started_s, 3))])
    connections = list(reflector.peering.connections)
    states = dict.fromkeys(State, 0)
    for connection in connections:
        states[connection.session.state] += 1
    yield from _family(
        "bgp_reflector_connections",
        [(_labels(state=state.value), count) for state, count in states.items()],
    )
    yield from _family("bgp_reflector_max_connections", [("", reflector.peering.max_connections)])
    tables = reflector.speaker.tables.items()
    yield from _family(
        "bgp_reflector_prefixes",
        [(_labels(family=str(family)), len(table.routes)) for family, table in tables],
    )
    yield from _family(
        "bgp_reflector_paths",
        [
            (_labels(family=str(family)), sum(map(len, table.held.values())))
            for family, table in tables
        ],
    )
    # Each kind from the start: of a series that begins above zero, Prometheus misses that much.
    counts = dict.fromkeys(_EVENTS, 0) | reflector.desk.ledger.counts
    yield from _family(
        "bgp_reflector_events_total",
        [(_labels(event=event), count) for event, count in counts.items()],
    )
    yield from _totals(reflector.peering.ended, connections)
    kinds = dict.fromkeys(KINDS, 0)
    for problem in problems:
        kinds[problem.kind] += 1
    yield from _family(
        "bgp_reflector_problems",
        [(_labels(kind=kind, severity=KINDS[kind].severity), n) for kind, n in kinds.items()],
    )
    yield from _peers(reflector, connections, now_s)
    yield from _process()


def _totals(ended: Tally, connections: list[PeerConnection]) -> Iterator[str]:
    total = copy(ended)
    for connection in connections:
        if connection.peer is not None:
            total.add(connection.peer, bytes_in=connection.bytes_in, bytes_out=connection.bytes_out)
    for key, value in (
        ("updates_received", total.updates),
        ("prefixes_announced", total.announced),
        ("prefixes_withdrawn", total.withdrawn),
        ("prefixes_rejected", total.rejected),
        ("received_bytes", total.bytes_in),
        ("sent_bytes", total.bytes_out),
    ):
        yield from _family(f"bgp_reflector_{key}_total", [("", value)])


def _peers(reflector: Reflector, connections: list[PeerConnection], now_s: float) -> Iterator[str]:
    samples: dict[str, list[tuple[str, float]]] = {
        name: [] for name in METRICS if name.startswith("bgp_reflector_peer_")
    }
    named: set[str] = set()
    for connection in connections:
        peer, name = connection.peer, connection.name
        if peer is None:
            continue
        who = _escaped(address=str(name.address), router_id=name.router_id, name=name.host_name)
        if who in named:
            continue  # a series must occur once
        named.add(who)
        counters = peer.counters
        record = reflector.desk.ledger.records.get((str(name.address), name.router_id))
        for key, value in (
            ("up", 1),
            ("established_seconds", round(now_s - connection.since, 1)),
            ("sessions_total", 1 if record is None else record.sessions),
            ("updates_received_total", counters.updates),
            ("prefixes_announced_total", counters.announced),
            ("prefixes_withdrawn_total", counters.withdrawn),
            ("prefixes_rejected_total", counters.refused),
            ("received_bytes_total", connection.bytes_in),
            ("sent_bytes_total", connection.bytes_out),
            ("backlog_bytes", connection.backlog_bytes),
        ):
            samples[f"bgp_reflector_peer_{key}"].append((f"{{{who}}}", value))
        for family, held in held_prefixes(reflector.speaker, peer.source).items():
            if family in peer.negotiated.families:
                label = f'{{{who},family="{family}"}}'
                samples["bgp_reflector_peer_prefixes"].append((label, held))
    for metric, values in samples.items():
        yield from _family(metric, values)


def _process() -> Iterator[str]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield from _family(
        "process_cpu_seconds_total", [("", round(usage.ru_utime + usage.ru_stime, 3))]
    )
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = sys.maxsize if soft == resource.RLIM_INFINITY else soft
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names alone, and many
    except OSError:
        return  # no Linux
    yield from _family("process_resident_memory_bytes", [("", pages * _PAGE_BYTES)])
    yield from _family("process_open_fds", [("", descriptors)])
    yield from _family("process_max_fds", [("", most)])


def _family(name: str, samples: list[tuple[str, float]]) -> Iterator[str]:
    if not samples:
        return
    kind, words = METRICS[name]
    yield f"# HELP {name} {words}\n# TYPE {name} {kind}\n"
    for labels, value in samples:
        yield f"{name}{labels} {value}\n"


def _labels(**labels: str) -> str:
    return f"{{{_escaped(**labels)}}}"


def _escaped(**labels: str) -> str:
    return ",".join(f'{name}="{_escape(value)}"' for name, value in labels.items())


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
