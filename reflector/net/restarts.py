"""The clocks of graceful restarts (RFC 4724).

How long a peer's routes outlive its session, and how long after our own restart our End-of-RIB
waits for what others have to say.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from math import inf
from typing import Final

from reflector.bgp.errors import SessionError
from reflector.bgp.vocabulary import Family
from reflector.net.peer_policy import PeerPolicy
from reflector.reports import PeerName, Report, RestartOver, RoutesKeptLong, StaleRoutesGone
from reflector.rib.returning import Returning, returning
from reflector.rib.source import IPAddress, Source
from reflector.speaker import Peer, Speaker

# What is kept for all peers that are restarting, in prefixes; a peer counts for some by itself. A
# whole class of ten thousand may lose its power, but who comes and goes with ever new router ids, a
# full table each time, must not grow the process.
MAX_KEPT_COST: Final = 5_000_000
KEPT_PEER_COST: Final = 400


@dataclass(slots=True)
class _Fallen:
    """A peer that is restarting.

    Attributes:
        name: What it is called.
        cost: What its routes count for.
    """

    name: PeerName
    cost: int


class Restarts:
    """Times restarts, the peers' and our own.

    Args:
        speaker: Keeps the routes.
        report: Told what becomes of them.
        on_change: Called when there is something to send.

    Attributes:
        ours: Whether we have restarted ourselves and not yet caught up: the R bit of our OPEN.
        deferral_s: RFC 4724 4.1's Selection_Deferral_Timer. A class's nodes are redialled and have
            said all within seven seconds (docs/restart.md); meanwhile they lose nothing, since they
            keep what they have.
        stale_paths_s: RFC 4724 4.2: a peer that is back and never says that it is complete would
            keep stale routes for good. GoBGP, and so kube-router, may itself wait 360 s for others
            before it says so.
    """

    def __init__(
        self, speaker: Speaker, *, report: Callable[[Report], None], on_change: Callable[[], None]
    ) -> None:
        self.ours = False
        self.deferral_s = 30.0
        self.stale_paths_s = 360.0
        self._speaker = speaker
        self._report = report
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._timers: dict[Returning, list[asyncio.TimerHandle]] = {}
        self._fallen: dict[Returning, _Fallen] = {}
        self._cost = 0
        self._complete_by: dict[Returning, float] = {}
        self._long_until: dict[Returning, dict[Family, float]] = {}
        self._awaited: dict[Returning, set[Family]] = {}
        self._deferral: asyncio.TimerHandle | None = None
        self._began_s = 0.0
        speaker.on_end_of_rib = self._on_end_of_rib

    # A peer's.

    def peer_fell(self, name: PeerName, peer: Peer) -> tuple[int, float]:
        """A session is over, and the speaker has kept what it keeps of its routes.

        Returns:
            How many prefixes are kept, and for how many seconds.
        """
        who = returning(peer.source)
        self._cancel(who)
        kept = self._speaker.restarting.get(who)
        self._forget_bounds(who, set() if kept is None else peer.restoring)
        if kept is None:
            return 0, 0.0
        agreed = peer.negotiated
        wait_s = min(agreed.restart_time_s, self._left_s(who))
        now_s = self._loop.time()
        # RFC 9494 4.2: what is not in its other capability has no restart time.
        at_once = [each for each in kept.families if each not in agreed.restartable]
        if at_once:
            self._arm(who, now_s, self._keep_long, who, at_once, "it asked for no restart time")
        self._arm(who, now_s + wait_s, self._restart_time_over, who, wait_s)
        fallen = self._fallen[who] = _Fallen(name, KEPT_PEER_COST + kept.prefixes)
        self._cost += fallen.cost
        while self._cost > MAX_KEPT_COST:
            self._forget(self._dearest(), _TOO_MUCH)
        return (kept.prefixes, wait_s) if who in self._fallen else (0, 0.0)

    def peer_back(self, name: PeerName, peer: Peer) -> None:
        """A session is established."""
        who = returning(peer.source)
        self._cancel(who)
        self._forget_bounds(who, peer.restoring)
        long_until = self._long_until.get(who, {})
        for family in peer.restoring:
            by = long_until.get(family)
            if by is None:
                by = self._complete_by.setdefault(who, self._loop.time() + self.stale_paths_s)
            self._arm(who, by, self._not_complete, name, peer, family)
        if self._deferral is not None and not _defers(peer):
            self._done(who)

    def reconsider(
        self,
        dropped: Callable[[IPAddress, int], str | None],
        policy: Callable[[IPAddress], PeerPolicy | None],
    ) -> None:
        """The configuration has changed: who would lose its session by that loses its routes.

        What is kept of the others is brought to what it says of routes by now.

        Args:
            dropped: Why a session with an address, in an AS, must drop; None if it needn't.
            policy: How to speak with an address.
        """
        for who, kept in list(self._speaker.restarting.items()):
            reason, now = dropped(who[0], kept.asn), policy(who[0])
            if reason is not None:
                self._forget(who, reason)
            elif now is not None:
                self._speaker.reconfigure_kept(who, now.intake)
        self._on_change()

    def give_up(self, source: Source, error: SessionError) -> None:
        """A peer that is restarting has too many routes by what the configuration says by now."""
        self._forget(returning(source), error.reason)

    def stop(self) -> None:
        """Time nothing any more."""
        for who in list(self._timers):
            self._cancel(who)
        if self._deferral is not None:
            self._deferral.cancel()
            self._deferral = None

    def _cancel(self, who: Returning) -> None:
        for timer in self._timers.pop(who, ()):
            timer.cancel()
        fallen = self._fallen.pop(who, None)
        if fallen is not None:
            self._cost -= fallen.cost

    def _arm(self, who: Returning, at_s: float, over: Callable[..., None], *given: object) -> None:
        """Have something done for a peer at a time, unless it falls or is back before."""
        self._timers.setdefault(who, []).append(self._loop.call_at(at_s, over, *given))

    def _forget_bounds(self, who: Returning, families: Collection[Family]) -> None:
        """Nothing is stale any more in families but these, so that their next restart is a first one."""
        if not families:
            self._complete_by.pop(who, None)
        long_until = self._long_until.pop(who, {})
        still = {family: until for family, until in long_until.items() if family in families}
        if still:
            self._long_until[who] = still

    def _restart_time_over(self, who: Returning, wait_s: float) -> None:
        """A peer is not back in time: its routes go, unless they are to be kept for long."""
        kept = self._speaker.restarting[who]
        reason = f"it is not back within its {wait_s:.0f} s"
        agreed = kept.peer.negotiated
        long = agreed.kept_long.intersection(kept.families)
        if not long:
            self._forget(who, reason)
            return
        self._complete_by.pop(who, None)
        self._give_up(who, set(kept.families) - long, reason)
        if long & agreed.restartable:
            self._keep_long(who, long & agreed.restartable, reason)

    def _keep_long(self, who: Returning, families: Collection[Family], reason: str) -> None:
        """Keep a peer's routes on as long-lived stale ones (RFC 9494 4.2)."""
        now_s, agreed = self._loop.time(), self._speaker.restarting[who].peer.negotiated
        long_until = self._long_until.setdefault(who, {})
        for family in families:
            # Who fell again before it had announced all has what is left of its time.
            until = long_until.setdefault(family, now_s + agreed.stale_time_s(family))
            self._arm(who, until, self._long_over, who, family)
        left_s = round(max(0.0, max(long_until[family] for family in families) - now_s))
        name = self._fallen[who].name

        def told(stale: int, gone: int) -> None:
            if who in self._fallen:
                self._report(RoutesKeptLong(name, stale, gone, left_s, reason))

        self._speaker.keep_long(who, families, told)
        self._on_change()

    def _long_over(self, who: Returning, family: Family) -> None:
        """A family's long-lived stale time is over."""
        seconds = self._speaker.restarting[who].peer.negotiated.stale_time_s(family)
        self._give_up(who, (family,), _LONG_OVER.format(seconds))

    def _give_up(self, who: Returning, families: Collection[Family], reason: str) -> None:
        """Wait no more for some of a peer's routes."""
        if not families:
            return
        if set(self._speaker.restarting[who].families) <= set(families):
            self._forget(who, reason)
            return
        gone = self._speaker.forget(who, families)
        self._report(StaleRoutesGone(self._fallen[who].name, gone, reason))
        self._on_change()

    def _left_s(self, who: Returning) -> float:
        """Seconds until stale routes go that restarts one after another have kept (RFC 8538 4.1)."""
        return max(0.0, self._complete_by.get(who, inf) - self._loop.time())

    def _forget(self, who: Returning, reason: str) -> None:
        """Wait for a peer no more."""
        name = self._fallen[who].name
        self._cancel(who)
        self._forget_bounds(who, ())
        gone = self._speaker.forget(who)
        self._report(StaleRoutesGone(name, gone, reason))
        self._on_change()

    def _dearest(self) -> Returning:
        """Who fell first, of those at the address for which most is kept."""
        cost: Counter[IPAddress] = Counter()
        for (address, _), fallen in self._fallen.items():
            cost[address] += fallen.cost
        [(dearest, _)] = cost.most_common(1)
        return next(who for who in self._fallen if who[0] == dearest)

    def _not_complete(self, name: PeerName, peer: Peer, family: Family) -> None:
        long_lived = family in peer.long_lived
        gone = self._speaker.drop_stale(peer, (family,))
        if gone:
            reason = _NOT_COMPLETE.format(self.stale_paths_s)
            if long_lived:
                reason = _LONG_OVER.format(peer.negotiated.stale_time_s(family))
            self._report(StaleRoutesGone(name, gone, reason))
            self._on_change()

    # Our own.

    def begin(self, awaited: Iterable[Returning]) -> None:
        """We have restarted, and these peers keep our routes: their dumps come before our markers.

        Args:
            awaited: Who had a session with graceful restart before.
        """
        self._awaited = {who: set() for who in awaited}
        if not self._awaited:
            return
        self.ours = True
        self._began_s = self._loop.time()
        self._speaker.defer_end_of_rib()
        self._deferral = self._loop.call_later(self.deferral_s, self._release)

    def _on_end_of_rib(self, peer: Peer, family: Family) -> None:
        if self._deferral is None:
            return
        who = returning(peer.source)
        said = self._awaited.get(who)
        if said is not None:
            said.add(family)
            if said >= peer.negotiated.families:
                self._done(who)

    def _done(self, who: Returning) -> None:
        self._awaited.pop(who, None)
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


_NOT_COMPLETE: Final = "it has not announced them again within {:.0f} s"
_LONG_OVER: Final = "they were kept for its long-lived stale time of {} s"
_TOO_MUCH: Final = (
    "too many routes are kept for peers that restart, and most of them for those at its address"
)


def _defers(peer: Peer) -> bool:
    """Whether a peer's End-of-RIB is waited for: not of one that waits for ours (RFC 4724 4.1)."""
    restart = peer.negotiated.graceful_restart
    return restart is not None and not restart.restarting
