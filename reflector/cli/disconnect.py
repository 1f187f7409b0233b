"""`bgp-reflector disconnect`: take a cluster off the others."""

import argparse

from reflector.cli.arguments import network
from reflector.cli.ordering import add_order, give


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_order(
        subparsers,
        "disconnect",
        "take a cluster off the others, sessions stay up",
        "Withdraw what leads to a cluster from all others, and what leads to the others from it, until "
        "it is connected again. Sessions stay up.",
    )
    parser.add_argument(
        "cluster",
        metavar="CLUSTER",
        type=network,
        help="the network of its pod CIDRs, as `show clusters` has it",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order.

    Returns:
        0: it was done.
    """
    return give(arguments, "clusters", "disconnect", cluster=arguments.cluster)
