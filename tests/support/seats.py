"""Peers of a class at work: how each speaks, for the speaker and for the naive model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address

from hypothesis import strategies as st

from reflector.bgp.open import GracefulRestart, LongLived
from tests.support import wire
from tests.support.classroom import Student
from tests.support.naive import Member, Variant

AFIS = ((1, 4), (2, 6))


@dataclass(frozen=True)
class Seat:
    """How a peer speaks; an external one that is a client is one of a route server.

    Attributes:
        lasting: Whether it restarts gracefully, and its routes may outlive its restart time.
        forwarding: For which IP versions it says then that it went on forwarding.
    """

    address: str
    router_id: str
    families: str = "ipv4 ipv6"
    client: bool = True
    as4: bool = True
    asn: int = wire.ASN
    accept_default: bool = True
    enhanced_refresh: bool = True
    add_path: str = ""
    extended: bool = False
    lasting: bool = False
    forwarding: tuple[int, ...] = (4, 6)

    @property
    def versions(self) -> tuple[int, ...]:
        """Of its address families."""
        return tuple(int(name[-1]) for name in self.families.split())

    @property
    def restart(self) -> GracefulRestart | None:
        """Its capability (RFC 4724 3)."""
        preserved = tuple((afi, 1, version in self.forwarding) for afi, version in AFIS)
        restart = GracefulRestart(restarting=False, restart_time_s=90, preserved=preserved)
        return restart if self.lasting else None

    @property
    def long_lived(self) -> tuple[LongLived, ...] | None:
        """Its capability (RFC 9494 3)."""
        kept = tuple(
            LongLived(afi, 1, forwarding=version in self.forwarding, stale_time_s=600)
            for afi, version in AFIS
        )
        return kept if self.lasting else None

    @property
    def member(self) -> Member:
        """The model's idea of it."""
        external = self.asn != wire.ASN
        return Member(
            ip_address(self.address),
            IPv4Address(self.router_id),
            self.client,
            self.versions,
            external=external,
            served=external and self.client,
            accepts_default=self.accept_default,
            long_lived=self.lasting,
        )


class Desk:
    """A peer in the speaker and in the model; what it holds would fill pages if it were shown."""

    def __init__(self, seat: Seat, student: Student, member: Member) -> None:
        self.seat = seat
        self.student = student
        self.member = member

    def __repr__(self) -> str:
        return repr(self.seat)

    @property
    def path_ids(self) -> st.SearchStrategy[int | None]:
        """With which path identifiers it announces, None for without."""
        identified = self.student.peer.negotiated.add_path_receive
        return st.sampled_from([1, 2, 0xFFFFFFFF]) if identified else st.none()

    def seen(self, variant: Variant) -> Variant:
        """What it makes of attributes: an external peer puts its own AS in front."""
        if not self.member.external:
            return variant
        return replace(variant, as_path=(self.seat.asn, *variant.as_path))
