"""The control socket: the JSON API over HTTP on a Unix socket, for `bgp-reflector show`.

What needs aiohttp is in `api` and imported when the server starts, by a thread: that takes 0.2 s,
in which peers are served already.
"""

import asyncio
import contextlib
import errno
import os
import socket
import stat
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reflector.observe.reflector import Reflector
from reflector.observe.server.paths import default_socket

if TYPE_CHECKING:
    from aiohttp.web import AppRunner

# Its owner and group may ask; root may anyway.
_SOCKET_MODE: Final = 0o660
_BACKLOG: Final = 64

# Where anybody may have made our directory before us.
_SHARED: Final = Path("/tmp")  # noqa: S108 - that is why it is looked at


class ControlError(Exception):
    """The control socket can't be opened; the message says why and what to do."""


class ControlServer:
    """Serves the API while the reflector runs.

    Args:
        path: Of the socket; None for the usual place.
        reflector: What to show.
    """

    def __init__(self, path: Path | None, reflector: Reflector) -> None:
        self.path = default_socket() if path is None else path
        self._reflector = reflector
        self._runner: AppRunner | None = None
        self._inode: int | None = None

    async def start(self) -> None:
        """Open the socket and answer from now on.

        Raises:
            ControlError: It can't be opened, or another reflector holds it.
        """
        listener = self._listen()
        try:
            api = await asyncio.to_thread(import_module, "reflector.observe.server.api")
            self._runner = await api.serve(listener, self._reflector)
        except BaseException:
            listener.close()
            self._remove()
            raise

    async def stop(self) -> None:
        """Close the socket and remove it."""
        self._remove()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _listen(self) -> socket.socket:
        path = self.path
        try:
            _make_directory(path.parent)
            _remove_stale(path)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
            try:
                _bind(listener, path)
                self._inode = path.stat().st_ino
            except BaseException:
                listener.close()
                raise
        except OSError as error:
            # A path that is too long has no errno and so no strerror.
            raise ControlError(
                f"the control socket {path} can't be opened: {error.strerror or error}; "
                "`bgp-reflector show` won't work (another place: --socket)"
            ) from error
        return listener

    def _remove(self) -> None:
        """Remove the socket, unless somebody has put another in its place."""
        inode, self._inode = self._inode, None
        if inode is not None:
            with contextlib.suppress(OSError):
                if self.path.stat().st_ino == inode:
                    self.path.unlink()


def _make_directory(directory: Path) -> None:
    """Make the socket's directory, and distrust one that somebody else could have prepared.

    Raises:
        ControlError: It is another user's.
    """
    shared = directory.parent == _SHARED
    directory.mkdir(mode=0o700 if shared else 0o755, parents=True, exist_ok=True)
    if shared and directory.lstat().st_uid not in (0, os.geteuid()):
        raise ControlError(f"the control socket's directory {directory} belongs to another user")


def _remove_stale(path: Path) -> None:
    """Remove the socket of a process that is gone.

    Raises:
        ControlError: It is no socket, or somebody answers on it.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise ControlError(f"{path} is not a socket: give another place for it (--socket)")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        # EAGAIN says that the backlog is full: somebody listens, if not attentively.
        if probe.connect_ex(str(path)) in (0, errno.EAGAIN):
            raise ControlError(
                f"another bgp-reflector is running and answers on {path}: "
                "stop it, or give this one a socket of its own (--socket)"
            )
    path.unlink(missing_ok=True)


def _bind(listener: socket.socket, path: Path) -> None:
    # By umask and not by chmod, so that there is no moment in which anybody may connect.
    mask = os.umask(~_SOCKET_MODE & 0o777)
    try:
        listener.bind(str(path))
    finally:
        os.umask(mask)
    listener.listen(_BACKLOG)
