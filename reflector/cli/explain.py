"""`bgp-reflector explain`: why this path, and why not there."""

import argparse
from typing import Any

from reflector.cli.arguments import address, asking, prefix
from reflector.cli.output import print_json

View = dict[str, Any]

_EPILOG = """\
Exits 0 if there is such a route, 1 if there is none (or nothing runs). With --json the answer is as
/api/v1/explain gives it."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "explain",
        parents=[asking()],
        help="why a route is as it is, and why a peer has it or not",
        description="Tell why the best path of a route won, to whom it went, and why not to the "
        "others.\nWhere there is no such route, tell why.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "prefix", metavar="PREFIX", type=prefix, help="of the route, or an address that it holds"
    )
    parser.add_argument("--to", metavar="ADDR", type=address, help="to this peer alone")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print.

    Returns:
        0 if there is such a route, else 1.
    """
    from reflector.cli.client import Client  # noqa: PLC0415 - not for --help

    to = {} if arguments.to is None else {"to": arguments.to}
    view = Client(arguments.socket).get("explain", prefix=arguments.prefix, **to)
    route = view["route"]
    if arguments.json:
        print_json(view)
    elif route is None:
        _print_missing(view)
    else:
        _print_route(route)
        _print_refused(view)
        _print_within(view)
        _print_peers(view["peers"])
    return 0 if route is not None else 1


def _print_route(route: View) -> None:
    from reflector.cli.table import Column, Paint, coloured, print_table  # noqa: PLC0415

    count = len(route["paths"])
    why = "the only path" if count == 1 else f"{count} paths, best by: {route['best_because']}"
    print(f"{coloured(route['prefix'], Paint.HEADING)}: {why}")
    columns = [
        Column(" "),
        Column("FROM"),
        Column("NAME", extra=2),
        Column("NEXT HOP", extra=3),
        Column("WHY"),
    ]
    rows = [
        [
            " " if path["lost_by"] else ">",
            path["from"]["address"] or "this reflector",
            path["from"]["host_name"],
            path["next_hop"] or "self",
            f"lost by {path['lost_by']}" if path["lost_by"] else "best",
        ]
        for path in route["paths"]
    ]
    print_table(columns, rows)


def _print_peers(peers: list[View]) -> None:
    from reflector.cli.table import Column, Paint, print_table  # noqa: PLC0415

    print()
    if not peers:
        print("No peer is connected.")
        return
    columns = [Column("TO PEER"), Column("NAME", extra=2), Column("TOLD"), Column("BECAUSE")]
    rows = [
        [
            peer["address"],
            peer["host_name"],
            "yes" if peer["told"] else "no",
            peer["why"] or "nothing is against it",
        ]
        for peer in sorted(peers, key=lambda peer: bool(peer["told"]))
    ]
    print_table(columns, rows, {"yes": Paint.GOOD, "no": Paint.PENDING})


def _print_refused(view: View) -> None:
    from reflector.cli.table import printable  # noqa: PLC0415

    for refusal in view["refused"]:
        print(printable(f"\nNot used from {_named(refusal)}: {refusal['why']}"))


def _print_within(view: View) -> None:
    within = view["within"]
    if within["count"]:
        print(f"\nLonger prefixes take a part of its traffic: {_listed(within)}")


def _print_missing(view: View) -> None:
    from reflector.cli.table import print_facts, printable  # noqa: PLC0415

    print(f"There is no route for {view['asked']}.")
    facts = [
        ("Refused", f"from {_named(refusal)}: {refusal['why']}") for refusal in view["refused"]
    ]
    shorter, within = view["shorter"], view["within"]
    if shorter is not None:
        from_ = _named(shorter["paths"][0]["from"])
        facts.append(("Within", f"{shorter['prefix']} from {from_}, which takes its traffic"))
    if within["count"]:
        facts.append(("Parts of it", _listed(within)))
    if facts:
        print_facts([(name, printable(value)) for name, value in facts], "  ")
    else:
        print("  Nothing is near it, and no connected peer has announced it in vain.")


_SHOWN = 5


def _listed(within: View) -> str:
    names = ", ".join(within["prefixes"][:_SHOWN])
    more = within["count"] - _SHOWN
    return f"{names} and {more} more" if more > 0 else names


def _named(peer: View) -> str:
    if peer["address"] is None:
        return "this reflector"
    return f"{peer['host_name']} ({peer['address']})" if peer["host_name"] else peer["address"]
