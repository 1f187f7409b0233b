"""A simulated peer's TCP connection, on the bare socket so that it can misbehave.

It is closed without the event loop's help: a test's loop may be gone when its fixtures end.
"""

import asyncio
import contextlib
import errno
import socket
import struct
from collections.abc import Callable
from ipaddress import ip_address
from typing import Final

from reflector.sim.namespace import new_socket

_READ_BYTES: Final = 1 << 16

# linux/tcp.h; not in the socket module.
_TCP_MD5SIG: Final = 14
_TCP_MD5SIG_EXT: Final = 32
_TCP_MD5SIG_FLAG_PREFIX: Final = 1
MAX_KEY_BYTES: Final = 80

Address = tuple[str, int]


class Transport:
    """One connection.

    Args:
        sock: Connected and non-blocking.
        on_data: Called with what arrives.
        on_lost: Called once when the connection is gone, with the reason in words. Not called after
            `close` or `reset`.
    """

    def __init__(
        self,
        sock: socket.socket,
        on_data: Callable[[bytes], None],
        on_lost: Callable[[str], None],
    ) -> None:
        self._sock = sock
        self._on_data = on_data
        self._on_lost = on_lost
        self._loop = asyncio.get_running_loop()
        self._queue = bytearray()
        self._drained: asyncio.Future[None] | None = None
        self._reading = False
        self._finishing = False
        self.local: Address = sock.getsockname()[:2]
        self.remote: Address = sock.getpeername()[:2]
        self.resume_reading()

    @property
    def closed(self) -> bool:
        """Whether the connection is no more."""
        return self._sock.fileno() < 0

    def write(self, data: bytes) -> None:
        """Send octets, at once as far as the socket takes them."""
        if self.closed or self._finishing:
            return
        if not self._queue:
            data = data[self._send(data) :]
        if data and not self.closed:
            if not self._queue:
                self._loop.add_writer(self._sock.fileno(), self._on_writable)
            self._queue += data

    async def drain(self) -> None:
        """Wait until everything that was written is in the kernel, or the connection is gone."""
        while self._queue and not self.closed:
            if self._drained is None or self._drained.done():
                self._drained = self._loop.create_future()
            await asyncio.shield(self._drained)

    def pause_reading(self) -> None:
        """Leave what arrives in the kernel."""
        if self._reading:
            self._reading = False
            self._loop.remove_reader(self._sock.fileno())

    def resume_reading(self) -> None:
        """Take what arrives."""
        if not self._reading and not self.closed:
            self._reading = True
            self._loop.add_reader(self._sock.fileno(), self._on_readable)

    def finish(self) -> None:
        """Say that nothing more will be sent, once what was written is out (FIN)."""
        self._finishing = True
        if not self._queue and not self.closed:
            with contextlib.suppress(OSError):
                self._sock.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Close at once with a reset (RST), as a machine that has lost its memory does."""
        if not self.closed:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close()

    def close(self) -> None:
        """Close at once: the kernel sends FIN, or RST if something that arrived was not read."""
        if self.closed:
            return
        if not self._loop.is_closed():
            self._loop.remove_reader(self._sock.fileno())
            self._loop.remove_writer(self._sock.fileno())
            if self._drained is not None and not self._drained.done():
                self._drained.set_result(None)
        self._reading = False
        self._queue.clear()
        self._sock.close()

    def _on_readable(self) -> None:
        try:
            data = self._sock.recv(_READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self._lose(_words(error))
            return
        if data:
            self._on_data(data)
        else:
            self._lose("closed the connection")

    def _on_writable(self) -> None:
        del self._queue[: self._send(self._queue)]
        if not self._queue and not self.closed:
            self._loop.remove_writer(self._sock.fileno())
            if self._drained is not None and not self._drained.done():
                self._drained.set_result(None)
            if self._finishing:
                self.finish()

    def _send(self, data: bytes | bytearray) -> int:
        try:
            return self._sock.send(data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            # Told by the loop's next turn: whoever writes is in the middle of its own work. What
            # the other side said last may still be there to be read.
            self._loop.call_soon(self._broken, _words(error))
            return len(data)

    def _broken(self, reason: str) -> None:
        if not self.closed and not self._reading:
            self._lose(reason)

    def _lose(self, reason: str) -> None:
        self.close()
        self._on_lost(reason)


async def open_socket(
    host: str, port: int, source: str | None, password: str | None, netns: str | None = None
) -> socket.socket:
    """Connect.

    Args:
        host: Address to dial.
        port: TCP port.
        source: Address to dial from; None leaves it to the kernel.
        password: Signs the connection (RFC 2385).
        netns: The network namespace to dial from; None is the process's own.

    Raises:
        OSError: The connection can't be made.
        SimError: There is no such namespace.
    """
    family = socket.AF_INET if ip_address(host).version == 4 else socket.AF_INET6  # noqa: PLR2004
    sock = new_socket(family, socket.SOCK_STREAM, netns=netns)
    try:
        tune(sock)
        if password is not None:
            sign(sock, host, password)
        if source is not None:
            # The port is chosen when connecting, so that ports of one source serve many targets.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_IP, _IP_BIND_ADDRESS_NO_PORT, 1)
            sock.bind((source, 0))
        await asyncio.get_running_loop().sock_connect(sock, (host, port))
    except BaseException:
        sock.close()
        raise
    return sock


def tune(sock: socket.socket) -> None:
    """Make a socket non-blocking, and send what is written at once."""
    sock.setblocking(False)  # noqa: FBT003 - the socket module's own
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def sign(sock: socket.socket, address: str, password: str, *, anybody: bool = False) -> None:
    """Sign what is sent to an address, and demand it of what comes from there (RFC 2385).

    Args:
        sock: About to connect, or to listen.
        address: Of the other side.
        password: The shared secret, at most 80 octets.
        anybody: Whether every address of that family is meant.

    Raises:
        OSError: The kernel can't, or refuses the key.
    """
    key = password.encode()
    if len(key) > MAX_KEY_BYTES:
        raise OSError(errno.EINVAL, "the password is longer than 80 octets")
    peer = ip_address(address)
    if peer.version == 4:  # noqa: PLR2004
        sockaddr = struct.pack("=HH4s", socket.AF_INET, 0, peer.packed)
    else:
        sockaddr = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, peer.packed, 0)
    name, flags = (_TCP_MD5SIG_EXT, _TCP_MD5SIG_FLAG_PREFIX) if anybody else (_TCP_MD5SIG, 0)
    option = struct.pack("=128sBBHi80s", sockaddr, flags, 0, len(key), 0, key)
    sock.setsockopt(socket.IPPROTO_TCP, name, option)


# linux/in.h; not in the socket module.
_IP_BIND_ADDRESS_NO_PORT: Final = 24


def _words(error: OSError) -> str:
    if isinstance(error, ConnectionResetError):
        return "reset the connection"
    return f"broke the connection: {error.strerror or error}"
