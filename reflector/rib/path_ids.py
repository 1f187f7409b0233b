"""Path identifiers of a peer, as received: at which place each path of a prefix stands (RFC 7911)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Final

from reflector.bgp.add_path import PATH_ID_BYTES
from reflector.bgp.limits import MAX_PATHS_PER_PREFIX
from reflector.rib.place import FurtherPlace
from reflector.rib.source import Place, Source

_FREE: Final = b""


class PathIds:
    """The path identifiers of one peer for one family.

    Args:
        source: The peer.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        # By prefix: the identifier of each place in turn, empty where it is free.
        self._ids: dict[bytes, tuple[bytes, ...]] = {}

    def claim(self, identified: Iterable[bytes]) -> tuple[dict[Place, list[bytes]], list[bytes]]:
        """Paths are announced: find their places, or make them.

        Args:
            identified: Prefixes behind their identifiers.

        Returns:
            The prefixes by place, and those for which there are too many paths already.
        """
        claimed: dict[int, list[bytes]] = defaultdict(list)
        crowded = []
        for each in identified:
            path_id, prefix = each[:PATH_ID_BYTES], each[PATH_ID_BYTES:]
            ids = self._ids.get(prefix, ())
            if path_id in ids:
                index = ids.index(path_id)
            else:
                index = ids.index(_FREE) if _FREE in ids else len(ids)
                if index >= MAX_PATHS_PER_PREFIX:
                    crowded.append(prefix)
                    continue
                self._ids[prefix] = (*ids[:index], path_id, *ids[index + 1 :])
            claimed[index].append(prefix)
        return {self._place(index): claimed[index] for index in sorted(claimed)}, crowded

    def release(self, identified: Iterable[bytes]) -> Iterator[tuple[Place, list[bytes]]]:
        """Paths are withdrawn: their places are free.

        RFC 7911 5: an identifier that was not seen before is silently ignored.

        Args:
            identified: Prefixes behind their identifiers.

        Yields:
            The prefixes by place.
        """
        released: dict[int, list[bytes]] = defaultdict(list)
        for each in identified:
            path_id, prefix = each[:PATH_ID_BYTES], each[PATH_ID_BYTES:]
            ids = self._ids.get(prefix, ())
            if path_id in ids:
                index = ids.index(path_id)
                released[index].append(prefix)
                self._free(prefix, index)
        for index, prefixes in released.items():
            yield self._place(index), prefixes

    def free(self, place: Place, prefixes: Iterable[bytes]) -> None:
        """The paths at a place are not used, or no longer."""
        for prefix in prefixes:
            if place.index < len(self._ids.get(prefix, ())):
                self._free(prefix, place.index)

    def path_id(self, place: Place, prefix: bytes) -> int | None:
        """The identifier of the path at a place, None where there is none."""
        ids = self._ids.get(prefix, ())
        path_id = ids[place.index] if place.index < len(ids) else _FREE
        return int.from_bytes(path_id) if path_id else None

    def _free(self, prefix: bytes, index: int) -> None:
        ids = list(self._ids[prefix])
        ids[index] = _FREE
        while ids and not ids[-1]:
            ids.pop()
        if ids:
            self._ids[prefix] = tuple(ids)
        else:
            del self._ids[prefix]

    def _place(self, index: int) -> Place:
        further = self._source.further
        while len(further) < index:
            further.append(FurtherPlace(len(further) + 1))
        return self._source.places[index]
