"""Whom to redial when: no sockets and no clock in here."""

import random
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from reflector.net.memory import Remembered
from reflector.rib.source import IPAddress

# By then kube-router has redialled by itself.
_GIVE_UP_S: Final = 180.0

# Before a peer is dialled whose session has just fallen: most BGP speakers dial again at once.
_OWN_DIAL_S: Final = 1.0

# A GoBGP whose session fell stays idle for 5 s. Until then it takes a dial and hangs up at once.
_IDLE_S: Final = 10.0
_IDLE_RETRY_S: Final = 0.25

# Afterwards: its hold timer or keepalives may still have to find out that the session fell.
_HUNG_UP_RETRY_S: Final = 2.0

# Where nobody answers: doubled from the first to the last.
_FIRST_RETRY_S: Final = 0.5
_LAST_RETRY_S: Final = 8.0

_LONGEST_NAP_S: Final = 1.0
_SHORTEST_NAP_S: Final = 0.05


class Outcome(Enum):
    """What a try came to."""

    SILENT = auto()
    """Refused, or no answer."""
    HUNG_UP = auto()
    """Taken, and hung up without a word."""
    SPOKE = auto()
    """The peer said something: the rest is the session's."""


@dataclass(slots=True)
class _Turn:
    """When a peer is tried next, and how often it was in vain."""

    at_s: float
    began_s: float
    tries: int = 0


class Plan:
    """Which remembered peers are still to be dialled.

    Args:
        peers: All of them; the first are dialled first.
        now_s: The time, by a clock that only goes forward.
        jitter: Gives 0 to 1; keeps peers apart that fell at the same time.

    Attributes:
        given_up: How many were dialled in vain for too long.
    """

    def __init__(
        self,
        peers: Iterable[Remembered],
        now_s: float,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.given_up = 0
        self._jitter = jitter
        self._waiting = {peer: _Turn(now_s, now_s) for peer in peers}
        self._trying: dict[Remembered, _Turn] = {}

    def __len__(self) -> int:
        return len(self._waiting) + len(self._trying)

    def add(self, peer: Remembered, now_s: float) -> None:
        """One more has fallen. It may dial by itself, and is left the time for it."""
        if any(each.address == peer.address for each in self._trying):
            return
        for each in [each for each in self._waiting if each.address == peer.address]:
            del self._waiting[each]  # as it was remembered before it was up this time
        self._waiting[peer] = _Turn(now_s + _OWN_DIAL_S, now_s)

    def over(self, now_s: float) -> bool:
        """Whether there is nothing left to do; whose time is over is given up."""
        late = [p for p, turn in self._waiting.items() if now_s - turn.began_s >= _GIVE_UP_S]
        for peer in late:
            self.forget(peer)
        self.given_up += len(late)
        return not len(self)

    def came_back(self, up: Container[IPAddress]) -> int:
        """Leave those alone that have a session, whoever dialled; how many that is."""
        back = [peer for peer in (*self._waiting, *self._trying) if peer.address in up]
        for peer in back:
            self.forget(peer)
        return len(back)

    def forget(self, peer: Remembered) -> None:
        """Leave a peer alone for good."""
        self._waiting.pop(peer, None)
        self._trying.pop(peer, None)

    def take(self, now_s: float, busy: Container[IPAddress], most: int) -> list[Remembered]:
        """Whom to try now; each must be told of by `tried`.

        Args:
            now_s: The time.
            busy: Who has a connection in whatever state: it may become a session.
            most: Tries that may be under way at a time.
        """
        room = max(0, most - len(self._trying))
        due = [
            peer
            for peer, turn in self._waiting.items()
            if turn.at_s <= now_s and peer.address not in busy
        ][:room]
        for peer in due:
            self._trying[peer] = self._waiting.pop(peer)
        return due

    def tried(self, peer: Remembered, now_s: float, outcome: Outcome) -> None:
        """A try is over."""
        turn = self._trying.pop(peer, None)
        if turn is None:
            return  # it came back meanwhile
        if outcome is Outcome.HUNG_UP:
            idle = now_s - turn.began_s < _IDLE_S
            wait_s = _IDLE_RETRY_S if idle else _HUNG_UP_RETRY_S
        else:
            wait_s = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(turn.tries, 8))
            turn.tries += 1
        turn.at_s = now_s + wait_s * (1.0 - 0.25 * self._jitter())
        # To the end: where there is more to do than can be done, all get their turns.
        self._waiting[peer] = turn

    def nap_s(self, now_s: float) -> float:
        """How long nobody's turn will come."""
        next_s = min((turn.at_s for turn in self._waiting.values()), default=now_s)
        return min(_LONGEST_NAP_S, max(_SHORTEST_NAP_S, next_s - now_s))
