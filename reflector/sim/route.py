"""Routes as a simulated peer announces and receives them."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from ipaddress import ip_network
from typing import Final, Literal, NamedTuple, TypedDict

Origin = Literal["igp", "egp", "incomplete"]
ORIGINS: Final[tuple[Origin, ...]] = ("igp", "egp", "incomplete")

# An AS_SET stands as a frozenset in an AS_PATH.
AsPath = Sequence[int | frozenset[int]]


class RawAttribute(NamedTuple):
    """A path attribute as on the wire."""

    flags: int
    code: int
    value: bytes


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route: a prefix and its path attributes, None or empty where one is absent.

    Args:
        prefix: As in "10.1.0.0/24".
        next_hop: Its address; for IPv6 a link-local address may follow after a space.
        origin: "igp", "egp" or "incomplete".
        as_path: AS numbers, the nearest first; an AS_SET stands as a frozenset.
        local_pref: LOCAL_PREF, which only internal peers send.
        med: MULTI_EXIT_DISC.
        communities: As in "64512:1", the well-known ones by name: "no-export".
        large_communities: As in "64512:1:2".
        extended_communities: As in "rt:64512:1" or "soo:10.0.0.1:1", others as "0x" and 16 hexadecimal digits.
        originator_id: Put in by a route reflector: the router id of the peer it came from.
        cluster_list: Put in by route reflectors: their cluster ids, the nearest first.
        path_id: Its path identifier in a session with add-path (RFC 7911 3).
        raw: Every attribute by its type code, as on the wire, MP_REACH_NLRI excepted.
    """

    prefix: str
    next_hop: str | None = None
    origin: Origin | None = None
    as_path: tuple[int | frozenset[int], ...] = ()
    local_pref: int | None = None
    med: int | None = None
    communities: tuple[str, ...] = ()
    large_communities: tuple[str, ...] = ()
    extended_communities: tuple[str, ...] = ()
    originator_id: str | None = None
    cluster_list: tuple[str, ...] = ()
    path_id: int | None = None
    raw: dict[int, RawAttribute] = field(default_factory=dict, repr=False, compare=False)

    @property
    def family(self) -> str:
        """ "ipv4" or "ipv6"."""  # noqa: D210 - a quotation mark can't follow three others
        return "ipv6" if ":" in self.prefix else "ipv4"

    def __str__(self) -> str:
        words = [f"{self.prefix} via {self.next_hop}"]
        for each in fields(self):
            value = getattr(self, each.name)
            if each.name not in ("prefix", "next_hop", "raw") and value not in (None, ()):
                words.append(f"{each.name} {_words(value)}")
        return ", ".join(words)


class Attributes(TypedDict, total=False):
    """The keywords of `Peer.announce` and `Peer.route`: `Route` says what each means."""

    next_hop: str
    origin: Origin
    as_path: AsPath
    local_pref: int | None
    med: int | None
    communities: Sequence[str]
    large_communities: Sequence[str]
    extended_communities: Sequence[str]
    originator_id: str | None
    cluster_list: Sequence[str]
    path_id: int | None


def normal_prefix(text: str) -> str:
    """A prefix in the one spelling that routes are keyed by.

    Raises:
        ValueError: It is no prefix, or has bits set beyond its length.
    """
    if not isinstance(text, str):
        raise ValueError(f'{text!r} is no prefix: write each as a text of its own, "10.1.0.0/24"')  # noqa: TRY004 - whatever is wrong with it
    return str(ip_network(text))


def require_known(attributes: Attributes) -> None:
    """See that a test's attributes are some: a misspelt one would only be a deadline that passes.

    Raises:
        TypeError: One is none.
    """
    known = Attributes.__annotations__
    for name in attributes:
        if name not in known:
            raise TypeError(f"{name!r} is no attribute of a route; there are {', '.join(known)}")


def differences(route: Route, expected: Attributes) -> list[str]:
    """What of a route is not as expected, in words."""
    found = []
    for name, wanted in expected.items():
        actual = getattr(route, name)
        if actual != (tuple(wanted) if isinstance(wanted, list) else wanted):
            found.append(f"{name} is {_words(actual)} and not {_words(wanted)}")
    return found


def _words(value: object) -> str:
    if isinstance(value, frozenset):
        return "{" + ",".join(map(str, sorted(value))) + "}"
    if isinstance(value, tuple | list):
        return " ".join(map(_words, value)) or "empty"
    return str(value)
