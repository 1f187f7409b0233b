"""ROUTE-REFRESH, from the events of a session to the speaker (RFC 2918, RFC 7313)."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from reflector.bgp.events import RefreshReceived
from reflector.bgp.limits import MAX_REFRESH_S
from reflector.bgp.vocabulary import FAMILIES, Family, RefreshSubtype
from reflector.net.refresh_gate import RefreshGate
from reflector.speaker import Peer, Speaker

Gates = dict[Family, RefreshGate]


@dataclass(slots=True)
class _Deadline:
    """When the refresh that a peer has begun is to be over.

    Attributes:
        at_s: Loop time; None once it is over. A new refresh moves it, the timer looks at it.
        timer: At most one a peer and family, however often the peer begins.
    """

    at_s: float | None
    timer: asyncio.TimerHandle


class Refreshing:
    """Answers peers that ask for the table, and purges what they don't announce again.

    Args:
        speaker: The routing.
        want_turn: Called when something is to be sent.
    """

    def __init__(self, speaker: Speaker, want_turn: Callable[[], None]) -> None:
        self._speaker = speaker
        self._want_turn = want_turn
        self._loop = asyncio.get_running_loop()
        self._deadlines: dict[tuple[Peer, Family], _Deadline] = {}

    def receive(self, peer: Peer, gates: Gates, event: RefreshReceived) -> None:
        """Do what a ROUTE-REFRESH wants; one of an unknown subtype is ignored (RFC 7313 5).

        Args:
            peer: Who sent it.
            gates: How often it may still ask for the table.
            event: The message.
        """
        family = FAMILIES.get((event.afi, event.safi))
        if family is None or family not in peer.negotiated.families:
            return
        if event.subtype == RefreshSubtype.REQUEST:
            self._on_request(peer, gates, family)
        elif event.subtype == RefreshSubtype.BEGIN:
            if self._speaker.begin_refresh(peer, family):
                self._watch(peer, family)
        elif event.subtype == RefreshSubtype.END:
            self._end(peer, family)

    def forget(self, peer: Peer) -> None:
        """Its session is over."""
        for family in peer.negotiated.families:
            deadline = self._deadlines.pop((peer, family), None)
            if deadline is not None:
                deadline.timer.cancel()

    # Requests.

    def _on_request(self, peer: Peer, gates: Gates, family: Family) -> None:
        """Answer a peer that asks for the table, or soon if it asks all the time."""
        gate = gates.setdefault(family, RefreshGate())
        wait_s = gate.ask(self._loop.time())
        if wait_s == 0:
            self._answer(peer, family)
        elif wait_s is not None:
            self._loop.call_later(wait_s, self._answer_late, peer, family, gate)

    def _answer_late(self, peer: Peer, family: Family, gate: RefreshGate) -> None:
        gate.open(self._loop.time())
        if self._speaker.peers.get(peer.source) is peer:
            self._answer(peer, family)

    def _answer(self, peer: Peer, family: Family) -> None:
        self._speaker.receive_refresh(peer, family.afi, family.safi)
        self._want_turn()

    # What peers begin and end.

    def _watch(self, peer: Peer, family: Family) -> None:
        at_s = self._loop.time() + MAX_REFRESH_S
        deadline = self._deadlines.get((peer, family))
        if deadline is None:
            timer = self._loop.call_later(MAX_REFRESH_S, self._on_timer, peer, family)
            self._deadlines[peer, family] = _Deadline(at_s, timer)
        else:
            deadline.at_s = at_s

    def _on_timer(self, peer: Peer, family: Family) -> None:
        deadline = self._deadlines[peer, family]
        left_s = 0.0 if deadline.at_s is None else deadline.at_s - self._loop.time()
        if left_s > 0:
            deadline.timer = self._loop.call_later(left_s, self._on_timer, peer, family)
            return
        del self._deadlines[peer, family]
        self._end(peer, family)

    def _end(self, peer: Peer, family: Family) -> None:
        deadline = self._deadlines.get((peer, family))
        if deadline is not None:
            deadline.at_s = None
        if self._speaker.end_refresh(peer, family):
            self._want_turn()
