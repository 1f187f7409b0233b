"""When peers last said something about routes."""

from __future__ import annotations

import math

from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.observe.last_updates import LastUpdates
from tests.unit.observe.scene import Scene


def test_it_is_seen_from_the_second_look_on() -> None:
    scene, last = Scene(), LastUpdates()
    peer = scene.join("10.0.0.5")
    scene.announce(peer, "10.1.0.0/24")
    assert last.age_s(peer, 9.0) == math.inf
    last.look(scene.peering.connections, 10.0)
    assert last.age_s(peer, 10.0) == math.inf
    scene.withdraw(peer, "10.1.0.0/24")
    last.look(scene.peering.connections, 11.0)
    last.look(scene.peering.connections, 12.0)
    assert last.age_s(peer, 13.0) == 2.0


def test_end_of_rib_says_nothing_about_routes() -> None:
    scene, last = Scene(), LastUpdates()
    peer = scene.join("10.0.0.5")
    last.look(scene.peering.connections, 10.0)
    scene.speaker.receive_update(peer, bytes(4))
    assert peer.end_of_rib == {IPV4_UNICAST}
    last.look(scene.peering.connections, 11.0)
    assert last.age_s(peer, 11.0) == math.inf


def test_who_has_gone_is_forgotten() -> None:
    scene, last = Scene(), LastUpdates()
    peer = scene.join("10.0.0.5")
    last.look(scene.peering.connections, 10.0)
    scene.announce(peer, "10.1.0.0/24")
    last.look(scene.peering.connections, 11.0)
    last.look([], 12.0)
    assert last.age_s(peer, 12.0) == math.inf
