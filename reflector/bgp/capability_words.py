"""The capabilities of an OPEN (RFC 5492) in words, each by itself, as they stand in the message."""

from collections.abc import Callable, Iterator
from struct import iter_unpack
from typing import Final

from reflector.bgp.vocabulary import FAMILIES

# What an AFI/SAFI means that the reflector doesn't route (IANA's registries).
_AFIS: Final = {1: "IPv4", 2: "IPv6", 25: "L2VPN", 16388: "BGP-LS"}
_SAFIS: Final = {
    1: "unicast",
    2: "multicast",
    4: "labeled unicast",
    70: "EVPN",
    71: "BGP-LS",
    128: "VPN",
    132: "route target",
    133: "flow specification",
}
_ROLES: Final = ("provider", "route server", "route server client", "customer", "peer")
_ADD_PATH: Final = {1: "receives", 2: "sends", 3: "sends and receives"}
# RFC 4724 3, RFC 8538 2, RFC 9494 3: bits of octets of the restart capabilities.
_RESTARTING: Final = 0x80
_NOTIFICATIONS: Final = 0x40
_PRESERVED: Final = 0x80


def family_words(afi: int, safi: int) -> str:
    """An address family by its names, or by its numbers where it has none here."""
    family = FAMILIES.get((afi, safi))
    if family is not None:
        return f"{_AFIS[afi]} unicast"
    if afi in _AFIS and safi in _SAFIS:
        return f"{_AFIS[afi]} {_SAFIS[safi]}"
    return f"AFI/SAFI {afi}/{safi}"


def capability_name(code: int) -> str:
    """What a capability is called, "capability 99" where it has no name here."""
    return _NAMED[code][0] if code in _NAMED else f"capability {code}"


def explain_capability(code: int, value: bytes) -> str:
    """What a speaker says with a capability, in a sentence.

    Args:
        code: Of the capability.
        value: Its value, well-formed or not.

    Returns:
        Empty where there is nothing known of it, or it can't be read.
    """
    explain = _NAMED[code][1] if code in _NAMED else None
    if explain is None:
        return ""
    try:
        return explain(value)
    except (ValueError, LookupError):
        return ""


def _families(value: bytes, size: int) -> Iterator[tuple[str, bytes]]:
    """Entries that begin with AFI and SAFI, each with the rest of it."""
    for start in range(0, len(value), size):
        entry = value[start : start + size]
        if len(entry) != size:
            raise ValueError("an entry is cut off")
        yield family_words(int.from_bytes(entry[:2]), entry[2]), entry[3:]


def _multiprotocol(value: bytes) -> str:
    return f"it exchanges {family_words(int.from_bytes(value[:2]), value[3])} routes"


def _next_hops(value: bytes) -> str:
    """RFC 8950 4: triples of AFI, SAFI and the AFI of the next hop."""
    pairs = [
        f"{family_words(afi, safi)} routes with an {_AFIS.get(hop, f'AFI {hop}')} next hop"
        for afi, safi, hop in iter_unpack(">HHH", value[: len(value) // 6 * 6])
    ]
    return f"it takes {', '.join(pairs)}"


def _graceful_restart(value: bytes) -> str:
    flags, time_s = value[0], int.from_bytes(value[:2]) & 0x0FFF
    words = [f"others are asked to keep its routes for {time_s} s when its session breaks off"]
    if flags & _RESTARTING:
        words.append("it has just restarted")
    if flags & _NOTIFICATIONS:
        words.append("NOTIFICATIONs don't end that (RFC 8538)")
    words += [
        f"{name}{' (went on forwarding)' if rest[0] & _PRESERVED else ''}"
        for name, rest in _families(value[2:], 4)
    ]
    return ", ".join(words)


def _long_lived(value: bytes) -> str:
    kept = [
        f"{name} for {int.from_bytes(rest[1:])} s"
        f"{' (went on forwarding)' if rest[0] & _PRESERVED else ''}"
        for name, rest in _families(value, 7)
    ]
    return f"after that its routes are to be kept as a last resort: {', '.join(kept) or 'none'}"


def _add_path(value: bytes) -> str:
    return ", ".join(
        f"it {_ADD_PATH.get(rest[0], 'wants nothing of')} several paths for each {name} prefix"
        for name, rest in _families(value, 4)
    )


def _host_name(value: bytes) -> str:
    """The FQDN capability: two texts with their lengths before them."""
    host = value[1 : 1 + value[0]]
    rest = value[1 + value[0] :]
    domain = rest[1 : 1 + rest[0]] if rest else b""
    return f"it is called {_text(host)}{f' in the domain {_text(domain)}' if domain else ''}"


def _role(value: bytes) -> str:
    return f"it is the {_ROLES[value[0]]} in this session"


def _asn(value: bytes) -> str:
    return f"it is in AS {int.from_bytes(value)} and writes AS numbers with four octets"


def _version(value: bytes) -> str:
    return f"it runs {_text(value[1 : 1 + value[0]])}"


def _text(octets: bytes) -> str:
    words = octets.decode("utf-8", "replace")
    return "".join(c if c.isprintable() else "?" for c in words)


# By code: its name in short, and what it says.
_NAMED: Final[dict[int, tuple[str, Callable[[bytes], str]]]] = {
    1: ("multiprotocol", _multiprotocol),
    2: ("route refresh", lambda _: "it can be asked to announce its routes again"),
    5: ("extended next hop", _next_hops),
    6: ("extended message", lambda _: "it takes messages of up to 65535 octets"),
    9: ("role", _role),
    64: ("graceful restart", _graceful_restart),
    65: ("four-octet AS", _asn),
    69: ("add-path", _add_path),
    70: ("enhanced route refresh", lambda _: "it says where a refresh begins and ends"),
    71: ("long-lived graceful restart", _long_lived),
    73: ("FQDN", _host_name),
    75: ("software version", _version),
    128: ("route refresh (old)", lambda _: "as route refresh, by a number of before its RFC"),
}
