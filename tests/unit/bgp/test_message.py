"""Framing."""

import pytest

from reflector.bgp.errors import SessionError
from reflector.bgp.message import KEEPALIVE, Framer, check_header, frame
from reflector.bgp.vocabulary import MessageType
from tests.support import wire


def test_a_frame_has_a_marker_a_length_and_a_type() -> None:
    assert frame(MessageType.UPDATE, b"\0\0\0\0") == wire.update()
    assert wire.keepalive() == KEEPALIVE


def test_the_length_of_a_good_header_is_its_messages() -> None:
    for message in (wire.keepalive(), wire.update(), wire.open_message(), wire.refresh()):
        assert check_header(message[:19]) == len(message)


def test_the_largest_message_is_read() -> None:
    body = bytes(4096 - 19)
    assert list(Framer().feed(wire.message(wire.UPDATE, body))) == [(wire.UPDATE, [body])]


def test_messages_come_out_whole() -> None:
    framer = Framer()
    stream = wire.keepalive() + wire.update(b"", b"", b"\0") + wire.keepalive()
    assert list(framer.feed(stream[:30])) == [(wire.KEEPALIVE, [b""])]
    assert list(framer.feed(stream[30:42])) == []
    assert list(framer.feed(stream[42:])) == [
        (wire.UPDATE, [b"\0\1\0\0\0"]),
        (wire.KEEPALIVE, [b""]),
    ]
    assert list(framer.feed(b"")) == []


def test_who_stops_in_the_middle_finds_the_rest_later() -> None:
    framer = Framer()
    messages = framer.feed(wire.keepalive() + wire.update() + wire.keepalive()[:5])
    assert next(messages) == (wire.KEEPALIVE, [b""])
    messages.close()
    assert list(framer.feed(wire.keepalive()[5:])) == [
        (wire.UPDATE, [b"\0\0\0\0"]),
        (wire.KEEPALIVE, [b""]),
    ]


def test_messages_before_a_bad_header_are_yielded() -> None:
    messages = Framer().feed(wire.keepalive() + b"\0" * 19)
    assert next(messages) == (wire.KEEPALIVE, [b""])
    with pytest.raises(SessionError, match="marker"):
        next(messages)


def test_a_header_in_part_is_not_judged() -> None:
    assert list(Framer().feed(b"\0" * 18)) == []


def test_updates_that_come_one_after_another_come_out_together() -> None:
    framer = Framer()
    one, two = wire.update(b"", b"", b"\0"), wire.update()
    stream = one + two + wire.keepalive() + two + one
    assert list(framer.feed(stream[:-1])) == [
        (wire.UPDATE, [one[19:], two[19:]]),
        (wire.KEEPALIVE, [b""]),
        (wire.UPDATE, [two[19:]]),
    ]
    assert list(framer.feed(stream[-1:])) == [(wire.UPDATE, [one[19:]])]


def test_updates_before_a_bad_header_are_yielded() -> None:
    messages = Framer().feed(wire.update() + wire.update() + b"\0" * 19)
    assert next(messages) == (wire.UPDATE, [b"\0\0\0\0"] * 2)
    with pytest.raises(SessionError, match="marker"):
        next(messages)
