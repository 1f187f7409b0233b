"""`show bgp summary`, as FRR prints it."""

import time
from collections.abc import Iterable
from typing import Any, Final

from reflector.vty.facts import (
    ESTABLISHED,
    FAMILIES,
    View,
    by_key,
    connections,
    last_reset,
    speaks,
    uptime,
)

_HEADINGS: Final = (
    "V         AS   MsgRcvd   MsgSent   TblVer  InQ OutQ  Up/Down State/PfxRcd   PfxSnt Desc"
)
_FAILED: Final = "failed"
_NO_SESSION_YET: Final = "it has had no session yet"
_FAILED_HEADINGS: Final = "EstdCnt DropCnt ResetTime Reason"
# FRR's column of neighbors is this wide at least.
_NEIGHBOR_WIDTH: Final = 16


def summary_json(about: View, neighbors: Iterable[View], family: str, chosen: str = "") -> View:
    """One family's summary.

    Args:
        about: /api/v1/summary.
        neighbors: Of /api/v1/neighbors, and those without a connection.
        family: "ipv4" or "ipv6".
        chosen: "established" or "failed", where only those are to be shown.
    """
    counted = [each for each in neighbors if speaks(each, family)]
    failed = sum(each["state"] != ESTABLISHED for each in counted)
    shown = by_key(_chosen(counted, chosen))
    if chosen == _FAILED:
        peers = {key: _failed_peer(each) for key, each in shown}
    else:
        peers = {key: _peer(about, each, family) for key, each in shown}
    routes = about["routes"].get(family, {"prefixes": 0})
    return {
        "routerId": about["router_id"],
        "as": about["asn"],
        "vrfId": 0,
        "vrfName": "default",
        "tableVersion": 0,
        "ribCount": routes["prefixes"],
        "ribMemory": 0,
        "peerCount": len(counted),
        "peerMemory": 0,
        "peerGroupCount": 0,
        "peerGroupMemory": 0,
        "peers": peers,
        "failedPeers": failed,
        "displayedPeers": len(peers),
        "totalPeers": len(counted),
        "dynamicPeers": sum(each["dynamic"] for each in counted),
        "bestPath": {"multiPathRelax": "false"},
    }


def summary_text(summary: View, family: str, chosen: str = "") -> str:
    """The same for people.

    Args:
        summary: As `summary_json` makes it.
        family: "ipv4" or "ipv6".
        chosen: "established" or "failed", where only those neighbors are shown.
    """
    title = f"\n{FAMILIES[family][1]} Summary (VRF default):"
    peers = summary["peers"]
    if not peers:
        return f"{title}\n% No {chosen + ' ' if chosen else ''}BGP neighbors found"
    columns = _failed_columns if chosen == _FAILED else _columns
    width = max(_NEIGHBOR_WIDTH, *(len(key) + 2 for key in peers))
    lines = [
        title,
        f"BGP router identifier {summary['routerId']}, local AS number {summary['as']} vrf-id 0",
        f"RIB entries {summary['ribCount']}",
        f"Peers {summary['peerCount']}",
        "",
        "Neighbor".ljust(width) + (_FAILED_HEADINGS if chosen == _FAILED else _HEADINGS),
        *(_row(key, peer).ljust(width) + columns(peer) for key, peer in peers.items()),
        "",
    ]
    if chosen:
        lines.append(f"Displayed neighbors {summary['displayedPeers']}")
    lines.append(f"Total number of neighbors {summary['totalPeers']}")
    if summary["dynamicPeers"]:
        lines += ["* - dynamic neighbor", f"{summary['dynamicPeers']} dynamic neighbor(s)"]
    return "\n".join(lines)


def _peer(about: View, neighbor: View, family: str) -> View:
    messages = neighbor["messages"]
    shown: dict[str, Any] = {}
    if neighbor["dynamic"]:
        shown["dynamicPeer"] = True
    if neighbor["host_name"]:
        shown["hostname"] = neighbor["host_name"]
    if neighbor["description"]:
        shown["desc"] = neighbor["description"]
    shown |= {
        "remoteAs": neighbor.get("asn", 0),
        "localAs": about["asn"],
        "version": 4,
        "msgRcvd": sum(messages["received"].values()),
        "msgSent": sum(messages["sent"].values()),
        "tableVersion": 0,
        "outq": 0,
        "inq": 0,
        **_up_or_down(neighbor),
    }
    return shown | {
        "pfxRcd": neighbor.get("prefixes_held", {}).get(family, 0),
        "pfxSnt": neighbor.get("prefixes_sent", {}).get(family, 0),
        "state": neighbor["state"],
        "peerState": "OK",
        **connections(neighbor),
        "idType": _id_type(neighbor),
    }


def _failed_peer(neighbor: View) -> View:
    shown = connections(neighbor) | _up_or_down(neighbor) | last_reset(neighbor)
    if neighbor["dynamic"]:
        shown["dynamicPeer"] = True
    return shown | {"idType": _id_type(neighbor)}


def _up_or_down(neighbor: View) -> View:
    """For how long a neighbor has its session, or has none any more."""
    established = neighbor["state"] == ESTABLISHED
    since_s = neighbor["in_state_s"] if established else neighbor.get("reset_s")
    if since_s is None:
        return {"peerUptime": "never", "peerUptimeMsec": 0}
    return {
        "peerUptime": uptime(since_s),
        "peerUptimeMsec": int(since_s * 1000),
        "peerUptimeEstablishedEpoch": int(time.time() - since_s),
    }


def _id_type(neighbor: View) -> str:
    return "ipv6" if ":" in neighbor["address"] else "ipv4"


def _row(key: str, peer: View) -> str:
    return ("*" if "dynamicPeer" in peer else "") + key


def _columns(peer: View) -> str:
    state = f"{peer['pfxRcd']:>12}" if peer["state"] == ESTABLISHED else f"{peer['state']:>12}"
    return (
        f"{peer['version']} {peer['remoteAs']:>10} {peer['msgRcvd']:>9} {peer['msgSent']:>9} "
        f"{peer['tableVersion']:>8} {peer['inq']:>4} {peer['outq']:>4} {peer['peerUptime']:>8} "
        f"{state} {peer['pfxSnt']:>8} {peer.get('desc') or peer.get('hostname') or 'N/A'}"
    )


def _failed_columns(peer: View) -> str:
    return (
        f"{peer['connectionsEstablished']:>7} {peer['connectionsDropped']:>7} "
        f"{peer['peerUptime']:>9} {peer.get('lastResetDueTo', _NO_SESSION_YET)}"
    )


def _chosen(neighbors: Iterable[View], chosen: str) -> list[View]:
    wanted = chosen == "established"
    return [each for each in neighbors if not chosen or (each["state"] == ESTABLISHED) is wanted]
