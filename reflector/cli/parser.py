"""A parser that answers a slip of the keyboard in one sentence, with what was meant."""

import argparse
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

_CHOICE = re.compile(r"(?:argument \S+: )?invalid choice: '?([^' ]*)'? \(choose from (.*)\)")


class Parser(argparse.ArgumentParser):
    """As argparse's own, but that usage errors are a sentence and not a page."""

    def parse_known_args(  # type: ignore[override] # as argparse has it for a command's own parser
        self,
        args: Sequence[str] | None = None,
        namespace: Any = None,  # noqa: ANN401 - whatever holds attributes
    ) -> tuple[Any, list[str]]:
        """Parse, and refuse here what this very command doesn't know."""
        parsed, unknown = super().parse_known_args(args, namespace)
        if unknown:
            word = unknown[0].partition("=")[0]
            options = [each for action in self._actions for each in action.option_strings]
            known = options if word.startswith("-") else []
            self.error(f"there is no {word!r} here{_meant(word, known)}")
        return parsed, unknown

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and where all that is right can be read, and exit with 2."""
        choice = _CHOICE.fullmatch(message)
        meant = choice and _meant(choice[1], re.findall(r"[\w-]+", choice[2]))
        if choice and meant:
            message = f"there is no {choice[1]!r} here{meant}"
        self.exit(2, f"{self.prog}: {message} (`{self.prog} --help` lists what there is)\n")


def _meant(word: str, known: Iterable[str]) -> str:
    """A question after what was meant, if that can be guessed."""
    from difflib import get_close_matches  # noqa: PLC0415 - only for who mistypes

    close = get_close_matches(word, list(known), n=1)
    return f": did you mean {close[0]}?" if close else ""
