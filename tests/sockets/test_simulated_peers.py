"""Simulated peers against each other: what the library promises, without any daemon."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Unpack

import pytest

from reflector import sim
from reflector.bgp.vocabulary import State
from reflector.sim import Settings
from tests.support import wire

pytestmark = pytest.mark.asyncio


@asynccontextmanager
async def pair(
    listener: Settings | None = None, **dialler: Unpack[Settings]
) -> AsyncIterator[tuple[sim.Peer, sim.Peer]]:
    """Two peers in session with each other: who dialled, and who was dialled."""
    settings: Settings = {"source": "127.0.0.2", **dialler}
    async with (
        sim.listen(**(listener or {"router_id": "192.0.2.1"})) as door,
        sim.connect(*door.address, **settings) as one,
    ):
        yield one, await door.accept()


async def test_a_session_and_routes_of_both_families() -> None:
    async with pair() as (one, two):
        negotiated = await one.established()
        assert negotiated.hold_time_s == 90
        assert {str(family) for family in negotiated.families} == {"ipv4", "ipv6"}
        await one.announce("10.1.0.0/24", "2001:db8:1::/64", med=7, communities=["64512:1"])
        route = await two.route("10.1.0.0/24", med=7)
        assert route.next_hop == "10.0.0.2"
        assert route.local_pref == 100
        assert route.communities == ("64512:1",)
        assert (await two.route("2001:db8:1::/64")).next_hop == "2001:db8::a00:2"
        await one.withdraw("10.1.0.0/24")
        await two.no_route("10.1.0.0/24")
        assert list(two.routes) == list(one.announced) == ["2001:db8:1::/64"]


async def test_several_paths_of_a_prefix() -> None:
    """RFC 7911, both ways: by identifier, also when they are asked for again."""
    prefix = "10.1.0.0/24"
    async with pair({"router_id": "192.0.2.1", "add_path": "receive"}, add_path="send") as (
        one,
        two,
    ):
        await one.announce(prefix, next_hop="10.0.0.7", path_id=7)
        await one.announce(prefix, next_hop="10.0.0.8", path_id=8)
        await one.announce(prefix, next_hop="10.0.0.9")
        paths = await two.all_paths(prefix, "10.0.0.7", "10.0.0.8", "10.0.0.9")
        assert {path_id: path.next_hop for path_id, path in paths.items()} == {
            7: "10.0.0.7",
            8: "10.0.0.8",
            0: "10.0.0.9",
        }
        await one.withdraw(prefix, path_id=8)
        await one.withdraw(prefix)
        await two.all_paths(prefix, "10.0.0.7")
        assert two.routes[prefix].path_id == 7
        two.paths.clear()
        await two.refresh("ipv4")
        await two.all_paths(prefix, "10.0.0.7")
        assert "10.1.0.0/24 (path 7)" in str(two.history)
        await one.withdraw(prefix, path_id=7)
        await two.no_route(prefix)
        await two.announce(prefix)
        assert (await one.route(prefix)).path_id is None


async def test_an_external_peer_puts_its_as_number_into_the_path() -> None:
    async with pair({"asn": 65001}, asn=65002) as (one, two):
        await one.announce("10.1.0.0/24")
        route = await two.route("10.1.0.0/24")
        assert route.as_path == (65002,)
        assert route.local_pref is None


async def test_a_deadline_prints_the_history_and_what_differs() -> None:
    async with pair() as (one, two):
        await one.announce("10.1.0.0/24", med=7)
        await two.route("10.1.0.0/24")
        with pytest.raises(sim.DeadlineError) as caught:
            await two.route("10.1.0.0/24", med=8, deadline_s=0.05)
        assert "not within 0.05 s: a route to 10.1.0.0/24, med 8: med is 7 and not 8" in str(
            caught.value
        )
        assert "<-  UPDATE: announces 10.1.0.0/24 via 10.0.0.2" in str(caught.value)
        with pytest.raises(sim.DeadlineError, match=r"it has one other: 10\.1\.0\.0/24"):
            await two.route("10.9.0.0/24", deadline_s=0.05)
        with pytest.raises(sim.DeadlineError, match=r"it has 10\.1\.0\.0/24 via"):
            await two.no_route("10.1.0.0/24", deadline_s=0.05)


async def test_a_wait_ends_when_the_session_does() -> None:
    async with pair(deadline_s=60) as (one, two):
        await one.established()
        waiting = asyncio.create_task(one.route("10.1.0.0/24"))
        await two.notify(6, 4)
        with pytest.raises(sim.SessionOverError, match="6/4 Cease / Administrative Reset"):
            await waiting


async def test_no_route_for_some_time_finds_one_that_comes() -> None:
    async with pair() as (one, two):
        await one.established()
        await two.no_route("10.1.0.0/24", for_s=0.05)
        waiting = asyncio.create_task(two.no_route("10.1.0.0/24", for_s=60))
        await asyncio.sleep(0)
        await one.announce("10.1.0.0/24")
        with pytest.raises(sim.UnexpectedError, match=r"a route came: 10\.1\.0\.0/24 via"):
            await waiting


async def test_notifications_with_code_subcode_and_data() -> None:
    async with pair() as (one, two):
        await one.established()
        await one.notify(3, 1, b"data")
        notification = await two.notification(3, 1)
        assert notification.data == b"data"
        with pytest.raises(sim.UnexpectedError, match="ended without a NOTIFICATION 3/2"):
            await two.notification(3, 2)
        with pytest.raises(sim.UnexpectedError, match="the test ended it"):
            await one.notification()


async def test_closing_says_so() -> None:
    async with pair() as (one, two):
        await two.established()
        await one.close()
        assert (await two.notification(6, 2)).text == "the test is over"
        assert one.state is State.IDLE


@pytest.mark.parametrize(
    ("how", "seen"),
    [("crash", "reset the connection"), ("hang_up", "closed the connection")],
)
async def test_vanishing_without_a_word(how: str, seen: str) -> None:
    async with pair() as (one, two):
        await one.established()
        await two.established()
        getattr(one, how)()
        ended = await two.closed()
        assert ended.reason == f"the other side {seen}"
        assert ended.received is None
        assert one.ended is not None


async def test_a_stalled_peer_stops_reading_and_goes_on_where_it_stopped() -> None:
    async with pair() as (one, two):
        await two.established()
        two.stall()
        await one.announce("10.1.0.0/24")
        await two.no_route("10.1.0.0/24", for_s=0.1)
        two.resume()
        await two.route("10.1.0.0/24")


async def test_nothing_can_be_sent_to_who_does_not_read() -> None:
    async with pair(deadline_s=2) as (one, two):
        await two.established()
        two.stall()
        with pytest.raises(sim.DeadlineError, match="nothing could be sent"):
            await one.send(wire.update(attributes=bytes(4000)) * 10_000)
        one.crash()


async def test_a_silent_peer_runs_into_the_others_hold_timer() -> None:
    async with pair(hold_time_s=3) as (one, two):
        await one.established()
        one.silence()
        await one.notification(4, 0)
        assert two.ended is not None
        assert two.ended.sent is not None


async def test_a_silent_peer_that_resumes_stays() -> None:
    async with pair(hold_time_s=9) as (one, two):
        await two.established()
        one.silence()
        await asyncio.sleep(3.2)  # its first KEEPALIVE would have been due after three seconds
        one.resume()
        await two.until(
            lambda: [each.kind for each in two.messages].count("KEEPALIVE") > 3,
            "KEEPALIVEs come again",
        )
        assert two.ended is None


async def test_dripped_octets_are_messages() -> None:
    async with pair() as (one, two):
        await one.established()
        update = wire.message(wire.UPDATE, wire.announce("10.1.0.0/24"))
        await one.drip(update, interval_s=0, octets=3)
        await two.route("10.1.0.0/24", next_hop="10.0.0.1")


@asynccontextmanager
async def forgetful(door: sim.Listener, forgotten: int) -> AsyncIterator[int]:
    """A port that takes connections for a speaker, and forgets the first of them."""
    taken = 0

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError), contextlib.closing(writer):
            while octets := await reader.read(4096):
                writer.write(octets)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        taken += 1
        if taken <= forgotten:
            with contextlib.suppress(OSError), contextlib.closing(writer):
                while await reader.read(4096):
                    pass
        else:
            there, back = await asyncio.open_connection(*door.address)
            await asyncio.gather(pump(reader, back), pump(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def answer_all(door: sim.Listener) -> None:
    while True:
        await door.accept()


async def test_who_is_not_answered_dials_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reflector.sim.peer._UNANSWERED_S", 0.1)
    async with (
        sim.listen(router_id="192.0.2.1") as door,
        forgetful(door, forgotten=2) as port,
        sim.connect("127.0.0.1", port, source="127.0.0.2") as one,
    ):
        speaker = asyncio.create_task(answer_all(door))
        await one.rejoin()
        assert one.is_established
        speaker.cancel()


async def test_who_is_never_answered_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reflector.sim.peer._UNANSWERED_S", 0.1)
    async with (
        sim.listen(router_id="192.0.2.1") as door,
        forgetful(door, forgotten=99) as port,
        sim.connect("127.0.0.1", port, source="127.0.0.2") as one,
    ):
        with pytest.raises(sim.DeadlineError, match="the other side has sent no OPEN"):
            await one.rejoin(deadline_s=1)


async def test_octets_that_are_no_bgp_are_answered() -> None:
    async with pair() as (one, two):
        await one.established()
        await one.send(b"GET / HTTP/1.1\r\n\r\n\r\n")
        await one.notification(1, 1)
        assert two.messages[-2].kind == "octets"


async def test_an_update_that_cannot_be_read_is_answered_and_shown() -> None:
    async with pair() as (one, two):
        await one.established()
        await one.send(wire.message(wire.UPDATE, b"\xff\xff\0\0"))
        await one.notification(3, 1)
        await two.closed()
        assert "malformed: the lengths within the UPDATE" in str(two.history)


async def test_routes_are_sent_again_when_asked() -> None:
    async with pair() as (one, two):
        await one.announce("10.1.0.0/24", "2001:db8:1::/64")
        await two.route("2001:db8:1::/64")
        await two.refresh("ipv4")
        await one.refresh_request("ipv4")
        await two.until(
            lambda: sum("announces 10.1.0.0/24" in each.describe() for each in two.messages) == 2,
            "the route comes again",
        )


async def test_end_of_rib_of_each_family() -> None:
    async with pair() as (one, two):
        await one.announce_end_of_rib("ipv6")
        await two.end_of_rib("ipv6")
        with pytest.raises(sim.DeadlineError, match="End-of-RIB for ipv4"):
            await two.end_of_rib("ipv4", deadline_s=0.05)
        await one.announce_end_of_rib()
        await two.end_of_rib("ipv4")


async def test_a_graceful_restart() -> None:
    """RFC 4724 4.1."""
    async with (
        sim.listen(router_id="192.0.2.1") as door,
        sim.connect(*door.address, source="127.0.0.2", graceful_restart_s=90) as one,
    ):
        two = await door.accept()
        await one.announce("10.1.0.0/24", med=7)
        await two.route("10.1.0.0/24")
        restarting = asyncio.create_task(one.restart_gracefully())
        back = await door.accept()
        await restarting
        assert await two.closed() == sim.Ended("the other side closed the connection")
        await back.route("10.1.0.0/24", med=7)
        await back.end_of_rib("ipv4")
        assert back.remote_open is not None
        said = back.remote_open.capabilities.graceful_restart
        assert said is not None
        assert said.restarting
        assert said.preserved == ((1, 1, True), (2, 1, True))


async def test_a_peer_reconnects_with_nothing_announced() -> None:
    async with (
        sim.listen(router_id="192.0.2.1") as door,
        sim.connect(*door.address, source="127.0.0.2") as one,
    ):
        await door.accept()
        await one.announce("10.1.0.0/24")
        one.crash()
        await one.reconnect()
        two = await door.accept()
        await one.established()
        await two.no_route("10.1.0.0/24", for_s=0.05)
        assert one.announced == {}
        with pytest.raises(sim.SimError, match="offers no graceful restart"):
            await one.restart_gracefully()
        with pytest.raises(sim.SimError, match="it can't dial"):
            await two.reconnect()


async def test_passwords() -> None:
    """RFC 2385."""
    async with sim.listen(router_id="192.0.2.1", password="secret") as door:  # noqa: S106
        with pytest.raises(sim.ConnectError, match="want a password"):
            await sim.connect(*door.address, deadline_s=0.3)
        async with sim.connect(*door.address, password="secret") as one:  # noqa: S106
            await door.accept()
            await one.established()


async def test_who_does_not_listen_is_named() -> None:
    async with sim.listen() as door:
        address = door.address
    with pytest.raises(sim.ConnectError, match=f"port {address[1]} from"):
        await sim.connect(*address, source="127.0.0.2")


async def test_nobody_connects() -> None:
    async with sim.listen() as door:
        with pytest.raises(sim.DeadlineError, match="nobody connected"):
            await door.accept(deadline_s=0.05)


async def test_the_same_router_id_on_both_sides_is_refused() -> None:
    """RFC 6286 2.1."""
    async with sim.listen(router_id="10.0.0.2") as door:
        one = await sim.connect(*door.address, source="127.0.0.2")
        two = await door.accept()
        with contextlib.suppress(sim.SessionOverError):
            await one.established()
        await two.closed()
        assert "2/3 OPEN message error / Bad BGP Identifier" in str(one.history)
        one.dispose()


async def test_closing_needs_no_loop() -> None:
    async with sim.listen() as door:
        one = await sim.connect(*door.address)
        one.dispose()
        one.dispose()
