"""AS numbers of two and of four octets. The merging itself: tests/protocol/test_as_numbers.py."""

import pytest

from reflector.bgp.as4 import narrow, widen
from tests.support import wire

BIG = 4200000000


def block(as_path: bytes, *more: bytes) -> bytes:
    """Return attributes with a path, in the order of their codes."""
    return wire.usual(as_path=wire.as_path(as_path), more=b"".join(more))


@pytest.mark.parametrize(
    "as_path",
    [
        b"",
        wire.sequence(1, 2, 3),
        wire.sequence(1) + wire.as_set(2, 3) + wire.sequence(4),
        wire.sequence(BIG, 1),
        wire.sequence(1, 23456, BIG) + wire.as_set(BIG, 7),
        wire.sequence(*range(1, 256)) + wire.sequence(BIG),
    ],
)
@pytest.mark.parametrize("aggregator", [None, 1, BIG])
def test_what_was_narrowed_is_widened_to_the_same(as_path: bytes, aggregator: int | None) -> None:
    more = []
    if aggregator is not None:
        more = [wire.attribute(0xC0, 7, aggregator.to_bytes(4) + b"\1\1\1\1")]
    before = block(as_path, *more, wire.communities(5))
    after = widen(narrow(before))
    assert sorted(_split(after)) == sorted(_split(before))


def test_narrowing_keeps_the_order_of_codes() -> None:
    attributes = block(
        wire.sequence(BIG),
        wire.attribute(0xC0, 7, BIG.to_bytes(4) + b"\1\1\1\1"),
        wire.attribute(0xC0, 16, bytes(8)),
        wire.attribute(0xC0, 32, bytes(12)),
        wire.attribute(0xE0, 99, b"x"),
    )
    codes = [tlv[1] for tlv in _split(narrow(attributes))]
    assert codes == [1, 2, 3, 5, 7, 16, 17, 18, 32, 99]


def test_narrowing_touches_nothing_else() -> None:
    others = wire.attribute(0xF0, 99, b"x") + wire.attribute(0x90, 4, b"\0\0\0\1")
    assert narrow(others) in (others, others[5:] + others[:5])


@pytest.mark.parametrize("tail", [b"\x40", b"\x40\2", b"\x40\2\5\2\1", b"\xc0\x63\xff"])
def test_an_overrun_stays_one(tail: bytes) -> None:
    assert widen(wire.origin() + tail).endswith(tail)


@pytest.mark.parametrize("as_path", [b"\2", b"\2\0", b"\2\2\0\1", b"\7\1\0\1", b"\3\1\0\1"])
def test_a_malformed_path_stays_one(as_path: bytes) -> None:
    assert wire.as_path(b"\xff") in widen(block(as_path))


def test_of_duplicates_the_first_counts() -> None:
    first, second = wire.sequence(1, width=2), wire.sequence(2, width=2)
    widened = widen(wire.as_path(first) + wire.as_path(second))
    assert widened == wire.as_path(wire.sequence(1))


def test_flags_are_kept_for_the_judge() -> None:
    assert widen(wire.attribute(0xC0, 2, b"")) == wire.attribute(0xC0, 2, b"")


def test_a_joined_segment_has_at_most_255_numbers() -> None:
    lead, rest = [7] * 100, [BIG] * 200
    as_path = wire.sequence(*lead, *[23456] * 100, width=2) + wire.sequence(*[23456] * 100, width=2)
    more = wire.attribute(0xD0, 17, wire.sequence(*rest))
    widened = widen(wire.as_path(as_path) + more)
    assert wire.as_path(wire.sequence(*lead), wire.sequence(*rest)) == widened


def _split(attributes: bytes) -> list[bytes]:
    found = []
    while attributes:
        size = 3 + attributes[2]
        if attributes[0] & 0x10:
            size = 4 + int.from_bytes(attributes[2:4])
        found.append(attributes[:size])
        attributes = attributes[size:]
    return found
