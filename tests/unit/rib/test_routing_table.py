"""The table of a family: what it holds, and what it says has changed."""

from ipaddress import ip_address

import pytest

from reflector.bgp.attributes import PathAttributes
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.audience import Audience
from reflector.rib.path import Path
from reflector.rib.source import Source
from reflector.rib.table import Changes, Table
from tests.support import wire

ONE, TWO, THREE = map(wire.prefix, ("10.1.0.0/24", "10.2.0.0/24", "10.3.0.0/24"))


def make(address: str, local_pref: int = 100, source: Source | None = None) -> Path:
    """Make a path, from a source of its own unless there is one."""
    where = ip_address(address)
    origin = source or Source(address, Audience.CLIENT, where.packed, where)
    judged = PathAttributes(local_pref=local_pref)
    return Path(origin, IPV4_UNICAST, judged, where.packed, b"\1\1\1\1")


def settled(*announced: tuple[Path, list[bytes]]) -> Table:
    """Make a table that holds some paths, with nothing changed since."""
    table = Table(IPV4_UNICAST)
    for path, prefixes in announced:
        table.announce(path, prefixes)
    table.take_changes()
    return table


def test_new_prefixes_arrive() -> None:
    path, table = make("10.0.0.1"), Table(IPV4_UNICAST)
    assert not table.changed
    table.announce(path, [ONE, TWO])
    table.announce(path, [THREE])
    assert table.changed
    assert table.take_changes() == Changes({path: [ONE, TWO, THREE]}, {})
    assert not table.changed
    assert {prefix: table.routes[prefix].best for prefix in table.routes} == dict.fromkeys(
        (ONE, TWO, THREE), path
    )
    assert table.announced(path.source) == {ONE, TWO, THREE}


def test_a_prefix_twice_in_one_update_arrives_once() -> None:
    path, table = make("10.0.0.1"), Table(IPV4_UNICAST)
    table.announce(path, [ONE, TWO, ONE])
    assert table.take_changes() == Changes({path: [ONE, TWO]}, {})


@pytest.mark.parametrize("prefixes", [[ONE, TWO, THREE], [TWO, ONE, THREE, TWO], [THREE, TWO, ONE]])
def test_new_prefixes_of_an_update_arrive_and_known_ones_change(prefixes: list[bytes]) -> None:
    """Wherever the known one stands: TWO, which another source has announced and not as well."""
    known = make("10.0.0.1")
    table = settled((known, [TWO]))
    better = make("10.0.0.2", local_pref=200)
    table.announce(better, prefixes)
    changes = table.take_changes()
    arrived = changes.arrivals.get(better, [])
    assert {*arrived} | changes.former.keys() == {ONE, TWO, THREE}
    assert len(arrived) + len(changes.former) == 3
    assert changes.former[TWO] is known
    assert {table.routes[prefix].best for prefix in (ONE, TWO, THREE)} == {better}
    assert table.announced(better.source) == {ONE, TWO, THREE}
    assert table.count_held(better.source) == 3
    assert table.withdraw(better.source, [ONE, TWO, THREE]) == 3
    assert table.routes == {TWO: known}


def test_new_prefixes_beside_those_of_the_same_path_arrive() -> None:
    path = make("10.0.0.1")
    table = settled((path, [TWO]))
    table.announce(path, [ONE, TWO, THREE])
    assert table.take_changes() == Changes({path: [ONE, THREE]}, {})
    assert table.count_held(path.source) == 3


def test_the_same_path_again_is_no_change() -> None:
    path = make("10.0.0.1")
    table = settled((path, [ONE]))
    table.announce(path, [ONE])
    assert not table.changed


def test_a_worse_path_is_held_and_is_no_change() -> None:
    better, worse = make("10.0.0.1"), make("10.0.0.2")
    table = settled((better, [ONE]))
    table.announce(worse, [ONE])
    assert not table.changed
    assert set(table.routes[ONE].paths) == {better, worse}


def test_a_better_path_is_a_change_from_the_former_one() -> None:
    better, worse = make("10.0.0.1"), make("10.0.0.2")
    table = settled((worse, [ONE]))
    table.announce(better, [ONE, TWO])
    assert table.take_changes() == Changes({}, {ONE: worse, TWO: None})


@pytest.mark.rfc("4271", "3.1")
def test_a_new_path_of_the_same_source_replaces_its_old_one() -> None:
    old = make("10.0.0.1")
    new = make("10.0.0.1", local_pref=50, source=old.source)
    table = settled((old, [ONE]))
    table.announce(new, [ONE])
    assert table.take_changes() == Changes({}, {ONE: old})
    assert table.routes[ONE].paths == (new,)


@pytest.mark.rfc("4271", "9.2 change")
def test_a_withdrawal_is_a_change_only_if_the_best_path_goes() -> None:
    better, worse = make("10.0.0.1"), make("10.0.0.2")
    table = settled((better, [ONE, TWO]), (worse, [ONE]))
    assert table.withdraw(worse.source, [ONE, TWO]) == 1
    assert not table.changed
    assert table.withdraw(better.source, [ONE]) == 1
    assert table.take_changes() == Changes({}, {ONE: better})
    assert set(table.routes) == {TWO}


def test_what_was_not_announced_can_not_be_withdrawn() -> None:
    path, stranger = make("10.0.0.1"), make("10.0.0.2")
    table = settled((path, [ONE]))
    assert table.withdraw(stranger.source, [ONE]) == 0
    assert table.withdraw(path.source, [TWO]) == 0
    assert not table.changed


def test_a_source_that_is_gone_leaves_nothing() -> None:
    first, second = make("10.0.0.1"), make("10.0.0.2")
    table = settled((first, [ONE, TWO]), (second, [TWO, THREE]))
    assert table.drop(first.source) == 2
    assert table.take_changes() == Changes({}, {ONE: first, TWO: first})
    assert table.drop(first.source) == 0
    assert table.routes.keys() == {TWO, THREE}
    assert first.source not in table.held
    assert table.drop(second.source) == 2
    assert table.routes == {}


def test_what_came_and_went_within_a_turn_first_arrived() -> None:
    path, table = make("10.0.0.1"), Table(IPV4_UNICAST)
    table.announce(path, [ONE])
    table.withdraw(path.source, [ONE])
    assert table.take_changes() == Changes({path: [ONE]}, {ONE: path})


def test_what_went_and_came_back_within_a_turn_is_told_from_the_first_state() -> None:
    path = make("10.0.0.1")
    table = settled((path, [ONE]))
    table.withdraw(path.source, [ONE])
    table.announce(path, [ONE])
    changes = table.take_changes()
    assert changes == Changes({}, {ONE: path})
    assert table.routes[ONE].best is path


def test_many_changes_within_a_turn_are_told_from_the_first_state() -> None:
    first, second, third = make("10.0.0.3"), make("10.0.0.2"), make("10.0.0.1")
    table = settled((first, [ONE]))
    table.announce(second, [ONE])
    table.announce(third, [ONE])
    table.withdraw(third.source, [ONE])
    assert table.take_changes() == Changes({}, {ONE: first})
    assert table.routes[ONE].best is second


def test_a_prefix_that_arrives_twice_in_a_turn_arrives_from_the_first() -> None:
    worse, better, table = make("10.0.0.2"), make("10.0.0.1"), Table(IPV4_UNICAST)
    table.announce(worse, [ONE])
    table.announce(better, [ONE])
    assert table.take_changes() == Changes({worse: [ONE]}, {ONE: worse})


def test_what_flaps_is_noted_no_more_than_so_often() -> None:
    path = make("10.0.0.1")
    table = settled((path, [ONE, TWO]))
    for _ in range(1000):
        assert table.withdraw(path.source, [TWO]) == 1
        table.announce(path, [TWO])
    assert len(table.held[path.source].noted) < 100
    assert sorted(table.prefixes_of(path.source)) == [ONE, TWO]
    assert table.withdraw(path.source, [TWO, TWO, THREE]) == 1
    assert table.drop(path.source) == 1
    assert not table.routes


def test_who_never_had_a_prefix_takes_nothing_from_who_has_it() -> None:
    one, two, three = make("10.0.0.1"), make("10.0.0.2"), make("10.0.0.3")
    table = settled((one, [ONE]), (two, [ONE]), (three, [TWO]))
    assert table.withdraw(three.source, [ONE]) == 0
    assert table.withdraw(one.source, [TWO, THREE]) == 0
    assert not table.changed
    assert table.holds(one.source, ONE)
    assert not table.holds(one.source, TWO)
