"""BMP (RFC 7854): tells monitoring stations what peers say, as they say it.

A station that reads slowly, or not at all, costs a bounded queue and then its connection, never a peer
anything. It is dialled again, and told everything from the beginning.
"""

import asyncio
import contextlib
from collections.abc import Callable, Collection
from typing import Final, NamedTuple

from reflector import __version__
from reflector.bgp.codec import encode_open
from reflector.bgp.cutting import Cutter
from reflector.bgp.limits import BMP_QUEUE_BYTES
from reflector.bgp.message import frame
from reflector.bgp.vocabulary import MessageType
from reflector.observe.export import bmp_messages as bmp
from reflector.observe.export.feed import Down, Feed, Item, Said, Up
from reflector.observe.reflector import PeerConnection, Reflector
from reflector.observe.views import held_prefixes
from reflector.reports import Report, Trouble
from reflector.rib.source import IPAddress
from reflector.speaker import Peer
from reflector.transcript import Lane

# How long a station that can't be reached is left alone, at first and at most. RFC 7854 3.2 suggests 30
# and 720 s for routers that nobody looks at; a lab starts its station after the reflector.
_BACKOFF_S: Final = (2.0, 60.0)
_CONNECT_S: Final = 10.0
# How long a station may take nothing of what is written.
_STUCK_S: Final = 60.0
_STATISTICS_S: Final = 60.0


class Station(NamedTuple):
    """Where a monitoring station listens."""

    address: IPAddress
    port: int

    def __str__(self) -> str:
        """As people write it."""
        return f"{self.address if self.address.version == 4 else f'[{self.address}]'}:{self.port}"  # noqa: PLR2004


class Bmp:
    """All monitoring stations.

    Args:
        reflector: What they are told of.
        name: What the reflector calls itself.
        report: Told of stations that can't be reached, or don't read.
        note: Told of those that are.
    """

    def __init__(
        self,
        reflector: Reflector,
        name: str,
        *,
        report: Callable[[Report], None],
        note: Callable[[str], None],
    ) -> None:
        self._reflector = reflector
        self._name = name
        self._report = report
        self._note = note
        self._tasks: dict[Station, asyncio.Task[None]] = {}

    def tell(self, stations: Collection[Station]) -> None:
        """Tell these stations from now on, and no others."""
        for station in self._tasks.keys() - set(stations):
            self._tasks.pop(station).cancel()
        for station in stations:
            if station not in self._tasks:
                self._tasks[station] = asyncio.create_task(self._keep_telling(station))

    async def stop(self) -> None:
        """Tell every station that this is the end."""
        tasks = list(self._tasks.values())
        self.tell(())
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep_telling(self, station: Station) -> None:
        least_s, most_s = _BACKOFF_S
        backoff_s = least_s
        said: set[str] = set()
        loop = asyncio.get_running_loop()
        while True:
            reason = ""
            try:
                async with asyncio.timeout(_CONNECT_S):
                    reader, writer = await asyncio.open_connection(
                        str(station.address), station.port
                    )
            except OSError as error:
                reason = f"can't be reached: {error.strerror or 'no answer'}"
            else:
                self._note(f"BMP: telling the station at {station}")
                began_s = loop.time()
                reason = await _Telling(self._reflector, self._name, reader, writer).run()
                # Who takes connections and ends them, as a proxy with nobody behind it does, is no
                # better reached than before, and would be told the whole table every other second.
                if loop.time() - began_s >= most_s:
                    backoff_s = least_s
                    said.clear()
            if reason not in said:
                # Once for each trouble, not for each attempt.
                self._report(Trouble(f"the BMP station at {station} {reason}; it is tried again"))
                said.add(reason)
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, most_s)


class _Telling:
    """One connection with a station."""

    def __init__(
        self,
        reflector: Reflector,
        name: str,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        self._reflector = reflector
        self._reader = reader
        self._writer = writer
        self._loop = asyncio.get_running_loop()
        self._feed = Feed(reflector, BMP_QUEUE_BYTES, writer.transport.abort)
        self._begin = bmp.initiation(f"bgp-reflector {__version__}", name)

    async def run(self) -> str:
        """Tell it everything, until that fails; returns why, in words."""
        feed = self._feed
        watching = self._loop.create_task(self._watch())
        try:
            with feed:
                await self._tell()
        except TimeoutError:
            feed.end(f"has read nothing for {_STUCK_S:.0f} s")
        except OSError as error:
            feed.end(f"is gone: {error.strerror or error}")
        except asyncio.CancelledError:
            self._writer.write(bmp.termination())
            raise
        finally:
            watching.cancel()
            self._writer.close()
        return feed.over

    async def _tell(self) -> None:
        await self._write(self._begin)
        statistics_due_s = self._loop.time() + _STATISTICS_S
        while not self._feed.over:
            left_s = statistics_due_s - self._loop.time()
            items = await self._feed.take(max(0.0, left_s))
            if items:
                await self._write(b"".join(map(_encode, items)))
            elif left_s <= 0:
                statistics_due_s += _STATISTICS_S
                for peer in list(self._feed.peers):
                    await self._write(self._statistics(peer))

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(_STUCK_S):
            await self._writer.drain()
        await asyncio.sleep(0)  # the rest of the reflector has its turn, too

    async def _watch(self) -> None:
        """Notice that a station is gone, which has nothing to say (RFC 7854 3.2)."""
        with contextlib.suppress(OSError):
            while await self._reader.read(1024):
                pass
        self._feed.end("has closed the connection")

    def _statistics(self, peer: Peer) -> bytes:
        rejected = 0 if peer.filter is None else sum(peer.filter.rejected.values())
        held = held_prefixes(self._reflector.speaker, peer.source)
        wanted = {family: held[family] for family in peer.negotiated.families}
        return bmp.statistics(_head(peer, self._reflector.desk.clock()), rejected, wanted)


def _encode(item: Item) -> bytes:
    head = _head(item.peer, item.at_s)
    match item:
        case Said(body=body):
            return bmp.route_monitoring(head, body)
        case Down(closed=closed):
            return bmp.peer_down(head, closed)
        case Up(connection=connection):
            local = connection.local_address, connection.local_port
            return bmp.peer_up(head, local, connection.remote_port, _opens(connection))


def _head(peer: Peer, at_s: float) -> bytes:
    source, negotiated = peer.source, peer.negotiated
    asn, as4 = negotiated.remote.asn, negotiated.as4
    return bmp.peer_head(source.address, asn, source.router_id, at_s, as4=as4)


def _opens(connection: PeerConnection) -> tuple[bytes, bytes]:
    """The OPENs of both sides as they were, ours first; made anew where one isn't kept."""
    transcript, session = connection.transcript, connection.session
    remote = session.local if session.remote is None else session.remote
    return (
        _first_open(transcript.sent) or encode_open(session.local),
        _first_open(transcript.received) or encode_open(remote),
    )


def _first_open(lane: Lane) -> bytes | None:
    """The OPEN with which one side began, as a whole message; None if it isn't kept."""
    cutter = Cutter()
    for piece in lane.pieces():
        for message_type, body in cutter.feed(b"".join(piece.chunks)):
            return frame(message_type, body) if message_type == MessageType.OPEN else None
    return None
