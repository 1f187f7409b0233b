"""Path attributes: what is read of them, and their form on the wire (RFC 4271 4.3)."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from reflector.bgp.errors import Action, Finding
from reflector.bgp.vocabulary import AttributeFlag

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
        local_pref: LOCAL_PREF; the default on what comes from external peers.
        med: MULTI_EXIT_DISC, 0 where it is absent (RFC 4271 9.1.2.2 c).
        originator_id: Four octets, empty where it is absent.
        cluster_list: Cluster ids packed, empty where it is absent.
        plain: Nothing was found in it, and its NEXT_HOP is a host's address: the routes of an UPDATE's
            NLRI field may be used as they come.
        no_advertise: The community NO_ADVERTISE is set (RFC 1997).
        no_export: NO_EXPORT or NO_EXPORT_SUBCONFED is set: not for external peers (RFC 1997).
        graceful_shutdown: GRACEFUL_SHUTDOWN is set: it goes soon (RFC 8326).
        malformed: An attribute that was there costs the routes, not only one that was missing.
        received: What it was when it came, if a policy has changed it since.
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
    plain: bool = False
    no_advertise: bool = False
    no_export: bool = False
    graceful_shutdown: bool = False
    malformed: bool = False
    received: "PathAttributes | None" = None
    findings: tuple[Finding, ...] = ()

    @property
    def refused(self) -> str:
        """Why the routes may not be used, in words; empty where they may (RFC 7606 3 h)."""
        for finding in self.findings:
            if finding.action is not Action.DISCARD:
                return finding.reason
        return ""


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


def find_attribute(block: bytes, code: int) -> bytes:
    """The first attribute of a type code as it stands in a block; empty without one that fits."""
    position = 0
    while position < len(block):
        _, found, _, stop = locate(block, position)
        if stop > len(block):
            break
        if found == code:
            return block[position:stop]
        position = stop
    return b""


def split_attributes(block: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Cut well-formed attributes, such as were judged.

    Yields:
        Flags, type code, value, and the attribute as it stands in the block.
    """
    position = 0
    while position < len(block):
        flags, code, start, stop = locate(block, position)
        yield flags, code, block[start:stop], block[position:stop]
        position = stop


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
