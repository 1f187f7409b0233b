"""A running reflector as those who observe it see it: protocols, so that nobody here needs its parts."""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from reflector.bgp.session import Session
from reflector.monitor import Monitor
from reflector.observe.ledger import Ledger
from reflector.observe.orders import Controls
from reflector.observe.problem import Problem
from reflector.observe.wall_clock import WallClock
from reflector.reports import PeerName
from reflector.rib.source import IPAddress
from reflector.speaker import Peer, Speaker
from reflector.tally import Tally
from reflector.transcript import Archive, Transcript


class PeerConnection(Protocol):
    """A connection with a peer, as far as it is looked at here."""

    @property
    def name(self) -> PeerName:
        """The peer, as far as it is known."""

    @property
    def session(self) -> Session:
        """Its session."""

    @property
    def peer(self) -> Peer | None:
        """The speaker's view of it, while established."""

    @property
    def outbound(self) -> bool:
        """Whether we dialled it."""

    @property
    def local_address(self) -> IPAddress:
        """Our end."""

    @property
    def local_port(self) -> int:
        """Our port."""

    @property
    def remote_port(self) -> int:
        """The peer's port."""

    @property
    def since(self) -> float:
        """Loop time of its last change of state, in seconds."""

    def follow(self) -> None:
        """Somebody looks at what is said on it."""

    @property
    def transcript(self) -> Transcript:
        """What is said on it."""

    @property
    def bytes_in(self) -> int:
        """Octets read."""

    @property
    def bytes_out(self) -> int:
        """Octets sent."""

    @property
    def backlog_bytes(self) -> int:
        """Octets written and not sent yet."""


class Connections(Protocol):
    """Whoever holds the connections."""

    @property
    def connections(self) -> Collection[PeerConnection]:
        """Every one, whatever its state."""

    @property
    def max_connections(self) -> int:
        """How many there may be."""

    @property
    def past(self) -> Archive:
        """What was said on those that are over."""

    @property
    def ended(self) -> Tally:
        """What sessions carried that are over."""

    @property
    def monitors(self) -> list[Monitor]:
        """Who is told of what peers say."""


class DeskView(Protocol):
    """What is known beyond the tables, as far as it is looked at here."""

    @property
    def port(self) -> int:
        """Where peers reach us."""

    @property
    def ledger(self) -> Ledger:
        """What became of peers."""

    @property
    def clock(self) -> Callable[[], float]:
        """Seconds since the epoch."""

    @property
    def wall_clock(self) -> WallClock:
        """What makes of the loop's time seconds since the epoch."""

    def addresses(self) -> Sequence[IPAddress]:
        """At which addresses peers reach us."""

    async def problems(self, reflector: "Reflector") -> list[Problem]:
        """Everything that is wrong now."""


class Reflector(Protocol):
    """A running reflector, as far as it is looked at here."""

    @property
    def desk(self) -> DeskView:
        """What is known beyond its tables."""

    @property
    def speaker(self) -> Speaker:
        """Its routing."""

    @property
    def peering(self) -> Connections:
        """Its peers."""

    @property
    def controls(self) -> Controls:
        """What a presenter may do."""

    def describe_config(self) -> dict[str, object]:
        """The configuration that is in force, keyed as in its file, without secrets."""
