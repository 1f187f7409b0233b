"""What peers do and say in ExaBGP's JSON, one object a line, for scripts that were written for ExaBGP."""

import asyncio
import json
import os
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from aiohttp import web

from reflector.bgp.codec import exabgp_json_version, notification_as_exabgp, update_as_exabgp
from reflector.bgp.limits import FOLLOWER_QUEUE_BYTES
from reflector.bgp.notification import Notification
from reflector.observe.export.feed import Down, Feed, Item, Said, Up
from reflector.observe.server.answers import paced
from reflector.observe.views import Reflector
from reflector.speaker import Peer

CONTENT_TYPE: Final = "application/x-ndjson"

# Each has a queue, and every UPDATE is decoded for each.
MAX_FOLLOWERS: Final = 16
# How long a follower may read nothing at all.
_STUCK_S: Final = 30.0
# How often it is looked whether a follower is still there, where nothing happens.
_LOOK_S: Final = 1.0

View = dict[str, Any]


async def follow(request: web.Request, reflector: Reflector) -> web.StreamResponse:
    """Send everything that there is and that happens, until the follower goes.

    Raises:
        HTTPServiceUnavailable: There are too many followers.
    """
    followers = sum(isinstance(each, _Follower) for each in reflector.peering.monitors)
    if followers >= MAX_FOLLOWERS:
        raise web.HTTPServiceUnavailable(
            text=json.dumps({"error": f"{followers} follow already: end one of them"}),
            content_type="application/json",
        )
    response = web.StreamResponse(headers={"Content-Type": CONTENT_TYPE})
    await response.prepare(request)
    transport = request.transport
    if transport is None:
        return response
    writer = Writer(reflector)
    with _Follower(reflector, FOLLOWER_QUEUE_BYTES, transport.abort) as feed:
        try:
            while not feed.over and not transport.is_closing():
                items = await feed.take(_LOOK_S)
                async for text in paced(request, ("".join(writer.lines(each)) for each in items)):
                    async with asyncio.timeout(_STUCK_S):
                        await response.write(text.encode())
        except (ConnectionError, TimeoutError):
            transport.abort()  # it has gone, or reads nothing
    return response


class _Follower(Feed):
    """A feed that is counted."""


class Writer:
    """Writes lines for one follower.

    Args:
        reflector: Who is told of.
    """

    def __init__(self, reflector: Reflector) -> None:
        self._identity = reflector.speaker.identity
        self._version = exabgp_json_version()
        self._counts: Counter[Peer] = Counter()
        self._process = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "ppid": os.getppid(),
        }

    def lines(self, item: Item) -> Iterator[str]:
        """What ExaBGP would write for something that happened."""
        match item:
            case Up():
                yield self._line(item, "state", {"state": "up"})
            case Said(peer=peer, body=body):
                message = update_as_exabgp(body, peer.negotiated)
                yield self._line(item, "update", {"direction": "receive", "message": message})
            case Down(peer=peer, closed=closed):
                reason = closed.reason
                if closed.sent is not None:
                    reason = _numbers("sent", closed.sent)
                    yield self._notification(item, "send", closed.sent)
                if closed.received is not None:
                    reason = _numbers("received", closed.received)
                    yield self._notification(item, "receive", closed.received)
                yield self._line(item, "state", {"state": "down", "reason": reason})
                del self._counts[peer]

    def _notification(self, item: Item, direction: str, said: Notification) -> str:
        content = notification_as_exabgp(said.code, said.subcode, said.data)
        return self._line(item, "notification", {"direction": direction, "notification": content})

    def _line(self, item: Item, kind: str, content: View) -> str:
        peer = item.peer
        self._counts[peer] += 1
        neighbor = {
            "address": {"local": str(peer.local_address), "peer": str(peer.source.address)},
            "asn": {"local": self._identity.asn, "peer": peer.negotiated.remote.asn},
            "router-id": str(self._identity.router_id),
        }
        whole = {
            "exabgp": self._version,
            "time": item.at_s,
            **self._process,
            "counter": self._counts[peer],
            "type": kind,
            "neighbor": neighbor | content,
        }
        return json.dumps(whole) + "\n"


def _numbers(what: str, said: Notification) -> str:
    return f"notification {what} ({said.code},{said.subcode})"
