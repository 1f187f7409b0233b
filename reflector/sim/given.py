"""What a test hands a simulated peer: a wrong value is told by its name, and not by what it breaks inside."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address


def number(name: str, value: object, least: int, most: int) -> int:
    """A whole number between two bounds.

    Raises:
        ValueError: It is none; with a sentence that names it.
    """
    if isinstance(value, int) and least <= value <= most:
        return value
    raise ValueError(f"{name} is {value!r}: write a whole number from {least} to {most}")


def octets(name: str, value: object, count: int) -> bytes:
    """A whole number as so many octets.

    Raises:
        ValueError: It is none, or needs more.
    """
    return number(name, value, 0, (1 << 8 * count) - 1).to_bytes(count)


def seconds(name: str, value: object) -> float:
    """A time.

    Raises:
        ValueError: It is none.
    """
    if isinstance(value, int | float) and value >= 0:
        return value
    raise ValueError(f"{name} is {value!r}: write a number of seconds")


def ipv4(name: str, value: object) -> IPv4Address:
    """An IPv4 address, or what has its form: a router id, a cluster id.

    Raises:
        ValueError: It is none.
    """
    found = _address(value)
    if isinstance(found, IPv4Address):
        return found
    raise ValueError(f"{name} is {value!r}: write it as 10.0.0.1")


def ipv6(name: str, value: object) -> IPv6Address:
    """An IPv6 address.

    Raises:
        ValueError: It is none.
    """
    found = _address(value)
    if isinstance(found, IPv6Address):
        return found
    raise ValueError(f"{name} is {value!r}: write it as fd00::1")


def address(name: str, value: object) -> IPv4Address | IPv6Address:
    """An IP address.

    Raises:
        ValueError: It is none; names are not looked up.
    """
    found = _address(value)
    if found is None:
        raise ValueError(
            f"{name} is {value!r}: write an IP address, 10.0.0.1 or fd00::1 (names are not looked up)"
        )
    return found


def listed(name: str, value: object, example: str) -> Iterable[object]:
    """Several values. A text is one, though Python would take it for a list of its letters.

    Args:
        name: What it is called.
        value: What was given.
        example: How it is written.

    Raises:
        ValueError: It is no list.
    """
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        raise ValueError(f"{name} is {value!r}: write a list, as in {name}={example}")  # noqa: TRY004 - as all here
    return value


def _address(value: object) -> IPv4Address | IPv6Address | None:
    """The address that was given as text or as itself; a number is none, though Python takes it."""
    if not isinstance(value, str | IPv4Address | IPv6Address):
        return None
    try:
        return ip_address(value)
    except ValueError:
        return None
