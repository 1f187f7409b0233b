"""`show bgp ... PREFIX`: one route with all that is known of its paths, as FRR prints it."""

from collections.abc import Sequence
from typing import Final

from reflector.vty.attributes import (
    community_lists,
    community_words,
    extended_words,
    length,
    scope,
    segments,
)
from reflector.vty.facts import (
    View,
    is_internal,
    is_local,
    metric,
    next_hop,
    next_hop_json,
    own_weight,
    reason,
)

# How FRR calls those whom it serves, by our name of their role.
_CLIENTS: Final = {
    "client": ("rxedFromRrClient", "(Received from a RR-client)"),
    "route server client": ("rxedFromRsClient", "(Received from a RS-client)"),
}


def route_json(about: View, route: View, told: Sequence[View]) -> View:
    """One prefix with all its paths.

    Args:
        about: /api/v1/summary.
        route: As /api/v1/routes?prefix= has it.
        told: Peers that were told of it, as /api/v1/explain has them.
    """
    shown: View = {"prefix": route["prefix"], "version": 0}
    if told:
        shown["advertisedTo"] = {
            each["address"]: {"hostname": each["host_name"]} if each["host_name"] else {}
            for each in told
        }
    paths = route["paths"]
    return shown | {
        "paths": [_path(about, route, path, best=index == 0) for index, path in enumerate(paths)],
    }


def route_text(route: View, told: Sequence[View]) -> str:
    """The same for people."""
    paths = route["paths"]
    limits = scope(paths[0])
    lines = [
        f"BGP routing table entry for {route['prefix']}",
        f"Paths: ({len(paths)} available, best #1, table default{', ' * bool(limits)}{limits})",
    ]
    if told:
        addresses = " ".join(each["address"] for each in told)
        lines += ["  Advertised to non peer-group peers:", f"  {addresses}"]
    else:
        lines.append("  Not advertised to any peer")
    for index, path in enumerate(paths):
        lines += _lines(route, path, best=index == 0)
    return "\n".join(lines)


# For scripts.


def _path(about: View, route: View, path: View, *, best: bool) -> View:
    source = path["from"]
    as_path = path["as_path"]
    shown: View = {
        "aspath": {
            "string": as_path or "Local",
            "segments": segments(as_path),
            "length": length(as_path),
        }
    }
    if "stale" in path:
        shown["stale"] = True
    if source["role"] in _CLIENTS:
        shown[_CLIENTS[source["role"]][0]] = True
    if "path_id" in path:
        shown["addpathRxId"] = path["path_id"]
    shown["origin"] = path["origin"]
    if metric(path) is not None:
        shown["metric"] = metric(path)
    shown |= _standing(path) | {"valid": True, "version": 0}
    if best:
        shown["bestpath"] = {"overall": True, "selectionReason": reason(route)}
    shown |= community_lists(path)
    if "originator_id" in path:
        shown["originatorId"] = path["originator_id"]
    hop = next_hop_json(path, route["family"]) | {"metric": 0, "accessible": True}
    peer: View = {
        "peerId": source["address"] or next_hop(path, route["family"]),
        "routerId": about["router_id"] if is_local(path) else source["router_id"],
    }
    if source["host_name"]:
        peer |= {"hostname": source["host_name"]}
    if not is_local(path):
        peer["type"] = "internal" if is_internal(path) else "external"
    return shown | {"nexthops": [hop], "peer": peer}


def _standing(path: View) -> View:
    """What makes a path preferred by where it is from."""
    if is_local(path):
        return {"weight": own_weight(path), "sourced": True, "local": True}
    return {"locPrf": path["local_pref"]} if is_internal(path) else {}


# For people.


def _lines(route: View, path: View, *, best: bool) -> list[str]:
    source = path["from"]
    hop = next_hop(path, route["family"])
    marks = [path["as_path"] or "Local"]
    if "stale" in path:
        marks.append("(stale)")
    if source["role"] in _CLIENTS:
        marks.append(_CLIENTS[source["role"]][1])
    # An originator's identifier stands for the peer's, as in the decision (RFC 4456 9).
    router_id = path.get("originator_id", source["router_id"])
    lines = [
        f"  {', '.join(marks)}",
        f"    {hop} from {source['address'] or hop} ({router_id})",
        "      " + ", ".join(_facts(route, path, best=best)),
    ]
    if "communities" in path:
        lines.append(f"      Community: {community_words(path)}")
    if "extended_communities" in path:
        lines.append(f"      Extended Community: {extended_words(path)}")
    if "large_communities" in path:
        lines.append(f"      Large Community: {' '.join(path['large_communities'])}")
    if "originator_id" in path:
        clusters = " ".join(path.get("cluster_list", ()))
        lines.append(f"      Originator: {path['originator_id']}, Cluster list: {clusters}")
    if "path_id" in path:
        lines.append(f"      AddPath ID: RX {path['path_id']}")
    return lines


def _facts(route: View, path: View, *, best: bool) -> list[str]:
    facts = [f"Origin {path['origin']}"]
    if metric(path) is not None:
        facts.append(f"metric {metric(path)}")
    if is_local(path):
        facts += [f"weight {own_weight(path)}", "valid", "sourced", "local"]
    elif is_internal(path):
        facts += [f"localpref {path['local_pref']}", "valid", "internal"]
    else:
        facts += ["valid", "external"]
    if best:
        facts.append(f"best ({reason(route)})")
    return facts
