"""Why a route is as it is, and why there is none: real routing, stand-in connections."""

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from reflector.observe.explain import _VALUES, Explanation
from reflector.reports import PeerDown
from tests.unit.observe.scene import Scene
from tests.unit.rib.test_decision import STEPS

BIT = {"address": "10.0.0.5", "router_id": "10.0.0.5", "host_name": "node-a"}


@pytest.fixture
def scene() -> Scene:
    """Two nodes that announce the same, and one that says nothing."""
    scene = Scene()
    node_a, node_b = scene.join("10.0.0.5", "node-a"), scene.join("10.0.0.6", "node-b")
    scene.announce(node_a, "10.244.0.0/24", "10.244.9.0/24")
    scene.announce(node_b, "10.244.0.0/24", "10.244.0.128/25", "10.244.8.0/22")
    scene.connect("10.0.0.4", description="front row")
    return scene


def explain(scene: Scene, wanted: str, to: str = "") -> dict[str, Any]:
    asked = ip_network(wanted) if "/" in wanted else ip_address(wanted)
    explanation = Explanation(scene, asked)
    shorter, within = explanation.nearest()
    return explanation.view() | {
        "peers": list(explanation.peers(ip_address(to) if to else None)),
        "shorter": shorter,
        "within": within(),
    }


def test_the_best_path_and_what_was_against_the_other(scene: Scene) -> None:
    view = explain(scene, "10.244.0.0/24")
    assert [path["lost_by"] for path in view["route"]["paths"]] == [
        None,
        "lowest BGP identifier (ORIGINATOR_ID): 10.0.0.6 against 10.0.0.5",
    ]
    assert view["within"] == {"count": 1, "prefixes": ["10.244.0.128/25"]}


def test_to_whom_it_went_and_why_not_to_the_others(scene: Scene) -> None:
    peers = explain(scene, "10.244.0.0/24")["peers"]
    assert [(peer["address"], peer["told"], peer["reason"]) for peer in peers] == [
        ("10.0.0.4", False, "not-established"),
        ("10.0.0.5", False, "own-path"),
        ("10.0.0.6", False, "pending"),  # nothing has been sent yet
    ]
    assert peers[0]["why"] == "its session is in the state OpenSent"
    scene.speaker.turn()
    [peer] = explain(scene, "10.244.0.0/24", to="10.0.0.6")["peers"]
    assert (peer["told"], peer["reason"], peer["why"]) == (True, "told", "")


def test_an_address_finds_the_route_that_it_would_take(scene: Scene) -> None:
    assert explain(scene, "10.244.0.200")["route"]["prefix"] == "10.244.0.128/25"
    assert explain(scene, "10.244.0.1")["route"]["prefix"] == "10.244.0.0/24"
    assert explain(scene, "10.245.0.1")["route"] is None


def test_what_is_near_where_there_is_none(scene: Scene) -> None:
    above = explain(scene, "10.244.9.128/25")
    assert above["route"] is None
    assert above["shorter"]["prefix"] == "10.244.9.0/24"
    below = explain(scene, "10.244.8.0/21")
    assert below["shorter"] is None
    assert below["within"] == {"count": 2, "prefixes": ["10.244.8.0/22", "10.244.9.0/24"]}
    everything = explain(scene, "0.0.0.0/0")
    assert everything["within"]["count"] == 4


def test_a_prefix_that_was_refused_and_why(scene: Scene) -> None:
    peer = next(iter(scene.speaker.peers.values()))
    scene.announce(peer, "10.9.0.0/24", next_hop="127.0.0.1")
    scene.announce(peer, "127.1.0.0/16")
    [refusal] = explain(scene, "10.9.0.0/24")["refused"]
    assert {key: refusal[key] for key in BIT} == BIT
    assert refusal["why"] == "the next hop 127.0.0.1 is no host's address (RFC 4271 6.3)"
    [refusal] = explain(scene, "127.1.0.0/16")["refused"]
    assert refusal["why"] == "it is not unicast (RFC 4271 6.3)"
    scene.announce(peer, "10.9.0.0/24")
    assert explain(scene, "10.9.0.0/24")["refused"] == []


def test_who_has_left_has_nothing_and_the_reason_is_known(scene: Scene) -> None:
    [connection] = [each for each in scene.peering.connections if each.name.host_name == "node-b"]
    assert connection.peer is not None
    scene.peering.connections.remove(connection)
    scene.speaker.peer_down(connection.peer)
    name = replace(connection.name)
    scene.desk(PeerDown(name, True, "the peer said: Cease", None, None, 3, 40.0))  # noqa: FBT003
    [peer] = explain(scene, "10.244.0.0/24", to="10.0.0.6")["peers"]
    assert (peer["told"], peer["why"]) == (False, "it has left: the peer said: Cease")
    assert explain(scene, "10.244.0.0/24", to="10.9.9.9")["peers"] == []


@pytest.mark.parametrize("step", sorted(set(STEPS) - {"originated by this reflector"}))
def test_what_each_step_compares_can_be_said(step: str) -> None:
    winner, loser = STEPS[step]
    assert str(_VALUES[step](winner)) != str(_VALUES[step](loser))
