"""Which of a peer's routes are refused, and why: for whoever asks why a route is not there."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from reflector.bgp.vocabulary import Family

# Remembered of each peer and family: enough for what a person looks for, and a flood costs no memory.
_MAX_PREFIXES: Final = 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """A route that breaks a rule.

    Args:
        family: Of the prefix.
        prefix: Packed.
        reason: In words.
        others: How many more of the peer's are remembered as breaking one.
    """

    family: Family
    prefix: bytes
    reason: str
    others: int


class Refusals:
    """The routes that one peer announces in vain, until it withdraws them or announces them rightly.

    Attributes:
        standing: How many are remembered.
        had_wrong: Whether one of them broke a rule, now or before.
    """

    __slots__ = ("_filtered", "_wrong", "had_wrong", "standing")

    def __init__(self) -> None:
        self._wrong: dict[Family, dict[bytes, str]] = {}
        self._filtered: dict[Family, dict[bytes, str]] = {}
        self.standing = 0
        self.had_wrong = False

    def note(
        self, family: Family, prefixes: Sequence[bytes], reason: str, *, by_policy: bool = False
    ) -> None:
        """Remember what is refused; of very many prefixes the last ones.

        Args:
            family: Of the prefixes.
            prefixes: Packed.
            reason: In words.
            by_policy: Whether nothing is wrong with them, and the configuration doesn't want them.
        """
        self.lift(family, prefixes)
        kind = self._filtered if by_policy else self._wrong
        known = kind.pop(family, {})
        kind[family] = known  # the one of the last refusal comes last
        known.update(dict.fromkeys(prefixes[-_MAX_PREFIXES:], reason))
        for prefix in list(islice(known, max(len(known) - _MAX_PREFIXES, 0))):
            del known[prefix]
        self.had_wrong |= not by_policy
        self._count()

    def lift(self, family: Family, prefixes: Sequence[bytes]) -> None:
        """Forget what is withdrawn, or announced anew."""
        for kind in (self._wrong, self._filtered):
            known = kind.get(family)
            if known:
                for prefix in known.keys() & prefixes:
                    del known[prefix]
        self._count()

    def reason(self, family: Family, prefix: bytes) -> str:
        """Why a prefix is refused; empty if it isn't, or that is not known any more."""
        for kind in (self._wrong, self._filtered):
            reason = kind.get(family, {}).get(prefix)
            if reason is not None:
                return reason
        return ""

    def wrong(self) -> Refused | None:
        """The last route that breaks a rule."""
        for family, known in reversed(self._wrong.items()):
            if known:
                prefix, reason = next(reversed(known.items()))
                others = sum(map(len, self._wrong.values())) - 1
                return Refused(family, prefix, reason, others)
        return None

    def _count(self) -> None:
        self.standing = sum(
            len(known) for kind in (self._wrong, self._filtered) for known in kind.values()
        )
