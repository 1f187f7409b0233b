"""Members of update groups: peers, with how far each is behind."""

from dataclasses import dataclass, field
from typing import Protocol

from reflector.rib.move import Moving
from reflector.rib.next_hop import every_form
from reflector.rib.path import Path
from reflector.rib.source import Source


class Outlet(Protocol):
    """Where a member's messages go."""

    @property
    def backlog_bytes(self) -> int:
        """Octets that were written and are not sent yet."""

    def write(self, chunks: list[bytes]) -> None:
        """Send whole messages, in order. The list and its bytes are shared and not to be changed."""


@dataclass(slots=True)
class Dump:
    """The prefixes that a member is still to be sent; the list is shared between members.

    Attributes:
        marked: Whether it is a refresh whose begin and end are told (RFC 7313 4).
        begun: Whether it was found out which prefixes these are.
    """

    marked: bool = False
    begun: bool = False
    prefixes: list[bytes] = field(default_factory=list)
    position: int = 0


@dataclass(slots=True, eq=False)
class Member:
    """A peer in an update group.

    Attributes:
        source: The peer as a source of paths: what it announced is not sent back to it.
        outlet: Its connection.
        own_next_hop: Our address towards it, packed for the family; empty if we have none.
        enhanced_refresh: Whether it is told where a refresh begins and ends (RFC 7313).
        missed: None while in step, else the prefixes that changed since it left the train, each
            with whether the member holds a route for it.
        moves: Changes of the policy by which it is told that it was not yet sent the outcome of.
        dump: What is left of the table that it is being sent.
        dump_again: Whether it asked for the table once more meanwhile.
        updates: How many UPDATEs it was sent, for `show`.
        refresh_marks: How often it was told that a refresh begins or ends.
        deferred: Whether its End-of-RIB marker has to wait (RFC 4724 4.1).
        end_of_rib_due: Whether it would have been sent by now.
    """

    source: Source
    outlet: Outlet
    own_next_hop: bytes
    enhanced_refresh: bool = False
    missed: dict[bytes, bool] | None = None
    moves: tuple[Moving, ...] = ()
    dump: Dump | None = None
    dump_again: bool = False
    updates: int = 0
    refresh_marks: int = 0
    deferred: bool = False
    end_of_rib_due: bool = False

    @property
    def behind(self) -> bool:
        """Whether there is something to catch up with."""
        return self.missed is not None or self.dump is not None or bool(self.moves)

    @property
    def marks_refreshes(self) -> bool:
        """Whether a refresh that begins now is marked: none is before the End-of-RIB (RFC 7313 4)."""
        return self.enhanced_refresh and not self.deferred and not self.end_of_rib_due

    def can_have(self, path: Path) -> bool:
        """Whether a path of its audience may be sent to it: not its own, and with a next hop."""
        if path.source.local:
            return bool(self.next_hop_of(path))
        return path.source is not self.source

    def next_hop_of(self, path: Path) -> bytes:
        """With what next hop it is told of our own path; empty where it can't be told.

        RFC 4271 5.1.3: not with an address of its own, which a route may be configured to have.
        """
        if path.next_hop and path.next_hop in every_form(self.source.address):
            return b""
        return path.next_hop or self.own_next_hop
