"""What a session tells its owner: each event is a fact, in the order in which it happened."""

from dataclasses import dataclass

from reflector.bgp.notification import Notification
from reflector.bgp.open import Negotiated


@dataclass(frozen=True, slots=True)
class OpenAccepted:
    """The peer's OPEN is good. The owner settles collisions, then calls `Session.confirm`."""

    negotiated: Negotiated


@dataclass(frozen=True, slots=True)
class Established:
    """The session carries routes from now on."""

    negotiated: Negotiated


@dataclass(frozen=True, slots=True)
class UpdatesReceived:
    """UPDATEs that came one after another, not yet looked into: that is `update.read_update`'s work.

    Args:
        bodies: What follows their headers, at least one.
    """

    bodies: list[bytes]


@dataclass(frozen=True, slots=True)
class RefreshReceived:
    """A ROUTE-REFRESH (RFC 2918, subtypes of RFC 7313) for a family, ours or not."""

    afi: int
    safi: int
    subtype: int


@dataclass(frozen=True, slots=True)
class Closed:
    """The session is over and the connection is to be closed once what it wrote is out.

    Args:
        reason: Why, in words for the operator.
        sent: The NOTIFICATION that we sent, if any.
        received: The NOTIFICATION that the peer sent, if any.
    """

    reason: str
    sent: Notification | None = None
    received: Notification | None = None


Event = OpenAccepted | Established | UpdatesReceived | RefreshReceived | Closed
