"""What the API's answers hold, key by key: the components of its description."""

from typing import Final

from reflector.bgp.describe import ORIGINS
from reflector.bgp.vocabulary import FAMILY_BY_NAME, State
from reflector.bgp.words import KINDS as MESSAGES
from reflector.observe.problem import KINDS as PROBLEMS
from reflector.observe.server.schema import (
    Schema,
    by_name,
    integer,
    number,
    one,
    or_null,
    several,
    shape,
    text,
    truth,
)
from reflector.observe.views import ROLES

_ROLES: Final = tuple(ROLES.values())
_STATES: Final = tuple(state.value for state in State)
_DIRECTIONS: Final = ("inbound", "outbound")
_AT: Final = "seconds since the epoch"

_ASN: Final = integer("AS number, from its OPEN")
_FAMILY: Final = text("of the prefix", one_of=tuple(FAMILY_BY_NAME))
_FAMILIES: Final = text(one_of=tuple(FAMILY_BY_NAME))
_ROUTER_ID: Final = text("BGP identifier from its OPEN, empty before that came")
_HOST_NAME: Final = text("what it calls itself (FQDN capability), empty if it doesn't")

# What a peer is called wherever one is named.
_NAMED: Final[dict[str, Schema]] = {
    "address": text("where the peer is"),
    "router_id": _ROUTER_ID,
    "host_name": _HOST_NAME,
}
_PREFIX: Final[dict[str, Schema]] = {"prefix": text("such as 10.244.0.0/24"), "family": _FAMILY}

_COUNTS: Final = shape(
    {kind: integer() for kind in ("open", "notification", "update", "keepalive", "route_refresh")},
    says="messages of each type",
)

NEIGHBOR: Final = shape(
    {
        **_NAMED,
        "local_port": integer("ours"),
        "remote_port": integer("the peer's"),
        "local_address": text("ours"),
        "direction": text("inbound where the peer dialled", one_of=_DIRECTIONS),
        "description": text("from the configuration"),
        "state": text("of its session (RFC 4271 8.2.2)", one_of=_STATES),
        "in_state_s": number("for how long, in seconds"),
        "bytes_in": integer("read from the connection"),
        "bytes_out": integer("written to it"),
        "backlog_bytes": integer("that wait until the peer reads"),
        "messages": shape({"received": _COUNTS, "sent": _COUNTS}),
        "sessions": integer("how many it has had"),
    },
    {
        "asn": _ASN,
        "families": several(_FAMILIES, "whose routes are exchanged"),
        "hold_time_s": integer("the smaller of both sides', in seconds"),
        "keepalive_s": number("between our KEEPALIVEs, in seconds"),
        "four_octet_as": truth("RFC 6793"),
        "route_refresh": truth("RFC 2918"),
        "add_path_receive": several(_FAMILIES, "of which it may send several paths (RFC 7911)"),
        "add_path_send": several(_FAMILIES, "of which it is sent several paths"),
        "graceful_restart_s": integer("its restart time (RFC 4724)", null=True),
        "graceful_notification": truth("RFC 8538"),
        "long_lived_s": integer("how long its stale routes are kept beyond that (RFC 9494)"),
        "extended_messages": truth("RFC 8654"),
        "software_version": text("what runs there, where it says so"),
        "capability_codes": several(integer(), "of its OPEN"),
        "capabilities_sent": several(integer(), "of ours"),
        "client": truth("whether routes are reflected to it (RFC 4456), or served (RFC 7947)"),
        "role": text("what it is to us", one_of=_ROLES),
        "updates_received": integer("since the session is up"),
        "prefixes_announced": integer("in these"),
        "prefixes_withdrawn": integer("in these"),
        "prefixes_rejected": integer("in these"),
        "prefixes_rejected_by": by_name(integer(), "how many, by the rule that rejects them"),
        "prefixes_held": by_name(integer(), "announced and not withdrawn, by family"),
        "end_of_rib": several(_FAMILIES, "of which it has sent End-of-RIB"),
        "prefixes_sent": by_name(integer(), "that it is told of, by family"),
    },
    "A connection with a peer. What comes with the OPEN is missing before it.",
)

PATH: Final = shape(
    {
        "from": shape(
            {
                "address": text("of the peer; null for a route of our own", null=True),
                "router_id": _ROUTER_ID,
                "host_name": _HOST_NAME,
                "local": truth("whether it is a route of our own"),
                "role": text("what the peer is to us", one_of=("", *_ROLES)),
            }
        ),
        "next_hop": text("null for a route of our own; IPv6 may have two", null=True),
        "told_to": text("whom, in words"),
        "origin": text(one_of=ORIGINS),
        "as_path": text("empty inside our AS; an AS_SET in braces"),
    },
    {
        "local_pref": integer("missing where an external peer is told"),
        "med": integer("MULTI_EXIT_DISC"),
        "atomic_aggregate": truth("ATOMIC_AGGREGATE"),
        "aggregator": shape({"asn": integer(), "address": text()}),
        "communities": several(text(), "such as 64512:1, well-known ones by name"),
        "extended_communities": several(text(), "such as rt:64512:1"),
        "large_communities": several(text(), "such as 64512:1:2 (RFC 8092)"),
        "originator_id": text("RFC 4456 8"),
        "cluster_list": several(text(), "RFC 4456 8"),
        "unknown_attributes": several(
            shape({"code": integer(), "flags": several(text()), "value_hex": text()})
        ),
        "path_id": integer("its identifier (RFC 7911 3)"),
        "stale": truth("kept while its peer restarts (RFC 4724)"),
        "lost_by": text("the step that was against it; null for the best", null=True),
    },
    "A path of a route; of the optional attributes those that it has.",
)

_PATHS: Final = several(one("Path"))

ROUTE: Final = shape(
    {
        **_PREFIX,
        "best_because": text("the step of the decision process that chose the first path"),
        "paths": several(one("Path"), "the best first"),
    },
)
RECEIVED: Final = shape(
    {**_PREFIX, "best": truth("whether it is the one that others are told of"), "paths": _PATHS}
)
ADVERTISED: Final = shape({**_PREFIX, "paths": _PATHS})

NODE: Final = shape(
    {
        "name": text("what it calls itself, or is called in the configuration"),
        "address": text("where it is"),
        "router_id": _ROUTER_ID,
        "state": text("of its session; Left when it is gone", one_of=(*_STATES, "Left")),
        "since": number(_AT, null=True),
    },
    {
        "direction": text("inbound where it dialled", one_of=_DIRECTIONS),
        "asn": _ASN,
        "software": text("what runs there, where it says so"),
        "families": several(_FAMILIES),
        "routes_in": integer("that it has announced"),
        "routes_out": integer("that it is told of"),
        "rejected": integer("of its routes"),
        "cidrs": several(text(), "its pod CIDRs; of one that left, the last"),
        "reason": text("why it left"),
        "sessions": integer("how many it had, of one that left"),
    },
)

PROBLEM: Final = shape(
    {
        "kind": text("of problem", one_of=tuple(PROBLEMS)),
        "severity": text(one_of=("error", "warning")),
        "title": text("in a few words"),
        "what": text("is seen, in a sentence"),
        "fix": text("what mends it"),
        "peers": several(text(), "addresses of the nodes concerned"),
        "subject": text("what tells it from others of its kind with these nodes; often empty"),
        "since": number(f"{_AT}, null where not known", null=True),
    }
)

EVENT: Final = shape(
    {
        "number": integer("counted from the reflector's start"),
        "at": number(_AT),
        "level": text(one_of=("info", "warning", "error")),
        "event": text("its kind"),
        "message": text("the same for people"),
    },
    {"peer": text("address of the peer"), "router_id": _ROUTER_ID, "host_name": _HOST_NAME},
    "Something that happened, with what its kind has beside this.",
    more=True,
)

MESSAGE: Final = shape(
    {
        "at": number(_AT),
        "direction": text(one_of=("received", "sent")),
        "type": text(one_of=tuple(MESSAGES.values())),
        "octets": integer("its length, header included"),
        "says": text("in words"),
        "details": shape({}, says="each field", more=True),
    },
    {
        "missing_before": integer("octets before it that are not kept"),
        "times": integer("of how many KEEPALIVEs in a row it is the first"),
        "last_at": number("when the last of these came"),
        "malformed": text("why it can't be read"),
    },
)

CONVERSATION: Final = shape(
    {
        **_NAMED,
        "remote_port": integer("the peer's"),
        "local_address": text("ours"),
        "local_port": integer("ours"),
        "direction": text("inbound where the peer dialled", one_of=_DIRECTIONS),
        "description": text("from the configuration"),
        "state": text(
            "of the session; Closed when the connection is over", one_of=(*_STATES, "Closed")
        ),
        "ended_at": number(f"{_AT}, null while the connection lives", null=True),
        "reason": text("why the session ended, empty while it lasts"),
        "messages": several(one("Message"), "in order"),
    },
)

FATE: Final = shape(
    {
        **_NAMED,
        "told": truth("whether it has the route"),
        "reason": text("why, or why not (docs/api.md)"),
        "why": text("the same in words"),
    }
)
EXPLANATION: Final = shape(
    {
        "asked": text("the prefix or address that was asked for"),
        "route": or_null(one("Route"), "each path with lost_by; null if there is none"),
        "refused": several(
            shape({**_NAMED, "why": text("in words")}),
            "the peers that announced it in vain, and why: while there is none, or while theirs is "
            "held back",
        ),
        "peers": several(one("Fate"), "all that are connected"),
        "shorter": or_null(
            one("Route"), "that with the longest prefix that holds this one; null if there is none"
        ),
        "within": shape(
            {"count": integer(), "prefixes": several(text(), "the first of them")},
            says="longer prefixes that have routes",
        ),
    }
)

COMPONENTS: Final[dict[str, Schema]] = {
    "Neighbor": NEIGHBOR,
    "Path": PATH,
    "Route": ROUTE,
    "Node": NODE,
    "Problem": PROBLEM,
    "Event": EVENT,
    "Message": MESSAGE,
    "Conversation": CONVERSATION,
    "Fate": FATE,
    "Error": shape({"error": text("what is wrong, in words")}),
}
