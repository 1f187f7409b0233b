"""Peers as the speaker knows them, established or gone for a while."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from reflector.bgp.limits import SPARE_PATHS_PER_PEER
from reflector.bgp.open import Negotiated
from reflector.bgp.update import JudgedBlocks
from reflector.bgp.vocabulary import Family
from reflector.rib.import_filter import ImportFilter
from reflector.rib.intake import USUAL_INTAKE, Intake
from reflector.rib.member import Member, Outlet
from reflector.rib.path import Path
from reflector.rib.path_ids import PathIds
from reflector.rib.policy import Policy
from reflector.rib.refusals import Refusals
from reflector.rib.source import IPAddress, Source
from reflector.rib.stale import Renewals


@dataclass(slots=True)
class Counters:
    """What a peer sent and what became of it, as plain integers that are read on demand."""

    updates: int = 0
    announced: int = 0
    withdrawn: int = 0
    refused: int = 0


@dataclass(slots=True, eq=False)
class Peer:
    """A peer whose session is established.

    Attributes:
        source: It, as a source of paths.
        negotiated: What its session runs on.
        local_address: Our end of the session.
        outlet: Its connection.
        own_next_hops: Our address towards it as each family carries it; empty where we have none.
        blocks: What is known of attributes that its kind of peer sends.
        first_as: Which AS its paths must begin with; 0 for any.
        intake: What becomes of its routes on their way in.
        filter: Its import policy at work, if it has one.
        export: Which routes it is told of, None for all.
        counters: What it sent.
        paths: Its interned paths by attributes and next hop, a memory that may be dropped.
        paths_due: At how many of them it is asked whether the memory is worth its room.
        end_of_rib: Families for which it has said that its first dump is complete.
        members: It, as a member of an update group for each family.
        renewals: What it has announced again since it began a refresh.
        watermarks: How many prefixes of a family it may have before something is to be done.
        default_refused: Whether it was said that its default route is not used.
        refusals: Which of its routes are refused.
        path_ids: The families of which it may announce several paths of a prefix (RFC 7911).
        restoring: Families of which it has not announced all again since its restart (RFC 4724 4.2).
        long_lived: Those whose stale routes are kept beyond its restart time (RFC 9494 4.2).
    """

    source: Source
    negotiated: Negotiated
    local_address: IPAddress
    outlet: Outlet
    own_next_hops: dict[Family, bytes]
    blocks: JudgedBlocks
    first_as: int = 0
    intake: Intake = USUAL_INTAKE
    filter: ImportFilter | None = None
    export: Policy | None = None
    counters: Counters = field(default_factory=Counters)
    paths: dict[object, Path] = field(default_factory=dict)
    paths_due: int = SPARE_PATHS_PER_PEER
    end_of_rib: set[Family] = field(default_factory=set)
    members: list[Member] = field(default_factory=list)
    renewals: Renewals = field(default_factory=Renewals)
    watermarks: dict[Family, int] = field(default_factory=dict)
    default_refused: bool = False
    refusals: Refusals = field(default_factory=Refusals)
    path_ids: dict[Family, PathIds] = field(default_factory=dict)
    restoring: set[Family] = field(default_factory=set)
    long_lived: set[Family] = field(default_factory=set)

    def take_by(self, intake: Intake) -> None:
        """Have its routes taken so from now on."""
        self.intake = intake
        self.filter = None if intake.policy is None else ImportFilter(intake.policy, self.source)
        self.watermarks = dict.fromkeys(self.negotiated.families, intake.maximum.watermark)
        self.default_refused = False
        self.paths.clear()

    def lose_session(self) -> None:
        """Its session is over, and of its routes some are kept."""
        self.outlet, self.members = _NOWHERE, []

    def is_stale(self, path: Path, prefix: bytes) -> bool:
        """Whether it announced a route in an earlier session only."""
        if self.outlet is _NOWHERE:
            return True
        family = path.family
        return family in self.restoring and self.renewals.is_stale(family, path.place, prefix)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """A peer whose session fell and whose routes are kept (RFC 4724 4.2).

    Args:
        peer: It. Its source is the same when it is back, or its routes would be another's. What it
            announces again unchanged is then the same interned path, and nobody is told.
        families: Of its routes that are kept.
        prefixes: How many those were when it fell.
    """

    peer: Peer
    families: Collection[Family]
    prefixes: int

    @property
    def source(self) -> Source:
        """It, as a source of paths."""
        return self.peer.source

    @property
    def asn(self) -> int:
        """The AS that it is in."""
        return self.peer.negotiated.remote.asn


class _Nowhere:
    """Where messages of a peer without a session would go."""

    backlog_bytes = 0

    def write(self, chunks: list[bytes]) -> None:
        """Nobody is there."""


_NOWHERE: Final = _Nowhere()
