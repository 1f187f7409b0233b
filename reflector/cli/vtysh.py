"""`bgp-reflector vtysh`: FRR's shell, answered by a running reflector."""

import argparse
import signal
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reflector.vty.commands import Commands

_EPILOG = """\
Words may be abbreviated as in FRR's vtysh; Tab completes, and ? says what may come next. What it
prints is shaped as FRR's is, so that scripts written for `vtysh -c "show bgp summary json"` go on
working (docs/vtysh.md). Exit codes: 0 done, 1 a command failed or no reflector runs."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "vtysh",
        help="FRR's commands, at a prompt or one by one",
        description="FRR's commands, at a prompt or one by one.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        *("-c", "--command"),
        metavar="CMD",
        action="append",
        help='run this command and leave; may be repeated: -c "show bgp summary"',
    )
    parser.add_argument(
        "--serve",
        metavar="DIR",
        type=Path,
        help="answer on bgpd.vty and zebra.vty in this folder, for FRR's own vtysh and for monitors "
        "that ask FRR's daemons",
    )
    parser.add_argument(
        "--socket", metavar="PATH", type=Path, help="the reflector's control socket"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the commands that were given, or ask for some, or answer those of others.

    Returns:
        0, or 1 where a command failed.
    """
    from reflector.cli.client import Client  # noqa: PLC0415 - not for --help
    from reflector.vty.commands import Commands  # noqa: PLC0415

    commands = Commands(Client(arguments.socket))
    if arguments.serve is not None:
        _serve(commands, arguments.serve)
        return 0
    if arguments.command:
        return _run_all(commands, arguments.command)
    _converse(commands)
    return 0


def _run_all(commands: "Commands", lines: list[str]) -> int:
    """Run commands one after another, as far as they are commands."""
    from reflector.vty.commands import Exit  # noqa: PLC0415
    from reflector.vty.grammar import CommandError  # noqa: PLC0415

    for line in lines:
        try:
            answer = commands.run(line)
        except Exit:
            break
        except CommandError as error:
            print(error)
            return 1
        if answer:
            print(answer)
    return 0


def _converse(commands: "Commands") -> None:
    from reflector.cli.client import ClientError  # noqa: PLC0415
    from reflector.vty.shell import converse  # noqa: PLC0415

    def answer(line: str) -> str:
        try:
            return commands.run(line)
        except ClientError as error:
            return f"% {error}"

    if sys.stdin.isatty():
        print("Hello, this is bgp-reflector; it answers as FRRouting's vtysh does.\n")
    converse(commands, socket.gethostname().partition(".")[0], answer)


def _serve(commands: "Commands", directory: Path) -> None:
    """Answer on FRR's sockets until a signal.

    Raises:
        CommandError: They can't be opened.
    """
    from reflector.cli.client import ClientError  # noqa: PLC0415
    from reflector.cli.errors import CommandError  # noqa: PLC0415
    from reflector.vty import daemon_sockets  # noqa: PLC0415
    from reflector.vty.commands import Exit  # noqa: PLC0415
    from reflector.vty.grammar import CommandError as Unknown  # noqa: PLC0415

    def answer(line: str) -> tuple[str, int]:
        try:
            return commands.run(line), daemon_sockets.SUCCESS
        except Exit:
            return "", daemon_sockets.SUCCESS
        except Unknown as error:
            return str(error), daemon_sockets.NO_MATCH
        except ClientError as error:
            return f"% {error}", daemon_sockets.WARNING

    # Blocked before the threads are made, so that it is this one that gets them.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        with daemon_sockets.serving(directory, answer):
            print(
                f"answering FRR's commands on {', '.join(daemon_sockets.NAMES)} in {directory}",
                flush=True,
            )
            signal.sigwait(ends)
    except daemon_sockets.SocketsError as error:
        raise CommandError(str(error)) from error
