"""What a simulated peer has sent, received and done: every message decoded, with its time.

It is what every error of `reflector.sim` ends with, so that a failed test says why it failed.
"""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

from reflector.bgp.codec import decode_open, decode_route_refresh
from reflector.bgp.errors import SessionError
from reflector.bgp.limits import HEADER_BYTES
from reflector.bgp.message import MARKER
from reflector.bgp.notification import Notification
from reflector.bgp.open import Open
from reflector.bgp.vocabulary import FAMILIES, MessageType, RefreshSubtype
from reflector.sim.wire import read

Direction = Literal["sent", "received"]
Kind = Literal["OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE", "ROUTE-REFRESH", "octets"]

KINDS: Final[dict[int, Kind]] = {
    MessageType.OPEN: "OPEN",
    MessageType.UPDATE: "UPDATE",
    MessageType.NOTIFICATION: "NOTIFICATION",
    MessageType.KEEPALIVE: "KEEPALIVE",
    MessageType.ROUTE_REFRESH: "ROUTE-REFRESH",
}
_ARROWS: Final[dict[Direction, str]] = {"sent": "->", "received": "<-"}

# Messages that one peer remembers; those before are only counted. A test has some ten; what loads a
# reflector must not grow without end.
_REMEMBERED: Final = 2000
# What is shown of a history that is longer: its beginning and its end.
_SHOWN_FIRST: Final = 20
_SHOWN_LAST: Final = 60
# Routes of one UPDATE, and octets of what can't be read, that a line shows.
_SHOWN_ROUTES: Final = 4
_SHOWN_BYTES: Final = 32

_CAPABILITY_NAMES: Final = {
    1: "multiprotocol",
    2: "route refresh",
    5: "extended next hop",
    6: "extended message",
    9: "role",
    64: "graceful restart",
    65: "four-octet AS",
    69: "add-path",
    70: "enhanced route refresh",
    71: "long-lived graceful restart",
    73: "FQDN",
    75: "software version",
}
_SUBTYPES: Final = {RefreshSubtype.BEGIN: " begins", RefreshSubtype.END: " ends"}


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
    """

    time_s: float
    direction: Direction
    kind: Kind
    body: bytes
    as4: bool = True

    def describe(self) -> str:
        """What it says, in words."""
        try:
            said = _DESCRIBE[self.kind](self)
        except SessionError as error:
            said = f"{_hex(self.body)} (malformed: {error.reason})"
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
        self._rest = b""
        self._lost = False

    def feed(self, data: bytes, time_s: float, *, as4: bool) -> list[Message]:
        """Take octets; returns the messages that they complete."""
        found: list[Message] = []
        data = self._rest + data
        at = 0
        while len(data) - at >= HEADER_BYTES and not self._lost:
            size, kind = int.from_bytes(data[at + 16 : at + 18]), KINDS.get(data[at + 18])
            if data[at : at + 16] != MARKER or size < HEADER_BYTES or kind is None:
                self._lost = True  # what follows a bad header is no BGP any more
                break
            if len(data) - at < size:
                break
            body = data[at + HEADER_BYTES : at + size]
            found.append(Message(time_s, self._direction, kind, body, as4))
            at += size
        self._rest = data[at:]
        return found + self.flush(time_s) if self._lost else found

    def flush(self, time_s: float) -> list[Message]:
        """What is left and completes no message."""
        rest, self._rest = self._rest, b""
        return [Message(time_s, self._direction, "octets", rest)] if rest else []


def _open(message: Message) -> str:
    said = decode_open(message.body)
    words = [
        f"AS {said.asn}, hold time {said.hold_time_s} s, router id {said.bgp_id}",
        *_capabilities(said),
    ]
    return ", ".join(words)


def _capabilities(said: Open) -> Iterator[str]:
    found = said.capabilities
    if found.families is not None:
        pairs = sorted(found.families)
        yield " and ".join(map(_family, pairs))
    if found.graceful_restart is not None:
        restart = found.graceful_restart
        yield f"graceful restart {restart.restart_time_s} s{' (restarting)' * restart.restarting}"
    if found.host_name:
        yield f"host name {found.host_name}"
    if found.software_version:
        yield f"software {found.software_version}"
    shown = {1, 64, 73, 75}
    for code in dict.fromkeys(found.codes):
        if code not in shown:
            yield _CAPABILITY_NAMES.get(code, f"capability {code}")


def _update(message: Message) -> str:
    update = read(message.body, as4=message.as4)
    if update.end_of_rib is not None:
        return f"End-of-RIB {update.end_of_rib}"
    words = []
    if update.routes:
        words.append("announces " + _few([str(route) for route in update.routes], "; "))
    if update.withdrawn:
        words.append("withdraws " + _few(update.withdrawn, ", "))
    return "; ".join(words) or "no routes"


def _notification(message: Message) -> str:
    return describe_notification(Notification.decode(message.body))


def describe_notification(notification: Notification) -> str:
    """A NOTIFICATION in words: numbers, names, text and data."""
    said = f"{notification.code}/{notification.subcode} {notification.name}"
    if notification.text:
        return f'{said} "{notification.text}"'
    return f"{said}, data {_hex(notification.data)}" if notification.data else said


def _route_refresh(message: Message) -> str:
    afi, subtype, safi = decode_route_refresh(message.body)
    return f"{_family((afi, safi))}{_SUBTYPES.get(subtype, '')}"


_DESCRIBE: Final[dict[Kind, Callable[[Message], str]]] = {
    "OPEN": _open,
    "UPDATE": _update,
    "NOTIFICATION": _notification,
    "KEEPALIVE": lambda _: "",
    "ROUTE-REFRESH": _route_refresh,
    "octets": lambda message: f"{len(message.body)}, {_hex(message.body)}",
}


def _family(pair: tuple[int, int]) -> str:
    return str(FAMILIES.get(pair) or f"AFI/SAFI {pair[0]}/{pair[1]}")


def _few(items: list[str], separator: str) -> str:
    shown = separator.join(items[:_SHOWN_ROUTES])
    more = len(items) - _SHOWN_ROUTES
    return f"{shown}{separator}and {more} more" if more > 0 else shown


def _hex(octets: bytes) -> str:
    shown = octets[:_SHOWN_BYTES].hex(" ")
    return f"{shown} ..." if len(octets) > _SHOWN_BYTES else shown
