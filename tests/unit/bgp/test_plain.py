"""UPDATEs that are read in one go, against what reads any."""

import pytest

from reflector.bgp.judge import Judge
from reflector.bgp.plain import read_plain
from reflector.bgp.update import JudgedBlocks, read_update
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from tests.support import wire

ROUTER_ID = b"\xc0\0\2\xfe"
BOTH = frozenset((IPV4_UNICAST, IPV6_UNICAST))
PREFIXES = wire.prefix("10.1.0.0/24") + wire.prefix("10.2.0.0/23") + wire.prefix("10.4.0.0/24")


def blocks() -> JudgedBlocks:
    return JudgedBlocks(Judge(wire.ASN, ROUTER_ID, ROUTER_ID), as4=True)


PLAIN = {
    "one prefix": wire.update_body(wire.prefix("10.1.0.0/24"), wire.usual()),
    "some": wire.update_body(PREFIXES, wire.usual()),
    "an attribute nobody knows": wire.update_body(
        PREFIXES, wire.usual() + wire.attribute(0xC0, 99, b"x")
    ),
}

OTHER = {
    "nothing": b"",
    "half a length": b"\0",
    "an End-of-RIB": wire.update_body(),
    "a withdrawal": wire.update_body(withdrawn=PREFIXES),
    "both": wire.update_body(PREFIXES, wire.usual(), wire.prefix("10.9.0.0/24")),
    "no routes": wire.update_body(attributes=wire.usual()),
    "no attributes": wire.update_body(PREFIXES),
    "attributes that run past the end": b"\0\0\xff\xff" + wire.usual() + PREFIXES,
    "no NEXT_HOP": wire.update_body(PREFIXES, wire.usual(next_hop=b"")),
    "a next hop that is no host": wire.update_body(
        PREFIXES, wire.usual(next_hop=wire.next_hop("127.0.0.1"))
    ),
    "something wrong": wire.update_body(PREFIXES, wire.usual(origin=wire.origin(3))),
    "multicast": wire.update_body(PREFIXES + wire.prefix("224.0.0.0/4"), wire.usual()),
    "the default route": wire.update_body(PREFIXES + wire.prefix("0.0.0.0/0"), wire.usual()),
}


@pytest.mark.parametrize("body", PLAIN.values(), ids=PLAIN)
def test_what_is_plain_is_read_as_any_update(body: bytes) -> None:
    known = blocks()
    plain = read_plain(body, known)
    update = read_update(body, known, BOTH)
    assert update.announced == [plain]
    assert [*update.withdrawn, *update.refusals, *update.findings] == []


@pytest.mark.parametrize("body", OTHER.values(), ids=OTHER)
def test_what_is_more_than_routes_is_left_to_who_reads_any_update(body: bytes) -> None:
    assert read_plain(body, blocks()) is None
