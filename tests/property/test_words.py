"""Whatever stands in a message, it is put into words, and JSON can hold them."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from reflector.bgp.cutting import OCTETS, Cutter, find_message
from reflector.bgp.words import read_message
from tests.support import wire

LEAST = {wire.OPEN: 10, wire.UPDATE: 4, wire.NOTIFICATION: 2}


@given(kind=st.integers(0, 5), body=st.binary(max_size=200), as4=st.booleans())
def test_any_octets(kind: int, body: bytes, *, as4: bool) -> None:
    words = read_message(kind, body.ljust(LEAST.get(kind, 0), b"\0"), as4=as4)
    assert words.says.isprintable()
    json.dumps(words.details)


@given(
    parts=st.lists(st.tuples(st.integers(0, 255), st.integers(0, 40), st.binary(max_size=40))),
    as4=st.booleans(),
)
def test_any_attributes(parts: list[tuple[int, int, bytes]], *, as4: bool) -> None:
    block = b"".join(wire.attribute(*each) for each in parts)
    body = b"\0\0" + len(block).to_bytes(2) + block + b"\x08\x0a"
    json.dumps(read_message(wire.UPDATE, body, as4=as4).details)


@given(parts=st.lists(st.tuples(st.integers(0, 255), st.binary(max_size=40)), max_size=5))
def test_any_capabilities(parts: list[tuple[int, bytes]]) -> None:
    held = b"".join(wire.capability(*each) for each in parts)
    body = wire.open_body(parameters=wire.parameter(2, held))
    words = read_message(wire.OPEN, body, as4=True)
    json.dumps(words.details)
    assert all(each["says"].isprintable() for each in words.details.get("capabilities", ()))


@given(data=st.binary(max_size=300), cuts=st.lists(st.integers(0, 300)))
def test_a_cut_stream_loses_nothing(data: bytes, cuts: list[int]) -> None:
    stream = wire.keepalive() + data
    cutter, found, at = Cutter(), [], 0
    for stop in [*sorted(cuts), len(stream)]:
        found += cutter.feed(stream[at:stop])
        at = max(at, stop)
    found += cutter.flush()
    again = b"".join(body if kind == OCTETS else wire.message(kind, body) for kind, body in found)
    assert again == stream
    assert 0 <= find_message(data) <= len(data)
