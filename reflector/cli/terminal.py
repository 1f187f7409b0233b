"""A terminal to draw on, and a whole one that is left as it was found."""

import os
import re
import select
import shutil
import signal
import sys
import termios
import tty
from collections.abc import Sequence
from types import FrameType, TracebackType
from typing import Any, Final, Self

_ENTER: Final = "\x1b[?1049h\x1b[?25l"  # the other screen, without a cursor
_LEAVE: Final = "\x1b[?25h\x1b[?1049l"
_HOME: Final = "\x1b[H"
_END_OF_LINE: Final = "\x1b[K"
_END_OF_SCREEN: Final = "\x1b[J"
_RESET: Final = "\x1b[0m"
_COLOUR: Final = re.compile("\x1b\\[[0-9;]*m")

_END_OF_INPUT: Final = "\x04"


def can_draw() -> bool:
    """Whether stdout is a terminal that can be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


def clip(line: str, columns: int) -> str:
    """A line without what doesn't fit; colours take no place."""
    if len(line) <= columns:
        return line
    parts: list[str] = []
    room, at = columns, 0
    for found in _COLOUR.finditer(line):
        text = line[at : found.start()]
        parts += [text[:room], found[0]]
        room = max(0, room - len(text))
        at = found.end()
    parts.append(line[at:][:room])
    clipped = "".join(parts)
    return clipped + _RESET if at else clipped


class FullScreen:
    """The whole terminal while it is entered: drawn on, and asked for keys.

    However it is left, by an exception, a signal or suspending the process, the terminal is then as
    it was before.
    """

    def __init__(self) -> None:
        self._stdin = sys.stdin.fileno() if sys.stdin.isatty() else None
        self._before: list[Any] | None = None
        self._signals: dict[int, Any] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def __enter__(self) -> Self:
        self._take()
        handlers = {
            signal.SIGWINCH: self._wake,
            signal.SIGCONT: self._go_on,
            signal.SIGTSTP: self._suspend,
            signal.SIGTERM: _quit,
            signal.SIGHUP: _quit,
        }
        for number, handler in handlers.items():
            self._signals[number] = signal.signal(number, handler)
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for number, handler in self._signals.items():
            signal.signal(number, handler)
        self._give_back()
        os.close(self._wake_read)
        os.close(self._wake_write)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines, as they are now."""
        size = shutil.get_terminal_size()
        return size.columns, size.lines

    def draw(self, lines: Sequence[str]) -> None:
        """Draw lines over what is there; what doesn't fit is left out."""
        columns, most = self.size
        shown = [clip(line, columns) + _END_OF_LINE for line in lines[:most]]
        sys.stdout.write(_HOME + "\n".join(shown) + _END_OF_SCREEN)
        sys.stdout.flush()

    def wait(self, seconds: float) -> str:
        """Wait for a key, or until the size of the terminal changes, or for so long.

        Returns:
            The keys that were pressed; empty for none.
        """
        asked = [self._wake_read] + ([] if self._stdin is None else [self._stdin])
        ready, _, _ = select.select(asked, [], [], seconds)
        if self._wake_read in ready:
            os.read(self._wake_read, 64)
        if self._stdin is not None and self._stdin in ready:
            return os.read(self._stdin, 64).decode(errors="replace") or _END_OF_INPUT
        return ""

    def _take(self) -> None:
        if self._stdin is not None:
            self._before = termios.tcgetattr(self._stdin)
            tty.setcbreak(self._stdin)
        sys.stdout.write(_ENTER)
        sys.stdout.flush()

    def _give_back(self) -> None:
        if self._stdin is not None and self._before is not None:
            termios.tcsetattr(self._stdin, termios.TCSADRAIN, self._before)
        sys.stdout.write(_LEAVE)
        sys.stdout.flush()

    def _wake(self, _number: int, _frame: FrameType | None) -> None:
        os.write(self._wake_write, b".")

    def _suspend(self, _number: int, _frame: FrameType | None) -> None:
        self._give_back()
        signal.signal(signal.SIGTSTP, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGTSTP)

    def _go_on(self, number: int, frame: FrameType | None) -> None:
        if signal.getsignal(signal.SIGTSTP) is signal.SIG_DFL:
            signal.signal(signal.SIGTSTP, self._suspend)
            self._take()
        self._wake(number, frame)


def _quit(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def is_end(keys: str) -> bool:
    """Whether keys say that somebody wants to leave: q, or Ctrl-D."""
    return any(key in "qQ" or key == _END_OF_INPUT for key in keys)
