"""The decision process (RFC 4271 9.1.2, RFC 4456 9): a pure function of a prefix's paths.

The steps, numbered as in RFC 4271 9.1.2.2 where they are its own:

    -  a route that we originate ourselves, as every router has it
    -  a route that is not long-lived stale (RFC 9494 4.4)
    -  9.1.1: highest LOCAL_PREF
    a  shortest AS_PATH, an AS_SET counting one
    b  lowest ORIGIN
    c  lowest MULTI_EXIT_DISC among routes from the same neighbouring AS; absent counts 0
    d  external before internal
    e  least interior cost: not looked at, a reflector in a classroom has no IGP; all equal
    f  lowest BGP identifier, ORIGINATOR_ID standing for it where present (RFC 4456 9)
    -  shortest CLUSTER_LIST (RFC 4456 9)
    g  lowest peer address; two peers behind one address by their BGP identifier
    -  of paths of one peer (RFC 7911): lowest next hop, and then the one that came first

MED compares only within a neighbouring AS, so that "better" is no order on pairs: the best of
three is not found by comparing two at a time. Hence the function takes all paths and eliminates,
as the RFC does, and its result can't depend on the order in which they came.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from reflector.rib.path import Candidates, Contest, Path, TieBreak
from reflector.rib.source import Place

_STEPS: Final = (
    "originated by this reflector",
    "highest LOCAL_PREF",
    "shortest AS_PATH",
    "lowest ORIGIN",
)
_MED: Final = "lowest MULTI_EXIT_DISC"
# What the first of them compares where no path is our own.
_NOT_STALE: Final = "not long-lived stale"
_TIE_BREAKS: Final = (
    "external before internal",
    "lowest BGP identifier (ORIGINATOR_ID)",
    "shortest CLUSTER_LIST",
    "lowest peer address",
    "lowest peer address",
    "lowest BGP identifier of the peer",
    "lowest next hop of the peer's paths",
    "first of the peer's paths",
)


def best_path(paths: Iterable[Path]) -> Path:
    """Choose the best of at least one path."""
    return min(_survivors(tuple(paths)), key=_tie_break)


def explain(paths: tuple[Path, ...]) -> str:
    """Say in words which step decided among paths."""
    if len(paths) == 1:
        return "only path"
    *_, (_, step) = eliminate(paths)
    return step


def eliminate(paths: tuple[Path, ...]) -> Iterator[tuple[Path, str]]:
    """Say of all paths but the best which step was against each, in the order of the steps."""
    best = best_path(paths)
    others = [path for path in paths if path is not best]
    for index, step in enumerate(_STEPS):
        left = [path for path in others if path.preference[index] == best.preference[index]]
        gone = [path for path in others if path not in left]
        stale = index == 0 and not best.source.local
        yield from ((path, _NOT_STALE if stale else step) for path in gone)
        others = left
    survivors = _survivors(paths)
    yield from ((path, _MED) for path in others if path not in survivors)
    others = [path for path in others if path in survivors]
    for index, step in enumerate(_TIE_BREAKS):
        left = [path for path in others if path.tie_break[index] == best.tie_break[index]]
        yield from ((path, step) for path in others if path not in left)
        others = left
    yield from ((path, "equal in every step") for path in others)


def with_path(candidates: Candidates | None, path: Path) -> Candidates:
    """The candidates after a path was announced, instead of the former one at its place if any."""
    if candidates is None:
        return path
    former = candidates.paths
    if len(former) == 1 and former[0].place is path.place:
        return path
    paths = (*[other for other in former if other.place is not path.place], path)
    if len(paths) == len(former) + 1:
        # Steps before MED are an order: a path behind the best in them changes nothing, one
        # ahead of it eliminates all others.
        best = candidates.best
        if path.preference > best.preference:
            return Contest(paths, best)
        if path.preference < best.preference:
            return Contest(paths, path)
    return Contest(paths, best_path(paths))


def without_place(candidates: Candidates, place: Place) -> Candidates | None:
    """The candidates after the path at a place was withdrawn, if there was one; None if none is left."""
    paths = tuple([path for path in candidates.paths if path.place is not place])
    if not paths:
        return None
    if len(paths) == len(candidates.paths):
        return candidates
    if len(paths) == 1:
        return paths[0]
    return Contest(paths, best_path(paths))


def _survivors(paths: tuple[Path, ...]) -> list[Path]:
    """Paths that are left after step c."""
    top = min([path.preference for path in paths])
    tied = [path for path in paths if path.preference == top]
    if len(tied) == 1:
        return tied
    least: dict[int, int] = {}
    for path in tied:
        attributes = path.attributes
        med = least.get(attributes.neighbor_as)
        if med is None or attributes.med < med:
            least[attributes.neighbor_as] = attributes.med
    return [path for path in tied if path.attributes.med == least[path.attributes.neighbor_as]]


def _tie_break(path: Path) -> TieBreak:
    return path.tie_break
