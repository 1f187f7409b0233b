"""The whole table as MRT (RFC 6396 4.3, TABLE_DUMP_V2): every source's path for every prefix."""

import struct
from collections.abc import Iterator
from typing import Final

from reflector.bgp.attributes import encode_attribute
from reflector.bgp.vocabulary import (
    IPV4_UNICAST,
    IPV6_UNICAST,
    AttributeCode,
    AttributeFlag,
    Family,
)
from reflector.observe.export.mrt import record
from reflector.observe.reflector import Reflector
from reflector.rib.adj_rib_in import block_of
from reflector.rib.path import Path
from reflector.rib.source import Source
from reflector.speaker import Speaker

# RFC 6396 4.3.
_TABLE_DUMP_V2: Final = 13
_PEER_INDEX_TABLE: Final = 1
_SUBTYPES: Final = {IPV4_UNICAST: 2, IPV6_UNICAST: 4}
# RFC 8050 4: the same with a path identifier in each entry, behind the number and the time.
_ADDPATH_SUBTYPES: Final = {IPV4_UNICAST: 8, IPV6_UNICAST: 10}
_AHEAD_BYTES: Final = 6

# RFC 6396 4.3.1: bits of a peer's type.
_IPV6: Final = 1
_FOUR_OCTET_AS: Final = 2

# Paths whose entries are remembered: those of a class's nodes, and not a full table's.
_REMEMBERED: Final = 1 << 13
_NO_ADDRESS: Final = b"\0" * 16


def table_dump(reflector: Reflector, clock_offset_s: float) -> Iterator[bytes]:
    """The file, record by record; whoever iterates may take pauses.

    Each prefix is written as it is at that moment. Routes of peers that come while the dump is made are
    left out: their peers are not in its index.

    Args:
        reflector: Whose table.
        clock_offset_s: What makes of the loop's time seconds since the epoch.
    """
    speaker = reflector.speaker
    now_s = reflector.desk.clock()
    numbers = {source: number for number, source in enumerate(_sources(speaker))}
    yield record(now_s, _TABLE_DUMP_V2, _PEER_INDEX_TABLE, _index(speaker, numbers))
    entry_of = _Entries(reflector, numbers, now_s, clock_offset_s)
    sequence = 0
    for family, table in speaker.tables.items():
        for prefix in list(table.routes):
            candidates = table.routes.get(prefix)
            if candidates is None:
                continue
            entries = {path: entry for path in candidates.paths if (entry := entry_of(path))}
            if entries:
                subtype, made = _with_path_ids(speaker, prefix, entries)
                head = sequence.to_bytes(4) + prefix + len(made).to_bytes(2)
                yield record(now_s, _TABLE_DUMP_V2, subtype[family], head + b"".join(made))
                sequence += 1


def _with_path_ids(
    speaker: Speaker, prefix: bytes, entries: dict[Path, bytes]
) -> tuple[dict[Family, int], list[bytes]]:
    """The entries of a prefix and their subtypes: with path identifiers if one of them has one."""
    path_ids = [speaker.path_id(path, prefix) for path in entries]
    if not any(path_id is not None for path_id in path_ids):
        return _SUBTYPES, list(entries.values())
    return _ADDPATH_SUBTYPES, [
        entry[:_AHEAD_BYTES] + (path_id or 0).to_bytes(4) + entry[_AHEAD_BYTES:]
        for entry, path_id in zip(entries.values(), path_ids, strict=True)
    ]


def _sources(speaker: Speaker) -> list[Source]:
    """Everybody who has routes, or a session."""
    held = [place for table in speaker.tables.values() for place in table.held]
    sources = [place for place in held if isinstance(place, Source)]
    kept = [each.source for each in speaker.restarting.values()]
    return list(dict.fromkeys([*sources, *kept, *speaker.peers]))


def _index(speaker: Speaker, sources: dict[Source, int]) -> bytes:
    kept = {each.source: each.asn for each in speaker.restarting.values()}
    peers = []
    for source in sources:
        peer = speaker.peers.get(source)
        asn = kept.get(source, speaker.identity.asn)
        if peer is not None:
            asn = peer.negotiated.remote.asn
        is_ipv6 = source.address.version == 6  # noqa: PLR2004 - IP version
        kind = _FOUR_OCTET_AS | (_IPV6 if is_ipv6 else 0)
        peers.append(bytes((kind,)) + source.router_id + source.address.packed + asn.to_bytes(4))
    no_name = b"\0\0"
    head = speaker.identity.router_id.packed + no_name + len(peers).to_bytes(2)
    return head + b"".join(peers)


class _Entries:
    """RIB entries (RFC 6396 4.3.4), those of paths that many prefixes share made once."""

    def __init__(
        self, reflector: Reflector, numbers: dict[Source, int], now_s: float, clock_offset_s: float
    ) -> None:
        self._numbers = numbers
        self._now_s = now_s
        # No time is kept for each route: that of its session stands for it.
        self._since = {
            connection.peer.source: connection.since + clock_offset_s
            for connection in reflector.peering.connections
            if connection.peer is not None
        }
        self._known: dict[Path, bytes] = {}

    def __call__(self, path: Path) -> bytes:
        """A path's entry; empty if its source is not in the index."""
        entry = self._known.get(path)
        if entry is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            entry = self._known[path] = self._make(path)
        return entry

    def _make(self, path: Path) -> bytes:
        number = self._numbers.get(path.source)
        if number is None:
            return b""
        block = block_of(path)
        if path.family is IPV6_UNICAST:
            # RFC 6396 4.3.4: of MP_REACH_NLRI only the next hop with its length.
            next_hop = path.next_hop or _NO_ADDRESS
            reach = bytes((len(next_hop),)) + next_hop
            block = (
                encode_attribute(AttributeFlag.OPTIONAL, AttributeCode.MP_REACH_NLRI, reach) + block
            )
        since = int(self._since.get(path.source, self._now_s))
        return struct.pack("!HIH", number, since, len(block)) + block
