"""`bgp-reflector connect`: connect a cluster that was taken off."""

import argparse

from reflector.cli.arguments import network
from reflector.cli.ordering import add_order, give


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = add_order(
        subparsers,
        "connect",
        "connect a cluster with the others again",
        "Connect a cluster with the others again, after `disconnect`.",
    )
    parser.add_argument(
        "cluster", metavar="CLUSTER", type=network, help="its network, as it was disconnected"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Give the order.

    Returns:
        0: it was done.
    """
    return give(arguments, "clusters", "connect", cluster=arguments.cluster)
