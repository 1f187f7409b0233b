"""UPDATE lengths, NLRI, and the multiprotocol attributes: RFC 4271 6.3, RFC 7606 5, RFC 4760."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.case import (
    NEXT_HOP,
    NEXT_HOP6,
    OTHER,
    OTHER6,
    TARGET,
    TARGET6,
    Case,
    block,
    disabled6,
    gone,
    reset,
    route6,
    taken,
    unchanged,
    up,
    withdrawn6,
)
from tests.support import wire

_BOTH = (TARGET, TARGET6)
_HOP6 = b"\x20\1\x0d\xb8" + b"\0" * 11 + b"\x66"
# RFC 7606 7.11 and 7.12 leave the choice; which subcode a reset has, nothing says.
_UNLOCATABLE = (reset(3), disabled6)


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _lengths()
    yield from _prefixes()
    yield from _meaning()
    yield from _without_routes()
    yield from _reach()
    yield from _reach_nlri()
    yield from _unreach()


def _lengths() -> Iterator[Case]:
    good = wire.update_body(wire.prefix(TARGET), block())
    broken = {
        "Withdrawn Routes Length beyond the message": b"\0\xff" + good[2:],
        "Withdrawn Routes Length of 65535": b"\xff\xff" + good[2:],
        "Withdrawn Routes that leave one octet": b"\0\3\x10\x0a\1\0",
        "Total Path Attribute Length beyond the message": b"\0\0\x0f\xff" + good[4:],
        "Total Path Attribute Length of 65535": b"\0\0\xff\xff" + good[4:],
        "Total Path Attribute Length one too long": b"\0\0\0\1",
        "both lengths of 65535": b"\xff\xff\xff\xff",
    }
    for name, body in broken.items():
        yield Case(name, "7606 3 b", wire.message(wire.UPDATE, body), (reset(3, 1),))
    # One octet less of attributes: the last is cut off, and its last octet is read as a prefix.
    size = len(block())
    cut = b"\0\0" + (size - 1).to_bytes(2) + block() + wire.prefix(TARGET)
    yield Case(
        "Total Path Attribute Length one too short",
        "7606 4",
        wire.message(wire.UPDATE, cut),
        (reset(3, 1, 10), gone(TARGET), unchanged(TARGET)),
    )


def _prefixes() -> Iterator[Case]:
    for bits in (33, 64, 128, 255):
        nlri = bytes((bits,)) + b"\x0a\1\0\0" + b"\0" * 28
        yield Case(f"NLRI of /{bits}", "7606 5.3", wire.update(nlri, block()), (reset(3, 10),))
        # The RFCs have it checked as NLRI is, and name no subcode.
        yield Case(
            f"a withdrawn route of /{bits}",
            "7606 3 i",
            wire.update(withdrawn=nlri),
            (reset(3, 1, 10),),
        )
    for name, nlri in {
        "cut off": b"\x18\x0a\1",
        "of a length and nothing else": b"\x18",
        "behind a good one, cut off": wire.prefix(OTHER) + b"\x20\x0a\1\0",
    }.items():
        yield Case(f"NLRI {name}", "7606 5.3", wire.update(nlri, block()), (reset(3, 10),))
        yield Case(
            f"a withdrawn route {name}", "7606 3 i", wire.update(withdrawn=nlri), (reset(3, 1, 10),)
        )
    yield Case(
        "NLRI of /33 beside a malformed attribute",
        "7606 3 j",
        wire.update(b"\x21\x0a\1\0\0\0", block(origin=wire.origin(9))),
        (reset(3),),
    )
    yield Case(
        "bits beyond the prefix",
        "4271 4.3 prefix",
        wire.update(b"\x14\x0a\2\xff", block()),
        (taken("10.2.240.0/20"),),
    )
    yield Case(
        "the same prefix twice",
        "4271 4.3 both",
        wire.update(wire.prefix(TARGET) * 2, block()),
        (taken(TARGET),),
    )
    yield Case(
        "a prefix withdrawn and announced",
        "4271 4.3 both",
        wire.update(wire.prefix(TARGET), block(), wire.prefix(TARGET)),
        (taken(TARGET),),
    )
    yield Case(
        "a withdrawal of what was never announced",
        "4271 3.1",
        wire.update(withdrawn=wire.prefix(OTHER)),
        (unchanged(*_BOTH),),
    )


def _meaning() -> Iterator[Case]:
    for prefix in ("224.0.0.0/24", "239.1.2.3/32"):
        yield Case(
            f"the multicast prefix {prefix}",
            "4271 6.3 martian",
            wire.update(wire.prefix(prefix), block()),
            (gone(prefix),),
        )
        yield Case(
            f"the multicast prefix {prefix} beside a good one",
            "4271 6.3 martian",
            wire.update(wire.prefix(prefix) + wire.prefix(OTHER), block()),
            (taken(OTHER, without=(prefix,)),),
        )
    for prefix in ("0.0.0.0/0", "127.0.0.0/8", "240.0.0.0/8", "255.255.255.255/32", "0.0.0.0/32"):
        yield Case(
            f"the prefix {prefix}",
            "4271 6.3 martian",
            wire.update(wire.prefix(prefix), block()),
            (up,),
        )
    yield Case(
        "the multicast prefix ff0e::/16",
        "4271 6.3 martian",
        route6(wire.prefix("ff0e::/16")),
        (gone("ff0e::/16"),),
    )
    yield Case(
        "the link-local prefix fe80::/64",
        "4271 6.3 martian",
        route6(wire.prefix("fe80::/64")),
        (up,),
    )


def _without_routes() -> Iterator[Case]:
    yield Case("End-of-RIB", "7606 5.2", wire.update(), (unchanged(*_BOTH),))
    yield Case(
        "End-of-RIB for IPv6",
        "7606 5.2",
        wire.update(attributes=wire.mp_unreach(wire.IPV6, b"")),
        (unchanged(*_BOTH),),
    )
    yield Case(
        "End-of-RIB for an unknown family",
        "4760 6",
        wire.update(attributes=wire.mp_unreach((16388, 71), b"")),
        (unchanged(*_BOTH),),
    )
    yield Case("twenty End-of-RIBs", "7606 5.2", wire.update() * 20, (unchanged(*_BOTH),))
    yield Case(
        "attributes without routes",
        "7606 5.2",
        wire.update(attributes=block()),
        (unchanged(*_BOTH),),
    )
    for what, bad in {
        "an undefined ORIGIN": {"origin": wire.origin(9)},
        "a malformed AS_PATH": {"as_path": wire.as_path(b"\2\0")},
        "COMMUNITIES of 3 octets": {"more": wire.attribute(0xC0, 8, b"\0\0\0")},
    }.items():
        yield Case(
            f"{what} without routes", "7606 5.2", wire.update(attributes=block(**bad)), (reset(3),)
        )
    for what, subcode, wrong in (
        ("ORIGIN with flags 0x80", 4, wire.attribute(0x80, 1, b"\0")),
        ("COMMUNITIES with flags 0x40", 4, wire.attribute(0x40, 8, b"\0\1\0\1")),
        ("ORIGIN of 2 octets", 5, wire.attribute(0x40, 1, b"\0\0")),
        ("MED of 1 octet", 5, wire.attribute(0x80, 4, b"\0")),
        ("MED of 1 octet with extended length", 5, wire.attribute(0x90, 4, b"\0")),
        ("ORIGIN 3", 6, wire.origin(3)),
    ):
        yield Case(
            f"{what}, alone",
            "4271 6.3 data",
            wire.update(attributes=wrong),
            (reset(3, subcode, data=wrong),),
        )
        yield Case(
            f"{what} beside withdrawn routes",
            "7606 5.2",
            wire.update(attributes=wrong, withdrawn=wire.prefix(TARGET)),
            (reset(3), gone(TARGET)),
        )
    yield Case(
        "NEXT_HOP missing where routes of both families are",
        "7606 3 d",
        wire.update(
            wire.prefix(TARGET),
            wire.mp_reach(wire.IPV6, NEXT_HOP6, wire.prefix(TARGET6)) + block(next_hop=b""),
        ),
        (gone(TARGET, TARGET6),),
    )
    yield Case(
        "ATOMIC_AGGREGATE of one octet without routes",
        "7606 5.2",
        wire.update(attributes=block(more=wire.attribute(0x40, 6, b"\0"))),
        (unchanged(*_BOTH),),
    )
    yield Case(
        "a withdrawal beside a malformed route",
        "7606 2 withdraw",
        wire.update(wire.prefix(OTHER), block(origin=wire.origin(9)), wire.prefix(TARGET)),
        (gone(TARGET, OTHER),),
    )
    yield Case(
        "a malformed route of three",
        "7606 2 withdraw",
        wire.update(wire.prefixes(TARGET, OTHER, "10.3.0.0/24"), block(origin=wire.origin(9))),
        (gone(TARGET, OTHER, "10.3.0.0/24"),),
    )


def _reach() -> Iterator[Case]:
    clause = "7606 7.11"
    for size in (0, 4, 8, 15, 17, 24, 31, 33, 255):
        hop = (_HOP6 * 16)[:size]
        yield Case(
            f"MP_REACH_NLRI with a next hop of {size} octets", clause, route6(via=hop), _UNLOCATABLE
        )
    whole = b"\0\2\1\x10" + _HOP6 + b"\0" + wire.prefix(TARGET6)
    for size in (0, 1, 2, 3, 4, 5, 19, 20):
        reach = wire.attribute(0x80, 14, whole[:size])
        yield Case(
            f"MP_REACH_NLRI of {size} octets",
            clause,
            wire.update(attributes=reach + block(next_hop=b"")),
            _UNLOCATABLE,
        )
    yield Case(
        "MP_REACH_NLRI whose next hop length is too long by one",
        clause,
        _raw(b"\0\2\1\x11" + whole[4:]),
        _UNLOCATABLE,
    )
    for flags in (0x40, 0xC0):
        yield Case(
            f"MP_REACH_NLRI with flags {flags:#04x}", "7606 3 c", _raw(whole, flags), (withdrawn6,)
        )
    yield Case(
        "MP_REACH_NLRI that runs over",
        "7606 3 j",
        wire.update(attributes=block(next_hop=b"") + b"\x80\x0e\xff" + whole),
        _UNLOCATABLE,
    )
    yield Case(
        "MP_REACH_NLRI with a reserved octet that is set",
        "4760 3",
        _raw(b"\0\2\1\x10" + _HOP6 + b"\xff" + wire.prefix(TARGET6)),
        (taken(TARGET6),),
    )
    twice = wire.attribute(0x80, 14, whole) * 2 + block(next_hop=b"")
    yield Case(
        "MP_REACH_NLRI twice",
        "7606 3 g multiprotocol",
        wire.update(attributes=twice),
        (reset(3, 1),),
    )
    apart = (
        wire.attribute(0x80, 14, whole)
        + block(next_hop=b"")
        + wire.mp_reach(wire.IPV6, NEXT_HOP6, wire.prefix(OTHER6))
    )
    yield Case(
        "MP_REACH_NLRI twice, not side by side",
        "7606 3 g multiprotocol",
        wire.update(attributes=apart),
        (reset(3, 1),),
    )
    yield Case(
        "MP_REACH_NLRI as the last attribute",
        "4271 5 order",
        wire.update(attributes=block(next_hop=b"") + wire.attribute(0x80, 14, whole)),
        (taken(TARGET6),),
    )
    yield Case(
        "IPv6 routes beside NEXT_HOP",
        "4760 3 NEXT_HOP",
        route6(next_hop=wire.next_hop(NEXT_HOP)),
        (taken(TARGET6, lacks=(3,)),),
    )
    yield Case(
        "routes of both families",
        "4760 3",
        wire.update(wire.prefix(TARGET), wire.attribute(0x80, 14, whole) + block()),
        (taken(TARGET, TARGET6),),
    )
    yield Case(
        "malformed routes of both families",
        "7606 2 withdraw",
        wire.update(
            wire.prefix(TARGET), wire.attribute(0x80, 14, whole) + block(origin=wire.origin(9))
        ),
        (gone(TARGET, TARGET6),),
    )
    yield Case(
        "IPv4 routes in MP_REACH_NLRI with an IPv6 next hop",
        clause,
        wire.update(
            attributes=wire.mp_reach(wire.IPV4, NEXT_HOP6, wire.prefix(TARGET))
            + block(next_hop=b"")
        ),
        (reset(3), gone(TARGET)),
    )
    yield Case("MP_REACH_NLRI without routes", "7606 5.2", route6(b""), (unchanged(*_BOTH),))
    yield Case(
        "IPv4 routes in MP_REACH_NLRI",
        "4760 3",
        wire.update(
            attributes=wire.mp_reach(wire.IPV4, NEXT_HOP, wire.prefix(TARGET)) + block(next_hop=b"")
        ),
        (taken(TARGET),),
    )
    yield Case(
        "a next hop of a global and a link-local address",
        "2545 3",
        route6(via=_HOP6 + b"\xfe\x80" + b"\0" * 13 + b"\1"),
        (taken(TARGET6),),
    )
    for address in ("::", "::1", "ff02::1"):
        yield Case(
            f"the IPv6 next hop {address}",
            "4271 6.3 next hop",
            route6(via=address),
            (withdrawn6, unchanged(TARGET6)),
        )


def _raw(value: bytes, flags: int = 0x80) -> bytes:
    return wire.update(attributes=wire.attribute(flags, 14, value) + block(next_hop=b""))


def _reach_nlri() -> Iterator[Case]:
    for name, nlri in {
        "of /129": b"\x81" + b"\x20" * 17,
        "of /255": b"\xff" + b"\x20" * 32,
        "cut off": b"\x40\x20\1\x0d",
        "of a length and nothing else": b"\x40",
    }.items():
        yield Case(f"IPv6 NLRI {name}", "7606 5.3", route6(nlri), _UNLOCATABLE)
        yield Case(
            f"IPv6 NLRI {name} behind a good one",
            "7606 5.3",
            route6(wire.prefix(TARGET6) + nlri),
            _UNLOCATABLE,
        )
        yield Case(
            f"a withdrawn IPv6 route {name}",
            "7606 5.3",
            wire.update(attributes=wire.mp_unreach(wire.IPV6, nlri)),
            _UNLOCATABLE,
        )
    yield Case(
        "bits beyond the IPv6 prefix",
        "4271 4.3 prefix",
        route6(b"\x2c\x20\1\x0d\xb8\0\x1f"),
        (taken("2001:db8:10::/44"),),
    )
    # What may come of a family that the session does not have, no RFC says; the others must live.
    strange = (unchanged(*_BOTH), reset(3))
    for name, family, hop, nlri in (
        ("VPN-IPv4", (1, 128), b"\0" * 12, b"\x70" + b"\0" * 14),
        ("IPv4 multicast", (1, 2), b"\x0a\0\0\1", wire.prefix(OTHER)),
        ("L2VPN EVPN", (25, 70), b"\x0a\0\0\1", b"\2\x21" + b"\0" * 33),
        ("BGP-LS", (16388, 71), b"\x0a\0\0\1", b"\0\1\0\0"),
        ("family 0/0", (0, 0), b"", b""),
    ):
        reach = wire.mp_reach(family, hop, nlri)
        yield Case(
            f"routes of {name}",
            "4760 6",
            wire.update(attributes=reach + block(next_hop=b"")),
            strange,
        )
        yield Case(
            f"withdrawn routes of {name}",
            "4760 6",
            wire.update(attributes=wire.mp_unreach(family, nlri)),
            strange,
        )
    opening = wire.open_message(
        router_id="10.0.0.83",
        parameters=wire.parameter(2, wire.capabilities(families=(wire.IPV4,))),
    )
    yield Case(
        "IPv6 routes on a session without them",
        "4760 8",
        route6(),
        (gone(TARGET6), reset(3)),
        opening=opening,
        families=(1,),
    )


def _unreach() -> Iterator[Case]:
    for size in (0, 1, 2):
        unreach = wire.attribute(0x80, 15, b"\0\2\1"[:size])
        yield Case(
            f"MP_UNREACH_NLRI of {size} octets",
            "7606 7.12",
            wire.update(attributes=unreach),
            _UNLOCATABLE,
        )
    good = wire.mp_unreach(wire.IPV6, wire.prefix(TARGET6))
    yield Case("MP_UNREACH_NLRI alone", "4760 4", wire.update(attributes=good), (gone(TARGET6),))
    yield Case(
        "MP_UNREACH_NLRI of IPv4",
        "4760 4",
        wire.update(attributes=wire.mp_unreach(wire.IPV4, wire.prefix(TARGET))),
        (gone(TARGET),),
    )
    yield Case(
        "MP_UNREACH_NLRI twice",
        "7606 3 g multiprotocol",
        wire.update(attributes=good * 2),
        (reset(3, 1),),
    )
    yield Case(
        "MP_UNREACH_NLRI that runs over",
        "7606 3 j",
        wire.update(attributes=b"\x80\x0f\xff\0\2\1" + wire.prefix(TARGET6)),
        _UNLOCATABLE,
    )
    yield Case(
        "MP_UNREACH_NLRI beside routes",
        "4760 4",
        wire.update(wire.prefix(TARGET), good + block()),
        (taken(TARGET, without=(TARGET6,)),),
    )
    yield Case(
        "MP_UNREACH_NLRI of what was never announced",
        "4760 4",
        wire.update(attributes=wire.mp_unreach(wire.IPV6, wire.prefix(OTHER6))),
        (unchanged(*_BOTH),),
    )
