"""Debian 13's FRR 10, BIRD 3 and GoBGP 3.36 as clients, with graceful restart."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.support.bird import Bird
from tests.support.frr import Frr
from tests.support.gobgp import GoBgp
from tests.support.netns import addresses_on_loopback
from tests.support.peer import Peer, PeerSettings, announce_all
from tests.support.process import skip_or_fail, wait_until
from tests.support.reflector_process import Reflector, ReflectorSettings, make_reflector

pytestmark = pytest.mark.interop

ROOT = Path(os.environ.get("BGP_REFLECTOR_CI_ROOT", "/var/cache/bgp-reflector-ci/trixie"))
REFLECTOR = "10.77.0.1"
DEBUG_PREFIX = "1.0.0.2/32"
KINDS: dict[type[Bird | Frr | GoBgp], str] = {
    Bird: "10.77.0.11",
    Frr: "10.77.0.12",
    GoBgp: "10.77.0.13",
}


@dataclass
class Room:
    """The reflector and one of each daemon."""

    reflector: Reflector
    peers: list[Peer]

    def wait_exact(self, gone: Peer | None = None) -> None:
        """Wait until each daemon has exactly what the others announce, and the debug route."""
        here = [each for each in self.peers if each is not gone]
        for peer in here:
            wanted = {prefix for each in here if each is not peer for prefix in each.announced}
            if isinstance(peer, Frr):
                wanted = set(filter(_is_ipv4, wanted))

            def exact(peer: Peer = peer, wanted: set[str] = wanted | {DEBUG_PREFIX}) -> bool:
                seen = peer.routes().keys()
                assert seen == wanted, f"{sorted(seen)} and not {sorted(wanted)}"
                return True

            wait_until(
                exact,
                what=f"{peer.kind} has exactly what there is",
                timeout_s=60,
                explain=peer.explain,
            )


def _is_ipv4(prefix: str) -> bool:
    return ":" not in prefix


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    if not (ROOT / "usr/lib/frr/bgpd").exists():
        skip_or_fail(
            f"there are no newer daemons in {ROOT} (.ci/install-new-peers puts them there)"
        )
    directory = tmp_path_factory.mktemp("new")
    with addresses_on_loopback("newer", REFLECTOR, *KINDS.values()) as netns:
        peers: list[Peer] = []
        for kind, address in KINDS.items():
            last = address.rpartition(".")[2]
            settings = PeerSettings(
                name=kind.kind,
                directory=directory / kind.kind,
                local_address=address,
                reflector_address=REFLECTOR,
                reflector_port=179,
                netns=netns,
                announcements=announce_all(f"10.{last}.0.0/24", f"fd10:{last}::/64"),
                root=ROOT,
            )
            if kind is Frr:  # without zebra FRR 10 has IPv4 alone
                own = tuple(each for each in settings.announcements if not each.is_ipv6)
                peers.append(
                    Frr(
                        replace(settings, announcements=own),
                        graceful_restart=True,
                        ipv6=False,
                        listens=True,
                    )
                )
            else:
                peers.append(kind(settings, graceful_restart=True))
        reflector = make_reflector(
            ReflectorSettings(directory=directory / "r", listen=(REFLECTOR,), port=179, netns=netns)
        )
        try:
            reflector.start()
            for peer in peers:
                peer.start()
            for peer in peers:
                peer.wait_established()
            yield Room(reflector, peers)
        finally:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda peer: peer.kill(), peers))
            reflector.stop()


def test_each_learns_from_each_in_both_families(room: Room) -> None:
    room.wait_exact()
    for peer in room.peers:
        routes = peer.routes()
        assert routes[DEBUG_PREFIX].next_hop == REFLECTOR
        for other in room.peers:
            for prefix in routes.keys() & other.announced.keys():
                assert routes[prefix].next_hop == other.next_hop_of(prefix)
                assert routes[prefix].originator_id == other.settings.router_id


@pytest.mark.parametrize("kind", KINDS)
def test_whoever_is_killed_and_comes_back_is_exact_again(room: Room, kind: type[Peer]) -> None:
    """Its routes are kept for it meanwhile: it had said that it restarts gracefully."""
    room.wait_exact()
    [peer] = [each for each in room.peers if isinstance(each, kind)]
    peer.kill()
    peer.start()
    peer.wait_established()
    room.wait_exact()


def test_all_is_exact_again_after_kill_9_of_the_reflector(room: Room) -> None:
    room.wait_exact()
    room.reflector.kill()
    room.reflector.start()
    for peer in room.peers:
        peer.wait_established()
    room.wait_exact()
