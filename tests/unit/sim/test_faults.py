"""What a simulated peer says of UPDATEs that no speaker may send."""

from __future__ import annotations

import pytest

from reflector.bgp.vocabulary import FAMILY_BY_NAME, IPV4_UNICAST
from reflector.sim.faults import faults_of
from tests.support import wire

BOTH = frozenset(FAMILY_BY_NAME.values())
USUAL = (
    wire.origin(0),
    wire.as_path(),
    wire.next_hop("10.0.0.2"),
    wire.local_pref(100),
)


def faults(*attributes: bytes, internal: bool = True, as4: bool = True) -> tuple[str, ...]:
    block = b"".join(attributes)
    body = b"\0\0" + len(block).to_bytes(2) + block + b"\x18\x0a\x01\x00"
    return faults_of(body, as4=as4, internal=internal, families=BOTH)


def test_what_is_well_formed_has_none() -> None:
    reflected = wire.originator_id("10.0.0.2"), wire.cluster_list("192.0.2.1")
    path = wire.as_path(wire.sequence(65001, 65002), wire.as_set(65003))
    further = wire.med(7), wire.communities(1, 2), wire.attribute(0xE0, 99, b"unknown")
    assert faults(*USUAL, *reflected) == ()
    assert faults(USUAL[0], path, *USUAL[2:], *further) == ()
    assert faults(*USUAL[:3], internal=False) == ()
    old = wire.as_path(wire.sequence(65001, width=2))
    assert faults(USUAL[0], old, *USUAL[2:], as4=False) == ()


@pytest.mark.parametrize(
    ("attributes", "found"),
    [
        ((wire.origin(9), *USUAL[1:]), "ORIGIN has the undefined value 9 (RFC 7606 7.1)"),
        ((wire.attribute(0x40, 1, b"\0\0"), *USUAL[1:]), "ORIGIN has 2 octets (RFC 7606 7.1)"),
        ((wire.attribute(0x80, 1, b"\0"), *USUAL[1:]), "ORIGIN has the flags 0x80 (RFC 7606 3 c)"),
        ((wire.attribute(0x60, 1, b"\0"), *USUAL[1:]), "ORIGIN has the flags 0x60 (RFC 7606 3 c)"),
        ((*USUAL, wire.origin(0)), "ORIGIN appears twice (RFC 7606 3 g)"),
        ((USUAL[0], USUAL[1], USUAL[3]), "NEXT_HOP missing (RFC 7606 3 d)"),
        (USUAL[:3], "LOCAL_PREF missing (RFC 7606 3 d)"),
        (
            (*USUAL[:2], wire.next_hop("224.0.0.1"), USUAL[3]),
            "NEXT_HOP 224.0.0.1 is no host's address (RFC 4271 6.3)",
        ),
        (
            (USUAL[0], wire.as_path(b"\x02\x02" + bytes(4)), *USUAL[2:]),
            "AS_PATH is malformed (RFC 7606 7.2)",
        ),
        ((*USUAL, wire.attribute(0x80, 10, b"")), "CLUSTER_LIST has 0 octets (RFC 7606 7.10)"),
        (
            (*USUAL, wire.attribute(0x40, 99, b"")),
            "attribute 99 calls itself well-known and is not (RFC 4271 6.3)",
        ),
    ],
)
def test_what_is_malformed_is_named(attributes: tuple[bytes, ...], found: str) -> None:
    assert faults(*attributes) == (found,)


def test_what_only_internal_peers_may_send() -> None:
    assert faults(*USUAL, internal=False) == ("LOCAL_PREF from another AS (RFC 7606 7.5)",)


def test_a_family_that_the_session_does_not_carry() -> None:
    block = b"".join((USUAL[0], USUAL[1], USUAL[3], wire.attribute(0x80, 15, b"\0\x02\x01")))
    body = b"\0\0" + len(block).to_bytes(2) + block
    assert faults_of(body, as4=True, internal=True, families=frozenset({IPV4_UNICAST})) == (
        "routes of ipv6, which this session does not carry (RFC 4760 8)",
    )


def test_withdrawals_and_end_of_rib_have_none() -> None:
    for body in (bytes(4), b"\0\x04\x18\x0a\x01\0\0\0"):
        assert faults_of(body, as4=True, internal=True, families=BOTH) == ()
