"""What happens to peers, as facts for whoever watches: the log, and later the page.

They flow one way. Each is made where it happens and says in words what a person should know.
"""

from dataclasses import dataclass

from reflector.bgp.errors import Finding
from reflector.bgp.notification import Notification
from reflector.rib.source import IPAddress


@dataclass(frozen=True, slots=True)
class PeerName:
    """How a peer is told from others, as far as it is known yet.

    Args:
        address: Where it connects from.
        router_id: From its OPEN, empty before.
        host_name: What it calls itself (FQDN capability), empty if it doesn't say.
        description: From the configuration.
    """

    address: IPAddress
    router_id: str = ""
    host_name: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class PeerUp:
    """A session is established."""

    peer: PeerName
    families: tuple[str, ...]
    hold_time_s: int


@dataclass(frozen=True, slots=True)
class PeerDown:
    """A session or an attempt at one is over.

    Args:
        peer: Whose.
        was_up: Whether it was established.
        reason: Why, in words.
        sent: The NOTIFICATION that we sent.
        received: The NOTIFICATION that the peer sent.
        prefixes: How many prefixes are lost with it.
        up_s: How long it was established, in seconds.
        kept: How many prefixes outlive it, because the peer restarts gracefully.
        kept_s: For how long.
    """

    peer: PeerName
    was_up: bool
    reason: str
    sent: Notification | None
    received: Notification | None
    prefixes: int
    up_s: float
    kept: int = 0
    kept_s: int = 0


@dataclass(frozen=True, slots=True)
class RoutesKeptLong:
    """A peer's restart time is over, and its routes are kept on as long-lived stale (RFC 9494).

    Args:
        peer: Whose.
        prefixes: How many.
        lost: How many are gone, because they are not to be kept so.
        kept_s: For how long.
        reason: Why, in words.
    """

    peer: PeerName
    prefixes: int
    lost: int
    kept_s: int
    reason: str


@dataclass(frozen=True, slots=True)
class StaleRoutesGone:
    """Routes that had outlived their session are gone.

    Args:
        peer: Whose.
        prefixes: How many.
        reason: Why, in words.
    """

    peer: PeerName
    prefixes: int
    reason: str


@dataclass(frozen=True, slots=True)
class RestartOver:
    """Our own graceful restart is over: the peers were told that our dump is complete.

    Args:
        took_s: Since we began, in seconds.
        missing: How many peers were waited for in vain.
    """

    took_s: float
    missing: int


@dataclass(frozen=True, slots=True)
class ConnectionRefused:
    """A connection was turned away before BGP began."""

    peer: PeerName
    reason: str


@dataclass(frozen=True, slots=True)
class PeerReturned:
    """A peer is back while its old session still looked alive."""

    peer: PeerName
    outcome: str


@dataclass(frozen=True, slots=True)
class PeerCantRefresh:
    """An import policy changed and the peer can't be asked for its routes again."""

    peer: PeerName


@dataclass(frozen=True, slots=True)
class UpdateFault:
    """Something was wrong in a peer's UPDATE that didn't cost its session."""

    peer: PeerName
    finding: Finding


@dataclass(frozen=True, slots=True)
class Steered:
    """A presenter did something to the class.

    Args:
        what: In words.
        by: Who, by address.
    """

    what: str
    by: str


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something of our own went wrong and is coped with, such as running out of descriptors."""

    what: str


Report = (
    PeerUp
    | PeerDown
    | RoutesKeptLong
    | StaleRoutesGone
    | RestartOver
    | ConnectionRefused
    | PeerCantRefresh
    | PeerReturned
    | UpdateFault
    | Steered
    | Trouble
)
