"""Attributes of RFCs that the reflector has no use for: is their shape right?

An unrecognised optional transitive attribute is passed on as it came (RFC 4271 5). A client that
does know it may fall over a malformed one, as routers did over Tunnel Encapsulation: then one
client's attribute would cost the sessions of all. So what is commonly known is looked at before it
is passed on, no deeper than its lengths. A malformed one costs the route (RFC 7606 2), or only
itself where its RFC says so.
"""

from collections.abc import Callable
from typing import Final

from reflector.bgp.errors import Action, Finding
from reflector.bgp.vocabulary import AttributeFlag, UpdateSubcode

_PMSI_HEAD_BYTES: Final = 5
_AS_BYTES: Final = 4
# RFC 9012 2: types of sub-TLVs whose length has two octets.
_LONG_SUB_TLV: Final = 0x80
_LABEL_INDEX, _ORIGINATOR_SRGB = 1, 3
_LABEL_INDEX_BYTES: Final = 7
_SRGB_BYTES: Final = 6

# By RFC 7311 3, RFC 9552 5.3 and RFC 8205 3 these never are transitive.
_NEVER_TRANSITIVE: Final = {26: "AIGP", 29: "BGP-LS", 33: "BGPsec_PATH"}
_KIND: Final = AttributeFlag.OPTIONAL | AttributeFlag.TRANSITIVE


def judge_foreign(flags: int, code: int, value: bytes) -> Finding | None:
    """Judge an attribute that is not used: it is passed on, or ignored if it is non-transitive.

    Args:
        flags: Its flags.
        code: Its type code.
        value: Its value.

    Returns:
        What is wrong with it and what that costs, None where it may be passed on.
    """
    if code in _NEVER_TRANSITIVE:
        right = flags & _KIND == AttributeFlag.OPTIONAL
        return None if right else _wrong_flags(_NEVER_TRANSITIVE[code], flags, code)
    known = _KNOWN.get(code)
    if known is None:
        return None
    name, fits, action, clause = known
    if flags & _KIND != _KIND:
        return _wrong_flags(name, flags, code)
    if fits(value):
        return None
    subcode = UpdateSubcode.OPTIONAL_ATTRIBUTE_ERROR
    return Finding(action, f"{name} is malformed ({clause})", subcode, code)


def _wrong_flags(name: str, flags: int, code: int) -> Finding:
    reason = f"{name} has the wrong flags 0x{flags:02x} (RFC 7606 3 c)"
    return Finding(Action.WITHDRAW, reason, UpdateSubcode.ATTRIBUTE_FLAGS_ERROR, code)


def _tlvs(value: bytes, type_bytes: int, length_bytes: int) -> list[tuple[int, bytes]] | None:
    """Split type, length and value; None if they don't fill the field exactly."""
    found = []
    while value:
        start = type_bytes + length_bytes
        stop = start + int.from_bytes(value[type_bytes:start])
        if len(value) < start or len(value) < stop:
            return None
        found.append((int.from_bytes(value[:type_bytes]), value[start:stop]))
        value = value[stop:]
    return found


def _is_pmsi_tunnel(value: bytes) -> bool:
    return len(value) >= _PMSI_HEAD_BYTES


def _is_tunnel_encapsulation(value: bytes) -> bool:
    tunnels = _tlvs(value, 2, 2)
    return tunnels is not None and all(_are_sub_tlvs(tunnel) for _, tunnel in tunnels)


def _are_sub_tlvs(value: bytes) -> bool:
    while value:
        start = 3 if value[0] >= _LONG_SUB_TLV else 2
        stop = start + int.from_bytes(value[1:start])
        if len(value) < start or len(value) < stop:
            return False
        value = value[stop:]
    return True


def _is_only_to_customer(value: bytes) -> bool:
    return len(value) == _AS_BYTES


def _is_prefix_sid(value: bytes) -> bool:
    tlvs = _tlvs(value, 1, 2)
    if tlvs is None:
        return False
    for kind, inner in tlvs:
        if kind == _LABEL_INDEX and len(inner) != _LABEL_INDEX_BYTES:
            return False
        if kind == _ORIGINATOR_SRGB and (len(inner) < 2 or (len(inner) - 2) % _SRGB_BYTES):  # noqa: PLR2004 - flags
            return False
    return True


def _is_attribute_set(value: bytes) -> bool:
    if len(value) < _AS_BYTES:
        return False
    block = value[_AS_BYTES:]
    while block:
        start = 4 if block[0] & AttributeFlag.EXTENDED_LENGTH else 3
        stop = start + int.from_bytes(block[2:start])
        if len(block) < start or len(block) < stop:
            return False
        block = block[stop:]
    return True


_KNOWN: Final[dict[int, tuple[str, Callable[[bytes], bool], Action, str]]] = {
    22: ("PMSI_TUNNEL", _is_pmsi_tunnel, Action.WITHDRAW, "RFC 6514"),
    23: ("TUNNEL_ENCAPSULATION", _is_tunnel_encapsulation, Action.WITHDRAW, "RFC 9012"),
    35: ("ONLY_TO_CUSTOMER", _is_only_to_customer, Action.WITHDRAW, "RFC 9234 5"),
    40: ("PREFIX_SID", _is_prefix_sid, Action.DISCARD, "RFC 8669 6"),
    128: ("ATTR_SET", _is_attribute_set, Action.WITHDRAW, "RFC 7606 7.16"),
}
# Type codes of what is judged here.
FOREIGN: Final = frozenset(_KNOWN) | frozenset(_NEVER_TRANSITIVE)
