"""Policies at work between peers: what each is told, and what a reload changes."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from reflector.bgp.nlri import pack_prefix
from reflector.bgp.vocabulary import FAMILIES
from reflector.rib.intake import Intake
from reflector.rib.originated import LocalRoute
from reflector.rib.policy import Change, Policy, Rule, Verdict
from reflector.rib.prefix_set import PrefixRange, PrefixSet
from reflector.rib.update_group import UpdateGroup
from tests.support import wire
from tests.support.classroom import Classroom

ACCEPT, REJECT, NEXT = Verdict.ACCEPT, Verdict.REJECT, Verdict.NEXT
BLUE = (8, bytes.fromhex("fc000001"))
LARGE = (32, bytes.fromhex("0000fc000000000100000002"))
TARGET = (16, bytes.fromhex("0002fc00000000c8"))
NO_EXPORT = (8, bytes.fromhex("ffffff01"))


def prefixes(*ranges: tuple[str, int, int]) -> tuple[PrefixSet, ...]:
    found = []
    for text, least, most in ranges:
        network = ip_network(text)
        family = FAMILIES[1 if network.version == 4 else 2, 1]
        found.append(PrefixRange(family, pack_prefix(network), least, most))
    return (PrefixSet(tuple(found)),)


PODS = prefixes(("10.244.0.0/16", 24, 26), ("fd00::/8", 8, 64))
ONLY_PODS = Policy("only-pods", (Rule("pods", ACCEPT, PODS),), REJECT)
NOT_PODS = Policy("not-pods", (Rule("pods", REJECT, PODS),), ACCEPT)
NOT_BLUE = Policy("not-blue", (Rule("blue", REJECT, communities=frozenset({BLUE})),), ACCEPT)
PREFERRED = Policy("preferred", (Rule("all", NEXT, change=Change(local_pref=300)),), ACCEPT)


def blue(*texts: str) -> bytes:
    more = wire.communities(64512 << 16 | 1)
    return wire.announce(*texts, attributes=wire.usual(more=more))


def test_an_import_policy_lets_in_what_it_accepts_and_counts_the_rest() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", intake=Intake(policy=ONLY_PODS))
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce("10.244.1.0/24", "10.9.0.0/24", "10.244.0.0/16"))
    classroom.send(source, wire.announce6("fd00:1::/64", "2001:db8::/64"))
    assert other.prefixes == {"10.244.1.0/24", "fd00:1::/64"}
    assert source.peer.filter is not None
    assert source.peer.filter.rejected == {"only-pods, otherwise": 3}
    assert source.peer.counters.refused == 3
    assert classroom.findings == []


def test_a_route_that_is_rejected_anew_is_withdrawn() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", intake=Intake(policy=NOT_BLUE))
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, wire.announce("10.1.0.0/24"))
    assert other.prefixes == {"10.1.0.0/24"}
    classroom.send(source, blue("10.1.0.0/24"))
    assert other.prefixes == set()


def test_import_sets_what_others_decide_by() -> None:
    classroom = Classroom()
    change = Change(300, 7, (BLUE, LARGE, TARGET, NO_EXPORT))
    policy = Policy("set", (Rule("all", ACCEPT, change=change),), REJECT)
    source = classroom.join("source", "10.0.0.9", intake=Intake(policy=policy))
    rival = classroom.join("rival", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    outside = classroom.join("outside", "10.0.0.3", asn=65001)
    classroom.send(rival, wire.announce("10.1.0.0/24"))
    classroom.send(source, wire.announce("10.1.0.0/24"))
    route = other.route("10.1.0.0/24")
    assert (int.from_bytes(route[5]), int.from_bytes(route[4])) == (300, 7)
    assert route[8] == BLUE[1] + NO_EXPORT[1]
    assert (route[16], route[32]) == (TARGET[1], LARGE[1])
    assert outside.prefixes == set(), "no-export that a policy adds is heeded"


@pytest.mark.rfc("4271", "5.1.4 removal")
def test_import_can_remove_med_before_paths_are_compared() -> None:
    """RFC 4271 5.1.4: "prior to determining the degree of preference"; an absent MED counts 0."""
    classroom = Classroom()
    policy = Policy("no med", (Rule("all", ACCEPT, change=Change(med="none")),), REJECT)
    source = classroom.join("source", "10.0.0.9", intake=Intake(policy=policy))
    rival = classroom.join("rival", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(rival, wire.announce("10.1.0.0/24", attributes=wire.usual(med=wire.med(1))))
    with_med = wire.usual(med=wire.med(9), next_hop=wire.next_hop("10.0.0.9"))
    classroom.send(source, wire.announce("10.1.0.0/24", "10.2.0.0/24", attributes=with_med))
    assert str(other.route("10.1.0.0/24").next_hop) == "10.0.0.9"
    for prefix in ("10.1.0.0/24", "10.2.0.0/24"):
        assert 4 not in other.route(prefix)


@pytest.mark.rfc("4271", "5.1.4 removal")
def test_a_route_without_med_has_none_to_lose() -> None:
    classroom = Classroom()
    policy = Policy("no med", (Rule("all", ACCEPT, change=Change(med="none")),), REJECT)
    source = classroom.join("source", "10.0.0.9")
    other = classroom.join("other", "10.0.0.2", export=policy)
    classroom.send(source, wire.announce("10.1.0.0/24"))
    assert 4 not in other.route("10.1.0.0/24")
    assert other.route("10.1.0.0/24")[5] == (100).to_bytes(4)


def test_an_export_policy_is_for_its_peers_alone() -> None:
    classroom = Classroom()
    classroom.speaker.originate([LocalRoute(ip_network("1.0.0.2/32"))])
    source = classroom.join("source", "10.0.0.1")
    filtered = classroom.join("filtered", "10.0.0.2", export=ONLY_PODS)
    other = classroom.join("other", "10.0.0.3")
    classroom.send(source, wire.announce("10.244.1.0/24", "10.9.0.0/24"))
    assert filtered.prefixes == {"10.244.1.0/24"}
    assert other.prefixes == {"10.244.1.0/24", "10.9.0.0/24", "1.0.0.2/32"}
    classroom.send(source, wire.withdraw("10.244.1.0/24", "10.9.0.0/24"))
    assert filtered.prefixes == set()
    assert filtered.stray == []


def test_a_better_path_that_the_policy_rejects_takes_the_route_away() -> None:
    """The policy says who is told of the best path; it does not choose another one."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    better = classroom.join("better", "10.0.0.2")
    filtered = classroom.join("filtered", "10.0.0.3", export=NOT_BLUE)
    classroom.send(source, wire.announce("10.1.0.0/24"))
    assert filtered.prefixes == {"10.1.0.0/24"}
    more = wire.communities(64512 << 16 | 1)
    preferred = wire.usual(local_pref=wire.local_pref(200), more=more)
    classroom.send(better, wire.announce("10.1.0.0/24", attributes=preferred))
    assert filtered.prefixes == set()
    classroom.send(better, wire.withdraw("10.1.0.0/24"))
    assert filtered.prefixes == {"10.1.0.0/24"}


def test_export_sets_what_only_its_peers_see() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    filtered = classroom.join("filtered", "10.0.0.2", export=PREFERRED)
    other = classroom.join("other", "10.0.0.3")
    classroom.send(source, wire.announce("10.1.0.0/24"))
    assert int.from_bytes(filtered.route("10.1.0.0/24")[5]) == 300
    assert int.from_bytes(other.route("10.1.0.0/24")[5]) == 100


def test_a_source_that_is_filtered_does_not_get_its_own_routes_back() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", export=PREFERRED)
    classroom.join("other", "10.0.0.3")
    classroom.send(source, wire.announce("10.1.0.0/24"))
    assert source.prefixes == set()


def test_a_default_route_may_be_asked_for_by_name() -> None:
    everything = prefixes(("0.0.0.0/0", 0, 32))
    by_name = prefixes(("0.0.0.0/0", 0, 0))
    classroom = Classroom()
    other = classroom.join("other", "10.0.0.2")
    any_ = Intake(policy=Policy("any", (Rule("any", ACCEPT, everything),), REJECT))
    named = Intake(policy=Policy("named", (Rule("default", ACCEPT, by_name),), REJECT))
    source = classroom.join("source", "10.0.0.1", intake=any_)
    classroom.send(source, wire.announce("0.0.0.0/0", "10.1.0.0/24"))
    assert other.prefixes == {"10.1.0.0/24"}
    router = classroom.join("router", "10.0.0.3", intake=named)
    classroom.send(router, wire.announce("0.0.0.0/0", "10.3.0.0/24"))
    assert other.prefixes == {"10.1.0.0/24", "0.0.0.0/0"}


@pytest.mark.rfc("2918", "4 answer")
def test_a_refresh_of_a_filtered_peer_is_filtered() -> None:
    """RFC 2918 4: the Adj-RIB-Out is sent again, and no more than that."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    filtered = classroom.join("filtered", "10.0.0.2", export=ONLY_PODS)
    classroom.send(source, wire.announce("10.244.1.0/24", "10.9.0.0/24"))
    filtered.table.clear()
    classroom.speaker.receive_refresh(filtered.peer, 1, 1)
    classroom.turn()
    assert filtered.prefixes == {"10.244.1.0/24"}


def test_a_changed_export_policy_sends_the_difference() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    peer = classroom.join("peer", "10.0.0.2")
    classroom.send(source, wire.announce("10.244.1.0/24", "10.9.0.0/24"))
    sent = len(peer.messages)
    changed = classroom.speaker.reconfigure(peer.peer, peer.peer.intake, ONLY_PODS)
    classroom.turn()
    assert not changed, "there is nothing to ask the peer for"
    assert peer.prefixes == {"10.244.1.0/24"}
    assert len(peer.messages) == sent + 1, "one withdrawal, and nothing that it has already"
    classroom.speaker.reconfigure(peer.peer, peer.peer.intake, NOT_PODS)
    classroom.turn()
    assert peer.prefixes == {"10.9.0.0/24"}
    classroom.speaker.reconfigure(peer.peer, peer.peer.intake, None)
    classroom.turn()
    assert peer.prefixes == {"10.9.0.0/24", "10.244.1.0/24"}
    assert peer.stray == []
    assert all(type(each) is UpdateGroup for each in classroom.speaker._groups), "none is left over"
    classroom.send(source, wire.announce("10.10.0.0/24"))
    assert "10.10.0.0/24" in peer.prefixes


def test_a_changed_import_policy_judges_what_is_held() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1", intake=Intake(policy=PREFERRED))
    other = classroom.join("other", "10.0.0.2")
    routes = wire.announce("10.244.1.0/24", "10.9.0.0/24")
    classroom.send(source, routes, blue("10.8.0.0/24"))
    assert int.from_bytes(other.route("10.9.0.0/24")[5]) == 300
    for policy, left in (
        (NOT_BLUE, {"10.244.1.0/24", "10.9.0.0/24"}),
        (ONLY_PODS, {"10.244.1.0/24"}),
        (None, {"10.244.1.0/24"}),
    ):
        changed = classroom.speaker.reconfigure(source.peer, Intake(policy=policy), None)
        classroom.turn()
        assert changed
        assert other.prefixes == left
    assert int.from_bytes(other.route("10.244.1.0/24")[5]) == 100, "as it came"
    classroom.send(source, routes)
    assert other.prefixes == {"10.244.1.0/24", "10.9.0.0/24"}, "once it was asked"
    assert not classroom.speaker.reconfigure(source.peer, Intake(), None)
