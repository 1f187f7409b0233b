"""Path attributes at byte level: split, judged by RFC 7606, and made ready to be sent on.

Each distinct block of attributes is judged once; its outcome is remembered by whoever calls. What
passes untouched stays as the bytes it came in. Only what the decision process and reflection need
is read out.
"""

from dataclasses import dataclass
from struct import unpack_from
from typing import Final

from reflector.bgp.errors import Action, Finding, SessionError
from reflector.bgp.vocabulary import (
    AttributeCode,
    AttributeFlag,
    Community,
    ErrorCode,
    SegmentType,
    UpdateSubcode,
)

_KIND: Final = AttributeFlag.OPTIONAL | AttributeFlag.TRANSITIVE
_WELL_KNOWN: Final = AttributeFlag.TRANSITIVE
_OPTIONAL: Final = AttributeFlag.OPTIONAL
_BOTH: Final = AttributeFlag.OPTIONAL | AttributeFlag.TRANSITIVE

# For each attribute with a fixed unit: name, Optional and Transitive bits, octets per unit,
# whether it holds exactly one unit, what a wrong length costs, and the clause that says so.
_RULES: Final = {
    AttributeCode.ORIGIN: ("ORIGIN", _WELL_KNOWN, 1, True, Action.WITHDRAW, "7.1"),
    AttributeCode.NEXT_HOP: ("NEXT_HOP", _WELL_KNOWN, 4, True, Action.WITHDRAW, "7.3"),
    AttributeCode.MULTI_EXIT_DISC: (
        "MULTI_EXIT_DISC", _OPTIONAL, 4, True, Action.WITHDRAW, "7.4",
    ),
    AttributeCode.LOCAL_PREF: ("LOCAL_PREF", _WELL_KNOWN, 4, True, Action.WITHDRAW, "7.5"),
    AttributeCode.ATOMIC_AGGREGATE: (
        "ATOMIC_AGGREGATE", _WELL_KNOWN, 0, True, Action.DISCARD, "7.6",
    ),
    AttributeCode.AGGREGATOR: ("AGGREGATOR", _BOTH, 8, True, Action.DISCARD, "7.7"),
    AttributeCode.COMMUNITIES: ("COMMUNITIES", _BOTH, 4, False, Action.WITHDRAW, "7.8"),
    AttributeCode.ORIGINATOR_ID: ("ORIGINATOR_ID", _OPTIONAL, 4, True, Action.WITHDRAW, "7.9"),
    AttributeCode.CLUSTER_LIST: ("CLUSTER_LIST", _OPTIONAL, 4, False, Action.WITHDRAW, "7.10"),
    AttributeCode.EXTENDED_COMMUNITIES: (
        "EXTENDED_COMMUNITIES", _BOTH, 8, False, Action.WITHDRAW, "7.14",
    ),
    AttributeCode.LARGE_COMMUNITIES: (
        "LARGE_COMMUNITIES", _BOTH, 12, False, Action.WITHDRAW, "RFC 8092 6",
    ),
}  # fmt: skip

_MAX_ORIGIN: Final = 2
DEFAULT_LOCAL_PREF: Final = 100


@dataclass(slots=True, eq=False)
class PathAttributes:
    """A judged block of path attributes, next hop of MP_REACH_NLRI excluded.

    `ahead`, `middle` and `behind` are the attributes to send on, in the order of their type
    codes, with NEXT_HOP between the first two and ORIGINATOR_ID and CLUSTER_LIST between the last
    two left out: those are put in for each path.

    Attributes:
        next_hop: The NEXT_HOP attribute's four octets, empty where it is absent.
        origin: 0 IGP, 1 EGP, 2 INCOMPLETE.
        as_path_length: As RFC 4271 9.1.2.2 a counts it: an AS_SET is one.
        neighbor_as: The AS from which the route came into ours, 0 where AS_PATH is empty.
        local_pref: LOCAL_PREF.
        med: MULTI_EXIT_DISC, 0 where it is absent (RFC 4271 9.1.2.2 c).
        originator_id: Four octets, empty where it is absent.
        cluster_list: Cluster ids packed, empty where it is absent.
        no_advertise: The community NO_ADVERTISE is set (RFC 1997).
        findings: What was wrong with it. Its strongest action says what becomes of the routes.
    """

    ahead: bytes = b""
    middle: bytes = b""
    behind: bytes = b""
    next_hop: bytes = b""
    origin: int = 0
    as_path_length: int = 0
    neighbor_as: int = 0
    local_pref: int = DEFAULT_LOCAL_PREF
    med: int = 0
    originator_id: bytes = b""
    cluster_list: bytes = b""
    no_advertise: bool = False
    findings: tuple[Finding, ...] = ()

    @property
    def refused(self) -> str:
        """Why the routes may not be used, in words; empty where they may (RFC 7606 3 h)."""
        for finding in self.findings:
            if finding.action is not Action.DISCARD:
                return finding.reason
        return ""


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges blocks of path attributes for one speaker.

    Args:
        asn: Our AS number.
        router_id: Our BGP identifier, four octets.
        cluster_id: Our cluster id, four octets.
    """

    asn: int
    router_id: bytes
    cluster_id: bytes

    def judge(self, block: bytes) -> PathAttributes:
        """Judge a block that holds neither MP_REACH_NLRI nor MP_UNREACH_NLRI.

        Args:
            block: Path attributes with 4-octet AS numbers.

        Returns:
            The judged attributes; `refused` says whether routes may use them.

        Raises:
            SessionError: 3/2 on an unrecognised well-known attribute (RFC 4271 6.3).
        """
        reading = _Reading(self)
        reading.read(block)
        return reading.finish()


class _Reading:
    """One pass over a block: collects what to send on, what to decide by, and what is wrong."""

    __slots__ = ("_findings", "_judge", "_kept", "_result", "_seen")

    def __init__(self, judge: Judge) -> None:
        self._judge = judge
        self._result = PathAttributes()
        self._findings: list[Finding] = []
        self._kept: list[tuple[int, bytes]] = []
        self._seen: set[int] = set()

    def read(self, block: bytes) -> None:
        position, end = 0, len(block)
        seen = self._seen
        while position < end:
            flags, code, start, stop = locate(block, position)
            if stop > end:
                # RFC 7606 4: the routes go, the session stays: where the NLRI begins is known
                # from the Total Path Attribute Length.
                self._refuse("an attribute runs past the end of the attributes (RFC 7606 4)")
                return
            if code in seen:
                self._discard(f"attribute {code} appears twice (RFC 7606 3 g)")
            else:
                seen.add(code)
                value = block[start:stop]
                if self._accept(flags, code, value):
                    self._keep(flags, code, block[position:stop])
            position = stop

    def finish(self) -> PathAttributes:
        result, kept = self._result, self._kept
        kept.sort()
        result.ahead = b"".join([tlv for code, tlv in kept if code < AttributeCode.NEXT_HOP])
        result.middle = b"".join(
            [
                tlv
                for code, tlv in kept
                if AttributeCode.NEXT_HOP < code < AttributeCode.ORIGINATOR_ID
            ]
        )
        result.behind = b"".join([tlv for code, tlv in kept if code > AttributeCode.CLUSTER_LIST])
        # RFC 7606 3 d; LOCAL_PREF is mandatory between internal peers (RFC 4271 5).
        for code, name in _MANDATORY:
            if code not in self._seen:
                self._refuse(f"{name} is missing (RFC 7606 3 d)")
        result.findings = tuple(self._findings)
        return result

    def _keep(self, flags: int, code: int, tlv: bytes) -> None:
        """Remember an attribute to send on, with the flags that RFC 4271 4.3 wants of a sender."""
        sent = flags & ~0x0F
        if code not in _RULES and code != AttributeCode.AS_PATH:
            # RFC 4271 5: an unrecognised optional transitive attribute is passed on as Partial.
            sent |= AttributeFlag.PARTIAL
        elif flags & _KIND != _BOTH:
            sent &= ~AttributeFlag.PARTIAL
        if sent != flags:
            tlv = bytes((sent,)) + tlv[1:]
        self._kept.append((code, tlv))

    def _accept(self, flags: int, code: int, value: bytes) -> bool:
        """Judge one attribute and read what is needed of it; whether to send it on."""
        rule = _RULES.get(code)
        if rule is None:
            if code == AttributeCode.AS_PATH:
                return self._accept_as_path(flags, value)
            return self._accept_unknown(flags, code, value)
        name, kind, unit, single, action, clause = rule
        if flags & _KIND != kind:
            self._refuse(f"{name} has the wrong flags 0x{flags:02x} (RFC 7606 3 c)")
            return False
        length = len(value)
        if length != unit if single else (not length or length % unit):
            self._findings.append(
                Finding(action, f"{name} has a length of {length} (RFC 7606 {clause})")
            )
            return False
        return self._take(code, value)

    def _take(self, code: int, value: bytes) -> bool:
        """Read the value of a well-formed attribute; whether to send it on as it stands."""
        result, judge = self._result, self._judge
        match code:
            case AttributeCode.ORIGIN:
                result.origin = value[0]
                if value[0] > _MAX_ORIGIN:
                    self._refuse(f"ORIGIN has the undefined value {value[0]} (RFC 7606 7.1)")
            case AttributeCode.LOCAL_PREF:
                result.local_pref = int.from_bytes(value)
            case AttributeCode.MULTI_EXIT_DISC:
                result.med = int.from_bytes(value)
            case AttributeCode.NEXT_HOP:
                result.next_hop = value
                return False
            case AttributeCode.ORIGINATOR_ID:
                result.originator_id = value
                if value == judge.router_id:
                    self._exclude("it began here: ORIGINATOR_ID is our router id (RFC 4456 8)")
                return False
            case AttributeCode.CLUSTER_LIST:
                result.cluster_list = value
                if _contains(value, judge.cluster_id):
                    self._exclude("it was reflected here: CLUSTER_LIST has our id (RFC 4456 8)")
                return False
            case AttributeCode.COMMUNITIES:
                result.no_advertise = _contains(value, Community.NO_ADVERTISE)
            case AttributeCode.AGGREGATOR:
                if value[:4] == b"\0\0\0\0":
                    self._discard("AGGREGATOR names AS 0 (RFC 7607 2)")
                    return False
        return True

    def _accept_as_path(self, flags: int, value: bytes) -> bool:
        if flags & _KIND != _WELL_KNOWN:
            self._refuse(f"AS_PATH has the wrong flags 0x{flags:02x} (RFC 7606 3 c)")
            return False
        length, first = 0, 0
        position, end = 0, len(value)
        while position < end:
            count = value[position + 1] if position + 1 < end else 0
            stop = position + 2 + 4 * count
            # RFC 7606 7.2. Confederation segments are an error outside of one (RFC 5065 5).
            if value[position] not in _SEGMENTS or not count or stop > end:
                self._refuse("AS_PATH is malformed (RFC 7606 7.2)")
                return False
            numbers = unpack_from(f">{count}I", value, position + 2)
            if 0 in numbers:
                self._refuse("AS_PATH names AS 0 (RFC 7607 2)")
                return False
            if self._judge.asn in numbers:
                self._exclude(f"AS_PATH holds our own AS {self._judge.asn} (RFC 4271 9.1.2)")
            if value[position] == SegmentType.AS_SEQUENCE:
                length += count
                if not position:
                    first = numbers[0]
            else:
                length += 1
            position = stop
        self._result.as_path_length = length
        self._result.neighbor_as = first
        return True

    def _accept_unknown(self, flags: int, code: int, value: bytes) -> bool:
        if not flags & AttributeFlag.OPTIONAL:
            raise SessionError(
                ErrorCode.UPDATE_MESSAGE,
                UpdateSubcode.UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE,
                f"attribute {code} claims to be well-known and isn't (RFC 4271 6.3)",
                encode_attribute(flags, code, value),
            )
        if code in (AttributeCode.AS4_PATH, AttributeCode.AS4_AGGREGATOR):
            self._discard(f"attribute {code} from a 4-octet AS speaker (RFC 6793 6)")
            return False
        # RFC 4271 9: an unrecognised optional non-transitive attribute is quietly ignored.
        return bool(flags & AttributeFlag.TRANSITIVE)

    def _refuse(self, reason: str) -> None:
        self._findings.append(Finding(Action.WITHDRAW, reason))

    def _exclude(self, reason: str) -> None:
        self._findings.append(Finding(Action.EXCLUDE, reason))

    def _discard(self, reason: str) -> None:
        self._findings.append(Finding(Action.DISCARD, reason))


_SEGMENTS: Final = (SegmentType.AS_SET, SegmentType.AS_SEQUENCE)
_MANDATORY: Final = (
    (AttributeCode.ORIGIN, "ORIGIN"),
    (AttributeCode.AS_PATH, "AS_PATH"),
    (AttributeCode.LOCAL_PREF, "LOCAL_PREF"),
)


def locate(block: bytes, position: int) -> tuple[int, int, int, int]:
    """Find an attribute's parts.

    Args:
        block: Path attributes.
        position: Where the attribute begins.

    Returns:
        Flags, type code, where its value starts and stops. A stop past the end of the block says
        that the attribute does not fit.
    """
    header = block[position : position + 4]
    if len(header) < 3:  # noqa: PLR2004 - flags, type, one octet of length
        return header[0], 0, 0, len(block) + 1
    if not header[0] & AttributeFlag.EXTENDED_LENGTH:
        start = position + 3
        return header[0], header[1], start, start + header[2]
    if len(header) < 4:  # noqa: PLR2004 - the second octet of length
        return header[0], header[1], 0, len(block) + 1
    start = position + 4
    return header[0], header[1], start, start + (header[2] << 8 | header[3])


def encode_attribute(flags: int, code: int, value: bytes) -> bytes:
    """Encode one attribute, with Extended Length exactly where it is needed (RFC 4271 4.3)."""
    if len(value) > 0xFF:  # noqa: PLR2004 - one octet of length
        flags |= AttributeFlag.EXTENDED_LENGTH
        return bytes((flags, code)) + len(value).to_bytes(2) + value
    return bytes((flags & ~AttributeFlag.EXTENDED_LENGTH, code, len(value))) + value


def usable_ipv4_next_hop(next_hop: bytes) -> bool:
    """Whether four octets are a host's address (RFC 4271 6.3).

    GoBGP, and so kube-router, resets its session on 0/8, 127/8 and 224.0.0.0 and beyond: one
    such route reflected would drop the whole class.
    """
    return len(next_hop) == 4 and 0 < next_hop[0] < 0xE0 and next_hop[0] != 0x7F  # noqa: PLR2004


def _contains(packed: bytes, item: bytes) -> bool:
    """Whether a list of four-octet items holds one, looking only where items begin."""
    return item in packed and any(packed[i : i + 4] == item for i in range(0, len(packed), 4))
