"""What becomes of a route for one peer: told, or not told for a reason that has a name."""

from dataclasses import dataclass
from enum import Enum

from reflector.rib.audience import Audience
from reflector.rib.form import Form
from reflector.rib.member import Member
from reflector.rib.path import Path
from reflector.rib.table import Table
from reflector.rib.update_group import UpdateGroup


class Reason(Enum):
    """Why a peer is told of a route or not; the values are the API's."""

    TOLD = "told"
    DEFERRED = "deferred"
    PENDING = "pending"
    FAMILY = "family-not-negotiated"
    OWN = "own-path"
    DISCONNECTED = "disconnected"
    POLICY = "export-policy"
    NO_ADVERTISE = "no-advertise"
    NO_EXPORT = "no-export"
    NON_CLIENT = "non-client"
    STALE = "long-lived-stale"
    OUTGROWN = "outgrown"
    NEXT_HOP = "no-next-hop"


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a route for one peer.

    Args:
        reason: TOLD; DEFERRED where the End-of-RIB behind it has to wait (RFC 4724 4.1), so that the
            peer may not use it yet; PENDING where it is about to be told; or why it is not told.
        rule: Of its export policy that rejects the route or changes it, or the cluster that is
            disconnected; empty for none.
    """

    reason: Reason
    rule: str = ""


def fate(table: Table, group: UpdateGroup, member: Member, prefix: bytes) -> Fate:
    """What becomes of a route for a member of an update group.

    Args:
        table: The whole table of the group's family.
        group: The member's.
        member: Who is told or not.
        prefix: Packed; the table has a route for it.
    """
    best = table.routes[prefix].best
    shown, rule = group.shown(prefix, member)
    if shown is not None and group.may_have(member, shown):
        return Fate(_sent(group, member, prefix), rule)
    if (shown or best).source is member.source:
        return Fate(Reason.OWN)
    if shown is None:
        return Fate(Reason.POLICY, rule)
    return Fate(_withheld(shown, group.form))


def _sent(group: UpdateGroup, member: Member, prefix: bytes) -> Reason:
    if group.is_due(member, prefix) or member.dump is not None:
        return Reason.PENDING
    return Reason.DEFERRED if member.deferred else Reason.TOLD


def _withheld(path: Path, form: Form) -> Reason:
    """Why a path is not for a member that may see it."""
    attributes, source, kind = path.attributes, path.source, form.kind
    if attributes.no_advertise and not path.is_served_to(kind):
        return Reason.NO_ADVERTISE
    if attributes.no_export and kind & Audience.OUTSIDE and not path.is_served_to(kind):
        return Reason.NO_EXPORT
    if not source.told & kind:
        return Reason.NON_CLIENT
    if path.stale and not form.long_lived:
        return Reason.STALE
    return Reason.NEXT_HOP if source.local else Reason.OUTGROWN
