"""Arguments that several commands have."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Network, IPv6Network

    Network = IPv4Network | IPv6Network


def asking() -> argparse.ArgumentParser:
    """The options of whatever asks a running reflector, as a parent for its parser."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--json", action="store_true", help="as JSON")
    parser.add_argument("--socket", metavar="PATH", type=Path, help="its control socket")
    return parser


def address(text: str) -> str:
    """An IP address.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    from ipaddress import ip_address  # noqa: PLC0415 - not for --help

    try:
        return str(ip_address(text.strip("[]")))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an IP address (names are not looked up)"
        ) from None


def number(text: str, least: int, most: int, what: str) -> int:
    """A number in decimal digits.

    Args:
        text: As it was typed.
        least: The smallest that will do.
        most: The largest.
        what: It is, with an article, for the message.

    Raises:
        argparse.ArgumentTypeError: It is none, or none of these.
    """
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise argparse.ArgumentTypeError(f"{text!r} is not {what} ({least} to {most})")
    return int(text)


def tcp_port(text: str) -> int:
    """A TCP port.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    return number(text, 1, 65535, "a TCP port")


def prefix(text: str) -> str:
    """A prefix, or an address.

    Raises:
        argparse.ArgumentTypeError: It is neither.
    """
    return network(text) if "/" in text else address(text)


def network(text: str) -> str:
    """A prefix.

    Raises:
        argparse.ArgumentTypeError: It is none.
    """
    from ipaddress import ip_network  # noqa: PLC0415 - not for --help

    try:
        found: Network = ip_network(text, strict=False)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a prefix; write it as 10.244.0.0/16 or fd00:10:244::/48"
        ) from None
    try:
        ip_network(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} has bits set beyond its length; the prefix is {found}"
        ) from None
    return str(found)
