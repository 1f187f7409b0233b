"""What a simulated peer says in its OPEN."""

from __future__ import annotations

import pytest

from reflector.bgp.codec import decode_open
from reflector.bgp.message import frame
from reflector.sim import Profile, capability
from tests.support import wire


def test_an_ordinary_peer_offers_what_usual_speakers_do() -> None:
    opening = Profile(router_id="10.0.0.1").opening()
    assert opening == wire.open_message()


def test_capabilities_come_in_the_order_in_which_they_are_given() -> None:
    offered = (capability.raw(200, b"\x01\x02"), capability.fqdn("node-1"), capability.raw(2))
    opening = Profile(router_id="10.0.0.1", capabilities=offered).opening()
    inside = b"\xc8\x02\x01\x02" + b"\x49\x08\x06node-1\x00" + b"\x02\x00"
    assert opening == wire.open_message(parameters=wire.parameter(2, inside))


def test_without_capabilities_there_are_no_parameters() -> None:
    opening = Profile(router_id="10.0.0.1", capabilities=()).opening()
    assert opening == wire.open_message(parameters=b"")


def test_a_large_as_number_is_as_trans_in_two_octets() -> None:
    """RFC 6793 4.1."""
    local = Profile(asn=4_200_000_000).local()
    assert local.my_as == 23456
    assert local.asn == 4_200_000_000


@pytest.mark.parametrize(
    ("source", "router_id", "next_hop", "next_hop_ipv6"),
    [
        ("127.0.0.2", "10.0.0.2", "10.0.0.2", "2001:db8::10.0.0.2"),
        ("192.0.2.7", "192.0.2.7", "192.0.2.7", "2001:db8::192.0.2.7"),
        ("2001:db8:7::1", "10.0.0.1", "10.0.0.1", "2001:db8:7::1"),
        ("::1", "10.0.0.1", "10.0.0.1", "2001:db8::10.0.0.1"),
    ],
)
def test_what_is_not_set_follows_from_the_address(
    source: str, router_id: str, next_hop: str, next_hop_ipv6: str
) -> None:
    located = Profile().located(source)
    assert located.router_id == router_id
    assert located.next_hop == next_hop
    assert located.next_hop_ipv6 == next_hop_ipv6
    assert Profile(router_id="1.1.1.1").located(source).router_id == "1.1.1.1"


@pytest.mark.rfc("8538", "2")
def test_graceful_notifications_are_the_n_bit() -> None:
    offered = capability.graceful_restart(90, ["ipv4"], notification=True)
    assert offered == capability.raw(64, bytes.fromhex("405a 00010100"))


@pytest.mark.rfc("9494", "3")
def test_long_lived_restarts_have_24_bits_of_seconds() -> None:
    offered = capability.long_lived_graceful_restart(3600, ["ipv6"], forwarding=True)
    assert offered == capability.raw(71, bytes.fromhex("00020180 000e10"))


def test_graceful_restart_says_so_when_it_comes_back() -> None:
    """RFC 4724 4.1."""
    offered = Profile(graceful_restart_s=90).offered()[-1]
    assert offered == capability.graceful_restart(90)
    back = capability.as_restarting(offered, forwarding=True)
    assert back == capability.graceful_restart(90, restarting=True, forwarding=True)
    opening = Profile(capabilities=[back]).opening()
    restart = decode_open(opening[19:]).capabilities.graceful_restart
    assert restart is not None
    assert restart.restarting
    assert restart.restart_time_s == 90
    assert restart.preserved == ((1, 1, True), (2, 1, True))


def test_too_many_capabilities_are_refused() -> None:
    with pytest.raises(ValueError, match="don't fit"):
        Profile(capabilities=[capability.raw(200, bytes(200))] * 2).opening()


def test_an_unknown_family_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ValueError, match="write 'ipv4' or 'ipv6'"):
        Profile(families=["ipv5"]).opening()


def test_a_whole_open_can_be_given() -> None:
    strange = frame(1, b"\x03" + bytes(9))
    assert Profile(open_message=strange).opening() == strange
