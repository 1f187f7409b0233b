"""GTSM (RFC 5082) on real sockets: the kernel drops what comes from further away."""

from __future__ import annotations

import asyncio
import socket
from ipaddress import IPv6Address, ip_address

import pytest

from reflector.bgp.vocabulary import FAMILIES
from reflector.net import dialer
from reflector.net.dialer import Target
from reflector.net.hops import demand_near, send_far
from reflector.net.peer_policy import PeerPolicy
from reflector.net.sockets import ListenError, listen
from reflector.reports import ConnectionRefused, PeerUp
from tests.support import wire
from tests.support.process import skip_or_fail
from tests.support.room import room

pytestmark = pytest.mark.asyncio

NEAR, FAR = "127.0.0.2", "127.0.0.3"


@pytest.mark.rfc("5082", "3")
@pytest.mark.parametrize(("hops", "ttl"), [(1, 254), (1, 64), (10, 245)])
async def test_who_is_too_far_away_is_turned_away(hops: int, ttl: int) -> None:
    """RFC 5082 3: by its first packet, which says how far it has come."""
    policy = PeerPolicy(frozenset(FAMILIES.values()), 90, ttl_security=hops)
    async with room(policy=lambda _: policy) as here:
        far, near = await here.dial(FAR, ttl), await here.dial(NEAR, 256 - hops)
        near.say(wire.open_message(router_id="10.0.0.2") + wire.keepalive())
        await near.hear(wire.KEEPALIVE)
        assert await far.ends() == b"\x06\x05"
        (refused,) = here.said(ConnectionRefused)
        assert isinstance(refused, ConnectionRefused)
        assert f"a TTL of {ttl}, and ttl-security here wants {256 - hops}" in refused.reason


@pytest.mark.rfc("5082", "3")
@pytest.mark.parametrize(("hops", "ttl"), [(1, 254), (1, 64), (10, 245)])
async def test_what_comes_from_too_far_away_is_dropped(hops: int, ttl: int) -> None:
    """RFC 5082 3: on a connection that began nearby, as one who guesses at it would send it."""
    policy = PeerPolicy(frozenset(FAMILIES.values()), 90, ttl_security=hops)
    async with room(policy=lambda _: policy) as here:
        far, near = await here.dial(FAR, 255), await here.dial(NEAR, 256 - hops)
        far.writer.get_extra_info("socket").setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)
        for caller in (far, near):
            await caller.hear(wire.OPEN)  # it is accepted, and the kernel told what to demand
            caller.say(wire.open_message(router_id="10.0.0.2") + wire.keepalive())
        await near.hear(wire.KEEPALIVE)
        await here.until(lambda: bool(here.said(PeerUp)), "the near one is up")
        (session,) = here.peering.sessions.values()
        assert str(session.name.address) == NEAR


@pytest.mark.rfc("5082", "3 sender")
async def test_a_peer_may_demand_it_of_us() -> None:
    """RFC 5082 3: everything we send starts with 255, from the first answer to a SYN."""
    async with room() as here:
        sock = socket.socket()
        sock.setblocking(False)  # noqa: FBT003 - the socket module's own
        send_far(sock)
        demand_near(sock, 1)
        async with asyncio.timeout(10):
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", here.port))
            assert await asyncio.get_running_loop().sock_recv(sock, 19)
        sock.close()


@pytest.mark.rfc("5082", "3")
@pytest.mark.parametrize(("hops", "answered"), [(None, True), (1, False)])
async def test_a_neighbor_too_far_away_is_not_reached(hops: int | None, *, answered: bool) -> None:
    """RFC 5082 3: its very answer to our SYN is dropped."""
    with socket.create_server(("127.0.0.1", 0)) as server:  # with the kernel's TTL of 64
        target = Target(ip_address("127.0.0.1"), server.getsockname()[1], ttl_security=hops)
        sock = await dialer.connect(target, 0.5)
        assert (sock is not None) == answered
        if sock is not None:
            sock.close()


@pytest.mark.rfc("5082", "3")
@pytest.mark.parametrize("ttl", [64, 255])
async def test_over_ipv6(ttl: int) -> None:
    """RFC 5082 3: there it is the hop limit."""
    try:
        listener = listen(IPv6Address("::1"), 0)
    except ListenError as error:
        skip_or_fail(str(error))
    listener.setblocking(True)  # noqa: FBT003 - the socket module's own
    with (
        listener,
        socket.create_connection(listener.getsockname()[:2]) as caller,
        listener.accept()[0] as taken,
    ):
        demand_near(taken, 1)
        taken.settimeout(0.3 if ttl == 64 else 10)
        caller.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
        caller.sendall(b"x")
        if ttl == 255:
            assert taken.recv(1) == b"x"
        else:
            with pytest.raises(TimeoutError):
                taken.recv(1)
