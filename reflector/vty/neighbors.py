"""`show bgp neighbors`, as FRR prints it."""

import time
from collections.abc import Iterable
from typing import Final

from reflector.vty.facts import (
    ESTABLISHED,
    FAMILIES,
    View,
    by_key,
    connections,
    last_reset,
    uptime,
)

# RFC 5492 codes of the capabilities that FRR has a line for.
_CAPABILITIES: Final = (
    # Code, FRR's key, FRR's line.
    (65, "4byteAs", "4 Byte AS"),
    (6, "extendedMessage", "Extended Message"),
    (71, "longLivedGracefulRestart", "Long-lived Graceful Restart"),
    (2, "routeRefresh", "Route refresh"),
    (70, "enhancedRouteRefresh", "Enhanced Route Refresh"),
    (64, "gracefulRestartCapability", "Graceful Restart Capability"),
)
_MESSAGES: Final = (
    # Ours, FRR's key, FRR's line.
    ("open", "opens", "Opens"),
    ("notification", "notifications", "Notifications"),
    ("update", "updates", "Updates"),
    ("keepalive", "keepalives", "Keepalives"),
    ("route_refresh", "routeRefresh", "Route Refresh"),
)


def neighbors_json(about: View, neighbors: Iterable[View]) -> View:
    """Neighbors in detail, by address.

    Args:
        about: /api/v1/summary.
        neighbors: Of /api/v1/neighbors.
    """
    return {key: _neighbor(about, each) for key, each in by_key(neighbors)}


def neighbors_text(about: View, neighbors: Iterable[View]) -> str:
    """The same for people."""
    return "\n".join(_text(key, each, _neighbor(about, each)) for key, each in by_key(neighbors))


def _neighbor(about: View, neighbor: View) -> View:
    asn = neighbor.get("asn", 0)
    since_s = neighbor["in_state_s"]
    shown: View = {"remoteAs": asn, "localAs": about["asn"]}
    if asn:
        link = "nbrInternalLink" if asn == about["asn"] else "nbrExternalLink"
        shown[link] = True
    for ours, theirs in (("description", "nbrDesc"), ("host_name", "hostname")):
        if neighbor[ours]:
            shown[theirs] = neighbor[ours]
    shown |= {
        "bgpVersion": 4,
        "remoteRouterId": neighbor["router_id"] or "0.0.0.0",
        "localRouterId": about["router_id"],
        "bgpState": neighbor["state"],
    }
    if neighbor["state"] == ESTABLISHED:
        shown |= {
            "bgpTimerUpMsec": int(since_s * 1000),
            "bgpTimerUpString": uptime(since_s),
            "bgpTimerUpEstablishedEpoch": int(time.time() - since_s),
        }
    if "hold_time_s" in neighbor:
        shown |= {
            "bgpTimerHoldTimeMsecs": neighbor["hold_time_s"] * 1000,
            "bgpTimerKeepAliveIntervalMsecs": int(neighbor["keepalive_s"] * 1000),
            "neighborCapabilities": _capabilities(neighbor),
            "gracefulRestartInfo": _graceful_restart(neighbor),
        }
    shown["messageStats"] = _message_stats(neighbor)
    shown["minBtwnAdvertisementRunsTimerMsecs"] = 0
    if neighbor["state"] == ESTABLISHED:
        shown["addressFamilyInfo"] = {
            FAMILIES[family][0]: _family(neighbor, family) for family in neighbor["families"]
        }
    shown |= connections(neighbor) | last_reset(neighbor)
    if "reset_s" in neighbor:
        shown["lastResetTimerMsecs"] = int(neighbor["reset_s"] * 1000)
    if "local_address" in neighbor:
        shown |= {
            "hostLocal": neighbor["local_address"],
            "portLocal": neighbor["local_port"],
            "hostForeign": neighbor["address"],
            "portForeign": neighbor["remote_port"],
            "nexthop": neighbor["local_address"],
        }
    return shown


def _capabilities(neighbor: View) -> View:
    received = neighbor["capability_codes"]
    shown: View = {}
    for code, key, _ in _CAPABILITIES:
        advertised = code in neighbor["capabilities_sent"]
        if advertised and code in received:
            # FRR says by which of two codes the peer has it; the old one is nobody's any more.
            shown[key] = "advertisedAndReceived" + ("New" if key == "routeRefresh" else "")
        elif advertised or code in received:
            shown[key] = "advertised" if advertised else "received"
    add_path = _add_path(neighbor)
    if add_path:
        shown["addPath"] = add_path
    shown["multiprotocolExtensions"] = {
        FAMILIES[family][0]: {"advertisedAndReceived": True} for family in neighbor["families"]
    }
    if neighbor["host_name"]:
        shown["hostName"] = {"rcvHostName": neighbor["host_name"], "rcvDomainName": "n/a"}
    return shown


def _add_path(neighbor: View) -> View:
    """What was agreed on of add-path, by family: tx is what the peer is sent (RFC 7911)."""
    found: View = {}
    for ours, theirs in (("add_path_send", "tx"), ("add_path_receive", "rx")):
        for family in neighbor[ours]:
            found.setdefault(FAMILIES[family][0], {})[f"{theirs}AdvertisedAndReceived"] = True
    return found


def _graceful_restart(neighbor: View) -> View:
    restart_s = neighbor["graceful_restart_s"]
    return {
        "endOfRibRecv": {FAMILIES[family][0]: True for family in neighbor.get("end_of_rib", ())},
        "remoteGrMode": "Disable" if restart_s is None else "Restart",
        "timers": {"receivedRestartTimer": restart_s or 0},
    }


def _message_stats(neighbor: View) -> View:
    sent, received = neighbor["messages"]["sent"], neighbor["messages"]["received"]
    shown: View = {"depthInq": 0, "depthOutq": 0}
    for ours, theirs, _ in _MESSAGES:
        shown |= {f"{theirs}Sent": sent[ours], f"{theirs}Recv": received[ours]}
    return shown | {
        "capabilitySent": 0,
        "capabilityRecv": 0,
        "totalSent": sum(sent.values()),
        "totalRecv": sum(received.values()),
    }


def _family(neighbor: View, family: str) -> View:
    shown: View = {"packetQueueLength": 0}
    if neighbor["client"]:
        shown["routeReflectorClient"] = True
    return shown | {
        "commAttriSentToNbr": "extendedAndStandard",
        "acceptedPrefixCounter": neighbor["prefixes_held"].get(family, 0),
        "sentPrefixCounter": neighbor["prefixes_sent"].get(family, 0),
    }


# For people.


def _text(key: str, neighbor: View, shown: View) -> str:
    kind = "internal" if shown["remoteAs"] == shown["localAs"] else "external"
    mark = "*" if neighbor["dynamic"] else ""
    systems = f"remote AS {shown['remoteAs']}, local AS {shown['localAs']}"
    lines = [f"BGP neighbor is {mark}{key}, {systems}, {kind} link"]
    if "nbrDesc" in shown:
        lines.append(f" Description: {shown['nbrDesc']}")
    if "hostname" in shown:
        lines.append(f"Hostname: {shown['hostname']}")
    lines.append(
        f"  BGP version 4, remote router ID {shown['remoteRouterId']}, "
        f"local router ID {shown['localRouterId']}"
    )
    up = f", up for {shown['bgpTimerUpString']}" if "bgpTimerUpString" in shown else ""
    lines.append(f"  BGP state = {shown['bgpState']}{up}")
    if "neighborCapabilities" in shown:
        lines.append(
            f"  Hold time is {shown['bgpTimerHoldTimeMsecs'] // 1000} seconds, keepalive interval "
            f"is {shown['bgpTimerKeepAliveIntervalMsecs'] // 1000} seconds"
        )
        lines += _capability_lines(shown["neighborCapabilities"])
    lines += _message_lines(shown["messageStats"])
    for name, family in shown.get("addressFamilyInfo", {}).items():
        lines += _family_lines(name, family)
    lines.append(
        f"  Connections established {shown['connectionsEstablished']}; "
        f"dropped {shown['connectionsDropped']}"
    )
    if "lastResetDueTo" in shown:
        ago = uptime(neighbor["reset_s"])
        lines.append(f"  Last reset {ago},  {shown['lastResetDueTo']}")
    if "hostLocal" in shown:
        lines += [
            f"Local host: {shown['hostLocal']}, Local port: {shown['portLocal']}",
            f"Foreign host: {shown['hostForeign']}, Foreign port: {shown['portForeign']}",
            f"Nexthop: {shown['nexthop']}",
        ]
    return "\n".join([*lines, ""])


def _capability_lines(capabilities: View) -> list[str]:
    lines = ["  Neighbor capabilities:"]
    for _, key, title in _CAPABILITIES:
        if key in capabilities:
            lines.append(f"    {title}: {_STATES[capabilities[key]]}")
    if "addPath" in capabilities:
        lines.append("    AddPath:")
    for name, agreed in capabilities.get("addPath", {}).items():
        lines += [
            f"      {_TITLES[name]}: {way.upper()} advertised and received"
            for way in ("tx", "rx")
            if f"{way}AdvertisedAndReceived" in agreed
        ]
    lines += [
        f"    Address Family {_TITLES[name]}: advertised and received"
        for name in capabilities["multiprotocolExtensions"]
    ]
    if "hostName" in capabilities:
        name = capabilities["hostName"]["rcvHostName"]
        lines.append(f"    Hostname Capability: advertised and received (name: {name})")
    return lines


def _message_lines(stats: View) -> list[str]:
    lines = ["  Message statistics:", "                         Sent       Rcvd"]
    for _, key, title in _MESSAGES:
        lines.append(f"    {title + ':':<16}{stats[key + 'Sent']:>9} {stats[key + 'Recv']:>10}")
    lines.append(f"    {'Total:':<16}{stats['totalSent']:>9} {stats['totalRecv']:>10}")
    return lines


def _family_lines(name: str, family: View) -> list[str]:
    lines = ["", f" For address family: {_TITLES[name]}"]
    if "routeReflectorClient" in family:
        lines.append("  Route-Reflector Client")
    lines.append("  Community attribute sent to this neighbor(all)")
    lines.append(f"  {family['acceptedPrefixCounter']} accepted prefixes")
    lines.append("")
    return lines


_TITLES: Final = dict(FAMILIES.values())
_STATES: Final = {
    "advertised": "advertised",
    "received": "received",
    "advertisedAndReceived": "advertised and received",
    "advertisedAndReceivedNew": "advertised and received(new)",
}
