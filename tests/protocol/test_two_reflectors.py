"""Several reflectors: whatever their cluster ids and roles, no route goes round or stays behind."""

from __future__ import annotations

import random
from collections.abc import Callable
from ipaddress import IPv4Address

import pytest

from tests.support import wire
from tests.support.reflectors import Client, Cluster, Node

A, B, C = "192.0.2.1", "192.0.2.2", "192.0.2.3"

Build = Callable[[Cluster], None]


def one_cluster(cluster: Cluster) -> None:
    """RFC 4456 7: two reflectors of one cluster, with its id, peer as non-clients."""
    first, second = cluster.add("a", A, A), cluster.add("b", B, A)
    cluster.link(first, second, one_serves=False, other_serves=False)


def two_clusters(cluster: Cluster) -> None:
    """RFC 4456 5: each reflector has a cluster of its own; they peer as non-clients."""
    first, second = cluster.add("a", A, A), cluster.add("b", B, B)
    cluster.link(first, second, one_serves=False, other_serves=False)


def hierarchy(cluster: Cluster) -> None:
    """RFC 4456 5: a reflector that is a client of another."""
    first, second = cluster.add("a", A, A), cluster.add("b", B, B)
    cluster.link(first, second, one_serves=False, other_serves=True)


def clients_of_each_other(cluster: Cluster) -> None:
    """Both were told that the other is a client: a mistake that must not make a loop."""
    first, second = cluster.add("a", A, A), cluster.add("b", B, B)
    cluster.link(first, second, one_serves=True, other_serves=True)


def no_peering(cluster: Cluster) -> None:
    """Two reflectors that know nothing of each other."""
    cluster.add("a", A, A)
    cluster.add("b", B, B)


def ring(cluster: Cluster) -> None:
    """Three reflectors, each a client of the next: nothing but CLUSTER_LIST ends it."""
    nodes = [cluster.add("a", A, A), cluster.add("b", B, B), cluster.add("c", C, C)]
    for one, other in zip(nodes, nodes[1:] + nodes[:1], strict=True):
        cluster.link(one, other, one_serves=True, other_serves=True)


ALL = [one_cluster, two_clusters, hierarchy, clients_of_each_other, no_peering, ring]
# Where a route gets from one reflector to the other.
JOINED = [two_clusters, hierarchy, clients_of_each_other, ring]

every_topology = pytest.mark.parametrize("build", ALL, ids=lambda build: build.__name__)
every_joined = pytest.mark.parametrize("build", JOINED, ids=lambda build: build.__name__)


def homed(cluster: Cluster, *, everywhere: bool) -> list[Client]:
    """As many clients as reflectors and one more: on all of them, or on one each."""
    clients = []
    for number in range(len(cluster.nodes) + 1):
        client = Client(f"c{number}", f"10.0.0.{number + 1}")
        chosen = cluster.nodes if everywhere else [cluster.nodes[number % len(cluster.nodes)]]
        for node in chosen:
            cluster.home(client, node)
        clients.append(client)
    return clients


def pods(client: Client) -> str:
    """The one prefix of a client."""
    return client.address.replace("10.0.0.", "10.1.") + ".0/24"


def announce_all(cluster: Cluster) -> None:
    for client in cluster.clients:
        cluster.say(client, wire.announce(pods(client)))
    cluster.settle()


def assert_complete(cluster: Cluster) -> None:
    """Everybody reaches everybody, and each route says where it came from and by whom it went."""
    for client in cluster.clients:
        others = {pods(other) for other in cluster.clients if other is not client}
        assert client.prefixes - {pods(client)} == others, client.name
    assert_marked(cluster)


def assert_marked(cluster: Cluster) -> None:
    """RFC 4456 8: ORIGINATOR_ID is the client's, and no cluster is in a CLUSTER_LIST twice."""
    for client in cluster.clients:
        for table in client.tables.values():
            for network, route in table.items():
                (owner,) = [each for each in cluster.clients if pods(each) == str(network)]
                assert route[9] == IPv4Address(owner.address).packed
                clusters = [route[10][i : i + 4] for i in range(0, len(route[10]), 4)]
                assert len(clusters) == len(set(clusters)) > 0


@every_topology
def test_clients_of_all_reflectors_reach_each_other_by_any(build: Build) -> None:
    """RFC 4456 7 and 8: with each reflector's table alone, they would still be complete."""
    cluster = Cluster()
    build(cluster)
    clients = homed(cluster, everywhere=True)
    announce_all(cluster)
    assert_complete(cluster)
    for client in clients:
        others = {pods(other) for other in clients if other is not client}
        for table in client.tables.values():
            assert others <= set(map(str, table))


@every_joined
def test_clients_of_one_reflector_each_reach_each_other(build: Build) -> None:
    """RFC 4456 5 and 6: a client's route reaches the other reflector's clients."""
    cluster = Cluster()
    build(cluster)
    homed(cluster, everywhere=False)
    announce_all(cluster)
    assert_complete(cluster)


def test_in_one_cluster_a_client_must_be_on_all_reflectors() -> None:
    """RFC 4456 8: CLUSTER_LIST holds our own cluster id, so the route SHOULD be ignored."""
    cluster = Cluster()
    one_cluster(cluster)
    first, second, third = homed(cluster, everywhere=False)
    announce_all(cluster)
    assert first.prefixes == {pods(third)}
    assert second.prefixes == set()


@every_topology
@pytest.mark.parametrize("everywhere", [True, False], ids=["on all", "on one each"])
def test_a_withdrawn_route_is_gone_from_every_table(build: Build, *, everywhere: bool) -> None:
    """RFC 4456 8: no reflector keeps alive what another one has from it."""
    cluster = Cluster()
    build(cluster)
    clients = homed(cluster, everywhere=everywhere)
    announce_all(cluster)
    for client in clients:
        cluster.say(client, wire.withdraw(pods(client)))
        cluster.settle()
        assert not any(pods(client) in each.prefixes for each in clients)
    assert all(node.is_empty for node in cluster.nodes)


@every_topology
def test_a_dead_reflector_costs_clients_of_all_nothing(build: Build) -> None:
    """RFC 4456 7: that is what more than one reflector is for."""
    cluster = Cluster()
    build(cluster)
    clients = homed(cluster, everywhere=True)
    announce_all(cluster)
    before = {client: client.prefixes - {pods(client)} for client in clients}
    for node in cluster.nodes[1:]:
        cluster.kill(node)
        for client in clients:
            assert client.prefixes - {pods(client)} == before[client], "even before a word is said"
        cluster.settle()
        assert_complete(cluster)


@every_joined
def test_a_dead_reflector_takes_the_routes_of_its_own_clients_with_it(build: Build) -> None:
    """RFC 4456 8: the others hold none of them, not even by way of each other."""
    cluster = Cluster()
    build(cluster)
    clients = homed(cluster, everywhere=False)
    announce_all(cluster)
    dead = cluster.nodes[0]
    lost = {pods(client) for client in clients if dead in client.tables}
    cluster.kill(dead)
    cluster.settle()
    for client in clients:
        assert not client.prefixes & lost
    for node in cluster.nodes:
        held = {prefix for table in node.speaker.tables.values() for prefix in table.routes}
        assert held.isdisjoint(map(wire.prefix, lost))


@every_topology
def test_a_route_that_comes_back_to_its_originator_says_so(build: Build) -> None:
    """RFC 4456 8: a client that told only one reflector knows its own route by ORIGINATOR_ID."""
    cluster = Cluster()
    build(cluster)
    client, *_ = homed(cluster, everywhere=True)
    cluster.say(client, wire.announce(pods(client)), [cluster.nodes[0]])
    cluster.settle()
    assert not client.tables[cluster.nodes[0]]
    for route in client.routes():
        assert route[9] == IPv4Address(client.address).packed


@pytest.mark.parametrize(
    ("mark", "why"),
    [
        (wire.originator_id(A), "RFC 4456 8: ORIGINATOR_ID is our own BGP identifier"),
        (wire.cluster_list("192.0.2.9", A), "RFC 4456 8: our cluster id is in CLUSTER_LIST"),
    ],
    ids=["ORIGINATOR_ID", "CLUSTER_LIST"],
)
@pytest.mark.parametrize("serves", [True, False], ids=["from a client", "from a non-client"])
def test_what_went_through_us_before_is_ignored(mark: bytes, why: str, *, serves: bool) -> None:
    """RFC 4456 8: and it takes the place of what that peer had announced before."""
    cluster = Cluster()
    node = cluster.add("a", A, A)
    other = cluster.add("b", B, B)
    cluster.link(node, other, one_serves=serves, other_serves=False)
    first, second = Client("c1", "10.0.0.1"), Client("c2", "10.0.0.2")
    cluster.home(first, other)
    cluster.home(second, node)
    cluster.say(first, wire.announce("10.1.1.0/24"))
    cluster.settle()
    assert second.prefixes == {"10.1.1.0/24"}
    cluster.say(first, wire.announce("10.1.1.0/24", attributes=wire.usual(more=mark)))
    cluster.settle()
    assert second.prefixes == set(), why
    assert node.is_empty


@every_topology
@pytest.mark.parametrize("seed", range(5))
def test_after_any_churn_all_is_complete_and_then_gone(build: Build, seed: int) -> None:
    """RFC 4456 8: ghosts, if there were any, would outlive the last withdrawal."""
    dice = random.Random(seed)  # noqa: S311 - no secret
    cluster = Cluster()
    build(cluster)
    clients = homed(cluster, everywhere=True)
    for _ in range(60):
        client = dice.choice(clients)
        some: list[Node] = dice.sample(cluster.nodes, dice.randint(1, len(cluster.nodes)))
        med = wire.med(dice.randrange(3))
        body = wire.announce(pods(client), attributes=wire.usual(med=med))
        cluster.say(client, dice.choice([body, wire.withdraw(pods(client))]), some)
        if dice.random() < 0.5:
            cluster.settle()
    announce_all(cluster)
    assert_complete(cluster)
    for client in clients:
        cluster.say(client, wire.withdraw(pods(client)))
    cluster.settle()
    assert all(node.is_empty for node in cluster.nodes)
