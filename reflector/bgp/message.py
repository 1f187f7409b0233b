"""Framing: the BGP message header (RFC 4271 4.1) and the errors it can have (6.1)."""

from collections.abc import Generator
from struct import Struct
from typing import Final

from reflector.bgp.errors import SessionError
from reflector.bgp.limits import HEADER_BYTES, MAX_MESSAGE_BYTES, MIN_UPDATE_BYTES
from reflector.bgp.vocabulary import ErrorCode, HeaderSubcode, MessageType

# Marker, length, type.
_HEADER: Final = Struct(">16sHB")

MARKER: Final = b"\xff" * 16

# RFC 4271 4.2-4.5 and RFC 2918 3: the least length of each type, header included.
_MIN_BYTES: Final = {
    MessageType.OPEN: 29,
    MessageType.UPDATE: MIN_UPDATE_BYTES,
    MessageType.NOTIFICATION: 21,
    MessageType.KEEPALIVE: 19,
    MessageType.ROUTE_REFRESH: 23,
}


def frame(message_type: int, body: bytes = b"") -> bytes:
    """Put the header before a message body."""
    length = HEADER_BYTES + len(body)
    return MARKER + length.to_bytes(2) + bytes((message_type,)) + body


KEEPALIVE: Final = frame(MessageType.KEEPALIVE)


def check_header(
    header: bytes, *, any_refresh: bool = False, most_bytes: int = MAX_MESSAGE_BYTES
) -> int:
    """Judge a message header.

    Args:
        header: The 19 octets of the header.
        any_refresh: A ROUTE-REFRESH may have any length: whoever reads it knows a better error
            for a short one (RFC 7313 5).
        most_bytes: Of a message; OPEN and KEEPALIVE never have more than usual (RFC 8654 4).

    Returns:
        The message's length in octets, header included.

    Raises:
        SessionError: RFC 4271 6.1, with the Data field that it demands.
    """
    if header[:16] != MARKER:
        raise SessionError(
            ErrorCode.MESSAGE_HEADER,
            HeaderSubcode.CONNECTION_NOT_SYNCHRONIZED,
            "the message marker is not all ones: the byte stream is no longer BGP",
        )
    length = int.from_bytes(header[16:18])
    message_type = header[18]
    least = _MIN_BYTES.get(message_type)
    if any_refresh and message_type == MessageType.ROUTE_REFRESH:
        least = HEADER_BYTES
    # Length before type: the bounds of 4.1 hold for any type, and an absurd length says more.
    if message_type in (MessageType.OPEN, MessageType.KEEPALIVE):
        most_bytes = MAX_MESSAGE_BYTES
    too_long = length > most_bytes or (
        message_type == MessageType.KEEPALIVE and length != HEADER_BYTES
    )
    if length < HEADER_BYTES or too_long or (least is not None and length < least):
        raise SessionError(
            ErrorCode.MESSAGE_HEADER,
            HeaderSubcode.BAD_MESSAGE_LENGTH,
            f"a message of type {message_type} claims {length} octets",
            header[16:18],
        )
    if least is None:
        raise SessionError(
            ErrorCode.MESSAGE_HEADER,
            HeaderSubcode.BAD_MESSAGE_TYPE,
            f"unknown message type {message_type}",
            header[18:19],
        )
    return length


def count_messages(stream: bytes) -> int:
    """How many messages there are in whole messages one after another, as we write them."""
    count = position = 0
    while position < len(stream):
        position += stream[position + 16] << 8 | stream[position + 17]
        count += 1
    return count


class Framer:
    """Cuts a byte stream into messages.

    Attributes:
        any_refresh: As `check_header` has it.
        most_bytes: As `check_header` has it.
    """

    __slots__ = ("_rest", "any_refresh", "most_bytes")

    def __init__(self) -> None:
        self._rest = b""
        self.any_refresh = False
        self.most_bytes = MAX_MESSAGE_BYTES

    def feed(self, data: bytes) -> Generator[tuple[int, list[bytes]], None, None]:
        """Take bytes from the peer and yield each whole message as (type, its body in a list).

        UPDATEs that come one after another are yielded together: that is what nearly all messages are.
        Whoever stops in the middle finds the rest with the next call.

        Raises:
            SessionError: At the first bad header, after the messages before it were yielded.
        """
        if self._rest:
            data = self._rest + data
            self._rest = b""
        position, end = 0, len(data)
        most_bytes = self.most_bytes
        updates: list[bytes] = []
        try:
            while end - position >= HEADER_BYTES:
                start = position + HEADER_BYTES
                marker, length, message_type = _HEADER.unpack_from(data, position)
                stop = position + length
                # An UPDATE is known at a glance; the rest is looked at closely.
                if (
                    message_type == MessageType.UPDATE
                    and marker == MARKER
                    and MIN_UPDATE_BYTES <= length <= most_bytes
                ):
                    if stop > end:
                        break
                    updates.append(data[start:stop])
                    position = stop
                    continue
                if updates:
                    yield MessageType.UPDATE, updates
                    updates = []
                stop = position + check_header(
                    data[position:start], any_refresh=self.any_refresh, most_bytes=most_bytes
                )
                if stop > end:
                    break
                position = stop
                yield message_type, [data[start:stop]]
            if updates:
                yield MessageType.UPDATE, updates
        finally:
            self._rest = data[position:]
