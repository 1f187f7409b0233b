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
        "Take a cluster off the others until it is connected again; sessions stay up.\n"
        "What leads to it is withdrawn from all others, and what leads to the others from it.",
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
