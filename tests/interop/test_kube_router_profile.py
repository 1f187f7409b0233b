"""The kube-router profile beside the gobgpd that is installed: the same octets, the same manners."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from reflector import sim
from reflector.sim.kube_router import gobgp
from tests.support.process import BackgroundProcess, QueryError, find_binary, query

pytestmark = [pytest.mark.interop, pytest.mark.asyncio]

SOURCE: Final = "127.0.0.2"
BOTH: Final = ("ipv4", "ipv6")
ROUTES: Final = (("ipv4", "10.1.0.0/24", "10.0.0.2"), ("ipv6", "2001:db8:1::/64", "2001:db8::2"))


class GoBgpd:
    """A gobgpd, set up as kube-router does it, that dials a simulated peer."""

    def __init__(
        self, directory: Path, port: int, families: Sequence[str], *, graceful_restart: bool
    ) -> None:
        self._api = f"unix://{directory}/api"
        restart = families_text = ""
        each_restart = ""
        if graceful_restart:
            restart = (
                "[neighbors.graceful-restart.config]\n"
                "enabled = true\nrestart-time = 90\ndeferral-time = 360\n"
            )
            each_restart = "[neighbors.afi-safis.mp-graceful-restart.config]\nenabled = true\n"
        for family in families:
            families_text += (
                "[[neighbors.afi-safis]]\n[neighbors.afi-safis.config]\n"
                f'afi-safi-name = "{family}-unicast"\n{each_restart}'
            )
        config = directory / "gobgpd.toml"
        config.write_text(f"""\
[global.config]
as = 64512
router-id = "10.0.0.2"
port = -1
[[neighbors]]
[neighbors.config]
neighbor-address = "127.0.0.1"
peer-as = 64512
[neighbors.transport.config]
local-address = "{SOURCE}"
remote-port = {port}
[neighbors.timers.config]
hold-time = 90
{restart}{families_text}""")
        self.process = BackgroundProcess(
            "gobgpd",
            [
                *(find_binary("gobgpd"), "-f", str(config), "--api-hosts", self._api),
                *("--pprof-disable", *(["-r"] if graceful_restart else [])),
            ],
            log_path=directory / "log",
        )

    async def announce(self) -> None:
        """Have it announce what kube-router would: origin IGP and the node's address."""
        for family, prefix, next_hop in ROUTES:
            path = (prefix, "origin", "igp", "nexthop", next_hop)
            command = (find_binary("gobgp"), "--target", self._api, "global", "rib")
            for attempt in range(100):
                try:
                    await asyncio.to_thread(query, [*command, "-a", family, "add", *path])
                    break
                except QueryError:
                    assert attempt < 99, self.process.log_tail()
                    await asyncio.sleep(0.1)


def version() -> str:
    """Return the version of the gobgpd that is installed."""
    found = re.search(r"\d+\.\d+\.\d+", query([find_binary("gobgpd"), "--version"]))
    assert found
    return found[0]


@asynccontextmanager
async def real(
    directory: Path, families: Sequence[str] = BOTH, *, graceful_restart: bool = False
) -> AsyncIterator[tuple[GoBgpd, sim.Peer]]:
    """A real gobgpd in session with a simulated peer."""
    restart_s = 120 if graceful_restart else None
    async with sim.listen(
        router_id="192.0.2.1", graceful_restart_s=restart_s, deadline_s=40
    ) as door:
        daemon = GoBgpd(directory, door.port, families, graceful_restart=graceful_restart)
        try:
            peer = await door.accept()
            await peer.established()
            yield daemon, peer
        finally:
            daemon.process.kill()


@asynccontextmanager
async def simulated(
    families: Sequence[str] = BOTH, *, graceful_restart: bool = False
) -> AsyncIterator[tuple[sim.Peer, sim.Peer]]:
    """The profile in its place."""
    profile = gobgp(
        version(),
        host_name=socket.gethostname(),
        families=families,
        graceful_restart=graceful_restart,
    )
    restart_s = 120 if graceful_restart else None
    async with (
        sim.listen(router_id="192.0.2.1", graceful_restart_s=restart_s) as door,
        sim.connect(*door.address, profile, source=SOURCE) as one,
    ):
        peer = await door.accept()
        await peer.established()
        yield one, peer


def heard(peer: sim.Peer, kind: str) -> list[bytes]:
    return [
        each.body for each in peer.messages if each.kind == kind and each.direction == "received"
    ]


@pytest.mark.parametrize(("families", "graceful_restart"), [(("ipv4",), False), (BOTH, True)])
async def test_the_open_is_the_same_octet_by_octet(
    tmp_path: Path, families: Sequence[str], *, graceful_restart: bool
) -> None:
    async with real(tmp_path, families, graceful_restart=graceful_restart) as (_, peer):
        theirs = heard(peer, "OPEN")
    async with simulated(families, graceful_restart=graceful_restart) as (_, peer):
        assert heard(peer, "OPEN") == theirs


async def test_updates_are_the_same_octet_by_octet(tmp_path: Path) -> None:
    async with real(tmp_path) as (daemon, peer):
        await daemon.announce()
        await peer.route("2001:db8:1::/64")
        theirs = heard(peer, "UPDATE")
    async with simulated() as (one, peer):
        for _, prefix, next_hop in ROUTES:
            await one.announce(prefix, next_hop=next_hop)
        await peer.route("2001:db8:1::/64")
        assert heard(peer, "UPDATE") == theirs


async def test_both_say_goodbye_alike(tmp_path: Path) -> None:
    theirs = None
    for attempt in range(5):  # gobgpd may be gone before its NOTIFICATION is out
        directory = tmp_path / str(attempt)
        directory.mkdir()
        async with real(directory) as (daemon, peer):
            await daemon.announce()
            await peer.route("10.1.0.0/24")
            daemon.process.stop()
            theirs = (await peer.closed()).received
        if theirs is not None:
            break
    async with simulated() as (one, peer):
        await one.close()
        assert await peer.notification() == theirs


async def test_both_keep_their_routes_until_end_of_rib_has_come(tmp_path: Path) -> None:
    """RFC 4724 4.1: the restarting speaker defers."""
    async with real(tmp_path, graceful_restart=True) as (daemon, peer):
        await daemon.announce()
        await peer.no_route("10.1.0.0/24", for_s=1)
        await peer.announce_end_of_rib()
        await peer.route("10.1.0.0/24")
    async with simulated(graceful_restart=True) as (one, peer):
        announcing = asyncio.create_task(one.announce("10.1.0.0/24"))
        await peer.no_route("10.1.0.0/24", for_s=0.2)
        await peer.announce_end_of_rib()
        await peer.route("10.1.0.0/24")
        await announcing


async def test_both_refuse_a_speaker_in_another_as(tmp_path: Path) -> None:
    """RFC 4271 6.2: what a wrong --peer-router-asns comes to."""
    async with sim.listen(asn=65001, router_id="192.0.2.1", deadline_s=40) as door:
        daemon = GoBgpd(tmp_path, door.port, BOTH, graceful_restart=False)
        try:
            theirs = await (await door.accept()).notification(2, 2)
        finally:
            daemon.process.kill()
    async with sim.listen(asn=65001, router_id="192.0.2.1") as door:
        profile = gobgp(version(), host_name="node-1")
        async with sim.connect(*door.address, profile, source=SOURCE):
            ours = await (await door.accept()).notification(2, 2)
    assert (ours.code, ours.subcode) == (theirs.code, theirs.subcode)
