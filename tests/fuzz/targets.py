"""What the fuzzer calls: every decoder, and whole sessions, with what must hold of any octets.

A target returns or raises AssertionError; a decoder may raise `SessionError` and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from ipaddress import IPv4Address
from typing import Final

from reflector.bgp.as4 import narrow, widen
from reflector.bgp.attributes import PathAttributes
from reflector.bgp.codec import decode_open, decode_route_refresh
from reflector.bgp.describe import describe_attributes
from reflector.bgp.errors import SessionError
from reflector.bgp.judge import Judge
from reflector.bgp.multiprotocol import take_apart
from reflector.bgp.nlri import split_nlri, split_unicast
from reflector.bgp.notification import Notification
from reflector.bgp.vocabulary import FAMILIES
from tests.support import wire
from tests.support.exposed import Exposed

_US: Final = IPv4Address("192.0.2.254").packed
_JUDGE: Final = Judge(wire.ASN, _US, _US)


def decode_an_open(data: bytes) -> None:
    """The body of an OPEN; framing makes sure of ten octets."""
    with suppress(SessionError):
        message = decode_open(data[:4077].ljust(10, b"\0"))
        assert message.capabilities.host_name is not None
        assert 0 <= message.asn < 1 << 32


def decode_a_notification(data: bytes) -> None:
    """The body of a NOTIFICATION; framing makes sure of two octets."""
    notification = Notification.decode(data.ljust(2, b"\0"))
    assert notification.name.isprintable()
    assert notification.text == "" or notification.text.isprintable()


def decode_a_route_refresh(data: bytes) -> None:
    """The body of a ROUTE-REFRESH."""
    with suppress(SessionError):
        decode_route_refresh(data)


def judge_attributes(data: bytes) -> None:
    """A block of path attributes, with AS numbers of either width, and what is shown of it."""
    with suppress(SessionError):
        plain = take_apart(data).plain
        for block in (plain, widen(plain)):
            judged = _JUDGE.judge(block)
            assert judged is not None
            _check(judged)


def _check(judged: PathAttributes) -> None:
    assert all(finding.reason.isprintable() for finding in judged.findings)
    if judged.refused:
        return
    sent_on = judged.ahead + judged.middle + judged.behind
    again = _JUDGE.judge(sent_on)
    assert again is not None
    assert not again.refused, "what is sent on is refused"
    assert again.ahead + again.middle + again.behind == sent_on, "what is sent on changes again"
    assert widen(narrow(sent_on)) is not None
    describe_attributes(judged)


def split_prefixes(data: bytes) -> None:
    """A field of NLRI, of either family."""
    for family in FAMILIES.values():
        with suppress(SessionError):
            prefixes = split_nlri(data, family.max_prefix_bits)
            good, martian, has_default = split_unicast(data, family)
            assert set(good) | set(martian) == set(prefixes)
            assert has_default == (b"\0" in good)


def hold_a_session(data: bytes) -> None:
    """A whole session: the first octet says how far it has come, the rest is what the peer says."""
    exposed = Exposed()
    beginnings = (
        b"",
        wire.open_message(),
        wire.open_message() + wire.keepalive(),
        wire.open_message(parameters=wire.parameter(2, wire.capabilities(asn=None)))
        + wire.keepalive(),
    )
    exposed.hear(beginnings[data[0] % len(beginnings)] if data else b"")
    exposed.hear(data[1:])
    exposed.check()
    exposed.end()


def take_updates(data: bytes) -> None:
    """Bodies of UPDATEs on an established session, each behind two octets of its length."""
    exposed = Exposed()
    exposed.hear(wire.open_message() + wire.keepalive())
    while len(data) > 2:
        stop = 2 + int.from_bytes(data[:2]) % 4074
        exposed.hear(wire.message(wire.UPDATE, data[2:stop].ljust(4, b"\0")))
        data = data[stop:]
    exposed.check()
    exposed.end()


TARGETS: Final[dict[str, Callable[[bytes], None]]] = {
    "open": decode_an_open,
    "notification": decode_a_notification,
    "refresh": decode_a_route_refresh,
    "attributes": judge_attributes,
    "nlri": split_prefixes,
    "session": hold_a_session,
    "updates": take_updates,
}
