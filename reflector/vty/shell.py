"""The shell at a terminal: prompt, history, Tab and `?`, as vtysh has them."""

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import Final

from reflector.vty.commands import Commands, Exit
from reflector.vty.grammar import CommandError

_HELP_WIDTH: Final = 20

# What readline is about when a key lists what is possible (rl_completion_type).
_LISTING: Final = ord("?")


def converse(commands: Commands, name: str, run: Callable[[str], str]) -> None:
    """Read lines and answer them until the shell is left.

    Args:
        commands: What there is.
        name: Before the prompt's `#`.
        run: Answers a line.
    """
    prompt = ""
    if sys.stdin.isatty():
        prompt = f"{name}# "
        _bind_keys(commands, prompt)
    while True:
        try:
            answer = run(input(prompt))
        except EOFError:
            if prompt:
                print()  # noqa: T201 - the shell's own line end
            return
        except Exit:
            return
        except KeyboardInterrupt:
            answer = "\n"  # as vtysh: the line or the command is given up, not the shell
        except CommandError as error:
            answer = str(error)
        if answer:
            print(answer.removesuffix("\n"))  # noqa: T201 - what the shell is for


def help_lines(commands: Commands, line: str) -> list[str]:
    """What `?` prints for a line as typed so far."""
    choices = commands.grammar.next_words(line)
    if not choices:
        return ["% There is no matched command."]
    return [f"  {word:<{_HELP_WIDTH}} {meaning}".rstrip() for word, meaning in choices]


def _bind_keys(commands: Commands, prompt: str) -> None:
    """Give Tab and `?` their meaning, where Python was built with readline."""
    with contextlib.suppress(ImportError):
        import readline  # noqa: PLC0415 - not there on every system

        def complete(word: str, state: int) -> str | None:
            if readline.get_completion_type() == _LISTING:
                # Two of anything, or readline would not leave the listing to `explain`.
                return word + " " * state if state < 2 else None  # noqa: PLR2004
            found = commands.grammar.keywords(readline.get_line_buffer()[: readline.get_endidx()])
            return found[state] + " " if state < len(found) else None

        def explain(_: str, __: Sequence[str], ___: int) -> None:
            line = readline.get_line_buffer()
            print()  # noqa: T201 - readline left the cursor behind the line
            print("\n".join(help_lines(commands, line)))  # noqa: T201 - what `?` is for
            print(prompt + line, end="", flush=True)  # noqa: T201 - and the line again

        readline.set_completer(complete)
        readline.set_completer_delims(" ")
        readline.set_completion_display_matches_hook(explain)
        readline.parse_and_bind("tab: complete")
        readline.parse_and_bind('"?": possible-completions')
