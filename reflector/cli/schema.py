"""`bgp-reflector schema`: the configuration's JSON Schema, for editors."""

import argparse

from reflector.cli.output import print_json


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "schema",
        help="print the configuration's JSON Schema",
        description="Print the JSON Schema of the configuration file, for editors that know it.",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace) -> int:
    """Print it.

    Returns:
        0.
    """
    from reflector.config.schema import json_schema  # noqa: PLC0415 - only this command needs it

    print_json(json_schema())
    return 0
