"""`bgp-reflector health`: tell by the exit code whether the reflector is up."""

import argparse
from pathlib import Path
from typing import Final

# A container's health check mostly gives up after a few seconds itself.
_TIMEOUT_S: Final = 2.0


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "health",
        help="tell whether the reflector is up, by exit code",
        description="Exit 0 if a reflector is running here and answers, 1 otherwise.",
    )
    parser.add_argument(
        "--socket",
        metavar="PATH",
        type=Path,
        help="its control socket (default: $BGP_REFLECTOR_SOCKET, else the usual places)",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print the answer in one line.

    Returns:
        0 if it is up, 1 if not.
    """
    from reflector.cli.client import Client, ClientError  # noqa: PLC0415 - not for --help

    try:
        answer = Client(arguments.socket, _TIMEOUT_S).health()
    except ClientError as error:
        print(f"down: {error}")
        return 1
    peers, prefixes = answer["established"], answer["prefixes"]
    print(
        f"up: {peers} {'peer' if peers == 1 else 'peers'} established, "
        f"{prefixes} {'prefix' if prefixes == 1 else 'prefixes'}"
    )
    return 0
