"""Which pods of a class are to reach each other."""

from __future__ import annotations

import pytest

from reflector.sim.class_plan import ClassSettings, PlannedNode, plan_class
from reflector.sim.mistakes import MISTAKES
from reflector.sim.netns.classroom import pod_addresses_of
from reflector.sim.netns.reach import Reach


def planned(mistake: str | None) -> dict[str, PlannedNode]:
    """Four clusters of two nodes; the second one makes the mistake, the first is its victim."""
    names = () if mistake is None else (mistake,)
    plan = plan_class(ClassSettings(clusters=4, nodes=2, mistakes=names))
    return {f"{node.cluster}.{node.number}": node for node in plan}


def reach(mistake: str | None, one: str, other: str) -> bool | None:
    nodes = planned(mistake)
    return Reach(list(nodes.values())).between(nodes[one], nodes[other])


def test_everybody_reaches_everybody() -> None:
    nodes = planned(None)
    to_reach = Reach(list(nodes.values()))
    assert all(
        to_reach.between(one, other) is True
        for one in nodes.values()
        for other in nodes.values()
        if one is not other
    )


@pytest.mark.parametrize(
    "mistake", ["wrong-asn", "wrong-peer-asn", "no-routes", "bad-next-hop", "hold-timer", "no-bgp"]
)
def test_who_shares_no_routes_is_not_reached(mistake: str) -> None:
    assert reach(mistake, "2.1", "3.1") is False
    assert reach(mistake, "3.1", "4.1") is True


@pytest.mark.parametrize("mistake", ["silent", "flapping", "stalled"])
def test_who_comes_and_goes_may_be_reached(mistake: str) -> None:
    assert reach(mistake, "2.1", "3.1") is None


def test_one_of_two_with_the_same_pod_subnet_is_reached() -> None:
    assert reach("duplicate-cidr", "1.1", "2.1") is False
    assert reach("duplicate-cidr", "2.1", "3.1") is None
    assert reach("duplicate-cidr", "1.1", "3.1") is None
    assert reach("duplicate-cidr", "3.1", "4.1") is True


def test_nodes_with_the_same_router_id_do_not_reach_each_other() -> None:
    assert reach("duplicate-router-id", "1.1", "2.1") is False
    assert reach("duplicate-router-id", "1.1", "2.2") is True
    assert reach("duplicate-router-id", "2.1", "3.1") is True


def test_a_default_route_of_one_changes_nothing_for_pods() -> None:
    assert reach("default-route", "2.1", "2.2") is True


@pytest.mark.parametrize("mistake", [None, *MISTAKES])
def test_no_two_pods_have_the_same_address(mistake: str | None) -> None:
    nodes = planned(mistake)
    assert len({pod_addresses_of(node) for node in nodes.values()}) == len(nodes)
