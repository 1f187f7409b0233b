"""The messages of a peer, one by one: found in the transcripts of its connections when somebody asks."""

from collections.abc import Iterator
from dataclasses import dataclass
from heapq import merge
from typing import Final

from reflector.bgp.codec import decode_open
from reflector.bgp.cutting import OCTETS, Cutter, find_message
from reflector.bgp.errors import SessionError
from reflector.bgp.limits import HEADER_BYTES
from reflector.bgp.message import frame
from reflector.bgp.open import Open, common_add_path
from reflector.bgp.vocabulary import FAMILIES, Family, MessageType
from reflector.bgp.words import KINDS, read_message
from reflector.observe.reflector import Reflector
from reflector.observe.views import View
from reflector.reports import PeerName
from reflector.rib.source import IPAddress
from reflector.transcript import Direction, Lane, Transcript


@dataclass(frozen=True, slots=True, order=True)
class Said:
    """A message, or octets that are none.

    Args:
        number: Of the piece that completed it, in the order of both directions.
        at_s: When, in loop time.
        direction: Who said it.
        offset: Octets of its direction that were before it.
        missing: Of these, how many directly before it are not kept.
        message_type: Of its header, or `cutting.OCTETS`.
        body: What follows the header.
        times: How many KEEPALIVEs in a row it stands for.
        last_s: When the last of these was.
    """

    number: int
    at_s: float
    direction: Direction
    offset: int
    missing: int
    message_type: int
    body: bytes
    times: int = 1
    last_s: float = 0.0

    @property
    def octets(self) -> bytes:
        """As on the wire."""
        return self.body if self.message_type == OCTETS else frame(self.message_type, self.body)


@dataclass(frozen=True, slots=True)
class Conversation:
    """A connection with all that is kept of what was said on it.

    Args:
        transcript: Of the connection.
        name: The peer.
        state: Of the session, "Closed" when the connection is over.
        said: In order.
    """

    transcript: Transcript
    name: PeerName
    state: str
    said: list[Said]

    def opening(self, direction: Direction) -> Open | None:
        """The OPEN that one side sent; None if it sent none that can be read."""
        for each in self.said:
            if each.direction == direction and each.message_type == MessageType.OPEN:
                try:
                    return decode_open(each.body)
                except SessionError:
                    return None
        return None

    @property
    def as4(self) -> bool:
        """Whether AS numbers in UPDATEs have four octets (RFC 6793 4.1)."""
        openings = self.opening("received"), self.opening("sent")
        return all(each is None or each.capabilities.as4 is not None for each in openings)

    def add_path(self, direction: Direction) -> frozenset[Family]:
        """Families whose prefixes one side sends with path identifiers (RFC 7911 5)."""
        sender = self.opening(direction)
        receiver = self.opening("sent" if direction == "received" else "received")
        if sender is None or receiver is None:
            return frozenset()
        known = frozenset(FAMILIES.values())
        return common_add_path(known, sender.capabilities, receiver.capabilities)


_CLOSED: Final = "Closed"


def conversations(reflector: Reflector, address: IPAddress) -> list[Conversation]:
    """Everything that is kept of connections with an address, those that are over first."""
    peering = reflector.peering
    past = [
        Conversation(each, each.name, _CLOSED, _said(each))
        for each in peering.past.of(address)
        if each.name is not None
    ]
    present = [
        Conversation(each.transcript, each.name, each.session.state.value, _said(each.transcript))
        for each in peering.connections
        if each.name.address == address
    ]
    return past + sorted(present, key=lambda each: each.said[0].at_s if each.said else 0.0)


def view(conversation: Conversation, clock_offset_s: float) -> View:
    """A connection, its messages excepted.

    Args:
        conversation: Which.
        clock_offset_s: What makes of the loop's time seconds since the epoch.
    """
    transcript, name = conversation.transcript, conversation.name
    ended_s = transcript.ended_s
    return {
        "address": str(name.address),
        "remote_port": transcript.remote[1],
        "local_address": str(transcript.local[0]),
        "local_port": transcript.local[1],
        "direction": "outbound" if transcript.outbound else "inbound",
        "router_id": name.router_id,
        "host_name": name.host_name,
        "description": name.description,
        "state": conversation.state,
        "ended_at": None if ended_s is None else round(ended_s + clock_offset_s, 6),
        "reason": transcript.reason,
    }


def message_views(conversation: Conversation, clock_offset_s: float) -> Iterator[View]:
    """A connection's messages, decoded; whoever iterates may take pauses.

    Args:
        conversation: Which.
        clock_offset_s: What makes of the loop's time seconds since the epoch.
    """
    as4 = conversation.as4
    add_path: dict[str, frozenset[Family]] = {
        "received": conversation.add_path("received"),
        "sent": conversation.add_path("sent"),
    }
    for said in conversation.said:
        words = read_message(
            said.message_type, said.body, as4=as4, add_path=add_path[said.direction]
        )
        shown: View = {
            "at": round(said.at_s + clock_offset_s, 6),
            "direction": said.direction,
            "type": KINDS[said.message_type],
            "octets": len(said.body) + HEADER_BYTES * (said.message_type != OCTETS),
            "says": words.says,
        }
        if said.missing:
            shown["missing_before"] = said.missing
        if said.times > 1:
            shown |= {"times": said.times, "last_at": round(said.last_s + clock_offset_s, 6)}
        if words.fault:
            shown["malformed"] = words.fault
        yield shown | {"details": words.details}


def _said(transcript: Transcript) -> list[Said]:
    received = _messages(transcript.received, "received")
    return list(merge(received, _messages(transcript.sent, "sent")))


def _messages(lane: Lane, direction: Direction) -> Iterator[Said]:
    cutter = Cutter()
    expected = missing = number = 0
    at_s = 0.0
    for piece in lane.pieces():
        number, at_s = piece.number, piece.at_s
        data, offset = b"".join(piece.chunks), piece.offset
        if offset != expected:
            # What is left of the message that was cut off goes too.
            cutter, missing = Cutter(), offset - expected + cutter.unfinished
            begins = find_message(data)
            missing, offset, data = missing + begins, offset + begins, data[begins:]
        expected = offset + len(data) * piece.times
        start = offset - cutter.unfinished
        for message_type, body in cutter.feed(data):
            yield Said(
                *(number, at_s, direction, start, missing),
                *(message_type, body, piece.times, piece.last_s),
            )
            missing = 0
            start += len(body) + HEADER_BYTES * (message_type != OCTETS)
    start = expected - cutter.unfinished
    for message_type, body in cutter.flush():
        yield Said(number, at_s, direction, start, missing, message_type, body)
