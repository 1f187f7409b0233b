"""Places: where the paths stand that one source has for one prefix (RFC 7911).

A source has one path for a prefix, unless its session has add-path. So it is its own first place,
and the only one in an ordinary session; a table can be keyed by places and costs no more for it. The
path identifiers of a peer are its own affair, and any numbers: `rib.path_ids` finds the place that
each means. That keeps places few, and paths and candidates shared, where a speaker numbers all the
paths of its table in one row.
"""

from dataclasses import dataclass, field
from itertools import count

_NUMBERS = count(1)


def next_path_id() -> bytes:
    """A path identifier that no other place has: what we tell of its paths goes by it."""
    return (next(_NUMBERS) & 0xFFFFFFFF).to_bytes(4)


@dataclass(frozen=True, slots=True, eq=False)
class FurtherPlace:
    """A place beside a source's first.

    Args:
        index: Its number among the places of its source; the source itself is 0.

    Attributes:
        path_id: By which we tell of the paths there, packed.
    """

    index: int
    path_id: bytes = field(init=False, default_factory=next_path_id)
