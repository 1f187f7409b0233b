"""Sockets as BGP wants them."""

import errno
import ipaddress
import socket
import struct
from typing import Final

from reflector.net.hops import send_far, watch_distance
from reflector.rib.source import IPAddress

# Internetwork control (CS6), as routers mark BGP: it gets through where other traffic queues.
_TOS: Final = 0xC0

# More than a class that starts at once; the kernel caps it at net.core.somaxconn.
_BACKLOG: Final = 4096

# Octets that the kernel takes from us and can't send yet, for one peer. By default it takes up to
# net.ipv4.tcp_wmem (4 MiB): three hundred peers that don't read would exhaust the memory of all
# sockets of the machine (net.ipv4.tcp_mem), and it would drop segments of healthy sessions too. What
# the kernel doesn't take waits here, where peers share it.
_UNSENT_BYTES: Final = 256 << 10

# TCP keepalives: the first after two minutes of silence, then four that find no answer. Sessions with
# a hold time are never silent for so long.
_KEEPALIVE_IDLE_S: Final = 120
_KEEPALIVE_STEP_S: Final = 30
_KEEPALIVE_COUNT: Final = 4

# linux/tcp.h; not in the socket module.
_TCP_MD5SIG_EXT: Final = 32
_TCP_MD5SIG_FLAG_PREFIX: Final = 1
_MAX_KEY_BYTES: Final = 80


class ListenError(Exception):
    """An address could not be listened on.

    Args:
        message: Says what to do.
        unsupported: Whether the machine just lacks the address family.
    """

    def __init__(self, message: str, *, unsupported: bool = False) -> None:
        super().__init__(message)
        self.unsupported = unsupported


def listen(address: IPAddress, port: int) -> socket.socket:
    """Open a listening socket.

    Args:
        address: An address of this machine, or the unspecified one of its family for all.
        port: TCP port.

    Raises:
        ListenError: With a sentence for the operator.
    """
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    try:
        sock = socket.socket(family, socket.SOCK_STREAM)
    except OSError as error:
        raise ListenError(
            f"cannot listen on {address}: {error.strerror}", unsupported=True
        ) from error
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        tune(sock)
        watch_distance(sock)
        sock.bind((str(address), port))
        sock.listen(_BACKLOG)
    except OSError as error:
        sock.close()
        unsupported = error.errno in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
        raise ListenError(_advice(error, address, port), unsupported=unsupported) from error
    return sock


def _advice(error: OSError, address: IPAddress, port: int) -> str:
    where = f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"  # noqa: PLR2004
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"cannot listen on {where}: the port is taken; stop what uses it "
                f"(ss -ltnp 'sport = :{port}' shows it) or choose another with --port"
            )
        case errno.EACCES | errno.EPERM:
            return (
                f"cannot listen on {where}: not permitted; run as root or with "
                "CAP_NET_BIND_SERVICE, or choose a port above 1023 with --port"
            )
        case errno.EADDRNOTAVAIL:
            return (
                f"cannot listen on {where}: this machine has no such address; "
                "`ip address` lists those it has"
            )
    return f"cannot listen on {where}: {error.strerror}"


def tune(sock: socket.socket) -> None:
    """Set up a socket: non-blocking, nothing held back, marked as routing traffic.

    Args:
        sock: Listening, or one that we dialled with. All but "non-blocking" is passed on to what a
            listening socket accepts: eight calls of the kernel that no new peer waits for.
    """
    sock.setblocking(False)  # noqa: FBT003 - the socket module's own
    send_far(sock)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES)
    # For sessions without a hold time: a node that lost its power is gone after four minutes.
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEPALIVE_IDLE_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEPALIVE_STEP_S)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEPALIVE_COUNT)
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, _TOS)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _TOS)


def set_md5_key(
    sock: socket.socket,
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
    password: str | None,
) -> None:
    """Demand TCP MD5 signatures (RFC 2385) of a network's peers; None takes the demand back.

    Args:
        sock: Listening, or about to connect.
        network: Of the peers; a single one as /32 or /128.
        password: The shared secret, at most 80 octets.

    Raises:
        OSError: The kernel can't, or refuses the key.
    """
    key = b"" if password is None else password.encode()
    if len(key) > _MAX_KEY_BYTES:
        raise OSError(errno.EINVAL, "the password is longer than 80 octets")
    address = network.network_address
    if address.version == 4:  # noqa: PLR2004
        sockaddr = struct.pack("=HH4s", socket.AF_INET, 0, address.packed)
    else:
        sockaddr = struct.pack("=HHI16sI", socket.AF_INET6, 0, 0, address.packed, 0)
    option = struct.pack(
        "=128sBBHi80s",
        sockaddr,
        _TCP_MD5SIG_FLAG_PREFIX,
        network.prefixlen,
        len(key),
        0,
        key,
    )
    sock.setsockopt(socket.IPPROTO_TCP, _TCP_MD5SIG_EXT, option)


def end_of(sockaddr: tuple[str, int] | tuple[str, int, int, int]) -> IPAddress:
    """The address of one end of a connection; a link-local one with its interface."""
    if len(sockaddr) == 2:  # noqa: PLR2004
        return ipaddress.IPv4Address(socket.inet_aton(sockaddr[0]))  # twice as fast as of the text
    address = ipaddress.IPv6Address(sockaddr[0])
    if not address.is_link_local or "%" in sockaddr[0]:
        return address
    try:
        interface = socket.if_indextoname(sockaddr[3])
    except OSError:  # it is gone
        interface = str(sockaddr[3])
    return ipaddress.IPv6Address(f"{address}%{interface}")
