"""The API's paths: what may be asked and ordered, and what is answered. Its description is made of these."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from reflector.observe.server import shapes
from reflector.observe.server.schema import (
    Schema,
    address,
    by_name,
    integer,
    number,
    one,
    several,
    shape,
    text,
    truth,
)


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a question.

    Args:
        name: As it is written.
        schema: What it may be, and what it asks for.
        place: "query", or "path" for a part of the path, without which there is no answer.
        example: Of a parameter without which there is no answer.
    """

    name: str
    schema: Schema
    place: str = "query"
    example: str = ""

    @property
    def required(self) -> bool:
        """Whether there is no answer without it."""
        return self.place == "path" or bool(self.example)


@dataclass(frozen=True, slots=True)
class Question:
    """A path of the API that answers.

    Args:
        says: What it answers.
        answer: The shape of that, where it is JSON.
        parameters: What may be asked.
        kind: Media type of the answer.
    """

    says: str
    answer: Schema | None = None
    parameters: tuple[Parameter, ...] = ()
    kind: str = "application/json"


@dataclass(frozen=True, slots=True)
class Order:
    """A path of the API that does something.

    Args:
        says: What it does.
        body: What it is told.
        parameters: What the path names.
    """

    says: str
    body: Schema
    parameters: tuple[Parameter, ...] = ()


PEER: Final = (Parameter("address", address("of the peer"), "path"),)

_HEALTH: Final = shape(
    {
        "status": text(one_of=("ok",)),
        "established": integer("sessions that are up"),
        "prefixes": integer("prefixes that have a route"),
    }
)
_CONTROLS: Final[dict[str, Schema]] = {
    "disconnected": several(text(), "clusters that are disconnected from the others"),
    "own_routes_hidden": truth("whether the reflector's own routes are hidden"),
}
DONE: Final = shape({"done": text("what was done, in words"), **_CONTROLS})


def _list(key: str, items: Schema, **beside: Schema) -> Schema:
    return shape({**beside, key: several(items)})


QUESTIONS: Final[Mapping[str, Question]] = {
    "/healthz": Question("Whether the reflector answers", _HEALTH),
    "/readyz": Question("Whether peers are served", _HEALTH),
    "/metrics": Question("Metrics in Prometheus's text format", kind="text/plain"),
    "/api/v1/summary": Question(
        "Who the reflector is, and totals",
        shape(
            {
                "version": text("of the program"),
                "asn": integer("our AS number"),
                "router_id": text("our BGP identifier"),
                "cluster_id": text("what we prepend to CLUSTER_LIST"),
                "up_s": number("for how long it is running, in seconds"),
                "connections": integer("with peers"),
                "established": integer("sessions that are up"),
                "restarting": integer("peers whose routes are kept while they restart"),
                **_CONTROLS,
                "routes": by_name(
                    shape({"prefixes": integer(), "paths": integer()}), "how many, by family"
                ),
            }
        ),
    ),
    "/api/v1/flags": Question(
        "What to tell kube-router, the address first that you have reached",
        shape(
            {
                "asn": integer("our AS number"),
                "port": integer("where peers reach us"),
                "flags": several(
                    shape({"address": text("ours"), "flags": text("that name it")}),
                    "for each address",
                ),
                "restart": text("the command that restarts kube-router"),
            }
        ),
    ),
    "/api/v1/neighbors": Question("Connections with peers", _list("neighbors", one("Neighbor"))),
    "/api/v1/neighbors/{address}": Question(
        "Connections with one address", _list("neighbors", one("Neighbor")), PEER
    ),
    "/api/v1/neighbors/{address}/advertised": Question(
        "What the peers at one address are told", _list("routes", shapes.ADVERTISED), PEER
    ),
    "/api/v1/neighbors/{address}/received": Question(
        "What the peers at one address have announced, as far as it may be used",
        _list("routes", shapes.RECEIVED),
        PEER,
    ),
    "/api/v1/neighbors/{address}/messages": Question(
        "What was said on connections with one address, decoded message by message; those that are "
        "over come first. UPDATEs to the peer are kept for 10 minutes after this question",
        _list("connections", one("Conversation")),
        PEER,
    ),
    "/api/v1/neighbors/{address}/messages.pcap": Question(
        "The same as a capture for Wireshark",
        parameters=PEER,
        kind="application/vnd.tcpdump.pcap",
    ),
    "/api/v1/neighbors/{address}/messages.mrt": Question(
        "The same in MRT (RFC 6396)", parameters=PEER, kind="application/octet-stream"
    ),
    "/api/v1/config": Question(
        "The configuration in force, keyed as its file, without secrets",
        shape({}, says="docs/configuration.md", more=True),
    ),
    "/api/v1/clusters": Question(
        "Nodes, grouped by the network of their pod CIDRs, and who has left",
        _list(
            "clusters",
            shape(
                {
                    "network": text("of the cluster; null for nodes without a pod CIDR", null=True),
                    "nodes": several(one("Node")),
                }
            ),
            bits=integer("length of a cluster's network", least=1, most=32),
        ),
        (
            Parameter(
                "bits",
                integer("length of a cluster's network, 16 if not given", least=1, most=32),
            ),
        ),
    ),
    "/api/v1/problems": Question(
        "What is wrong now (docs/troubleshooting.md)", _list("problems", one("Problem"))
    ),
    "/api/v1/routes": Question(
        "Routes: all, one, or what a search finds",
        shape(
            {"routes": several(one("Route"))},
            {
                "total": integer("how many a search finds"),
                "offset": integer("of the first of these that is returned"),
            },
        ),
        (
            Parameter(
                "prefix", text("exactly this prefix, or the route that an address would take")
            ),
            Parameter(
                "match",
                text("with prefix: it alone, or it and all within it", one_of=("exact", "longer")),
            ),
            Parameter("search", text("text in prefix, name, address or next hop; empty for all")),
            Parameter("offset", integer("of the first route that a search returns", most=2**31)),
            Parameter("limit", integer("how many routes a search returns", most=500)),
        ),
    ),
    "/api/v1/explain": Question(
        "Why a route is as it is, to whom it went, and why not to the others; or why there is none",
        shapes.EXPLANATION,
        (
            Parameter(
                "prefix", text("a prefix, or an address for its route"), example="10.244.0.0/24"
            ),
            Parameter("to", address("of the one peer that is of interest")),
        ),
    ),
    "/api/v1/table.mrt": Question(
        "The whole table in MRT (RFC 6396, TABLE_DUMP_V2)", kind="application/octet-stream"
    ),
    "/api/v1/history": Question(
        "What has happened lately",
        _list("events", one("Event"), newest=integer("the number of the last event")),
        (
            Parameter("limit", integer("how many, of as many as are kept", least=1, most=500)),
            Parameter("after", integer("the first behind this number, not the last", most=10**11)),
        ),
    ),
    "/api/v1/events": Question(
        "Server-sent events: `snapshot` with summary, peers, problems and events, then `delta` with "
        "what of these has changed; a peer that is null is gone. Send Last-Event-ID to go on where "
        "a connection broke off. With delta=fields a `delta` has of peers that were there before what "
        "differs, in `fields`, and in `routes_out_by` what to add to routes_out of all whose own it "
        "doesn't give. With format=exabgp: one JSON object a line, as ExaBGP tells its "
        "processes of sessions and UPDATEs, what there is first",
        parameters=(
            Parameter("delta", text("if not whole peers", one_of=("fields",))),
            Parameter("format", text("if not server-sent events", one_of=("exabgp",))),
        ),
        kind="text/event-stream",
    ),
    "/api/v1/controls": Question(
        "What the presenter has done to the class, and whether you may",
        shape({"allowed": truth("whether orders are taken from you"), **_CONTROLS}),
    ),
    "/api/v1/openapi.json": Question("This document", shape({}, more=True)),
}

_CLUSTER: Final = text("its network, such as 10.1.0.0/16")

ORDERS: Final[Mapping[str, Order]] = {
    "/api/v1/clusters/disconnect": Order(
        "Keep a cluster apart: what leads to it or out of it is withdrawn, sessions stay up",
        shape({"cluster": _CLUSTER}),
    ),
    "/api/v1/clusters/connect": Order("End that", shape({"cluster": _CLUSTER})),
    "/api/v1/neighbors/{address}/clear": Order(
        "End the sessions with an address (Cease/Administrative Reset); they come back",
        shape({}),
        PEER,
    ),
    "/api/v1/neighbors/{address}/refresh": Order(
        "Ask a peer for its routes again (RFC 2918), send it ours again, or both",
        shape({}, {"direction": text("both if not given", one_of=("in", "out", "both"))}),
        PEER,
    ),
    "/api/v1/own-routes": Order(
        "Hide the reflector's own routes, 1.0.0.2/32 unless configured otherwise, or show them",
        shape({"hidden": truth("whether they are to be")}),
    ),
}
