"""`bgp-reflector problems`: what is wrong in the class, and what mends it."""

import argparse
import sys
from pathlib import Path

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
    )
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--socket", metavar="PATH", type=Path, help="its control socket")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print.

    Returns:
        0 if nothing is wrong, else 1.
    """
    from reflector.cli.client import Client, ClientError  # noqa: PLC0415 - not for --help

    try:
        view = Client(arguments.socket).get("problems")
    except ClientError as error:
        print(f"bgp-reflector: {error}", file=sys.stderr)
        return 1
    problems = view["problems"]
    if arguments.json:
        import json  # noqa: PLC0415

        print(json.dumps(view, indent=2))
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
