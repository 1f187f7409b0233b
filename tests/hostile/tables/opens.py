"""OPEN messages: RFC 4271 6.2, capabilities (5492), long parameters (9072), AS numbers (6793, 7607)."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.case import ASN, REFLECTOR_ID, Case, Outcome, Stage, reset, up
from tests.support import wire

_MALFORMED = reset(2, 0)
_BAD_AS = reset(2, 2)
_CAPABILITIES = wire.capabilities(families=(wire.IPV4,))
_GOOD = wire.parameter(2, _CAPABILITIES)


def _case(
    name: str, rfc: str, data: bytes, *may: Outcome, families: tuple[int, ...] = (1,)
) -> Case:
    return Case(name, rfc, data, may, Stage.OPEN, families=families)


def _open(parameters: bytes | None = _GOOD, **fields: object) -> bytes:
    usual: dict[str, object] = {"router_id": "10.0.0.77", "parameters": parameters}
    return wire.open_message(**{**usual, **fields})  # type: ignore[arg-type]


def _with(capabilities: bytes) -> bytes:
    return _open(wire.parameter(2, _CAPABILITIES + capabilities))


def _length(claimed: int, parameters: bytes) -> bytes:
    """An OPEN whose Optional Parameters Length is not what is there."""
    body = wire.open_body(router_id="10.0.0.77", parameters=b"")
    return wire.message(wire.OPEN, body[:-1] + bytes((claimed,)) + parameters)


def _extended(parameters: bytes, *, first: int = 255, length: int | None = None) -> bytes:
    """An OPEN in the form of RFC 9072."""
    claimed = len(parameters) if length is None else length
    body = wire.open_body(router_id="10.0.0.77", parameters=b"")[:-1]
    return wire.message(wire.OPEN, body + bytes((first, 255)) + claimed.to_bytes(2) + parameters)


def _long(kind: int, value: bytes, length: int | None = None) -> bytes:
    """A parameter whose length has two octets."""
    return bytes((kind,)) + (len(value) if length is None else length).to_bytes(2) + value


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _fields()
    yield from _parameters()
    yield from _capability_cases()
    yield from _extended_forms()
    yield from _extended_elsewhere()


def _fields() -> Iterator[Case]:
    for version in (0, 3, 5, 255):
        yield _case(
            f"version {version}",
            "4271 6.2 version",
            _open(version=version),
            reset(2, 1, data=b"\0\4"),
        )
    yield _case(
        "another AS",
        "4271 6.2 AS",
        _open(wire.parameter(2, wire.capabilities(asn=65001, families=(wire.IPV4,))), my_as=65001),
        _BAD_AS,
    )
    without = wire.parameter(2, wire.capabilities(asn=None, families=(wire.IPV4,)))
    yield _case("another AS, two octets", "4271 6.2 AS", _open(without, my_as=65001), _BAD_AS)
    yield _case(
        "AS 0",
        "7607 2 OPEN",
        _open(wire.parameter(2, wire.capabilities(asn=0, families=(wire.IPV4,))), my_as=0),
        _BAD_AS,
    )
    yield _case("AS 0, two octets", "7607 2 OPEN", _open(without, my_as=0), _BAD_AS)
    yield _case(
        "AS 0 in the capability only",
        "7607 2 OPEN",
        _open(wire.parameter(2, wire.capabilities(asn=0, families=(wire.IPV4,)))),
        _BAD_AS,
    )
    yield _case("AS_TRANS without the capability", "6793 4.1", _open(without, my_as=23456), _BAD_AS)
    yield _case(
        "another AS in the capability only",
        "6793 4.1",
        _open(wire.parameter(2, wire.capabilities(asn=70000, families=(wire.IPV4,)))),
        _BAD_AS,
    )
    yield _case("two octets and no capabilities", "5492 3", _open(b""), up)
    for seconds in (1, 2):
        yield _case(
            f"a hold time of {seconds}",
            "4271 6.2 hold time",
            _open(hold_time_s=seconds),
            reset(2, 6),
        )
    for seconds in (0, 3, 65535):
        yield _case(
            f"a hold time of {seconds}", "4271 4.2 hold time", _open(hold_time_s=seconds), up
        )
    for identifier in ("0.0.0.0", REFLECTOR_ID):
        yield _case(
            f"the identifier {identifier}", "6286 2.2", _open(router_id=identifier), reset(2, 3)
        )
    for identifier in ("0.0.0.1", "127.0.0.1", "224.0.0.1", "255.255.255.255"):
        yield _case(f"the identifier {identifier}", "6286 2.1", _open(router_id=identifier), up)


def _parameters() -> Iterator[Case]:
    malformed = {
        "shorter than it says": _length(len(_GOOD) + 9, _GOOD),
        "of 255 octets that are not there": _length(255, b""),
        "of 1 octet": _length(1, b"\2"),
        "whose parameter is longer": _open(b"\2\x20" + _CAPABILITIES),
        "with an octet behind the last": _open(_GOOD + b"\2"),
        "whose second parameter is longer": _open(_GOOD + b"\2\x06\x02\x00"),
    }
    for name, data in malformed.items():
        yield _case(f"parameters {name}", "4271 6.2 malformed", data, _MALFORMED)
    # The message is longer than its parameters say: 6.1's matter or 6.2's.
    yield _case(
        "parameters longer than they say",
        "4271 6.2 malformed",
        _length(len(_GOOD), _GOOD + b"\2\0"),
        _MALFORMED,
        reset(1, 2),
    )
    for kind in (0, 1, 3, 128, 254):
        yield _case(
            f"an optional parameter of type {kind}",
            "4271 6.2 parameter",
            _open(_GOOD + wire.parameter(kind, b"\0")),
            reset(2, 4),
        )


def _extended_elsewhere() -> Iterator[Case]:
    yield _case(
        "an optional parameter of type 255 behind another",
        "9072 3",
        _open(_GOOD + wire.parameter(255, b"\0")),
        reset(2, 4),
        _MALFORMED,
    )


def _capability_cases() -> Iterator[Case]:
    for name, tail in {"of one octet": b"\x40", "that runs over": b"\x40\x09\0"}.items():
        yield _case(f"a capability {name}", "4271 6.2 malformed", _with(tail), _MALFORMED)
    # What a capability of a wrong length means is not said: it is malformed, or as if it were not there.
    for code, value, name in (
        (1, b"\0\1\0", "Multiprotocol of 3 octets"),
        (1, b"\0\1\0\1\0", "Multiprotocol of 5 octets"),
        (2, b"\0", "Route Refresh of 1 octet"),
        (65, b"", "Four-octet AS of 0 octets"),
        (65, ASN.to_bytes(2), "Four-octet AS of 2 octets"),
        (65, b"\0" + ASN.to_bytes(4), "Four-octet AS of 5 octets"),
        (64, b"", "Graceful Restart of 0 octets"),
        (64, b"\0", "Graceful Restart of 1 octet"),
        (64, b"\0\x78\0\1", "Graceful Restart of 4 octets"),
        (70, b"\0", "Enhanced Route Refresh of 1 octet"),
        (6, b"\0", "Extended Message of 1 octet"),
        (69, b"\0\1", "ADD-PATH of 2 octets"),
        (69, b"\0\1\1\x09", "ADD-PATH to send and receive 9"),
        (5, b"\0\1\0\1", "Extended Next Hop of 4 octets"),
        (71, b"\0\1", "Long-Lived Graceful Restart of 2 octets"),
        (73, b"", "FQDN of 0 octets"),
        (73, b"\xffhost", "FQDN that runs over"),
        (73, b"\4\xff\xfe\xfd\xfc\0", "FQDN that is no UTF-8"),
        (75, b"", "Software Version of 0 octets"),
        (75, b"\xff", "Software Version that runs over"),
        (9, b"", "BGP Role of 0 octets"),
        (9, b"\x63", "BGP Role 99"),
    ):
        refused = (_MALFORMED, reset(2, 2), reset(2, 11))
        yield _case(
            f"capability {name}",
            "5492 4 unknown",
            _with(wire.capability(code, value)),
            up,
            *refused,
        )
    for code in (0, 8, 66, 99, 128, 130, 239, 255):
        yield _case(
            f"the unknown capability {code}",
            "5492 4 unknown",
            _with(wire.capability(code, b"\0" * 7)),
            up,
        )
    yield _case("capabilities twice", "5492 4 forms", _with(_CAPABILITIES), up)
    yield _case(
        "a parameter for each capability",
        "5492 4 forms",
        _open(
            wire.parameter(2, wire.capability(1, b"\0\1\0\1"))
            + wire.parameter(2, wire.capability(65, ASN.to_bytes(4)))
            + wire.parameter(2, wire.capability(2))
        ),
        up,
    )
    yield _case(
        "thirty unknown capabilities",
        "5492 4 unknown",
        _with(b"".join(wire.capability(150 + i, b"xyz") for i in range(30))),
        up,
    )
    yield _case(
        "Multiprotocol for unknown families too",
        "4760 8",
        _with(wire.capability(1, b"\x40\x04\0\x47") + wire.capability(1, b"\0\1\0\x80")),
        up,
    )
    yield _case(
        "Multiprotocol with a reserved octet that is set",
        "4760 8",
        _open(
            wire.parameter(
                2, wire.capability(1, b"\0\1\xff\1") + wire.capability(65, ASN.to_bytes(4))
            )
        ),
        up,
    )
    yield _case(
        "Multiprotocol for none of the reflector's families",
        "5492 5",
        _open(
            wire.parameter(
                2, wire.capability(1, b"\0\1\0\x80") + wire.capability(65, ASN.to_bytes(4))
            )
        ),
        reset(2, 7),
    )


def _extended_forms() -> Iterator[Case]:
    inner = _long(2, _CAPABILITIES)
    yield _case("the extended form", "9072 2 form", _extended(inner), up)
    yield _case(
        "the extended form, whose short length is 1", "9072 2 length", _extended(inner, first=1), up
    )
    many = b"".join(wire.capability(150 + i % 50, b"x" * 40) for i in range(60))
    yield _case(
        "the extended form of 2,500 octets", "9072 2 form", _extended(inner + _long(2, many)), up
    )
    yield _case("the extended form with no parameter", "9072 2 form", _extended(b""), up)
    yield _case(
        "the extended form, longer than the OPEN",
        "9072 3",
        _extended(inner, length=len(inner) + 1),
        _MALFORMED,
    )
    yield _case(
        "the extended form of 65535 octets", "9072 3", _extended(inner, length=65535), _MALFORMED
    )
    yield _case(
        "the extended form whose parameter runs over",
        "9072 3",
        _extended(_long(2, _CAPABILITIES, length=4000)),
        _MALFORMED,
    )
    yield _case(
        "the extended form cut off in its length", "9072 3", _length(255, b"\xff\0"), _MALFORMED
    )
    yield _case(
        "the extended form with a parameter of type 3",
        "4271 6.2 parameter",
        _extended(inner + _long(3, b"\0")),
        reset(2, 4),
    )
