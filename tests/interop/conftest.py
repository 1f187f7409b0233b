"""One reflector and two of each real daemon, shared by all interop tests.

Eight daemons on one reflector give every ordered pair "each with each" (two of a kind included)
for the price of one start. Tests that change something put it back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.daemons import KINDS, PEERS
from tests.support.frr import Frr
from tests.support.netns import addresses_on_loopback
from tests.support.peer import Announcement, Peer, PeerSettings, Route, announce_all
from tests.support.process import BackgroundProcess, QueryError, find_binary, wait_until
from tests.support.reflector_process import Reflector, ReflectorSettings, make_reflector

REFLECTOR_ADDRESSES: Final = ("10.77.0.1", "10.77.0.2")
PORT: Final = 179
LEARN_TIMEOUT_S: Final = 60.0


@dataclass
class ClassRoom:
    """The reflector and its clients, by name: "frr-a", "frr-b", "bird-a" and so on."""

    reflector: Reflector
    peers: dict[str, Peer]
    directory: Path
    capture: Path  # every packet since the start

    def others(self, peer: Peer) -> list[Peer]:
        """Return every peer but one."""
        return [each for each in self.peers.values() if each is not peer]

    def wait_all_established(self) -> None:
        """Wait until every session is up."""
        for peer in self.peers.values():
            peer.wait_established()

    def wait_for_routes(
        self, peer: Peer, check: Callable[[dict[str, Route]], object], what: str
    ) -> dict[str, Route]:
        """Wait until a peer's received routes pass a check, and return them."""
        seen: dict[str, Route] = {}

        def passes() -> bool:
            seen.clear()
            seen.update(peer.routes())
            return bool(check(seen))

        wait_until(
            passes,
            what=f"{peer.settings.name}: {what}",
            timeout_s=LEARN_TIMEOUT_S,
            explain=lambda: self.explain(peer, seen),
        )
        return seen

    def explain(self, peer: Peer, seen: dict[str, Route]) -> str:
        """Return what helps to understand a failure that concerns one peer."""
        try:
            state = peer.session_state()
        except QueryError as error:
            state = str(error)
        table = "\n".join(str(route) for route in seen.values())
        return f"session: {state}\n{table}\n{peer.explain()}\n{self.reflector.explain()}"


def settings_for(kind: str, letter: str, directory: Path, netns: str) -> PeerSettings:
    """Return the settings of one daemon; the "b" ones dial the reflector's second address."""
    number = 11 + 10 * KINDS.index(kind) + "ab".index(letter)
    name = f"{kind}-{letter}"
    return PeerSettings(
        name=name,
        directory=directory / name,
        local_address=f"10.77.0.{number}",
        reflector_address=REFLECTOR_ADDRESSES["ab".index(letter)],
        reflector_port=PORT,
        netns=netns,
        announcements=(
            *announce_all(f"10.{number}.0.0/24", f"10.{number}.1.0/24", f"fd10:{number}::/64"),
            Announcement(
                prefix=f"10.{number}.2.0/24",
                med=40 + number,
                local_pref=200 + number,
                communities=(f"64512:{number}", "65000:1"),
            ),
        ),
    )


@pytest.fixture(scope="package")
def class_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ClassRoom]:
    """Start everything, and end it after the last interop test."""
    directory = tmp_path_factory.mktemp("i")
    clients = [f"10.77.0.{11 + 10 * i + j}" for i in range(len(KINDS)) for j in range(2)]
    with addresses_on_loopback("interop", *REFLECTOR_ADDRESSES, *clients) as netns:
        reflector = make_reflector(
            ReflectorSettings(
                directory=directory / "reflector",
                listen=REFLECTOR_ADDRESSES,
                port=PORT,
                netns=netns,
            )
        )
        peers: dict[str, Peer] = {}
        capture = BackgroundProcess(
            "tcpdump",
            [
                *(find_binary("tcpdump"), "-i", "lo", "--immediate-mode", "-U"),
                *("-Z", "root", "-w", "capture.pcap", "tcp"),
            ],
            log_path=directory / "tcpdump.log",
            netns=netns,
            cwd=directory,
        )
        try:
            reflector.start()
            for kind in KINDS:
                for letter in "ab":
                    peer = PEERS[kind](settings_for(kind, letter, directory, netns))
                    peers[peer.settings.name] = peer
                    if isinstance(peer, Frr):
                        peer.listens = True  # else it is not back after test_stop_says_why
                    peer.start()
            room = ClassRoom(reflector, peers, directory, directory / "capture.pcap")
            room.wait_all_established()
            yield room
        finally:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda peer: peer.kill(), peers.values()))
            capture.stop()
            reflector.stop()
