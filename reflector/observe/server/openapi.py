"""The API's description, as an OpenAPI 3.1 document made from one table."""

from dataclasses import dataclass, field
from typing import Final

from reflector import __version__
from reflector.observe.orders import ORDERS, Order

Schema = dict[str, object]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a question.

    Args:
        name: As it is written.
        says: What it asks for.
        place: "query", or "path" for a part of the path, without which there is no answer.
        kind: JSON Schema's type of it.
        example: Of a parameter without which there is no answer.
    """

    name: str
    says: str
    place: str = "query"
    kind: str = "string"
    example: str = ""

    @property
    def required(self) -> bool:
        """Whether there is no answer without it."""
        return self.place == "path" or bool(self.example)


@dataclass(frozen=True, slots=True)
class Question:
    """A path of the API.

    Args:
        says: What it answers.
        answer: Its keys with what they hold; for a list, those of its items below the list's key.
        items: The answer's key that holds a list of what `answer` describes; empty for none.
        parameters: What may be asked.
        kind: Media type of the answer.
    """

    says: str
    answer: dict[str, str] = field(default_factory=dict)
    items: str = ""
    parameters: tuple[Parameter, ...] = ()
    kind: str = "application/json"


_HEALTH: Final = {
    "status": "ok",
    "established": "sessions that are up",
    "prefixes": "prefixes that have a route",
}
_NEIGHBOR: Final = {
    "address": "where the peer is",
    "state": "of its session, as RFC 4271 8.2.2 names it",
    "in_state_s": "for how long, in seconds",
    "router_id": "from its OPEN",
    "host_name": "what it calls itself (FQDN capability)",
    "description": "from the configuration",
    "sessions": "how many it has had",
}
_EVENT: Final = {
    "number": "counted from the reflector's start",
    "at": "seconds since the epoch",
    "level": "info, warning or error",
    "event": "its kind",
    "message": "the same for people",
}

QUESTIONS: Final[dict[str, Question]] = {
    "/healthz": Question("Whether the reflector answers", _HEALTH),
    "/readyz": Question("Whether peers are served", _HEALTH),
    "/metrics": Question("Metrics in Prometheus's text format", kind="text/plain"),
    "/api/v1/summary": Question(
        "Who the reflector is, and totals",
        {
            "version": "of the program",
            "asn": "our AS number",
            "router_id": "our BGP identifier",
            "cluster_id": "what we prepend to CLUSTER_LIST",
            "up_s": "for how long it is running, in seconds",
            "connections": "with peers",
            "established": "sessions that are up",
            "restarting": "peers whose routes are kept while they restart",
            "disconnected": "clusters that the presenter has disconnected from the others",
            "own_routes_hidden": "whether the presenter has hidden the reflector's own routes",
            "routes": "prefixes and paths, by family",
        },
    ),
    "/api/v1/flags": Question(
        "What to tell kube-router, the address first that you have reached",
        {
            "asn": "our AS number",
            "port": "where peers reach us",
            "flags": "for each address, the flags",
            "restart": "the command that restarts kube-router",
        },
    ),
    "/api/v1/neighbors": Question("Connections with peers", _NEIGHBOR, "neighbors"),
    "/api/v1/neighbors/{address}": Question(
        "Connections with one address",
        _NEIGHBOR,
        "neighbors",
        (Parameter("address", "of the peer", "path"),),
    ),
    "/api/v1/neighbors/{address}/advertised": Question(
        "What the peers at one address are told",
        {"prefix": "of the route", "family": "ipv4 or ipv6", "paths": "the one that is told"},
        "routes",
        (Parameter("address", "of the peer", "path"),),
    ),
    "/api/v1/neighbors/{address}/received": Question(
        "What the peers at one address have announced, as far as it may be used",
        {
            "prefix": "of the route",
            "family": "ipv4 or ipv6",
            "best": "whether it is the one that others are told of",
            "paths": "the peer's",
        },
        "routes",
        (Parameter("address", "of the peer", "path"),),
    ),
    "/api/v1/neighbors/{address}/messages": Question(
        "What was said on connections with one address, decoded message by message; those that are "
        "over come first",
        {
            "address": "of the peer",
            "remote_port": "the peer's",
            "local_address": "ours",
            "local_port": "ours",
            "direction": "inbound where the peer dialled",
            "router_id": "from its OPEN",
            "host_name": "what it calls itself (FQDN capability)",
            "description": "from the configuration",
            "state": "of the session; Closed when the connection is over",
            "ended_at": "seconds since the epoch, null while the connection lives",
            "reason": "why the session ended, empty while it lasts",
            "messages": "in order: at, direction, type, octets, says (in words), details (each "
            "field); missing_before says how many octets before it are not kept, times and last_at "
            "of how many KEEPALIVEs in a row it is the first, malformed why it can't be read. "
            "UPDATEs to the peer are kept for 10 minutes after this question",
        },
        "connections",
        (Parameter("address", "of the peer", "path"),),
    ),
    "/api/v1/neighbors/{address}/messages.pcap": Question(
        "The same as a capture for Wireshark",
        parameters=(Parameter("address", "of the peer", "path"),),
        kind="application/vnd.tcpdump.pcap",
    ),
    "/api/v1/neighbors/{address}/messages.mrt": Question(
        "The same in MRT (RFC 6396)",
        parameters=(Parameter("address", "of the peer", "path"),),
        kind="application/octet-stream",
    ),
    "/api/v1/config": Question("The configuration in force, keyed as its file, without secrets"),
    "/api/v1/clusters": Question(
        "Nodes, grouped by the network of their pod CIDRs, and who has left",
        {"network": "of the cluster; null for nodes without a pod CIDR", "nodes": "in it"},
        "clusters",
        (Parameter("bits", "length of a cluster's network, 16 if not given", kind="integer"),),
    ),
    "/api/v1/problems": Question(
        "What is wrong now (docs/troubleshooting.md)",
        {
            "kind": "of problem",
            "severity": "error or warning",
            "title": "in a few words",
            "what": "is seen, in a sentence",
            "fix": "what mends it",
            "peers": "addresses of the nodes concerned",
            "since": "seconds since the epoch, null where not known",
        },
        "problems",
    ),
    "/api/v1/routes": Question(
        "Routes: all, one, or what a search finds",
        {
            "prefix": "of the route",
            "family": "ipv4 or ipv6",
            "best_because": "the step of the decision process that chose the first path",
            "paths": "the best first",
        },
        "routes",
        (
            Parameter("prefix", "exactly this prefix, or the route that an address would take"),
            Parameter("match", "with prefix: exact, or longer for it and all within it"),
            Parameter("search", "text in prefix, name, address or next hop; empty for all"),
            Parameter("offset", "of the first route that a search returns", kind="integer"),
            Parameter("limit", "how many routes a search returns, up to 500", kind="integer"),
        ),
    ),
    "/api/v1/explain": Question(
        "Why a route is as it is, to whom it went, and why not to the others; or why there is none",
        {
            "asked": "the prefix or address that was asked for",
            "route": "as /api/v1/routes has it, each path with the step that was against it "
            "(lost_by); null if there is none",
            "refused": "the peers that announced it in vain, and why: while there is none, or while theirs "
            "is held back",
            "peers": "all that are connected, each with told, reason and why",
            "shorter": "the route with the longest prefix that holds this one; null if there is none",
            "within": "how many longer prefixes have routes, and the first of them",
        },
        parameters=(
            Parameter("prefix", "a prefix, or an address for its route", example="10.244.0.0/24"),
            Parameter("to", "the address of the one peer that is of interest"),
        ),
    ),
    "/api/v1/table.mrt": Question(
        "The whole table in MRT (RFC 6396, TABLE_DUMP_V2)", kind="application/octet-stream"
    ),
    "/api/v1/history": Question(
        "What has happened lately; `newest` is the number of the last event",
        _EVENT,
        "events",
        (
            Parameter("limit", "how many events, up to 500, as many as are kept", kind="integer"),
            Parameter("after", "the first behind this number, not the last", kind="integer"),
        ),
    ),
    "/api/v1/events": Question(
        "Server-sent events: `snapshot` with summary, peers, problems and events, then `delta` with "
        "what of these has changed; a peer that is null is gone. Send Last-Event-ID to go on where "
        "a connection broke off. With format=exabgp: one JSON object a line, as ExaBGP tells its "
        "processes of sessions and UPDATEs, what there is first",
        parameters=(Parameter("format", "exabgp, or not given"),),
        kind="text/event-stream",
    ),
    "/api/v1/controls": Question(
        "What the presenter has done to the class, and whether you may",
        {
            "allowed": "whether orders are taken from you",
            "disconnected": "clusters that are disconnected from the others",
            "own_routes_hidden": "whether the reflector's own routes are hidden",
        },
    ),
    "/api/v1/openapi.json": Question("This document"),
}


def document() -> Schema:
    """The OpenAPI document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "bgp-reflector",
            "version": __version__,
            "description": "What a running reflector knows. A POST is an order of the presenter "
            "(docs/controls.md); nothing else changes anything.",
        },
        "paths": {path: {"get": _operation(question)} for path, question in QUESTIONS.items()}
        | {path: {"post": _order(order)} for path, order in ORDERS.items()},
    }


def _order(order: Order) -> Schema:
    """An order; a path has no question beside it."""
    done: Schema = {"application/json": {"schema": _object({"done": "what was done, in words"})}}
    operation: Schema = {
        "summary": order.says,
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": _object(dict(order.body))}},
        },
        "responses": {
            "200": {"description": "It is done", "content": done},
            "default": _WRONG,
        },
    }
    if order.parameters:
        operation["parameters"] = [
            _parameter(Parameter(name, "of the peer", "path")) for name in order.parameters
        ]
    return operation


def _operation(question: Question) -> Schema:
    content: Schema = {}
    if question.answer:
        content["schema"] = _schema(question)
    operation: Schema = {
        "summary": question.says,
        "responses": {
            "200": {"description": question.says, "content": {question.kind: content}},
            "default": _WRONG,
        },
    }
    if question.parameters:
        operation["parameters"] = [_parameter(each) for each in question.parameters]
    return operation


def _parameter(parameter: Parameter) -> Schema:
    return {
        "name": parameter.name,
        "in": parameter.place,
        "required": parameter.required,
        "description": parameter.says,
        "schema": {"type": parameter.kind},
    }


def _schema(question: Question) -> Schema:
    each = _object(question.answer)
    if not question.items:
        return each
    lists: Schema = {question.items: {"type": "array", "items": each}}
    return {"type": "object", "properties": lists, "required": [question.items]}


def _object(keys: dict[str, str]) -> Schema:
    return {
        "type": "object",
        "properties": {name: {"description": says} for name, says in keys.items()},
        "required": list(keys),
    }


_WRONG: Final[Schema] = {
    "description": "What is wrong with the question",
    "content": {"application/json": {"schema": _object({"error": "in words"})}},
}
