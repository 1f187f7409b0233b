"""AS numbers of two and of four octets (RFC 6793).

Inside, AS_PATH and AGGREGATOR always have four-octet AS numbers. `widen` brings what a two-octet
peer sends to that form, `narrow` what such a peer is sent to its own.
"""

from struct import pack, unpack_from
from typing import Final

from reflector.bgp.attributes import encode_attribute, locate, split_attributes
from reflector.bgp.vocabulary import AS_TRANS, AttributeCode, AttributeFlag, SegmentType

_WELL_KNOWN: Final = AttributeFlag.TRANSITIVE
_OPTIONAL_TRANSITIVE: Final = AttributeFlag.OPTIONAL | AttributeFlag.TRANSITIVE
# A value that `attributes.Judge` refuses as AS_PATH: what can't be widened stays malformed.
_MALFORMED: Final = b"\xff"

_MAX_VALUE_BYTES: Final = 0xFFFF

_PLAIN: Final = (SegmentType.AS_SET, SegmentType.AS_SEQUENCE)
_CONFEDERATION: Final = (3, 4)  # AS_CONFED_SEQUENCE and AS_CONFED_SET, RFC 5065 3

_Segments = list[tuple[int, tuple[int, ...]]]


def widen(block: bytes) -> bytes:
    """Bring a two-octet peer's attributes to four octets.

    AS4_PATH and AS4_AGGREGATOR are merged as RFC 6793 4.2.3 says and disappear; a malformed one is
    discarded (6). The first of duplicate attributes counts.

    Args:
        block: Path attributes without multiprotocol ones.
    """
    found: dict[int, tuple[int, bytes]] = {}
    others: list[bytes] = []
    position = 0
    while position < len(block):
        flags, code, start, stop = locate(block, position)
        if stop > len(block):
            others.append(block[position:])  # malformed, and to be found so
            break
        if code in _TRANSLATED:
            found.setdefault(code, (flags, block[start:stop]))
        else:
            others.append(block[position:stop])
        position = stop
    widened: list[bytes] = []
    use_as4 = _widen_aggregator(found, widened)
    if AttributeCode.AS_PATH in found:
        flags, value = found[AttributeCode.AS_PATH]
        segments = _split(value, 2)
        if segments is None:
            widened.append(encode_attribute(flags, AttributeCode.AS_PATH, _MALFORMED))
        else:
            _, as4_value = found.get(AttributeCode.AS4_PATH, (0, b""))
            as4 = _split_as4(as4_value) if use_as4 else None
            joined = _join(_merge(segments, as4 or []), 4)
            # The longest path of an extended message outgrows an attribute in four octets.
            path = joined if len(joined) <= _MAX_VALUE_BYTES else _MALFORMED
            widened.append(encode_attribute(flags, AttributeCode.AS_PATH, path))
    return b"".join(widened + others)


def narrow(block: bytes) -> bytes:
    """Bring four-octet attributes to the form for a two-octet peer (RFC 6793 4.2.2).

    Args:
        block: Path attributes that were judged, in the order of their codes.
    """
    narrowed: list[tuple[int, bytes]] = []
    for flags, code, value, tlv in split_attributes(block):
        if code == AttributeCode.AS_PATH:
            segments = _split(value, 4) or []
            trans = [(kind, tuple(map(two_octet_as, path))) for kind, path in segments]
            narrowed.append((code, encode_attribute(flags, code, _join(trans, 2))))
            if trans != segments:
                as4_path = encode_attribute(_OPTIONAL_TRANSITIVE, AttributeCode.AS4_PATH, value)
                narrowed.append((AttributeCode.AS4_PATH, as4_path))
        elif code == AttributeCode.AGGREGATOR:
            asn = int.from_bytes(value[:4])
            short = two_octet_as(asn).to_bytes(2) + value[4:]
            narrowed.append((code, encode_attribute(flags, code, short)))
            if two_octet_as(asn) != asn:
                as4_aggregator = encode_attribute(
                    _OPTIONAL_TRANSITIVE, AttributeCode.AS4_AGGREGATOR, value
                )
                narrowed.append((AttributeCode.AS4_AGGREGATOR, as4_aggregator))
        else:
            narrowed.append((code, tlv))
    return b"".join(tlv for _, tlv in sorted(narrowed, key=lambda item: item[0]))


_TRANSLATED: Final = (
    AttributeCode.AS_PATH,
    AttributeCode.AGGREGATOR,
    AttributeCode.AS4_PATH,
    AttributeCode.AS4_AGGREGATOR,
)


def _widen_aggregator(found: dict[int, tuple[int, bytes]], widened: list[bytes]) -> bool:
    """Add the four-octet AGGREGATOR; whether AS4_PATH may be used (RFC 6793 4.2.3)."""
    if AttributeCode.AGGREGATOR not in found:
        return True
    flags, value = found[AttributeCode.AGGREGATOR]
    _, as4_value = found.get(AttributeCode.AS4_AGGREGATOR, (0, b""))
    if as4_value[:4] == b"\0\0\0\0":
        as4_value = b""  # RFC 7607 2: malformed, and so discarded
    two_octets = len(value) == 6  # noqa: PLR2004 - AS number and address
    if two_octets:
        asn = int.from_bytes(value[:2])
        if asn == AS_TRANS and len(as4_value) == 8:  # noqa: PLR2004 - AS number and address
            value = as4_value
        else:
            value = asn.to_bytes(4) + value[2:]
    else:
        value = _MALFORMED
    widened.append(encode_attribute(flags, AttributeCode.AGGREGATOR, value))
    # An AGGREGATOR that is not AS_TRANS was put there by a speaker that knew nothing of AS4_PATH.
    return not (len(as4_value) == 8 and two_octets and asn != AS_TRANS)  # noqa: PLR2004


def _merge(path: _Segments, as4: _Segments) -> _Segments:
    """RFC 6793 4.2.3: the leading AS numbers that AS4_PATH lacks, then AS4_PATH."""
    lead = _count(path) - _count(as4)
    if lead < 0 or not as4:
        return path
    merged: _Segments = []
    for kind, numbers in path:
        if lead <= 0:
            break
        kept = numbers[:lead] if kind == SegmentType.AS_SEQUENCE else numbers
        merged.append((kind, kept))
        lead -= len(kept) if kind == SegmentType.AS_SEQUENCE else 1
    if merged and merged[-1][0] == as4[0][0] == SegmentType.AS_SEQUENCE:
        joined = merged[-1][1] + as4[0][1]
        if len(joined) <= 0xFF:  # noqa: PLR2004 - one octet counts a segment's AS numbers
            return [*merged[:-1], (SegmentType.AS_SEQUENCE, joined), *as4[1:]]
    return merged + as4


def _count(segments: _Segments) -> int:
    return sum(len(path) if kind == SegmentType.AS_SEQUENCE else 1 for kind, path in segments)


def _split(value: bytes, width: int) -> _Segments | None:
    """Segments of an AS path with AS numbers of `width` octets, None if it is malformed."""
    return _read_segments(value, width, _PLAIN)


def _split_as4(value: bytes) -> _Segments | None:
    """Segments of AS4_PATH, None if it is malformed, which AS 0 makes it too (RFC 7607 2).

    Confederation segments in it are left out (RFC 6793 6).
    """
    segments = _read_segments(value, 4, _PLAIN + _CONFEDERATION)
    if segments is None or any(0 in path for _, path in segments):
        return None
    return [(kind, path) for kind, path in segments if kind in _PLAIN]


def _read_segments(value: bytes, width: int, known: tuple[int, ...]) -> _Segments | None:
    segments: _Segments = []
    position, code = 0, {2: "H", 4: "I"}[width]
    while position < len(value):
        count = value[position + 1] if position + 1 < len(value) else 0
        stop = position + 2 + width * count
        if value[position] not in known or not count or stop > len(value):
            return None
        segments.append((value[position], unpack_from(f">{count}{code}", value, position + 2)))
        position = stop
    return segments


def _join(segments: _Segments, width: int) -> bytes:
    code = {2: "H", 4: "I"}[width]
    return b"".join(
        bytes((kind, len(path))) + pack(f">{len(path)}{code}", *path) for kind, path in segments
    )


def two_octet_as(asn: int) -> int:
    """What a field of two octets says for an AS number (RFC 6793 4.1, 4.2.2)."""
    return asn if asn < 1 << 16 else AS_TRANS
