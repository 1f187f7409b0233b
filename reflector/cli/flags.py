"""`bgp-reflector flags`: what to start every kube-router with."""

import argparse
import sys
from pathlib import Path


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
    from reflector.cli.client import Client, ClientError  # noqa: PLC0415 - not for --help

    try:
        view = Client(arguments.socket).get("flags")
    except ClientError as error:
        print(f"bgp-reflector: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        import json  # noqa: PLC0415

        print(json.dumps(view, indent=2))
        return 0
    for each in view["flags"]:
        print(each["flags"])
    return 0
