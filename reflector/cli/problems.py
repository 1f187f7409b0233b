"""`bgp-reflector problems`: what is wrong in the class, and what mends it."""

import argparse

from reflector.cli.arguments import asking
from reflector.cli.output import print_json

_EPILOG = """\
Exits 0 if nothing is wrong, 1 if something is (or nothing runs). Every kind of problem, with its
cause: docs/troubleshooting.md."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "problems",
        help="tell what is wrong, and what mends it",
        description="Tell what is wrong in the class, and what mends it.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[asking()],
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print.

    Returns:
        0 if nothing is wrong, else 1.
    """
    from reflector.cli.client import Client  # noqa: PLC0415 - not for --help

    view = Client(arguments.socket).get("problems")
    problems = view["problems"]
    if arguments.json:
        print_json(view)
    elif not problems:
        print("Nothing is wrong.")
    else:
        from reflector.cli.table import Paint, coloured, print_facts, printable  # noqa: PLC0415

        for index, problem in enumerate(problems):
            if index:
                print()
            title = f"{problem['severity'].upper()}: {problem['title']}"
            print(coloured(printable(title), Paint.HEADING))
            print_facts([("What", problem["what"]), ("Fix", problem["fix"])], "  ")
    return 1 if problems else 0
