"""Attacks on the reflector's resources, while a healthy pair of clients exchanges routes.

Each bound is stated in docs/limits.md.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

import pytest

from reflector.bgp.limits import MAX_JUDGED_BLOCKS
from reflector.config.model import LimitsConfig
from reflector.net.refresh_gate import REFRESH_BURST
from reflector.observe.server.door import MAX_VISITORS
from tests.behaviour.client import REFLECTOR, Client, prefixes
from tests.behaviour.conftest import Join
from tests.behaviour.exchange import exchange
from tests.behaviour.process import MIB, Measured
from tests.support import wire
from tests.support.process import find_binary

pytestmark = pytest.mark.asyncio

ATTACKER = "127.66.0.1"
# More attributes than are remembered as judged.
ONCE_FULL = MAX_JUDGED_BLOCKS + 10_000


async def connect(port: int, source: str = ATTACKER) -> socket.socket:
    """Connect and say nothing."""
    sock = socket.socket()
    sock.setblocking(False)  # noqa: FBT003 - the socket module's own
    sock.bind((source, 0))
    await asyncio.get_running_loop().sock_connect(sock, (REFLECTOR, port))
    return sock


@asynccontextmanager
async def crowd(number: int, port: int) -> AsyncIterator[list[socket.socket]]:
    """Connections of one address that say nothing."""
    with contextlib.ExitStack() as stack:
        socks = []
        for _ in range(0, number, 100):
            batch = [asyncio.create_task(connect(port)) for _ in range(100)]
            socks += [stack.enter_context(await each) for each in batch]
        yield socks


def has_ended(sock: socket.socket) -> bool:
    """Whether the reflector has closed a connection."""
    try:
        while data := sock.recv(65536):
            assert data
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


async def test_a_flood_of_connections_from_one_address(reflector: Measured, join: Join) -> None:
    most = LimitsConfig().max_waiting_per_address
    before = reflector.descriptors()
    async with exchange(join) as pair, crowd(3000, reflector.settings.port) as socks:
        await pair.other.until(lambda: sum(map(has_ended, socks)) >= len(socks) - most)
        await pair.other.until(lambda: reflector.descriptors() <= before + most + 20)
        neighbor = Client(2)
        neighbor.address = ATTACKER  # as if it were behind the same NAT
        await neighbor.connect(reflector.settings.port)
        await neighbor.close()
    reflector.wait_for(lambda: reflector.descriptors() <= before + 5, "no descriptor is left over")


@contextmanager
def files_limited(reflector: Measured, more: int) -> Iterator[None]:
    """Let the reflector open so many more files and no more."""
    usual = resource.prlimit(reflector.pid, resource.RLIMIT_NOFILE)
    limit = max(int(each) for each in os.listdir(f"/proc/{reflector.pid}/fd")) + 1 + more  # noqa: PTH208
    resource.prlimit(reflector.pid, resource.RLIMIT_NOFILE, (limit, usual[1]))
    try:
        yield
    finally:
        resource.prlimit(reflector.pid, resource.RLIMIT_NOFILE, usual)


async def test_without_file_descriptors_sessions_live_and_accepting_goes_on_later(
    reflector: Measured, join: Join
) -> None:
    async with exchange(join) as pair:
        with files_limited(reflector, 20):
            async with crowd(100, reflector.settings.port):
                await pair.other.until(lambda: "no new connections" in reflector.explain())
                await pair.goes_on(50)
        late = await join(2)
        await late.until(lambda: pair.has(late.table) or bool(late.table))


async def test_peers_leave_descriptors_for_everything_else(reflector: Measured, join: Join) -> None:
    """A low `ulimit -n` bounds the connections before descriptors are out, and `show` answers."""
    reflector.stop()
    (reflector.settings.directory / "log").unlink()  # which tells when it is ready
    reflector.prefix = (find_binary("prlimit"), "--nofile=128:128")
    reflector.start()
    async with exchange(join) as pair, crowd(300, reflector.settings.port):
        await pair.goes_on()
        neighbors = await asyncio.to_thread(reflector.neighbors)
        assert len(neighbors) < 100
        assert "no new connections" not in reflector.explain()
        await join(2)


async def test_idle_connections_to_the_control_socket_hold_few_descriptors(
    reflector: Measured, join: Join
) -> None:
    before = reflector.descriptors()
    async with exchange(join):
        with contextlib.ExitStack() as stack:
            for _ in range(4 * MAX_VISITORS):
                sock = stack.enter_context(socket.socket(socket.AF_UNIX))
                sock.connect(str(reflector.control_socket))
                await asyncio.sleep(0.001)
            assert len(await asyncio.to_thread(reflector.neighbors)) == 2
            assert reflector.descriptors() <= before + MAX_VISITORS + 5


async def test_ever_new_attributes_do_not_grow_the_process(reflector: Measured, join: Join) -> None:
    """What is remembered of those that were judged is bounded by their number."""
    async with exchange(join) as pair:
        flooder, nlri = await join(2), prefixes(200)
        peaks = []
        for first in (0, ONCE_FULL):
            for version in range(first, first + ONCE_FULL, len(nlri)):
                updates = [flooder.announcement([p], version + i) for i, p in enumerate(nlri)]
                await flooder.send(b"".join(updates))
                await asyncio.sleep(0)  # the pair has its turn, whatever the kernel takes at once
            last = await flooder.announce(nlri, first + ONCE_FULL)
            await pair.other.until(partial(pair.has, last))
            peaks.append(reflector.peak_bytes())
    # It was forgotten whole when it was full, and lies otherwise in memory the second time.
    assert peaks[1] - peaks[0] < 16 * MIB, peaks


async def test_a_storm_of_refreshes_is_answered_now_and_then(join: Join) -> None:
    async with exchange(join) as pair:
        table = await pair.one.announce(prefixes(50_000))
        storm = await join(2)
        await storm.until(lambda: table.items() <= storm.table.items())
        dumps = storm.end_of_rib
        for _ in range(300):
            await storm.send(wire.refresh() * 50)
            await asyncio.sleep(0.005)
        await storm.until(lambda: storm.end_of_rib > dumps)
        await pair.goes_on()
        assert storm.end_of_rib - dumps <= REFRESH_BURST + 1, "15,000 were asked for"
        assert not storm.ended


async def test_sessions_that_flap_leave_nothing(reflector: Measured, join: Join) -> None:
    async with exchange(join) as pair:
        before, grown = reflector.descriptors(), []
        for round_ in range(4):
            for number in range(25):
                flapper = Client(2 + number % 5)
                await flapper.connect(reflector.settings.port)
                await flapper.announce(prefixes(1000, 1000 * number), round_)
                await flapper.close()
            await pair.other.until(lambda: len(pair.other.table) == 2)
            grown.append(reflector.memory_bytes())
        assert grown[-1] - grown[0] < 16 * MIB
        assert reflector.descriptors() <= before + 5


async def test_ten_thousand_peers_come_announce_and_go(reflector: Measured, join: Join) -> None:
    """Five thousand addresses, router ids and routes, each three times, and no word at the end.

    What is remembered of them (judged attributes, rate limits of the log, what was said last) is
    bounded, so once all of it is full another time must not cost what the first did.
    """

    async def come(number: int) -> socket.socket:
        address = f"127.30.{number // 250}.{number % 250 + 1}"
        sock = await connect(reflector.settings.port, address)
        attributes = wire.usual(
            next_hop=wire.next_hop(address.replace("127.", "10.", 1)), med=wire.med(number)
        )
        (prefix,) = prefixes(1, number)
        said = wire.open_message(router_id=address) + wire.keepalive()
        await asyncio.get_running_loop().sock_sendall(sock, said + wire.update(prefix, attributes))
        return sock

    grown = []
    async with exchange(join) as pair:
        for first in [*range(0, 5000, 500)] * 3:
            socks = [await come(number) for number in range(first, first + 500)]
            await pair.other.until(lambda: len(pair.other.table) == 2 + 500)
            for sock in socks:
                sock.close()
            await pair.other.until(lambda: len(pair.other.table) == 2)
            grown.append(reflector.memory_bytes())
        await pair.other.until(lambda: reflector.descriptors() < 30)
    # What is remembered of peers lies scattered among what is freed: 2 to 6 MiB were measured.
    assert grown[-1] - grown[len(grown) * 2 // 3 - 1] < 12 * MIB


async def test_flooders_that_do_not_read_take_little_of_the_kernels_memory(
    reflector: Measured, join: Join
) -> None:
    """Linux drops segments of healthy sessions when net.ipv4.tcp_mem is exhausted."""
    stalled = [await join(number) for number in range(2, 12)]
    for client in stalled:
        client.stop_reading()
    async with exchange(join) as pair:
        for version in range(8):
            await pair.one.announce_bulky(prefixes(1000), 1000 * version)
            await pair.goes_on(1)
        held = kernel_bytes(reflector.settings.port)
        assert max(held) < MIB
        assert not any(client.ended for client in stalled)


def kernel_bytes(port: int) -> list[int]:
    """What the kernel holds to be sent, for each connection of ours."""
    command = [find_binary("ss"), "-tmnH", "state", "established", f"( sport = :{port} )"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [
        int(field[1:])
        for line in shown.splitlines()
        if "skmem:" in line
        for field in line.partition("skmem:(")[2].split(",")
        if field.startswith("w") and field[1:].isdigit()
    ]
