"""When peers last said something about routes, as far as looking again and again tells."""

import math
from collections.abc import Iterable

from reflector.observe.reflector import PeerConnection
from reflector.speaker import Peer


class LastUpdates:
    """Kept without a clock where UPDATEs are read: their number is compared with what it was."""

    def __init__(self) -> None:
        self._seen: dict[Peer, tuple[int, float]] = {}

    def look(self, connections: Iterable[PeerConnection], now_s: float) -> None:
        """See who has sent an UPDATE since the last look; End-of-RIB says nothing about routes.

        Args:
            connections: All there are: who is not among them is forgotten.
            now_s: Loop time.
        """
        seen: dict[Peer, tuple[int, float]] = {}
        for connection in connections:
            peer = connection.peer
            if peer is None:
                continue
            said = peer.counters.updates - len(peer.end_of_rib)
            known = self._seen.get(peer, (said, -math.inf))
            seen[peer] = known if known[0] == said else (said, now_s)
        self._seen = seen

    def age_s(self, peer: Peer, now_s: float) -> float:
        """How long ago a peer's last UPDATE was seen; infinite if that was at the first look or never.

        Args:
            peer: Whose.
            now_s: Loop time.
        """
        return now_s - self._seen[peer][1] if peer in self._seen else math.inf
