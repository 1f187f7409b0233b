"""What may stand behind a command: `| include REGEX`, as FRR's vtysh takes it."""

import re
from collections.abc import Callable

from reflector.vty.grammar import CommandError


def piped(line: str) -> tuple[str, Callable[[str], str]]:
    """Divide a line at its bar.

    Args:
        line: A command, maybe with a bar and what is to be done with its output.

    Returns:
        The command, and what makes of its output what is printed.

    Raises:
        CommandError: What stands behind the bar is not `include` and a regular expression.
    """
    command, bar, rest = line.partition("|")
    if not bar:
        return command, _whole
    action, _, expression = rest.strip().partition(" ")
    if action != "include":
        raise CommandError(f"% Unknown action '{action}'")
    if not expression:
        raise CommandError("% Need a regexp to filter with")
    try:
        wanted = re.compile(expression.strip())
    except re.error:
        raise CommandError(f"% Bad regexp '{expression}'") from None
    return command, lambda text: "\n".join(filter(wanted.search, text.split("\n")))


def _whole(text: str) -> str:
    return text
