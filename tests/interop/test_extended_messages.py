"""Extended messages (RFC 8654) with BIRD and FRR, which have them, beside a GoBGP without."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.bird import Bird
from tests.support.frr import Frr
from tests.support.gobgp import GoBgp
from tests.support.netns import addresses_on_loopback
from tests.support.peer import ESTABLISHED, Announcement, Peer, PeerSettings, announce_all
from tests.support.process import wait_until
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

REFLECTOR: Final = "10.77.0.1"
CONFIG: Final = """\
ranges:
  - network: 10.77.0.0/24
    extended-messages: true
"""
# Some 4,800 octets of communities: with them a route fits no message of 4,096.
MANY: Final = tuple(f"64512:{number}" for number in range(1200))
# BIRD prints the first of them and an ellipsis.
SHOWN_BY_BIRD: Final = 40
LARGE: Final = "10.99.0.0/24"
PODS: Final = {"source": "10.11.0.0/24", "bird": "10.12.0.0/24", "frr": "10.13.0.0/24"}


@pytest.mark.rfc("8654", "3", "4 send", "4 receive", "4 larger")
def test_who_has_them_is_told_what_only_they_hold(tmp_path: Path) -> None:
    """GoBGP is not told of that route, nor disturbed, and all have the other ones."""
    names = [*PODS, "gobgp"]
    addresses = {name: f"10.77.0.{11 + number}" for number, name in enumerate(names)}
    config = tmp_path / "reflector.yaml"
    config.write_text(CONFIG)
    with addresses_on_loopback("extended", REFLECTOR, *addresses.values()) as netns:
        reflector = ReflectorProcess(
            ReflectorSettings(
                directory=tmp_path / "r", netns=netns, arguments=("--config", str(config))
            )
        )

        def settings(name: str) -> PeerSettings:
            return PeerSettings(
                name=name,
                directory=tmp_path / name,
                local_address=addresses[name],
                reflector_address=REFLECTOR,
                reflector_port=179,
                netns=netns,
                announcements=announce_all(*([PODS[name]] if name in PODS else [])),
            )

        source = Bird(settings("source"), extended_messages=True)
        bird = Bird(settings("bird"), extended_messages=True)
        frr = Frr(settings("frr"))
        gobgp = GoBgp(settings("gobgp"))
        peers: list[Peer] = [source, bird, frr, gobgp]

        def wait(holds: Callable[[], object], what: str) -> None:
            explain = lambda: reflector.explain() + "".join(p.explain() for p in peers)  # noqa: E731
            wait_until(holds, what=what, explain=explain)

        try:
            reflector.start()
            for each in peers:
                each.start()
            wait(
                lambda: all(
                    each.routes().keys() >= set(PODS.values()) - {PODS.get(each.settings.name)}
                    for each in peers
                ),
                "each has all",
            )
            source.announce(Announcement(prefix=LARGE, communities=MANY))
            wait(lambda: told_all(bird) and told_all(frr), "BIRD and FRR have the large route")
            assert LARGE not in gobgp.routes()
            source.announce(Announcement(prefix=LARGE, communities=MANY[:10]))
            wait(lambda: LARGE in gobgp.routes(), "GoBGP has it when it has shrunk")
            source.announce(Announcement(prefix=LARGE, communities=MANY))
            wait(lambda: LARGE not in gobgp.routes(), "and loses it when it grows")
            wait(lambda: told_all(bird) and told_all(frr), "while the others have it")
            assert all(each.session_state() == ESTABLISHED for each in peers)
            assert ": down after" not in reflector.explain()
        finally:
            for each in peers:
                each.kill()
            reflector.stop()


def told_all(peer: Peer) -> bool:
    """Whether a peer has the large route with all communities, as far as it shows them."""
    found = peer.routes().get(LARGE)
    shown = SHOWN_BY_BIRD if peer.kind == Bird.kind else len(MANY)
    return found is not None and len(found.communities) >= shown
