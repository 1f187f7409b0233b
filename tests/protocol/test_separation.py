"""Clusters that are kept apart: sessions stay up, and only what leads across is withdrawn."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from reflector.bgp.nlri import pack_prefix
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.fate import Fate, Reason
from reflector.rib.originated import LocalRoute
from reflector.rib.policy import Policy, Rule, Verdict
from reflector.rib.returning import returning
from reflector.rib.separation import Separation
from tests.support import wire
from tests.support.classroom import Classroom, Student

OURS = "1.0.0.2/32"
NODES = {"a1": "10.1.1.0/24", "a2": "10.1.2.0/24", "b1": "10.2.1.0/24", "c1": "10.3.1.0/24"}


class Lab:
    """Two nodes of cluster A, one of B and one of C, each with a prefix, and our own route."""

    def __init__(self, **exports: Policy) -> None:
        self.classroom = Classroom()
        self.classroom.speaker.originate([LocalRoute(ip_network(OURS))])
        self.nodes: dict[str, Student] = {}
        for number, (name, prefix) in enumerate(NODES.items(), 1):
            node = self.classroom.join(name, f"10.0.0.{number}", export=exports.get(name))
            self.classroom.send(node, wire.announce(prefix))
            self.nodes[name] = node

    def separate(self, **clusters: str) -> None:
        """Keep clusters apart, each given by its nodes."""
        self.classroom.speaker.separate(
            Separation(
                {
                    cluster: frozenset(
                        returning(self.nodes[name].peer.source) for name in names.split()
                    )
                    for cluster, names in clusters.items()
                }
            )
        )
        self.classroom.turn()

    def reaches(self, name: str) -> set[str]:
        """Whose prefixes a node has, as names."""
        by_prefix = {prefix: of for of, prefix in NODES.items()} | {OURS: "ours"}
        return {by_prefix[prefix] for prefix in self.nodes[name].prefixes}


def test_a_cluster_is_disconnected_and_comes_back() -> None:
    lab = Lab()
    assert lab.reaches("a1") == {"a2", "b1", "c1", "ours"}
    lab.separate(A="a1 a2")
    assert {name: lab.reaches(name) for name in NODES} == {
        "a1": {"a2", "ours"},
        "a2": {"a1", "ours"},
        "b1": {"c1", "ours"},
        "c1": {"b1", "ours"},
    }
    lab.separate()
    for name in NODES:
        assert lab.reaches(name) == {*NODES, "ours"} - {name}
    assert all(not node.stray for node in lab.nodes.values())


def test_two_clusters_that_are_disconnected_do_not_see_each_other() -> None:
    lab = Lab()
    lab.separate(A="a1 a2")
    lab.separate(A="a1 a2", B="b1")
    assert lab.reaches("a1") == {"a2", "ours"}
    assert lab.reaches("b1") == {"ours"}
    assert lab.reaches("c1") == {"ours"}
    lab.separate(B="b1")
    assert lab.reaches("a1") == {"a2", "c1", "ours"}


def test_what_is_announced_and_who_comes_meanwhile_stays_on_its_side() -> None:
    lab = Lab()
    lab.separate(A="a1 a2")
    lab.classroom.send(lab.nodes["a1"], wire.announce("10.1.9.0/24"))
    assert "10.1.9.0/24" in lab.nodes["a2"].prefixes
    assert "10.1.9.0/24" not in lab.nodes["b1"].prefixes
    lab.classroom.leave(lab.nodes["a1"])
    assert lab.reaches("a2") == {"ours"}
    lab.nodes["a1"] = lab.classroom.join("a1", "10.0.0.1")
    lab.classroom.send(lab.nodes["a1"], wire.announce(NODES["a1"]))
    assert lab.reaches("a1") == {"a2", "ours"}
    assert lab.reaches("a2") == {"a1", "ours"}
    assert lab.reaches("b1") == {"c1", "ours"}
    lab.separate()
    assert lab.reaches("a1") == {"a2", "b1", "c1", "ours"}


def test_a_peers_own_export_policy_still_holds() -> None:
    policy = Policy(
        "not C",
        (Rule("not C", Verdict.REJECT, peers=(ip_network("10.0.0.4/32"),)),),
        Verdict.ACCEPT,
    )
    lab = Lab(b1=policy, a1=policy)
    assert lab.reaches("b1") == {"a1", "a2", "ours"}
    lab.separate(A="a1 a2")
    assert lab.reaches("b1") == {"ours"}
    assert lab.reaches("a1") == {"a2", "ours"}
    assert (
        lab.classroom.speaker.reconfigure(lab.nodes["b1"].peer, lab.nodes["b1"].peer.intake, None)
        is False
    )
    lab.classroom.turn()
    assert lab.reaches("b1") == {"c1", "ours"}, "a reload changes its policy and not who is apart"
    lab.separate()
    assert lab.reaches("b1") == {"a1", "a2", "c1", "ours"}
    assert lab.reaches("a1") == {"a2", "b1", "ours"}


def test_nothing_is_left_of_a_separation() -> None:
    lab = Lab()
    before = len(list(lab.classroom.speaker._groups))
    lab.separate(A="a1 a2")
    lab.separate(A="a1", B="b1")
    lab.separate()
    assert len(list(lab.classroom.speaker._groups)) == before


def test_who_reads_slowly_ends_with_what_is_right() -> None:
    lab = Lab()
    slow = lab.nodes["b1"]
    slow.outlet.reads = False
    lab.separate(A="a1 a2")
    lab.classroom.send(lab.nodes["a1"], wire.withdraw(NODES["a1"]))
    lab.separate()
    lab.separate(A="a1")
    slow.outlet.reads = True
    slow.read()
    lab.classroom.turn()
    assert lab.reaches("b1") == {"a2", "c1", "ours"}


def test_the_reason_is_named() -> None:
    lab = Lab()
    lab.separate(A="a1 a2")
    speaker, prefix = lab.classroom.speaker, pack_prefix(ip_network(NODES["a1"]))
    fates = {
        name: speaker.fate(node.peer, IPV4_UNICAST, prefix) for name, node in lab.nodes.items()
    }
    assert fates == {
        "a1": Fate(Reason.OWN),
        "a2": Fate(Reason.TOLD, ""),
        "b1": Fate(Reason.DISCONNECTED, "A"),
        "c1": Fate(Reason.DISCONNECTED, "A"),
    }


def test_each_side_has_the_best_of_its_own_paths() -> None:
    """What is beyond the line is no candidate: it neither wins nor, by its MED, eliminates others."""
    lab = Lab()

    def offer(name: str, med: int, *as_path: int) -> None:
        attributes = wire.usual(
            as_path=wire.as_path(wire.sequence(*as_path)),
            next_hop=wire.next_hop(str(lab.nodes[name].peer.source.address)),
            med=wire.med(med),
        )
        lab.classroom.send(lab.nodes[name], wire.announce("10.9.0.0/24", attributes=attributes))

    def hops() -> dict[str, str]:
        told = [each for each in lab.nodes.items() if "10.9.0.0/24" in each[1].prefixes]
        return {name: str(node.route("10.9.0.0/24").next_hop) for name, node in told}

    offer("a1", 10, 65001)
    offer("b1", 20, 65001)
    offer("c1", 0, 65002)
    assert hops() == dict.fromkeys(("a2", "b1", "c1"), "10.0.0.1")
    lab.separate(A="a1 a2")
    assert hops() == {"a2": "10.0.0.1", "c1": "10.0.0.3"}
    speaker, prefix = lab.classroom.speaker, pack_prefix(ip_network("10.9.0.0/24"))
    reasons = {
        name: speaker.fate(node.peer, IPV4_UNICAST, prefix).reason
        for name, node in lab.nodes.items()
    }
    assert reasons == {
        "a1": Reason.OWN,
        "a2": Reason.TOLD,
        "b1": Reason.OWN,
        "c1": Reason.TOLD,
    }
    # The best of all stays, and another changes: news for one side alone.
    lab.classroom.send(lab.nodes["b1"], wire.withdraw("10.9.0.0/24"))
    assert hops() == {"a2": "10.0.0.1", "b1": "10.0.0.4"}
    offer("b1", 5, 65001)
    assert hops() == {"a2": "10.0.0.1", "c1": "10.0.0.3"}
    lab.separate()
    assert hops() == dict.fromkeys(("a1", "a2", "c1"), "10.0.0.3")
    assert not lab.classroom.speaker.tables[IPV4_UNICAST].notes_candidates


@pytest.mark.parametrize("side", ["a1 a2", "b1 c1"])
def test_both_ends_of_the_class_can_be_taken_apart(side: str) -> None:
    lab = Lab()
    lab.separate(X=side)
    for name in NODES:
        same = set(side.split()) if name in side.split() else set(NODES) - set(side.split())
        assert lab.reaches(name) == same - {name} | {"ours"}


def test_who_is_told_every_path_is_told_those_of_its_side() -> None:
    """RFC 7911: a peer with add-path loses the paths that lead across, and keeps the others."""
    lab = Lab()
    watcher = lab.classroom.join("watcher", "10.0.0.9", add_path="send")
    for name in ("a1", "b1"):
        address = str(lab.nodes[name].peer.source.address)
        attributes = wire.usual(next_hop=wire.next_hop(address))
        lab.classroom.send(lab.nodes[name], wire.announce("10.9.0.0/24", attributes=attributes))
    assert set(watcher.next_hops("10.9.0.0/24").values()) == {"10.0.0.1", "10.0.0.3"}
    lab.separate(A="a1 a2")
    assert set(watcher.next_hops("10.9.0.0/24").values()) == {"10.0.0.3"}
    assert {str(prefix) for prefix, _ in watcher.paths} == {
        *("10.9.0.0/24", NODES["b1"], NODES["c1"], OURS)
    }
    lab.separate()
    assert set(watcher.next_hops("10.9.0.0/24").values()) == {"10.0.0.1", "10.0.0.3"}
    assert not watcher.stray
