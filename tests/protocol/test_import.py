"""What a client announces and nobody must be told, and what is changed on its way in."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from reflector.rib.intake import Intake
from tests.support import wire
from tests.support.classroom import OUR_ADDRESS, Classroom

OTHER_ADDRESS = "192.0.2.77"
OTHER_ADDRESS6 = "2001:db8:77::1"
PREFIX = "10.1.0.0/24"
PREFIX6 = "2001:db8:1::/64"
LINK_LOCAL = ip_address("fe80::1").packed

OWN = {
    "of the session": wire.announce(
        PREFIX, attributes=wire.usual(next_hop=wire.next_hop(OUR_ADDRESS))
    ),
    "of another session": wire.announce(
        PREFIX, attributes=wire.usual(next_hop=wire.next_hop("10.0.1.254"))
    ),
    "of the machine": wire.announce(
        PREFIX, attributes=wire.usual(next_hop=wire.next_hop(OTHER_ADDRESS))
    ),
    "IPv4-mapped": wire.announce6(PREFIX6, via=f"::ffff:{OTHER_ADDRESS}"),
    "IPv6": wire.announce6(PREFIX6, via=OTHER_ADDRESS6),
    "IPv6, with a link-local one": wire.update_body(
        attributes=wire.mp_reach(
            wire.IPV6, ip_address(OTHER_ADDRESS6).packed + LINK_LOCAL, wire.prefix(PREFIX6)
        )
        + wire.usual(next_hop=b"")
    ),
}


@pytest.mark.rfc("4271", "6.3 next hop")
@pytest.mark.parametrize("body", OWN.values(), ids=OWN)
def test_no_address_of_ours_is_a_next_hop(body: bytes) -> None:
    """RFC 4271 6.3: whichever address of ours it is; the route that was there before goes."""
    classroom = Classroom()
    classroom.speaker.own_addresses([ip_address(OTHER_ADDRESS), ip_address(OTHER_ADDRESS6)])
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.1.2", local_address="10.0.1.254")
    classroom.send(source, wire.announce(PREFIX), wire.announce6(PREFIX6))
    before = other.prefixes
    classroom.send(source, body)
    assert len(before - other.prefixes) == 1
    assert source.peer.counters.refused == 1
    assert [name for name, _ in classroom.findings] == ["source"]


@pytest.mark.rfc("4271", "6.3 martian")
@pytest.mark.parametrize(
    "prefix", ["127.0.0.0/8", "127.0.0.1/32", "0.0.0.0/8", "::1/128", "::ffff:10.0.0.0/104"]
)
def test_what_means_the_machine_itself_is_no_route(prefix: str) -> None:
    """RFC 4271 6.3: in a node's kernel it would take the place of its own loopback."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    announce = wire.announce6 if ":" in prefix else wire.announce
    good = PREFIX6 if ":" in prefix else PREFIX
    classroom.send(source, announce(good, prefix))
    assert other.prefixes == {good}
    assert source.peer.counters.refused == 1


def test_a_default_route_is_reflected_to_nobody_unless_asked() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    router = classroom.join("router", "10.0.0.2", intake=Intake(accept_default=True))
    other = classroom.join("other", "10.0.0.3")
    for _ in range(3):
        classroom.send(source, wire.announce("0.0.0.0/0", PREFIX), wire.announce6("::/0"))
    assert other.prefixes == {PREFIX}
    assert source.peer.counters.refused == 6
    assert [(name, "accept-default" in found.reason) for name, found in classroom.findings] == [
        ("source", True)
    ], "said once"
    classroom.send(router, wire.announce("0.0.0.0/0"), wire.announce6("::/0"))
    assert other.prefixes == {PREFIX, "0.0.0.0/0", "::/0"}


@pytest.mark.rfc("8326", "4.1")
def test_a_route_that_goes_soon_gives_way_to_any_other() -> None:
    """RFC 8326 4.1: LOCAL_PREF 0, so that everybody turns to the alternative before it is gone."""
    classroom = Classroom()
    leaving = classroom.join("leaving", "10.0.0.1")
    staying = classroom.join("staying", "10.0.0.2")
    other = classroom.join("other", "10.0.0.3")
    classroom.send(leaving, wire.announce(PREFIX))
    classroom.send(staying, wire.announce(PREFIX, attributes=wire.usual(hop=b"")))
    soon = wire.usual(more=wire.communities(64512 << 16 | 1, 0xFFFF0000))
    classroom.send(leaving, wire.announce(PREFIX, "10.2.0.0/24", attributes=soon))
    assert other.route(PREFIX)[9] == ip_address("10.0.0.2").packed, "ORIGINATOR_ID of staying"
    route = other.route("10.2.0.0/24")
    assert int.from_bytes(route[5]) == 0, "without an alternative it is used as long as it is there"
    assert int.from_bytes(route[8][4:]) == 0xFFFF0000, "and the community goes on with it"


def test_a_peer_may_be_left_to_its_own_local_pref() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", intake=Intake(graceful_shutdown=False))
    other = classroom.join("other", "10.0.0.3")
    soon = wire.usual(more=wire.communities(0xFFFF0000))
    classroom.send(source, wire.announce(PREFIX, attributes=soon))
    assert int.from_bytes(other.route(PREFIX)[5]) == 100


@pytest.mark.rfc("1997", "carriage")
def test_communities_of_every_kind_pass_unchanged() -> None:
    """RFC 1997, RFC 4360, RFC 8092: byte for byte, unknown types included.

    Duplicates too, but for large communities (RFC 8092 3).
    """
    kinds = {
        8: bytes.fromhex("fc000001fc000001ffff029a"),
        16: bytes.fromhex("0002fc00000000c80003fc000000012c4301020304050607"),
        32: bytes.fromhex("0000fc0000000001000000020000fc000000000100000003"),
    }
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    more = b"".join(wire.attribute(0xC0, code, value) for code, value in kinds.items())
    classroom.send(source, wire.announce(PREFIX, attributes=wire.usual(more=more)))
    classroom.send(source, wire.announce6(PREFIX6, attributes=wire.usual(next_hop=b"", more=more)))
    for prefix in (PREFIX, PREFIX6):
        assert {code: other.route(prefix)[code] for code in kinds} == kinds
