"""What this machine is called and where it can be reached."""

import fcntl
import socket
import struct
import sys
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from reflector.bgp.nlri import IPNetwork
from reflector.rib.source import IPAddress

# Never contacted: a UDP socket that is connected to it only asks the kernel which of our addresses
# it would send from (RFC 5737, TEST-NET-1).
_ELSEWHERE = ("192.0.2.1", 9)

# netdevice(7) of Linux.
_SIOCGIFFLAGS: Final = 0x8913
_IFF_RUNNING: Final = 0x40


def host_name() -> str:
    """The machine's name without its domain."""
    return socket.gethostname().split(".", 1)[0]


def primary_ipv4() -> IPv4Address:
    """The address that this machine sends from by default; 127.0.0.1 where it has no other."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(_ELSEWHERE)
            return IPv4Address(sock.getsockname()[0])
        except OSError:
            usable = [a for a in _interface_addresses() if isinstance(a, IPv4Address)]
            return usable[0] if usable else IPv4Address("127.0.0.1")


def default_router_id() -> IPv4Address:
    """A router id for a reflector that was given none: 223.255 and the primary address's last half.

    It is high on purpose. kube-router's nodes also peer with each other inside their cluster, its
    tie-break prefers the lowest router id, and what comes through the reflector must not beat the
    direct path.
    """
    return IPv4Address(b"\xdf\xff" + primary_ipv4().packed[2:])


def is_here(address: IPAddress) -> bool:
    """Whether an address is this machine's own: the kernel sends there from that same address."""
    if address.is_loopback:
        return True
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6  # noqa: PLR2004
    with socket.socket(family, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect((str(address), 9))
            return ip_address(sock.getsockname()[0]) == address
        except OSError:
            return False


def beside(address: IPAddress) -> list[IPAddress]:
    """Our addresses on the interface that has one, those of IPv6 that mean nothing elsewhere excepted."""
    for addresses in _interfaces():
        if address in addresses:
            return [each for each in addresses if each.version == 4 or not each.is_link_local]  # noqa: PLR2004
    return []


def reachable_addresses(listening: Iterable[IPAddress]) -> list[IPAddress]:
    """Addresses at which peers reach us.

    Args:
        listening: What we listen on; an unspecified address stands for all of its version on
            interfaces that work: Docker's own bridge has one that leads nowhere without containers.

    Returns:
        The primary IPv4 address first, loopback only if there is nothing else.
    """
    found: list[IPAddress] = []
    for address in listening:
        if not address.is_unspecified:
            found.append(address)
        else:
            found += [a for a in _interface_addresses(running=True) if a.version == address.version]
    if any(not a.is_loopback for a in found):
        found = [a for a in found if not a.is_loopback]
    primary = primary_ipv4()
    unique = list(dict.fromkeys(found))
    return sorted(unique, key=lambda a: (a != primary, a.version))


def where_peers_come(
    addresses: Sequence[IPAddress], may_peer: Sequence[IPNetwork]
) -> list[IPAddress]:
    """Those of our addresses at which a peer can come that may; all where that would be none.

    Args:
        addresses: At which we are reached.
        may_peer: From where peers may come. They may be any number of hops away, so that it need not
            hold an address of ours; what it does hold comes first.
    """
    versions = {each.version for each in may_peer}
    fitting = [each for each in addresses if each.version in versions] or addresses
    return sorted(fitting, key=lambda address: not any(address in each for each in may_peer))


def _interface_addresses(*, running: bool = False) -> list[IPAddress]:
    """Every address of the machine but link-local ones, which nobody can reach by themselves.

    Args:
        running: Of interfaces that work alone.
    """
    found = _interfaces(running=running)
    return [each for addresses in found for each in addresses if not each.is_link_local]


def _interfaces(*, running: bool = False) -> list[list[IPAddress]]:
    """The addresses of each interface, or of those that work."""
    import ifaddr  # noqa: PLC0415 - takes 25 ms, and most starts on a given address don't need it

    return [
        [_on(adapter.name, ip.ip if isinstance(ip.ip, str) else ip.ip[0]) for ip in adapter.ips]
        for adapter in ifaddr.get_adapters()
        if not running or _is_running(adapter.name)
    ]


def _is_running(interface: str) -> bool:
    """Whether an interface is up and has a carrier, as far as the kernel says."""
    if sys.platform != "linux":
        return True
    request = struct.pack("16sh14x", interface.encode()[:15], 0)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            answer = fcntl.ioctl(sock, _SIOCGIFFLAGS, request)
        except OSError:  # an alias, eth0:1, may have gone
            return True
    return bool(struct.unpack("16sh14x", answer)[1] & _IFF_RUNNING)


def _on(interface: str, text: str) -> IPAddress:
    """An address on an interface, whose name belongs to it if it is link-local."""
    address = ip_address(text)
    if isinstance(address, IPv6Address) and address.is_link_local:
        return IPv6Address(f"{address}%{interface}")
    return address
