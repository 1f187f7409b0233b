"""Quarantine, whatever nodes announce and withdraw: nothing overlaps, and nothing is held back in vain."""

from __future__ import annotations

from ipaddress import ip_network
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from reflector.bgp.nlri import IPNetwork, unpack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.quarantine import QuarantineTable
from tests.support import wire
from tests.support.classroom import Classroom

PREFIXES = (
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.0.0/20",
    "10.1.2.0/23",
    "10.1.2.0/24",
    "10.1.3.0/24",
    "10.2.0.0/16",
    "10.2.0.0/24",
    "10.2.0.128/25",
    "10.2.0.1/32",
    "0.0.0.0/0",
)
steps = st.lists(
    st.tuples(
        st.integers(1, 4),
        st.sampled_from(["announce", "announce", "withdraw", "leave", "turn", "switch"]),
        st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=4, unique=True),
    ),
    max_size=25,
)


@given(steps)
def test_no_two_nodes_overlap_and_nobody_waits_for_nothing(
    drawn: list[tuple[int, str, list[str]]],
) -> None:
    on = True
    classroom = Classroom(quarantine=on)
    watcher = classroom.join("watcher", "10.0.0.9", turn=False)
    nodes = {}
    said: dict[int, set[str]] = {}
    for number, action, prefixes in drawn:
        if number not in nodes:
            nodes[number] = classroom.join(f"{number}", f"10.0.0.{number}", turn=False)
            said[number] = set()
        node = nodes[number]
        if action == "announce":
            attributes = wire.usual(next_hop=wire.next_hop(f"10.0.0.{number}"))
            classroom.send(node, wire.announce(*prefixes, attributes=attributes), turn=False)
            said[number] |= set(prefixes) - {"0.0.0.0/0"}
        elif action == "withdraw":
            classroom.send(node, wire.withdraw(*prefixes), turn=False)
            said[number] -= set(prefixes)
        elif action == "leave":
            classroom.leave(nodes.pop(number), turn=False)
            del said[number]
        elif action == "switch":
            on = not on
            classroom.speaker.quarantine(on=on)
        else:
            classroom.turn()
    classroom.speaker.quarantine(on=True)
    classroom.turn()
    table = classroom.speaker.tables[IPV4_UNICAST]
    assert isinstance(table, QuarantineTable)
    admitted: dict[int, set[IPNetwork]] = {
        number: {unpack_prefix(each, IPV4_UNICAST) for each in table.prefixes_of(node.peer.source)}
        for number, node in nodes.items()
    }
    for number, node in nodes.items():
        waiting = {
            unpack_prefix(prefix, IPV4_UNICAST)
            for source, prefix in table.held_back
            if source is node.peer.source
        }
        assert waiting.isdisjoint(admitted[number])
        assert waiting | admitted[number] == {ip_network(each) for each in said[number]}
        others = {
            each for of, held in admitted.items() if of != number for each in held if _counts(each)
        }
        for network in waiting:
            assert _counts(network)
            assert any(network.overlaps(other) for other in others), "it waits for nothing"
    for one, other in combinations(admitted.values(), 2):
        assert not [(each, mine) for each in one for mine in other if _clash(each, mine)], (
            "two nodes overlap"
        )
    assert sorted(table._order) == table._order
    assert len(table._order) == sum(map(_counts, map(_network, table.routes)))
    assert set(watcher.table) == set().union(*admitted.values())
    classroom.speaker.quarantine(on=False)
    classroom.turn()
    assert set(watcher.table) == {ip_network(each) for each in set().union(*said.values())}


def _network(prefix: bytes) -> IPNetwork:
    return unpack_prefix(prefix, IPV4_UNICAST)


def _counts(network: IPNetwork) -> bool:
    return 0 < network.prefixlen < 32


def _clash(one: IPNetwork, other: IPNetwork) -> bool:
    return _counts(one) and _counts(other) and one.overlaps(other)
