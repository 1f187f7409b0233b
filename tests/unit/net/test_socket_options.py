"""What sockets are told, seen by a socket that only listens to it."""

import errno
import socket
import struct
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

import pytest

from reflector.net import sockets


class FakeSocket:
    """Keeps the options that are set on it.

    Args:
        refuses: The error that binding ends with, if any.
    """

    family = socket.AF_INET

    def __init__(self, refuses: int = 0) -> None:
        self.options: dict[tuple[int, int], Any] = {}
        self.closed = False
        self.refuses = refuses

    def setsockopt(self, level: int, option: int, value: object) -> None:
        self.options[level, option] = value

    def setblocking(self, _flag: bool) -> None:  # noqa: FBT001 - the socket module's own
        pass

    def bind(self, _address: object) -> None:
        if self.refuses:
            raise OSError(self.refuses, "refused")

    def listen(self, _backlog: int) -> None:
        pass

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("network", "family", "address"),
    [
        (ip_network("10.1.0.0/16"), socket.AF_INET, b"\0\0\x0a\1\0\0"),
        (ip_network("2001:db8::/32"), socket.AF_INET6, bytes(6) + b"\x20\1\x0d\xb8" + bytes(16)),
    ],
)
def test_a_password_is_set_for_a_whole_network(
    network: IPv4Network | IPv6Network, family: int, address: bytes
) -> None:
    sock = FakeSocket()
    sockets.set_md5_key(sock, network, "secret")  # type: ignore[arg-type]
    (option,) = sock.options.values()
    assert struct.unpack_from("=H", option) == (family,)
    assert option[2 : 2 + len(address)] == address
    flags, bits, length = struct.unpack_from("=BBH", option, 128)
    assert (flags, bits, length) == (1, network.prefixlen, 6)
    assert option[136:142] == b"secret"
    assert len(option) == 216


def test_a_password_is_taken_back_by_an_empty_one() -> None:
    sock = FakeSocket()
    sockets.set_md5_key(sock, ip_network("10.0.0.1/32"), None)  # type: ignore[arg-type]
    (option,) = sock.options.values()
    assert struct.unpack_from("=BBH", option, 128) == (1, 32, 0)
    assert not any(option[132:])


def test_a_password_that_is_too_long_is_refused() -> None:
    with pytest.raises(OSError, match="80 octets"):
        sockets.set_md5_key(
            FakeSocket(),  # type: ignore[arg-type]
            ip_network("10.0.0.1/32"),
            "é" * 41,
        )


@pytest.mark.parametrize(
    ("number", "advice", "unsupported"),
    [
        (errno.EADDRINUSE, "ss -ltnp", False),
        (errno.EACCES, "CAP_NET_BIND_SERVICE", False),
        (errno.EPERM, "above 1023", False),
        (errno.EADDRNOTAVAIL, "no such address", True),
        (errno.EIO, "refused", False),
    ],
)
def test_an_address_that_can_not_be_listened_on_is_explained(
    monkeypatch: pytest.MonkeyPatch, number: int, advice: str, *, unsupported: bool
) -> None:
    sock = FakeSocket(refuses=number)
    monkeypatch.setattr(socket, "socket", lambda *_: sock)
    with pytest.raises(sockets.ListenError, match=advice) as error:
        sockets.listen(ip_address("10.0.0.1"), 179)
    assert error.value.unsupported is unsupported
    assert "10.0.0.1:179" in str(error.value)
    assert sock.closed


def test_an_ipv6_socket_leaves_ipv4_to_another(monkeypatch: pytest.MonkeyPatch) -> None:
    sock = FakeSocket()
    monkeypatch.setattr(socket, "socket", lambda *_: sock)
    assert sockets.listen(ip_address("::"), 179) is sock  # type: ignore[comparison-overlap]
    assert sock.options[socket.IPPROTO_IPV6, socket.IPV6_V6ONLY] == 1


@pytest.mark.rfc("4271", "10 DSCP")
def test_a_connected_socket_is_marked_as_routing_and_holds_nothing_back() -> None:
    sock = FakeSocket()
    sockets.tune(sock)  # type: ignore[arg-type]
    assert sock.options[socket.IPPROTO_TCP, socket.TCP_NODELAY] == 1
    assert sock.options[socket.IPPROTO_IP, socket.IP_TOS] == 0xC0


@pytest.mark.parametrize(
    ("sockaddr", "address"),
    [
        (("10.0.0.1", 179), "10.0.0.1"),
        (("2001:db8::1", 179, 0, 0), "2001:db8::1"),
        (("fe80::1%eth0", 179, 0, 2), "fe80::1%eth0"),
    ],
)
def test_the_end_of_a_connection_is_an_address(
    sockaddr: tuple[str, int] | tuple[str, int, int, int], address: str
) -> None:
    assert str(sockets.end_of(sockaddr)) == address
