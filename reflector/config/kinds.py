"""Kinds of values: what a scalar in the file may say, and what an editor may be told of it.

A scalar is read from its source text, never from what YAML makes of it: `64512:10`, `010`, `no` and
`1_000` mean only what the key's kind says they mean.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

from reflector.config.model import IPAddress, IPNetwork

Schema = dict[str, object]

_MAX_PASSWORD_BYTES = 80
_MAX_TEXT = 255


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of scalar.

    Args:
        read: Turns the text into the value, or raises ValueError with a sentence.
        schema: Its JSON Schema.
    """

    read: Callable[[str], object]
    schema: Schema


def integer(least: int, most: int, *, also: int | None = None) -> Kind:
    """A decimal number between two bounds, or one other value."""
    span = f"{least} to {most}" if also is None else f"{also}, or {least} to {most}"

    def read(text: str) -> int:
        if re.fullmatch(r"0|[1-9][0-9]{0,9}", text):
            number = int(text)
            if least <= number <= most or number == also:
                return number
        raise ValueError(f"{text!r} is not a whole number ({span})")

    schema: Schema = {"type": "integer", "minimum": least, "maximum": most}
    if also is not None:
        schema = {"anyOf": [{"const": also}, schema]}
    return Kind(read, schema)


def choice(*words: str) -> Kind:
    """One of some words."""

    def read(text: str) -> str:
        if text in words:
            return text
        raise ValueError(f"{text!r} is not one of {', '.join(words)}")

    return Kind(read, {"enum": list(words)})


def _read_boolean(text: str) -> bool:
    if text in ("true", "false"):
        return text == "true"
    raise ValueError(f"{text!r} is neither true nor false")


def _read_text(text: str) -> str:
    if len(text) <= _MAX_TEXT and text.isprintable():
        return text
    raise ValueError(f"must be one line of at most {_MAX_TEXT} printable characters")


def _read_password(text: str) -> str:
    if 0 < len(text.encode()) <= _MAX_PASSWORD_BYTES:
        return text
    # The text itself is a secret and stays out of the message.
    raise ValueError(f"must have 1 to {_MAX_PASSWORD_BYTES} octets (TCP MD5)")


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


def _read_network(text: str) -> IPNetwork:
    if "/" not in text:
        raise ValueError(f"{text!r} has no prefix length: write {text}/32, or how long it is")
    try:
        return ip_network(text)
    except ValueError:
        pass
    try:
        meant = ip_network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP prefix such as 10.0.0.0/8") from None
    raise ValueError(f"{text!r} has bits beyond its prefix length: write {meant}")


def _read_path(text: str) -> Path:
    path = Path(text)
    if text and "\0" not in text and path.is_absolute():
        return path
    raise ValueError(f"{text!r} is not an absolute path")


BOOLEAN = Kind(_read_boolean, {"type": "boolean"})
TEXT = Kind(_read_text, {"type": "string", "maxLength": _MAX_TEXT})
PASSWORD = Kind(
    _read_password, {"type": "string", "minLength": 1, "maxLength": _MAX_PASSWORD_BYTES}
)
ADDRESS = Kind(_read_address, {"type": "string", "anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]})
ROUTER_ID = Kind(_read_router_id, {"type": "string", "format": "ipv4"})
NETWORK = Kind(_read_network, {"type": "string", "pattern": "^[0-9a-fA-F:.]+/[0-9]+$"})
PATH = Kind(_read_path, {"type": "string", "pattern": "^/"})
ASN = integer(1, 2**32 - 2)
PORT = integer(1, 65535)
HOLD_TIME = integer(3, 65535, also=0)
