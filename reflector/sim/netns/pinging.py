"""Pings of one address family between the pods of a class: ICMP echo, by sockets in the namespaces."""

import asyncio
import random
import socket
import struct
from collections.abc import Iterable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from typing import Final

from reflector.sim.namespace import new_socket

# Their answers wait in the kernel, which has room for some 250.
_PINGS_AT_ONCE: Final = 64
_DATAGRAM_BYTES: Final = 256

# linux/icmp.h and linux/icmpv6.h; not in the socket module.
_ICMP_FILTER: Final = 1
_ICMPV6_FILTER: Final = 1
_FILTER_WORDS: Final = 8
# Echo request and reply (RFC 792, RFC 4443 4).
_ECHO: Final = (8, 0)
_ECHO_V6: Final = (128, 129)
_ICMP: Final = struct.Struct("!BBHHH")

Pair = tuple[int, int]


class Pings:
    """Pings between pods, round by round.

    Args:
        pods: Namespace and address of each pod, all of one family.

    Attributes:
        answered: The pairs that have answered in this round, by the pods' places.
    """

    def __init__(self, pods: Sequence[tuple[str | None, str]]) -> None:
        self.answered: set[Pair] = set()
        self._addresses = [address for _, address in pods]
        self._place = {address: place for place, address in enumerate(self._addresses)}
        self._is_v6 = ip_address(self._addresses[0]).version == 6  # noqa: PLR2004
        self._request, self._reply = _ECHO_V6 if self._is_v6 else _ECHO
        self._sockets = [self._new_socket(netns, address) for netns, address in pods]
        self._identifier = random.SystemRandom().randrange(1 << 16)
        self._number = 0

    def start(self) -> None:
        """Listen for answers."""
        loop = asyncio.get_running_loop()
        for place, sock in enumerate(self._sockets):
            loop.add_reader(sock.fileno(), self._on_readable, place)

    def stop(self) -> None:
        """End it."""
        loop = asyncio.get_running_loop()
        for sock in self._sockets:
            loop.remove_reader(sock.fileno())
            sock.close()

    async def send(self, pairs: Iterable[Pair]) -> None:
        """Begin a round: the first of each pair pings the second."""
        self._number = (self._number + 1) & 0xFFFF
        self.answered.clear()
        request = self._echo_request()
        for number, (one, other) in enumerate(pairs):
            with suppress(OSError):  # no route, say: no answer
                self._sockets[one].sendto(request, (self._addresses[other], 0))
            if number % _PINGS_AT_ONCE == 0:
                await asyncio.sleep(0)

    def _new_socket(self, netns: str | None, address: str) -> socket.socket:
        family, protocol = socket.AF_INET, socket.IPPROTO_ICMP
        if self._is_v6:
            family, protocol = socket.AF_INET6, socket.IPPROTO_ICMPV6
        sock = new_socket(family, socket.SOCK_RAW, protocol, netns=netns)
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own
        # A bit that is set keeps its type of message out.
        unwanted = (1 << 32 * _FILTER_WORDS) - 1 ^ 1 << self._reply
        if self._is_v6:
            words = [unwanted >> 32 * at & 0xFFFFFFFF for at in range(_FILTER_WORDS)]
            packed = struct.pack(f"={_FILTER_WORDS}I", *words)
            sock.setsockopt(socket.IPPROTO_ICMPV6, _ICMPV6_FILTER, packed)
        else:
            packed = struct.pack("=I", unwanted & 0xFFFFFFFF)
            sock.setsockopt(socket.IPPROTO_RAW, _ICMP_FILTER, packed)
        sock.bind((address, 0))
        return sock

    def _echo_request(self) -> bytes:
        words = (self._request << 8) + self._identifier + self._number
        words = (words & 0xFFFF) + (words >> 16)
        checksum = (
            0 if self._is_v6 else ~words & 0xFFFF
        )  # the kernel's matter in IPv6 (RFC 3542 3.1)
        return _ICMP.pack(self._request, 0, checksum, self._identifier, self._number)

    def _on_readable(self, place: int) -> None:
        sock = self._sockets[place]
        while True:
            try:
                data, (address, *_) = sock.recvfrom(_DATAGRAM_BYTES)
            except OSError:  # no more
                return
            # IPv4 sockets give the IP header, too.
            at = 0 if self._is_v6 else (data[0] & 0xF) * 4
            kind, _, _, identifier, number = _ICMP.unpack_from(data, at)
            asked = (self._reply, self._identifier, self._number)
            if (kind, identifier, number) == asked and address in self._place:
                self.answered.add((place, self._place[address]))
