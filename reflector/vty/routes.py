"""`show bgp ipv4 unicast` and its kin, as FRR prints them: tables of routes, and one route."""

import json
from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Any, Final

from reflector.vty.facts import (
    View,
    is_internal,
    is_local,
    next_hop,
    origin_code,
    own_weight,
    peer_id,
    reason,
)

_CODES: Final = """\
Default local pref 100, local AS {asn}
Status codes:  s suppressed, d damped, h history, * valid, > best, = multipath,
               i internal, r RIB-failure, S Stale, R Removed
Nexthop codes: @NNN nexthop's vrf id, < announce-nh-self
Origin codes:  i - IGP, e - EGP, ? - incomplete
RPKI validation codes: V valid, I invalid, N Not found

   Network          Next Hop            Metric LocPrf Weight Path"""
_STATUS_CODES: Final = {
    "suppressed": "s",
    "damped": "d",
    "history": "h",
    "valid": "*",
    "best": ">",
    "multipath": "=",
    "internal": "i",
    "ribFailure": "r",
    "stale": "S",
    "removed": "R",
}
_ORIGIN_CODES: Final = {"igp": "i", "egp": "e", "incomplete": "?"}

# How FRR calls those whom it serves, by our name of their role.
_CLIENTS: Final = {
    "client": ", (Received from a RR-client)",
    "route server client": ", (Received from a RS-client)",
}

# FRR's columns; what is wider takes a line of its own.
_NETWORK_WIDTH: Final = 17
_NEXT_HOP_WIDTH: Final = 16
_INDENT: Final = 20


def ordered(routes: Iterable[View]) -> list[View]:
    """Routes by prefix, as FRR's tables are."""
    return sorted(routes, key=lambda route: ip_network(route["prefix"]))


# Tables.


def table_json(about: View, routes: Sequence[View], family: str) -> View:
    """A table of routes with all their paths.

    Args:
        about: /api/v1/summary.
        routes: As /api/v1/routes has them.
        family: "ipv4" or "ipv6".
    """
    return {
        "vrfId": 0,
        "vrfName": "default",
        "tableVersion": 0,
        "routerId": about["router_id"],
        "defaultLocPrf": 100,
        "localAS": about["asn"],
        "routes": {
            route["prefix"]: [
                _table_path(route, path, family, best=index == 0)
                for index, path in enumerate(route["paths"])
            ]
            for route in routes
        },
    }


def table_text(about: View, routes: Sequence[View], family: str) -> str:
    """The same for people."""
    if not routes:
        return "No BGP prefixes displayed, 0 exist"
    lines = [_head(about)]
    for route in routes:
        network = route["prefix"]
        for index, path in enumerate(route["paths"]):
            valid = "S" if "stale" in path else "*"
            status = f"{valid}{'>' if index == 0 else ' '}{'i' if is_internal(path) else ''}"
            lines += _row(status, network, path, family)
            network = ""
    paths = sum(len(route["paths"]) for route in routes)
    return "\n".join([*lines, "", f"Displayed  {len(routes)} routes and {paths} total paths"])


def of_neighbor(routes: Iterable[View], address: str) -> list[View]:
    """What of a table came from one neighbor: the routes, with that neighbor's paths alone."""
    found = []
    for route in routes:
        paths = [path for path in route["paths"] if path["from"]["address"] == address]
        if paths:
            is_best = paths[0] is route["paths"][0]
            found.append(route | {"paths": paths, "best": is_best})
    return found


# What one neighbor was told.


def advertised_json(about: View, routes: Sequence[View], family: str) -> View:
    """What a neighbor was told, the best path of each prefix.

    Args:
        about: /api/v1/summary.
        routes: Each with one path, as that neighbor was told it.
        family: "ipv4" or "ipv6".
    """
    return {
        "bgpTableVersion": 0,
        "bgpLocalRouterId": about["router_id"],
        "defaultLocPrf": 100,
        "localAS": about["asn"],
        "bgpStatusCodes": _STATUS_CODES,
        "bgpOriginCodes": _ORIGIN_CODES,
        "advertisedRoutes": {
            route["prefix"]: _told(route["prefix"], route["paths"][0], family) for route in routes
        },
        "totalPrefixCounter": len(routes),
        "filteredPrefixCounter": 0,
    }


def advertised_text(about: View, routes: Sequence[View], family: str) -> str:
    """The same for people."""
    if not routes:
        return ""
    lines = [_head(about)]
    for route in routes:
        lines += _row("*>", route["prefix"], route["paths"][0], family, told=True)
    return "\n".join([*lines, "", f"Total number of prefixes {len(routes)}"])


# One route.


def route_json(about: View, route: View) -> View:
    """One prefix with all its paths.

    Args:
        about: /api/v1/summary.
        route: As /api/v1/routes?prefix= has it.
    """
    return {
        "prefix": route["prefix"],
        "version": 0,
        "paths": [
            _detailed_path(about, route, path, best=index == 0)
            for index, path in enumerate(route["paths"])
        ],
    }


def route_text(route: View) -> str:
    """The same for people."""
    paths = route["paths"]
    lines = [
        f"BGP routing table entry for {route['prefix']}",
        f"Paths: ({len(paths)} available, best #1, table default)",
    ]
    for index, path in enumerate(paths):
        source = path["from"]
        hop = next_hop(path, route["family"])
        client = _CLIENTS.get(source["role"], "")
        lines += [
            f"  {path['as_path'] or 'Local'}{client}",
            f"    {hop} from {source['address'] or hop} ({source['router_id']})",
            "      " + ", ".join(_facts(route, path, best=index == 0)),
        ]
        if "communities" in path:
            lines.append(f"      Community: {' '.join(path['communities'])}")
        if "extended_communities" in path:
            lines.append(f"      Extended Community: {' '.join(path['extended_communities'])}")
        if "large_communities" in path:
            lines.append(f"      Large Community: {' '.join(path['large_communities'])}")
        if "originator_id" in path:
            clusters = " ".join(path.get("cluster_list", ()))
            lines.append(f"      Originator: {path['originator_id']}, Cluster list: {clusters}")
        if "path_id" in path:
            lines.append(f"      AddPath ID: RX {path['path_id']}")
    return "\n".join(lines)


def as_json(answer: Any) -> str:  # noqa: ANN401 - JSON is anything
    """An answer as it is printed."""
    return json.dumps(answer, indent=2)


# Inner workings.


def _head(about: View) -> str:
    return (
        f"BGP table version is 0, local router ID is {about['router_id']}, vrf id 0\n"
        + _CODES.format(asn=about["asn"])
    )


def _row(status: str, network: str, path: View, family: str, *, told: bool = False) -> list[str]:
    """A path in a table: one line, or more where an address is wider than its column."""
    hop = next_hop(path, family)
    metric = path.get("med", 0 if is_local(path) or told else "")
    shows = (told and "local_pref" in path) or is_internal(path)
    local_pref = path["local_pref"] if shows else ""
    as_path = path["as_path"] + " " if path["as_path"] else ""
    rest = f"{metric:>10}{local_pref:>7}{own_weight(path):>7} {as_path}{origin_code(path)}"
    lines = [f"{status:<3}{network:<{_NETWORK_WIDTH}}"]
    if len(network) >= _NETWORK_WIDTH:
        lines = [lines[0], " " * _INDENT]
    lines[-1] += f"{hop:<{_NEXT_HOP_WIDTH}}"
    if len(hop) >= _NEXT_HOP_WIDTH:
        lines.append(" " * (_INDENT + _NEXT_HOP_WIDTH))
    lines[-1] += rest
    return lines


def _table_path(route: View, path: View, family: str, *, best: bool) -> View:
    address, _, bits = route["prefix"].partition("/")
    shown: View = {"valid": True}
    if best and route.get("best", True):
        shown |= {"bestpath": True, "selectionReason": reason(route)}
    shown |= {
        "pathFrom": "internal" if is_internal(path) else "external",
        "prefix": address,
        "prefixLen": int(bits),
        "network": route["prefix"],
        "version": 0,
    }
    if is_local(path) or "med" in path:
        shown["metric"] = path.get("med", 0)
    if is_internal(path):
        shown["locPrf"] = path["local_pref"]
    return shown | {
        "weight": own_weight(path),
        "peerId": peer_id(path),
        "path": path["as_path"],
        "origin": path["origin"],
        "nexthops": [_next_hop(path, family)],
    }


def _next_hop(path: View, family: str) -> View:
    shown: View = {"ip": next_hop(path, family)}
    if path["from"]["host_name"]:
        shown["hostname"] = path["from"]["host_name"]
    shown["afi"] = family
    if family == "ipv6":
        shown["scope"] = "global"
    return shown | {"used": True}


def _told(prefix: str, path: View, family: str) -> View:
    address, _, bits = prefix.partition("/")
    return {
        "addrPrefix": address,
        "prefixLen": int(bits),
        "network": prefix,
        "nextHop": next_hop(path, family),
        "metric": path.get("med", 0),
        **({"locPrf": path["local_pref"]} if "local_pref" in path else {}),
        "weight": own_weight(path),
        "path": path["as_path"],
        "bgpOriginCode": origin_code(path),
        "appliedStatusSymbols": {"*": True, ">": True},
    }


def _detailed_path(about: View, route: View, path: View, *, best: bool) -> View:
    source = path["from"]
    segments = path["as_path"].split()
    shown: View = {
        "aspath": {
            "string": path["as_path"] or "Local",
            "segments": [{"type": "as-sequence", "list": [int(asn) for asn in segments]}]
            if segments and all(asn.isdecimal() for asn in segments)
            else [],
            "length": len(segments),
        }
    }
    if not is_local(path):
        shown["rxedFromRrClient"] = True
    if "path_id" in path:
        shown["addpathRxId"] = path["path_id"]
    shown["origin"] = path["origin"]
    if "med" in path or is_local(path):
        shown["metric"] = path.get("med", 0)
    shown |= _standing(path) | {"valid": True, "version": 0}
    if best:
        shown["bestpath"] = {"overall": True, "selectionReason": reason(route)}
    for name, key in _LISTS:
        if name in path:
            shown[key] = {"string": " ".join(path[name]), "list": path[name]}
    if "originator_id" in path:
        shown["originatorId"] = path["originator_id"]
    hop = _next_hop(path, route["family"]) | {"metric": 0, "accessible": True}
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


_LISTS: Final = (
    ("communities", "community"),
    ("extended_communities", "extendedCommunity"),
    ("large_communities", "largeCommunity"),
    ("cluster_list", "clusterList"),
)


def _facts(route: View, path: View, *, best: bool) -> list[str]:
    facts = [f"Origin {path['origin']}"]
    if "med" in path or is_local(path):
        facts.append(f"metric {path.get('med', 0)}")
    if is_local(path):
        facts += [f"weight {own_weight(path)}", "valid", "sourced", "local"]
    elif is_internal(path):
        facts += [f"localpref {path['local_pref']}", "valid", "internal"]
    else:
        facts += ["valid", "external"]
    if best:
        facts.append(f"best ({reason(route)})")
    return facts
