"""What a hostile case is: what is sent, in which state of a session, and what may come of it.

Every case is judged at two places: at the connection that sends it (a NOTIFICATION, an end, or a
session that stays up), and at a watcher, a healthy peer that is told what the reflector makes of it.
What may come of a case is what the RFC's words allow, of whichever implementation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from tests.support import wire

ASN: Final = wire.ASN
# The reflector's identifier, which is its cluster id too, and its address.
REFLECTOR_ID: Final = "10.255.0.1"
REFLECTOR_ADDRESS: Final = "127.0.0.1"
# What the hostile peer has announced, with a MED of OLD, before it sends what a case is about.
TARGET: Final = "10.1.0.0/24"
TARGET6: Final = "2001:db8:1::/64"
# Announced by it for the first time in some cases.
OTHER: Final = "10.2.0.0/24"
OTHER6: Final = "2001:db8:2::/64"
OLD: Final = 1
NEW: Final = 2
NEXT_HOP: Final = "10.0.0.66"
NEXT_HOP6: Final = "2001:db8::66"

MED: Final = 4


class Stage(Enum):
    """How far the session has come when a case's octets are sent."""

    CONNECT = "connected, nothing sent yet"
    OPEN = "the octets are our OPEN; if it is taken, the session goes on"
    CONFIRM = "OPEN sent, the reflector waits for our KEEPALIVE"
    UP = "established, both targets announced and seen by the watcher"
    IDLE = "established; the octets are dripped, and nothing else is sent"


Attributes = Mapping[int, tuple[int, bytes]]


@dataclass
class Seen:
    """What came of a case.

    Attributes:
        ended: The reflector closed the connection.
        notification: Code, subcode and data that it sent.
        fence: The watcher saw an UPDATE that was sent behind the case's octets.
        table: What the watcher holds of the hostile peer's and its rival's prefixes: attributes
            with their flags by type code, the next hop of MP_REACH_NLRI under 14.
        answered: How often the hostile peer was told of another's route behind the case's octets.
    """

    ended: bool = False
    notification: tuple[int, int, bytes] | None = None
    fence: bool = False
    table: dict[str, Attributes] = field(default_factory=dict)
    answered: int = 0

    @property
    def up(self) -> bool:
        """The session goes on: what was sent behind went through."""
        return self.fence and not self.ended

    def med(self, prefix: str) -> int | None:
        """The MED that the watcher holds a prefix with; -1 without one, None if it is gone."""
        if prefix not in self.table:
            return None
        return int.from_bytes(self.table[prefix].get(MED, (0, b""))[1] or b"\0") or -1

    def words(self) -> str:
        """Say it in few words."""
        if self.notification:
            code, subcode, data = self.notification
            return f"{code}/{subcode}{' ' + data[:12].hex() if data else ''}"
        if self.ended:
            return "closed without a word"
        if not self.fence:
            return "neither an answer nor progress"
        states = {None: "gone", OLD: "as before", NEW: "taken"}
        held = [f"{p} {states.get(self.med(p), 'there')}" for p in (TARGET, TARGET6)]
        return f"up, {', '.join(held)}"


@dataclass(frozen=True)
class Outcome:
    """Something that may come of a case, in words and as a check."""

    words: str
    holds: Callable[[Seen], bool]


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        name: What is sent, in words.
        rfc: The clause, "7606 7.1", as `tests/conformance/clauses` spells it.
        data: The octets.
        may: What may come of it.
        stage: When it is sent.
        opening: The OPEN before it, where it is not the usual one.
        families: What that OPEN offers, by AFI.
        rival: A healthy peer announces TARGET too, as second best.
    """

    name: str
    rfc: str
    data: bytes
    may: tuple[Outcome, ...]
    stage: Stage = Stage.UP
    opening: bytes = b""
    families: tuple[int, ...] = (1, 2)
    rival: bool = False

    @property
    def needs_ipv6(self) -> bool:
        """Whether what may come of it is said of IPv6 routes."""
        words = " ".join(outcome.words for outcome in self.may)
        return "IPv6" in words or "2001:db8" in words or self.families == (2,)

    @property
    def clause(self) -> tuple[str, str]:
        """The RFC's number and the clause."""
        number, _, at = self.rfc.partition(" ")
        return number, at


# Outcomes. Whatever ends a session takes its routes with it.


def reset(code: int, *subcodes: int, data: bytes | None = None) -> Outcome:
    """The session ends with a NOTIFICATION; any subcode if none is given."""
    which = "/".join(map(str, subcodes)) or "any"
    words = f"NOTIFICATION {code}/{which}" + (f" with {data.hex()}" if data is not None else "")

    def holds(seen: Seen) -> bool:
        if not seen.ended or seen.notification is None:
            return False
        got_code, got_subcode, got_data = seen.notification
        right = got_code == code and (not subcodes or got_subcode in subcodes)
        return right and data in (None, got_data) and not seen.table

    return Outcome(words, holds)


def _silently(seen: Seen) -> bool:
    return seen.ended and seen.notification is None and not seen.table


closed = Outcome("closed without a NOTIFICATION", _silently)
up = Outcome("the session goes on", lambda seen: seen.up)
answered = Outcome("the session goes on, routes come", lambda s: s.up and s.answered > 0)
unanswered = Outcome("the session goes on, no routes come", lambda s: s.up and not s.answered)


def gone(*prefixes: str) -> Outcome:
    """The session goes on without these routes."""
    what = " and ".join(prefixes)
    return Outcome(f"{what} withdrawn", lambda s: s.up and not any(p in s.table for p in prefixes))


def unchanged(*prefixes: str) -> Outcome:
    """The session goes on and these routes are what they were."""
    return Outcome(
        f"{' and '.join(prefixes)} as before",
        lambda seen: seen.up and all(seen.med(each) == OLD for each in prefixes),
    )


def taken(
    *prefixes: str,
    has: Mapping[int, bytes] | None = None,
    flags: Mapping[int, int] | None = None,
    lacks: tuple[int, ...] = (),
    without: tuple[str, ...] = (),
) -> Outcome:
    """The session goes on and the watcher has these routes anew.

    Args:
        prefixes: Of the routes.
        has: Attributes' values that they have, by type code.
        flags: Attributes' flags that they have, but for Extended Length.
        lacks: Attributes that they don't have.
        without: Prefixes that the watcher doesn't hold.
    """

    def fits(attributes: Attributes) -> bool:
        return (
            all(attributes.get(code, (0, b"?"))[1] == value for code, value in (has or {}).items())
            and all(
                attributes.get(code, (0, b""))[0] & ~wire.EXTENDED == value
                for code, value in (flags or {}).items()
            )
            and not any(code in attributes for code in lacks)
        )

    def holds(seen: Seen) -> bool:
        there = all(
            each in seen.table and seen.med(each) != OLD and fits(seen.table[each])
            for each in prefixes
        )
        return seen.up and there and not any(each in seen.table for each in without)

    words = f"{' and '.join(prefixes)} taken"
    if has:
        words += f" with attribute {' and '.join(map(str, has))} as it should be"
    if flags:
        words += f" with the right flags of {' and '.join(map(str, flags))}"
    if lacks:
        words += f" without attribute {' and '.join(map(str, lacks))}"
    if without:
        words += f", {' and '.join(without)} not"
    return Outcome(words, holds)


withdrawn: Final = gone(TARGET)
withdrawn6: Final = gone(TARGET6)
# RFC 7606 2, AFI/SAFI disable: all of the family's routes go.
disabled6: Final = Outcome("IPv6 routes withdrawn, the session goes on", withdrawn6.holds)


# What is sent.


def block(**replaced: bytes) -> bytes:
    """Return usual attributes, with NEW as MED, some replaced or, if empty, left out."""
    parts = {
        "origin": wire.origin(),
        "as_path": wire.as_path(),
        "next_hop": wire.next_hop(NEXT_HOP),
        "med": wire.med(NEW),
        "local_pref": wire.local_pref(),
    }
    return b"".join({**parts, **replaced}.values())


def route(**replaced: bytes) -> bytes:
    """Return an UPDATE that announces TARGET anew, with some attributes replaced or left out."""
    return wire.update(wire.prefix(TARGET), block(**replaced))


def route6(
    nlri: bytes = wire.prefix(TARGET6), via: str | bytes = NEXT_HOP6, **replaced: bytes
) -> bytes:
    """Return an UPDATE that announces TARGET6 anew."""
    reach = wire.mp_reach(wire.IPV6, via, nlri)
    return wire.update(attributes=reach + block(**{"next_hop": b"", **replaced}))
