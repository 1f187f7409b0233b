"""A class as it is planned: addresses, arrivals, mistakes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reflector.sim.class_plan import ClassSettings, PlannedNode, plan_class
from reflector.sim.mistakes import MISTAKES
from reflector.sim.netns.classroom import pod_addresses_of

SMALL = ClassSettings(clusters=5, nodes=2)


def of_cluster(plan: list[PlannedNode], cluster: int) -> list[PlannedNode]:
    return [node for node in plan if node.cluster == cluster]


def culprits(settings: ClassSettings, name: str) -> list[PlannedNode]:
    plan = plan_class(replace(settings, mistakes=(name,)))
    return [node for node in plan if node.mistake is MISTAKES[name]]


def test_every_node_has_an_address_a_router_id_and_pods_of_its_own() -> None:
    plan = plan_class(ClassSettings(clusters=30, nodes=3))
    assert len(plan) == 90
    assert len({node.source for node in plan}) == 90
    assert len({node.profile.router_id for node in plan}) == 90
    assert len({node.pods for node in plan}) == 90
    first = of_cluster(plan, 7)[0]
    assert first.name == "cluster-07-node-1"
    assert first.source == first.profile.source == "127.1.7.1"
    assert first.profile.router_id == first.profile.next_hop == "192.168.7.1"
    assert first.pods == ("10.7.1.0/24",)


def test_a_class_with_ipv6_has_pods_of_both_families() -> None:
    for name in ("default-route", "duplicate-cidr"):
        plan = plan_class(ClassSettings(clusters=3, nodes=12, ipv6=True, mistakes=[name]))
        nodes = {(node.cluster, node.number): node for node in plan}
        assert nodes[3, 11].pods[:2] == ("10.3.11.0/24", "fd00:10:3:b::/64")
        assert nodes[3, 11].profile.next_hop_ipv6 == "fd00:192:168::3:b"
        assert pod_addresses_of(nodes[3, 11]) == ("10.3.11.3", "fd00:10:3:b::3")
        culprit = next(node for node in plan if node.mistake is not None and node.number == 12)
        assert len(pod_addresses_of(culprit)) == 2


def test_ipv6_wants_a_kube_router_that_tells_such_routes() -> None:
    with pytest.raises(ValueError, match=r"from 2\.7 on it does"):
        plan_class(ClassSettings(ipv6=True, version="2.5.0"))
    assert plan_class(ClassSettings(ipv6=True, version="2.5.0", graceful_restart=True))
    assert all(len(node.pods) == 1 for node in plan_class(ClassSettings(version="2.5.0")))


def test_they_arrive_one_by_one_at_the_pace_and_nodes_of_a_cluster_together() -> None:
    plan = plan_class(ClassSettings(clusters=30, nodes=3, pace_s=10))
    arrivals = [node.arrival_s for node in plan]
    assert arrivals == sorted(arrivals)
    for cluster in range(1, 31):
        times = [node.arrival_s for node in of_cluster(plan, cluster)]
        assert max(times) - min(times) < 1
        assert 5 * cluster <= min(times) <= 15 * cluster


def test_a_seed_makes_the_same_class_again() -> None:
    assert plan_class(SMALL) == plan_class(SMALL)
    assert plan_class(SMALL) != plan_class(replace(SMALL, seed=2))


def test_at_no_pace_all_come_at_once() -> None:
    assert {node.arrival_s for node in plan_class(replace(SMALL, pace_s=0))} == {0}


def test_each_mistake_is_made_by_a_cluster_of_its_own() -> None:
    settings = ClassSettings(clusters=30, nodes=2, mistakes=tuple(MISTAKES))
    plan = plan_class(settings)
    made = {(node.cluster, node.mistake.name) for node in plan if node.mistake}
    assert len(made) == len(MISTAKES) == len({cluster for cluster, _ in made})


@pytest.mark.parametrize("count", range(1, len(MISTAKES) + 1))
def test_there_may_be_as_many_mistakes_as_clusters(count: int) -> None:
    names = tuple(MISTAKES)[:count]
    plan = plan_class(ClassSettings(clusters=count, nodes=1, mistakes=names))
    assert {node.mistake.name for node in plan if node.mistake} == set(names)


def test_too_many_and_unknown_mistakes_are_refused() -> None:
    with pytest.raises(ValueError, match="2 mistakes need as many clusters, and there are 1"):
        plan_class(ClassSettings(clusters=1, mistakes=("silent", "flapping")))
    with pytest.raises(ValueError, match="'typo' is no mistake that is known; there are wrong-asn"):
        plan_class(ClassSettings(mistakes=("typo",)))


def test_what_each_mistake_changes() -> None:
    assert {node.profile.asn for node in culprits(SMALL, "wrong-asn")} == {64513}
    assert {node.profile.peer_asn for node in culprits(SMALL, "wrong-peer-asn")} == {64513}
    assert {node.profile.hold_time_s for node in culprits(SMALL, "hold-timer")} == {1}
    assert {node.pods for node in culprits(SMALL, "no-routes")} == {()}
    (first, _) = culprits(SMALL, "duplicate-cidr")
    assert first.pods == (f"10.{first.cluster - 1}.1.0/24",)
    (first, _) = culprits(SMALL, "duplicate-router-id")
    assert first.profile.router_id == f"192.168.{first.cluster - 1}.1"
    assert "0.0.0.0/0" in culprits(SMALL, "default-route")[0].pods


def test_whose_addresses_are_taken_does_everything_right() -> None:
    settings = ClassSettings(clusters=14, nodes=1, mistakes=tuple(MISTAKES))
    plan = plan_class(settings)
    healthy = {node.pods for node in plan if node.mistake is None}
    (culprit,) = [node for node in plan if node.mistake is MISTAKES["duplicate-cidr"]]
    assert culprit.pods in healthy


def test_without_the_loopback_they_share_an_address() -> None:
    plan = plan_class(replace(SMALL, on_loopback=False))
    assert {node.source for node in plan} == {None}
    assert len({node.profile.router_id for node in plan}) == 10
