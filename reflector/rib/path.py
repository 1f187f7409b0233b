"""A path: attributes as one source gave them, ready to be compared and to be sent on.

Paths are interned: all prefixes that a source announces with the same attributes share one. That
is what makes the tables small and the comparison of a thousand prefixes one comparison.
"""

from functools import lru_cache
from typing import Final

from reflector.bgp.as4 import narrow
from reflector.bgp.attributes import PathAttributes, encode_attribute
from reflector.bgp.external import for_external, without_internal
from reflector.bgp.limits import MAX_EXTENDED_MESSAGE_BYTES, MAX_MESSAGE_BYTES
from reflector.bgp.update import announcement_room, write_announcements
from reflector.bgp.vocabulary import IPV4_UNICAST, AttributeCode, AttributeFlag, Family
from reflector.rib.audience import Audience
from reflector.rib.form import Form
from reflector.rib.source import Place, Source

# Attributes of at most these octets fit any message in any form; nearly all do.
_SMALL_BYTES: Final = 1024

# Headers of the two attributes of four octets that are written for every path.
_NEXT_HOP_HEAD: Final = bytes((AttributeFlag.TRANSITIVE, AttributeCode.NEXT_HOP, 4))
_ORIGINATOR_ID_HEAD: Final = bytes((AttributeFlag.OPTIONAL, AttributeCode.ORIGINATOR_ID, 4))

# Longest prefix on the wire by AFI: with less room than this a path can't be announced at all.
_LONGEST_PREFIX: Final = {1: 5, 2: 17}

# What the decision process compares, in the order of its steps.
Preference = tuple[int, int, int, int]
TieBreak = tuple[bool, bytes, int, int, bytes, bytes, bytes, int]

# Any AS number of four octets: prepended, it makes a path no shorter than ours does.
_LARGEST_AS: Final = 0xFFFFFFFE


class Path:
    """One source's attributes for prefixes of one family.

    Attributes:
        source: Who announced it.
        place: Where it stands among the paths of its source; the source itself for nearly all.
        family: Of its prefixes.
        attributes: As judged.
        next_hop: As announced; empty on a local path, whose next hop depends on the peer told.
        stale: Whether it is long-lived stale: the last choice, and for those who know (RFC 9494 4.3).
        audience: Who may be told of it; NOBODY also where it would outgrow a message.
    """

    __slots__ = (
        "_forms",
        "_preference",
        "_tie_break",
        "_wire",
        "attributes",
        "audience",
        "family",
        "next_hop",
        "place",
        "source",
        "stale",
    )

    def __init__(
        self,
        source: Source,
        family: Family,
        attributes: PathAttributes,
        next_hop: bytes,
        cluster_id: bytes,
        place: Place | None = None,
        *,
        stale: bool = False,
    ) -> None:
        self.source = source
        self.place: Place = place or source
        self.stale = stale
        self.family = family
        self.attributes = attributes
        self.next_hop = next_hop
        # Made when they are asked for: most paths never have a rival.
        self._preference: Preference | None = None
        self._tie_break: TieBreak | None = None
        self._wire = b"" if source.local else self._for_internal(cluster_id)
        self._forms: dict[Form, bytes] | None = None
        self.audience = self._audience()

    @property
    def best(self) -> "Path":
        """A path alone is the best of its prefix's candidates."""
        return self

    @property
    def paths(self) -> tuple["Path", ...]:
        """And all of them."""
        return (self,)

    @property
    def preference(self) -> "Preference":
        """Smaller is better: the steps of RFC 4271 9.1.2.2 that don't depend on MED."""
        if self._preference is None:
            attributes = self.attributes
            self._preference = (
                2 if self.stale else int(not self.source.local),
                -attributes.local_pref,
                attributes.as_path_length,
                attributes.origin,
            )
        return self._preference

    @property
    def tie_break(self) -> "TieBreak":
        """Smaller is better: the steps after MED, RFC 4456 9 included."""
        if self._tie_break is None:
            attributes, source = self.attributes, self.source
            self._tie_break = (
                source.internal,
                attributes.originator_id or source.router_id,
                len(attributes.cluster_list),
                *source.rank,
                # Of one peer's paths: identifiers mean nothing (RFC 7911 3), next hops do.
                self.next_hop,
                self.place.index,
            )
        return self._tie_break

    @property
    def wire_bytes(self) -> int:
        """Octets of the attributes as they are sent on."""
        return len(self._wire)

    @property
    def outgrown(self) -> bool:
        """Whether it doesn't fit a message, so that at most peers with extended ones are told."""
        if len(self._wire) < _SMALL_BYTES:
            return False
        told = Audience.usual_size(self.audience)
        return told == Audience.NOBODY and self._told() != Audience.NOBODY

    def write(self, prefixes: list[bytes], form: Form, own_next_hop: bytes = b"") -> bytes:
        """Write the UPDATEs that announce prefixes with this path.

        Args:
            prefixes: At least one.
            form: In which the receivers are told.
            own_next_hop: For a local path: our address towards the receiver.
        """
        if self.source.local:
            wire, next_hop = self._originated(own_next_hop), own_next_hop
            if not form.usual:
                wire = self._rewritten(wire, form)
        else:
            wire, next_hop = self._wire, self.next_hop
            if not form.usual:
                wire = self._in_form(form)
        return write_announcements(self.family, wire, next_hop, prefixes, form.most_bytes)

    def has_room(self, form: Form, octets: int) -> bool:
        """Whether a message in some form has room for a prefix behind so many more octets."""
        if len(self._wire) < _SMALL_BYTES:
            return True
        wire = self._wire if form.usual else self._in_form(form)
        room = announcement_room(self.family, wire, self.next_hop, form.most_bytes)
        return room >= _LONGEST_PREFIX[self.family.afi] + octets

    def is_served_to(self, kind: int) -> bool:
        """Whether peers of a kind are told of it as by a route server: as it came (RFC 7947)."""
        return kind == self.source.kind == Audience.SERVED

    def _in_form(self, form: Form) -> bytes:
        """The attributes in another form than the usual one, rewritten once."""
        if self._forms is None:
            self._forms = {}
        wire = self._forms.get(form)
        if wire is None:
            wire = self._forms[form] = self._rewritten(self._wire, form)
        return wire

    def _rewritten(self, wire: bytes, form: Form) -> bytes:
        if form.kind & Audience.OUTSIDE:
            if self.is_served_to(form.kind):
                wire = without_internal(wire)
            else:
                wire = for_external(wire, form.local_as)
        return wire if form.as4 else narrow(wire)

    def _told(self) -> int:
        """Who may be told of it, if it fits a message."""
        attributes, source = self.attributes, self.source
        told = source.told
        if attributes.no_export or attributes.no_advertise:
            told &= Audience.NOBODY if attributes.no_advertise else Audience.INTERNAL
            # RFC 7947 2.2.4: communities between clients of a route server are not for it to read.
            told |= source.kind & Audience.SERVED
        return told

    def _audience(self) -> int:
        told = self._told()
        if self.stale:
            return Audience.long_lived(self._sized(told))
        if not told or len(self._wire) < _SMALL_BYTES:
            return Audience.any_form(told)
        sized = self._sized(told)
        return sized | Audience.long_lived(sized)

    def _sized(self, told: int) -> int:
        """Who of those that may be told can be, in messages as large as each takes."""
        larger = self._fitting(told, MAX_EXTENDED_MESSAGE_BYTES)
        return self._fitting(told, MAX_MESSAGE_BYTES) | Audience.extended(larger)

    def _fitting(self, told: int, most_bytes: int) -> int:
        """Who of those that may be told can be, in messages of so many octets."""
        # For external peers it gets no longer: what they aren't told is more than our AS number.
        least = _LONGEST_PREFIX[self.family.afi]
        room = announcement_room(self.family, self._wire, self.next_hop, most_bytes)
        # The two-octet form repeats the path in AS4_PATH: at most two thirds more and two headers.
        # It is made this early only where that could be too much.
        if room - len(self._wire) * 2 // 3 - 16 >= least:
            return told | Audience.as2(told)
        audience = told if room >= least else Audience.NOBODY
        for kinds, wire in (
            (Audience.INTERNAL, self._wire),
            (Audience.OUTSIDE, for_external(self._wire, _LARGEST_AS)),
        ):
            if announcement_room(self.family, narrow(wire), self.next_hop, most_bytes) >= least:
                audience |= Audience.as2(told & kinds)
        return audience

    def _for_internal(self, cluster_id: bytes) -> bytes:
        """The attributes as internal peers are told of them.

        What an internal peer said is reflected: ORIGINATOR_ID is set if it is absent, and our id is
        prepended to CLUSTER_LIST (RFC 4456 8).
        """
        attributes, source = self.attributes, self.source
        next_hop = self._next_hop(self.next_hop)
        if not source.internal:
            return attributes.ahead + next_hop + attributes.middle + attributes.behind
        reflected = _reflected(
            attributes.originator_id or source.router_id, cluster_id + attributes.cluster_list
        )
        return attributes.ahead + next_hop + attributes.middle + reflected + attributes.behind

    def _originated(self, own_next_hop: bytes) -> bytes:
        attributes = self.attributes
        return attributes.ahead + self._next_hop(own_next_hop) + attributes.middle

    def _next_hop(self, next_hop: bytes) -> bytes:
        if self.family is not IPV4_UNICAST:
            return b""
        return _NEXT_HOP_HEAD + next_hop


class Contest:
    """Several paths of a prefix, at most one a place, and the best. Immutable and shared.

    Attributes:
        paths: In the order in which they came.
        best: What the decision process chose.
    """

    __slots__ = ("best", "paths")

    def __init__(self, paths: tuple[Path, ...], best: Path) -> None:
        self.paths = paths
        self.best = best


# What a prefix has: mostly one path, which then stands for itself. (An object that held it and was
# held by it would be a cycle, and cycles are what makes Python's garbage collector worth running.)
Candidates = Path | Contest


@lru_cache(maxsize=4096)
def _reflected(originator_id: bytes, cluster_list: bytes) -> bytes:
    """ORIGINATOR_ID and CLUSTER_LIST, which are the same for nearly all paths of a source."""
    return (
        _ORIGINATOR_ID_HEAD
        + originator_id
        + encode_attribute(AttributeFlag.OPTIONAL, AttributeCode.CLUSTER_LIST, cluster_list)
    )


def local_attributes(local_pref: int) -> PathAttributes:
    """Attributes of a route that we originate: ORIGIN IGP, empty AS_PATH, and a LOCAL_PREF."""
    well_known = AttributeFlag.TRANSITIVE
    return PathAttributes(
        ahead=encode_attribute(well_known, AttributeCode.ORIGIN, b"\0")
        + encode_attribute(well_known, AttributeCode.AS_PATH, b""),
        middle=encode_attribute(well_known, AttributeCode.LOCAL_PREF, local_pref.to_bytes(4)),
        local_pref=local_pref,
    )
