"""What the presenter's commands share: they give one order, and say what was done."""

import argparse

from reflector.cli.arguments import asking
from reflector.cli.output import print_json

_EPILOG = """\
Exits 0 if it was done, 1 if not. Who may use the control socket may do it: docs/controls.md."""


def add_order(
    subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    summary: str,
    description: str,
) -> argparse.ArgumentParser:
    """Declare a command that gives an order.

    Args:
        subparsers: Of the program.
        name: Of the command.
        summary: In a few words.
        description: In a sentence.
    """
    return subparsers.add_parser(
        name,
        parents=[asking()],
        help=summary,
        description=description,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def give(arguments: argparse.Namespace, *path: str, **body: object) -> int:
    """Give an order, and say what was done.

    Args:
        arguments: Of the command.
        path: Of the order, below /api/v1.
        body: What it says.

    Returns:
        0: it was done.
    """
    from reflector.cli.client import Client  # noqa: PLC0415 - not for --help

    answer = Client(arguments.socket).post(*path, **body)
    if arguments.json:
        print_json(answer)
    else:
        print(answer["done"])
    return 0
