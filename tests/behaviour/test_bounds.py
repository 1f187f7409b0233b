"""What is kept for a peer that doesn't read, seen from within: docs/limits.md states the bounds."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from reflector.bgp.limits import CATCH_UP_PIECE_PREFIXES, SEND_QUEUE_BYTES
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.audience import Audience
from reflector.rib.form import Form
from reflector.rib.member import Member
from reflector.rib.path import Path, local_attributes
from reflector.rib.source import Source
from reflector.rib.table import Table
from reflector.rib.update_group import UpdateGroup
from tests.behaviour.client import prefixes


class Wall:
    """An outlet that nothing leaves."""

    def __init__(self) -> None:
        self.backlog_bytes = 0
        self.written: list[bytes] = []

    def write(self, chunks: list[bytes]) -> None:
        """Keep it."""
        self.written += chunks
        self.backlog_bytes += sum(map(len, chunks))


class Scene:
    """A table with sources, and one group of members none of which reads."""

    def __init__(self, members: int = 1) -> None:
        self.table = Table(IPV4_UNICAST)
        self.group = UpdateGroup(self.table, Form(Audience.CLIENT))
        self.outlets = [Wall() for _ in range(members)]
        self.members = [
            Member(_source(100 + i), outlet, b"") for i, outlet in enumerate(self.outlets)
        ]
        for member in self.members:
            self.group.join(member)
        self.turn()

    def turn(self) -> None:
        """End a turn of the loop."""
        self.group.send_changes(self.table.take_changes())
        self.group.catch_up()

    def fall_behind(self) -> None:
        """Fill every member's queue."""
        for outlet in self.outlets:
            outlet.backlog_bytes = SEND_QUEUE_BYTES
        path = _path(_source(99))
        self.table.announce(path, prefixes(1, 1 << 17))
        self.turn()
        self.table.withdraw(path.source, prefixes(1, 1 << 17))
        self.turn()
        assert all(member.missed is not None for member in self.members)


def _source(number: int) -> Source:
    address = IPv4Address((10 << 24) + number)
    return Source(str(address), Audience.CLIENT, address.packed, address)


def _path(source: Source) -> Path:
    next_hop = source.address.packed
    return Path(source, IPV4_UNICAST, local_attributes(100), next_hop, b"\x0a\0\0\1")


@pytest.mark.parametrize("in_one_turn", [True, False])
def test_prefixes_that_come_and_go_unseen_leave_no_note(*, in_one_turn: bool) -> None:
    scene = Scene()
    scene.fall_behind()
    (member,) = scene.members
    noted = dict(member.missed or {})
    path = _path(_source(1))
    for first in range(0, 1000, 100):
        nlri = prefixes(100, first)
        scene.table.announce(path, nlri.copy())
        if not in_one_turn:
            scene.turn()
        scene.table.withdraw(path.source, nlri)
        scene.turn()
    assert member.missed == noted


def test_a_withdrawn_route_that_the_member_holds_stays_noted() -> None:
    scene = Scene()
    path = _path(_source(1))
    scene.table.announce(path, prefixes(2))
    scene.turn()
    scene.fall_behind()
    (member,) = scene.members
    for _ in range(2):
        scene.table.withdraw(path.source, prefixes(2))
        scene.turn()
        scene.table.announce(path, prefixes(1))
        scene.turn()
    assert member.missed is not None
    assert [member.missed[prefix] for prefix in prefixes(2)] == [True, True]


def test_what_waits_for_many_sources_is_shared_between_them() -> None:
    scene = Scene(members=300)
    for outlet in scene.outlets:
        outlet.written.clear()
    for number, member in enumerate(scene.members):
        scene.table.announce(_path(member.source), prefixes(20, 20 * number))
    scene.turn()
    octets = [sum(map(len, outlet.written)) for outlet in scene.outlets]
    assert min(octets) == max(octets) > 299 * 20 * 4
    kept = {id(chunk): len(chunk) for outlet in scene.outlets for chunk in outlet.written}
    assert sum(kept.values()) < 3 * octets[0]


def test_what_was_missed_first_is_sent_first() -> None:
    """Else prefixes that change all the time would keep one that changed once waiting for ever."""
    scene = Scene()
    scene.fall_behind()
    ((member,), (outlet,)) = scene.members, scene.outlets
    busy, quiet = _path(_source(1)), _path(_source(2))
    (once,) = prefixes(1, 1 << 16)
    scene.table.announce(quiet, [once])
    for _ in range(3):
        scene.table.withdraw(busy.source, prefixes(2 * CATCH_UP_PIECE_PREFIXES))
        scene.table.announce(busy, prefixes(2 * CATCH_UP_PIECE_PREFIXES))
        scene.group.send_changes(scene.table.take_changes())
    outlet.backlog_bytes = 0
    scene.group.catch_up()
    assert member.missed
    assert once not in member.missed
