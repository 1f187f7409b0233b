"""Sweeps: all that is held of a peer is looked at again, a piece a turn.

So it is where its routes are to be taken by other rules, where they are kept beyond its restart time
(RFC 9494 4.2), and where they go. A peer may have a million, and nobody's KEEPALIVE is to wait for them.
"""

from collections.abc import Callable, Iterator

from reflector.bgp.errors import SessionError
from reflector.bgp.limits import SWEEP_TURN_PREFIXES
from reflector.bgp.vocabulary import Family
from reflector.rib.source import Source

# Each step does a piece and says how many prefixes that were.
Sweep = Iterator[int]

# Whose routes, and of which families where they are to become long-lived stale, or of which where they go.
Key = tuple[Source, frozenset[Family] | Family | None]


class Sweeps:
    """The sweeps that are not over yet, each of which has its turn.

    Args:
        on_error: Told whose session must be reset for what a sweep has found.
    """

    def __init__(self, on_error: Callable[[Source, SessionError], None]) -> None:
        self._on_error = on_error
        self._due: dict[Key, Sweep] = {}

    def __bool__(self) -> bool:
        return bool(self._due)

    def begin(self, key: Key, sweep: Sweep) -> None:
        """Begin one with the next turn, instead of the one that may be under way for the same."""
        self._due[key] = sweep

    def turn(self) -> bool:
        """Go on with them.

        Returns:
            Whether there is more to do.
        """
        left = SWEEP_TURN_PREFIXES
        while self._due and left > 0:
            key, sweep = next(iter(self._due.items()))
            del self._due[key]
            try:
                done = next(sweep, None)
            except SessionError as error:
                self._on_error(key[0], error)
                continue
            if done is not None:
                left -= 1 + done
                self._due[key] = sweep
        return bool(self._due)
