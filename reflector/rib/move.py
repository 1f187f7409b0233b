"""Moves: peers that are told by another policy from now on are sent what that makes different.

What a peer holds follows from the table and the policy, so before a move from the table as it was.
Tables map prefixes to what never changes itself, and a copy of one costs a millisecond for a hundred
thousand. So nothing is compared when a policy changes: all that move together share the copy, and look
at its prefixes a piece a turn, as at a dump (`UpdateGroup.catch_up`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from reflector.rib.path import Candidates, Path


class View(Protocol):
    """How routes look to peers that are told the same."""

    def told_of(self, prefix: bytes, candidates: Candidates) -> Mapping[bytes, Path]:
        """The paths of a prefix that are told to others than their sources, as routes on the wire."""


@dataclass(frozen=True, slots=True, eq=False)
class Move:
    """What some peers were told until now. It is shared between them.

    Args:
        view: How routes looked to them.
        routes: The table as it was then.
        prefixes: Its prefixes.
    """

    view: View
    routes: Mapping[bytes, Candidates]
    prefixes: list[bytes]


@dataclass(slots=True, eq=False)
class Moving:
    """How far a member has come with a move.

    Args:
        move: Which.

    Attributes:
        position: Of the first prefix that was not looked at yet.
    """

    move: Move
    position: int = 0
