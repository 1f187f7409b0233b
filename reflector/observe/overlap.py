"""Pod CIDRs that two nodes announce, wholly or in part: the classroom's most puzzling mistake."""

from dataclasses import dataclass
from typing import Final

from reflector.bgp.nlri import shorten
from reflector.bgp.vocabulary import Family
from reflector.rib.path import Candidates
from reflector.rib.quarantine import are_rivals
from reflector.rib.source import Source
from reflector.speaker import Speaker

Routes = list[tuple[Family, dict[bytes, Candidates]]]

# Pairs of nodes that are named; whoever has more has one cause.
_MAX_PAIRS: Final = 200
_HOST_BITS: Final = {1: 32, 2: 128}


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two nodes announce the same addresses.

    Args:
        family: Of the prefixes.
        one: The wider prefix.
        other: The prefix within it, or the same.
        first: Who announces `one`; where both are the same, whose path is best.
        second: Who announces `other`.
        more: How many further pairs of prefixes these two have.
    """

    family: Family
    one: bytes
    other: bytes
    first: Source
    second: Source
    more: int = 0


def take_routes(speaker: Speaker) -> Routes:
    """Copy the tables, for a thread to look at."""
    return [(family, table.routes.copy()) for family, table in speaker.tables.items()]


def find_overlaps(routes: Routes) -> list[Overlap]:
    """Find pairs of nodes that announce the same addresses.

    Host routes may come from several nodes (a service's address does), our own routes and default
    routes overlap on purpose; neither counts.
    """
    found: dict[tuple[Source, Source], Overlap] = {}
    for family, table in routes:
        for prefix, candidates in table.items():
            length = prefix[0] if prefix else 0
            if not length or length == _HOST_BITS[family.afi]:
                continue
            paths = candidates.paths
            if len(paths) > 1:
                best = candidates.best
                for path in paths:
                    if are_rivals(best, path):
                        _note(found, family, prefix, prefix, best.source, path.source)
        _find_nested(found, family, table)
        if len(found) >= _MAX_PAIRS:
            break
    return list(found.values())


def _find_nested(
    found: dict[tuple[Source, Source], Overlap], family: Family, table: dict[bytes, Candidates]
) -> None:
    lengths = sorted({prefix[0] for prefix in table if prefix} - {0, _HOST_BITS[family.afi]})
    for prefix, candidates in table.items():
        length = prefix[0] if prefix else 0
        if length == _HOST_BITS[family.afi]:
            continue
        for shorter in lengths:
            if shorter >= length:
                break
            wider = shorten(prefix, shorter)
            holder = table.get(wider)
            if holder is not None and are_rivals(holder.best, candidates.best):
                _note(found, family, wider, prefix, holder.best.source, candidates.best.source)
                if len(found) >= _MAX_PAIRS:
                    return


def _note(
    found: dict[tuple[Source, Source], Overlap],
    family: Family,
    one: bytes,
    other: bytes,
    first: Source,
    second: Source,
) -> None:
    pair = first, second
    known = found.get(pair) or found.get((second, first))
    if known is None:
        found[pair] = Overlap(family, one, other, first, second)
    else:
        key = pair if pair in found else (second, first)
        found[key] = Overlap(
            known.family, known.one, known.other, known.first, known.second, known.more + 1
        )
