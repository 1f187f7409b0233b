"""Brings a reflector's page out of its namespace to a browser of this machine."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from typing import Final

from reflector.sim.errors import SimError
from reflector.sim.namespace import new_socket
from reflector.sim.transport import Address

_READ_BYTES: Final = 1 << 16


@asynccontextmanager
async def relay(address: Address, netns: str) -> AsyncIterator[None]:
    """Listen at an address, and pass each connection on to the same one in a namespace.

    Raises:
        SimError: Somebody else listens there, or there is no such address.
    """

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        sock = new_socket(family, socket.SOCK_STREAM, netns=netns)
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own
        with closing(writer), closing(sock), suppress(OSError):
            await asyncio.get_running_loop().sock_connect(sock, address)
            there, back = await asyncio.open_connection(sock=sock)
            with closing(back):
                await asyncio.gather(_pump(reader, back), _pump(there, writer))

    try:
        server = await asyncio.start_server(serve, *address)
    except OSError as error:
        host, port = address
        why = "" if error.errno is None else f": {os.strerror(error.errno)}"
        raise SimError(f"the page can't be at {host} port {port}{why}") from error
    try:
        yield
    finally:
        server.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(_READ_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
