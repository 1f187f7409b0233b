"""Sets of prefixes with ranges of lengths, as `10.0.0.0/8 ge 16 le 24`."""

from dataclasses import dataclass, field

from reflector.bgp.nlri import DEFAULT_ROUTE
from reflector.bgp.vocabulary import Family


@dataclass(frozen=True, slots=True)
class PrefixRange:
    """Prefixes within a prefix whose length is in a range.

    Args:
        family: Of the prefixes.
        prefix: In which they lie, packed.
        least: Their shortest length.
        most: Their longest length.
    """

    family: Family
    prefix: bytes
    least: int
    most: int


@dataclass(frozen=True, slots=True)
class PrefixSet:
    """What is in any of some ranges.

    Args:
        ranges: In any order.
    """

    ranges: tuple[PrefixRange, ...]
    # By family the lengths of the ranges' own prefixes, and by prefix what it lets in.
    _index: dict[Family, dict[int, dict[int, list[PrefixRange]]]] = field(
        init=False, compare=False, repr=False
    )

    def __post_init__(self) -> None:
        index: dict[Family, dict[int, dict[int, list[PrefixRange]]]] = {}
        for each in self.ranges:
            by_length = index.setdefault(each.family, {})
            by_prefix = by_length.setdefault(each.prefix[0], {})
            by_prefix.setdefault(_leading(each.prefix, each.prefix[0]), []).append(each)
        object.__setattr__(self, "_index", index)

    def holds(self, family: Family, prefix: bytes) -> bool:
        """Whether a packed prefix is in the set."""
        bits = prefix[0]
        for length, by_prefix in self._index.get(family, {}).items():
            if length <= bits:
                for each in by_prefix.get(_leading(prefix, length), ()):
                    if each.least <= bits <= each.most:
                        return True
        return False

    @property
    def names_default(self) -> bool:
        """Whether the default route is in it by itself, and not as one of all prefixes."""
        return any(each.prefix == DEFAULT_ROUTE and not each.most for each in self.ranges)


def _leading(prefix: bytes, bits: int) -> int:
    """The first bits of a packed prefix that has at least as many."""
    size = (bits + 7) // 8
    return int.from_bytes(prefix[1 : 1 + size]) >> (size * 8 - bits)
