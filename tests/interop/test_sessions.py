"""What happens to sessions rather than routes: shared addresses, the end, and what is on the wire."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support import wire
from tests.support.frr import Frr
from tests.support.pcap import complaints, dissect, dissected_types
from tests.support.peer import Peer, announce_all
from tests.support.process import wait_until
from tests.support.reflector_process import OURS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.interop.conftest import ClassRoom
    from tests.support.peer import Route

pytestmark = pytest.mark.interop

# RFC 4486 4, as a display filter of Wireshark's.
ADMINISTRATIVE_SHUTDOWN = "bgp.notify.major_error == 6 and bgp.notify.minor_error_cease == 2"


@pytest.fixture
def behind_one_address(class_room: ClassRoom) -> Iterator[list[Peer]]:
    """Two peers with one source address and two router ids, as behind NAT."""
    like = class_room.peers["frr-a"].settings
    peers: list[Peer] = []
    try:
        for number in (251, 252):
            peer: Peer = Frr(
                replace(
                    like,
                    name=f"nat-{number}",
                    directory=class_room.directory / f"nat-{number}",
                    local_address=class_room.peers["frr-b"].settings.local_address,
                    router_id=f"10.77.0.{number}",
                    announcements=announce_all(f"10.{number}.0.0/24"),
                )
            )
            peers.append(peer)
            peer.start()
        yield peers
    finally:
        for peer in peers:
            peer.kill()


def test_two_nodes_behind_one_address(
    class_room: ClassRoom, behind_one_address: list[Peer]
) -> None:
    """RFC 4271 6.8 tells peers apart by BGP Identifier; so do we, whatever their address."""
    if class_room.reflector.kind != OURS:
        pytest.skip("others know one peer an address")
    first, second = behind_one_address
    for peer in behind_one_address:
        peer.wait_established()
    class_room.wait_for_routes(
        first, lambda seen: "10.252.0.0/24" in seen, "learns its neighbour's route"
    )
    class_room.wait_for_routes(
        second, lambda seen: "10.251.0.0/24" in seen, "learns its neighbour's route"
    )
    witness = class_room.peers["bird-a"]
    first.kill()
    routes = class_room.wait_for_routes(
        witness, lambda seen: "10.251.0.0/24" not in seen, "forgets the killed one's route"
    )
    assert "10.252.0.0/24" in routes


@pytest.mark.rfc("4486", "4 shutdown")
@pytest.mark.rfc("4724", "4 NOTIFICATION")
def test_stop_says_why(class_room: ClassRoom) -> None:
    """RFC 4486 4: Cease/Administrative Shutdown; then all return.

    But not to those that keep our routes over a restart, as FRR and OpenBGPD do unless they are told
    not to: a NOTIFICATION would end that (RFC 4724 4).
    """
    keepers = ("frr", "openbgpd") if class_room.reflector.kind == OURS else ()
    peers = class_room.peers.values()
    keeping = {peer.settings.local_address for peer in peers if peer.kind in keepers}
    told = {peer.settings.local_address for peer in peers} - keeping
    class_room.reflector.stop()

    def addressed() -> set[str]:
        return set(dissect(class_room.capture, ADMINISTRATIVE_SHUTDOWN, "ip.dst"))

    try:
        wait_until(
            lambda: addressed() >= told,
            what="each peer was sent Cease/Administrative Shutdown",
            explain=class_room.reflector.explain,
        )
        assert keeping.isdisjoint(addressed())
    finally:
        class_room.reflector.start()
        for peer in class_room.peers.values():
            if peer.kind == "openbgpd":  # sulks for 30 s after a Cease, by a constant of its own
                peer.kill()
                peer.start()
    for peer in class_room.peers.values():
        # Where its dial and the reflector's cross, one ends with a Cease, and OpenBGPD sulks after all.
        peer.wait_established(timeout_s=150)
    everything = {prefix for peer in class_room.peers.values() for prefix in peer.announced}
    for peer in class_room.peers.values():
        class_room.wait_for_routes(
            peer,
            partial(_knows, everything - peer.announced.keys()),
            "learns everything again",
        )


def test_nothing_sent_is_malformed(class_room: ClassRoom) -> None:
    """Wireshark's dissector has nothing to say against any message the reflector sent so far."""
    assert dissected_types(class_room.capture) >= {
        wire.OPEN,
        wire.UPDATE,
        wire.NOTIFICATION,
        wire.KEEPALIVE,
    }
    assert complaints(class_room.capture) == []


def _knows(prefixes: set[str], seen: dict[str, Route]) -> bool:
    return seen.keys() >= prefixes
