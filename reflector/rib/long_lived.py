"""Long-lived graceful restart: what becomes of paths that are kept beyond a restart time (RFC 9494)."""

from typing import Final

from reflector.bgp.attributes import PathAttributes
from reflector.bgp.rewrite import communities_of, with_communities
from reflector.bgp.vocabulary import AttributeCode, Community
from reflector.rib.path import Path

_LLGR_STALE: Final = (AttributeCode.COMMUNITIES, Community.LLGR_STALE)
_NO_LLGR: Final = (AttributeCode.COMMUNITIES, Community.NO_LLGR)


def is_marked(attributes: PathAttributes) -> bool:
    """Whether a route came with LLGR_STALE: somebody else keeps it beyond a restart (4.3)."""
    return _LLGR_STALE in communities_of(attributes)


def as_stale(path: Path, cluster_id: bytes) -> Path | None:
    """A path as a long-lived stale one: the last choice, with LLGR_STALE (4.2).

    Args:
        path: As its source announced it, or stale already.
        cluster_id: Ours.

    Returns:
        None where it is not to be kept: it has NO_LLGR, or no room for one more community.
    """
    if path.stale:
        return path
    if _NO_LLGR in communities_of(path.attributes):
        return None
    try:
        attributes = with_communities(path.attributes, [_LLGR_STALE], heeded=False)
    except OverflowError:
        return None
    return Path(
        path.source, path.family, attributes, path.next_hop, cluster_id, path.place, stale=True
    )
