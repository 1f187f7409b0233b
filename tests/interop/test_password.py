"""TCP MD5 (RFC 2385) with real daemons: a range that demands a password lets in who knows it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support.daemons import KINDS, PEERS
from tests.support.netns import addresses_on_loopback
from tests.support.peer import ESTABLISHED, Peer, PeerSettings, announce_all
from tests.support.process import QueryError
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

REFLECTOR = "10.77.0.1"
KEY = "what the trainer wrote on the board".replace(" ", "-")
CONFIG = f"""\
ranges:
  - network: 10.77.0.0/24
    password: {KEY}
"""
# Long enough for BIRD and FRR, which dial every second, to have tried.
PATIENCE_S = 3.0


@pytest.mark.rfc("2385", "2")
def test_only_who_knows_the_password_gets_in(tmp_path: Path) -> None:
    knowing = {kind: f"10.77.0.{11 + number}" for number, kind in enumerate(KINDS)}
    ignorant = {"bird": "10.77.0.21", "frr": "10.77.0.22"}
    config = tmp_path / "reflector.yaml"
    config.write_text(CONFIG)
    addresses = (REFLECTOR, *knowing.values(), *ignorant.values())
    with addresses_on_loopback("password", *addresses) as netns:
        reflector = ReflectorProcess(
            ReflectorSettings(
                directory=tmp_path / "r", netns=netns, arguments=("--config", str(config))
            )
        )

        def dial(kind: str, address: str, password: str | None) -> Peer:
            number = address.rpartition(".")[2]
            settings = PeerSettings(
                name=f"{kind}-{number}",
                directory=tmp_path / number,
                local_address=address,
                reflector_address=REFLECTOR,
                reflector_port=179,
                netns=netns,
                password=password,
                announcements=announce_all(f"10.{number}.0.0/24"),
            )
            peer = PEERS[kind](settings)
            peers.append(peer)
            peer.start()
            return peer

        peers: list[Peer] = []
        try:
            reflector.start()
            refused = [
                dial("bird", ignorant["bird"], "a-guess"),
                dial("frr", ignorant["frr"], None),
            ]
            refused_from = time.monotonic()
            for each in [dial(kind, address, KEY) for kind, address in knowing.items()]:
                each.wait_established()
            time.sleep(max(0.0, refused_from + PATIENCE_S - time.monotonic()))
            assert [each for each in refused if _is_established(each)] == []
        finally:
            for peer in peers:
                peer.kill()
            reflector.stop()


def _is_established(peer: Peer) -> bool:
    try:
        return peer.session_state() == ESTABLISHED
    except QueryError:
        return False
