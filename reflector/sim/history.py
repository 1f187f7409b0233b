"""What a simulated peer has sent, received and done: every message decoded, with its time.

It is what every error of `reflector.sim` ends with, so that a failed test says why it failed.
"""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from reflector.bgp.cutting import Cutter
from reflector.bgp.vocabulary import Family
from reflector.bgp.words import KINDS, Kind, read_message

Direction = Literal["sent", "received"]

_TYPES: Final = {kind: code for code, kind in KINDS.items()}
_ARROWS: Final[dict[Direction, str]] = {"sent": "->", "received": "<-"}

# Messages that one peer remembers; those before are only counted. A test has some ten; what loads a
# reflector must not grow without end.
_REMEMBERED: Final = 2000
# What is shown of a history that is longer: its beginning and its end.
_SHOWN_FIRST: Final = 20
_SHOWN_LAST: Final = 60


@dataclass(frozen=True, slots=True)
class Message:
    """A message that a peer sent or received.

    Args:
        time_s: When, in seconds since the peer was made.
        direction: "sent" or "received", from the simulated peer's side.
        kind: "OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE" or "ROUTE-REFRESH"; "octets" is what is
            no message.
        body: What follows the header; of "octets" all of it.
        as4: Whether AS numbers in it have four octets.
        add_path: Families whose prefixes stand behind path identifiers (RFC 7911 3).
    """

    time_s: float
    direction: Direction
    kind: Kind
    body: bytes
    as4: bool = True
    add_path: frozenset[Family] = frozenset()

    def describe(self) -> str:
        """What it says, in words."""
        said = read_message(_TYPES[self.kind], self.body, as4=self.as4, add_path=self.add_path).says
        return f"{self.kind}{f': {said}' if said else ''}"

    def __str__(self) -> str:
        return f"{self.time_s:9.3f} s  {_ARROWS[self.direction]}  {self.describe()}"


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened and is no message: a connection made, ended, a wait given up."""

    time_s: float
    text: str

    def __str__(self) -> str:
        return f"{self.time_s:9.3f} s      {self.text}"


class History:
    """Everything that a peer has sent, received and done, in order.

    Args:
        title: Whose it is.

    Attributes:
        began_s: When it began, by `time.monotonic`: its entries' times count from there.
    """

    def __init__(self, title: str) -> None:
        self.title = title
        self.began_s = time.monotonic()
        self._entries: deque[Message | Note] = deque(maxlen=_REMEMBERED)
        self._count = 0

    def __iter__(self) -> Iterator[Message | Note]:
        return iter(self._entries)

    def __len__(self) -> int:
        return self._count

    @property
    def messages(self) -> list[Message]:
        """The messages alone, in order."""
        return [entry for entry in self._entries if isinstance(entry, Message)]

    def add(self, entry: Message | Note) -> None:
        """Put something at the end."""
        self._entries.append(entry)
        self._count += 1

    def __str__(self) -> str:
        lines = [f"{self.title}:"]
        entries = self._entries
        if len(entries) <= _SHOWN_FIRST + _SHOWN_LAST and self._count == len(entries):
            lines += map(str, entries)
            return "\n".join(lines)
        lines += map(str, islice(entries, _SHOWN_FIRST if self._count == len(entries) else 0))
        left_out = self._count - _SHOWN_LAST - (len(lines) - 1)
        lines.append(f"              ({left_out} entries are left out)")
        lines += map(str, islice(entries, len(entries) - _SHOWN_LAST, None))
        return "\n".join(lines)


class Recorder:
    """Cuts one direction of a byte stream into messages for a history; nothing is lost in it."""

    def __init__(self, direction: Direction) -> None:
        self._direction = direction
        self._cutter = Cutter()

    def feed(
        self, data: bytes, time_s: float, *, as4: bool, add_path: frozenset[Family] = frozenset()
    ) -> list[Message]:
        """Take octets; returns the messages that they complete."""
        return [
            Message(time_s, self._direction, KINDS[code], body, as4, add_path)
            for code, body in self._cutter.feed(data)
        ]

    def flush(self, time_s: float) -> list[Message]:
        """What is left and completes no message."""
        return [
            Message(time_s, self._direction, KINDS[code], body)
            for code, body in self._cutter.flush()
        ]
