"""Listening addresses and the passwords of their peers, against the kernel."""

from __future__ import annotations

import select
import socket
from collections.abc import AsyncIterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address

import pytest
import pytest_asyncio

from reflector.bgp.nlri import IPNetwork
from reflector.net.listeners import Listeners
from reflector.net.sockets import ListenError, listen, tune
from tests.support.reflector_process import free_port
from tests.support.room import Caller, room

pytestmark = pytest.mark.asyncio

LOOPBACK = IPv4Address("127.0.0.1")
# Far more than the kernel keeps on one socket (net.core.optmem_max) by default.
TOO_MANY: dict[IPNetwork, str] = {
    IPv4Network((0x0A000000 + number, 32)): "secret" for number in range(20_000)
}
NO_ROOM = r"can't be set: the kernel has no room for more passwords .* net\.core\.optmem_max"


@pytest_asyncio.fixture
async def listeners() -> AsyncIterator[Listeners]:
    async with room() as here:
        listeners = Listeners(here.peering)
        yield listeners
        for address in list(listeners):
            listeners.close(address)


async def test_who_dials_an_address_that_is_listened_on_comes_out_here(
    listeners: Listeners,
) -> None:
    assert not listeners.reach(LOOPBACK)
    listeners.open(LOOPBACK, 0, {})
    assert listeners.reach(LOOPBACK)
    assert not listeners.reach(IPv4Address("127.0.0.2"))
    listeners.open(IPv4Address("0.0.0.0"), 0, {})
    assert listeners.reach(IPv4Address("127.0.0.2"))
    assert not listeners.reach(IPv4Address("192.0.2.7"))  # nobody's here
    assert not listeners.reach(IPv6Address("::1"))
    assert listeners.specific() == [LOOPBACK]


async def test_more_passwords_than_the_kernel_takes_are_said_and_the_port_is_free_again(
    listeners: Listeners,
) -> None:
    port = free_port()
    with pytest.raises(ListenError, match=NO_ROOM):
        listeners.open(LOOPBACK, port, TOO_MANY)
    assert not list(listeners)
    listeners.open(LOOPBACK, port, {})


async def test_passwords_that_the_kernel_refuses_on_a_reload_leave_it_listening(
    listeners: Listeners,
) -> None:
    port = free_port()
    listeners.open(LOOPBACK, port, {})
    with pytest.raises(ListenError, match=NO_ROOM):
        listeners.set_keys(TOO_MANY)
    caller = await Caller.dial(port, "127.0.0.2")
    caller.hang_up()


TCP_OPTIONS = (
    (socket.IPPROTO_TCP, socket.TCP_NODELAY),
    (socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
    (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE),
    (socket.IPPROTO_TCP, socket.TCP_KEEPINTVL),
    (socket.IPPROTO_TCP, socket.TCP_KEEPCNT),
)


@pytest.mark.parametrize(
    ("address", "options"),
    [
        (LOOPBACK, ((socket.IPPROTO_IP, socket.IP_TOS), (socket.IPPROTO_IP, socket.IP_TTL))),
        (
            IPv6Address("::1"),
            (
                (socket.IPPROTO_IPV6, socket.IPV6_TCLASS),
                (socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS),
            ),
        ),
    ],
    ids=str,
)
async def test_what_is_accepted_is_set_up_as_what_listens(
    address: IPv4Address | IPv6Address, options: tuple[tuple[int, int], ...]
) -> None:
    with (
        listen(address, 0) as listener,
        socket.create_connection(listener.getsockname()[:2]) as dialled,
    ):
        select.select([listener], [], [])
        accepted, _ = listener.accept()
        tune(dialled)
        with accepted:
            for option in (*TCP_OPTIONS, *options):
                assert accepted.getsockopt(*option) == dialled.getsockopt(*option), option
