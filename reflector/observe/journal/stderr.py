"""Lines to stderr that never make the event loop wait.

A terminal that is scrolled back, a full pipe or a stalled log driver blocks whoever writes to it.
So a thread writes, from a queue with a bound; what doesn't fit is counted, for the log to say so.
The descriptor itself stays blocking: a terminal's is shared with the shell.
"""

import os
import sys
import threading
import time
from collections import deque
from typing import Final

# Some 2 MB of lines: minutes of a busy log, and nothing for a machine's memory.
_MAX_QUEUED_LINES: Final = 10_000

# Lines come in bursts, a class's all at once. The thread lets one gather before it writes: woken for
# every line, it would take turns with the event loop for as long as the burst lasts.
_GATHER_S: Final = 0.005

# One write to a pipe of at most so many octets at a time keeps the thread's own copies small.
_MAX_WRITE_LINES: Final = 200


class LineWriter:
    """Writes lines to a descriptor from a thread of its own, which begins with the first line.

    Args:
        fd: Where to write; None swallows everything, for a process that was started without.
        max_lines: How many may wait.
    """

    def __init__(self, fd: int | None, max_lines: int = _MAX_QUEUED_LINES) -> None:
        self._fd = fd
        self._max_lines = max_lines
        self._queue: deque[str] = deque()
        self._changed = threading.Condition()
        self._writing = False
        self._started = False
        self._dropped = 0

    def write(self, line: str) -> None:
        """Queue a line, without its end; dropped and counted where the queue is full."""
        if self._fd is None:
            return
        with self._changed:
            if len(self._queue) >= self._max_lines:
                self._dropped += 1
                return
            self._queue.append(line)
            if not self._started:
                self._started = True
                threading.Thread(target=self._run, name="log", daemon=True).start()
            if len(self._queue) == 1:
                self._changed.notify_all()

    def take_dropped(self) -> int:
        """How many lines were dropped since the last call; 0 while there is no room to say so."""
        with self._changed:
            if len(self._queue) >= self._max_lines:
                return 0
            dropped, self._dropped = self._dropped, 0
            return dropped

    def flush(self, within_s: float) -> bool:
        """Wait until everything is written.

        Args:
            within_s: The longest to wait: who reads may have stopped for good.

        Returns:
            Whether it is.
        """
        give_up_at = time.monotonic() + within_s
        with self._changed:
            while self._queue or self._writing:
                left_s = give_up_at - time.monotonic()
                if left_s <= 0:
                    return False
                self._changed.wait(left_s)
        return True

    def _run(self) -> None:
        while True:
            with self._changed:
                self._writing = False
                self._changed.notify_all()
                while not self._queue:
                    self._changed.wait()
            time.sleep(_GATHER_S)
            with self._changed:
                count = min(len(self._queue), _MAX_WRITE_LINES)
                lines = [self._queue.popleft() for _ in range(count)]
                self._writing = True
                fd = self._fd
            if fd is not None and not _write_all(fd, lines):
                with self._changed:
                    self._fd = None
                    self._queue.clear()


def stderr_fd() -> int | None:
    """The descriptor of stderr; None if the process was started without one.

    Never the number 2 unseen: in such a process it may by now be a peer's socket.
    """
    try:
        return sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        return None


def _write_all(fd: int, lines: list[str]) -> bool:
    """Write lines, however long that takes.

    Returns:
        Whether anybody can still be reading.
    """
    data = memoryview("".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace"))
    while data:
        try:
            data = data[os.write(fd, data) :]
        except BlockingIOError:
            time.sleep(0.05)  # somebody else made the shared descriptor non-blocking
        except OSError:
            return False
    return True
