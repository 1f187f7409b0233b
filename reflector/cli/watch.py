"""`bgp-reflector watch`: the class on a terminal, as it is now and as it changes."""

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any, Final

from reflector.cli.arguments import asking
from reflector.cli.output import print_json

if TYPE_CHECKING:
    from reflector.cli.client import Client

View = dict[str, Any]

# A second is "at once" for a class; asking may take a tenth of the time.
_PERIOD_S: Final = 1.0
_SHARE: Final = 10

# Rows that any terminal has no room for.
_MOST: Final = 200

_EPILOG: Final = """\
q or Ctrl-C ends it. Where the output is no terminal, what is now is printed once."""


def add_parser(subparsers: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Declare the command."""
    parser = subparsers.add_parser(
        "watch",
        parents=[asking()],
        help="the class on a terminal, as it changes",
        description="Show nodes, problems, routes and what has happened, as it changes.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Ask and draw, again and again.

    Returns:
        0: somebody has seen enough.
    """
    from reflector.cli.client import Client  # noqa: PLC0415 - not for --help
    from reflector.cli.terminal import can_draw  # noqa: PLC0415

    client = Client(arguments.socket)
    view = ask(client)
    if arguments.json:
        print_json(view)
    elif can_draw():
        _watch(client, view)
    else:
        from reflector.cli.watch_picture import picture  # noqa: PLC0415

        print("\n".join(picture(view, time.time(), None)))
    return 0


def ask(client: "Client") -> View:
    """Everything that is shown, in one view.

    Raises:
        ClientError: Nothing runs, or it doesn't answer.
    """
    return {
        "summary": client.get("summary"),
        "clusters": client.get("clusters")["clusters"],
        "problems": client.get("problems")["problems"],
        "routes": client.get("routes", search="", limit=str(_MOST)),
        "events": client.get("history", limit=str(_MOST))["events"],
    }


def _watch(client: "Client", view: View) -> None:
    from reflector.cli.client import ClientError  # noqa: PLC0415
    from reflector.cli.terminal import FullScreen, is_end  # noqa: PLC0415
    from reflector.cli.watch_picture import picture  # noqa: PLC0415

    trouble = ""
    due_s = time.monotonic() + _PERIOD_S
    try:
        with FullScreen() as screen:
            while True:
                screen.draw(picture(view, time.time(), screen.size, trouble))
                if is_end(screen.wait(max(0.0, due_s - time.monotonic()))):
                    return
                began_s = time.monotonic()
                if began_s < due_s:
                    continue  # the terminal has another size
                try:
                    view, trouble = ask(client), ""
                except ClientError as error:
                    trouble = str(error)
                now_s = time.monotonic()
                due_s = now_s + max(_PERIOD_S, _SHARE * (now_s - began_s))
    except KeyboardInterrupt:
        return  # that is how watching ends
    finally:
        sys.stdout.flush()
