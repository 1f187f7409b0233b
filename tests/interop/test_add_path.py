"""Several paths of a prefix (RFC 7911) between us and real daemons, both ways at once."""

from __future__ import annotations

import json
import sys
from contextlib import AsyncExitStack
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, Unpack

import pytest

from reflector import sim
from reflector.sim import Settings
from tests.support.netns import addresses_on_loopback
from tests.support.process import find_binary, in_netns, query, wait_until
from tests.support.reference import REFERENCE_REFLECTORS
from tests.support.reflector_process import Reflector, ReflectorProcess, ReflectorSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = [pytest.mark.interop, pytest.mark.asyncio]

OURS: Final = "10.77.0.1"
THEIRS: Final = "10.77.0.2"
CLIENTS: Final = tuple(f"10.77.0.{number}" for number in (11, 12, 21, 22, 31, 32))
PREFIX, OTHER = "10.50.0.0/24", "10.51.0.0/24"
PREFIX6: Final = "2001:db8:50::/64"
DEADLINE_S: Final = 40.0
CONFIG: Final = f"""\
networks: []
ranges:
  - {{network: 10.77.0.0/24, add-path: both}}
neighbors:
  - {{address: {THEIRS}, add-path: both}}
"""


@pytest.mark.rfc("7911", "3 encoding", "3 stable", "5 both", "5 replace", "5 withdraw")
@pytest.mark.parametrize("kind", REFERENCE_REFLECTORS)
async def test_every_path_reaches_the_other_side(kind: str, tmp_path: Path) -> None:
    """Two clients on each reflector announce one prefix; a third on each is told all four paths."""
    config = tmp_path / "reflector.yaml"
    config.write_text(CONFIG)
    with addresses_on_loopback(f"ap-{kind}", OURS, THEIRS, *CLIENTS) as netns:
        theirs = REFERENCE_REFLECTORS[kind](
            ReflectorSettings(
                directory=tmp_path / kind,
                listen=(THEIRS,),
                router_id=THEIRS,
                netns=netns,
                add_path=(OURS, CLIENTS[5]),
            )
        )
        ours = ReflectorProcess(
            ReflectorSettings(
                directory=tmp_path / "ours",
                listen=(OURS,),
                router_id=OURS,
                netns=netns,
                arguments=("--config", str(config)),
            )
        )
        try:
            ours.start()
            theirs.start()
            listens = [*in_netns(netns), find_binary("ss"), "-Hltn", "src", f"{THEIRS}:179"]
            wait_until(lambda: query(listens), what=f"{kind} listens", explain=theirs.explain)
            await talk(netns, lambda: compare_shells(ours, theirs))
        except sim.SimError as error:
            pytest.fail(f"{error}\n{ours.explain()}\n{theirs.explain()}")
        finally:
            ours.stop()
            theirs.kill()


def as_ipv6(hop: str) -> str:
    """The next hop of a simulated peer's IPv6 routes."""
    return str(ip_address(f"2001:db8::{hop}"))


def compare_shells(ours: Reflector, theirs: Reflector) -> None:
    """Our shell says of add-path what FRR's says, in the same words."""

    def answer(command: str) -> str:
        control = str(ours.settings.directory / "control")
        shell = [sys.executable, "-m", "reflector", "vtysh", "--socket", control]
        return query([*shell, "-c", command])

    def agreed(said: str) -> object:
        (neighbor,) = json.loads(said).values()
        return neighbor["neighborCapabilities"]["addPath"]

    both = {"txAdvertisedAndReceived": True, "rxAdvertisedAndReceived": True}
    found = agreed(answer(f"show bgp neighbors {THEIRS} json"))
    assert found == {"ipv4Unicast": both, "ipv6Unicast": both}
    paths = json.loads(answer(f"show bgp ipv4 unicast {PREFIX} json"))["paths"]
    came = [path for path in paths if path["peer"]["peerId"] == THEIRS]
    assert len({path["addpathRxId"] for path in came}) == len(came) == len(CLIENTS[2:4])
    detail = answer(f"show bgp ipv4 unicast {PREFIX}")
    assert all(f"AddPath ID: RX {path['addpathRxId']}" in detail for path in came)
    if theirs.kind == "frr":
        vtysh = [find_binary("vtysh"), "--vty_socket", str(theirs.settings.directory), "-d", "bgpd"]
        its = query([*vtysh, "-c", f"show bgp neighbors {OURS} json"])
        assert agreed(its) == found
        lines = query([*vtysh, "-c", f"show bgp neighbors {OURS}"]).splitlines()
        about = [line for line in lines if "X advertised and received" in line]
        assert about
        assert set(about) < set(answer(f"show bgp neighbors {THEIRS}").splitlines())


async def talk(netns: str, all_are_there: Callable[[], None]) -> None:
    async with AsyncExitStack() as stack:

        async def join(reflector: str, number: int, **more: Unpack[Settings]) -> sim.Peer:
            settings: Settings = {"netns": netns, "deadline_s": DEADLINE_S, **more}
            settings["source"] = CLIENTS[number]
            peer = await sim.connect(reflector, 179, **settings)
            await stack.enter_async_context(peer)
            await peer.established()
            return peer

        near = [await join(OURS, number) for number in (0, 1)]
        far = [await join(THEIRS, number) for number in (2, 3)]
        watchers = (
            await join(OURS, 4, add_path="receive"),
            await join(THEIRS, 5, add_path="receive"),
        )
        for peer in (*near, *far):
            await peer.announce(PREFIX, PREFIX6)
        hops = CLIENTS[:4]
        for watcher in watchers:
            await watcher.all_paths(PREFIX, *hops)
            await watcher.all_paths(PREFIX6, *map(as_ipv6, hops))

        all_are_there()

        # Another best path on either side, and one that is announced anew.
        await near[1].announce(PREFIX, local_pref=300)
        await far[1].announce(PREFIX, local_pref=400, next_hop="10.77.0.99")
        for watcher in watchers:
            paths = await watcher.all_paths(PREFIX, hops[0], hops[1], hops[2], "10.77.0.99")
            assert len(paths) == 4

        # One by one they go.
        await far[0].withdraw(PREFIX)
        await near[0].close()
        for watcher in watchers:
            await watcher.all_paths(PREFIX, hops[1], "10.77.0.99")
        await far[1].withdraw(PREFIX, PREFIX6)
        await near[1].withdraw(PREFIX)
        for watcher in watchers:
            await watcher.no_route(PREFIX)
            await watcher.all_paths(PREFIX6, *map(as_ipv6, hops[1:3]))
