"""`bgp-reflector flags`: what to start every kube-router with."""

import argparse
from pathlib import Path

from reflector.cli.output import print_json


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "flags",
        help="print what to start every kube-router with",
        description="Print the flags to start every kube-router with, for each address that "
        "this machine has.",
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument(
        "--socket", metavar="PATH", type=Path, help="the reflector's control socket"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print.

    Returns:
        0, or 1 if nothing runs.
    """
    from reflector.cli.client import Client  # noqa: PLC0415 - not for --help

    view = Client(arguments.socket).get("flags")
    if arguments.json:
        print_json(view)
        return 0
    for each in view["flags"]:
        print(each["flags"])
    return 0
