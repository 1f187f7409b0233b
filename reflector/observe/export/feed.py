"""Follows what peers say: what there is, then what happens, through a bounded queue.

It is a `Monitor`: what happens is only noted in the turn in which it happens, and made into whatever
format by whoever takes it. Who takes it too slowly is told so, and costs peers nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Final, NamedTuple, Self

from reflector.bgp.add_path import PATH_ID_BYTES
from reflector.bgp.as4 import narrow
from reflector.bgp.cutting import Cutter
from reflector.bgp.events import Closed
from reflector.bgp.limits import (
    HEADER_BYTES,
    MAX_EXTENDED_MESSAGE_BYTES,
    MAX_MESSAGE_BYTES,
)
from reflector.bgp.update import announcement_room, write_announcements, write_end_of_rib
from reflector.bgp.vocabulary import Family
from reflector.observe.reflector import PeerConnection, Reflector
from reflector.rib.adj_rib_in import block_of
from reflector.rib.path import Path
from reflector.speaker import Peer

# What an item costs beside its octets, about.
_ITEM_BYTES: Final = 200
# Octets that are handed out at once: a few milliseconds' work for who encodes them.
_BATCH_BYTES: Final = 16 << 10
# Prefixes of a dump that are looked at in one go.
_PIECE_PREFIXES: Final = 500
_LONGEST_PREFIX_BYTES: Final = PATH_ID_BYTES + 17


class Up(NamedTuple):
    """A session is established, or was when the feed began."""

    at_s: float
    peer: Peer
    connection: PeerConnection


class Said(NamedTuple):
    """A peer's UPDATE, its body; of what there was before, one that it could have sent."""

    at_s: float
    peer: Peer
    body: bytes


class Down(NamedTuple):
    """A session is over."""

    at_s: float
    peer: Peer
    closed: Closed


Item = Up | Said | Down


class Feed:
    """All peers, as one follower is told of them.

    Args:
        reflector: Whose.
        most_bytes: What may wait for the follower.
        on_end: Called when there is nothing more: the follower may be stuck in writing.

    Attributes:
        over: Why there is nothing more, in words; empty while there is.
        peers: Those that the follower was told of, and not that they are gone.
    """

    def __init__(self, reflector: Reflector, most_bytes: int, on_end: Callable[[], None]) -> None:
        self.over = ""
        self.peers: dict[Peer, None] = {}
        self._reflector = reflector
        self._most_bytes = most_bytes
        self._on_end = on_end
        self._queue: deque[Item] = deque()
        self._waiting_bytes = 0
        self._more = asyncio.Event()
        self._before: Iterator[Item] | None = self._dump()

    def __enter__(self) -> Self:
        self._reflector.peering.monitors.append(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._reflector.peering.monitors.remove(self)

    def end(self, reason: str) -> None:
        """There is nothing more from now on."""
        if not self.over:
            self.over = reason
            self._more.set()
            self._on_end()

    # What happens.

    def peer_up(self, peer: Peer) -> None:
        """A session is established."""
        for connection in self._reflector.peering.connections:
            if connection.peer is peer:
                self._put(self._up(peer, connection))
                return

    def update(self, peer: Peer, body: bytes) -> None:
        """A peer has sent an UPDATE."""
        if peer in self.peers:
            self._put(Said(self._now_s(), peer, body))

    def peer_down(self, peer: Peer, closed: Closed) -> None:
        """A session is over."""
        if peer in self.peers:
            del self.peers[peer]
            self._put(Down(self._now_s(), peer, closed))

    def _up(self, peer: Peer, connection: PeerConnection) -> Up:
        self.peers[peer] = None
        return Up(self._now_s(), peer, connection)

    def _put(self, item: Item) -> None:
        if self.over:
            return
        self._queue.append(item)
        self._waiting_bytes += _size(item)
        if self._waiting_bytes > self._most_bytes:
            self.end("reads too slowly, and is told everything anew")
        self._more.set()

    # Taking.

    async def take(self, within_s: float | None = None) -> list[Item]:
        """The next items; none when it is over, or when nothing happens for so long.

        What there was before is looked at only when nothing else waits, so that only what happens
        meanwhile adds up.
        """
        if not self._queue and self._before is not None:
            batch = _batch(self._before)
            if batch:
                return batch
            self._before = None
        if not self._queue and not self.over:
            self._more.clear()
            try:
                async with asyncio.timeout(within_s):
                    await self._more.wait()
            except TimeoutError:
                return []
        return self._taken()

    def _taken(self) -> list[Item]:
        """Take what waits, up to a batch."""
        queue = self._queue
        batch = _batch(queue.popleft() for _ in range(len(queue)))
        self._waiting_bytes -= sum(map(_size, batch))
        return batch

    # What there was before.

    def _dump(self) -> Iterator[Item]:
        present = {each.peer: each for each in self._reflector.peering.connections}
        for peer, connection in present.items():
            # Who came since was told as it came.
            if peer is None or peer in self.peers or connection.peer is not peer:
                continue
            yield self._up(peer, connection)
            for family in sorted(peer.negotiated.families, key=str):
                yield from self._routes(peer, family)

    def _routes(self, peer: Peer, family: Family) -> Iterator[Said]:
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
            for path, held in by_path.items():
                for body in _as_updates(path, held, as4=peer.negotiated.as4):
                    if peer not in self.peers:
                        return  # gone meanwhile
                    yield Said(self._now_s(), peer, body)
        if peer in self.peers:
            yield Said(self._now_s(), peer, write_end_of_rib(family)[HEADER_BYTES:])

    def _nlri(self, path: Path, prefix: bytes) -> bytes:
        """A prefix as it was announced, behind its path identifier if it had one (RFC 7911 3)."""
        path_id = self._reflector.speaker.path_id(path, prefix)
        return prefix if path_id is None else path_id.to_bytes(PATH_ID_BYTES) + prefix

    def _now_s(self) -> float:
        return self._reflector.desk.clock()


def _size(item: Item) -> int:
    return _ITEM_BYTES + (len(item.body) if isinstance(item, Said) else 0)


def _batch(items: Iterator[Item]) -> list[Item]:
    """The first of some items."""
    batch: list[Item] = []
    size = 0
    for item in items:
        batch.append(item)
        size += _size(item)
        if size >= _BATCH_BYTES:
            break
    return batch


def _as_updates(path: Path, prefixes: list[bytes], *, as4: bool) -> Iterator[bytes]:
    """Bodies of UPDATEs that announce prefixes with a path, as their peer could have sent them."""
    block = block_of(path) if as4 else narrow(block_of(path))
    room = announcement_room(path.family, block, path.next_hop)
    fits = room >= _LONGEST_PREFIX_BYTES
    most_bytes = MAX_MESSAGE_BYTES if fits else MAX_EXTENDED_MESSAGE_BYTES
    updates = write_announcements(path.family, block, path.next_hop, prefixes, most_bytes)
    return (body for _, body in Cutter().feed(updates))
