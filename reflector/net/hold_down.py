"""Peers that are kept out for a while, because they had too many prefixes (RFC 4486 4)."""

from collections.abc import Hashable
from typing import Final

# Peers that are remembered; who is forgotten may come back early.
_MAX_PEERS: Final = 4096


class HoldDown:
    """Who is kept out, and until when."""

    def __init__(self) -> None:
        self._until_s: dict[Hashable, float] = {}

    def add(self, key: Hashable, until_s: float) -> None:
        """Keep a peer out until a time; for ever if that is infinite."""
        self._until_s.pop(key, None)
        if len(self._until_s) >= _MAX_PEERS:
            del self._until_s[next(iter(self._until_s))]
        self._until_s[key] = until_s

    def left_s(self, key: Hashable, now_s: float) -> float:
        """How long a peer is still kept out; 0 if it isn't."""
        until_s = self._until_s.get(key)
        if until_s is None:
            return 0.0
        if until_s <= now_s:
            del self._until_s[key]
            return 0.0
        return until_s - now_s

    def clear(self) -> None:
        """Let everybody in again."""
        self._until_s.clear()
