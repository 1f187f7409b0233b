"""The addresses that the reflector listens on, and whose peers must sign there (RFC 2385)."""

import errno
import socket
from collections.abc import Iterator, Mapping
from typing import Final

from reflector.bgp.nlri import IPNetwork
from reflector.net.host import is_here
from reflector.net.peering import Peering
from reflector.net.sockets import ListenError, listen, set_md5_key
from reflector.rib.source import IPAddress

# The kernel keeps the keys of one listening socket for one family.
_VERSION_OF: Final = {socket.AF_INET: 4, socket.AF_INET6: 6}


class Listeners:
    """Listening sockets by address; iterating gives the addresses.

    Args:
        peering: Takes the connections.
    """

    def __init__(self, peering: Peering) -> None:
        self._peering = peering
        self._sockets: dict[IPAddress, socket.socket] = {}

    def __iter__(self) -> Iterator[IPAddress]:
        return iter(self._sockets)

    def __len__(self) -> int:
        return len(self._sockets)

    def open(self, address: IPAddress, port: int, keys: Mapping[IPNetwork, str]) -> None:
        """Listen on one more address.

        Args:
            address: An address of this machine, or the unspecified one of its family for all.
            port: TCP port.
            keys: The passwords of those peers that must sign.

        Raises:
            ListenError: With a sentence for the operator.
        """
        listener = listen(address, port)
        try:
            _set_keys(listener, keys)
        except ListenError:
            listener.close()
            raise
        self._sockets[address] = listener
        self._peering.accept_from(listener)

    def close(self, address: IPAddress) -> None:
        """Listen on an address no longer."""
        listener = self._sockets.pop(address)
        self._peering.refuse_from(listener)
        listener.close()

    def set_keys(self, keys: Mapping[IPNetwork, str | None]) -> None:
        """Give peers other passwords; None asks for no signature any more.

        Raises:
            ListenError: The kernel refuses one; those before it are in force.
        """
        for listener in self._sockets.values():
            _set_keys(listener, keys)

    def specific(self) -> list[IPAddress]:
        """The addresses that are listened on by name: surely our own."""
        return [each for each in self._sockets if not each.is_unspecified]

    def reach(self, address: IPAddress) -> bool:
        """Whether who dials this address comes out here."""
        return any(
            each == address
            or (each.is_unspecified and each.version == address.version and is_here(address))
            for each in self._sockets
        )


def _set_keys(listener: socket.socket, keys: Mapping[IPNetwork, str | None]) -> None:
    for network, password in keys.items():
        if network.version != _VERSION_OF[listener.family]:
            continue
        try:
            set_md5_key(listener, network, password)
        except OSError as error:
            raise ListenError(
                f"the password for {network} can't be set: {_advice(error)}"
            ) from error


def _advice(error: OSError) -> str:
    if error.errno == errno.ENOMEM:
        return (
            "the kernel has no room for more passwords on one socket; give a range one for all its "
            "peers, or raise net.core.optmem_max (sysctl -w)"
        )
    return f"{error.strerror}; the kernel needs TCP MD5 (CONFIG_TCP_MD5SIG)"
