"""The JSON API: paths to views."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable, Callable, Iterator
from ipaddress import ip_network
from typing import Final

from aiohttp import web

from reflector.bgp.nlri import IPNetwork
from reflector.observe import route_views, views
from reflector.observe.explain import Explanation
from reflector.observe.nearest import family_of, pack, within
from reflector.observe.reflector import Reflector
from reflector.observe.roll import CLUSTER_BITS, Roll, clusters
from reflector.observe.route_views import Routes
from reflector.observe.server import exabgp_stream, metrics, openapi
from reflector.observe.server.answers import (
    end_of,
    head_alone,
    number,
    paced,
    problem,
    read_address,
    read_prefix,
    send,
    send_list,
    send_view,
    to_address,
)
from reflector.observe.server.door import MAX_VISITORS, Door
from reflector.observe.server.pace import PACE, Pace
from reflector.observe.server.recorded import Recorded
from reflector.observe.server.searching import Searching
from reflector.observe.server.stream import FORMS, Stream, event_view
from reflector.observe.server.teaching import Teaching
from reflector.observe.views import View
from reflector.rib.path import Candidates
from reflector.rib.source import IPAddress

# How long answers that are under way may take at shutdown; the process is to end within a second.
_SHUTDOWN_S: Final = 0.1

# How long who listens to events may not read at all.
_STUCK_S: Final = 30.0

# Routes of one answer to a search.
_MAX_FOUND: Final = 500
# Of an event: more than there will be.
_MAX_NUMBER: Final = 10**11
_MAX_TEXT: Final = 100

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def serve(
    listener: socket.socket,
    reflector: Reflector,
    most: int = MAX_VISITORS,
    configure: Callable[[web.Application], None] | None = None,
) -> "Server":
    """Serve the API on a listening socket.

    Args:
        listener: Where.
        reflector: What to show.
        most: How many may be connected.
        configure: Adds to the application what is not the API's.

    Returns:
        What is to be cleaned up at the end.
    """
    # aiohttp would print what it can't parse as a traceback, past our log; it answers 400 anyway.
    logging.getLogger("aiohttp.server").disabled = True
    pace = Pace()
    api = _Api(reflector, pace)
    application = web.Application(middlewares=[_errors_as_json])
    application[PACE] = pace
    application.add_routes(api.routes_table())
    if configure is not None:
        configure(application)
    server = Server(application, api, most)
    await server.setup()
    await server.listen(listener)
    return server


class Server(web.AppRunner):
    """aiohttp's, with a door before it, and an end that waits for nobody who listens to events."""

    def __init__(self, application: web.Application, api: "_Api", most: int) -> None:
        # A handler ends with its connection: those who come and go leave nothing behind that waits.
        super().__init__(
            application,
            access_log=None,
            shutdown_timeout=_SHUTDOWN_S,
            handler_cancellation=True,
        )
        self._api = api
        self._most = most
        self._listening: asyncio.Server | None = None

    async def listen(self, listener: socket.socket) -> None:
        """Answer on a socket from now on."""
        assert self.server is not None  # noqa: S101 - after `setup`
        loop = asyncio.get_running_loop()
        self._listening = await loop.create_server(Door(self.server, self._most), sock=listener)

    async def cleanup(self) -> None:
        """Stop answering."""
        if self._listening is not None:
            self._listening.close()
        await self._api.stream.close()
        await super().cleanup()


class _Api:
    """The handlers, one for each path."""

    def __init__(self, reflector: Reflector, pace: Pace) -> None:
        self._reflector = reflector
        self._pace = pace
        self._searching = Searching(reflector, pace)
        self._loop = asyncio.get_running_loop()
        self._began_s = self._loop.time()
        self._teaching = Teaching(reflector.controls)
        self.stream = Stream(reflector, self._began_s)

    def routes_table(self) -> list[web.RouteDef]:
        """Paths and their handlers."""
        return [
            web.get("/healthz", self.health),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.metrics),
            web.get("/api/v1/summary", self.summary),
            web.get("/api/v1/flags", self.flags),
            web.get("/api/v1/neighbors", self.neighbors),
            web.get("/api/v1/neighbors/{address}", self.neighbor),
            web.get("/api/v1/neighbors/{address}/advertised", self.advertised),
            web.get("/api/v1/neighbors/{address}/received", self.received),
            web.get("/api/v1/clusters", self.clusters),
            web.get("/api/v1/problems", self.problems),
            web.get("/api/v1/config", self.config),
            web.get("/api/v1/routes", self.routes),
            web.get("/api/v1/explain", self.explain),
            web.get("/api/v1/history", self.history),
            web.get("/api/v1/events", self.events),
            web.get("/api/v1/openapi.json", self.openapi),
            *Recorded(self._reflector).routes_table(),
            *self._teaching.routes_table(),
        ]

    async def health(self, _: web.Request) -> web.Response:
        return self._health()

    async def ready(self, _: web.Request) -> web.Response:
        # Sockets for peers are open before this one is.
        return self._health()

    def _health(self) -> web.Response:
        speaker = self._reflector.speaker
        prefixes = sum(len(table.routes) for table in speaker.tables.values())
        return web.json_response(
            {"status": "ok", "established": len(speaker.peers), "prefixes": prefixes}
        )

    async def metrics(self, request: web.Request) -> web.StreamResponse:
        problems = await self._reflector.desk.problems(self._reflector)
        now_s = self._loop.time()
        started_s = self._began_s + self._reflector.desk.wall_clock.offset_s
        lines = metrics.lines(self._reflector, problems, now_s, started_s)
        return await send(request, lines, metrics.CONTENT_TYPE)

    async def summary(self, _: web.Request) -> web.Response:
        up_s = self._loop.time() - self._began_s
        return web.json_response(views.summary(self._reflector, up_s))

    async def flags(self, request: web.Request) -> web.Response:
        return web.json_response(views.flags(self._reflector, end_of(request, "sockname")))

    async def neighbors(self, request: web.Request) -> web.StreamResponse:
        items = views.neighbors(self._reflector, self._loop.time())
        return await send_list(request, "neighbors", items)

    async def neighbor(self, request: web.Request) -> web.Response:
        address = read_address(request)
        async with self._pace.turn():
            found = list(views.neighbors(self._reflector, self._loop.time(), address))
        if not found:
            raise problem(404, f"there is no connection with {address}")
        return web.json_response({"neighbors": found})

    async def advertised(self, request: web.Request) -> web.StreamResponse:
        address = read_address(request)
        if not any(source.address == address for source in self._reflector.speaker.peers):
            raise problem(404, f"there is no established session with {address}")
        return await send_list(request, "routes", route_views.advertised(self._reflector, address))

    async def received(self, request: web.Request) -> web.StreamResponse:
        address = read_address(request)
        if not any(source.address == address for source in self._reflector.speaker.peers):
            raise problem(404, f"there is no established session with {address}")
        return await send_list(request, "routes", route_views.received(self._reflector, address))

    async def explain(self, request: web.Request) -> web.StreamResponse:
        if "prefix" not in request.query:
            raise problem(400, "prefix: which route is to be explained?")
        wanted = read_prefix(request.query["prefix"])
        to = request.query.get("to")
        to_whom = None if to is None else to_address(to)

        async def make() -> View:
            explanation = Explanation(self._reflector, wanted)
            view = explanation.view()
            peers = [peer async for peer in paced(request, explanation.peers(to_whom))]
            if to is not None and not peers:
                raise problem(404, f"there is no connection with {to}")
            shorter, found = await self._pace.through_tables(lambda: _nearest(explanation))
            return view | {"peers": peers, "shorter": shorter, "within": found}

        return await send_view(request, make)

    async def config(self, _: web.Request) -> web.Response:
        return web.json_response(self._reflector.describe_config())

    async def clusters(self, request: web.Request) -> web.StreamResponse:
        bits = number(request, "bits", CLUSTER_BITS, 1, 32)

        async def make() -> View:
            roll = Roll(self._reflector, self._reflector.desk.wall_clock.offset_s)
            nodes = [view async for _, view in paced(request, roll.views())]
            return {"bits": bits, "clusters": clusters(nodes, bits)}

        return await send_view(request, make)

    async def problems(self, _: web.Request) -> web.Response:
        found = await self._reflector.desk.problems(self._reflector)
        return web.json_response({"problems": [each.view() for each in found]})

    async def routes(self, request: web.Request) -> web.StreamResponse:
        routes = Routes(self._reflector.speaker)
        text = request.query.get("prefix")
        if "search" in request.query:
            return await self._search(request, routes)
        if text is None:
            return await send_list(request, "routes", routes.all())
        wanted = read_prefix(text)
        match = request.query.get("match", "")
        if match not in ("", "exact", "longer"):
            raise problem(400, f"match: {match[:40]!r} is neither exact nor longer")
        if match == "longer":
            return await send_list(request, "routes", await self._within(routes, wanted))
        found = routes.matching(ip_network(wanted) if match == "exact" else wanted)
        if found is None:
            raise problem(404, f"there is no route for {text}")
        return web.json_response({"routes": [found]})

    async def _within(self, routes: Routes, wanted: IPNetwork | IPAddress) -> Iterator[View]:
        """A prefix and all that are within it."""
        family, prefix = family_of(wanted), pack(wanted)

        def take() -> Callable[[], tuple[dict[bytes, Candidates], list[bytes]]]:
            table = self._reflector.speaker.tables[family].routes.copy()
            return lambda: (table, within(table, prefix))

        table, found = await self._pace.through_tables(take)
        if prefix in table:
            found.insert(0, prefix)
        return (routes.route(each, family, table[each]) for each in found)

    async def _search(self, request: web.Request, routes: Routes) -> web.StreamResponse:
        offset = number(request, "offset", 0, 0, 2**31)
        limit = number(request, "limit", 100, 0, _MAX_FOUND)
        text = request.query["search"][:_MAX_TEXT]

        async def make() -> View:
            rows = await self._searching.find(text)
            shown = (
                routes.route(prefix, family, candidates)
                for family, prefix, candidates in rows[offset : offset + limit]
            )
            found = [each async for each in paced(request, shown)]
            return {"total": len(rows), "offset": offset, "routes": found}

        return await send_view(request, make)

    async def history(self, request: web.Request) -> web.Response:
        limit = number(request, "limit", 100, 1, 500)
        after = number(request, "after", -1, 0, _MAX_NUMBER)
        ledger = self._reflector.desk.ledger
        known = [each for each in ledger.happenings if each.number > after]
        shown = known[-limit:] if after < 0 else known[:limit]
        offset_s = self._reflector.desk.wall_clock.offset_s
        events = [event_view(each, offset_s) for each in shown]
        return web.json_response({"events": events, "newest": ledger.number})

    async def events(self, request: web.Request) -> web.StreamResponse:
        wanted = request.query.get("format", "")
        if wanted == "exabgp":
            return await exabgp_stream.follow(request, self._reflector)
        if wanted:
            raise problem(400, f"format: {wanted[:40]!r} is not exabgp")
        form = request.query.get("delta", "")
        if form not in FORMS:
            raise problem(400, f"delta: {form[:40]!r} is not fields")
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        if await head_alone(request, response):
            return response
        await response.prepare(request)
        messages = self.stream.listen(request.headers.get("Last-Event-ID", ""), form)
        async with contextlib.aclosing(messages):
            # Who has gone, or reads nothing, is nobody's trouble: a browser comes back by itself.
            with contextlib.suppress(ConnectionError, TimeoutError):
                async for message in messages:
                    async with asyncio.timeout(_STUCK_S):
                        await response.write(message)
                return response
        if request.transport is not None:
            request.transport.abort()
        return response

    async def openapi(self, _: web.Request) -> web.Response:
        return web.json_response(openapi.document())


def _nearest(explanation: Explanation) -> Callable[[], tuple[View | None, View]]:
    shorter, find_within = explanation.nearest()
    return lambda: (shorter, find_within())


@web.middleware
async def _errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.content_type == "application/json":
            raise
        message = f"{request.method} {request.path}: {error.reason}"
        # RFC 9110 15.5.6: which methods are allowed.
        headers = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return web.json_response({"error": message}, status=error.status, headers=headers)
    except web.RequestPayloadError:
        message = f"{request.method} {request.path}: the body is not what its headers say"
        return web.json_response({"error": message}, status=400)
