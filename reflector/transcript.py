"""What was said on a connection, both ways: kept as octets, and read only when somebody looks.

Recording must cost the hot path next to nothing. So it keeps references to the bytes objects that were
read and written anyway, as the socket had them; messages are found in them later.
"""

from collections import OrderedDict, deque
from collections.abc import Iterator
from itertools import count
from typing import Literal, NamedTuple

from reflector.bgp.limits import (
    PAST_TRANSCRIPT_BYTES,
    PAST_TRANSCRIPTS,
    PAST_TRANSCRIPTS_PER_ADDRESS,
    TRANSCRIPT_BYTES,
    TRANSCRIPT_OPENING_BYTES,
    TRANSCRIPT_OPENING_PIECES,
    TRANSCRIPT_PIECES,
)
from reflector.bgp.message import KEEPALIVE
from reflector.reports import PeerName
from reflector.rib.path import IPAddress

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


class Lane:
    """One direction of a connection: its beginning and its end.

    Args:
        numbers: Shared by both directions.

    Attributes:
        offset: How many octets there were until now.
    """

    __slots__ = ("_begins", "_kept", "_numbers", "_opening", "_recent", "offset")

    def __init__(self, numbers: "count[int]") -> None:
        self.offset = 0
        self._numbers = numbers
        self._begins = True
        self._opening: list[Piece] = []
        self._recent: deque[tuple[int, Piece]] = deque()
        self._kept = 0

    @property
    def kept_bytes(self) -> int:
        """Octets that are kept."""
        return self._kept + sum(len(chunk) for each in self._opening for chunk in each.chunks)

    def pieces(self) -> Iterator[Piece]:
        """What is kept, in order."""
        yield from self._opening
        for _, piece in self._recent:
            yield piece

    def add(self, at_s: float, chunks: list[bytes], size: int, left_out: int = 0) -> None:
        """Take what was read or written.

        The newest piece stays whole until the next one comes: it may be what ended the session.

        Args:
            at_s: When, in loop time.
            chunks: The octets; nobody changes the list any more.
            size: How many they are.
            left_out: How many were before them and are not to be kept.
        """
        offset = self.offset + left_out
        self.offset = offset + size
        if size == len(KEEPALIVE) and chunks[0] == KEEPALIVE and self._fold(at_s):
            return
        piece = Piece(next(self._numbers), at_s, offset, chunks)
        if self._begins:
            opening = self._opening
            if self.offset <= TRANSCRIPT_OPENING_BYTES and len(opening) < TRANSCRIPT_OPENING_PIECES:
                opening.append(piece)
                return
            self._begins = False
        recent = self._recent
        kept = self._kept + size
        while recent and (kept > TRANSCRIPT_BYTES or len(recent) >= TRANSCRIPT_PIECES):
            kept -= recent.popleft()[0]
        recent.append((size, piece))
        self._kept = kept

    def _fold(self, at_s: float) -> bool:
        """Count one more KEEPALIVE, if the last piece is one too."""
        if self._recent:
            size, last = self._recent[-1]
            if last.chunks[0] == KEEPALIVE and size == len(KEEPALIVE):
                self._recent[-1] = size, last._replace(times=last.times + 1, last_s=at_s)
                return True
        elif self._opening and self._opening[-1].chunks == [KEEPALIVE]:
            last = self._opening[-1]
            self._opening[-1] = last._replace(times=last.times + 1, last_s=at_s)
            return True
        return False


class Transcript:
    """What was said on one connection.

    Args:
        local: Our address and port.
        remote: The peer's.
        outbound: Whether we dialled it.

    Attributes:
        received: What the peer said.
        sent: What we said, or had ready for it when the connection broke.
        name: The peer, as it was known at the end; None while the connection lives.
        reason: Why the session ended, empty while it lasts.
        ended_s: When the connection was closed, in loop time; None while it lives.
    """

    __slots__ = (
        "ended_s",
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
        self.received = Lane(numbers)
        self.sent = Lane(numbers)
        self.name: PeerName | None = None
        self.reason = ""
        self.ended_s: float | None = None

    def write(self, at_s: float, chunks: list[bytes], size: int) -> None:
        """We say something.

        Much at once, of a dump or for all peers, is kept in part, so that no more octets live on than
        are counted.

        Args:
            at_s: When, in loop time.
            chunks: Whole messages; nobody changes the list any more.
            size: How many octets they have.
        """
        if size <= TRANSCRIPT_BYTES:
            self.sent.add(at_s, chunks, size)
            return
        count_kept = max(1, TRANSCRIPT_BYTES * len(chunks) // size)
        kept = chunks[-count_kept:]
        kept_size = sum(map(len, kept))
        if kept_size > 2 * TRANSCRIPT_BYTES:
            kept = [b"".join(kept)[-TRANSCRIPT_BYTES:]]
            kept_size = TRANSCRIPT_BYTES
        self.sent.add(at_s, kept, kept_size, size - kept_size)

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
