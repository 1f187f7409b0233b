"""How many hops away a peer may be: the Generalized TTL Security Mechanism (RFC 5082)."""

import socket
from contextlib import suppress
from typing import Final

# What every packet of ours starts with, so that a peer may demand it of us (RFC 5082 3).
_MAX_TTL: Final = 255

# linux/in.h and linux/in6.h; not in the socket module.
_IP_MINTTL: Final = 21
_IPV6_MINHOPCOUNT: Final = 73

# linux/tcp.h: a listening socket keeps the headers of the SYN for who accepts the connection.
_TCP_SAVE_SYN: Final = 27
_TCP_SAVED_SYN: Final = 28
_SAVED_BYTES: Final = 128
# Where the headers of IPv4 and IPv6 have the TTL or hop limit.
_TTL_AT: Final = {4: 8, 6: 7}


def watch_distance(listener: socket.socket) -> None:
    """Have the kernel note from how far away connections come."""
    with suppress(OSError):  # a kernel without it: then it drops all the same what comes later
        listener.setsockopt(socket.IPPROTO_TCP, _TCP_SAVE_SYN, 1)


def too_far(sock: socket.socket, hops: int) -> str:
    """Why a connection that was accepted comes from too far away, in words; empty if it doesn't.

    What a peer sends before the kernel is told to demand a TTL is taken, so the first packet of all
    is looked at.
    """
    least = _MAX_TTL + 1 - hops
    try:
        syn = sock.getsockopt(socket.IPPROTO_TCP, _TCP_SAVED_SYN, _SAVED_BYTES)
        ttl = syn[_TTL_AT[syn[0] >> 4]]
    except (OSError, LookupError):
        return ""
    if ttl >= least:
        return ""
    return (
        f"its packets arrive with a TTL of {ttl}, and ttl-security here wants {least} or more: it is "
        "too many hops away, or must be told to use TTL security too"
    )


def send_far(sock: socket.socket) -> None:
    """Send with the greatest TTL: of a listening socket it is what its answers start with."""
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, _MAX_TTL)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, _MAX_TTL)


def demand_near(sock: socket.socket, hops: int) -> None:
    """Have the kernel drop what comes from further away.

    Args:
        sock: Connected, or about to connect.
        hops: How many away the peer may be; 1 for the same network.
    """
    least = _MAX_TTL + 1 - hops
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, _IPV6_MINHOPCOUNT, least)
    else:
        sock.setsockopt(socket.IPPROTO_IP, _IP_MINTTL, least)
