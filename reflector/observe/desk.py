"""The presenter's desk: facts of the class gathered for the page, the API and the diagnosis.

Facts come in one way, by reports; what is shown is made when somebody asks.
"""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from reflector.observe import diagnosis
from reflector.observe.diagnosis import Problem
from reflector.observe.kernel import Md5Drops, read_md5_drops
from reflector.observe.last_updates import LastUpdates
from reflector.observe.ledger import Ledger
from reflector.observe.overlap import Overlap, find_overlaps, take_routes
from reflector.observe.reflector import Reflector
from reflector.observe.wall_clock import WallClock
from reflector.reports import Report
from reflector.rib.source import IPAddress
from reflector.speaker import Peer

# A fault of no prefix is looked at again when the burst of UPDATEs that it came in must be over.
_SETTLED_S: Final = 2.0
# How long the loop may be held at a stretch.
_SLICE_S: Final = 0.002
# The kernel's counters are looked at again after this long at most often.
_KERNEL_S: Final = 1.0
# Looking for overlaps may take a tenth of a thread's time, and is done again within three seconds.
_SHARE: Final = 10
_SEARCH_S: Final = (1.0, 3.0)


class Desk:
    """What is known beyond the tables.

    Args:
        port: Where peers reach us.
        addresses: At which addresses.
        clock: Seconds since the epoch.
        steady: The loop's time, which nobody can set; all that is decided here is by it.
        signs: Whether any peer has a password.

    Attributes:
        ledger: What became of peers.
    """

    def __init__(
        self,
        port: int,
        addresses: Callable[[], Sequence[IPAddress]],
        clock: Callable[[], float] = time.time,
        signs: Callable[[], bool] = lambda: False,
        *,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.port = port
        self.addresses = addresses
        self.clock = clock
        self.steady = steady
        self.wall_clock = WallClock(clock, steady)
        self.ledger = Ledger()
        self._last_updates = LastUpdates()
        self._signs = signs
        self._first_drops = self._last_drops = self._read_drops()
        self._dropped_at_s = -math.inf
        self._dropped = Md5Drops()
        self._looked_at_s = -math.inf
        self._overlaps: list[Overlap] = []
        self._overlaps_of: object = None
        self._overlaps_due_s = 0.0
        self._searching: asyncio.Task[None] | None = None
        self._diagnosing = asyncio.Lock()
        self._asked = self._answered = 0
        self._problems: list[Problem] = []

    def __call__(self, report: Report) -> None:
        """Take in what happened."""
        self.ledger.add(report, self.steady())

    def tick(self, reflector: Reflector) -> None:
        """Look at what only time tells; to be called about once a second."""
        now_s = self.steady()
        self._last_updates.look(reflector.peering.connections, now_s)
        faulty = {
            key: record.fault
            for key, record in self.ledger.records.items()
            if record.fault is not None
        }
        if faulty:
            for connection in reflector.peering.connections:
                name = connection.name
                fault = faulty.get((str(name.address), name.router_id))
                if fault is None or connection.peer is None or now_s < fault.at_s + _SETTLED_S:
                    continue
                peer = connection.peer
                updates = peer.counters.updates - len(peer.end_of_rib)
                if fault.updates is None:
                    fault.updates = updates
                elif updates != fault.updates:
                    # It has said something else since, and that was not rejected.
                    self.ledger.records[str(name.address), name.router_id].fault = None
        self._look_at_kernel(now_s)

    async def problems(self, reflector: Reflector) -> list[Problem]:
        """Find what is wrong now, the worst first; once for all who have asked before it begins."""
        self._asked = asked = self._asked + 1
        async with self._diagnosing:
            if self._answered < asked:
                asked = self._asked
                self._problems = await self._diagnose(reflector)
                self._answered = asked
            return list(self._problems)

    async def _diagnose(self, reflector: Reflector) -> list[Problem]:
        await self._look_for_overlaps(reflector)
        loop = asyncio.get_running_loop()
        nodes: list[diagnosis.Node] = []
        pause_at_s = loop.time() + _SLICE_S
        self._last_updates.look(reflector.peering.connections, self.steady())
        for node in diagnosis.nodes(reflector, loop.time(), self._unchanged_s):
            nodes.append(node)
            if loop.time() >= pause_at_s:
                await asyncio.sleep(0)
                pause_at_s = loop.time() + _SLICE_S
        now_s = self.steady()
        self._look_at_kernel(now_s)
        facts = diagnosis.Facts(
            now_s=now_s,
            asn=reflector.speaker.identity.asn,
            nodes=nodes,
            records=list(self.ledger.records.values()),
            overlaps=self._overlaps,
            held_back=list(reflector.speaker.held_back()),
            disconnected={
                str(cluster): tuple(sorted({str(address) for address, _ in nodes}))
                for cluster, nodes in reflector.controls.disconnected.items()
            },
            own_routes_hidden=reflector.controls.hidden,
            md5_drops=self._dropped if now_s < self._dropped_at_s + diagnosis.MD5_S else Md5Drops(),
        )
        offset_s = self.wall_clock.offset_s
        return [
            each if each.since_s is None else replace(each, since_s=each.since_s + offset_s)
            for each in diagnosis.diagnose(facts)
        ]

    def _unchanged_s(self, peer: Peer) -> float:
        return self._last_updates.age_s(peer, self.steady())

    def _look_at_kernel(self, now_s: float) -> None:
        if now_s < self._looked_at_s + _KERNEL_S:
            return
        self._looked_at_s = now_s
        drops = self._read_drops()
        if drops != self._last_drops:
            if now_s >= self._dropped_at_s + diagnosis.MD5_S:
                self._first_drops = self._last_drops
            self._dropped_at_s = now_s
            self._dropped = drops.since(self._first_drops)
            self._last_drops = drops

    def _read_drops(self) -> Md5Drops:
        """What concerns us: where no peer has a password, nobody's is missing or wrong here."""
        drops = read_md5_drops()
        return drops if self._signs() else Md5Drops(unexpected=drops.unexpected)

    async def _look_for_overlaps(self, reflector: Reflector) -> None:
        """Look again if the tables have changed, in a thread, and not all the time."""
        while self._searching is not None:
            await asyncio.shield(self._searching)
        speaker = reflector.speaker
        state = tuple(
            (id(peer), peer.counters.announced, peer.counters.withdrawn)
            for peer in speaker.peers.values()
        )
        loop = asyncio.get_running_loop()
        if state == self._overlaps_of or loop.time() < self._overlaps_due_s:
            return
        self._overlaps_of = state
        self._searching = loop.create_task(self._search(reflector))
        await asyncio.shield(self._searching)

    async def _search(self, reflector: Reflector) -> None:
        loop = asyncio.get_running_loop()
        began_s = loop.time()
        try:
            routes = take_routes(reflector.speaker)
            self._overlaps = await asyncio.to_thread(find_overlaps, routes)
        finally:
            took_s = loop.time() - began_s
            least_s, most_s = _SEARCH_S
            self._overlaps_due_s = loop.time() + min(max(_SHARE * took_s, least_s), most_s)
            self._searching = None
