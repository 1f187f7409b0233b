"""`bgp-reflector show`: what a running reflector knows."""

import argparse
from typing import TYPE_CHECKING, Any

from reflector.cli import problems
from reflector.cli.arguments import address, asking, prefix
from reflector.cli.output import print_json, save

if TYPE_CHECKING:
    from reflector.cli.client import Client

View = dict[str, Any]

_EPILOG = """\
Without --socket the reflector is looked for at $BGP_REFLECTOR_SOCKET, else in the usual places
(docs/cli.md). With --json the answer is as /api/v1 gives it."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "show",
        help="show what a running reflector knows",
        description="Show what a running reflector knows.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    common = asking()
    topics = parser.add_subparsers(title="what to show", metavar="WHAT", required=True)

    summary = topics.add_parser("summary", parents=[common], help="who it is, and totals")
    summary.set_defaults(run=run, show=_summary)

    neighbors = topics.add_parser("neighbors", parents=[common], help="its peers, or one of them")
    neighbors.add_argument("address", metavar="ADDR", nargs="?", type=address, help="of one peer")
    neighbors.set_defaults(run=run, show=_neighbors)

    neighbor = topics.add_parser("neighbor", parents=[common], help="one of its peers")
    neighbor.add_argument("address", metavar="ADDR", type=address, help="of the peer")
    neighbor.set_defaults(run=run, show=_neighbors)

    advertised = topics.add_parser("advertised", parents=[common], help="what a peer is told")
    advertised.add_argument("address", metavar="ADDR", type=address, help="of the peer")
    advertised.set_defaults(run=run, show=_advertised)

    received = topics.add_parser("received", parents=[common], help="what a peer has announced")
    received.add_argument("address", metavar="ADDR", type=address, help="of the peer")
    received.set_defaults(run=run, show=_received)

    messages = topics.add_parser(
        "messages", parents=[common], help="what was said between us and a peer, one by one"
    )
    messages.add_argument("address", metavar="ADDR", type=address, help="of the peer, here or gone")
    as_file = messages.add_mutually_exclusive_group()
    as_file.add_argument("--pcap", metavar="FILE", help="write them for Wireshark; - is stdout")
    as_file.add_argument("--mrt", metavar="FILE", help="write them as MRT; - is stdout")
    messages.set_defaults(run=run, show=_messages)

    clusters = topics.add_parser(
        "clusters", parents=[common], help="the nodes by cluster, and who has left"
    )
    clusters.set_defaults(run=run, show=_clusters)

    wrong = topics.add_parser(
        "problems", parents=[common], help="what is wrong; exits 1 if something is"
    )
    wrong.set_defaults(run=problems.run)

    routes = topics.add_parser("routes", parents=[common], help="its routes, or one of them")
    routes.add_argument(
        "prefix",
        metavar="PREFIX",
        nargs="?",
        type=prefix,
        help="exactly this prefix, or the route that an address would take",
    )
    routes.add_argument(
        "match",
        metavar="longer|exact",
        nargs="?",
        choices=("longer", "exact"),
        help="longer: with all within it; exact: it alone, also of an address",
    )
    routes.set_defaults(run=run, show=_routes)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print.

    Returns:
        0: it was shown.
    """
    from reflector.cli.client import Client  # noqa: PLC0415 - not for --help

    arguments.show(Client(arguments.socket), arguments)
    return 0


# Summary.


def _summary(client: "Client", arguments: argparse.Namespace) -> None:
    view = client.get("summary")
    if arguments.json:
        print_json(view)
        return
    from reflector.cli.table import print_facts  # noqa: PLC0415
    from reflector.observe.duration import span  # noqa: PLC0415

    peers = f"{view['established']} established"
    pending = view["connections"] - view["established"]
    if pending > 0:
        peers += f", {pending} on the way"
    if view["restarting"]:
        peers += f", {view['restarting']} restarting"
    facts = [
        ("AS", str(view["asn"])),
        ("Router id", view["router_id"]),
        ("Cluster id", view["cluster_id"]),
        ("Running for", span(view["up_s"])),
        ("Peers", peers),
    ]
    facts += [
        (f"{_FAMILIES.get(family, family)} routes", f"{of['prefixes']} ({of['paths']} paths)")
        for family, of in view["routes"].items()
    ]
    if view["disconnected"]:
        facts.append(("Disconnected", ", ".join(view["disconnected"])))
    if view["own_routes_hidden"]:
        facts.append(("Hidden", "the reflector's own routes (bgp-reflector debug-route show)"))
    print_facts(facts)


_FAMILIES = {"ipv4": "IPv4", "ipv6": "IPv6"}


# Neighbors.


def _neighbors(client: "Client", arguments: argparse.Namespace) -> None:
    path = ("neighbors",) if arguments.address is None else ("neighbors", arguments.address)
    view = client.get(*path)
    if arguments.json:
        print_json(view)
    elif arguments.address is None:
        _print_neighbors(view["neighbors"])
    else:
        for index, neighbor in enumerate(view["neighbors"]):
            if index:
                print()
            _print_neighbor(neighbor)


def _print_neighbors(neighbors: list[View]) -> None:
    if not neighbors:
        print("No peer is connected.")
        return
    from reflector.cli.table import Column, Paint, print_table  # noqa: PLC0415
    from reflector.observe.duration import span  # noqa: PLC0415

    columns = [
        Column("NEIGHBOR"),
        Column("NAME", extra=1),
        Column("ROUTER ID", extra=4),
        Column("STATE"),
        Column("FOR", right=True),
        Column("ROUTES", right=True),
        Column("FAMILIES", extra=3),
        Column("IN", right=True, extra=5),
        Column("OUT", right=True, extra=5),
        Column("DESCRIPTION", extra=2),
    ]
    rows = [
        [
            neighbor["address"],
            neighbor["host_name"],
            neighbor["router_id"],
            neighbor["state"],
            span(neighbor["in_state_s"]),
            str(sum(neighbor.get("prefixes_held", {}).values())),
            " ".join(neighbor.get("families", ())),
            _size(neighbor["bytes_in"]),
            _size(neighbor["bytes_out"]),
            neighbor["description"],
        ]
        for neighbor in neighbors
    ]
    paint = {neighbor["state"]: Paint.PENDING for neighbor in neighbors}
    print_table(columns, rows, paint | {"Established": Paint.GOOD})


def _print_neighbor(neighbor: View) -> None:
    from reflector.cli.table import Paint, coloured, print_facts, printable  # noqa: PLC0415
    from reflector.observe.duration import span  # noqa: PLC0415

    names = [neighbor[key] for key in ("host_name", "description") if neighbor[key]]
    title = neighbor["address"] + (f" ({', '.join(names)})" if names else "")
    print(coloured(printable(title), Paint.HEADING))
    dialled = "we dialled it" if neighbor["direction"] == "outbound" else "it dialled us"
    facts = [
        ("State", f"{neighbor['state']} for {span(neighbor['in_state_s'])}"),
        ("Connection", f"{dialled}, port {neighbor['remote_port']} there"),
        ("Our address", neighbor["local_address"]),
    ]
    if neighbor["router_id"]:
        facts.append(("Router id", neighbor["router_id"]))
    if "asn" in neighbor:
        facts += _session_facts(neighbor)
    if "prefixes_held" in neighbor:
        facts += _route_facts(neighbor)
    waiting = neighbor["backlog_bytes"]
    facts.append(
        (
            "Octets",
            f"{_size(neighbor['bytes_in'])} in, {_size(neighbor['bytes_out'])} out"
            + (f", {_size(waiting)} waiting" if waiting else ""),
        )
    )
    print_facts(facts, "  ")


def _session_facts(neighbor: View) -> list[tuple[str, str]]:
    hold_time_s, keepalive_s = neighbor["hold_time_s"], neighbor["keepalive_s"]
    timers = f"{hold_time_s} s, keepalive {keepalive_s:g} s" if hold_time_s else "none"
    restart_s = neighbor["graceful_restart_s"]
    facts = [
        ("AS", str(neighbor["asn"])),
        ("Families", ", ".join(neighbor["families"])),
        ("Hold time", timers),
        ("Route refresh", "yes" if neighbor["route_refresh"] else "no"),
        ("Graceful restart", "no" if restart_s is None else _restart(restart_s, neighbor)),
    ]
    facts += [
        (f"Add-path {how}", ", ".join(neighbor[f"add_path_{how}"]))
        for how in ("receive", "send")
        if neighbor[f"add_path_{how}"]
    ]
    if neighbor["extended_messages"]:
        facts.append(("Messages", "up to 65,535 octets"))
    if neighbor["software_version"]:
        facts.append(("Software", neighbor["software_version"]))
    return facts


def _restart(restart_s: int, neighbor: View) -> str:
    words = f"asks for {restart_s} s"
    if neighbor["long_lived_s"]:
        words += f", and {neighbor['long_lived_s']} s more as a last choice"
    if neighbor["graceful_notification"]:
        words += ", after a NOTIFICATION too"
    return words


def _route_facts(neighbor: View) -> list[tuple[str, str]]:
    held = ", ".join(f"{count} {name}" for name, count in neighbor["prefixes_held"].items())
    updates = neighbor["updates_received"]
    received = (
        f"{updates} UPDATE{'' if updates == 1 else 's'}: {neighbor['prefixes_announced']} announced, "
        f"{neighbor['prefixes_withdrawn']} withdrawn, {neighbor['prefixes_rejected']} rejected"
    )
    rules = neighbor["prefixes_rejected_by"].items()
    return [
        ("Role", neighbor["role"]),
        ("Routes", held),
        ("Received", received),
        *(("Rejected by", f"{rule}: {count}") for rule, count in rules),
        ("End-of-RIB", ", ".join(neighbor["end_of_rib"]) or "not yet"),
    ]


# The class.


def _advertised(client: "Client", arguments: argparse.Namespace) -> None:
    view = client.get("neighbors", arguments.address, "advertised")
    if arguments.json:
        print_json(view)
        return
    from reflector.cli.show_class import print_advertised  # noqa: PLC0415

    print_advertised(view, arguments.address)


def _received(client: "Client", arguments: argparse.Namespace) -> None:
    view = client.get("neighbors", arguments.address, "received")
    view["routes"].sort(key=_by_prefix)
    if arguments.json:
        print_json(view)
        return
    from reflector.cli.show_class import print_received  # noqa: PLC0415

    print_received(view, arguments.address)


def _messages(client: "Client", arguments: argparse.Namespace) -> None:
    for kind in ("pcap", "mrt"):
        path = getattr(arguments, kind)
        if path is not None:
            save(client.read("neighbors", arguments.address, f"messages.{kind}"), path)
            return
    view = client.get("neighbors", arguments.address, "messages")
    if arguments.json:
        print_json(view)
        return
    from reflector.cli.show_messages import print_messages  # noqa: PLC0415

    print_messages(view)


def _clusters(client: "Client", arguments: argparse.Namespace) -> None:
    view = client.get("clusters")
    if arguments.json:
        print_json(view)
        return
    from reflector.cli.show_class import print_clusters  # noqa: PLC0415

    print_clusters(view)


# Routes.


def _routes(client: "Client", arguments: argparse.Namespace) -> None:
    query = {"prefix": arguments.prefix, "match": arguments.match}
    view = client.get("routes", **{name: value for name, value in query.items() if value})
    one = arguments.prefix is not None and arguments.match != "longer"
    if not one:
        view["routes"].sort(key=_by_prefix)
    if arguments.match == "longer" and not view["routes"]:
        from reflector.cli.client import NotFoundError  # noqa: PLC0415

        raise NotFoundError(f"there is no route within {arguments.prefix}")
    if arguments.json:
        print_json(view)
    elif one:
        for route in view["routes"]:
            _print_route(route)
    else:
        _print_routes(view["routes"])


def _print_routes(routes: list[View]) -> None:
    if not routes:
        print("There are no routes.")
        return
    from reflector.cli.table import Column, print_table  # noqa: PLC0415

    columns = [
        Column(" "),
        Column("PREFIX"),
        Column("NEXT HOP"),
        Column("FROM"),
        Column("NAME", extra=1),
        Column("LOCAL PREF", right=True, extra=4),
        Column("AS PATH", extra=3),
        Column("BEST BECAUSE", extra=2),
    ]
    rows = [
        [
            " " if index else ">",
            "" if index else route["prefix"],
            path["next_hop"] or "self",
            (path["from"]["address"] or "local") + (" (stale)" if "stale" in path else ""),
            path["from"]["host_name"],
            str(path["local_pref"]),
            path["as_path"],
            "" if index or len(route["paths"]) == 1 else route["best_because"],
        ]
        for route in routes
        for index, path in enumerate(route["paths"])
    ]
    print_table(columns, rows)


def _print_route(route: View) -> None:
    from reflector.cli.table import Paint, coloured, print_facts  # noqa: PLC0415

    count = len(route["paths"])
    paths = "1 path" if count == 1 else f"{count} paths, best by: {route['best_because']}"
    print(f"{coloured(route['prefix'], Paint.HEADING)}: {paths}")
    for index, path in enumerate(route["paths"]):
        source = path["from"]
        name = source["address"] or "this reflector"
        if source["host_name"]:
            name += f" ({source['host_name']})"
        facts = [("From", name), ("Router id", source["router_id"])]
        facts.append(("Next hop", path["next_hop"] or "the address that each peer connected to"))
        facts += [
            (heading, _words(path[key]))
            for key, heading in _ATTRIBUTES.items()
            if path.get(key) not in (None, "")
        ]
        print(coloured("  best" if not index else "  also", Paint.HEADING))
        print_facts(facts, "    ")


_ATTRIBUTES = {
    "path_id": "Path identifier",
    "origin": "Origin",
    "as_path": "AS path",
    "local_pref": "Local preference",
    "med": "MED",
    "atomic_aggregate": "Atomic aggregate",
    "aggregator": "Aggregator",
    "communities": "Communities",
    "large_communities": "Large communities",
    "extended_communities": "Ext. communities",
    "originator_id": "Originator id",
    "cluster_list": "Cluster list",
    "unknown_attributes": "Unknown attributes",
    "told_to": "Told to",
    "stale": "Stale",
}


def _words(value: object) -> str:
    """An attribute's value on one line."""
    match value:
        case True:
            return "yes"
        case {"code": code, "flags": flags, "value_hex": value_hex}:
            return f"{code} ({' '.join(flags)}) {value_hex or '(empty)'}"
        case {"asn": asn, "address": address}:
            return f"AS {asn}, {address}"
        case list():
            return ", ".join(
                _words(item) if isinstance(item, dict) else str(item) for item in value
            )
    return str(value)


def _by_prefix(route: View) -> tuple[int, int, int]:
    from ipaddress import ip_network  # noqa: PLC0415

    network = ip_network(route["prefix"])
    return network.version, int(network.network_address), network.prefixlen


# Output.


def _size(octets: int) -> str:
    """A number of octets in the largest unit that leaves one digit before the point."""
    size, units = float(octets), ["B", "kB", "MB", "GB", "TB"]
    while size >= 1000 and len(units) > 1:  # noqa: PLR2004 - kilo
        size /= 1000
        units.pop(0)
    return f"{size:.1f} {units[0]}" if units[0] != "B" else f"{octets} B"
