"""What this machine is called and where it is reached."""

from ipaddress import IPv4Address, ip_address, ip_network

import pytest

from reflector.net import host

HERE = [ip_address(each) for each in ("127.0.0.1", "10.0.0.5", "192.0.2.9", "::1", "2001:db8::5")]


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with some addresses."""
    monkeypatch.setattr(host, "_interface_addresses", lambda **_: HERE)
    monkeypatch.setattr(host, "primary_ipv4", lambda: IPv4Address("192.0.2.9"))


def test_a_router_id_is_high_and_made_from_the_primary_address() -> None:
    assert str(host.default_router_id()) == "223.255.2.9"


def test_listening_everywhere_is_reached_at_every_address_the_primary_one_first() -> None:
    found = host.reachable_addresses([ip_address("0.0.0.0"), ip_address("::")])
    assert list(map(str, found)) == ["192.0.2.9", "10.0.0.5", "2001:db8::5"]


def test_listening_on_one_address_is_reached_there() -> None:
    found = host.reachable_addresses([ip_address("10.0.0.5")])
    assert list(map(str, found)) == ["10.0.0.5"]


def test_loopback_is_named_only_if_there_is_nothing_else() -> None:
    found = host.reachable_addresses([ip_address("127.0.0.1")])
    assert list(map(str, found)) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("may_peer", "told"),
    [
        (["0.0.0.0/0", "::/0"], ["192.0.2.9", "10.0.0.5", "2001:db8::5"]),
        (["0.0.0.0/0"], ["192.0.2.9", "10.0.0.5"]),
        (["10.0.0.0/24", "2001:db8::7/128"], ["10.0.0.5", "192.0.2.9", "2001:db8::5"]),
        (["172.16.0.0/12"], ["192.0.2.9", "10.0.0.5"]),
        ([], ["192.0.2.9", "10.0.0.5", "2001:db8::5"]),
    ],
)
def test_told_is_where_those_can_come_who_may(may_peer: list[str], told: list[str]) -> None:
    """An IPv6 address is no help where all ranges are IPv4; a routed network may be far away."""
    reached = [ip_address(each) for each in ("192.0.2.9", "10.0.0.5", "2001:db8::5")]
    found = host.where_peers_come(reached, [ip_network(each) for each in may_peer])
    assert list(map(str, found)) == told


def test_the_host_name_has_no_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "desk.school.example")
    assert host.host_name() == "desk"
