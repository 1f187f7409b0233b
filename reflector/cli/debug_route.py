"""`bgp-reflector debug-route`: hide the reflector's own routes, or show them."""

import argparse

from reflector.cli.ordering import add_order, give


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_order(
        subparsers,
        "debug-route",
        "hide the reflector's own routes, or show them",
        "Withdraw the reflector's own routes, 1.0.0.2/32 unless configured otherwise, or announce them "
        "again.",
    )
    parser.add_argument(
        "action",
        metavar="hide|show",
        choices=("hide", "show"),
        help="hide: withdraw; show: announce",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order.

    Returns:
        0: it was done.
    """
    return give(arguments, "own-routes", hidden=arguments.action == "hide")
