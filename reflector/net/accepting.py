"""Taking connections from listening sockets, a bounded number a turn."""

import asyncio
import errno
import socket
from collections.abc import Callable
from typing import Final

from reflector.reports import Report, Trouble

# Connections taken from a listening socket in one turn, so that a flood of them starves nobody.
_ACCEPT_TURN: Final = 32

# How long to stop accepting when the process is out of file descriptors; sessions live on.
_ACCEPT_PAUSE_S: Final = 1.0


class Acceptor:
    """Takes connections, and pauses while the process has no descriptors left for them.

    Args:
        adopt: Takes over a connected socket.
        report: Told of the pauses.
    """

    def __init__(
        self, adopt: Callable[[socket.socket], object], report: Callable[[Report], None]
    ) -> None:
        self._adopt = adopt
        self._report = report
        self._loop = asyncio.get_running_loop()
        self._listeners: set[socket.socket] = set()

    def accept_from(self, listener: socket.socket) -> None:
        """Take connections from a listening socket from now on."""
        self._listeners.add(listener)
        self._loop.add_reader(listener, self._on_acceptable, listener)

    def refuse_from(self, listener: socket.socket) -> None:
        """Stop taking connections from a listening socket."""
        self._listeners.discard(listener)
        self._loop.remove_reader(listener)

    def _on_acceptable(self, listener: socket.socket) -> None:
        for _ in range(_ACCEPT_TURN):
            try:
                sock, _ = listener.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:
                if error.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                    self._pause(listener, error)
                    return
                continue  # the peer gave up between connecting and being accepted
            sock.setblocking(False)  # noqa: FBT003 - the one thing that it has not from the listener
            self._adopt(sock)

    def _pause(self, listener: socket.socket, error: OSError) -> None:
        self._loop.remove_reader(listener)
        self._report(
            Trouble(
                f"no new connections for {_ACCEPT_PAUSE_S:.0f} s, {error.strerror}: "
                "raise the limit of open files (ulimit -n)"
            )
        )
        self._loop.call_later(_ACCEPT_PAUSE_S, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if listener in self._listeners and listener.fileno() >= 0:
            self.accept_from(listener)
