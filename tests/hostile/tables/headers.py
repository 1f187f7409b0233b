"""Message headers, RFC 4271 6.1, in every state."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.case import Case, Outcome, Stage, closed, reset
from tests.support import wire

_UNSYNCHRONISED = reset(1, 1)


def _length(length: int) -> Outcome:
    """Bad Message Length, whose data is the Length field."""
    return reset(1, 2, data=length.to_bytes(2))


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _markers()
    yield from _lengths()
    yield from _types()
    yield from _no_bgp()


def _markers() -> Iterator[Case]:
    good = wire.keepalive()
    broken = {
        "of zeros": b"\0" * 16 + good[16:],
        "wrong in its first octet": b"\xfe" + good[1:],
        "wrong in its last octet": good[:15] + b"\x7f" + good[16:],
        "cut short by an octet": good[1:] + good,
        "an octet too long": b"\xff" + good + good,
    }
    for name, data in broken.items():
        # With an octet too many, what follows is read as a length of 65280 and a type of 19.
        may = (_UNSYNCHRONISED, reset(1, 2, 3)) if "too long" in name else (_UNSYNCHRONISED,)
        yield Case(f"a marker {name}", "4271 6.1 marker", data, may)
    for stage in (Stage.CONNECT, Stage.CONFIRM):
        yield Case(
            f"a marker of zeros, {stage.name}",
            "4271 6.1 marker",
            broken["of zeros"],
            (_UNSYNCHRONISED,),
            stage,
        )


def _lengths() -> Iterator[Case]:
    clause = "4271 6.1 length"
    for length in (0, 1, 18, 4097, 65535):
        data = wire.message(wire.UPDATE, b"\0" * 4, length=length)
        yield Case(f"an UPDATE that claims {length} octets", clause, data, (_length(length),))
        yield Case(
            f"an OPEN that claims {length} octets",
            clause,
            wire.message(wire.OPEN, wire.open_body(), length=length),
            (_length(length),),
            Stage.CONNECT,
        )
    for length, body in ((18, b""), (20, b"\0"), (23, b"\0" * 4), (4096, b"\0" * 4077)):
        data = wire.message(wire.KEEPALIVE, body, length=length)
        yield Case(f"a KEEPALIVE of {length} octets", clause, data, (_length(length),))
    yield Case(
        "a KEEPALIVE of 20 octets, CONFIRM",
        clause,
        wire.message(wire.KEEPALIVE, b"\0"),
        (_length(20),),
        Stage.CONFIRM,
    )
    for length in (19, 20, 22):
        data = wire.message(wire.UPDATE, b"\0" * (length - 19))
        yield Case(f"an UPDATE of {length} octets", clause, data, (_length(length),))
    for length in (19, 28):
        data = wire.message(wire.OPEN, wire.open_body()[: length - 19])
        yield Case(f"an OPEN of {length} octets", clause, data, (_length(length),), Stage.CONNECT)
    for length in (19, 20):
        # An error in a NOTIFICATION can't be answered by one (6.4), and its length is 6.1's matter.
        data = wire.message(wire.NOTIFICATION, b"\6"[: length - 19])
        yield Case(f"a NOTIFICATION of {length} octets", clause, data, (_length(length), closed))


def _types() -> Iterator[Case]:
    for kind in (0, 6, 7, 128, 255):
        may = (reset(1, 3, data=bytes((kind,))),)
        data = wire.message(kind, b"\0" * 10)
        yield Case(f"a message of type {kind}", "4271 6.1 type", data, may)
    for stage in (Stage.CONNECT, Stage.CONFIRM):
        yield Case(
            f"a message of type 9, {stage.name}",
            "4271 6.1 type",
            wire.message(9),
            (reset(1, 3, data=b"\x09"),),
            stage,
        )
    yield Case(
        "a message of type 0 and length 18",
        "4271 6.1 length",
        wire.message(0, length=18),
        (_length(18), reset(1, 3)),
    )


def _no_bgp() -> Iterator[Case]:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(range(64))
    said = {
        "HTTP": b"GET / HTTP/1.1\r\nHost: reflector\r\n\r\n",
        "a TLS ClientHello": hello,
        "SSH": b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        "64 KiB of zeros": b"\0" * (1 << 16),
        "64 KiB of spaces": b" " * (1 << 16),
    }
    for name, data in said.items():
        yield Case(
            f"{name} instead of BGP", "4271 6.1 marker", data, (_UNSYNCHRONISED,), Stage.CONNECT
        )
    yield Case(
        "64 KiB of ones", "4271 6.1 length", b"\xff" * (1 << 16), (_length(65535),), Stage.CONNECT
    )
