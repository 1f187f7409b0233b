"""Routes that outlive their session: those of a peer that restarts gracefully (RFC 4724 4.2).

They stay in the tables as they are, so that nobody is told anything.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from reflector.bgp.vocabulary import Family
from reflector.rib.intake import Intake
from reflector.rib.path import IPAddress, Path, Source

# Who comes back: a peer is its address and its router id.
Returning = tuple[IPAddress, bytes]


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A peer whose session fell and whose routes are kept.

    Args:
        source: It, as a source of paths; the same when it is back, or its routes would be another's.
        paths: Its interned paths: what it announces again unchanged is then the same path, and
            nobody is told.
        intake: What became of its routes on their way in.
        asn: The AS that it is in.
        first_as: Which AS its paths had to begin with; 0 for any.
        families: Of its routes that are kept.
        prefixes: How many those are.
    """

    source: Source
    paths: dict[tuple[Any, ...], Path]
    intake: Intake
    asn: int
    first_as: int
    families: Collection[Family]
    prefixes: int


def returning(source: Source) -> Returning:
    """By what a peer is known again."""
    return source.address, source.router_id
