"""The debug address over HTTP: one question, for `curl http://1.0.0.2/` on any node or pod."""

import asyncio
import logging
import socket
from typing import Final

from aiohttp import web

from reflector.observe.journal.limiter import Limiter, Rate
from reflector.observe.reflector import Reflector
from reflector.observe.server.answers import end_of
from reflector.observe.server.door import MAX_VISITORS, Door
from reflector.observe.who_am_i import answer as whoami
from reflector.rib.source import IPAddress

# A whole class behind one address asks at once; a script that asks all the time is told to wait.
_EACH: Final = Rate(burst=60, per_s=10.0)
_OVERALL: Final = Rate(burst=300, per_s=100.0)

_SHUTDOWN_S: Final = 0.1
# Who has its answer is not waited for.
_KEEPALIVE_S: Final = 5.0

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


class WhoamiServer(web.AppRunner):
    """Answers on one address.

    Args:
        reflector: Of whose peers it tells.
    """

    def __init__(self, reflector: Reflector) -> None:
        # aiohttp would print what it can't parse as a traceback, past our log; it answers 400 anyway.
        logging.getLogger("aiohttp.server").disabled = True
        application = web.Application()
        application.add_routes([web.get("/", self._answer)])
        super().__init__(
            application,
            access_log=None,
            shutdown_timeout=_SHUTDOWN_S,
            keepalive_timeout=_KEEPALIVE_S,
        )
        self._reflector = reflector
        self._loop = asyncio.get_running_loop()
        self._limiter: Limiter[IPAddress, None] = Limiter(_EACH, _OVERALL, self._loop.time)
        self._listening: asyncio.Server | None = None

    async def listen(self, listener: socket.socket) -> None:
        """Answer on a socket from now on."""
        await self.setup()
        assert self.server is not None  # noqa: S101 - after `setup`
        door = Door(self.server, MAX_VISITORS)
        self._listening = await self._loop.create_server(door, sock=listener)

    async def cleanup(self) -> None:
        """Stop answering."""
        if self._listening is not None:
            self._listening.close()
        await super().cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        source = end_of(request, "peername")
        if source is None:
            raise web.HTTPBadRequest
        if not self._limiter.admit_silently(source):
            raise web.HTTPTooManyRequests(
                text="Too many questions; ask again in a second.\n", headers={"Retry-After": "1"}
            )
        told = whoami.answer(self._reflector, source, self._loop.time())
        if "text/html" in request.headers.get("Accept", ""):
            text, content_type = whoami.as_html(told), "text/html"
        else:
            text, content_type = whoami.as_text(told), "text/plain"
        return web.Response(text=text, content_type=content_type, headers=_HEADERS)


async def serve(listener: socket.socket, reflector: Reflector) -> WhoamiServer:
    """Answer on a listening socket.

    Returns:
        What is to be cleaned up at the end.
    """
    server = WhoamiServer(reflector)
    await server.listen(listener)
    return server
