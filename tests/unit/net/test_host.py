"""What this machine is called and where it is reached."""

from ipaddress import IPv4Address, ip_address

import pytest

from reflector.net import host

HERE = [ip_address(each) for each in ("127.0.0.1", "10.0.0.5", "192.0.2.9", "::1", "2001:db8::5")]


@pytest.fixture(autouse=True)
def addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with some addresses."""
    monkeypatch.setattr(host, "_interface_addresses", lambda: HERE)
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


def test_the_host_name_has_no_domain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "desk.school.example")
    assert host.host_name() == "desk"
