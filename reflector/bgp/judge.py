"""Blocks of path attributes, judged by RFC 7606 at byte level and made ready to be sent on.

Each distinct block of attributes is judged once; its outcome is remembered by whoever calls. What
passes untouched stays as the bytes it came in. Only what the decision process and reflection need
is read out.
"""

from collections.abc import Callable, Container
from dataclasses import dataclass
from operator import itemgetter
from struct import unpack_from
from typing import Final

from reflector.bgp.attributes import (
    DEFAULT_LOCAL_PREF,
    PathAttributes,
    encode_attribute,
    locate,
    usable_ipv4_next_hop,
)
from reflector.bgp.errors import Action, Finding, SessionError
from reflector.bgp.foreign import FOREIGN, judge_foreign
from reflector.bgp.usual import read_usual
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

# Bits that no attribute has: those of one that only internal peers may send.
_INTERNAL_ONLY: Final = -1

_MAX_ORIGIN: Final = 2
# RFC 1997: communities that everybody knows begin with these octets.
_WELL_KNOWN_COMMUNITIES: Final = b"\xff\xff"

# What the loop over a block compares with, out of its class for speed.
_MULTIPROTOCOL: Final = (AttributeCode.MP_REACH_NLRI, AttributeCode.MP_UNREACH_NLRI)
_EXTENDED_LENGTH: Final = AttributeFlag.EXTENDED_LENGTH


@dataclass(frozen=True, slots=True)
class Judge:
    """Judges blocks of path attributes for one speaker.

    Args:
        asn: Our AS number.
        router_id: Our BGP identifier, four octets.
        cluster_id: Our cluster id, four octets.
        external: Whether the blocks come from external peers.
    """

    asn: int
    router_id: bytes
    cluster_id: bytes
    external: bool = False

    def judge(self, block: bytes) -> PathAttributes | None:
        """Judge a block of path attributes with 4-octet AS numbers.

        Args:
            block: As received, or without what `multiprotocol.take_apart` took out.

        Returns:
            The judged attributes; `refused` says whether routes may use them. None where the
            block holds MP_REACH_NLRI or MP_UNREACH_NLRI, which must be taken out first.

        Raises:
            SessionError: 3/2 on an unrecognised well-known attribute (RFC 4271 6.3).
        """
        usual = None
        if not self.external:
            usual = read_usual(block, self.asn, self.router_id, self.cluster_id)
        return usual or self.judge_closely(block)

    def judge_closely(self, block: bytes) -> PathAttributes | None:
        """Judge a block attribute by attribute; otherwise as `judge`."""
        return _Reading(self).read(block)


class _Reading:
    """One pass over a block: collects what to send on, what to decide by, and what is wrong."""

    __slots__ = ("_distinct_large", "_findings", "_kept", "judge", "result")

    def __init__(self, judge: Judge) -> None:
        self.judge = judge
        self.result = PathAttributes()
        self._findings: list[Finding] = []
        # LARGE_COMMUNITIES without repetitions, where it came with some.
        self._distinct_large = b""
        # Attributes to send on: before NEXT_HOP, before ORIGINATOR_ID, and after CLUSTER_LIST.
        self._kept: tuple[list[bytes], list[bytes], list[bytes]] = ([], [], [])

    def read(self, block: bytes) -> PathAttributes | None:  # noqa: C901 - the hot loop, unrolled
        """Read a block whose attributes are in the order of their codes, as RFC 4271 5 wants."""
        kept = self._kept
        rules = _EXTERNAL_RULES if self.judge.external else _RULES
        position, end, last, seen = 0, len(block), -1, 0
        while position < end:
            if position + 3 > end:
                self._overrun()
                break
            flags, code, length = block[position : position + 3]
            start = position + 3
            if flags & _EXTENDED_LENGTH:
                length = length << 8 | (block[start] if start < end else end)
                start += 1
            stop = start + length
            if code in _MULTIPROTOCOL:
                return None
            if stop > end:
                self._overrun()
                break
            if code > last:
                # The common case: a known attribute as its RFC wants it.
                rule = rules.get(code)
                value = block[start:stop]
                if rule is not None and flags == rule.kind and rule.fits(length):
                    if rule.take is None or rule.take(self, value):
                        kept[rule.place].append(block[position:stop])
                elif rule is None and not (flags & AttributeFlag.OPTIONAL or code in _RECOGNISED):
                    raise _unrecognised(code, block[position:stop])
                elif self._accept(flags, code, value, rule):
                    tlv = bytes((_flags_to_send(flags, code),)) + block[position + 1 : stop]
                    kept[_place(code)].append(tlv)
                last = code
                seen |= 1 << code
            elif code < last:
                return _Reading(self.judge).read(_in_order(block))
            else:
                self.discard(f"attribute {code} appears twice (RFC 7606 3 g)")
            position = stop
        return self._finish(seen)

    def _finish(self, seen: int) -> PathAttributes:
        result = self.result
        ahead, middle, behind = self._kept
        if self.judge.external:
            # RFC 4271 5.1.5: what internal peers are told of it has a LOCAL_PREF, and it is ours.
            behind_med = bool(middle) and middle[0][1] == AttributeCode.MULTI_EXIT_DISC
            middle.insert(behind_med, _LOCAL_PREF)
            seen |= 1 << AttributeCode.LOCAL_PREF
        if self._distinct_large:
            large = AttributeCode.LARGE_COMMUNITIES
            behind = [
                encode_attribute(tlv[0], large, self._distinct_large) if tlv[1] == large else tlv
                for tlv in behind
            ]
        result.ahead = b"".join(ahead)
        result.middle = b"".join(middle)
        result.behind = b"".join(behind)
        if self._findings:
            result.malformed = any(f.action is Action.WITHDRAW for f in self._findings)
        if seen & _MANDATORY_BITS != _MANDATORY_BITS:
            # RFC 7606 3 d; LOCAL_PREF is mandatory between internal peers (RFC 4271 5).
            missing = [name for code, name in _MANDATORY.items() if not seen >> code & 1]
            self.refuse(f"{' and '.join(missing)} missing (RFC 7606 3 d)")
        if self._findings:
            # Each once: twenty thousand empty attributes of one code fit an extended message, and
            # what is found is remembered with the block.
            result.findings = tuple(dict.fromkeys(self._findings))
        result.plain = not self._findings and usable_ipv4_next_hop(result.next_hop)
        return result

    def _accept(self, flags: int, code: int, value: bytes, rule: "_Rule | None") -> bool:
        """Judge an attribute that is not as usual; whether to send it on."""
        if rule is None:
            return self._accept_unknown(flags, code, value)
        if rule.kind == _INTERNAL_ONLY:
            self.discard(f"{rule.name} from an external peer ({rule.clause})")
            return False
        if flags & _KIND != rule.kind:
            reason = f"{rule.name} has the wrong flags 0x{flags:02x} (RFC 7606 3 c)"
            self.refuse(reason, UpdateSubcode.ATTRIBUTE_FLAGS_ERROR, code)
            return False
        if not rule.fits(len(value)):
            reason = f"{rule.name} has a length of {len(value)} ({rule.clause})"
            subcode = UpdateSubcode.ATTRIBUTE_LENGTH_ERROR
            self._findings.append(Finding(rule.action, reason, subcode, code))
            return False
        return True if rule.take is None else rule.take(self, value)

    def _accept_unknown(self, flags: int, code: int, value: bytes) -> bool:
        if code in (AttributeCode.AS4_PATH, AttributeCode.AS4_AGGREGATOR):
            self.discard(f"attribute {code} from a 4-octet AS speaker (RFC 6793 6)")
            return False
        finding = judge_foreign(flags, code, value)
        if finding is not None:
            self._findings.append(finding)
            return False
        # RFC 4271 9: an unrecognised non-transitive one is quietly ignored.
        return bool(flags & AttributeFlag.TRANSITIVE)

    def _overrun(self) -> None:
        # RFC 7606 4: the routes go, the session stays: where the NLRI begins is known from the
        # Total Path Attribute Length.
        self.refuse("an attribute runs past the end of the attributes (RFC 7606 4)")

    def shorten_large_communities(self, distinct: bytes) -> None:
        """LARGE_COMMUNITIES is sent on without repetitions."""
        self._distinct_large = distinct

    def refuse(
        self,
        reason: str,
        subcode: UpdateSubcode = UpdateSubcode.MALFORMED_ATTRIBUTE_LIST,
        attribute: int = 0,
    ) -> None:
        """The routes are treated as withdrawn: the attribute is malformed."""
        self._findings.append(Finding(Action.WITHDRAW, reason, subcode, attribute))

    def exclude(self, reason: str) -> None:
        """The routes must not be used: they would make a loop."""
        self._findings.append(Finding(Action.EXCLUDE, reason))

    def discard(self, reason: str) -> None:
        """Only the attribute is lost."""
        self._findings.append(Finding(Action.DISCARD, reason))


# What is read of a well-formed attribute: each returns whether it is sent on as it stands.


def _take_origin(reading: _Reading, value: bytes) -> bool:
    reading.result.origin = value[0]
    if value[0] > _MAX_ORIGIN:
        reason = f"ORIGIN has the undefined value {value[0]} (RFC 7606 7.1)"
        reading.refuse(reason, UpdateSubcode.INVALID_ORIGIN, AttributeCode.ORIGIN)
    return True


def _take_as_path(reading: _Reading, value: bytes) -> bool:
    result = reading.result
    position, end = 0, len(value)
    while position < end:
        count = value[position + 1] if position + 1 < end else 0
        stop = position + 2 + 4 * count
        # RFC 7606 7.2. Confederation segments are an error outside of one (RFC 5065 5).
        if value[position] not in _SEGMENTS or not count or stop > end:
            reading.refuse("AS_PATH is malformed (RFC 7606 7.2)", UpdateSubcode.MALFORMED_AS_PATH)
            return False
        numbers = unpack_from(f">{count}I", value, position + 2)
        if 0 in numbers:
            reading.refuse("AS_PATH names AS 0 (RFC 7607 2)", UpdateSubcode.MALFORMED_AS_PATH)
            return False
        if reading.judge.asn in numbers:
            reading.exclude(f"AS_PATH holds our own AS {reading.judge.asn} (RFC 4271 9.1.2)")
        if value[position] == SegmentType.AS_SEQUENCE:
            result.as_path_length += count
            if not position:
                result.neighbor_as = numbers[0]
        else:
            result.as_path_length += 1
        position = stop
    return True


def _take_next_hop(reading: _Reading, value: bytes) -> bool:
    reading.result.next_hop = value
    return False


def _take_med(reading: _Reading, value: bytes) -> bool:
    reading.result.med = int.from_bytes(value)
    return True


def _take_local_pref(reading: _Reading, value: bytes) -> bool:
    reading.result.local_pref = int.from_bytes(value)
    return True


def _take_aggregator(reading: _Reading, value: bytes) -> bool:
    if value[:4] == b"\0\0\0\0":
        reading.discard("AGGREGATOR names AS 0 (RFC 7607 2)")
        return False
    return True


def _take_communities(reading: _Reading, value: bytes) -> bool:
    if _WELL_KNOWN_COMMUNITIES in value:
        result = reading.result
        result.no_advertise = _contains(value, Community.NO_ADVERTISE)
        result.graceful_shutdown = _contains(value, Community.GRACEFUL_SHUTDOWN)
        result.no_export = _contains(value, Community.NO_EXPORT) or _contains(
            value, Community.NO_EXPORT_SUBCONFED
        )
    return True


def _take_large_communities(reading: _Reading, value: bytes) -> bool:
    distinct = dict.fromkeys([value[i : i + 12] for i in range(0, len(value), 12)])
    if 12 * len(distinct) != len(value):
        reading.shorten_large_communities(b"".join(distinct))  # RFC 8092 3
    return True


def _take_originator_id(reading: _Reading, value: bytes) -> bool:
    reading.result.originator_id = value
    if value == reading.judge.router_id:
        reading.exclude("it began here: ORIGINATOR_ID is our router id (RFC 4456 8)")
    return False


def _take_cluster_list(reading: _Reading, value: bytes) -> bool:
    reading.result.cluster_list = value
    if _contains(value, reading.judge.cluster_id):
        reading.exclude("it was reflected here: CLUSTER_LIST has our id (RFC 4456 8)")
    return False


class _Rule:
    """What an attribute must look like, and what its violation costs.

    Args:
        code: Its type code.
        name: As the RFCs write it.
        kind: Its Optional and Transitive bits.
        lengths: Which lengths of its value are right.
        action: What a wrong length costs.
        clause: Which says so.
        take: Reads its value; whether the attribute is sent on as it stands.
    """

    __slots__ = ("action", "clause", "fits", "kind", "name", "place", "take")

    def __init__(
        self,
        code: int,
        name: str,
        kind: int,
        lengths: Container[int],
        action: Action,
        clause: str,
        take: Callable[[_Reading, bytes], bool] | None = None,
    ) -> None:
        self.name = name
        self.kind = kind
        self.fits = lengths.__contains__
        self.action = action
        self.clause = clause
        self.take = take
        self.place = _place(code)


def _place(code: int) -> int:
    """Where an attribute is kept: see `_Reading`."""
    return (code > AttributeCode.NEXT_HOP) + (code > AttributeCode.ORIGINATOR_ID)


def _items(unit: int) -> range:
    """Lengths of a list of items, at least one."""
    return range(unit, 1 << 16, unit)


_W: Final = Action.WITHDRAW
_D: Final = Action.DISCARD
_ANY: Final = range(1 << 16)
_RULES: Final = {
    1: _Rule(1, "ORIGIN", _WELL_KNOWN, (1,), _W, "RFC 7606 7.1", _take_origin),
    2: _Rule(2, "AS_PATH", _WELL_KNOWN, _ANY, _W, "RFC 7606 7.2", _take_as_path),
    3: _Rule(3, "NEXT_HOP", _WELL_KNOWN, (4,), _W, "RFC 7606 7.3", _take_next_hop),
    4: _Rule(4, "MULTI_EXIT_DISC", _OPTIONAL, (4,), _W, "RFC 7606 7.4", _take_med),
    5: _Rule(5, "LOCAL_PREF", _WELL_KNOWN, (4,), _W, "RFC 7606 7.5", _take_local_pref),
    6: _Rule(6, "ATOMIC_AGGREGATE", _WELL_KNOWN, (0,), _D, "RFC 7606 7.6"),
    7: _Rule(7, "AGGREGATOR", _BOTH, (8,), _D, "RFC 7606 7.7", _take_aggregator),
    8: _Rule(8, "COMMUNITIES", _BOTH, _items(4), _W, "RFC 7606 7.8", _take_communities),
    9: _Rule(9, "ORIGINATOR_ID", _OPTIONAL, (4,), _W, "RFC 7606 7.9", _take_originator_id),
    10: _Rule(10, "CLUSTER_LIST", _OPTIONAL, _items(4), _W, "RFC 7606 7.10", _take_cluster_list),
    16: _Rule(16, "EXTENDED_COMMUNITIES", _BOTH, _items(8), _W, "RFC 7606 7.14"),
    25: _Rule(25, "IPV6_EXTENDED_COMMUNITIES", _BOTH, _items(20), _W, "RFC 7606 7.15"),
    32: _Rule(
        32, "LARGE_COMMUNITIES", _BOTH, _items(12), _W, "RFC 8092 6", _take_large_communities
    ),
}

# From external peers, whatever these look like: RFC 7606 has them discarded unread.
_EXTERNAL_RULES: Final = _RULES | {
    code: _Rule(code, _RULES[code].name, _INTERNAL_ONLY, _ANY, _D, _RULES[code].clause)
    for code in (
        AttributeCode.LOCAL_PREF,
        AttributeCode.ORIGINATOR_ID,
        AttributeCode.CLUSTER_LIST,
    )
}

# Without a rule, and yet known: wrong flags do not make them unrecognised.
_RECOGNISED: Final = FOREIGN | {AttributeCode.AS4_PATH, AttributeCode.AS4_AGGREGATOR}


def _unrecognised(code: int, attribute: bytes) -> SessionError:
    """RFC 4271 6.3: the data is the attribute as it came."""
    return SessionError(
        ErrorCode.UPDATE_MESSAGE,
        UpdateSubcode.UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE,
        f"attribute {code} claims to be well-known and isn't (RFC 4271 6.3)",
        attribute,
    )


def _flags_to_send(flags: int, code: int) -> int:
    """The flags that RFC 4271 4.3 wants of a sender, for an attribute that was accepted."""
    if code not in _RULES:
        # RFC 4271 5: an unrecognised optional transitive attribute is passed on as Partial.
        return flags & 0xF0 | AttributeFlag.PARTIAL
    # Only optional transitive attributes may be partial; the low four bits are zero.
    return flags & (0xF0 if flags & _KIND == _BOTH else 0xD0)


def _in_order(block: bytes) -> bytes:
    """A block with its attributes in the order of their codes; of equal ones the first stays first.

    What runs past the end stays at the end, to be found there.
    """
    attributes: list[tuple[int, bytes]] = []
    position = 0
    while position < len(block):
        _, code, _, stop = locate(block, position)
        if stop > len(block):
            code = 0x100
        attributes.append((code, block[position:stop]))
        position = stop
    attributes.sort(key=itemgetter(0))
    return b"".join([tlv for _, tlv in attributes])


_SEGMENTS: Final = (SegmentType.AS_SET, SegmentType.AS_SEQUENCE)
_MANDATORY: Final = {
    AttributeCode.ORIGIN: "ORIGIN",
    AttributeCode.AS_PATH: "AS_PATH",
    AttributeCode.LOCAL_PREF: "LOCAL_PREF",
}
_MANDATORY_BITS: Final = sum(1 << code for code in _MANDATORY)


_LOCAL_PREF: Final = encode_attribute(
    _WELL_KNOWN, AttributeCode.LOCAL_PREF, DEFAULT_LOCAL_PREF.to_bytes(4)
)


def _contains(packed: bytes, item: bytes) -> bool:
    """Whether a list of four-octet items holds one, looking only where items begin."""
    return item in packed and any(packed[i : i + 4] == item for i in range(0, len(packed), 4))
