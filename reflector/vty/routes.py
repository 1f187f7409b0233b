"""`show bgp ipv4 unicast` and its kin: tables of routes, as FRR prints them."""

import json
from collections.abc import Iterable, Sequence
from ipaddress import ip_network
from typing import Any, Final

from reflector.vty.facts import (
    View,
    is_internal,
    metric,
    next_hop,
    next_hop_json,
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
    total = about["routes"][family]["paths"]
    lines = [_head(about)]
    for route in routes:
        network = route["prefix"]
        for index, path in enumerate(route["paths"]):
            valid = "S" if "stale" in path else "*"
            best = ">" if index == 0 and route.get("best", True) else " "
            status = f"{valid}{best}{'i' if is_internal(path) else ''}"
            lines += _row(status, network, path, family)
            network = ""
    return "\n".join([*lines, "", f"Displayed  {len(routes)} routes and {total} total paths"])


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
    shown_metric = _told_metric(path) if told else metric(path)
    shows = (told and "local_pref" in path) or is_internal(path)
    local_pref = path["local_pref"] if shows else ""
    as_path = path["as_path"] + " " if path["as_path"] else ""
    rest = f"{'' if shown_metric is None else shown_metric:>10}{local_pref:>7}{own_weight(path):>7} {as_path}{origin_code(path)}"
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
    if "stale" in path:
        shown["stale"] = True
    if best and route.get("best", True):
        shown |= {"bestpath": True, "selectionReason": reason(route)}
    shown |= {
        "pathFrom": "internal" if is_internal(path) else "external",
        "prefix": address,
        "prefixLen": int(bits),
        "network": route["prefix"],
        "version": 0,
    }
    if metric(path) is not None:
        shown["metric"] = metric(path)
    if is_internal(path):
        shown["locPrf"] = path["local_pref"]
    return shown | {
        "weight": own_weight(path),
        "peerId": peer_id(path),
        "path": path["as_path"],
        "origin": path["origin"],
        "nexthops": [next_hop_json(path, family)],
    }


def _told(prefix: str, path: View, family: str) -> View:
    address, _, bits = prefix.partition("/")
    shown_metric = _told_metric(path)
    return {
        "addrPrefix": address,
        "prefixLen": int(bits),
        "network": prefix,
        "nextHop": next_hop(path, family),
        **({} if shown_metric is None else {"metric": shown_metric}),
        **({"locPrf": path["local_pref"]} if "local_pref" in path else {}),
        "weight": own_weight(path),
        "path": path["as_path"],
        "bgpOriginCode": origin_code(path),
        "appliedStatusSymbols": {"*": True, ">": True},
    }


def _told_metric(path: View) -> int | None:
    """The metric that FRR shows of what was told: 0 where it reflects a path without one."""
    reflects = is_internal(path) and "local_pref" in path
    return 0 if metric(path) is None and reflects else metric(path)
