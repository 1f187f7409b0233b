"""Who announces paths: a peer, or ourselves."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from typing import ClassVar

from reflector.rib.audience import Audience
from reflector.rib.place import FurtherPlace, next_path_id

IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where paths come from: a peer, or ourselves.

    Args:
        name: How the log and `show` name it.
        kind: Of the `Audience`, for a peer; ALL for ourselves.
        router_id: BGP identifier, four octets.
        address: Of the peer's end of the session; ours for ourselves.
        local: Whether it is ourselves.

    Attributes:
        rank: The last tie-breaks of the decision process.
        internal: Whether it is in our AS.
        told: Who may be told of its paths.
        path_id: By which we tell of the paths at its first place, packed (RFC 7911 3).
        further: The places for more paths of a prefix that it has needed so far.
        index: Of its first place, which it is itself.
    """

    index: ClassVar[int] = 0

    name: str
    kind: int
    router_id: bytes
    address: IPAddress
    local: bool = False
    rank: tuple[int, bytes, bytes] = field(init=False)
    internal: bool = field(init=False)
    told: int = field(init=False)
    path_id: bytes = field(init=False, default_factory=next_path_id)
    further: list[FurtherPlace] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        # The last tie-breaks, worked out once: the address's octets cost a call each time.
        scope = getattr(self.address, "scope_id", None) or ""
        rank = self.address.version, self.address.packed + scope.encode(), self.router_id
        object.__setattr__(self, "rank", rank)
        object.__setattr__(self, "internal", bool(self.kind & Audience.INTERNAL))
        # RFC 4456 6: from a non-client to clients, from everybody else to all.
        non_client = self.kind == Audience.NON_CLIENT
        told = Audience.ALL & ~Audience.NON_CLIENT if non_client else Audience.ALL
        object.__setattr__(self, "told", told)

    @property
    def places(self) -> "tuple[Place, ...]":
        """Where its paths for a prefix may stand."""
        return (self, *self.further)


# What has at most one path for a prefix.
Place = Source | FurtherPlace
