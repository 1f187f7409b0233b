"""`bgp-reflector events`: what has happened lately, and what happens."""

import argparse
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from reflector.cli.client import Client

# A person doesn't notice half a second, and the reflector doesn't notice the question.
_POLL_S: Final = 0.5


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "events",
        help="tell what has happened lately",
        description="Tell what has happened lately: peers that came and went, and what was wrong.",
        epilog="As a stream for programs: /api/v1/events (docs/api.md).",
    )
    parser.add_argument("--follow", "-f", action="store_true", help="go on until Ctrl-C")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
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

    try:
        _tell(Client(arguments.socket), arguments)
    except KeyboardInterrupt:
        return 0  # that is how following ends
    return 0


def _tell(client: "Client", arguments: argparse.Namespace) -> None:
    seen = 0
    while True:
        for event in client.get("history")["events"]:
            if event["number"] > seen:
                _print(event, as_json=arguments.json)
                seen = event["number"]
        sys.stdout.flush()
        if not arguments.follow:
            return
        time.sleep(_POLL_S)


def _print(event: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        import json  # noqa: PLC0415

        print(json.dumps(event))
        return
    print(event_line(event))


def event_line(event: dict[str, Any]) -> str:
    """Something that happened, on one line."""
    from reflector.cli.table import printable  # noqa: PLC0415

    at = datetime.fromtimestamp(event["at"]).astimezone().strftime("%H:%M:%S")
    return f"{at}  {event['level']:<7}  {printable(event['message'])}"
