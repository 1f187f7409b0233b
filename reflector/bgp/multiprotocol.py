"""MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760 3 and 4): taken out of a block, and put together."""

from dataclasses import dataclass
from typing import Final

from reflector.bgp.attributes import encode_attribute, locate, usable_ipv4_next_hop
from reflector.bgp.errors import SessionError
from reflector.bgp.vocabulary import (
    FAMILIES,
    AttributeCode,
    AttributeFlag,
    ErrorCode,
    Family,
    UpdateSubcode,
)

_MAPPED: Final = b"\0" * 10 + b"\xff\xff"
_KIND: Final = AttributeFlag.OPTIONAL | AttributeFlag.TRANSITIVE

# RFC 4760 3, RFC 2545 3: octets of a next hop by AFI; 32 is a global and a link-local address.
_NEXT_HOP_BYTES: Final = {1: (4,), 2: (16, 32)}


@dataclass(slots=True)
class Reach:
    """An MP_REACH_NLRI attribute.

    Attributes:
        family: None for an AFI/SAFI that the reflector does not know.
        next_hop: As it stands in the attribute.
        nlri: Packed prefixes, not yet split.
        fault: What is wrong with the attribute though it could be read; the routes go.
    """

    family: Family | None
    next_hop: bytes
    nlri: bytes
    fault: str = ""


@dataclass(slots=True)
class Unreach:
    """An MP_UNREACH_NLRI attribute: family and fault as in `Reach`, and packed prefixes."""

    family: Family | None
    nlri: bytes
    fault: str = ""


@dataclass(slots=True)
class Parts:
    """A block of attributes with the multiprotocol ones taken out.

    Attributes:
        plain: The other attributes, in the order in which they came.
        reach: MP_REACH_NLRI, if it was there.
        unreach: MP_UNREACH_NLRI, if it was there.
    """

    plain: bytes
    reach: Reach | None = None
    unreach: Unreach | None = None

    @property
    def fault(self) -> str:
        """What is wrong with either of them: it costs all routes of the UPDATE (RFC 7606 2)."""
        for part in (self.reach, self.unreach):
            if part is not None and part.fault:
                return part.fault
        return ""


def take_apart(block: bytes) -> Parts:
    """Take the multiprotocol attributes out of a block.

    Args:
        block: The path attributes of an UPDATE.

    Raises:
        SessionError: One of the two appears twice (RFC 7606 3 g), or can't be read, so that its
            routes can't be located (RFC 7606 5.3, 7.11).
    """
    parts = Parts(block)
    kept: list[bytes] = []
    position = copied = 0
    while position < len(block):
        _, code, start, stop = locate(block, position)
        if stop > len(block):
            if code in (AttributeCode.MP_REACH_NLRI, AttributeCode.MP_UNREACH_NLRI):
                # RFC 7606 3 j: its routes can't be located, so that nothing less than a reset will do.
                raise SessionError(
                    ErrorCode.UPDATE_MESSAGE,
                    UpdateSubcode.ATTRIBUTE_LENGTH_ERROR,
                    "a multiprotocol attribute runs past the end of the attributes",
                    block[position:],
                )
            break  # `Judge` finds it in what is left and refuses the routes
        if code in (AttributeCode.MP_REACH_NLRI, AttributeCode.MP_UNREACH_NLRI):
            _read(parts, block[position:stop], block[start:stop])
            kept.append(block[copied:position])
            copied = stop
        position = stop
    if copied:
        kept.append(block[copied:])
        parts.plain = b"".join(kept)
    return parts


def _read(parts: Parts, attribute: bytes, value: bytes) -> None:
    flags, code = attribute[0], attribute[1]
    wrong_flags = flags & _KIND != AttributeFlag.OPTIONAL
    if code == AttributeCode.MP_REACH_NLRI:
        if parts.reach is not None:
            raise _fault(UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, "MP_REACH_NLRI appears twice")
        parts.reach = _read_reach(attribute, value)
        if wrong_flags:
            parts.reach.fault = f"MP_REACH_NLRI has the wrong flags 0x{flags:02x} (RFC 7606 3 c)"
        return
    if parts.unreach is not None:
        raise _fault(UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, "MP_UNREACH_NLRI appears twice")
    if len(value) < 3:  # noqa: PLR2004 - AFI and SAFI
        raise _optional(attribute, "MP_UNREACH_NLRI is too short")
    parts.unreach = Unreach(FAMILIES.get((int.from_bytes(value[:2]), value[2])), value[3:])
    if wrong_flags:
        parts.unreach.fault = f"MP_UNREACH_NLRI has the wrong flags 0x{flags:02x} (RFC 7606 3 c)"


def _read_reach(attribute: bytes, value: bytes) -> Reach:
    if len(value) < 5:  # noqa: PLR2004 - AFI, SAFI, next hop length, reserved
        raise _optional(attribute, "MP_REACH_NLRI is too short")
    family = FAMILIES.get((int.from_bytes(value[:2]), value[2]))
    stop = 4 + value[3]
    if family is None:
        return Reach(None, b"", b"")
    if value[3] not in _NEXT_HOP_BYTES[family.afi] or stop >= len(value):
        # RFC 7606 7.11: the next hop precedes the routes, which can't be located then.
        raise _optional(attribute, f"MP_REACH_NLRI has a next hop of {value[3]} octets")
    # The octet after the next hop is reserved and ignored (RFC 4760 3).
    return Reach(family, value[4:stop], value[stop + 1 :])


def usable_next_hop(family: Family, next_hop: bytes) -> bool:
    """Whether the next hop of a route is a host's address, IPv4-mapped ones included."""
    if family.afi == 1:
        return usable_ipv4_next_hop(next_hop)
    address = next_hop[:16]
    if address[:12] == _MAPPED:
        return usable_ipv4_next_hop(address[12:])
    unspecified_or_loopback = address[:15] == b"\0" * 15 and address[15] <= 1
    return address[0] != 0xFF and not unspecified_or_loopback  # noqa: PLR2004 - ff00::/8


def encode_reach(family: Family, next_hop: bytes, nlri: bytes) -> bytes:
    """Encode an MP_REACH_NLRI attribute."""
    head = family.afi.to_bytes(2) + bytes((family.safi, len(next_hop)))
    return encode_attribute(
        AttributeFlag.OPTIONAL, AttributeCode.MP_REACH_NLRI, head + next_hop + b"\0" + nlri
    )


def encode_unreach(family: Family, nlri: bytes) -> bytes:
    """Encode an MP_UNREACH_NLRI attribute."""
    head = family.afi.to_bytes(2) + bytes((family.safi,))
    return encode_attribute(AttributeFlag.OPTIONAL, AttributeCode.MP_UNREACH_NLRI, head + nlri)


def _optional(attribute: bytes, reason: str) -> SessionError:
    error = _fault(UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR, reason)
    error.data = attribute  # RFC 4271 6.3, as it was received
    return error


def _fault(subcode: UpdateSubcode, reason: str) -> SessionError:
    return SessionError(ErrorCode.UPDATE_MESSAGE, subcode, reason)
