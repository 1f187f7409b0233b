"""`bgp-reflector refresh`: have routes announced again, without dropping a session."""

import argparse

from reflector.cli.arguments import address
from reflector.cli.ordering import add_order, give


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_order(
        subparsers,
        "refresh",
        "ask a peer for its routes again, and send it ours",
        "Ask a peer for its routes again (RFC 2918), send it ours again, or both.",
    )
    parser.add_argument("address", metavar="ADDR", type=address, help="of the peer")
    parser.add_argument(
        "direction",
        nargs="?",
        choices=("in", "out", "both"),
        default="both",
        help="in: its routes; out: ours (default: both)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order.

    Returns:
        0: it was done.
    """
    path = "neighbors", arguments.address, "refresh"
    return give(arguments, *path, direction=arguments.direction)
