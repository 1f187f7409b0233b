"""The API's paths to files for other tools: what was said on connections, which it also decodes, and the table."""

import json
from collections.abc import Iterator

from aiohttp import web

from reflector.observe.export import mrt, pcap
from reflector.observe.export.messages import Conversation, conversations, message_views, view
from reflector.observe.export.table_dump import table_dump
from reflector.observe.reflector import Reflector
from reflector.observe.server.answers import problem, read_address, send


class Recorded:
    """The handlers.

    Args:
        reflector: Whose connections.
    """

    def __init__(self, reflector: Reflector) -> None:
        self._reflector = reflector

    def routes_table(self) -> list[web.RouteDef]:
        """Paths and their handlers."""
        below = "/api/v1/neighbors/{address}"
        return [
            web.get(f"{below}/messages", self.messages),
            web.get(f"{below}/messages.pcap", self.capture),
            web.get(f"{below}/messages.mrt", self.mrt),
            web.get("/api/v1/table.mrt", self.table),
        ]

    async def messages(self, request: web.Request) -> web.StreamResponse:
        """Each connection with its messages."""
        pieces = _as_json(self._conversations(request), self._clock_offset_s)
        return await send(request, pieces, "application/json; charset=utf-8")

    async def capture(self, request: web.Request) -> web.StreamResponse:
        """For Wireshark."""
        pieces = pcap.capture(self._conversations(request), self._clock_offset_s)
        return await send(request, pieces, pcap.CONTENT_TYPE)

    async def mrt(self, request: web.Request) -> web.StreamResponse:
        """For tools that read what route collectors write."""
        asn = self._reflector.speaker.identity.asn
        pieces = mrt.messages(self._conversations(request), asn, self._clock_offset_s)
        return await send(request, pieces, mrt.CONTENT_TYPE)

    async def table(self, request: web.Request) -> web.StreamResponse:
        """The whole table."""
        return await send(
            request, table_dump(self._reflector, self._clock_offset_s), mrt.CONTENT_TYPE
        )

    def _conversations(self, request: web.Request) -> list[Conversation]:
        address = read_address(request)
        for connection in self._reflector.peering.connections:
            if connection.name.address == address:
                connection.follow()
        found = conversations(self._reflector, address)
        if not found:
            raise problem(404, f"nothing was said between us and {address} that is still kept")
        return found

    @property
    def _clock_offset_s(self) -> float:
        """What makes of the loop's time seconds since the epoch."""
        return self._reflector.desk.wall_clock.offset_s


def _as_json(found: list[Conversation], clock_offset_s: float) -> Iterator[str]:
    """The answer message by message: there may be thousands."""
    yield '{"connections": ['
    for index, conversation in enumerate(found):
        head = json.dumps(view(conversation, clock_offset_s))
        yield f'{"," if index else ""}\n{head[:-1]}, "messages": ['
        separator = "\n"
        for each in message_views(conversation, clock_offset_s):
            yield separator + json.dumps(each)
            separator = ",\n"
        yield "]}"
    yield "\n]}\n"
