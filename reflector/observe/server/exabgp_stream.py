"""Followers of what peers do and say in ExaBGP's JSON, one object a line."""

import asyncio
import json
from typing import Final

from aiohttp import web

from reflector.bgp.limits import FOLLOWER_QUEUE_BYTES
from reflector.observe.export.exabgp_json import Writer
from reflector.observe.export.feed import Feed
from reflector.observe.reflector import Reflector
from reflector.observe.server.answers import head_alone, paced

CONTENT_TYPE: Final = "application/x-ndjson"

# Each has a queue, and every UPDATE is decoded for each.
MAX_FOLLOWERS: Final = 16
# How long a follower may read nothing at all.
_STUCK_S: Final = 30.0
# How often it is looked whether a follower is still there, where nothing happens.
_LOOK_S: Final = 1.0


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
    if await head_alone(request, response):
        return response
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
