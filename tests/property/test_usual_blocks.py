"""Blocks of attributes that are read in one go, against the judge that reads each attribute."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reflector.bgp.errors import SessionError
from reflector.bgp.judge import Judge
from reflector.bgp.usual import read_usual
from tests.support import wire
from tests.support.strategies import mutated

ROUTER_ID, CLUSTER_ID = b"\xc0\0\2\xfe", b"\xc0\0\2\xfd"
JUDGE = Judge(wire.ASN, ROUTER_ID, CLUSTER_ID)

_NUMBERS = st.sampled_from([65001, 1, 4_200_000_000] * 40 + [0, wire.ASN])
_IDS = st.sampled_from([b"\x0a\0\0\1", b"\x0a\0\0\2", b"\x0a\0\0\3"] * 20 + [ROUTER_ID, CLUSTER_ID])
_COMMUNITY = st.binary(min_size=4, max_size=4) | st.sampled_from(
    [b"\xff\xff\xff\1", b"\xff\xff\0\0"]
)
_FOUR = st.binary(min_size=4, max_size=4)
_LARGE = st.binary(min_size=12, max_size=12) | st.just(bytes(12))  # now and then the same twice


def _perhaps(value: st.SearchStrategy[bytes], flags: int, code: int) -> st.SearchStrategy[bytes]:
    return (
        st.just(b"") | st.just(b"") | value.map(lambda octets: wire.attribute(flags, code, octets))
    )


def _joined(item: st.SearchStrategy[bytes], most: int) -> st.SearchStrategy[bytes]:
    return st.lists(item, min_size=1, max_size=most).map(b"".join)


@st.composite
def _blocks(draw: st.DrawFn) -> bytes:
    """What a peer of our own AS may send, with now and then something that is to be judged."""
    numbers = draw(st.lists(_NUMBERS, max_size=34))
    path = wire.sequence(*numbers) if numbers else b""
    parts: tuple[st.SearchStrategy[bytes], ...] = (
        st.sampled_from([0, 0, 1, 1, 2, 2, 3]).map(wire.origin),
        st.just(wire.attribute(wire.WELL_KNOWN, 2, path)),
        _perhaps(_FOUR, wire.WELL_KNOWN, 3),
        _perhaps(_FOUR, wire.OPTIONAL, 4),
        st.just(wire.local_pref(draw(st.integers(0, 0xFFFFFFFF)))),
        _perhaps(st.just(b""), wire.WELL_KNOWN, 6),
        _perhaps(st.tuples(_NUMBERS, _FOUR).map(lambda t: t[0].to_bytes(4) + t[1]), 0xC0, 7),
        _perhaps(_joined(_COMMUNITY, 33), 0xC0, 8),
        _perhaps(_IDS, wire.OPTIONAL, 9),
        _perhaps(_joined(_IDS, 10), wire.OPTIONAL, 10),
        _perhaps(_joined(st.binary(min_size=8, max_size=8), 9), 0xC0, 16),
        _perhaps(_joined(_LARGE, 9), 0xC0, 32),
    )
    return b"".join(draw(part) for part in parts)


def _verdict(block: bytes) -> tuple[Any, ...] | tuple[int, int, bytes] | None:
    try:
        closely = JUDGE.judge_closely(block)
    except SessionError as error:
        return error.code, error.subcode, error.data
    return None if closely is None else astuple(closely)


@given(_blocks() | mutated(_blocks()))
def test_what_is_read_in_one_go_is_what_the_judge_would_say(block: bytes) -> None:
    usual = read_usual(block, wire.ASN, ROUTER_ID, CLUSTER_ID)
    event("usual" if usual else "left to the judge")
    if usual is not None:
        assert astuple(usual) == _verdict(block)


def test_what_a_class_sends_is_read_in_one_go() -> None:
    """A block that nobody knows the pattern for costs twice as much, and nothing else shows it."""
    for block in (
        wire.usual(),
        wire.usual(as_path=wire.as_path(wire.sequence(65001, 65002))),
        wire.usual(next_hop=b""),  # behind MP_REACH_NLRI
        wire.usual() + wire.attribute(0xC0, 32, bytes(12) + b"\1" * 12),
    ):
        assert read_usual(block, wire.ASN, ROUTER_ID, CLUSTER_ID) is not None


TO_BE_JUDGED = {
    "ORIGIN 3": wire.usual(origin=wire.origin(3)),
    "AS 0 in AS_PATH": wire.usual(as_path=wire.as_path(wire.sequence(65001, 0))),
    "our AS in AS_PATH": wire.usual(as_path=wire.as_path(wire.sequence(65001, wire.ASN))),
    "two segments": wire.usual(as_path=wire.as_path(wire.sequence(65001), wire.sequence(65002))),
    "no LOCAL_PREF": wire.usual(local_pref=b""),
    "AS 0 in AGGREGATOR": wire.usual() + wire.attribute(0xC0, 7, bytes(8)),
    "a well-known community": wire.usual() + wire.attribute(0xC0, 8, b"\xff\xff\xff\1"),
    "half a community": wire.usual() + wire.attribute(0xC0, 8, b"\0\1\0\2\0\3"),
    "our ORIGINATOR_ID": wire.usual() + wire.attribute(wire.OPTIONAL, 9, ROUTER_ID),
    "our CLUSTER_LIST": wire.usual() + wire.attribute(wire.OPTIONAL, 10, bytes(4) + CLUSTER_ID),
    "other flags": wire.usual(origin=wire.attribute(0xC0, 1, b"\0")),
    "a large community twice": wire.usual() + wire.attribute(0xC0, 32, bytes(24)),
    "an attribute behind": wire.usual() + wire.attribute(0xC0, 99, b"x"),
}


@pytest.mark.parametrize("block", TO_BE_JUDGED.values(), ids=TO_BE_JUDGED)
def test_what_is_to_be_judged_is_left_to_the_judge(block: bytes) -> None:
    assert read_usual(block, wire.ASN, ROUTER_ID, CLUSTER_ID) is None
