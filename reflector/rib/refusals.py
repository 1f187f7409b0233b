"""Which of a peer's routes were refused last, and why: for whoever asks why a route is not there."""

from collections import deque
from dataclasses import dataclass
from typing import Final

from reflector.bgp.vocabulary import Family

# Remembered of each peer: enough for what a person looks for, and a flood costs no memory.
_MAX_UPDATES: Final = 32
_MAX_PREFIXES: Final = 64


@dataclass(frozen=True, slots=True)
class Refusal:
    """Prefixes that were announced and may not be used.

    Args:
        family: Of the prefixes.
        prefixes: Packed.
        reason: In words.
    """

    family: Family
    prefixes: tuple[bytes, ...]
    reason: str


class Refusals:
    """The last refusals of one peer."""

    __slots__ = ("_last",)

    def __init__(self) -> None:
        self._last: deque[Refusal] = deque(maxlen=_MAX_UPDATES)

    def note(self, family: Family, prefixes: list[bytes], reason: str) -> None:
        """Remember what was refused; of many prefixes at once only the first."""
        self._last.append(Refusal(family, tuple(prefixes[:_MAX_PREFIXES]), reason))

    def reason(self, family: Family, prefix: bytes) -> str:
        """Why a prefix was refused the last time; empty if that is not known."""
        for refusal in reversed(self._last):
            if refusal.family is family and prefix in refusal.prefixes:
                return refusal.reason
        return ""
