"""Link-local addresses, which are one on each interface."""

import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest

from reflector.net import host
from reflector.net.sockets import end_of

LINK = IPv6Address("fe80::1%eth0")


def test_an_end_has_its_interface() -> None:
    index = socket.if_nametoindex("lo")
    assert end_of(("fe80::1", 179, 0, index)) == IPv6Address("fe80::1%lo")
    assert end_of(("fe80::1%lo", 179, 0, index)) == IPv6Address("fe80::1%lo")
    assert end_of(("fe80::1", 179, 0, 999_999)) == IPv6Address("fe80::1%999999")


def test_other_ends_have_none() -> None:
    assert end_of(("2001:db8::1", 179, 0, 0)) == IPv6Address("2001:db8::1")
    assert end_of(("169.254.0.1", 179)) == IPv4Address("169.254.0.1")


def test_what_is_beside_an_address_is_on_its_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    interfaces = [
        ["fe80::1%eth1", "10.0.0.9"],
        ["fe80::1%eth0", "10.0.0.1", "2001:db8::1", "169.254.0.1"],
    ]
    monkeypatch.setattr(
        host, "_interfaces", lambda: [[*map(ip_address, each)] for each in interfaces]
    )
    assert [*map(str, host.beside(LINK))] == ["10.0.0.1", "2001:db8::1", "169.254.0.1"]
    assert host.beside(IPv6Address("fe80::1%eth2")) == []
    assert IPv4Address("10.0.0.9") in host.beside(IPv4Address("10.0.0.9"))


def test_this_machines_interfaces_are_told_apart() -> None:
    found = [each for addresses in host._interfaces() for each in addresses]
    assert IPv4Address("127.0.0.1") in found
    assert all(
        each.scope_id for each in found if isinstance(each, IPv6Address) and each.is_link_local
    )
