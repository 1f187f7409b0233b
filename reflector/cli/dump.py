"""`bgp-reflector dump`: the whole table as a file for other tools."""

import argparse
from pathlib import Path

from reflector.cli.output import save


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "dump",
        help="write the whole table as a file for other tools",
        description="Write every source's path for every prefix, as its peer announced it, as a file "
        "for other tools.",
    )
    parser.add_argument(
        "--mrt",
        metavar="FILE",
        required=True,
        help="as MRT (RFC 6396, TABLE_DUMP_V2), for bgpdump and its like; - is stdout",
    )
    parser.add_argument(
        "--socket", metavar="PATH", type=Path, help="the reflector's control socket"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and write.

    Returns:
        0: it is written.
    """
    from reflector.cli.client import Client  # noqa: PLC0415 - not for --help

    save(Client(arguments.socket).read("table.mrt"), arguments.mrt)
    return 0
