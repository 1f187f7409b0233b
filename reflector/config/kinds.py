"""Kinds of values: what a scalar in the file may say, and what an editor may be told of it.

A scalar is read from its source text, never from what YAML makes of it: `64512:10`, `010`, `no` and
`1_000` mean only what the key's kind says they mean.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

from reflector.bgp.vocabulary import AS_TRANS
from reflector.config.model import NOWHERE, HttpListen, IPAddress, IPNetwork

Schema = dict[str, object]

_MAX_PASSWORD_BYTES = 80
_MAX_TEXT = 255
_MAX_SOCKET_PATH_BYTES = 107  # sun_path of unix(7), less its NUL
_FIRST_MULTICAST_OCTET = 224
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,9}")


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of scalar.

    Args:
        read: Turns the text into the value, or raises ValueError with a sentence.
        schema: Its JSON Schema.
        says: What it takes, in words, for the reference.
    """

    read: Callable[[str], object]
    schema: Schema
    says: str


def integer(least: int, most: int, *, also: int | None = None) -> Kind:
    """A decimal number between two bounds, or one other value."""
    span = f"{least} to {most}" if also is None else f"{also}, or {least} to {most}"

    def read(text: str) -> int:
        if _DECIMAL.fullmatch(text):
            number = int(text)
            if least <= number <= most or number == also:
                return number
        raise ValueError(f"{text!r} is not a whole number ({span})")

    schema: Schema = {"type": "integer", "minimum": least, "maximum": most}
    if also is not None:
        schema = {"anyOf": [{"const": also}, schema]}
    return Kind(read, schema, span)


def choice(*words: str) -> Kind:
    """One of some words."""

    def read(text: str) -> str:
        if text in words:
            return text
        raise ValueError(f"{text!r} is not one of {', '.join(words)}")

    return Kind(read, {"enum": list(words)}, ", ".join(f"`{word}`" for word in words))


def _read_asn(text: str) -> int:
    """An AS number that somebody can have (RFC 6793 9: AS_TRANS is reserved)."""
    asn = int(str(ANY_ASN.read(text)))
    if asn == AS_TRANS:
        raise ValueError(
            f"{text!r} stands for numbers beyond 65535 (RFC 6793) and is nobody's: write another"
        )
    return asn


def _read_remote_as(text: str) -> int | str:
    if text in REMOTE_AS_WORDS:
        return text
    try:
        return _read_asn(text)
    except ValueError:
        if text == str(AS_TRANS):
            raise
        words = ", ".join(REMOTE_AS_WORDS)
        raise ValueError(f"{text!r} is neither an AS number nor one of {words}") from None


def _read_boolean(text: str) -> bool:
    if text in ("true", "false"):
        return text == "true"
    raise ValueError(f"{text!r} is neither true nor false")


def _read_text(text: str) -> str:
    if len(text) <= _MAX_TEXT and text.isprintable():
        return text
    raise ValueError(f"must be one line of at most {_MAX_TEXT} printable characters")


def _read_password(text: str) -> str:
    if 0 < len(text.encode(errors="replace")) <= _MAX_PASSWORD_BYTES and text.isprintable():
        return text
    # The text itself is a secret and stays out of the message.
    raise ValueError(f"must be 1 to {_MAX_PASSWORD_BYTES} octets of printable text (TCP MD5)")


def _read_address(text: str) -> IPAddress:
    try:
        return ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address (names are not looked up)") from None


def _read_router_id(text: str) -> IPv4Address:
    try:
        router_id = IPv4Address(text)
    except ValueError:
        router_id = IPv4Address(0)
    if int(router_id):
        return router_id
    raise ValueError(f"{text!r} is not of the form 10.0.0.1")


def _read_peer_address(text: str) -> IPAddress:
    address = _read_machine(text)
    if _is_link_local(address) and "%" not in text:
        raise ValueError(f"{text!r} is on every link: say on which interface, {text}%eth0")
    return address


def _read_machine(text: str) -> IPAddress:
    """An address of one machine; a link-local one may have its interface."""
    address = _read_address(text)
    if "%" in text and not _is_link_local(address):
        raise ValueError(f"{text!r} names an interface, which only link-local addresses need")
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        # IPv4 peers arrive as such: the sockets for IPv6 take nothing else.
        raise ValueError(f"{text!r} is an IPv4 address in disguise: write {address.ipv4_mapped}")
    if address.is_unspecified or _is_beyond_unicast(address):
        raise ValueError(f"{text!r} is no address of a machine")
    return address


def _read_next_hop(text: str) -> IPAddress:
    """An address that every client takes: GoBGP resets its session on one in 0/8 or 127/8."""
    address = _read_machine(text)
    if address.is_loopback or int(address) >> 24 == 0 or _is_link_local(address):
        raise ValueError(f"{text!r} means something else on each machine: no next hop")
    return address


def _read_network(text: str) -> IPNetwork:
    address, slash, length = text.partition("/")
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        meant = None
    # `ip_network` also takes masks and scopes, which nobody else would read as a prefix.
    if meant is None or "%" in text or (slash and not _DECIMAL.fullmatch(length)):
        raise ValueError(f"{text!r} is not an IP prefix such as 10.0.0.0/8")
    if not slash:
        raise ValueError(f"{text!r} has no prefix length: write {meant} for this address alone")
    if ip_address(address) != meant.network_address:
        raise ValueError(f"{text!r} has bits beyond its prefix length: write {meant}")
    return meant


def _read_own_network(text: str) -> IPNetwork:
    network = _read_network(text)
    if _is_beyond_unicast(network.network_address) or _is_link_local(network.network_address):
        raise ValueError(f"{text!r} is no unicast prefix: clients would ignore it")
    return network


def _is_beyond_unicast(address: IPAddress) -> bool:
    if isinstance(address, IPv4Address):
        return address.packed[0] >= _FIRST_MULTICAST_OCTET
    return address.is_multicast


def _is_link_local(address: IPAddress) -> bool:
    """Whether it is of IPv6's kind, which needs an interface; IPv4's is routed in some labs."""
    return isinstance(address, IPv6Address) and address.is_link_local


def _read_path(text: str) -> Path:
    path = Path(text)
    if not text.isprintable() or not path.is_absolute():
        raise ValueError(f"{text!r} is not an absolute path")
    return path


def _read_socket_path(text: str) -> Path:
    path = _read_path(text)
    if len(text.encode()) > _MAX_SOCKET_PATH_BYTES:
        raise ValueError(f"is longer than the {_MAX_SOCKET_PATH_BYTES} octets of a socket's path")
    return path


def read_http(text: str) -> HttpListen:
    """Read where to serve HTTP: "127.0.0.1:8179", "[::]:8179" or "off".

    Raises:
        ValueError: With a sentence.
    """
    if text == "off":
        return NOWHERE
    host, _, port = text.rpartition(":")
    try:
        bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
        address = ip_address(bare)
        if (address.version == 4) is (bare is host) and _DECIMAL.fullmatch(port):  # noqa: PLR2004
            return HttpListen(address, int(str(PORT.read(port))))
    except ValueError:
        pass
    raise ValueError(f"{text!r} is neither ADDRESS:PORT, as 127.0.0.1:8179 or [::1]:8179, nor off")


_ADDRESS: Schema = {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}
_LINK_LOCAL: Schema = {"pattern": "^[fF][eE][89abAB][0-9a-fA-F]:[0-9a-fA-F:]*%[^%]+$"}
_PEER_ADDRESS: Schema = {
    "type": "string",
    "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}, _LINK_LOCAL],
}
_PREFIX: Schema = {"type": "string", "pattern": "^[0-9a-fA-F:.]+/[0-9]+$"}
_SECRET: Schema = {"type": "string", "minLength": 1, "maxLength": _MAX_PASSWORD_BYTES}

REMOTE_AS_WORDS = ("any", "internal", "external")

BOOLEAN = Kind(_read_boolean, {"type": "boolean"}, "`true`, `false`")
TEXT = Kind(_read_text, {"type": "string", "maxLength": _MAX_TEXT}, "text")
PASSWORD = Kind(_read_password, _SECRET, f"text of up to {_MAX_PASSWORD_BYTES} octets")
ADDRESS = Kind(_read_address, _ADDRESS, "IP address")
PEER_ADDRESS = Kind(_read_peer_address, _PEER_ADDRESS, "IP address")
NEXT_HOP = Kind(_read_next_hop, _ADDRESS, "IP address")
ROUTER_ID = Kind(_read_router_id, {"type": "string", "format": "ipv4"}, "as an IPv4 address")
NETWORK = Kind(_read_network, _PREFIX, "IP prefix")
OWN_NETWORK = Kind(_read_own_network, _PREFIX, "IP prefix")
FILE = Kind(_read_path, {"type": "string", "pattern": "^/"}, "absolute path")
PATH = Kind(_read_socket_path, {"type": "string", "pattern": "^/"}, "absolute path")
ANY_ASN = integer(1, 2**32 - 2)
ASN = Kind(_read_asn, ANY_ASN.schema, ANY_ASN.says)
REMOTE_AS = Kind(
    _read_remote_as,
    {"anyOf": [{"enum": list(REMOTE_AS_WORDS)}, ASN.schema]},
    "AS number, `any`, `internal`, `external`",
)
PORT = integer(1, 65535)
HOPS = integer(1, 254)
HTTP = Kind(read_http, {"type": "string", "pattern": "^(off|.+:[0-9]+)$"}, "`ADDRESS:PORT`, `off`")
HOLD_TIME = integer(3, 65535, also=0)
RESTART_TIME = integer(0, 4095)  # twelve bits: RFC 4724 3
SELECT_DEFER_TIME = integer(0, 3600)  # as FRR has it
STALE_PATH_TIME = integer(1, 4095)
LONG_LIVED_STALE_TIME = integer(0, 2**24 - 1)  # RFC 9494 3
