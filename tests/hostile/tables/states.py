"""Messages in states that don't expect them, NOTIFICATIONs, and peers that fall silent."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.case import (
    TARGET,
    Case,
    Stage,
    answered,
    closed,
    reset,
    route,
    taken,
    unanswered,
    unchanged,
    up,
    withdrawn,
)
from tests.support import wire

_UPDATE = route()


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _unexpected()
    yield from _notifications()
    yield from _refreshes()
    yield from _silence()


def _unexpected() -> Iterator[Case]:
    messages = {
        "KEEPALIVE": (wire.KEEPALIVE, wire.keepalive()),
        "UPDATE": (wire.UPDATE, _UPDATE),
        "ROUTE-REFRESH": (wire.ROUTE_REFRESH, wire.refresh()),
    }
    for name, (kind, data) in messages.items():
        told = bytes((kind,))
        yield Case(
            f"{name} before the OPEN", "6608 4", data, (reset(5, 1, data=told),), Stage.CONNECT
        )
        if kind != wire.KEEPALIVE:
            yield Case(
                f"{name} before our KEEPALIVE",
                "6608 4",
                data,
                (reset(5, 2, data=told),),
                Stage.CONFIRM,
            )
    # RFC 4271 6.8 sees a collision in a second OPEN, which is a Cease.
    again = wire.open_message(router_id="10.0.0.78")
    collision = reset(6, 7)
    yield Case(
        "a second OPEN before our KEEPALIVE",
        "6608 3",
        again,
        (reset(5, 2), collision),
        Stage.CONFIRM,
    )
    yield Case("a second OPEN on an established session", "6608 3", again, (reset(5, 3), collision))
    yield Case(
        "OPEN, KEEPALIVE and more in one segment",
        "4271 8.2.2 OpenConfirm",
        wire.open_message(
            router_id="10.0.0.79",
            parameters=wire.parameter(2, wire.capabilities(families=(wire.IPV4,))),
        )
        + wire.keepalive()
        + wire.keepalive(),
        (up,),
        Stage.OPEN,
        families=(1,),
    )
    yield Case(
        "a hundred KEEPALIVEs at once",
        "4271 8.2.2 Established",
        wire.keepalive() * 100,
        (unchanged(TARGET),),
    )


def _notifications() -> Iterator[Case]:
    long_text = b"\x80" + b"x" * 9
    sent = {
        "Cease": wire.notification(6, 2),
        "Cease with a text that runs over": wire.notification(6, 2, long_text),
        "Cease with a text that is no UTF-8": wire.notification(6, 2, b"\4\xff\xfe\xfd\xfc"),
        "of code 0": wire.notification(0, 0),
        "of an unknown code": wire.notification(99, 1, b"?"),
        "of an unknown subcode": wire.notification(3, 250, b"?"),
        "of 4,096 octets": wire.notification(6, 4, b"\xff" * 4075),
        "of Hard Reset with nothing in it": wire.notification(6, 9),
        "of an error in a NOTIFICATION": wire.notification(1, 1) + wire.message(0),
    }
    for name, data in sent.items():
        yield Case(f"a NOTIFICATION {name}", "4271 6.4", data, (closed,))
    for stage in (Stage.CONNECT, Stage.CONFIRM):
        yield Case(
            f"a NOTIFICATION, {stage.name}",
            "4271 6.4",
            wire.notification(2, 1, b"\0\4"),
            (closed,),
            stage,
        )
        yield Case(
            f"a NOTIFICATION of an unknown code, {stage.name}",
            "4271 6.4",
            wire.notification(99, 1),
            (closed,),
            stage,
        )
    for stage in (Stage.CONNECT, Stage.CONFIRM, Stage.UP):
        yield Case(
            f"a NOTIFICATION and a route behind it, {stage.name}",
            "4271 6.4",
            wire.notification(6, 4) + _UPDATE,
            (closed,),
            stage,
        )


def _refreshes() -> Iterator[Case]:
    yield Case("a ROUTE-REFRESH", "2918 4 answer", wire.refresh(), (answered,))
    for afi, safi in ((1, 128), (25, 70), (0, 0), (65535, 255)):
        yield Case(
            f"a ROUTE-REFRESH for {afi}/{safi}",
            "2918 4 unknown",
            wire.refresh(afi, safi),
            (unanswered,),
        )
    yield Case(
        "a ROUTE-REFRESH for a family that was not negotiated",
        "2918 4 unknown",
        wire.refresh(2, 1),
        (unanswered,),
        opening=_ipv4_only(),
        families=(1,),
    )
    # RFC 2918 reserves the octet and has it ignored; RFC 7313 ignores unknown subtypes.
    for subtype in (3, 255):
        yield Case(
            f"a ROUTE-REFRESH of subtype {subtype}", "2918 3", wire.refresh(subtype=subtype), (up,)
        )
    # RFC 2918 says nothing of another length; RFC 4271 6.1 and RFC 7313 5 do.
    for body in (b"", b"\0\1\0", b"\0\1\0\1\0", b"\0\1\0\1\1\x40\0\0"):
        data = wire.message(wire.ROUTE_REFRESH, body)
        yield Case(
            f"a ROUTE-REFRESH of {len(data)} octets",
            "4271 6.1 length",
            data,
            (reset(1, 2), reset(7, 1)),
        )
    yield Case("fifty ROUTE-REFRESHs at once", "2918 4 answer", wire.refresh() * 50, (answered,))
    yield from _enhanced_refreshes()


def _enhanced_refreshes() -> Iterator[Case]:
    """RFC 7313, offered by the hostile peer; whoever doesn't offer it too may ignore the subtype."""
    capable = wire.open_message(
        router_id="10.0.0.82",
        parameters=wire.parameter(
            2, wire.capabilities(families=(wire.IPV4,)) + wire.capability(70)
        ),
    )
    begin, end = wire.refresh(subtype=1), wire.refresh(subtype=2)
    for clause, name, data, may in (
        (
            "7313 4 stale",
            "BoRR and EoRR and no route between",
            begin + end,
            (withdrawn, unchanged(TARGET)),
        ),
        ("7313 4 stale", "BoRR, the route anew, and EoRR", begin + _UPDATE + end, (taken(TARGET),)),
        ("7313 4 stale", "BoRR and no EoRR", begin, (unchanged(TARGET),)),
        ("7313 4 stray", "EoRR and no BoRR", end, (unchanged(TARGET),)),
        (
            "2918 4 unknown",
            "BoRR for a family that is not shared",
            wire.refresh(25, 70, 1),
            (unchanged(TARGET),),
        ),
        (
            "2918 4 unknown",
            "EoRR for a family that is not shared",
            wire.refresh(25, 70, 2),
            (unchanged(TARGET),),
        ),
    ):
        yield Case(name, clause, data, may, opening=capable, families=(1,))
    for name, data in {
        "a BoRR of 24 octets": wire.message(wire.ROUTE_REFRESH, b"\0\1\1\1\0"),
        "a BoRR of 22 octets": wire.message(wire.ROUTE_REFRESH, b"\0\1\1"),
        "an EoRR of 119 octets": wire.message(wire.ROUTE_REFRESH, b"\0\1\2\1" + bytes(96)),
    }.items():
        # Whoever doesn't offer it has RFC 4271 6.1 only.
        may = (reset(7, 1, data=data), reset(1, 2))
        yield Case(name, "7313 5 length", data, may, opening=capable, families=(1,))


def _silence() -> Iterator[Case]:
    three = wire.open_message(
        router_id="10.0.0.80",
        hold_time_s=3,
        parameters=wire.parameter(2, wire.capabilities(families=(wire.IPV4,))),
    )
    expired = (reset(4, 0),)
    dripped = {
        "nothing": b"",
        "a header octet by octet": wire.MARKER,
        "half of an UPDATE": _UPDATE[: len(_UPDATE) // 2],
    }
    for name, data in dripped.items():
        yield Case(f"silence but for {name}", "4271 6.5", data, expired, Stage.IDLE, three, (1,))


def _ipv4_only() -> bytes:
    return wire.open_message(
        router_id="10.0.0.81",
        parameters=wire.parameter(2, wire.capabilities(families=(wire.IPV4,))),
    )
