"""What `bgp-reflector show` says of clusters, and of what a peer is told."""

import time
from collections.abc import Sequence
from typing import Any, Final

from reflector.cli.table import Column, Paint, print_table
from reflector.observe.duration import span

View = dict[str, Any]


def print_clusters(view: View) -> None:
    """Print who is in which cluster, and who has left.

    Args:
        view: /api/v1/clusters.
    """
    if not view["clusters"]:
        print("Nobody is here yet.")
        return
    rows = cluster_rows(view["clusters"], time.time())
    print_table(CLUSTER_COLUMNS, rows, state_paint(rows))


CLUSTER_COLUMNS: Final = (
    Column("CLUSTER"),
    Column("NODE"),
    Column("ADDRESS"),
    Column("STATE"),
    Column("FOR", right=True),
    Column("IN", right=True, extra=2),
    Column("OUT", right=True, extra=2),
    Column("POD CIDRS", extra=1),
    Column("SOFTWARE", extra=3),
)


def cluster_rows(clusters: Sequence[View], now_s: float) -> list[list[str]]:
    """A row for each node.

    Args:
        clusters: Of /api/v1/clusters.
        now_s: Seconds since the epoch.
    """
    return [
        [
            cluster["network"] or "-",
            node["name"],
            node["address"],
            node["state"],
            span(max(0.0, now_s - node["since"])) if node.get("since") else "",
            str(node.get("routes_in", "")),
            str(node.get("routes_out", "")),
            " ".join(node.get("cidrs", ())),
            node.get("software", ""),
        ]
        for cluster in clusters
        for node in cluster["nodes"]
    ]


def state_paint(rows: Sequence[Sequence[str]]) -> dict[str, Paint]:
    """Colours for the states in rows of nodes."""
    return {row[3]: Paint.PENDING for row in rows} | {"Established": Paint.GOOD}


def print_received(view: View, address: str) -> None:
    """Print what a peer has announced.

    Args:
        view: /api/v1/neighbors/ADDR/received.
        address: Of the peer.
    """
    if not view["routes"]:
        print(f"{address} has announced no route that may be used.")
        return
    columns = [
        Column("PREFIX"),
        Column("NEXT HOP"),
        Column("BEST"),
        Column("LOCAL PREF", right=True, extra=1),
        Column("AS PATH", extra=3),
        Column("COMMUNITIES", extra=2),
    ]
    rows = []
    for route in view["routes"]:
        path = route["paths"][0]
        rows.append(
            [
                route["prefix"],
                path["next_hop"],
                "yes" if route["best"] else "no",
                str(path["local_pref"]),
                path["as_path"],
                " ".join(path.get("communities", ())),
            ]
        )
    print_table(columns, rows, {"yes": Paint.GOOD, "no": Paint.PENDING})


def print_advertised(view: View, address: str) -> None:
    """Print what a peer is told.

    Args:
        view: /api/v1/neighbors/ADDR/advertised.
        address: Of the peer.
    """
    if not view["routes"]:
        print(f"{address} is told of no route.")
        return
    columns = [
        Column("PREFIX"),
        Column("NEXT HOP"),
        Column("FROM"),
        Column("NAME", extra=2),
        Column("LOCAL PREF", right=True, extra=1),
        Column("AS PATH", extra=3),
    ]
    rows = []
    for route in view["routes"]:
        path = route["paths"][0]
        source = path["from"]
        rows.append(
            [
                route["prefix"],
                path["next_hop"] or "",
                source["address"] or "this reflector",
                source["host_name"],
                str(path["local_pref"]),
                path["as_path"],
            ]
        )
    print_table(columns, rows)
