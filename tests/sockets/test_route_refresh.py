"""Route refresh over real sockets: what peers begin and end, and how long they may take."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from reflector.net import refreshing
from tests.support import wire
from tests.support.room import room

pytestmark = pytest.mark.asyncio

PODS = ip_network("10.1.0.0/24")
MORE = ip_network("10.2.0.0/24")
ENHANCED = wire.capability(70)


@pytest.mark.rfc("7313", "4 stale")
async def test_a_peer_announces_its_routes_again_and_the_others_are_gone() -> None:
    async with room() as here:
        one = await here.join("10.0.0.1", "127.0.0.1", more=ENHANCED)
        two = await here.join("10.0.0.2", "127.0.0.2")
        one.update(wire.announce(str(PODS), str(MORE)))
        await two.until(lambda: {PODS, MORE} <= two.table.keys())
        one.say(wire.refresh(1, 1, 1))
        one.update(wire.announce(str(MORE)))
        one.say(wire.refresh(1, 1, 2))
        await two.until(lambda: set(two.table) == {MORE})


@pytest.mark.rfc("7313", "4 bound")
async def test_a_refresh_that_never_ends_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refreshing, "MAX_REFRESH_S", 0.2)
    async with room() as here:
        one = await here.join("10.0.0.1", "127.0.0.1", more=ENHANCED)
        two = await here.join("10.0.0.2", "127.0.0.2")
        one.update(wire.announce(str(PODS)))
        await two.until(lambda: PODS in two.table)
        one.say(wire.refresh(1, 1, 1) * 3)
        await two.until(lambda: PODS not in two.table)
        # And it may begin anew.
        one.say(wire.refresh(1, 1, 1))
        one.update(wire.announce(str(MORE)))
        one.say(wire.refresh(1, 1, 2))
        one.update(wire.announce(str(PODS)))
        await two.until(lambda: {PODS, MORE} == set(two.table))


@pytest.mark.rfc("2918", "4 request")
async def test_a_peer_is_asked_for_its_routes() -> None:
    async with room() as here:
        one = await here.join("10.0.0.1", "127.0.0.1")
        (connection,) = here.peering.connections
        assert here.peering.request_refresh(connection)
        asked = [await one.hear(wire.ROUTE_REFRESH) for _ in range(2)]
        assert sorted(asked) == [b"\0\1\0\1", b"\0\2\0\1"]
