"""How commands give programs what they read."""

import sys
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

from reflector.cli.errors import CommandError


def print_json(view: Mapping[str, object]) -> None:
    """Print a view as /api/v1 gives it, indented for people who look at it all the same."""
    import json  # noqa: PLC0415 - not for tables

    print(json.dumps(view, indent=2))


def save(pieces: Iterator[bytes], path: str) -> None:
    """Write a file that comes in pieces; where nothing comes, no file is touched.

    Args:
        pieces: What to write.
        path: Where; "-" is stdout, unless that is a terminal.

    Raises:
        CommandError: It can't be written there.
    """
    first = next(pieces, b"")
    if path == "-":
        if sys.stdout.isatty():
            raise CommandError("that is no text for a terminal: name a file, or pipe it on")
        for piece in chain((first,), pieces):
            sys.stdout.buffer.write(piece)
        return
    try:
        with Path(path).open("wb") as file:
            for piece in chain((first,), pieces):
                file.write(piece)
    except OSError as error:
        raise CommandError(f"{path} can't be written: {error.strerror}") from error
