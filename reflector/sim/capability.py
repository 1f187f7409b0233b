"""Capabilities to put into an OPEN (RFC 5492), octet by octet.

A simulated peer sends those that it is given, in the order in which it is given them, sensible or
not. `raw` makes any other.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from reflector.bgp.vocabulary import FAMILY_BY_NAME, AddPath

_RESTARTING: Final = 0x80
_NOTIFICATION: Final = 0x40
_FORWARDING: Final = 0x80
GRACEFUL_RESTART: Final = 64
_MAX_TEXT_BYTES: Final = 64
_ADD_PATH: Final = {"receive": AddPath.RECEIVE, "send": AddPath.SEND, "both": AddPath.BOTH}


class Capability(NamedTuple):
    """One capability: its code, and its value as on the wire."""

    code: int
    value: bytes = b""

    def encode(self) -> bytes:
        """Code, length and value."""
        return bytes((self.code, len(self.value))) + self.value


def raw(code: int, value: bytes = b"") -> Capability:
    """Any capability, known or not."""
    return Capability(code, value)


def multiprotocol(family: str) -> Capability:
    """RFC 4760 8: routes of this family, "ipv4" or "ipv6" (unicast)."""
    afi, safi = pair(family)
    return Capability(1, afi.to_bytes(2) + b"\0" + bytes((safi,)))


def route_refresh() -> Capability:
    """RFC 2918: this peer sends its routes again when asked."""
    return Capability(2)


def extended_next_hop(*families: str) -> Capability:
    """RFC 8950: routes of these families may have an IPv6 next hop."""
    pairs = (pair(family) for family in families)
    return Capability(
        5, b"".join(afi.to_bytes(2) + safi.to_bytes(2) + b"\0\2" for afi, safi in pairs)
    )


def extended_message() -> Capability:
    """RFC 8654: messages of up to 65,535 octets."""
    return Capability(6)


def graceful_restart(
    restart_time_s: int,
    families: Iterable[str] = ("ipv4", "ipv6"),
    *,
    restarting: bool = False,
    forwarding: bool = False,
    notification: bool = False,
) -> Capability:
    """RFC 4724 3.

    Args:
        restart_time_s: How long others should keep this peer's routes, at most 4,095 s.
        families: Whose routes they should keep.
        restarting: The R bit: this peer has just restarted.
        forwarding: The F bit of each family: forwarding went on meanwhile.
        notification: The N bit: a NOTIFICATION is a restart too, unless it is a Hard Reset (RFC 8538).
    """
    listed = b"".join(
        afi.to_bytes(2) + bytes((safi, _FORWARDING if forwarding else 0))
        for afi, safi in map(pair, families)
    )
    flags = (_RESTARTING if restarting else 0) | (_NOTIFICATION if notification else 0)
    return Capability(GRACEFUL_RESTART, (flags << 8 | restart_time_s).to_bytes(2) + listed)


def long_lived_graceful_restart(
    stale_time_s: int, families: Iterable[str] = ("ipv4", "ipv6"), *, forwarding: bool = False
) -> Capability:
    """RFC 9494 3; it means something beside `graceful_restart` alone.

    Args:
        stale_time_s: How long others should keep this peer's routes beyond its restart time.
        families: Whose routes they should keep.
        forwarding: The F bit of each family: forwarding went on meanwhile.
    """
    flags = _FORWARDING if forwarding else 0
    listed = b"".join(
        afi.to_bytes(2) + bytes((safi, flags)) + stale_time_s.to_bytes(3)
        for afi, safi in map(pair, families)
    )
    return Capability(71, listed)


def four_octet_as(asn: int) -> Capability:
    """RFC 6793: AS numbers have four octets, and this is ours."""
    return Capability(65, asn.to_bytes(4))


def enhanced_route_refresh() -> Capability:
    """RFC 7313."""
    return Capability(70)


def fqdn(host_name: str, domain_name: str = "") -> Capability:
    """The host's name (draft-walton-bgp-hostname-capability), cut to 64 octets as GoBGP does."""
    host, domain = _text(host_name), _text(domain_name)
    return Capability(73, bytes((len(host),)) + host + bytes((len(domain),)) + domain)


def add_path(direction: str, families: Iterable[str] = ("ipv4", "ipv6")) -> Capability:
    """RFC 7911 4: several paths of a prefix travel on the session.

    Args:
        direction: "receive", "send" or "both", as this peer sees it.
        families: Of which.

    Raises:
        ValueError: It is no direction, or no family that is known here.
    """
    if direction not in _ADD_PATH:
        raise ValueError(
            f"{direction!r} is no direction: write {' or '.join(map(repr, _ADD_PATH))}"
        )
    pairs = (pair(family) for family in families)
    octets = (afi.to_bytes(2) + bytes((safi, _ADD_PATH[direction])) for afi, safi in pairs)
    return Capability(69, b"".join(octets))


def software_version(text: str) -> Capability:
    """The speaker's name and version (draft-abraitis-bgp-version-capability)."""
    octets = _text(text)
    return Capability(75, bytes((len(octets),)) + octets)


def as_restarting(capability: Capability, *, forwarding: bool) -> Capability:
    """What a capability becomes in the first OPEN after a restart: RFC 4724 4.1 sets R and F."""
    if capability.code != GRACEFUL_RESTART or len(capability.value) < 2:  # noqa: PLR2004
        return capability
    value = bytearray(capability.value)
    value[0] |= _RESTARTING
    for at in range(5, len(value), 4):
        value[at] = value[at] | _FORWARDING if forwarding else value[at] & ~_FORWARDING
    return Capability(capability.code, bytes(value))


def pair(family: str) -> tuple[int, int]:
    """AFI and SAFI of a family's name.

    Raises:
        ValueError: It is no family that is known here.
    """
    try:
        found = FAMILY_BY_NAME[family]
    except KeyError:
        known = " or ".join(map(repr, FAMILY_BY_NAME))
        raise ValueError(f"{family!r} is no address family: write {known}") from None
    return found.afi, found.safi


def _text(text: str) -> bytes:
    return text.encode()[:_MAX_TEXT_BYTES]
