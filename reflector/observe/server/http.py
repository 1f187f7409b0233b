"""The page and the API over HTTP on TCP, for browsers, scripts and Prometheus.

Nothing that can be asked here changes anything; orders are taken from named addresses alone
(`teaching`). What needs aiohttp is imported when it starts, by a thread, as for the control socket.
"""

import asyncio
import errno
import socket
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Final

from reflector.observe.reflector import Reflector
from reflector.rib.source import IPAddress

if TYPE_CHECKING:
    from aiohttp.web import AppRunner

_BACKLOG: Final = 128

# linux/in.h; not in the socket module.
_IP_FREEBIND: Final = 15


class HttpError(Exception):
    """The page can't be served; the message says why and what to do."""


class HttpServer:
    """Serves the page while the reflector runs.

    Args:
        address: To listen on.
        port: TCP port.
        reflector: What to show.
    """

    # The module whose `serve` answers, imported only when it starts; and what a message calls it.
    _module: ClassVar = "reflector.observe.server.web"
    _what: ClassVar = "the page"
    _option: ClassVar = "--http"

    def __init__(self, address: IPAddress, port: int, reflector: Reflector) -> None:
        self._address = address
        self._port = port
        self._reflector = reflector
        self._server: AppRunner | None = None

    @property
    def url(self) -> str:
        """Where a browser on this machine finds it."""
        return f"http://{'localhost' if self._address.is_unspecified else self._host}:{self._port}/"

    @property
    def _host(self) -> str:
        """The address as a URL has it."""
        return f"[{self._address}]" if self._address.version == 6 else str(self._address)  # noqa: PLR2004

    async def start(self) -> None:
        """Listen and answer from now on.

        Raises:
            HttpError: The address can't be listened on.
        """
        listener = self._open()
        try:
            module = await asyncio.to_thread(import_module, self._module)
            self._server = await module.serve(listener, self._reflector)
        except BaseException:
            listener.close()
            raise

    async def stop(self) -> None:
        """Stop answering, whoever is looking."""
        if self._server is not None:
            await self._server.cleanup()
            self._server = None

    def _open(self) -> socket.socket:
        address = self._address
        family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
        listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                # [::] is for IPv4 too: one address is all that can be given.
                listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            self._prepare(listener)
            listener.bind((str(address), self._port))
            listener.listen(_BACKLOG)
        except OSError as error:
            listener.close()
            raise HttpError(
                f"{self._what} can't be served on {self._host}:{self._port}: {_why(error)} "
                f"(another place: {self._option} ADDRESS:PORT; none: {self._option} off)"
            ) from error
        return listener

    def _prepare(self, listener: socket.socket) -> None:
        """Set what a socket needs before it is bound."""


def _why(error: OSError) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return "something else listens there"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address; `ip address` lists those it has"
        case errno.EACCES | errno.EPERM:
            return "not permitted, ports below 1024 are for root and CAP_NET_BIND_SERVICE"
    return error.strerror or str(error)


class WhoamiListener(HttpServer):
    """Serves on the debug address what `whoami` tells, while the reflector runs."""

    _module: ClassVar = "reflector.observe.who_am_i.server"
    _what: ClassVar = "who asks"
    _option: ClassVar = "--whoami"

    def _prepare(self, listener: socket.socket) -> None:
        # The address may be given to the machine later, by somebody who is allowed to.
        listener.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
