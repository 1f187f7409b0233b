"""Sessions over real sockets: simulated peers against the real peering and speaker."""

from __future__ import annotations

import asyncio
import os
import socket
from ipaddress import ip_address, ip_network

import pytest

from reflector.bgp.vocabulary import FAMILIES
from reflector.net.connection import Connection
from reflector.net.peer_policy import PeerPolicy
from reflector.reports import ConnectionRefused, PeerDown, PeerReturned, PeerUp
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix
from reflector.rib.originated import LocalRoute
from reflector.rib.source import IPAddress
from tests.support import wire
from tests.support.room import Caller, Room, room

pytestmark = pytest.mark.asyncio

PODS = ip_network("10.1.0.0/24")
PODS6 = ip_network("2001:db8:1::/64")
DEBUG = ip_network("1.0.0.2/32")


async def test_two_peers_learn_each_other_s_routes_and_the_debug_route() -> None:
    async with room(routes=(LocalRoute(DEBUG, ip_address("192.0.2.1")),)) as here:
        one = await here.join("10.0.0.1", "127.0.0.1")
        two = await here.join("10.0.0.2", "127.0.0.2")
        one.update(wire.announce("10.1.0.0/24"))
        one.update(wire.announce6("2001:db8:1::/64"))
        await two.until(lambda: {PODS, PODS6, DEBUG} <= two.table.keys())
        assert str(two.table[DEBUG].next_hop) == "192.0.2.1"
        assert str(two.table[PODS].next_hop) == "10.0.0.1"
        assert two.table[PODS][9] == bytes((10, 0, 0, 1))  # ORIGINATOR_ID
        one.update(wire.withdraw("10.1.0.0/24"))
        await two.until(lambda: PODS not in two.table)
        one.hang_up()
        await two.until(lambda: set(two.table) == {DEBUG})


async def test_who_has_said_its_open_by_then_is_answered_by_one_segment() -> None:
    async with room() as here:
        with socket.create_connection(("127.0.0.1", here.port)) as sock:
            sock.sendall(wire.open_message())  # before the reflector's loop runs again
            sock.setblocking(False)  # noqa: FBT003 - the socket module's own
            said = await asyncio.get_running_loop().sock_recv(sock, 4096)
            assert said[18] == wire.OPEN
            assert said[int.from_bytes(said[16:18]) :] == wire.keepalive()
            sock.sendall(wire.keepalive())
            await here.until(lambda: bool(here.said(PeerUp)), "the session is up")


async def test_two_nodes_behind_one_address_are_two_peers() -> None:
    async with room() as here:
        one = await here.join("10.0.0.1", "127.0.0.9")
        two = await here.join("10.0.0.2", "127.0.0.9")
        one.update(wire.announce("10.1.0.0/24"))
        await two.until(lambda: PODS in two.table)
        assert len(here.peering.sessions) == 2


@pytest.mark.rfc("4271", "9.2 first")
async def test_a_late_joiner_gets_everything() -> None:
    async with room() as here:
        one = await here.join("10.0.0.1", "127.0.0.1")
        prefixes = [f"10.{n // 256}.{n % 256}.0/24" for n in range(3000)]
        for start in range(0, 3000, 500):
            one.update(wire.announce(*prefixes[start : start + 500]))
        family = next(iter(here.speaker.tables))
        await here.until(lambda: len(here.speaker.tables[family].routes) == 3000, "all are in")
        late = await here.join("10.0.0.2", "127.0.0.2")
        await late.until(lambda: len(late.table) == 3000)


# Who may peer.


@pytest.mark.rfc("4271", "6.2 AS", "4.5")
async def test_a_peer_in_another_as_is_told_so_before_the_connection_ends() -> None:
    async with room() as here:
        caller = await here.dial()
        other = wire.parameter(2, wire.capabilities(asn=65001))
        caller.say(wire.open_message(my_as=65001, parameters=other))
        assert (await caller.ends())[:2] == b"\x02\x02"
        (down,) = here.said(PeerDown)
        assert isinstance(down, PeerDown)
        assert "--cluster-asn=64512" in down.reason


@pytest.mark.rfc("4486", "4 rejected")
async def test_a_peer_outside_of_all_ranges_is_rejected_and_the_log_says_what_to_do() -> None:
    async with room(policy=lambda _: None) as here:
        caller = await here.dial()
        caller.say(wire.open_message())
        assert await caller.ends() == b"\x06\x05"
        (refused,) = here.said(ConnectionRefused)
        assert isinstance(refused, ConnectionRefused)
        assert "in none of the configured ranges" in refused.reason


@pytest.mark.rfc("4486", "4 resources")
async def test_beyond_the_limit_of_connections_a_peer_is_told_why() -> None:
    async with room(max_connections=1) as here:
        await here.join("10.0.0.1", "127.0.0.1")
        second = await here.dial("127.0.0.2")
        assert await second.ends() == b"\x06\x08"


# A peer that returns.


@pytest.mark.rfc("4271", "6.8")
@pytest.mark.rfc("4486", "4 collision")
async def test_a_second_connection_is_closed_while_the_first_is_alive() -> None:
    async with room() as here:
        first = await here.join()
        second = await here.dial()
        second.say(wire.open_message(router_id="10.0.0.2"))
        assert await second.ends() == b"\x06\x07"
        assert here.said(PeerReturned)
        first.update(wire.announce("10.1.0.0/24"))
        other = await here.join("10.0.0.3", "127.0.0.3")
        await other.until(lambda: PODS in other.table)


async def test_a_peer_is_back_within_a_second_although_its_old_session_looked_alive(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with room() as here:
        old = await here.join()
        # A vanished node's kernel acknowledges nothing more; this one's can't be stopped from it.
        monkeypatch.setattr(Connection, "last_ack_age_s", lambda _: float("inf"))
        began = asyncio.get_running_loop().time()
        new = await here.join()
        assert asyncio.get_running_loop().time() - began < 10
        assert len(here.said(PeerUp)) == 2
        assert await old.ends() == b"\x06\x07"
        new.update(wire.announce("10.1.0.0/24"))
        other = await here.join("10.0.0.3", "127.0.0.3")
        await other.until(lambda: PODS in other.table)


# Silence, drips and garbage.


@pytest.mark.rfc("4271", "6.5")
async def test_a_silent_peer_ends_with_its_hold_time() -> None:
    async with room() as here:
        caller = await here.join(hold_time_s=3)
        began = asyncio.get_running_loop().time()
        assert await caller.ends() == b"\x04\x00"
        assert 2.5 < asyncio.get_running_loop().time() - began < 30


@pytest.mark.rfc("4271", "6.5")
async def test_dripped_bytes_do_not_keep_a_session_alive() -> None:
    async with room() as here:
        caller = await here.join(hold_time_s=3)
        ends = asyncio.create_task(caller.ends())
        for octet in b"\xff" * 16 + b"\x00\x40":
            caller.say(bytes((octet,)))
            await asyncio.sleep(0.2)
        assert await ends == b"\x04\x00"


@pytest.mark.rfc("4271", "8.2.2 Connect", "6.5")
async def test_a_peer_that_never_sends_open_is_told_so() -> None:
    policy = PeerPolicy(frozenset(FAMILIES.values()), 90, open_wait_s=0.2)
    async with room(policy=lambda _: policy) as here:
        caller = await here.dial()
        assert await caller.ends() == b"\x04\x00"
        (down,) = here.said(PeerDown)
        assert isinstance(down, PeerDown)
        assert "sent no OPEN" in down.reason


@pytest.mark.rfc("4271", "3")
async def test_messages_that_come_octet_by_octet_are_messages() -> None:
    async with room() as here:
        other = await here.join("10.0.0.3", "127.0.0.3")
        caller = await here.dial()
        update = wire.message(wire.UPDATE, wire.announce("10.1.0.0/24"))
        whole = wire.open_message() + wire.keepalive() + update
        for octet in whole:
            caller.say(bytes((octet,)))
            await asyncio.sleep(0)
        await other.until(lambda: PODS in other.table)


async def test_garbage_harms_nobody_else() -> None:
    async with room() as here:
        one = await here.join("10.0.0.1", "127.0.0.1")
        two = await here.join("10.0.0.2", "127.0.0.2")
        for size in (1, 19, 4096, 70_000):
            caller = await here.dial("127.0.0.66")
            caller.say(os.urandom(size - 1) + b"\x00")
            caller.hang_up()
        eager = await here.dial("127.0.0.67")
        eager.say(b"GET / HTTP/1.1\r\nHost: reflector\r\n\r\n")
        assert (await eager.ends())[:2] == b"\x01\x01"
        one.update(wire.announce("10.1.0.0/24"))
        await two.until(lambda: PODS in two.table)


# Comings and goings leave nothing behind.


async def test_two_hundred_connections_come_and_go_and_nothing_stays() -> None:
    async with room() as here:
        descriptors = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - pathlib has none for async
        for n in range(200):
            caller = await here.join(f"10.0.1.{n}", f"127.0.1.{n + 1}")
            caller.update(wire.announce(f"10.1.{n}.0/24"))
            caller.hang_up()
        await here.until(lambda: not here.peering.connections, "no connection is left")
        assert not here.peering.sessions
        assert not here.speaker.peers
        assert all(not table.routes for table in here.speaker.tables.values())
        assert len(os.listdir("/proc/self/fd")) <= descriptors + 3  # noqa: PTH208 - likewise


async def test_stopping_tells_every_peer_and_takes_less_than_a_second() -> None:
    async with room() as here:
        callers = [await here.join(f"10.0.1.{n}", f"127.0.1.{n}") for n in range(1, 51)]
        began = asyncio.get_running_loop().time()
        ends = [asyncio.create_task(caller.ends()) for caller in callers]
        await here.peering.stop(0.6)
        assert asyncio.get_running_loop().time() - began < 10
        said = await asyncio.gather(*ends)
        assert {each[:2] for each in said} == {b"\x06\x02"}


async def test_a_peer_that_stops_reading_delays_nobody_and_catches_up() -> None:
    async with room() as here:
        source = await here.join("10.0.0.1", "127.0.0.1")
        stalled = await here.join("10.0.0.2", "127.0.0.2")
        reads = await here.join("10.0.0.3", "127.0.0.3")
        stalled.reader._transport.pause_reading()  # type: ignore[attr-defined]
        last = ip_network("10.255.255.0/24")
        keeps = asyncio.create_task(_keep_reading(reads, last))
        for generation in range(6):
            for start in range(0, 40_000, 500):
                nets = [f"10.{n >> 8 & 255}.{n & 255}.0/24" for n in range(start, start + 500)]
                attributes = wire.usual(local_pref=wire.local_pref(100 + generation))
                source.update(wire.announce(*nets, attributes=attributes))
                await source.writer.drain()
        source.update(wire.announce("10.255.255.0/24"))
        await keeps
        assert await _bound(here) < 64 << 20
        stalled.reader._transport.resume_reading()  # type: ignore[attr-defined]
        await stalled.until(lambda: last in stalled.table and len(stalled.table) == 40_001)
        await stalled.until(
            lambda: all(
                route[5] == (105).to_bytes(4)
                for network, route in stalled.table.items()
                if network != last
            )
        )


async def _keep_reading(caller: Caller, last: object) -> None:
    await caller.until(lambda: last in caller.table)


async def _bound(here: Room) -> int:
    """Octets that wait in this process for all peers together."""
    await asyncio.sleep(0)
    return sum(connection.backlog_bytes for connection in here.peering.connections)


async def test_a_policy_can_make_a_peer_a_non_client() -> None:
    families = frozenset(FAMILIES.values())

    def policy(address: IPAddress) -> PeerPolicy:
        return PeerPolicy(families, 90, client=str(address) == "127.0.0.1")

    async with room(policy=policy) as here:
        client = await here.join("10.0.0.1", "127.0.0.1")
        one = await here.join("10.0.0.2", "127.0.0.2")
        two = await here.join("10.0.0.3", "127.0.0.3")
        one.update(wire.announce("10.2.0.0/24"))  # RFC 4456 6: to clients only
        await client.until(lambda: ip_network("10.2.0.0/24") in client.table)
        client.update(wire.announce("10.1.0.0/24"))  # to everybody
        await two.until(lambda: PODS in two.table)
        assert set(two.table) == {PODS}


@pytest.mark.rfc("4486", "4 prefixes", "4 rejected")
async def test_a_peer_with_too_many_prefixes_is_kept_out_for_a_while() -> None:
    """RFC 4486 4: Cease/Maximum Number of Prefixes Reached, and Connection Rejected until later."""
    everybody = PeerPolicy(
        frozenset(FAMILIES.values()), 90, intake=Intake(maximum=MaximumPrefix(2, 2)), hold_down_s=3
    )
    async with room(policy=lambda _: everybody) as here:
        other = await here.join("10.0.0.3", "127.0.0.3")
        for what in ("10.1.0.0/24", "10.2.0.0/24"):
            other.update(wire.announce(what))
        caller = await here.join()
        for i in range(3):
            caller.update(wire.announce(f"10.7.{i}.0/24"))
        assert await caller.ends() == bytes.fromhex("0601 000101 00000002")
        again = await here.dial()
        again.say(wire.open_message(router_id="10.0.0.2"))
        assert (await again.ends())[:2] == b"\6\5"
        assert any("maximum-prefix" in str(each) for each in here.said(PeerDown))
        assert len(here.peering.sessions) == 1, "the other is undisturbed"
        beside = await here.join("10.0.0.9")  # another node behind the same address
        beside.hang_up()
        await here.until(
            lambda: here.peering.held_down.left_s(*_key("10.0.0.2")) == 0, "time has passed"
        )
        await here.join()


def _key(router_id: str) -> tuple[object, float]:
    now_s = asyncio.get_running_loop().time()
    return (ip_address("127.0.0.2"), ip_address(router_id)), now_s
