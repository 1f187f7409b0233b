"""The table as MRT records."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from reflector.observe.export.table_dump import table_dump
from tests.unit.observe.scene import Scene


def split(pieces: Iterable[bytes]) -> list[tuple[int, int, bytes]]:
    """Type, subtype and body of each record."""
    stream = b"".join(pieces)
    records = []
    while stream:
        _, kind, subtype, size = struct.unpack("!IHHI", stream[:12])
        records.append((kind, subtype, stream[12 : 12 + size]))
        stream = stream[12 + size :]
    return records


def test_the_index_comes_first_and_is_counted_from_nought() -> None:
    """RFC 6396 4.3: the index, then a record for each prefix, in sequence."""
    scene = Scene()
    scene.originate("1.0.0.2/32")
    scene.announce(scene.join("10.0.0.5"), "10.1.0.0/24", "10.2.0.0/24")
    scene.announce(
        scene.join("2001:db8::5", router_id="10.0.0.6"), "2001:db8:1::/48", next_hop="2001:db8::5"
    )
    index, *ribs = split(table_dump(scene, 0.0))
    assert index[:2] == (13, 1)
    assert index[2][:8] == bytes((192, 0, 2, 1, 0, 0, 0, 3))
    assert [rib[:2] for rib in ribs] == [(13, 2)] * 3 + [(13, 4)]
    assert [int.from_bytes(rib[2][:4]) for rib in ribs] == [0, 1, 2, 3]


def test_routes_that_come_and_go_meanwhile_do_no_harm() -> None:
    scene = Scene()
    peer = scene.join("10.0.0.5")
    scene.announce(peer, *(f"10.{n}.0.0/16" for n in range(100)))
    pieces = table_dump(scene, 0.0)
    begun = [next(pieces) for _ in range(10)]
    scene.withdraw(peer, *(f"10.{n}.0.0/16" for n in range(50, 100)))
    scene.announce(scene.join("10.0.0.6"), *(f"10.{n}.0.0/16" for n in range(20)))
    ribs = split([*begun, *pieces])[1:]
    assert len(ribs) == 50
    # Who came later is not in the index, so its paths are not there.
    assert all(int.from_bytes(rib[2][7:9]) == 1 for rib in ribs)


def test_nobody_has_no_table() -> None:
    [index] = split(table_dump(Scene(), 0.0))
    assert index[2][-2:] == b"\0\0"
