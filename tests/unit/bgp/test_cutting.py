"""Finding messages in a stream that begins anywhere."""

from __future__ import annotations

import pytest

from reflector.bgp.cutting import OCTETS, Cutter, find_message
from tests.support import wire

UPDATE = wire.message(wire.UPDATE, wire.withdraw("10.1.0.0/24"))


@pytest.mark.parametrize("cut", range(len(UPDATE)))
def test_the_next_whole_message_is_found(cut: int) -> None:
    stream = UPDATE[cut:] + wire.keepalive() + UPDATE
    wanted = len(UPDATE) - cut if cut else 0
    assert find_message(stream) == wanted


def test_a_marker_within_a_message_is_none() -> None:
    """Sixteen octets of ones may be communities; what follows them is no header then."""
    inside = wire.message(wire.UPDATE, wire.MARKER + b"\0\x17\x02" + b"\0" * 40)
    stream = inside[1:] + wire.keepalive()
    assert find_message(stream) == len(inside) - 1


def test_where_no_message_is_nothing_is_found() -> None:
    assert find_message(b"GET / HTTP/1.1\r\n\r\n") == 18


def test_a_large_message_is_one() -> None:
    """RFC 8654 3: up to 65535 octets."""
    large = wire.message(wire.UPDATE, b"\0" * 60_000)
    assert [(kind, len(body)) for kind, body in Cutter().feed(large)] == [(wire.UPDATE, 60_000)]


def test_nothing_is_lost() -> None:
    cutter = Cutter()
    assert cutter.feed(UPDATE[:-1]) == []
    assert cutter.unfinished == len(UPDATE) - 1
    assert cutter.flush() == [(OCTETS, UPDATE[:-1])]
