"""`bgp-reflector events`: what has happened lately, and what happens."""

import argparse
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from reflector.cli.errors import CommandError

if TYPE_CHECKING:
    from reflector.cli.client import Client

# A person doesn't notice half a second, and the reflector doesn't notice the question.
_POLL_S: Final = 0.5
# Events that are asked for at once: as many as the reflector keeps.
_MOST: Final = "500"


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "events",
        help="tell what has happened lately",
        description="Tell what has happened lately: peers that came and went, and what was wrong.",
        epilog="As a stream for programs: /api/v1/events (docs/api.md).",
    )
    parser.add_argument("--follow", "-f", action="store_true", help="go on until Ctrl-C")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="one JSON object a line")
    form.add_argument(
        "--format",
        choices=("exabgp",),
        help="exabgp: sessions and UPDATEs as ExaBGP tells its processes, what there is first "
        "(with --follow)",
    )
    parser.add_argument(
        "--socket", metavar="PATH", type=Path, help="the reflector's control socket"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask, and print; again and again where it is to follow.

    Returns:
        0: it ends when all is told, or by Ctrl-C.
    """
    from reflector.cli.client import Client  # noqa: PLC0415 - not for --help

    if arguments.format and not arguments.follow:
        raise CommandError("ExaBGP's format is a stream without an end: add --follow")
    try:
        if arguments.format:
            _follow(Client(arguments.socket, timeout_s=None), arguments.format)
        else:
            _tell(Client(arguments.socket), arguments)
    except KeyboardInterrupt:
        return 0  # that is how following ends
    return 0


def _follow(client: "Client", wanted: str) -> None:
    for line in client.lines("events", format=wanted):
        sys.stdout.buffer.write(line)
        sys.stdout.buffer.flush()
    raise CommandError("the reflector ended the stream: it stopped, or this reads too slowly")


def _tell(client: "Client", arguments: argparse.Namespace) -> None:
    view = client.get("history")
    for event in view["events"]:
        _print(event, as_json=arguments.json)
    seen = view["newest"]
    while arguments.follow:
        sys.stdout.flush()
        time.sleep(_POLL_S)
        seen = _tell_new(client, seen, as_json=arguments.json)


def _tell_new(client: "Client", seen: int, *, as_json: bool) -> int:
    """Print what has happened since an event; returns the number of the last."""
    while True:
        view = client.get("history", after=str(seen), limit=_MOST)
        if view["newest"] < seen:
            seen = 0  # another reflector answers: it was started anew
            continue
        for event in view["events"]:
            if event["number"] > seen + 1:
                _print_missed(event, event["number"] - seen - 1, as_json=as_json)
            _print(event, as_json=as_json)
            seen = event["number"]
        if not view["events"] or seen >= view["newest"]:
            return seen


def _print_missed(event: dict[str, Any], count: int, *, as_json: bool) -> None:
    message = f"{count} events are missing here: more came at once than the reflector keeps"
    said = {"at": event["at"], "level": "warning", "event": "missed", "message": message}
    _print(said, as_json=as_json)


def _print(event: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        import json  # noqa: PLC0415

        print(json.dumps(event))
        return
    from reflector.cli.table import fold, terminal_columns  # noqa: PLC0415

    print("\n".join(fold(event_line(event), terminal_columns(), _INDENT)))


# Of the words behind time and level.
_INDENT: Final = 19


def event_line(event: dict[str, Any]) -> str:
    """Something that happened, on one line."""
    from reflector.cli.table import printable  # noqa: PLC0415

    at = datetime.fromtimestamp(event["at"]).astimezone().strftime("%H:%M:%S")
    return f"{at}  {event['level']:<7}  {printable(event['message'])}"
