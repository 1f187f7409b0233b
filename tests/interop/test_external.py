"""Clusters in ASes of their own, played by real daemons: all reach all, and one is in ours.

As ordinary external peers (RFC 4271), and as clients of a route server (RFC 7947).
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Final

import pytest

from tests.support.daemons import PEERS
from tests.support.netns import addresses_on_loopback
from tests.support.peer import Announcement, Peer, PeerSettings, Route
from tests.support.process import wait_until
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

pytestmark = pytest.mark.interop

REFLECTOR: Final = "10.77.0.1"
OUR_AS: Final = 64512
INSIDE: Final = "inside"
# Who plays which cluster, and in which AS; the last one is in our own.
CLUSTERS: Final = {
    "gobgp": 65001,
    "bird": 65002,
    "frr": 4200000001,
    "openbgpd": 65004,
    INSIDE: OUR_AS,
}
# Who tells other ASes no MED, whatever it was told to announce.
SILENT: Final = {"bird"}
# Who tells them, over a session by IPv4, IPv6 routes with a next hop that they can use. Without an
# interface to look at, FRR tells its IPv4 address in IPv6's clothes, and OpenBGPD tells ::1.
TELLS_IPV6: Final = {"gobgp", "bird", INSIDE}
NO_EXPORT: Final = "65535:65281"
RESTRICTED: Final = "10.99.0.0/24"
CONFIG: Final = """\
ranges:
  - network: 10.77.0.0/24
    remote-as: any
    route-server: {}
"""


@dataclass
class Exchange:
    """A reflector and its peers."""

    reflector: ReflectorProcess
    peers: dict[str, Peer]
    served: bool

    def wait(self, name: str, check: object, what: str) -> dict[str, Route]:
        """Wait until what a peer has learned passes a check."""
        assert callable(check)
        peer, seen = self.peers[name], dict[str, Route]()

        def passes() -> bool:
            seen.clear()
            seen.update(peer.routes())
            return bool(check(seen))

        wait_until(
            passes,
            what=f"{name}: {what}",
            explain=lambda: f"{seen}\n{peer.explain()}\n{self.reflector.explain()}",
        )
        return seen


def settings_for(name: str, number: int, directory: Path, netns: str, *, served: bool) -> Peer:
    """Return a peer that plays a cluster."""
    kind = "gobgp" if name == INSIDE else name
    announcements = [Announcement(prefix=f"10.{number}.0.0/24", med=number)]
    if name in TELLS_IPV6:
        announcements.append(Announcement(prefix=f"fd10:{number}::/64"))
    if name == INSIDE:
        restricted = Announcement(prefix=RESTRICTED, communities=("65000:1", NO_EXPORT))
        announcements.append(restricted)
    settings = PeerSettings(
        name=name,
        directory=directory / name,
        local_address=f"10.77.0.{number}",
        reflector_address=REFLECTOR,
        reflector_port=179,
        netns=netns,
        asn=CLUSTERS[name],
        reflector_asn=OUR_AS,
        route_server=served and name != INSIDE,
        announcements=tuple(announcements),
    )
    return PEERS[kind](settings)


@pytest.fixture(scope="module", params=[False, True], ids=["ordinary", "route server"])
def exchange(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Exchange]:
    """Start everything, and end it."""
    served = bool(request.param)
    directory = tmp_path_factory.mktemp("x")
    config = directory / "reflector.yaml"
    config.write_text(CONFIG.format(str(served).lower()))
    addresses = [f"10.77.0.{11 + number}" for number in range(len(CLUSTERS))]
    with addresses_on_loopback("external", REFLECTOR, *addresses) as netns:
        reflector = ReflectorProcess(
            ReflectorSettings(
                directory=directory / "r", netns=netns, arguments=("--config", str(config))
            )
        )
        peers = {
            name: settings_for(name, 11 + number, directory, netns, served=served)
            for number, name in enumerate(CLUSTERS)
        }
        try:
            reflector.start()
            for peer in peers.values():
                peer.start()
            for peer in peers.values():
                peer.wait_established()
            yield Exchange(reflector, peers, served)
        finally:
            with ThreadPoolExecutor() as pool:
                list(pool.map(lambda peer: peer.kill(), peers.values()))
            reflector.stop()


@pytest.mark.rfc("4271", "5.1.2 external")
@pytest.mark.rfc("4271", "5.1.4 external")
@pytest.mark.rfc("7947", "2.2.1")
@pytest.mark.rfc("7947", "2.2.2")
@pytest.mark.rfc("7947", "2.2.3")
@pytest.mark.parametrize(("announcer", "learner"), [*permutations(CLUSTERS, 2)])
def test_all_reach_all(exchange: Exchange, announcer: str, learner: str) -> None:
    """RFC 4271 5.1.2, 5.1.3, 5.1.4; RFC 7947 2.2 between clients of the route server."""
    source = exchange.peers[announcer]
    number = source.settings.local_address.rpartition(".")[2]
    pods = f"10.{number}.0.0/24"
    expected = {pods} | ({f"fd10:{number}::/64"} if announcer in TELLS_IPV6 else set())
    transparent = exchange.served and INSIDE not in (announcer, learner)
    seen = exchange.wait(
        learner, lambda seen: seen.keys() >= expected, f"learns the routes of {announcer}"
    )
    path = () if announcer == INSIDE else (CLUSTERS[announcer],)
    if not transparent and learner != INSIDE:
        path = (OUR_AS, *path)
    for prefix in expected:
        assert seen[prefix].as_path == path
    assert seen[pods].next_hop == source.settings.local_address
    passed = transparent or learner == INSIDE
    assert (seen[pods].med or 0) == (int(number) if passed and announcer not in SILENT else 0)
    assert RESTRICTED not in seen  # RFC 1997: NO_EXPORT


@pytest.mark.rfc("4271", "5.1.2 external")
@pytest.mark.parametrize("name", CLUSTERS)
def test_each_has_the_debug_route(exchange: Exchange, name: str) -> None:
    """RFC 4271 5.1.2, 5.1.3: of our AS, with our address."""
    seen = exchange.wait(name, lambda seen: "1.0.0.2/32" in seen, "learns the debug route")
    route = seen["1.0.0.2/32"]
    assert route.as_path == (() if name == INSIDE else (OUR_AS,))
    assert route.next_hop == REFLECTOR


@pytest.mark.parametrize("name", CLUSTERS)
def test_what_is_withdrawn_is_gone_everywhere(exchange: Exchange, name: str) -> None:
    """RFC 4271 3.1, with each as the one who withdraws."""
    source = exchange.peers[name]
    source.announce(Announcement(prefix="10.200.0.0/24"))
    others = [each for each in CLUSTERS if each != name]
    for each in others:
        exchange.wait(each, lambda seen: "10.200.0.0/24" in seen, "learns a new route")
    source.withdraw("10.200.0.0/24")
    for each in others:
        exchange.wait(each, lambda seen: "10.200.0.0/24" not in seen, "forgets it")


def test_a_reload_drops_only_who_is_no_longer_let_in(exchange: Exchange) -> None:
    """Of peers whose AS the new `remote-as` has, no session falls."""
    config = exchange.reflector.settings.directory.parent / "reflector.yaml"
    before = config.read_text()
    rest = [asn for name, asn in CLUSTERS.items() if name != "bird"]
    process = exchange.reflector.process
    assert process is not None
    try:
        config.write_text(before.replace("remote-as: any", f"remote-as: {rest}"))
        process.send_signal(signal.SIGHUP)
        wait_until(
            lambda: "its remote-as here lets in" in process.log(),
            what="bird is turned away when it dials again",
            explain=exchange.reflector.explain,
        )
        assert "changed its remote AS" in process.log()
        assert process.log().count('"peer_down"') == 1
    finally:
        config.write_text(before)
        process.send_signal(signal.SIGHUP)
    exchange.peers["bird"].wait_established()
