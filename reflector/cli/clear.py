"""`bgp-reflector clear`: end a session, which comes back."""

import argparse

from reflector.cli.arguments import address
from reflector.cli.ordering import add_order, give


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_order(
        subparsers,
        "clear",
        "drop a session, which comes back",
        "End the sessions with an address by Cease/Administrative Reset. The peer dials again.",
    )
    parser.add_argument("address", metavar="ADDR", type=address, help="of the peer")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order.

    Returns:
        0: it was done.
    """
    return give(arguments, "neighbors", arguments.address, "clear")
