"""What is wrong with an UPDATE that a speaker under test sends.

Named, not acted on: the simulated peer keeps the routes as they came. The rules stand here once more, in
their plainest form, and not as `bgp/judge.py` has them: one can test the other.
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from ipaddress import IPv4Address
from typing import Final, NamedTuple

from reflector.bgp.attributes import locate
from reflector.bgp.multiprotocol import take_apart
from reflector.bgp.update import split_update
from reflector.bgp.vocabulary import IPV4_UNICAST, AttributeCode, AttributeFlag, Family, SegmentType
from reflector.sim.route import ORIGINS

_WELL_KNOWN: Final = AttributeFlag.TRANSITIVE
_OPTIONAL: Final = AttributeFlag.OPTIONAL
_BOTH: Final = AttributeFlag.OPTIONAL | AttributeFlag.TRANSITIVE

# UPDATEs whose faults are remembered: those of one speaker mostly reach several peers.
_REMEMBERED: Final = 1024
_SEGMENTS: Final = (SegmentType.AS_SET, SegmentType.AS_SEQUENCE)


class _Rule(NamedTuple):
    """How an attribute must be: its Optional and Transitive bits, and the octets of its value."""

    name: str
    kind: int
    fits: Callable[[int], bool]
    clause: str


def _just(octets: int) -> Callable[[int], bool]:
    return lambda length: length == octets


def _times(octets: int) -> Callable[[int], bool]:
    return lambda length: length > 0 and length % octets == 0


_RULES: Final[dict[int, _Rule]] = {
    AttributeCode.ORIGIN: _Rule("ORIGIN", _WELL_KNOWN, _just(1), "RFC 7606 7.1"),
    AttributeCode.AS_PATH: _Rule("AS_PATH", _WELL_KNOWN, lambda _: True, "RFC 7606 7.2"),
    AttributeCode.NEXT_HOP: _Rule("NEXT_HOP", _WELL_KNOWN, _just(4), "RFC 7606 7.3"),
    AttributeCode.MULTI_EXIT_DISC: _Rule("MULTI_EXIT_DISC", _OPTIONAL, _just(4), "RFC 7606 7.4"),
    AttributeCode.LOCAL_PREF: _Rule("LOCAL_PREF", _WELL_KNOWN, _just(4), "RFC 7606 7.5"),
    AttributeCode.ATOMIC_AGGREGATE: _Rule(
        "ATOMIC_AGGREGATE", _WELL_KNOWN, _just(0), "RFC 7606 7.6"
    ),
    AttributeCode.AGGREGATOR: _Rule("AGGREGATOR", _BOTH, lambda n: n in (6, 8), "RFC 7606 7.7"),
    AttributeCode.COMMUNITIES: _Rule("COMMUNITIES", _BOTH, _times(4), "RFC 7606 7.8"),
    AttributeCode.ORIGINATOR_ID: _Rule("ORIGINATOR_ID", _OPTIONAL, _just(4), "RFC 7606 7.9"),
    AttributeCode.CLUSTER_LIST: _Rule("CLUSTER_LIST", _OPTIONAL, _times(4), "RFC 7606 7.10"),
    AttributeCode.EXTENDED_COMMUNITIES: _Rule(
        "EXTENDED_COMMUNITIES", _BOTH, _times(8), "RFC 7606 7.14"
    ),
    AttributeCode.LARGE_COMMUNITIES: _Rule("LARGE_COMMUNITIES", _BOTH, _times(12), "RFC 8092 5"),
}

# What only internal peers may send.
_INTERNAL: Final = (
    AttributeCode.LOCAL_PREF,
    AttributeCode.ORIGINATOR_ID,
    AttributeCode.CLUSTER_LIST,
)


@lru_cache(maxsize=_REMEMBERED)
def faults_of(
    body: bytes, *, as4: bool, internal: bool, families: frozenset[Family]
) -> tuple[str, ...]:
    """What of an UPDATE no speaker may send, each in words and with its clause.

    Args:
        body: What follows the message header; `wire.read` can read it.
        as4: Whether the session uses four-octet AS numbers.
        internal: Whether both sides are in the same AS.
        families: Those that the session carries.
    """
    withdrawn, block, nlri = split_update(body)
    parts = take_apart(block)
    found = [parts.fault] if parts.fault else []
    carried = {IPV4_UNICAST} if nlri or withdrawn else set()
    carried |= {part.family for part in (parts.reach, parts.unreach) if part and part.family}
    found += [
        f"routes of {family}, which this session does not carry (RFC 4760 8)"
        for family in sorted(carried - families, key=str)
    ]
    seen: set[int] = set()
    position = 0
    while position < len(parts.plain):
        flags, code, start, stop = locate(parts.plain, position)
        if code in seen:
            found.append(f"{_name(code)} appears twice (RFC 7606 3 g)")
        else:
            value = parts.plain[start:stop]
            found += _of_attribute(flags, code, value, as4=as4, internal=internal)
        seen.add(code)
        position = stop
    if nlri or (parts.reach is not None and parts.reach.nlri):
        mandatory = [AttributeCode.ORIGIN, AttributeCode.AS_PATH]
        mandatory += [AttributeCode.NEXT_HOP] if nlri else []
        mandatory += [AttributeCode.LOCAL_PREF] if internal else []
        missing = [_name(code) for code in mandatory if code not in seen]
        if missing:
            found.append(f"{' and '.join(missing)} missing (RFC 7606 3 d)")
    return tuple(found)


def _of_attribute(
    flags: int, code: int, value: bytes, *, as4: bool, internal: bool
) -> Iterator[str]:
    rule = _RULES.get(code)
    if rule is None:
        if not flags & AttributeFlag.OPTIONAL:
            yield f"attribute {code} calls itself well-known and is not (RFC 4271 6.3)"
        return
    if flags & _BOTH != rule.kind or (rule.kind != _BOTH and flags & AttributeFlag.PARTIAL):
        yield f"{rule.name} has the flags 0x{flags:02x} (RFC 7606 3 c)"
    if code in _INTERNAL and not internal:
        yield f"{rule.name} from another AS ({rule.clause})"
    if not rule.fits(len(value)):
        yield f"{rule.name} has {len(value)} octets ({rule.clause})"
    elif code == AttributeCode.ORIGIN and value[0] >= len(ORIGINS):
        yield f"ORIGIN has the undefined value {value[0]} ({rule.clause})"
    elif code == AttributeCode.AS_PATH and not _is_path(value, 4 if as4 else 2):
        yield f"AS_PATH is malformed ({rule.clause})"
    elif code == AttributeCode.NEXT_HOP and (value[0] == 0 or value[0] >= 224):  # noqa: PLR2004 - multicast and above
        yield f"NEXT_HOP {IPv4Address(value)} is no host's address (RFC 4271 6.3)"


def _is_path(value: bytes, width: int) -> bool:
    position = 0
    while position < len(value):
        count = value[position + 1] if position + 1 < len(value) else 0
        if value[position] not in _SEGMENTS or not count:
            return False
        position += 2 + width * count
    return position == len(value)


def _name(code: int) -> str:
    return _RULES[code].name if code in _RULES else f"attribute {code}"
