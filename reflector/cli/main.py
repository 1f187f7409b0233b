"""`bgp-reflector`: finds the command and runs it."""

import argparse
import errno
import os
import sys
from collections.abc import Collection
from importlib import import_module
from typing import Final

from reflector import __version__
from reflector.cli.errors import CommandError
from reflector.cli.parser import Parser

# A command's module is imported only to run it or to print its help.
_COMMANDS: Final = {
    "run": "start the route reflector",
    "check": "check a configuration file",
    "schema": "print the configuration's JSON Schema",
    "show": "show what a running reflector knows",
    "explain": "why a route is as it is, and why a peer has it or not",
    "flags": "print what to start every kube-router with",
    "problems": "tell what is wrong, and what mends it",
    "watch": "the class on a terminal, as it changes",
    "events": "tell what has happened lately",
    "dump": "write the whole table as a file for other tools",
    "clear": "drop a session, which comes back",
    "refresh": "ask a peer for its routes again, and send it ours",
    "disconnect": "take a cluster off the others, sessions stay up",
    "connect": "connect a cluster with the others again",
    "debug-route": "hide the reflector's own routes, or show them",
    "vtysh": "FRR's commands, at a prompt or one by one",
    "completion": "print what makes a shell complete the arguments",
    "rehearse": "play a whole class on this machine",
    "health": "tell whether the reflector is up, by exit code",
}

_DESCRIPTION: Final = """\
A BGP route reflector for classrooms and labs. Every kube-router that is started with
--peer-router-ips=ADDRESS --peer-router-asns=64512 peers with it, and all clusters reach
each other's pods."""


def parser_with(names: Collection[str] = tuple(_COMMANDS)) -> argparse.ArgumentParser:
    """The command line's parser.

    Args:
        names: The commands whose own arguments it knows; of the others it knows that they are there.
    """
    parser = Parser(prog="bgp-reflector", description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"bgp-reflector {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, summary in _COMMANDS.items():
        if name in names:
            import_module(f"reflector.cli.{name.replace('-', '_')}").add_parser(subparsers)
        else:
            subparsers.add_parser(name, help=summary)
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        arguments: As after the program's name; the process's own if None.

    Returns:
        The exit code: 0 done, 1 failed with one sentence on stderr. Usage errors exit 2.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if sys.stdout is None:  # the shell closed it, `>&-`
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - for as long as the process
    chosen = [word for word in arguments if not word.startswith("-")][:1]
    parsed = parser_with(chosen).parse_args(arguments)
    try:
        code = int(parsed.run(parsed))
        sys.stdout.flush()
    except CommandError as error:
        print(f"bgp-reflector: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever reads has enough (`| head`). What Python would still flush goes nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.stderr.write(f"bgp-reflector: what it prints can't be written: {error.strerror}\n")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130  # as a shell reports a command that ended by SIGINT
    return code
