"""BMP (RFC 7854): tells monitoring stations what peers say, as they say it.

A station that reads slowly, or not at all, costs a bounded queue and then its connection, never a peer
anything. It is dialled again, and told everything from the beginning.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Collection, Iterator
from itertools import islice
from typing import Final, NamedTuple

from reflector import __version__
from reflector.bgp.add_path import PATH_ID_BYTES
from reflector.bgp.as4 import narrow
from reflector.bgp.codec import encode_open
from reflector.bgp.cutting import Cutter
from reflector.bgp.events import Closed
from reflector.bgp.limits import (
    BMP_QUEUE_BYTES,
    HEADER_BYTES,
    MAX_EXTENDED_MESSAGE_BYTES,
    MAX_MESSAGE_BYTES,
)
from reflector.bgp.message import frame
from reflector.bgp.update import announcement_room, write_announcements, write_end_of_rib
from reflector.bgp.vocabulary import Family, MessageType
from reflector.observe import bmp_messages as bmp
from reflector.observe.views import PeerConnection, Reflector, held_prefixes
from reflector.reports import Report, Trouble
from reflector.rib.adj_rib_in import block_of
from reflector.rib.path import IPAddress, Path
from reflector.speaker import Peer
from reflector.transcript import Lane

# How long a station that can't be reached is left alone, at first and at most. RFC 7854 3.2 suggests 30
# and 720 s for routers that nobody looks at; a lab starts its station after the reflector.
_BACKOFF_S: Final = (2.0, 60.0)
_CONNECT_S: Final = 10.0
# How long a station may take nothing of what is written.
_STUCK_S: Final = 60.0
_STATISTICS_S: Final = 60.0

# How long the loop may be held at a stretch, and prefixes that are looked at in one go.
_SLICE_S: Final = 0.002
_PIECE_PREFIXES: Final = 500
_LONGEST_PREFIX_BYTES: Final = PATH_ID_BYTES + 17


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
        backoff_s, said = least_s, ""
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
                backoff_s, said = least_s, ""
                reason = await _Telling(self._reflector, self._name, reader, writer).run()
            if reason != said:
                # Once for each trouble, not for each attempt.
                self._report(Trouble(f"the BMP station at {station} {reason}; it is tried again"))
                said = reason
            await asyncio.sleep(backoff_s)
            backoff_s = min(2 * backoff_s, most_s)


class _Telling:
    """One connection with a station: a `Monitor` of all peers."""

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
        self._heads: dict[Peer, bmp.PeerHead] = {}
        self._queue = deque([bmp.initiation(f"bgp-reflector {__version__}", name)])
        self._waiting_bytes = len(self._queue[0])
        self._more = asyncio.Event()
        self._over = ""

    async def run(self) -> str:
        """Tell it everything, until that fails; returns why, in words."""
        watching = self._loop.create_task(self._watch())
        monitors = self._reflector.peering.monitors
        monitors.append(self)
        try:
            await self._tell()
        except TimeoutError:
            self._over = f"has read nothing for {_STUCK_S:.0f} s"
        except OSError as error:
            self._over = self._over or f"is gone: {error.strerror or error}"
        finally:
            monitors.remove(self)
            watching.cancel()
            if not self._over:
                self._writer.write(b"".join(self._queue) + bmp.termination())
            elif self._waiting_bytes:
                self._writer.transport.abort()  # what it hasn't read it won't get any more
            self._writer.close()
        return self._over

    # What happens meanwhile.

    def peer_up(self, peer: Peer) -> None:
        """A session is established."""
        for connection in self._reflector.peering.connections:
            if connection.peer is peer:
                self._say_up(connection, peer)
                return

    def update(self, peer: Peer, body: bytes) -> None:
        """A peer has sent an UPDATE."""
        head = self._heads.get(peer)
        if head is not None:
            self._say(bmp.route_monitoring(head.encode(self._now_s()), body))

    def peer_down(self, peer: Peer, closed: Closed) -> None:
        """A session is over."""
        head = self._heads.pop(peer, None)
        if head is not None:
            self._say(bmp.peer_down(head.encode(self._now_s()), closed))

    def _say(self, message: bytes) -> None:
        if self._over:
            return
        self._queue.append(message)
        self._waiting_bytes += len(message)
        self._more.set()
        if self._waiting_bytes > BMP_QUEUE_BYTES:
            self._over = "reads too slowly, and is told everything anew"
            self._writer.transport.abort()

    def _say_up(self, connection: PeerConnection, peer: Peer) -> None:
        source, negotiated = peer.source, peer.negotiated
        head = self._heads[peer] = bmp.PeerHead(
            source.address, negotiated.remote.asn, source.router_id, negotiated.as4
        )
        transcript = connection.transcript
        opens = (
            _first_open(transcript.sent) or encode_open(connection.session.local),
            _first_open(transcript.received) or encode_open(negotiated.remote),
        )
        local = connection.local_address, connection.local_port
        up = bmp.peer_up(head.encode(self._now_s()), local, connection.remote_port, opens)
        self._say(up)

    # Telling.

    async def _tell(self) -> None:
        dump: Iterator[bytes] | None = self._dump()
        statistics_due_s = self._loop.time() + _STATISTICS_S
        while not self._over:
            if self._queue:
                await self._write()
            elif dump is not None:
                dump = await self._slice(dump)
            elif self._loop.time() >= statistics_due_s:
                statistics_due_s += _STATISTICS_S
                dump = self._statistics()
            else:
                self._more.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout_at(statistics_due_s):
                        await self._more.wait()

    async def _write(self) -> None:
        data = b"".join(self._queue)
        self._queue.clear()
        self._writer.write(data)
        async with asyncio.timeout(_STUCK_S):
            await self._writer.drain()
        self._waiting_bytes -= len(data)

    async def _slice(self, dump: Iterator[bytes]) -> Iterator[bytes] | None:
        """Queue some of a dump; returns it while there is more."""
        pause_at_s = self._loop.time() + _SLICE_S
        for message in dump:
            self._say(message)
            if self._loop.time() >= pause_at_s:
                await asyncio.sleep(0)
                return dump
        return None

    async def _watch(self) -> None:
        """Notice that a station is gone, which has nothing to say (RFC 7854 3.2)."""
        with contextlib.suppress(OSError):
            while await self._reader.read(1024):
                pass
        self._over = self._over or "has closed the connection"
        self._more.set()

    # What there was before (RFC 7854 5).

    def _dump(self) -> Iterator[bytes]:
        present = {each.peer: each for each in self._reflector.peering.connections}
        for peer, connection in present.items():
            # Who came since was told as it came.
            if peer is None or peer in self._heads or connection.peer is not peer:
                continue
            self._say_up(connection, peer)
            for family in peer.negotiated.families:
                yield from self._routes(peer, family)

    def _routes(self, peer: Peer, family: Family) -> Iterator[bytes]:
        """A peer's Adj-RIB-In of a family as it is by now, and the mark of its end."""
        table = self._reflector.speaker.tables[family]
        prefixes = iter(list(table.prefixes_of(peer.source)))
        while piece := list(islice(prefixes, _PIECE_PREFIXES)):
            by_path: dict[Path, list[bytes]] = {}
            for prefix in piece:
                candidates = table.routes.get(prefix)
                for path in () if candidates is None else candidates.paths:
                    if path.source is peer.source:
                        by_path.setdefault(path, []).append(self._nlri(path, prefix))
            head = self._heads.get(peer)
            if head is None:
                return  # gone meanwhile
            for path, held in by_path.items():
                yield _as_updates(head, self._now_s(), path, held)
        head = self._heads.get(peer)
        if head is not None:
            end = write_end_of_rib(family)[HEADER_BYTES:]
            yield bmp.route_monitoring(head.encode(self._now_s()), end)

    def _nlri(self, path: Path, prefix: bytes) -> bytes:
        """A prefix as it was announced, behind its path identifier if it had one (RFC 7911 3)."""
        path_id = self._reflector.speaker.path_id(path, prefix)
        return prefix if path_id is None else path_id.to_bytes(PATH_ID_BYTES) + prefix

    def _statistics(self) -> Iterator[bytes]:
        speaker = self._reflector.speaker
        for peer, head in list(self._heads.items()):
            rejected = 0 if peer.filter is None else sum(peer.filter.rejected.values())
            held = held_prefixes(speaker, peer.source)
            wanted = {family: held[family] for family in peer.negotiated.families}
            yield bmp.statistics(head.encode(self._now_s()), rejected, wanted)

    def _now_s(self) -> float:
        return self._reflector.desk.clock()


def _as_updates(head: bmp.PeerHead, at_s: float, path: Path, prefixes: list[bytes]) -> bytes:
    """Route Monitoring for prefixes with a path, as their peer could have sent them."""
    block = block_of(path) if head.as4 else narrow(block_of(path))
    room = announcement_room(path.family, block, path.next_hop)
    fits = room >= _LONGEST_PREFIX_BYTES
    most_bytes = MAX_MESSAGE_BYTES if fits else MAX_EXTENDED_MESSAGE_BYTES
    updates = write_announcements(path.family, block, path.next_hop, prefixes, most_bytes)
    encoded = head.encode(at_s)
    return b"".join(bmp.route_monitoring(encoded, body) for _, body in Cutter().feed(updates))


def _first_open(lane: Lane) -> bytes | None:
    """The OPEN with which one side began, as a whole message; None if it isn't kept."""
    cutter = Cutter()
    for piece in lane.pieces():
        for message_type, body in cutter.feed(b"".join(piece.chunks)):
            return frame(message_type, body) if message_type == MessageType.OPEN else None
    return None
