"""GTSM (RFC 5082) with real daemons: who demands it finds us near, and who doesn't is far to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.daemons import KINDS, PEERS
from tests.support.netns import addresses_on_loopback
from tests.support.peer import Peer, PeerSettings, announce_all
from tests.support.process import wait_until
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

REFLECTOR = "10.77.0.1"
CONFIG = """\
ranges:
  - network: 10.77.0.0/24
    remote-as: external
    ttl-security: 1
"""


@pytest.mark.rfc("5082", "3", "3 sender")
def test_only_who_seems_near_gets_in(tmp_path: Path) -> None:
    near = {kind: f"10.77.0.{11 + number}" for number, kind in enumerate(KINDS)}
    far = {"bird": "10.77.0.21", "frr": "10.77.0.22"}
    config = tmp_path / "reflector.yaml"
    config.write_text(CONFIG)
    peers: list[Peer] = []
    with addresses_on_loopback("ttl", REFLECTOR, *near.values(), *far.values()) as netns:
        reflector = ReflectorProcess(
            ReflectorSettings(
                directory=tmp_path / "r", netns=netns, arguments=("--config", str(config))
            )
        )

        def dial(kind: str, address: str, *, ttl_security: bool) -> Peer:
            number = address.rpartition(".")[2]
            settings = PeerSettings(
                name=f"{kind}-{number}",
                directory=tmp_path / number,
                local_address=address,
                reflector_address=REFLECTOR,
                reflector_port=179,
                netns=netns,
                asn=65000 + int(number),
                reflector_asn=64512,
                ttl_security=ttl_security,
                announcements=announce_all(f"10.{number}.0.0/24"),
            )
            peer = PEERS[kind](settings)
            peers.append(peer)
            peer.start()
            return peer

        def log() -> str:
            return (tmp_path / "r" / "log").read_text()

        try:
            reflector.start()
            for each in far.items():
                dial(*each, ttl_security=False)
            for each in near.items():
                dial(*each, ttl_security=True).wait_established()
            wait_until(
                lambda: all(
                    f"{each} is turned away: its packets" in log() for each in far.values()
                ),
                what="the others are turned away",
                explain=reflector.explain,
            )
            wait_until(
                lambda: log().count('"peer_up"') >= len(near),
                what="those who are near are logged",
                explain=reflector.explain,
            )
            assert log().count('"peer_up"') == len(near)
        finally:
            for peer in peers:
                peer.kill()
            reflector.stop()
