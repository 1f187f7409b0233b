"""What was said on a connection, both ways: kept as octets, and read only when somebody looks.

Recording must cost the hot path next to nothing. So it keeps references to the bytes objects that were
read and written anyway, as the socket had them; messages are found in them later. And UPDATEs to a peer
are kept only while somebody follows it: a single route that goes to a class of fifty is one read and
fifty writes.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import chain, count
from typing import Final, Literal, NamedTuple

from reflector.bgp.limits import (
    PAST_TRANSCRIPT_BYTES,
    PAST_TRANSCRIPTS,
    PAST_TRANSCRIPTS_PER_ADDRESS,
    READ_TURN_BYTES,
    TRANSCRIPT_BYTES,
    TRANSCRIPT_OPENING_BYTES,
    TRANSCRIPT_OPENING_PIECES,
    TRANSCRIPT_PIECES,
)
from reflector.bgp.message import KEEPALIVE
from reflector.reports import PeerName
from reflector.rib.source import IPAddress

Direction = Literal["received", "sent"]


class Piece(NamedTuple):
    """Octets that were read or written at once.

    Args:
        number: In the order of all pieces of the connection.
        at_s: When, in loop time.
        offset: Octets of its direction that were before it.
        chunks: Its octets; of several KEEPALIVEs in a row those of the first.
        times: How many KEEPALIVEs in a row it stands for.
        last_s: When the last of these was.
    """

    number: int
    at_s: float
    offset: int
    chunks: list[bytes]
    times: int = 1
    last_s: float = 0.0


# A piece as a lane keeps it, plain because it is made for every read and write: what `Piece` says, and
# how many octets it has.
_Kept = tuple[int, float, int, list[bytes], int, float, int]

_KEEPALIVE_BYTES: Final = len(KEEPALIVE)


class Lane:
    """One direction of a connection: its beginning and its end.

    Args:
        numbers: Shared by both directions.
        most_bytes: Of a piece; of a larger one the end is kept.
    """

    __slots__ = ("_begins", "_kept", "_most_bytes", "_number", "_opening", "_recent")

    def __init__(self, numbers: "count[int]", most_bytes: int) -> None:
        self._begins = True
        self._number = numbers.__next__
        self._most_bytes = most_bytes
        self._opening: list[_Kept] = []
        self._recent: deque[_Kept] = deque()
        self._kept = 0

    @property
    def kept_bytes(self) -> int:
        """Octets that are kept."""
        return self._kept + sum(each[-1] for each in self._opening)

    def pieces(self) -> Iterator[Piece]:
        """What is kept, in order."""
        for number, at_s, offset, chunks, times, last_s, _ in chain(self._opening, self._recent):
            yield Piece(number, at_s, offset, chunks, times, last_s)

    def add(self, at_s: float, offset: int, chunks: list[bytes]) -> None:
        """Take what was read or written.

        The newest piece stays until the next one comes: it may be what ended the session.

        Args:
            at_s: When, in loop time.
            offset: Octets of its direction that were before it.
            chunks: The octets; nobody changes the list any more.
        """
        size = len(chunks[0]) if len(chunks) == 1 else sum(map(len, chunks))
        if size == _KEEPALIVE_BYTES and chunks[0] == KEEPALIVE and self._fold(at_s, offset):
            return
        if size > self._most_bytes:
            whole, (chunks, size) = size, _end(chunks, size, self._most_bytes)
            offset += whole - size
        piece = (self._number(), at_s, offset, chunks, 1, 0.0, size)
        if self._begins and self._take_opening(piece):
            return
        recent = self._recent
        kept = self._kept + size
        while recent and (kept > TRANSCRIPT_BYTES or len(recent) >= TRANSCRIPT_PIECES):
            kept -= recent.popleft()[-1]
        recent.append(piece)
        self._kept = kept

    def _take_opening(self, piece: _Kept) -> bool:
        _, _, offset, _, _, _, size = piece
        opening = self._opening
        self._begins = (
            offset + size <= TRANSCRIPT_OPENING_BYTES and len(opening) < TRANSCRIPT_OPENING_PIECES
        )
        if self._begins:
            opening.append(piece)
        return self._begins

    def _fold(self, at_s: float, offset: int) -> bool:
        """Count one more KEEPALIVE, if the last piece is one too."""
        pieces = self._recent or self._opening
        if pieces:
            number, first_s, begin, chunks, times, _, size = pieces[-1]
            in_a_row = begin + times * size == offset
            if in_a_row and size == _KEEPALIVE_BYTES and chunks[0] == KEEPALIVE:
                pieces[-1] = (number, first_s, begin, chunks, times + 1, at_s, size)
                return True
        return False


def _end(chunks: list[bytes], size: int, most_bytes: int) -> tuple[list[bytes], int]:
    """The end of much that is sent at once, of a dump or for all peers, and how many octets it has.

    So no more octets live on than are counted. What all peers share stays shared where that is not
    too much.
    """
    kept = chunks[-max(1, most_bytes * len(chunks) // size) :]
    size = sum(map(len, kept))
    if size > 2 * most_bytes:
        return [b"".join(kept)[-most_bytes:]], most_bytes
    return kept, size


class Transcript:
    """What was said on one connection.

    Args:
        local: Our address and port.
        remote: The peer's.
        outbound: Whether we dialled it.

    Attributes:
        received: What the peer said.
        sent: What we said, or had ready for it when the connection broke; UPDATEs as far as somebody
            followed them.
        name: The peer, as it was known at the end; None while the connection lives.
        follow_until_s: Until when somebody follows what the peer is told, in loop time.
        reason: Why the session ended, empty while it lasts.
        ended_s: When the connection was closed, in loop time; None while it lives.
    """

    __slots__ = (
        "ended_s",
        "follow_until_s",
        "local",
        "name",
        "outbound",
        "reason",
        "received",
        "remote",
        "sent",
    )

    def __init__(
        self, local: tuple[IPAddress, int], remote: tuple[IPAddress, int], *, outbound: bool
    ) -> None:
        numbers = count()
        self.local = local
        self.remote = remote
        self.outbound = outbound
        self.received = Lane(numbers, READ_TURN_BYTES)
        self.sent = Lane(numbers, TRANSCRIPT_BYTES)
        self.name: PeerName | None = None
        self.follow_until_s = 0.0
        self.reason = ""
        self.ended_s: float | None = None

    @property
    def kept_bytes(self) -> int:
        """Octets that are kept."""
        return self.received.kept_bytes + self.sent.kept_bytes


class Archive:
    """Transcripts of connections that are over: the last few of each address."""

    def __init__(self) -> None:
        self._by_address: OrderedDict[IPAddress, deque[Transcript]] = OrderedDict()
        self._count = 0
        self._kept_bytes = 0

    def add(self, transcript: Transcript) -> None:
        """A connection is over."""
        address = transcript.remote[0]
        of_address = self._by_address.setdefault(address, deque())
        self._by_address.move_to_end(address)
        of_address.append(transcript)
        self._count += 1
        self._kept_bytes += transcript.kept_bytes
        if len(of_address) > PAST_TRANSCRIPTS_PER_ADDRESS:
            self._forget(of_address.popleft())
        while self._count > PAST_TRANSCRIPTS or self._kept_bytes > PAST_TRANSCRIPT_BYTES:
            oldest, left = next(iter(self._by_address.items()))
            self._forget(left.popleft())
            if not left:
                del self._by_address[oldest]

    def of(self, address: IPAddress) -> list[Transcript]:
        """Those of one address, the oldest first."""
        return list(self._by_address.get(address, ()))

    def _forget(self, transcript: Transcript) -> None:
        self._count -= 1
        self._kept_bytes -= transcript.kept_bytes
