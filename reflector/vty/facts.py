"""What the shell asks a running reflector, and the words in which FRR puts the answers."""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol

View = dict[str, Any]

# By our name of the family: as JSON has it, and as text has it.
FAMILIES: Final = {"ipv4": ("ipv4Unicast", "IPv4 Unicast"), "ipv6": ("ipv6Unicast", "IPv6 Unicast")}

ESTABLISHED: Final = "Established"

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86400
_WEEK_S: Final = 7 * _DAY_S

# By the first words of our reason: how FRR says why a path won (bgp_route.c).
_REASONS: Final = {
    "only path": "First path received",
    "originated": "Local Route",
    "highest LOCAL_PREF": "Local Pref",
    "shortest AS_PATH": "AS Path",
    "lowest ORIGIN": "Origin",
    "lowest MULTI_EXIT_DISC": "MED",
    "external": "Peer Type",
    "lowest BGP identifier": "Router ID",
    "shortest CLUSTER_LIST": "Cluster length",
    "lowest peer address": "Neighbor IP",
}
_ORIGINS: Final = {"IGP": "i", "EGP": "e", "incomplete": "?"}


class Reflector(Protocol):
    """Who is asked: a running reflector's API."""

    def post(self, *path: str, **body: object) -> View:
        """Give an order, by its path below /api/v1.

        Raises:
            LookupError: There is no such thing.
        """

    def get(self, *path: str, **query: str) -> View:
        """A view, by its path below /api/v1.

        Raises:
            LookupError: There is no such thing.
        """


def uptime(seconds: float) -> str:
    """A length of time as FRR writes it: 00:01:02, then 1d02h03m, then 1w2d03h."""
    whole = int(seconds)
    hours, minutes = whole % _DAY_S // _HOUR_S, whole % _HOUR_S // _MINUTE_S
    if whole < _DAY_S:
        return f"{hours:02}:{minutes:02}:{whole % _MINUTE_S:02}"
    if whole < _WEEK_S:
        return f"{whole // _DAY_S}d{hours:02}h{minutes:02}m"
    return f"{whole // _WEEK_S:02}w{whole % _WEEK_S // _DAY_S}d{hours:02}h"


def connections(neighbor: View) -> View:
    """How many sessions a neighbor has had, and how many of them ended."""
    established = neighbor["state"] == ESTABLISHED
    had = max(neighbor["sessions"], int(established))
    return {"connectionsEstablished": had, "connectionsDropped": had - established}


def last_reset(neighbor: View) -> View:
    """How the last session of a neighbor ended that has none; nothing where none is known."""
    return {"lastResetDueTo": neighbor["reset_reason"]} if "reset_reason" in neighbor else {}


def speaks(neighbor: View, family: str) -> bool:
    """Whether a neighbor's session carries a family, or might, as long as it is not established."""
    return family in neighbor.get("families", (family,))


def by_key(neighbors: Iterable[View]) -> Iterator[tuple[str, View]]:
    """Neighbors by what FRR knows them by, the address.

    Several nodes behind one address, which FRR can't have, are told apart by their router ids.
    """
    seen: set[str] = set()
    for neighbor in neighbors:
        key = neighbor["address"]
        if key in seen:
            key = f"{key}({neighbor['router_id']})"
        seen.add(key)
        yield key, neighbor


def reason(route: View) -> str:
    """Why a route's best path won, in FRR's words where it has them."""
    ours = str(route["best_because"])
    return next((theirs for start, theirs in _REASONS.items() if ours.startswith(start)), ours)


def origin_code(path: View) -> str:
    """The letter behind an AS path."""
    return _ORIGINS.get(path["origin"], "?")


def is_local(path: View) -> bool:
    """Whether the reflector originates the path itself."""
    return bool(path["from"]["local"])


def is_internal(path: View) -> bool:
    """Whether it is from a peer of our own AS."""
    return path["from"]["role"] in ("client", "non-client")


def peer_id(path: View) -> str:
    """From whom a path is, as FRR names it."""
    return path["from"]["address"] or "(unspec)"


def next_hop(path: View, family: str) -> str:
    """The next hop of a path; the unspecified address for our own, as FRR has it."""
    return path["next_hop"] or ("0.0.0.0" if family == "ipv4" else "::")


def next_hop_json(path: View, family: str) -> View:
    """A path's next hop as FRR's JSON has it."""
    shown: View = {"ip": next_hop(path, family)}
    if path["from"]["host_name"]:
        shown["hostname"] = path["from"]["host_name"]
    shown["afi"] = family
    if family == "ipv6":
        shown["scope"] = "global"
    return shown | {"used": True}


def metric(path: View) -> int | None:
    """A path's MULTI_EXIT_DISC, which FRR gives its own routes though nobody set it."""
    held = path.get("med", 0 if is_local(path) else None)
    return None if held is None else int(held)


def own_weight(path: View) -> int:
    """FRR's weight, which is Cisco's: it prefers what a router originates itself."""
    return 32768 if is_local(path) else 0
