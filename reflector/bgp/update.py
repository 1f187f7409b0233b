"""UPDATE messages (RFC 4271 4.3): read into routes, and written from them.

Reading turns a body into announced and withdrawn prefixes by family and judged attributes; what
RFC 7606 wants treated as withdrawn arrives as withdrawn. Writing packs prefixes that share their
attributes into as few messages as fit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from struct import Struct
from typing import Final

from reflector.bgp.add_path import split_identified, split_identified_unicast, without_path_ids
from reflector.bgp.as4 import widen
from reflector.bgp.attributes import PathAttributes, find_attribute, usable_ipv4_next_hop
from reflector.bgp.describe import describe_next_hop
from reflector.bgp.errors import Action, Finding, SessionError
from reflector.bgp.judge import Judge
from reflector.bgp.limits import (
    MAX_JUDGED_BLOCKS,
    MAX_JUDGED_BYTES,
    MAX_MESSAGE_BYTES,
    MIN_UPDATE_BYTES,
)
from reflector.bgp.message import MARKER, frame
from reflector.bgp.multiprotocol import (
    Reach,
    encode_reach,
    encode_unreach,
    take_apart,
    usable_next_hop,
)
from reflector.bgp.nlri import split_nlri, split_unicast
from reflector.bgp.vocabulary import (
    IPV4_UNICAST,
    AttributeCode,
    ErrorCode,
    Family,
    MessageType,
    UpdateSubcode,
)


class JudgedBlocks:
    """A memory of judged attribute blocks, so that each distinct one is judged once.

    Args:
        judge: Judges what is new.
        as4: Whether the blocks hold four-octet AS numbers.
    """

    def __init__(self, judge: Judge, *, as4: bool) -> None:
        self._judge = judge
        self._as4 = as4
        self._known: dict[bytes, PathAttributes] = {}
        self._known_bytes = 0

    def look_up(self, block: bytes) -> PathAttributes | None:
        """The judgement of a block; None where multiprotocol attributes must be taken out first.

        Raises:
            SessionError: As `Judge.judge`.
        """
        attributes = self._known.get(block)
        if attributes is None:
            attributes = self._judge.judge(block if self._as4 else widen(block))
            if attributes is not None:
                if len(self._known) >= MAX_JUDGED_BLOCKS or self._known_bytes >= MAX_JUDGED_BYTES:
                    self._known.clear()
                    self._known_bytes = 0
                self._known[block] = attributes
                self._known_bytes += len(block)
        return attributes


@dataclass(slots=True)
class Announcement:
    """Prefixes of one family that share their attributes and next hop.

    Attributes:
        prefixes: Packed, each behind its path identifier where the family has them.
        default: Whether the default route is among them.
    """

    family: Family
    attributes: PathAttributes
    next_hop: bytes
    prefixes: list[bytes]
    default: bool = False


@dataclass(slots=True)
class Update:
    """An UPDATE as the routing tables take it: withdrawals first, RFC 4271 9.

    Attributes:
        withdrawn: By family, as in an `Announcement`. Routes treated as withdrawn are among them.
        announced: What may be used.
        refused: How many prefixes were announced and may not be used.
        refusals: Which those are, with the reason.
        end_of_rib: The family whose End-of-RIB marker this is (RFC 4724 2).
        findings: What was wrong, for the log.
    """

    withdrawn: list[tuple[Family, list[bytes]]] = field(default_factory=list)
    announced: list[Announcement] = field(default_factory=list)
    refused: int = 0
    refusals: tuple[tuple[Family, list[bytes], str], ...] = ()
    end_of_rib: Family | None = None
    findings: list[Finding] = field(default_factory=list)


def split_update(body: bytes) -> tuple[bytes, bytes, bytes]:
    """Cut the body of an UPDATE into (withdrawn routes, path attributes, NLRI).

    Raises:
        SessionError: 3/1: the two lengths don't fit the message (RFC 4271 6.3, RFC 7606 3 b).
    """
    # Indexing, where slices and `int.from_bytes` would say the same at twice the cost.
    size = len(body)
    start = 2 + (body[0] << 8 | body[1]) if size > 1 else size
    block_at = start + 2
    if block_at <= size:
        stop = block_at + (body[start] << 8 | body[start + 1])
        if stop <= size:
            return body[2:start], body[block_at:stop], body[stop:]
    raise SessionError(
        ErrorCode.UPDATE_MESSAGE,
        UpdateSubcode.MALFORMED_ATTRIBUTE_LIST,
        "the lengths within the UPDATE exceed the message",
    )


def read_update(
    body: bytes,
    blocks: JudgedBlocks,
    families: frozenset[Family],
    identified: frozenset[Family] = frozenset(),
) -> Update:
    """Read the body of an UPDATE.

    Args:
        body: What follows the message header.
        blocks: The memory of judged attributes for the session's kind.
        families: What the session has negotiated. Routes of others are ignored (RFC 4760 6).
        identified: Those whose prefixes come with path identifiers (RFC 7911 3).

    Raises:
        SessionError: The session must be reset (RFC 7606 2).
    """
    update = Update()
    withdrawn, block, nlri = split_update(body)
    if withdrawn and IPV4_UNICAST in families:
        if identified and IPV4_UNICAST in identified:
            update.withdrawn.append((IPV4_UNICAST, split_identified(withdrawn, 32)))
        else:
            update.withdrawn.append((IPV4_UNICAST, split_nlri(withdrawn, 32)))
    if nlri or block:
        # Without multiprotocol attributes, the common case, a block is looked up as it stands.
        attributes = blocks.look_up(block)
        if attributes is None:
            _read_multiprotocol(update, block, blocks, families, identified, nlri)
        elif nlri:
            _announce_ipv4(update, attributes, nlri, families, identified)
        else:
            _check_without_routes(attributes, block)
    elif not withdrawn:
        update.end_of_rib = IPV4_UNICAST
    return update


def _read_multiprotocol(
    update: Update,
    block: bytes,
    blocks: JudgedBlocks,
    families: frozenset[Family],
    identified: frozenset[Family],
    nlri: bytes,
) -> None:
    parts = take_apart(block)
    unreach = parts.unreach
    if unreach is not None and unreach.family in families:
        prefixes = _split_unreach(unreach.family, unreach.nlri, identified, block)
        if unreach.fault:
            update.findings.append(Finding(Action.WITHDRAW, unreach.fault))
        if prefixes:
            update.withdrawn.append((unreach.family, prefixes))
        elif not (unreach.fault or parts.plain or parts.reach or nlri or update.withdrawn):
            update.end_of_rib = unreach.family
    attributes = blocks.look_up(parts.plain)
    if attributes is None:
        return  # can't be: both were taken out
    if not nlri and parts.reach is None:
        # RFC 4760 4: a withdrawal needs no other attribute.
        _check_without_routes(attributes, block)
    fault = parts.fault or _missing_next_hop(attributes, nlri)
    if nlri:
        _announce_ipv4(update, attributes, nlri, families, identified, fault)
    if parts.reach is not None:
        try:
            _announce(update, attributes, parts.reach, families, identified, fault)
        except SessionError as error:
            raise _incorrect(error, block, AttributeCode.MP_REACH_NLRI) from error


def _missing_next_hop(attributes: PathAttributes, nlri: bytes) -> str:
    """RFC 7606 3 d and 2: where NEXT_HOP is missing, all routes of the UPDATE go."""
    return _unusable(b"") if nlri and not attributes.next_hop else ""


def _split_unreach(
    family: Family, nlri: bytes, identified: frozenset[Family], block: bytes
) -> list[bytes]:
    split = split_identified if family in identified else split_nlri
    try:
        return split(nlri, family.max_prefix_bits)
    except SessionError as error:
        raise _incorrect(error, block, AttributeCode.MP_UNREACH_NLRI) from error


def _incorrect(error: SessionError, block: bytes, code: int) -> SessionError:
    """RFC 4760 7: prefixes that can't be parsed make the attribute an incorrect one, 3/9."""
    return SessionError(
        ErrorCode.UPDATE_MESSAGE,
        UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR,
        error.reason,
        find_attribute(block, code),
    )


def _check_without_routes(attributes: PathAttributes, block: bytes) -> None:
    """Judge attributes that came without routes.

    Args:
        attributes: As judged.
        block: As received.

    Raises:
        SessionError: RFC 7606 5.2: with attributes so malformed that they would cost the routes,
            that there are none can't be believed. Subcode and data are those of RFC 4271 6.3.
    """
    if attributes.malformed:
        finding = next(each for each in attributes.findings if each.action is Action.WITHDRAW)
        raise SessionError(
            ErrorCode.UPDATE_MESSAGE,
            finding.subcode,
            f"an UPDATE without routes: {finding.reason}",
            find_attribute(block, finding.attribute),
        )


def _announce_ipv4(
    update: Update,
    attributes: PathAttributes,
    nlri: bytes,
    families: frozenset[Family],
    identified: frozenset[Family],
    fault: str = "",
) -> None:
    """Add the routes of the NLRI field."""
    if IPV4_UNICAST in families:
        if not fault and not usable_ipv4_next_hop(attributes.next_hop):
            fault = _unusable(attributes.next_hop)
        _add(update, IPV4_UNICAST, attributes, attributes.next_hop, nlri, identified, fault)
    else:
        update.findings.append(_NOT_NEGOTIATED)


def _announce(
    update: Update,
    attributes: PathAttributes,
    reach: Reach,
    families: frozenset[Family],
    identified: frozenset[Family],
    fault: str,
) -> None:
    """Add the routes of MP_REACH_NLRI."""
    family = reach.family
    if family is None or family not in families:
        update.findings.append(_NOT_NEGOTIATED)
        return
    if not fault and not usable_next_hop(family, reach.next_hop):
        fault = _unusable(reach.next_hop)
    _add(update, family, attributes, reach.next_hop, reach.nlri, identified, fault)


def _add(
    update: Update,
    family: Family,
    attributes: PathAttributes,
    next_hop: bytes,
    nlri: bytes,
    identified: frozenset[Family],
    fault: str,
) -> None:
    """Add routes, as withdrawn where they may not be used."""
    numbered = identified and family in identified
    split = split_identified_unicast if numbered else split_unicast
    prefixes, martians, default = split(nlri, family)
    if martians:
        update.refused += len(martians)
        update.refusals += ((family, martians, _MARTIAN),)
        update.findings.append(
            Finding(
                Action.WITHDRAW,
                f"{len(martians)} prefixes are not unicast and ignored (RFC 4271 6.3)",
            )
        )
    if fault:
        update.findings.append(Finding(Action.WITHDRAW, fault))
    if attributes.findings:
        update.findings.extend(attributes.findings)
    if fault or attributes.refused:
        update.refused += len(prefixes)
        refused = without_path_ids(prefixes) if numbered else prefixes
        update.refusals += ((family, refused, fault or attributes.refused),)
        update.withdrawn.append((family, prefixes))
    elif prefixes:
        update.announced.append(Announcement(family, attributes, next_hop, prefixes, default))


# An IPv6 one may have a link-local one behind it (RFC 2545 3).
_ADDRESS_BYTES: Final = (4, 16, 32)
_MARTIAN: Final = "it is not unicast (RFC 4271 6.3)"


def _unusable(next_hop: bytes) -> str:
    if not next_hop:
        return "NEXT_HOP is missing (RFC 7606 3 d)"
    if len(next_hop) not in _ADDRESS_BYTES:
        return f"a next hop of {len(next_hop)} octets is no host's address (RFC 4271 6.3)"
    return f"the next hop {describe_next_hop(next_hop)} is no host's address (RFC 4271 6.3)"


_NOT_NEGOTIATED: Final = Finding(
    Action.DISCARD, "routes of an address family that was not negotiated are ignored"
)

# What comes before the attributes of an UPDATE that withdraws nothing.
_HEAD: Final = Struct(">16sHBHH").pack


def pack(prefixes: list[bytes], room: int) -> Iterable[bytes]:
    """Join prefixes into fields of at most `room` octets each."""
    whole = b"".join(prefixes)
    if len(whole) <= room:
        yield whole
        return
    # Cutting by the longest prefix keeps this a slice and a join per message.
    count = room // max(map(len, prefixes))
    for i in range(0, len(prefixes), count):
        yield b"".join(prefixes[i : i + count])


def write_announcements(
    family: Family,
    attributes: bytes,
    next_hop: bytes,
    prefixes: list[bytes],
    most_bytes: int = MAX_MESSAGE_BYTES,
) -> bytes:
    """Write the UPDATEs that announce prefixes with the same attributes.

    Args:
        family: Of the prefixes.
        attributes: All path attributes, MP_REACH_NLRI excepted.
        next_hop: For MP_REACH_NLRI; not used for IPv4, whose NEXT_HOP is among the attributes.
        prefixes: At least one.
        most_bytes: Of a message.

    Returns:
        Whole messages, one after another.
    """
    if family is IPV4_UNICAST:
        # Mostly they fit one: put together in one go.
        nlri = b"".join(prefixes)
        size = len(attributes)
        length = MIN_UPDATE_BYTES + size + len(nlri)
        if length <= most_bytes:
            return _HEAD(MARKER, length, MessageType.UPDATE, 0, size) + attributes + nlri
    messages = []
    for nlri in pack(prefixes, announcement_room(family, attributes, next_hop, most_bytes)):
        if family is IPV4_UNICAST:
            body = b"\0\0" + len(attributes).to_bytes(2) + attributes + nlri
        else:
            # RFC 7606 5.1: MP_REACH_NLRI comes first.
            block = encode_reach(family, next_hop, nlri) + attributes
            body = b"\0\0" + len(block).to_bytes(2) + block
        messages.append(frame(MessageType.UPDATE, body))
    return b"".join(messages)


def announcement_room(
    family: Family, attributes: bytes, next_hop: bytes, most_bytes: int = MAX_MESSAGE_BYTES
) -> int:
    """Octets left for prefixes in an UPDATE with these attributes; negative if they outgrow it."""
    room = most_bytes - MIN_UPDATE_BYTES - len(attributes)
    return room if family is IPV4_UNICAST else room - _REACH_HEAD_BYTES - len(next_hop)


def write_withdrawals(
    family: Family, prefixes: list[bytes], most_bytes: int = MAX_MESSAGE_BYTES
) -> bytes:
    """Write the UPDATEs that withdraw prefixes, at least one."""
    messages = []
    if family is IPV4_UNICAST:
        for nlri in pack(prefixes, most_bytes - MIN_UPDATE_BYTES):
            body = len(nlri).to_bytes(2) + nlri + b"\0\0"
            messages.append(frame(MessageType.UPDATE, body))
    else:
        for nlri in pack(prefixes, most_bytes - MIN_UPDATE_BYTES - _UNREACH_HEAD_BYTES):
            block = encode_unreach(family, nlri)
            messages.append(frame(MessageType.UPDATE, b"\0\0" + len(block).to_bytes(2) + block))
    return b"".join(messages)


def write_end_of_rib(family: Family) -> bytes:
    """The End-of-RIB marker of a family (RFC 4724 2)."""
    if family is IPV4_UNICAST:
        return frame(MessageType.UPDATE, b"\0\0\0\0")
    block = encode_unreach(family, b"")
    return frame(MessageType.UPDATE, b"\0\0" + len(block).to_bytes(2) + block)


# Attribute header with Extended Length, AFI, SAFI, next hop length, reserved octet.
_REACH_HEAD_BYTES: Final = 4 + 2 + 1 + 1 + 1
# Attribute header with Extended Length, AFI, SAFI.
_UNREACH_HEAD_BYTES: Final = 4 + 2 + 1
