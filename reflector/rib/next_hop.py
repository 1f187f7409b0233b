"""Our own addresses as next hops, packed as each family carries them."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from reflector.bgp.vocabulary import IPV4_UNICAST, Family
from reflector.rib.source import IPAddress

_MAPPED: Final = b"\0" * 10 + b"\xff\xff"


def own_next_hop(family: Family, address: IPAddress, beside: Sequence[IPAddress]) -> bytes:
    """Our address towards a peer as a next hop of a family; empty where we have none.

    IPv4 routes are never given an IPv6 next hop: kube-router can't install them.

    Args:
        family: Of the routes.
        address: Our end of the session.
        beside: Our other addresses on the interface of a session over IPv6.
    """
    if isinstance(address, IPv4Address):
        return pack_next_hop(family, address)
    if family is IPV4_UNICAST:
        return next((each.packed for each in beside if isinstance(each, IPv4Address)), b"")
    if not address.is_link_local:
        return address.packed
    # RFC 2545 3: the global address, and behind it the one of the link that we share.
    of_all = (each.packed for each in beside if isinstance(each, IPv6Address))
    return next(of_all, b"") + address.packed


def pack_next_hop(family: Family, address: IPAddress) -> bytes:
    """A next hop as the family carries it, IPv4-mapped for IPv6 routes over an IPv4 session."""
    if family is not IPV4_UNICAST and isinstance(address, IPv4Address):
        return _MAPPED + address.packed
    return address.packed


def every_form(address: IPAddress) -> set[bytes]:
    """An address in all forms in which it could be a next hop."""
    if isinstance(address, IPv4Address):
        return {address.packed, _MAPPED + address.packed}
    return {address.packed}
