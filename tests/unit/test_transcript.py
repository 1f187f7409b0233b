"""What is kept of a conversation, and its bounds."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from reflector.bgp import limits
from reflector.reports import PeerName
from reflector.transcript import Archive, Lane, Transcript
from tests.support import wire

LOCAL = IPv4Address("192.0.2.1"), 179
REMOTE = IPv4Address("10.0.0.1"), 40000


def transcript(address: IPv4Address = REMOTE[0]) -> Transcript:
    return Transcript(LOCAL, (address, 40000), outbound=False)


def say(lane: Lane, data: bytes, at_s: float = 0.0) -> None:
    *_, last = [None, *lane.pieces()]
    said = 0 if last is None else last.offset + last.times * sum(map(len, last.chunks))
    lane.add(at_s, said, [data])


def kept(lane: Lane) -> bytes:
    return b"".join(chunk for piece in lane.pieces() for chunk in piece.chunks)


def test_a_short_conversation_is_kept_whole() -> None:
    found = transcript()
    say(found.received, b"one")
    found.sent.add(1.0, 0, [b"two"])
    say(found.received, b"three", 2.0)
    assert kept(found.received) == b"onethree"
    pieces = [*found.received.pieces(), *found.sent.pieces()]
    assert sorted(piece.number for piece in pieces) == [0, 1, 2]
    assert [piece.offset for piece in found.received.pieces()] == [0, 3]


def test_the_beginning_and_the_end_of_a_long_one_are_kept() -> None:
    lane = transcript().received
    say(lane, b"hello")
    for number in range(10_000):
        say(lane, f"{number:100}".encode())
    assert kept(lane).startswith(b"hello")
    assert kept(lane).endswith(b"9999")
    assert list(lane.pieces())[-1].offset == 1_000_005 - 100
    most = limits.TRANSCRIPT_BYTES + limits.TRANSCRIPT_OPENING_BYTES
    assert most / 2 < lane.kept_bytes <= most
    assert lane.kept_bytes == len(kept(lane))


def test_tiny_pieces_are_bounded_by_their_number() -> None:
    lane = transcript().received
    for number in range(100_000):
        lane.add(0.0, number, [b"x"])
    most = limits.TRANSCRIPT_PIECES + limits.TRANSCRIPT_OPENING_PIECES
    assert len(list(lane.pieces())) == most


def test_the_newest_piece_is_whole_until_the_next_one_comes() -> None:
    """It may hold what ended the session."""
    lane = transcript().received
    say(lane, b"hello")
    flood = b"y" * limits.READ_TURN_BYTES
    say(lane, flood)
    assert kept(lane) == b"hello" + flood
    say(lane, b"z")
    assert kept(lane) == b"helloz"


@pytest.mark.parametrize("size", [60, 300_000])
def test_much_that_is_sent_at_once_is_kept_in_part(size: int) -> None:
    found = transcript()
    chunks = [bytes((n & 255,)) * size for n in range(max(1, 600_000 // size))]
    found.sent.add(0.0, 0, chunks)
    assert b"".join(chunks).endswith(kept(found.sent))
    assert 0 < found.kept_bytes <= 2 * limits.TRANSCRIPT_BYTES
    [piece] = found.sent.pieces()
    assert piece.offset + found.kept_bytes == size * len(chunks)


def test_keepalives_in_a_row_are_one() -> None:
    found = transcript()
    for at_s in range(5):
        say(found.received, wire.keepalive(), float(at_s))
    say(found.received, b"x" * 5000, 5.0)
    for at_s in range(1000):
        say(found.received, wire.keepalive(), 10.0 + at_s)
    first, _, last = found.received.pieces()
    assert (first.times, first.last_s) == (5, 4.0)
    assert (last.times, last.at_s, last.last_s) == (1000, 10.0, 1009.0)
    assert last.offset == 5 * 19 + 5000


class TestArchive:
    def end(self, archive: Archive, address: str, size: int = 10) -> Transcript:
        found = transcript(IPv4Address(address))
        found.name = PeerName(IPv4Address(address))
        say(found.received, b"x" * size)
        archive.add(found)
        return found

    def test_the_last_few_of_each_address(self) -> None:
        archive = Archive()
        other = self.end(archive, "10.0.0.9")
        ended = [self.end(archive, "10.0.0.1") for _ in range(100)]
        assert archive.of(IPv4Address("10.0.0.1")) == ended[-4:]
        assert archive.of(IPv4Address("10.0.0.9")) == [other]
        assert archive.of(IPv4Address("10.0.0.2")) == []

    def test_a_flood_of_addresses_pushes_out_who_was_heard_of_longest_ago(self) -> None:
        archive = Archive()
        for number in range(2000):
            self.end(archive, f"10.1.{number >> 8}.{number & 255}")
        assert archive.of(IPv4Address("10.1.0.0")) == []
        assert len(archive.of(IPv4Address("10.1.7.207"))) == 1
        assert sum(len(each) for each in archive._by_address.values()) == limits.PAST_TRANSCRIPTS

    def test_octets_are_bounded(self) -> None:
        archive = Archive()
        for number in range(300):
            self.end(archive, f"10.1.{number >> 8}.{number & 255}", 65_000)
        left = [each for of in archive._by_address.values() for each in of]
        assert 100 < len(left) < 200
        assert sum(each.kept_bytes for each in left) <= limits.PAST_TRANSCRIPT_BYTES
