"""Dialling remembered peers after a restart, and remembering them, over real sockets."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address, ip_network
from pathlib import Path

import pytest

from reflector.bgp.vocabulary import CeaseSubcode
from reflector.net import memory, redial, redial_plan
from reflector.net.dialer import Target
from reflector.net.memory import Remembered
from reflector.net.redial import Redialer
from reflector.net.sockets import set_md5_key
from reflector.reports import PeerDown, PeerReturned, PeerUp, Report, Trouble
from tests.support import wire
from tests.support.room import Caller, Room, room

pytestmark = pytest.mark.asyncio

PEER, LOCAL = "127.0.0.2", "127.0.0.77"
LOWER, HIGHER = "10.0.0.2", "203.0.113.9"  # than the reflector's 192.0.2.254


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redial_plan, "_IDLE_RETRY_S", 0.02)
    monkeypatch.setattr(redial_plan, "_FIRST_RETRY_S", 0.02)
    monkeypatch.setattr(redial_plan, "_OWN_DIAL_S", 0.02)
    monkeypatch.setattr(redial, "_SETTLE_S", 0.01)
    monkeypatch.setattr(redial, "_PAUSE_S", 0.01)


class Node:
    """A peer that listens.

    Attributes:
        calls: Connections that it took, in order, with where they came from.
        hangs_up: How many of the next ones it closes at once, as an idle GoBGP does.
    """

    def __init__(self) -> None:
        self.calls: asyncio.Queue[tuple[Caller, str]] = asyncio.Queue()
        self.hangs_up = 0
        self.hung_up = 0
        self.port = 0

    async def answer(self) -> Caller:
        """Take the next connection that it keeps, and speak first."""
        async with asyncio.timeout(5):
            caller, _ = await self.calls.get()
        caller.say(wire.open_message(router_id=LOWER) + wire.keepalive())
        return caller


@asynccontextmanager
async def listening(here: Room, password: str | None = None) -> AsyncIterator[Node]:
    """A peer listens; what it took is hung up at the end."""
    node = Node()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if node.hangs_up:
            node.hangs_up -= 1
            node.hung_up += 1
            writer.transport.abort()
            return
        caller = Caller(reader, writer)
        here.callers.append(caller)
        node.calls.put_nowait((caller, writer.get_extra_info("peername")[0]))

    sock = socket.socket()
    sock.bind((PEER, 0))
    if password is not None:
        set_md5_key(sock, ip_network(f"{LOCAL}/32"), password)
    server = await asyncio.start_server(take, sock=sock)
    node.port = sock.getsockname()[1]
    try:
        yield node
    finally:
        server.close()


@dataclass
class Home:
    """Where a redialer runs.

    Attributes:
        notes: What it said.
    """

    here: Room
    path: Path
    password: str | None = None
    notes: list[str] = field(default_factory=list)
    may_peer: Callable[[object], bool] = lambda _: True

    def remember(self, port: int, *router_ids: str) -> None:
        """As if a peer had had a session before the restart."""
        ids = frozenset(map(IPv4Address, router_ids or (LOWER,)))
        each = Remembered(ip_address(PEER), ip_address(LOCAL), ids, 2_000_000_000, port)
        memory.write(self.path, {each.address: each})

    @asynccontextmanager
    async def redialling(self) -> AsyncIterator[Redialer]:
        """The redialer at work."""
        made = Redialer(
            self.here.peering,
            self.path,
            target_of=lambda peer: (
                Target(peer.address, peer.port, self.password, peer.local)
                if self.may_peer(peer.address)
                else None
            ),
            may_peer=self.may_peer,
            report=self.here.reports.append,
            note=self.notes.append,
        )
        report = self.here.peering._report

        def also_wake(what: Report) -> None:
            report(what)
            if isinstance(what, PeerUp):
                made.wake()
            elif isinstance(what, PeerDown):
                made.lost(what)

        self.here.peering._report = also_wake
        made.load()
        made.start()
        try:
            yield made
        finally:
            await made.stop()

    async def until_written(self, holds: Callable[[memory.Known], bool]) -> None:
        """Wait until the file says something."""
        await self.here.until(lambda: holds(memory.read(self.path)), "the file says so")


@asynccontextmanager
async def home(tmp_path: Path) -> AsyncIterator[Home]:
    """A room with a place for a state file."""
    async with room() as here:
        yield Home(here, tmp_path / "state" / "peers.json")


# Dialling.


async def test_a_remembered_peer_is_dialled_from_the_address_that_it_peers_with(
    tmp_path: Path,
) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        async with it.redialling():
            caller, source = await node.calls.get()
            assert source == LOCAL
            caller.say(wire.open_message(router_id=LOWER) + wire.keepalive())
            await it.here.until(lambda: len(it.notes) == 2, "it is back")
            assert it.notes[0] == "dialling 1 peer that had a session before the restart"
            assert it.notes[1].startswith("1 of 1 peer are back 0.")
            (connection,) = it.here.peering.connections
            connection.abort()
            await asyncio.sleep(0.2)
            assert node.calls.empty(), "and is on its own from then on"


async def test_an_idle_gobgp_hangs_up_until_it_takes_the_dial_and_nobody_is_told(
    tmp_path: Path,
) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        node.hangs_up = 5
        it.remember(node.port)
        async with it.redialling():
            await node.answer()
            await it.here.until(lambda: bool(it.here.said(PeerUp)), "it is back")
        assert node.hung_up == 5
        assert it.here.said(PeerDown) == []


async def test_a_peer_that_waits_for_our_open_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redial, "_FIRST_WORD_S", 0.05)
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        async with it.redialling():
            caller, _ = await node.calls.get()
            await caller.hear(wire.OPEN)


async def test_a_peer_that_dials_first_is_not_dialled(tmp_path: Path) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        await it.here.join(LOWER, PEER)
        async with it.redialling():
            await it.here.until(lambda: len(it.notes) == 2, "it is back")
            assert node.calls.empty()


@pytest.mark.parametrize("router_id", [LOWER, HIGHER])
async def test_of_dials_that_cross_one_session_is_left(tmp_path: Path, router_id: str) -> None:
    """RFC 4271 6.8; and neither our dial nor the peer's costs the other side a session."""
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        async with it.redialling():
            ours, _ = await node.calls.get()
            theirs = await it.here.dial(PEER)
            for caller in (ours, theirs):
                caller.say(wire.open_message(router_id=router_id))
            kept, lost = (theirs, ours) if router_id == HIGHER else (ours, theirs)
            assert await lost.ends() == b"\x06\x07"
            kept.say(wire.keepalive())
            await it.here.until(lambda: len(it.notes) == 2, "it is back")
            assert len(it.here.peering.sessions) == 1
            assert len(it.here.said(PeerUp)) == 1
        assert it.here.said(PeerReturned) == []


async def test_a_dial_that_is_overtaken_by_the_peer_s_session_is_dropped(tmp_path: Path) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        async with it.redialling():
            ours, _ = await node.calls.get()  # and is silent
            await it.here.join(LOWER, PEER)
            ours.say(wire.open_message(router_id=LOWER))
            assert await ours.ends() == b""
            assert len(it.here.peering.connections) == 1
        assert it.here.said(PeerReturned) == []


@pytest.mark.parametrize(
    ("code", "subcode"),
    [(0, 0), (4, 0), (6, 3), (6, 4), (6, 9)],
    ids=["hung up", "hold timer", "de-configured", "reset", "hard reset"],
)
async def test_who_falls_while_we_run_is_dialled_too(
    tmp_path: Path, code: int, subcode: int
) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        async with it.redialling():
            caller = await node.answer()
            await it.here.until(lambda: len(it.notes) == 2, "it is back")
            node.hangs_up = 3
            if code:
                caller.say(wire.notification(code, subcode))
            caller.hang_up()
            await node.answer()
            await it.here.until(lambda: len(it.here.said(PeerUp)) == 2, "it is up again")
            assert node.hung_up == 3


@pytest.mark.parametrize(
    ("code", "subcode"),
    [(6, 1), (6, 2), (6, 5), (6, 8), (3, 1), (2, 2)],
    ids=["too many", "shut down", "rejected", "out of resources", "bad UPDATE", "wrong AS"],
)
async def test_who_ends_it_on_purpose_is_left_alone(
    tmp_path: Path, code: int, subcode: int
) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        async with it.redialling():
            caller = await node.answer()
            await it.here.until(lambda: len(it.notes) == 2, "it is back")
            caller.say(wire.notification(code, subcode))
            caller.hang_up()
            await it.here.until(lambda: bool(it.here.said(PeerDown)), "it is over")
            await asyncio.sleep(0.2)
            assert node.calls.empty()


@pytest.mark.parametrize(
    "subcode", [CeaseSubcode.ADMINISTRATIVE_RESET, CeaseSubcode.PEER_DE_CONFIGURED]
)
async def test_what_we_end_begins_anew_only_where_that_is_meant(
    tmp_path: Path, subcode: CeaseSubcode
) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        async with it.redialling():
            await node.answer()
            await it.here.until(lambda: len(it.notes) == 2, "it is back")
            (connection,) = it.here.peering.connections
            it.here.peering.close(connection, subcode, "a test says so")
            await it.here.until(lambda: bool(it.here.said(PeerDown)), "it is over")
            if subcode is CeaseSubcode.ADMINISTRATIVE_RESET:
                await node.answer()
                await it.here.until(lambda: len(it.here.said(PeerUp)) == 2, "it is up again")
            else:
                await asyncio.sleep(0.2)
                assert node.calls.empty()


async def test_nobody_is_dialled_once_it_ends(tmp_path: Path) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        async with it.redialling() as redialler:
            caller = await node.answer()
            await it.here.until(lambda: len(it.notes) == 2, "it is back")
            await redialler.stop()
            caller.hang_up()
            await it.here.until(lambda: bool(it.here.said(PeerDown)), "it is over")
            await asyncio.sleep(0.2)
            assert node.calls.empty()


async def test_nodes_behind_one_address_are_not_dialled(tmp_path: Path) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port, LOWER, HIGHER)
        async with it.redialling():
            await asyncio.sleep(0.2)
        assert node.calls.empty()
        assert it.notes == []


async def test_who_may_not_peer_is_neither_dialled_nor_remembered(tmp_path: Path) -> None:
    async with home(tmp_path) as it, listening(it.here) as node:
        it.remember(node.port)
        it.may_peer = lambda _: False
        async with it.redialling():
            await asyncio.sleep(0.2)
        assert node.calls.empty()
        assert memory.read(it.path) == {}


@pytest.mark.parametrize("theirs", ["s3cret", "another"])
async def test_a_password_signs_the_dial(tmp_path: Path, theirs: str) -> None:
    async with home(tmp_path) as it:
        try:
            probe = socket.socket()
            set_md5_key(probe, ip_network(f"{LOCAL}/32"), "s3cret")
        except OSError as error:
            pytest.skip(f"the kernel has no TCP MD5: {error}")
        finally:
            probe.close()
        async with listening(it.here, theirs) as node:
            it.remember(node.port)
            it.password = "s3cret"  # noqa: S105 - of this test
            async with it.redialling():
                if theirs == it.password:
                    await node.answer()
                    await it.here.until(lambda: bool(it.here.said(PeerUp)), "it is back")
                else:
                    await asyncio.sleep(0.2)
                    assert node.calls.empty()


# Remembering.


async def test_who_comes_up_is_written_soon_without_waiting_for_an_end(tmp_path: Path) -> None:
    """A kill -9 finds the file written."""
    async with home(tmp_path) as it, it.redialling():
        await it.here.join(LOWER, PEER)
        await it.until_written(lambda known: len(known) == 1)
        (each,) = memory.read(it.path).values()
        assert (str(each.address), str(each.local), each.port) == (PEER, "127.0.0.1", 179)
        assert each.router_ids == {IPv4Address(LOWER)}
        await it.here.join(HIGHER, PEER)
        await it.until_written(
            lambda known: not any(each.worth_dialling for each in known.values())
        )


async def test_many_that_come_up_together_are_few_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redial, "_SETTLE_S", 0.2)
    writes = []
    real = memory.write

    def counted(path: Path, known: memory.Known, *, durable: bool) -> None:
        writes.append(len(known))
        real(path, known, durable=durable)

    monkeypatch.setattr(memory, "write", counted)
    async with home(tmp_path) as it, it.redialling():
        for n in range(2, 42):
            await it.here.join(f"10.0.0.{n}", f"127.0.0.{n}")
        await it.until_written(lambda known: len(known) == 40)
        assert len(writes) <= 2


async def test_at_the_end_all_who_are_up_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redial, "_SETTLE_S", 60.0)
    async with home(tmp_path) as it:
        async with it.redialling() as redialer:
            # Who ends before the file was read leaves it as it is.
            await it.here.until(lambda: redialer._loaded, "the file is read")
            await it.here.join(LOWER, PEER)
            await it.here.until(lambda: bool(it.here.said(PeerUp)), "it is up")
            assert memory.read(it.path) == {}
        assert len(memory.read(it.path)) == 1


async def test_a_damaged_file_is_a_line_in_the_log_and_written_anew(tmp_path: Path) -> None:
    async with home(tmp_path) as it:
        it.path.parent.mkdir()
        it.path.write_bytes(b"\0garbage")
        async with it.redialling():
            await it.here.until(lambda: bool(it.here.said(Trouble)), "it is said")
            await it.here.join(LOWER, PEER)
            await it.here.until(lambda: it.path.read_bytes()[:1] == b"{", "it is written anew")
        (trouble,) = it.here.said(Trouble)
        assert isinstance(trouble, Trouble)
        assert str(it.path) in trouble.what
        assert "damaged" in trouble.what


async def test_a_file_that_cannot_be_written_is_one_line_in_the_log(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way of the folder")
    async with home(tmp_path) as it:
        async with it.redialling():
            for n in (2, 3, 4):
                await it.here.join(f"10.0.0.{n}", f"127.0.0.{n}")
                await asyncio.sleep(0.1)
            assert len(it.here.speaker.peers) == 3
        reading, writing = it.here.said(Trouble)
        assert isinstance(reading, Trouble)
        assert isinstance(writing, Trouble)
        assert os.strerror(20) in reading.what
        assert "redial to false" in writing.what
