"""What was found by attacking the whole, as plain tests, so that it stays mended."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from reflector.bgp.as4 import widen
from reflector.bgp.codec import decode_open
from reflector.bgp.errors import Finding, SessionError
from reflector.bgp.judge import Judge
from reflector.bgp.open import Negotiated, Open
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST
from reflector.rib.audience import Audience
from reflector.rib.originated import LocalRoute
from reflector.rib.source import Source
from reflector.speaker import Identity, Peer, Speaker
from tests.support import wire
from tests.support.classroom import FakeOutlet
from tests.support.strict_reader import read_update, split_messages

US = IPv4Address("192.0.2.254")
JUDGE = Judge(wire.ASN, US.packed, US.packed)
NEGOTIATED = Negotiated(
    90, frozenset({IPV4_UNICAST}), as4=True, route_refresh=True, remote=Open(1, 90, US)
)


def speaker(findings: list[Finding] | None = None) -> Speaker:
    def found(_: Peer, finding: Finding) -> None:
        if findings is not None:
            findings.append(finding)

    return Speaker(Identity(wire.ASN, US, US), found)


def peer(number: int = 1) -> Source:
    address = IPv4Address(f"10.0.0.{number}")
    return Source(str(address), Audience.CLIENT, address.packed, address)


@pytest.mark.rfc("4271", "6.3 well-known")
@pytest.mark.parametrize(
    "attribute", [b"\x40\x00\x00", b"\x40\x63\x02hi", b"\x50\x63\x00\x02hi", b"\x00\x63\x00"]
)
def test_an_unrecognised_well_known_attribute_comes_back_as_it_came(attribute: bytes) -> None:
    """RFC 4271 6.3: 3/2, and the data holds the erroneous attribute; type code 0 is no other."""
    with pytest.raises(SessionError) as error:
        JUDGE.judge(attribute + wire.usual())
    assert (error.value.code, error.value.subcode) == (3, 2)
    assert error.value.data == attribute


@pytest.mark.rfc("5492", "4 unknown")
@pytest.mark.parametrize(
    ("code", "value"),
    [(5, b"\0"), (69, b"\0\1"), (64, b""), (64, b"\0"), (73, b"\xff"), (200, b"")],
)
def test_a_capability_that_is_not_used_may_be_malformed(code: int, value: bytes) -> None:
    """RFC 5492 4: what a speaker doesn't use it ignores."""
    capabilities = wire.capabilities() + wire.capability(code, value)
    body = wire.open_body(parameters=wire.parameter(2, capabilities))
    assert decode_open(body).asn == wire.ASN


@pytest.mark.rfc("4760", "8")
@pytest.mark.rfc("4271", "6.2 malformed")
@pytest.mark.parametrize("value", [b"", b"\0\1\0", b"\0\1\0\1\0", b"\0\1\0\1\0\2\0\1"])
def test_the_multiprotocol_capability_has_four_octets(value: bytes) -> None:
    """RFC 4760 8: and it can't be guessed at."""
    body = wire.open_body(parameters=wire.parameter(2, wire.capability(1, value)))
    with pytest.raises(SessionError) as error:
        decode_open(body)
    assert (error.value.code, error.value.subcode) == (2, 0)


@pytest.mark.rfc("6793", "6 malformed")
def test_confederation_segments_of_as4_path_are_left_out() -> None:
    """RFC 6793 6: they are discarded and the rest is used."""
    confed = b"\x03\x01" + (65001).to_bytes(4)
    as4 = wire.attribute(wire.BOTH, 17, confed + wire.sequence(70000))
    block = wire.origin() + wire.as_path(wire.sequence(23456, width=2)) + as4
    assert wire.as_path(wire.sequence(70000)) in widen(block)


@pytest.mark.rfc("4271", "9.2 size")
def test_a_route_that_outgrows_a_message_is_told_in_the_log() -> None:
    """RFC 4271 9.2: it can't be sent to anybody."""
    findings: list[Finding] = []
    reflector = speaker(findings)
    source = reflector.peer_up(peer(), NEGOTIATED, US, FakeOutlet())
    large = wire.attribute(wire.BOTH, 99, bytes(4040))
    body = wire.announce("10.1.0.0/24", attributes=wire.usual() + large)
    reflector.receive_update(source, body)
    reflector.receive_update(source, body)
    assert ["outgrow a message" in each.reason for each in findings] == [True]


@pytest.mark.rfc("4271", "9.2 change", "9.4")
def test_originating_the_same_routes_again_sends_nothing() -> None:
    """RFC 4271 9.2: an UPDATE tells of a change."""
    reflector = speaker()
    outlet = FakeOutlet()
    routes = [LocalRoute(ip_network("1.0.0.2/32"))]
    reflector.originate(routes)
    reflector.turn()
    reflector.peer_up(peer(), NEGOTIATED, US, outlet)
    reflector.turn()
    messages = split_messages(b"".join(outlet.unread))
    assert sum(bool(read_update(body).announced) for _, body in messages) == 1
    outlet.unread.clear()
    reflector.originate(routes)
    reflector.turn()
    assert not outlet.unread


@pytest.mark.rfc("4271", "5.1.3 local")
def test_over_ipv6_our_own_ipv4_routes_have_the_interface_s_ipv4_address() -> None:
    """RFC 4271 5.1.3: a next hop that the peer can use; never an IPv6 one for IPv4."""
    reflector = speaker()
    outlet = FakeOutlet()
    reflector.originate([LocalRoute(ip_network("1.0.0.2/32"))])
    beside = IPv4Address("10.0.0.254")
    reflector.peer_up(peer(), NEGOTIATED, IPv6Address("fd00::1"), outlet, beside=[beside])
    reflector.turn()
    announced = [read_update(body).announced for _, body in split_messages(b"".join(outlet.unread))]
    assert str(announced[0][ip_network("1.0.0.2/32")].next_hop) == "10.0.0.254"


SIX = replace(NEGOTIATED, families=frozenset({IPV6_UNICAST}))


@pytest.mark.rfc("2545", "3 link-local session")
@pytest.mark.parametrize(
    ("beside", "hop"),
    [
        (["10.0.0.254", "2001:db8::fe"], ["2001:db8::fe", "fe80::1"]),
        (["10.0.0.254"], ["fe80::1"]),
    ],
    ids=["with a global address", "without one"],
)
def test_over_a_link_local_session_our_own_ipv6_routes_have_both_next_hops(
    beside: list[str], hop: list[str]
) -> None:
    """RFC 2545 3: the global address, and the link-local one since the peer is on the link."""
    reflector = speaker()
    outlet = FakeOutlet()
    reflector.originate([LocalRoute(ip_network("2001:db8:1::/48"))])
    ours = IPv6Address("fe80::1%eth0")
    reflector.peer_up(peer(), SIX, ours, outlet, beside=map(ip_address, beside))
    reflector.turn()
    packed = b"".join(ip_address(each).packed for each in hop)
    expected = wire.mp_reach(wire.IPV6, packed, wire.prefix("2001:db8:1::/48"))
    assert expected in b"".join(outlet.unread)


@pytest.mark.rfc("4271", "6.3 next hop")
def test_our_global_next_hop_is_ours_with_or_without_the_link_local_one() -> None:
    """RFC 4271 6.3: a route back to us is no route, in whichever way it is said."""
    reflector = speaker()
    ours = IPv6Address("fe80::1%eth0")
    source = reflector.peer_up(peer(), SIX, ours, FakeOutlet(), beside=[ip_address("2001:db8::fe")])
    hop = ip_address("2001:db8::fe").packed
    for via in (hop, hop + ours.packed):
        reflector.receive_update(source, wire.announce6("2001:db8:1::/48", via=via))
    assert source.counters.refused == 2
