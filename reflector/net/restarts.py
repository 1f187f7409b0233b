"""The clocks of graceful restarts (RFC 4724).

How long a peer's routes outlive its session, and how long after our own restart our End-of-RIB
waits for what others have to say.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Final

from reflector.bgp.vocabulary import Family
from reflector.reports import PeerName, Report, RestartOver, StaleRoutesGone
from reflector.rib.kept import Returning, returning
from reflector.rib.path import IPAddress
from reflector.speaker import Peer, Speaker

# RFC 4724 4.2: a peer that is back and never says that it is complete would keep stale routes for
# good. GoBGP, and so kube-router, may itself wait 360 s for others before it says so.
STALE_PATHS_S: Final = 360.0

# RFC 4724 4.1's Selection_Deferral_Timer. A class's nodes are redialled and have said all within
# seven seconds (docs/restart.md); meanwhile they lose nothing, since they keep what they have.
DEFERRAL_S: Final = 30.0


class Restarts:
    """Times restarts, the peers' and our own.

    Args:
        speaker: Keeps the routes.
        report: Told what becomes of them.
        on_change: Called when there is something to send.

    Attributes:
        ours: Whether we have restarted ourselves and not yet caught up: the R bit of our OPEN.
    """

    def __init__(
        self, speaker: Speaker, *, report: Callable[[Report], None], on_change: Callable[[], None]
    ) -> None:
        self.ours = False
        self._speaker = speaker
        self._report = report
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timers: dict[Returning, asyncio.TimerHandle] = {}
        self._awaited: dict[IPAddress, set[Family]] = {}
        self._deferral: asyncio.TimerHandle | None = None
        self._began_s = 0.0
        speaker.on_end_of_rib = self._on_end_of_rib

    # A peer's.

    def peer_fell(self, name: PeerName, peer: Peer) -> int:
        """A session is over, and the speaker has kept what it keeps of its routes.

        Returns:
            How many prefixes are kept.
        """
        who = returning(peer.source)
        self._cancel(who)
        kept = self._speaker.restarting.get(who)
        if kept is None:
            return 0
        restart = peer.negotiated.graceful_restart
        wait_s = restart.restart_time_s if restart is not None else 0
        self._timers[who] = self._loop.call_later(wait_s, self._not_back, name, who, wait_s)
        return kept.prefixes

    def peer_back(self, name: PeerName, peer: Peer) -> None:
        """A session is established."""
        who = returning(peer.source)
        self._cancel(who)
        if peer.restoring:
            self._timers[who] = self._loop.call_later(STALE_PATHS_S, self._not_complete, name, peer)
        if self._deferral is not None and not _defers(peer):
            self._done(peer.source.address)

    def stop(self) -> None:
        """Time nothing any more."""
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        if self._deferral is not None:
            self._deferral.cancel()
            self._deferral = None

    def _cancel(self, who: Returning) -> None:
        timer = self._timers.pop(who, None)
        if timer is not None:
            timer.cancel()

    def _not_back(self, name: PeerName, who: Returning, waited_s: int) -> None:
        self._timers.pop(who, None)
        gone = self._speaker.forget(who)
        self._report(StaleRoutesGone(name, gone, f"it is not back within its {waited_s} s"))
        self._on_change()

    def _not_complete(self, name: PeerName, peer: Peer) -> None:
        self._timers.pop(returning(peer.source), None)
        gone = self._speaker.drop_stale(peer)
        if gone:
            reason = f"it has not announced them again within {STALE_PATHS_S:.0f} s"
            self._report(StaleRoutesGone(name, gone, reason))
            self._on_change()

    # Our own.

    def begin(self, awaited: Iterable[IPAddress]) -> None:
        """We have restarted, and these peers keep our routes: their dumps come before our markers.

        Args:
            awaited: Who had a session with graceful restart before.
        """
        self._awaited = {address: set() for address in awaited}
        if not self._awaited:
            return
        self.ours = True
        self._began_s = self._loop.time()
        self._speaker.defer_end_of_rib()
        self._deferral = self._loop.call_later(DEFERRAL_S, self._release)

    def _on_end_of_rib(self, peer: Peer, family: Family) -> None:
        if self._deferral is None:
            return
        said = self._awaited.get(peer.source.address)
        if said is not None:
            said.add(family)
            if said >= peer.negotiated.families:
                self._done(peer.source.address)

    def _done(self, address: IPAddress) -> None:
        self._awaited.pop(address, None)
        if not self._awaited:
            self._release()

    def _release(self) -> None:
        if self._deferral is None:
            return
        self._deferral.cancel()
        self._deferral = None
        self.ours = False
        self._speaker.release_end_of_rib()
        self._report(RestartOver(self._loop.time() - self._began_s, len(self._awaited)))
        self._awaited.clear()
        self._on_change()


def _defers(peer: Peer) -> bool:
    """Whether a peer's End-of-RIB is waited for: not of one that waits for ours (RFC 4724 4.1)."""
    restart = peer.negotiated.graceful_restart
    return restart is not None and not restart.restarting
