"""Kinds of values that policies are made of: see `kinds`."""

import re
from ipaddress import AddressValueError, IPv4Address, ip_network
from typing import Final

from reflector.bgp.vocabulary import WELL_KNOWN_COMMUNITIES, AttributeCode
from reflector.config.kinds import NETWORK, Kind, Schema, integer
from reflector.config.model import IPNetwork
from reflector.config.policy_model import PrefixRange

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_RANGE: Final = re.compile(r"(\S+)(?: ge ([0-9]{1,3}))?(?: le ([0-9]{1,3}))?")
_SPAN: Final = re.compile(r"(?:ge ([0-9]{1,4}))? ?(?:le ([0-9]{1,4}))?")
_MOST_AS_NUMBERS: Final = 9999

_SUBTYPES: Final = {"rt": 2, "soo": 3}
_SHORT, _LONG = 1 << 16, 1 << 32
_STANDARD_PARTS, _LARGE_PARTS = 2, 3


def _read_name(text: str) -> str:
    if _NAME.fullmatch(text):
        return text
    raise ValueError(f"{text!r} is no name: letters, digits, and _ - . in it")


def _read_prefix_range(text: str) -> PrefixRange:
    found = _RANGE.fullmatch(" ".join(text.split()))
    if found is None:
        raise ValueError(
            f"{text!r} is not of the form 10.0.0.0/8, 10.0.0.0/8 le 24 or ... ge 16 le 24"
        )
    network = NETWORK.read(found[1])
    assert isinstance(network, IPNetwork)  # noqa: S101 - what NETWORK reads
    own, longest = network.prefixlen, network.max_prefixlen
    most = longest if found[2] else own
    least, most = int(found[2] or own), int(found[3] or most)
    if not own <= least <= most <= longest:
        raise ValueError(f"{text!r} lets nothing in: it must be {own} <= ge <= le <= {longest}")
    return PrefixRange(network, least, most)


def _read_community(text: str) -> tuple[int, bytes]:
    well_known = WELL_KNOWN_COMMUNITIES.get(text)
    if well_known is not None:
        return AttributeCode.COMMUNITIES, well_known
    kind, _, rest = text.partition(":")
    try:
        if kind in _SUBTYPES:
            return AttributeCode.EXTENDED_COMMUNITIES, _extended(_SUBTYPES[kind], rest)
        parts = [_decimal(part) for part in text.split(":")]
        if len(parts) == _STANDARD_PARTS:
            return AttributeCode.COMMUNITIES, b"".join(part.to_bytes(2) for part in parts)
        if len(parts) == _LARGE_PARTS:
            return AttributeCode.LARGE_COMMUNITIES, b"".join(part.to_bytes(4) for part in parts)
    except (ValueError, OverflowError):
        pass
    names = ", ".join(WELL_KNOWN_COMMUNITIES)
    raise ValueError(
        f"{text!r} is no community: 64512:1, large 64512:1:2, rt:64512:1, soo:64512:1, or one of {names}"
    )


def _extended(subtype: int, text: str) -> bytes:
    """RFC 4360 3, RFC 5668 2: by the size of what stands first."""
    first, _, second = text.partition(":")
    number = _decimal(second)
    if "." in first:
        try:
            return bytes((1, subtype)) + IPv4Address(first).packed + number.to_bytes(2)
        except AddressValueError as error:
            raise ValueError(text) from error
    asn = _decimal(first)
    if asn < _SHORT:
        return bytes((0, subtype)) + asn.to_bytes(2) + number.to_bytes(4)
    return bytes((2, subtype)) + asn.to_bytes(4) + number.to_bytes(2)


def _decimal(text: str) -> int:
    if re.fullmatch("[0-9]{1,10}", text):
        return int(text)
    raise ValueError(text)


def _read_span(text: str) -> tuple[int, int]:
    words = " ".join(text.split())
    if re.fullmatch("[0-9]{1,4}", words):
        return int(words), int(words)
    found = _SPAN.fullmatch(words)
    if words and found is not None:
        least, most = int(found[1] or 0), int(found[2] or _MOST_AS_NUMBERS)
        if least <= most:
            return least, most
    raise ValueError(f"{text!r} is not of the form 3, ge 1, le 5 or ge 1 le 5")


def _read_med(text: str) -> int | str:
    if text == "none":
        return text
    if re.fullmatch("[0-9]{1,10}", text) and int(text) < _LONG:
        return int(text)
    raise ValueError(f"{text!r} is neither a whole number (0 to {_LONG - 1}) nor none")


def _read_peers(text: str) -> IPNetwork:
    network = NETWORK.read(text) if "/" in text else None
    try:
        return ip_network(text if network is None else str(network))
    except ValueError:
        raise ValueError(f"{text!r} is neither an IP address nor a prefix") from None


_TEXT: Final[Schema] = {"type": "string"}

NAME: Final = Kind(_read_name, {**_TEXT, "pattern": f"^{_NAME.pattern}$"}, "name")
PREFIX_RANGE: Final = Kind(
    _read_prefix_range,
    {**_TEXT, "pattern": "^[0-9a-fA-F:.]+/[0-9]+( ge [0-9]+)?( le [0-9]+)?$"},
    "IP prefix, `ge` and `le` with lengths behind it",
)
COMMUNITY: Final = Kind(
    _read_community,
    _TEXT,
    "`64512:1`, `64512:1:2`, `rt:64512:1`, `soo:64512:1`, "
    + ", ".join(f"`{each}`" for each in WELL_KNOWN_COMMUNITIES),
)
SPAN: Final = Kind(
    _read_span,
    {"anyOf": [{"type": "integer", "minimum": 0}, _TEXT]},
    "`3`, `ge 1`, `le 5`, `ge 1 le 5`",
)
PEERS: Final = Kind(_read_peers, _TEXT, "IP address or prefix")
NUMBER: Final = integer(0, _LONG - 1)
MED: Final = Kind(
    _read_med,
    {"anyOf": [{"const": "none"}, {"type": "integer", "minimum": 0, "maximum": _LONG - 1}]},
    f"0 to {_LONG - 1}, `none`",
)
