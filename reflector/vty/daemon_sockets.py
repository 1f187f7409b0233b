"""The Unix sockets on which FRR's daemons answer, `bgpd.vty` and `zebra.vty`, for who asks there.

FRR's vtysh and Prometheus' frr_exporter connect to these. A command ends in a zero octet; an answer ends
in three of them and the command's status.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingUnixStreamServer
from typing import Final

# FRR's enum of what became of a command (lib/command.h).
SUCCESS: Final = 0
WARNING: Final = 1
NO_MATCH: Final = 2

# What answers which daemon's questions: ours know no difference.
NAMES: Final = ("bgpd.vty", "zebra.vty")

_MAX_COMMAND_BYTES: Final = 4096
_MAX_CONNECTIONS: Final = 32
# A monitor closes at once; vtysh at a terminal stays, and leaves sooner where others come.
_IDLE_S: Final = 600.0
# The owner and the group, as FRR has them: commands may drop sessions.
_MODE: Final = 0o660

Answer = Callable[[str], tuple[str, int]]


class SocketsError(Exception):
    """They can't be opened; the message says why."""


@contextmanager
def serving(directory: Path, answer: Answer) -> Iterator[None]:
    """Answer on the sockets, in threads, until the context ends.

    Args:
        directory: Where they are made.
        answer: What a command prints, and its status.

    Raises:
        SocketsError: They can't be made there.
    """
    servers: list[_Server] = []
    try:
        for name in NAMES:
            servers.append(_open(directory / name, answer))
            threading.Thread(target=servers[-1].serve_forever, daemon=True).start()
        yield
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
            with suppress(OSError):
                if server.path.stat().st_ino == server.inode:
                    server.path.unlink()


class _Server(ThreadingUnixStreamServer):
    """One socket, and a thread for each connection."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, path: Path, answer: Answer) -> None:
        self.path = path
        self.answer = answer
        self._lock = threading.Lock()
        self._visitors: dict[socket.socket, None] = {}  # who said something last is last
        super().__init__(str(path), _Conversation)
        self.inode = path.stat().st_ino

    def enter(self, visitor: socket.socket) -> None:
        """Somebody is here, or has said something; where too many are, who was silent longest goes."""
        with self._lock:
            self._visitors.pop(visitor, None)
            if len(self._visitors) >= _MAX_CONNECTIONS:
                silent = next(iter(self._visitors))
                del self._visitors[silent]
                with suppress(OSError):
                    silent.shutdown(socket.SHUT_RDWR)
            self._visitors[visitor] = None

    def leave(self, visitor: socket.socket) -> None:
        """Somebody has gone."""
        with self._lock:
            self._visitors.pop(visitor, None)


class _Conversation(BaseRequestHandler):
    """A connection: commands one after another."""

    request: socket.socket
    server: _Server

    def handle(self) -> None:
        """Answer until the other side has enough."""
        self.server.enter(self.request)
        try:
            self.request.settimeout(_IDLE_S)
            for line in self._lines():
                text, status = self.server.answer(line)
                if text and not text.endswith("\n"):
                    text += "\n"
                self.request.sendall(text.encode() + bytes((0, 0, 0, status)))
        except OSError:
            pass  # it left, or stays too long
        finally:
            self.server.leave(self.request)

    def _lines(self) -> Iterator[str]:
        held = b""
        while len(held) <= _MAX_COMMAND_BYTES:
            piece = self.request.recv(_MAX_COMMAND_BYTES)
            if not piece:
                return
            self.server.enter(self.request)
            *whole, held = (held + piece).split(b"\0")
            for line in whole:
                yield line.decode(errors="replace")


def _open(path: Path, answer: Answer) -> _Server:
    """Make a socket, in the place of one on which nobody answers any more."""
    mask = os.umask(~_MODE & 0o777)
    try:
        if path.exists() and not path.is_socket():
            raise SocketsError(f"{path} is not a socket: move it, or give another folder")
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(path))
            except FileNotFoundError:
                pass
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise SocketsError(f"{path}: somebody answers there already")
        return _Server(path, answer)
    except OSError as error:
        raise SocketsError(f"{path}: {error.strerror or error}") from error
    finally:
        os.umask(mask)
