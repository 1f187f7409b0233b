"""`bgp-reflector check`: say what is wrong with a configuration, without starting."""

import argparse
import sys
from pathlib import Path


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "check",
        help="check a configuration file",
        description="Check a configuration file: every mistake with its line and column.",
        epilog="Without FILE, the file that `run` would use is checked.",
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument("file", metavar="FILE", type=Path, nargs="?", help="configuration (YAML)")
    source.add_argument("--frr", metavar="FILE", type=Path, help="check FRR's bgpd.conf instead")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Check it.

    Returns:
        0 if it is right, 1 with what is wrong on stderr.
    """
    from reflector.config.errors import ConfigError  # noqa: PLC0415 - as the ones below
    from reflector.config.frr import read_frr  # noqa: PLC0415
    from reflector.config.locate import find_config, load_config  # noqa: PLC0415

    notes: list[str] = []
    try:
        if arguments.frr is not None:
            path = arguments.frr
            config, notes = read_frr(path)
        else:
            path = find_config(arguments.file)
            config = load_config(arguments.file)
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    for note in notes:
        print(note)
    what = "no configuration file, the defaults hold" if path is None else f"{path}: no mistakes"
    print(
        f"{what}: AS {config.asn}, {_count(len(config.ranges), 'range')}, "
        f"{_count(len(config.neighbors), 'neighbor')}, "
        f"{_count(len(config.networks), 'network')} of our own"
    )
    return 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
