"""Quarantine is turned on and off while peers have their routes."""

from collections.abc import Iterable

from reflector.bgp.vocabulary import Family
from reflector.rib.quarantine import QuarantineTable
from reflector.rib.table import Table
from reflector.speaker.peer import Peer


def switch_quarantine(tables: dict[Family, Table], peers: Iterable[Peer], *, on: bool) -> None:
    """Use of overlapping pod CIDRs only the first from now on, or all of them.

    Args:
        tables: The routes; some are replaced.
        peers: All, established or restarting.
        on: Whether only the first.
    """
    for family, table in list(tables.items()):
        if isinstance(table, QuarantineTable):
            if not on:
                tables[family] = table.released()
        elif on:
            tables[family] = _quarantined(table, peers)


def _quarantined(former: Table, peers: Iterable[Peer]) -> Table:
    table = QuarantineTable(former.family)
    identified = [
        (peer.path_ids[former.family], place, set(former.announced(place)))
        for peer in peers
        if former.family in peer.path_ids
        for place in peer.source.places
    ]
    table.take_over(former)
    for path_ids, place, prefixes in identified:
        path_ids.free(place, table.turned_away(place, prefixes))
    return table
