"""Which remembered peers are dialled when."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, ip_address

from reflector.net.memory import Remembered
from reflector.net.redial_plan import Outcome, Plan
from reflector.rib.source import IPAddress

LOCAL = ip_address("10.0.0.254")
PEERS = [
    Remembered(ip_address(f"10.0.0.{n}"), LOCAL, frozenset({IPv4Address(n)}), 0)
    for n in range(1, 6)
]
FIRST, SECOND = PEERS[0], PEERS[1]
NOBODY: frozenset[IPAddress] = frozenset()


def plan(*peers: Remembered, jitter: float = 0.0) -> Plan:
    return Plan(peers, 0.0, lambda: jitter)


def tries(outcome: Outcome, until_s: float) -> list[float]:
    """When a peer is tried that always answers in one way, at once."""
    one = plan(FIRST)
    now_s, at = 0.0, []
    while not one.over(now_s) and now_s < until_s:
        for peer in one.take(now_s, NOBODY, 64):
            at.append(now_s)
            one.tried(peer, now_s, outcome)
        now_s += one.nap_s(now_s)
    return at


def test_all_are_dialled_at_once_in_their_order() -> None:
    assert plan(*PEERS).take(0.0, NOBODY, 64) == PEERS


def test_no_more_at_a_time_than_is_allowed() -> None:
    few = plan(*PEERS)
    assert few.take(0.0, NOBODY, 2) == PEERS[:2]
    assert few.take(0.0, NOBODY, 2) == []
    few.tried(FIRST, 0.1, Outcome.SILENT)
    assert few.take(0.1, NOBODY, 2) == [PEERS[2]]


def test_who_is_silent_is_tried_less_and_less() -> None:
    assert tries(Outcome.SILENT, 40) == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 23.5, 31.5, 39.5]
    assert tries(Outcome.SPOKE, 40) == tries(Outcome.SILENT, 40)


def test_an_idle_gobgp_is_tried_often_since_it_takes_a_dial_within_seconds() -> None:
    at = tries(Outcome.HUNG_UP, 20)
    assert at[:4] == [0.0, 0.25, 0.5, 0.75]
    assert at[-3:] == [14.0, 16.0, 18.0]
    assert len(at) == 45


def test_jitter_only_shortens() -> None:
    one = plan(FIRST, jitter=1.0)
    one.take(0.0, NOBODY, 64)
    one.tried(FIRST, 0.0, Outcome.SILENT)
    assert one.take(0.374, NOBODY, 64) == []
    assert one.take(0.375, NOBODY, 64) == [FIRST]


def test_after_three_minutes_kube_router_has_dialled_by_itself() -> None:
    assert not plan(FIRST).over(179.9)
    assert plan(FIRST).over(180.0)
    assert 165 < tries(Outcome.SILENT, 1000)[-1] < 180


def test_who_falls_later_is_left_a_second_to_dial_and_has_three_minutes_of_its_own() -> None:
    one = plan(FIRST)
    one.add(replace(SECOND, seen_s=7), 95.0)
    one.add(SECOND, 100.0)
    assert len(one) == 2, "one for each address"
    assert one.take(100.9, NOBODY, 64) == [FIRST]
    assert one.take(101.0, NOBODY, 64) == [SECOND]
    one.add(replace(SECOND, seen_s=7), 101.0)
    assert len(one) == 2, "and none more while it is tried"
    one.tried(SECOND, 105.0, Outcome.HUNG_UP)
    assert one.take(105.25, NOBODY, 64) == [SECOND], "it is idle for ten seconds from its own fall"
    one.tried(FIRST, 179.0, Outcome.SILENT)
    one.tried(SECOND, 179.0, Outcome.SILENT)
    assert not one.over(180.0)
    assert (one.given_up, len(one)) == (1, 1)
    assert one.over(280.0)
    assert one.given_up == 2


def test_who_falls_while_others_are_tried_is_dialled_too() -> None:
    one = plan(FIRST)
    one.take(0.0, NOBODY, 64)
    one.add(SECOND, 10.0)
    assert one.take(11.0, NOBODY, 64) == [SECOND]


def test_who_has_a_connection_is_left_alone_for_as_long() -> None:
    both = plan(FIRST, SECOND)
    assert both.take(0.0, {FIRST.address}, 64) == [SECOND]
    assert both.take(1.0, NOBODY, 64) == [FIRST]


def test_who_is_back_is_left_alone_for_good_while_it_is_tried_too() -> None:
    both = plan(FIRST, SECOND)
    both.take(0.0, NOBODY, 1)
    assert both.came_back({FIRST.address, SECOND.address}) == 2
    both.tried(FIRST, 1.0, Outcome.HUNG_UP)
    assert both.over(1.0)
    assert both.take(9.0, NOBODY, 64) == []


def test_who_may_not_be_dialled_any_more_is_forgotten() -> None:
    one = plan(FIRST)
    one.take(0.0, NOBODY, 64)
    one.forget(FIRST)
    assert one.over(0.0)


def test_where_there_is_too_much_to_do_all_get_their_turns() -> None:
    crowd = plan(*PEERS)
    seen = []
    for step in range(10):
        for peer in crowd.take(step * 10.0, NOBODY, 1):
            seen.append(peer)
            crowd.tried(peer, step * 10.0, Outcome.SILENT)
    assert seen == PEERS * 2


def test_the_nap_is_until_the_next_turn_within_bounds() -> None:
    one = plan(FIRST)
    assert one.nap_s(0.0) == 0.05
    one.take(0.0, NOBODY, 64)
    one.tried(FIRST, 0.0, Outcome.SILENT)
    assert one.nap_s(0.25) == 0.25
    assert plan().nap_s(0.0) == 0.05
