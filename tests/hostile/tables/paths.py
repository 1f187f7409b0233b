"""AS_PATH, and what a peer without four-octet AS numbers may get wrong (RFC 6793)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.case import (
    ASN,
    TARGET,
    Case,
    Outcome,
    gone,
    route,
    route6,
    taken,
    withdrawn,
    withdrawn6,
)
from tests.support import wire
from tests.support.wire import BOTH

_HOP = b"\x0a\0\0\x42"


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _paths()
    yield from _two_octets()


def _path(name: str, rfc: str, *may: Outcome, as_path: bytes) -> Case:
    return Case(name, rfc, route(as_path=as_path), may or (withdrawn,))


def _paths() -> Iterator[Case]:
    one = b"\0\0\xfd\xe9"
    broken = {
        "with a segment of type 0": b"\0\1" + one,
        "with a segment of type 5": b"\5\1" + one,
        "with a segment of type 255": b"\xff\1" + one,
        "with an empty segment": b"\2\0",
        "with an empty segment behind a good one": wire.sequence(65001) + b"\2\0",
        "whose segment runs over": b"\2\3" + one,
        "whose segment of 255 runs over": b"\2\xff" + one,
        "with an octet behind the last segment": wire.sequence(65001) + b"\2",
        "of one octet": b"\2",
        "in two-octet form": wire.sequence(1, 2, 3, width=2),
    }
    for name, value in broken.items():
        yield _path(f"AS_PATH {name}", "7606 7.2", as_path=wire.as_path(value))
        yield Case(
            f"AS_PATH {name} beside an IPv6 route",
            "7606 7.2",
            route6(as_path=wire.as_path(value)),
            (withdrawn6,),
        )
    for kind, name in ((3, "sequence"), (4, "set")):
        yield _path(
            f"AS_PATH with a confederation {name}",
            "5065 5",
            as_path=wire.as_path(bytes((kind, 1)) + one),
        )
    yield _path(
        "AS_PATH with AS 0", "7607 2 AS_PATH", as_path=wire.as_path(wire.sequence(65001, 0, 65002))
    )
    yield _path("AS_PATH of AS 0", "7607 2 AS_PATH", as_path=wire.as_path(wire.sequence(0)))
    yield _path(
        "AS_PATH with AS 0 in a set",
        "7607 2 AS_PATH",
        as_path=wire.as_path(wire.sequence(65001), wire.as_set(0)),
    )
    yield _path(
        "AS_PATH with the reflector's AS",
        "4271 9.1.2 loop",
        withdrawn,
        as_path=wire.as_path(wire.sequence(65001, ASN)),
    )
    whole = wire.sequence(*range(1000, 1255)) + wire.sequence(*range(2000, 2255))
    yield _path(
        "AS_PATH of 510 ASes",
        "4271 5.1.2 internal",
        taken(TARGET, has={2: whole}),
        as_path=wire.as_path(whole),
    )


def _two_octets() -> Iterator[Case]:
    """What a peer without four-octet AS numbers may get wrong."""
    offered = wire.capabilities(asn=None, families=(wire.IPV4,))
    opening = wire.open_message(router_id="10.0.0.82", parameters=wire.parameter(2, offered))
    trans = wire.as_path(wire.sequence(65001, 23456, width=2))

    def old(name: str, rfc: str, *may: Outcome, **replaced: bytes) -> Case:
        return Case(
            f"two octets: {name}", rfc, route(**replaced), may, opening=opening, families=(1,)
        )

    merged = wire.sequence(65001, 70000)
    lead = wire.sequence(65001, 23456)
    yield old(
        "AS4_PATH",
        "6793 4.2.3",
        taken(TARGET, has={2: merged}, lacks=(17,)),
        as_path=trans,
        more=wire.attribute(BOTH, 17, merged),
    )
    for name, value in {
        "of 3 octets": b"\2\1\0",
        "whose segment runs over": b"\2\3" + (70000).to_bytes(4),
        "with an empty segment": b"\2\0",
        "with a segment of type 9": b"\x09\1" + (70000).to_bytes(4),
    }.items():
        yield old(
            f"AS4_PATH {name}",
            "6793 6 malformed",
            taken(TARGET, has={2: lead}, lacks=(17,)),
            as_path=trans,
            more=wire.attribute(BOTH, 17, value),
        )
    confederation = b"\3\1" + (65009).to_bytes(4)
    yield old(
        "AS4_PATH with a confederation segment",
        "6793 6 malformed",
        taken(TARGET, has={2: merged}, lacks=(17,)),
        as_path=trans,
        more=wire.attribute(BOTH, 17, confederation + merged),
    )
    yield old(
        "AS4_PATH longer than AS_PATH",
        "6793 4.2.3",
        taken(TARGET, has={2: lead}, lacks=(17,)),
        as_path=trans,
        more=wire.attribute(BOTH, 17, wire.sequence(1, 2, 70000)),
    )
    # RFC 7607 has AS 0 there make it malformed, which RFC 6793 6 answers with discarding it.
    yield old(
        "AS4_PATH with AS 0",
        "7607 2 AS_PATH",
        taken(TARGET, has={2: lead}, lacks=(17,)),
        gone(TARGET),
        as_path=trans,
        more=wire.attribute(BOTH, 17, wire.sequence(65001, 0)),
    )
    short = wire.attribute(BOTH, 7, (23456).to_bytes(2) + _HOP)
    yield old(
        "AS4_AGGREGATOR of 7 octets",
        "6793 6 malformed",
        taken(TARGET, has={7: (23456).to_bytes(4) + _HOP}, lacks=(18,)),
        as_path=wire.as_path(),
        more=short + wire.attribute(BOTH, 18, b"\0" * 7),
    )
    yield old(
        "AGGREGATOR of 8 octets",
        "7606 7.7",
        taken(TARGET, lacks=(7,)),
        as_path=wire.as_path(),
        more=wire.attribute(BOTH, 7, b"\0\0\0\1" + _HOP),
    )
    yield old(
        "AS_PATH with four-octet AS numbers",
        "7606 7.2",
        withdrawn,
        as_path=wire.as_path(wire.sequence(65001, 65002)),
    )
