"""Cuts a byte stream into messages for people to look at.

Unlike `message.Framer` it refuses nothing: what is no message is shown as octets, and the stream may
begin in the middle of one.
"""

from typing import Final

from reflector.bgp.limits import HEADER_BYTES
from reflector.bgp.message import MARKER
from reflector.bgp.vocabulary import MessageType

# What is no message.
OCTETS: Final = 0

_TYPES: Final = range(MessageType.OPEN, MessageType.ROUTE_REFRESH + 1)

Cut = tuple[int, bytes]


class Cutter:
    """Cuts one direction of a byte stream; nothing is lost in it."""

    def __init__(self) -> None:
        self._rest = b""
        self._lost = False

    def feed(self, data: bytes) -> list[Cut]:
        """Take octets; returns the messages that they complete, each with its type and its body.

        What follows a bad header is no BGP any more, and comes with the type `OCTETS`.
        """
        found: list[Cut] = []
        data = self._rest + data
        at = 0
        while len(data) - at >= HEADER_BYTES and not self._lost:
            size = _message_size(data, at)
            if not size:
                self._lost = True
                break
            if len(data) - at < size:
                break
            found.append((data[at + 18], data[at + HEADER_BYTES : at + size]))
            at += size
        self._rest = data[at:]
        return found + self.flush() if self._lost else found

    def flush(self) -> list[Cut]:
        """What is left and completes no message."""
        rest, self._rest = self._rest, b""
        return [(OCTETS, rest)] if rest else []

    @property
    def unfinished(self) -> int:
        """Octets at the end that complete no message yet."""
        return len(self._rest)


def find_message(data: bytes) -> int:
    """Where the first message begins in octets out of the middle of a stream.

    Returns:
        The length of the octets if none does.
    """
    at = data.find(MARKER)
    while at >= 0:
        size = _message_size(data, at)
        following = at + size
        if size and (len(data) - following < HEADER_BYTES or _message_size(data, following)):
            return at
        at = data.find(MARKER, at + 1)
    return len(data)


def _message_size(data: bytes, at: int) -> int:
    """Octets of the message that begins somewhere; 0 if none does."""
    header = data[at : at + HEADER_BYTES]
    if len(header) < HEADER_BYTES or header[:16] != MARKER or header[18] not in _TYPES:
        return 0
    size = int.from_bytes(header[16:18])
    return size if size >= HEADER_BYTES else 0
