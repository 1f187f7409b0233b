"""Each path attribute with wrong flags, of wrong lengths, twice, missing, and with wrong values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.hostile.case import (
    NEXT_HOP,
    REFLECTOR_ADDRESS,
    REFLECTOR_ID,
    TARGET,
    TARGET6,
    Case,
    Outcome,
    reset,
    route,
    route6,
    taken,
    unchanged,
    up,
    withdrawn,
    withdrawn6,
)
from tests.support import wire
from tests.support.wire import BOTH, OPTIONAL, WELL_KNOWN


@dataclass(frozen=True)
class _Kind:
    """An attribute that the RFCs define.

    Attributes:
        key: Its place in `case.block`, or "more".
        flags: As its RFC wants them.
        value: A right one.
        second: Another right one.
        lengths: Some wrong lengths.
        length_clause: What says so.
        discarded: A wrong length costs the attribute only.
    """

    code: int
    name: str
    flags: int
    value: bytes
    second: bytes
    lengths: tuple[int, ...]
    length_clause: str
    key: str = "more"
    discarded: bool = False


_HOP = b"\x0a\0\0\x42"
_KINDS = (
    _Kind(1, "ORIGIN", WELL_KNOWN, b"\0", b"\1", (0, 2, 255), "7606 7.1", "origin"),
    _Kind(2, "AS_PATH", WELL_KNOWN, wire.sequence(65001), b"", (), "7606 7.2", "as_path"),
    _Kind(3, "NEXT_HOP", WELL_KNOWN, _HOP, b"\x0a\0\0\x43", (0, 3, 5, 16), "7606 7.3", "next_hop"),
    _Kind(4, "MED", OPTIONAL, b"\0\0\0\2", b"\0\0\0\3", (0, 3, 5), "7606 7.4", "med"),
    _Kind(
        5,
        "LOCAL_PREF",
        WELL_KNOWN,
        b"\0\0\0\x64",
        b"\0\0\0\x65",
        (0, 3, 5),
        "7606 7.5",
        "local_pref",
    ),
    _Kind(6, "ATOMIC_AGGREGATE", WELL_KNOWN, b"", b"", (1, 4), "7606 7.6", discarded=True),
    _Kind(
        7,
        "AGGREGATOR",
        BOTH,
        b"\0\0\xfd\xe9" + _HOP,
        b"\0\0\xfd\xea" + _HOP,
        (0, 6, 7, 9),
        "7606 7.7",
        discarded=True,
    ),
    _Kind(8, "COMMUNITIES", BOTH, b"\xfd\xe9\0\1", b"\xfd\xe9\0\2", (0, 1, 3, 6), "7606 7.8"),
    _Kind(9, "ORIGINATOR_ID", OPTIONAL, b"\x0a\1\1\1", b"\x0a\1\1\2", (0, 3, 5), "7606 7.9"),
    _Kind(10, "CLUSTER_LIST", OPTIONAL, b"\x0a\1\1\1", b"\x0a\1\1\2", (0, 3, 6), "7606 7.10"),
    _Kind(
        16,
        "EXTENDED_COMMUNITIES",
        BOTH,
        b"\0\2\xfd\xe9\0\0\0\1",
        b"\0\2\xfd\xe9\0\0\0\2",
        (0, 4, 7, 12),
        "7606 7.14",
    ),
    _Kind(
        32,
        "LARGE_COMMUNITIES",
        BOTH,
        b"\0\0\xfd\xe9" * 3,
        b"\0\0\xfd\xea" * 3,
        (0, 8, 11, 13),
        "8092 6",
    ),
)
# Where both are meant by the words of the RFC: 3 c has wrong flags treated as withdrawn, 3 f has
# whatever is wrong with these two discarded.
_MINOR = (6, 7)


def cases() -> Iterator[Case]:
    """All of them."""
    for kind in _KINDS:
        yield from _flags(kind)
        yield from _lengths(kind)
        yield from _twice(kind)
    yield from _partial()
    yield from _missing()
    yield from _values()
    yield from _next_hops()
    yield from _unknown()
    yield from _foreign_flags()
    yield from _overruns()


def _one(name: str, rfc: str, *may: Outcome, **replaced: bytes) -> Case:
    return Case(name, rfc, route(**replaced), may or (withdrawn,))


def _flags(kind: _Kind) -> Iterator[Case]:
    minor = (taken(TARGET, lacks=(kind.code,)),) if kind.code in _MINOR else ()
    may = (withdrawn, *minor)
    for flags in (0x00, OPTIONAL, WELL_KNOWN, BOTH):
        if flags != kind.flags:
            bad = wire.attribute(flags, kind.code, kind.value)
            yield _one(f"{kind.name} with flags {flags:#04x}", "7606 3 c", *may, **{kind.key: bad})
    low = wire.attribute(kind.flags | 0x0F, kind.code, kind.value)
    yield _one(
        f"{kind.name} with unused flags set", "4271 4.3 flags", _whole(kind), **{kind.key: low}
    )
    extended = wire.attribute(kind.flags | wire.EXTENDED, kind.code, kind.value)
    yield _one(
        f"{kind.name} with a needless extended length",
        "4271 4.3 length",
        _whole(kind),
        **{kind.key: extended},
    )


def _whole(kind: _Kind) -> Outcome:
    """The route is taken with the attribute as it was sent, where a reflector doesn't change it."""
    if kind.code in (4, 10):
        return taken(TARGET)
    return taken(TARGET, has={kind.code: kind.value}, flags={kind.code: kind.flags})


def _lengths(kind: _Kind) -> Iterator[Case]:
    may = taken(TARGET, lacks=(kind.code,)) if kind.discarded else withdrawn
    for length in kind.lengths:
        value = (kind.value * length or b"\1" * length)[:length]
        bad = wire.attribute(kind.flags, kind.code, value)
        yield _one(f"{kind.name} of {length} octets", kind.length_clause, may, **{kind.key: bad})
        if kind.key == "more" and length:
            attributes = {"next_hop": b"", kind.key: bad}
            may6 = taken(TARGET6, lacks=(kind.code,)) if kind.discarded else withdrawn6
            yield Case(
                f"{kind.name} of {length} octets beside an IPv6 route",
                kind.length_clause,
                route6(**attributes),
                (may6,),
            )


def _twice(kind: _Kind) -> Iterator[Case]:
    pair = [wire.attribute(kind.flags, kind.code, each) for each in (kind.value, kind.second)]
    yield _one(f"{kind.name} twice", "7606 3 g twice", _whole(kind), **{kind.key: b"".join(pair)})
    behind = {kind.key: pair[0], "end": wire.communities(7) if kind.code != 8 else b""}
    yield _one(
        f"{kind.name} twice, not side by side",
        "7606 3 g twice",
        _whole(kind),
        **behind,
        last=pair[1],
    )


def _partial() -> Iterator[Case]:
    """RFC 7606 3 c speaks of the other two bits; RFC 4271 4.3 has this one be zero."""
    for kind in _KINDS:
        if kind.flags != BOTH and kind.code not in _MINOR:
            bad = wire.attribute(kind.flags | wire.PARTIAL, kind.code, kind.value)
            yield _one(
                f"{kind.name} that is partial",
                "4271 4.3 flags",
                taken(TARGET),
                withdrawn,
                **{kind.key: bad},
            )


def _missing() -> Iterator[Case]:
    for key in ("origin", "as_path", "next_hop"):
        yield _one(f"{key.upper()} missing", "7606 3 d", **{key: b""})
    # It "shall be included" between internal peers (4271 5.1.5), and is not called mandatory.
    yield _one("LOCAL_PREF missing", "7606 3 d", withdrawn, taken(TARGET), local_pref=b"")
    yield Case("all attributes missing", "7606 3 d", wire.update(wire.prefix(TARGET)), (withdrawn,))
    for key in ("origin", "as_path"):
        yield Case(
            f"{key.upper()} missing beside an IPv6 route",
            "7606 3 d",
            route6(**{key: b""}),
            (withdrawn6,),
        )
    yield Case(
        "a malformed attribute where another peer has the route too",
        "7606 2 withdraw",
        route(origin=wire.origin(9)),
        (taken(TARGET, has={5: (50).to_bytes(4)}),),
        rival=True,
    )
    first = wire.attribute(0x40, 6, b"\0") + wire.attribute(0x80, 10, b"\1")
    yield _one("one attribute to discard and one to withdraw for", "7606 3 h", more=first)
    yield _one(
        "two attributes to discard",
        "7606 3 f",
        taken(TARGET, lacks=(6, 7)),
        more=wire.attribute(0x40, 6, b"\0") + wire.attribute(0xC0, 7, b"\0"),
    )


def _values() -> Iterator[Case]:
    for value in (3, 4, 128, 255):
        yield _one(f"ORIGIN {value}", "7606 7.1", origin=wire.origin(value))
    zero = wire.attribute(BOTH, 7, bytes(4) + _HOP)
    yield _one("AGGREGATOR of AS 0", "7607 2 AGGREGATOR", taken(TARGET, lacks=(7,)), more=zero)
    yield _one(
        "the reflector's ORIGINATOR_ID",
        "4456 8 own originator",
        withdrawn,
        more=wire.originator_id(REFLECTOR_ID),
    )
    yield _one(
        "the reflector's CLUSTER_LIST",
        "4456 8 own cluster",
        withdrawn,
        more=wire.cluster_list(REFLECTOR_ID),
    )
    yield _one(
        "a CLUSTER_LIST with the reflector's id in the midst",
        "4456 8 own cluster",
        withdrawn,
        more=wire.cluster_list("1.1.1.1", REFLECTOR_ID, "2.2.2.2"),
    )
    many = wire.cluster_list(*(f"10.9.{i // 200}.{i % 200}" for i in range(300)))
    yield _one("a CLUSTER_LIST of 300 ids", "4456 8 cluster list", taken(TARGET), more=many)
    yield _one(
        "AS4_PATH between four-octet speakers",
        "6793 6 new",
        taken(TARGET, lacks=(17,)),
        more=wire.attribute(BOTH, 17, wire.sequence(1)),
    )
    yield _one(
        "AS4_AGGREGATOR between four-octet speakers",
        "6793 6 new",
        taken(TARGET, lacks=(18,)),
        more=wire.attribute(BOTH, 18, b"\0\0\0\1" + _HOP),
    )
    same = b"\0\0\xfd\xe9\0\0\0\1\0\0\0\2"
    yield _one(
        "a large community twice",
        "8092 3 duplicates",
        taken(TARGET, has={32: same}),
        more=wire.attribute(BOTH, 32, same * 2),
    )
    shuffled = (
        wire.communities(7)
        + wire.local_pref()
        + wire.med(2)
        + wire.next_hop(NEXT_HOP)
        + wire.as_path()
        + wire.origin()
    )
    yield Case(
        "attributes in reverse order",
        "4271 5 order",
        wire.update(wire.prefix(TARGET), shuffled),
        (taken(TARGET),),
    )
    yield _one("NO_ADVERTISE", "1997 NO_ADVERTISE", withdrawn, more=wire.communities(0xFFFFFF02))
    yield _one(
        "900 communities",
        "1997 carriage",
        taken(TARGET, flags={8: BOTH}),
        more=wire.communities(*range(900)),
    )


def _next_hops() -> Iterator[Case]:
    # RFC 4271 6.3: logged, and the route ignored.
    ignored = (withdrawn, unchanged(TARGET))
    for hop in ("0.0.0.0", "127.0.0.1", "224.0.0.5", "255.255.255.255"):
        yield _one(f"NEXT_HOP {hop}", "4271 6.3 next hop", *ignored, next_hop=wire.next_hop(hop))
    yield _one(
        "NEXT_HOP that is the reflector's",
        "4271 6.3 next hop",
        *ignored,
        next_hop=wire.next_hop(REFLECTOR_ADDRESS),
    )


def _unknown() -> Iterator[Case]:
    for flags in (0x40, 0x60, 0x50):
        bad = wire.attribute(flags, 99, b"hello")
        yield _one(
            f"an unknown well-known attribute with flags {flags:#04x}",
            "4271 6.3 well-known",
            reset(3, 2, data=bad),
            more=bad,
        )
    for flags, name in ((0xC0, ""), (0xE0, " that is partial"), (0xD0, " with extended length")):
        more = wire.attribute(flags, 199, b"hello")
        yield _one(
            f"an unknown optional transitive attribute{name}",
            "4271 5 unknown transitive",
            taken(TARGET, has={199: b"hello"}, flags={199: 0xE0}),
            more=more,
        )
    empty = wire.attribute(0xC0, 199)
    yield _one(
        "an unknown optional transitive attribute of 0 octets",
        "4271 5 unknown transitive",
        taken(TARGET, has={199: b""}, flags={199: 0xE0}),
        more=empty,
    )
    for flags in (0x80, 0xA0, 0x90):
        more = wire.attribute(flags, 199, b"hello")
        yield _one(
            f"an unknown optional non-transitive attribute with flags {flags:#04x}",
            "4271 5 unknown non-transitive",
            taken(TARGET, lacks=(199,)),
            more=more,
        )
    pair = wire.attribute(0xC0, 199, b"a") + wire.attribute(0xC0, 199, b"b")
    yield _one(
        "an unknown attribute twice", "7606 3 g twice", taken(TARGET, has={199: b"a"}), more=pair
    )
    forty = b"".join(wire.attribute(0xC0, 140 + i, b"x" * 20) for i in range(40))
    yield _one("forty unknown attributes", "4271 5 unknown transitive", taken(TARGET), more=forty)
    # With ORIGINATOR_ID and CLUSTER_LIST it outgrows a message; what the watcher had must go.
    size = 4096 - len(route()) - 4
    yield _one(
        "attributes that fill a message",
        "4271 9.2 size",
        withdrawn,
        more=wire.attribute(0xC0, 199, b"x" * size),
    )
    # What other RFCs define and routers have fallen over: here it may be unknown, so that whatever
    # doesn't end the session will do.
    for code, name, value in (
        (23, "Tunnel Encapsulation cut off", b"\0\x0f\0\x19\x14\0"),
        (23, "Tunnel Encapsulation of 3 octets", b"\0\1\0"),
        (22, "PMSI Tunnel of 1 octet", b"\0"),
        (28, "BGP Entropy Label of 0 octets", b""),
        (28, "BGP Entropy Label of 5 octets", b"\0\1\2\3\4"),
        (25, "IPv6 extended communities of 19 octets", b"\0" * 19),
        (33, "BGPsec_PATH of 2 octets", b"\0\2"),
        (35, "Only to Customer of 3 octets", b"\0\0\1"),
        (40, "Prefix-SID that runs over", b"\1\0\x40\0"),
        (40, "Prefix-SID of 1 octet", b"\1"),
        (128, "ATTR_SET of 3 octets", b"\0\0\1"),
        (0, "the reserved type 0", b"x"),
        (255, "the type 255 for development", b"x"),
    ):
        more = wire.attribute(BOTH, code, value)
        yield _one(f"optional transitive: {name}", "7606 2 withdraw", up, more=more)
    for code, name, value in ((26, "AIGP of 2 octets", b"\1\0"), (29, "BGP-LS cut off", b"\4\1\0")):
        more = wire.attribute(OPTIONAL, code, value)
        yield _one(f"optional non-transitive: {name}", "7606 2 withdraw", up, more=more)


def _foreign_flags() -> Iterator[Case]:
    """Attributes that claim to be well-known, as an attribute that nobody knows would be an error."""
    for code, name, value in (
        (17, "AS4_PATH", wire.sequence(70000)),
        (18, "AS4_AGGREGATOR", b"\0\1\x11\x70" + _HOP),
    ):
        for flags in (0x00, OPTIONAL, WELL_KNOWN):
            # Discarded between four-octet speakers (RFC 6793 6), or malformed: never unrecognised.
            yield _one(
                f"{name} between four-octet speakers with flags {flags:#04x}",
                "6793 6 new",
                taken(TARGET, lacks=(code,)),
                withdrawn,
                more=wire.attribute(flags, code, value),
            )
    for code, name, value in (
        (22, "PMSI Tunnel", b"\0" * 5),
        (23, "Tunnel Encapsulation", b"\0\x0f\0\4\1\2ab"),
        (26, "AIGP", b"\1\0\x0b" + bytes(8)),
        (33, "BGPsec_PATH", b"\0\2"),
        (35, "Only to Customer", b"\0\0\0\1"),
        (40, "Prefix-SID", b"\1\0\7" + bytes(7)),
    ):
        for flags in (0x00, WELL_KNOWN):
            # Whoever does not know it takes it for an unrecognised well-known one (RFC 4271 6.3).
            bad = wire.attribute(flags, code, value)
            yield _one(
                f"{name} with flags {flags:#04x}",
                "7606 3 c",
                withdrawn,
                reset(3, 2, data=bad),
                more=bad,
            )


def _overruns() -> Iterator[Case]:
    for name, tail in {
        "that runs over by one octet": b"\xc0\x63\x03\0\0",
        "that claims 255 octets": b"\xc0\x63\xff\0",
        "that claims 65535 octets": b"\xd0\x63\xff\xff\0",
        "of one octet of header": b"\xc0",
        "of two octets of header": b"\xc0\x63",
        "of three octets of extended header": b"\xd0\x63\0",
    }.items():
        yield _one(f"a last attribute {name}", "7606 4", more=tail)
    yield _one("ORIGIN that runs over all others", "7606 4", origin=b"\x40\1\xff\0")
    yield _one("COMMUNITIES that run over", "7606 4", more=b"\xc0\x08\x08\0\0\0\1")
    yield Case(
        "a last attribute that runs over beside an IPv6 route",
        "7606 4",
        route6(more=b"\xc0\x63\x09\0"),
        (withdrawn6,),
    )
