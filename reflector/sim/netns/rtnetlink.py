"""Routes into a kernel by rtnetlink(7), without a process for each change."""

import errno
import socket
import struct
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from reflector.sim.namespace import new_socket

# linux/netlink.h and linux/rtnetlink.h; not in the socket module.
_NLMSG_ERROR: Final = 2
_NLM_F_REQUEST: Final = 0x1
_NLM_F_ACK: Final = 0x4
_NLM_F_REPLACE: Final = 0x100
_NLM_F_CREATE: Final = 0x400
_RTM_NEWROUTE: Final = 24
_RTM_DELROUTE: Final = 25
_RT_TABLE_MAIN: Final = 254
_RT_SCOPE_UNIVERSE: Final = 0
_RTN_UNICAST: Final = 1
_RTA_DST: Final = 1
_RTA_GATEWAY: Final = 5

# What kube-router marks its routes with; `ip route` shows it as "proto 17".
_PROTOCOL: Final = 17

_HEADER: Final = struct.Struct("=IHHII")
_ROUTE: Final = struct.Struct("=BBBBBBBBI")
_ATTRIBUTE: Final = struct.Struct("=HH")
_ERROR: Final = struct.Struct("=i")

# Answers wait in the socket's buffer, which has room for some 200 of them.
_MESSAGES_AT_ONCE: Final = 64
_READ_BYTES: Final = 1 << 16


class Routes:
    """The routes of one kernel that were put there by this.

    Args:
        netns: The namespace whose kernel it is; None is the process's own.
    """

    def __init__(self, netns: str | None) -> None:
        self._wanted: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        self._socket = new_socket(
            socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE, netns=netns
        )

    def become(self, wanted: Mapping[str, str]) -> None:
        """Make the routes these and no others.

        What the kernel does not take is in `refused`, with its reason, and is not tried again until
        it changes.

        Args:
            wanted: Next hops by prefix.

        Raises:
            OSError: The kernel does not answer.
        """
        changes = [
            (prefix, wanted.get(prefix))
            for prefix in self._wanted.keys() | wanted.keys()
            if self._wanted.get(prefix) != wanted.get(prefix)
        ]
        for at in range(0, len(changes), _MESSAGES_AT_ONCE):
            self._apply(changes[at : at + _MESSAGES_AT_ONCE])
        self._wanted = dict(wanted)

    def close(self) -> None:
        """Close the socket; the routes stay."""
        self._socket.close()

    def _apply(self, changes: list[tuple[str, str | None]]) -> None:
        self._socket.send(
            b"".join(
                _message(number, prefix, next_hop)
                for number, (prefix, next_hop) in enumerate(changes)
            )
        )
        answered = 0
        while answered < len(changes):
            data = self._socket.recv(_READ_BYTES)
            while data:
                length, kind, _, number, _ = _HEADER.unpack_from(data)
                if kind == _NLMSG_ERROR:
                    (code,) = _ERROR.unpack_from(data, _HEADER.size)
                    prefix, next_hop = changes[number]
                    self._note(prefix, next_hop, -code)
                    answered += 1
                data = data[_aligned(length) :]

    def _note(self, prefix: str, next_hop: str | None, code: int) -> None:
        self.refused.pop(prefix, None)
        if code and next_hop is not None:
            self.refused[prefix] = errno.errorcode.get(code, str(code))


def _message(number: int, prefix: str, next_hop: str | None) -> bytes:
    """A request to have a route, or, without a next hop, to have it no more."""
    network = ip_network(prefix)
    family = socket.AF_INET if network.version == 4 else socket.AF_INET6  # noqa: PLR2004
    flags = _NLM_F_REQUEST | _NLM_F_ACK
    if next_hop is not None:
        flags |= _NLM_F_CREATE | _NLM_F_REPLACE
    body = _ROUTE.pack(
        *(family, network.prefixlen, 0, 0),
        *(_RT_TABLE_MAIN, _PROTOCOL, _RT_SCOPE_UNIVERSE, _RTN_UNICAST, 0),
    )
    body += _attribute(_RTA_DST, network.network_address)
    if next_hop is not None:
        body += _attribute(_RTA_GATEWAY, ip_address(next_hop))
    kind = _RTM_DELROUTE if next_hop is None else _RTM_NEWROUTE
    return _HEADER.pack(_HEADER.size + len(body), kind, flags, number, 0) + body


def _attribute(kind: int, address: IPv4Address | IPv6Address) -> bytes:
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(address.packed), kind) + address.packed


def _aligned(length: int) -> int:
    return (length + 3) & ~3
