"""Who is told of a path, and in what form: what the peers of an update group have in common."""

from dataclasses import dataclass
from typing import Final


class Audience:
    """Kinds of peers (RFC 4456 5), as a set of bits: who may be told of a path.

    Those with two-octet AS numbers are kinds of their own: a path that fits a message in one form
    may outgrow it in the other (RFC 6793 4.2.2). Plain integers, because the reflecting path
    compares them for every prefix.
    """

    NOBODY: Final = 0
    CLIENT: Final = 1
    NON_CLIENT: Final = 2
    ALL: Final = 3

    @staticmethod
    def as2(kinds: int) -> int:
        """These kinds as far as they have two-octet AS numbers."""
        return kinds << 2


@dataclass(frozen=True, slots=True)
class Form:
    """In what form peers are told of paths. Peers of one form share an update group.

    Args:
        kind: CLIENT or NON_CLIENT.
        as4: Whether they use four-octet AS numbers (RFC 6793).
    """

    kind: int
    as4: bool = True

    @property
    def audience(self) -> int:
        """Their bit: a path whose audience has it may be told to them."""
        return self.kind if self.as4 else Audience.as2(self.kind)
