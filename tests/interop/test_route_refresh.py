"""GoBGP, BIRD and FRR ask for routes again, and tell theirs again (RFC 2918, RFC 7313)."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, cast

import pytest

from tests.support.bird import Bird
from tests.support.frr import Frr
from tests.support.gobgp import GoBgp
from tests.support.process import in_netns, query, wait_until
from tests.support.reflector_process import ReflectorProcess

if TYPE_CHECKING:
    from tests.interop.conftest import ClassRoom

pytestmark = pytest.mark.interop

# Who speaks RFC 7313 without being told to.
ENHANCED = {"bird", "frr"}
# ROUTE-REFRESH messages that they send at least: requests, or a begin and an end. GoBGP looks at its
# own copy of what it was told, and FRR says where a refresh ends only if it was asked for it.
SAID = {("bird", "in"): 1, ("bird", "out"): 2, ("frr", "in"): 1}


def shown(class_room: ClassRoom, address: str) -> dict[str, Any]:
    """Return what ours shows of a neighbor."""
    reflector = class_room.reflector
    if not isinstance(reflector, ReflectorProcess):
        pytest.skip("only ours counts what this test looks at")
    show = (sys.executable, "-m", "reflector", "show", "neighbors", address, "--json")
    answer = query(
        [*in_netns(reflector.settings.netns), *show, "--socket", str(reflector.control_socket)]
    )
    (neighbor,) = json.loads(answer)["neighbors"]
    return cast("dict[str, Any]", neighbor)


@pytest.mark.rfc("7313", "4 begin", "4 stale")
@pytest.mark.parametrize("direction", ["in", "out"])
@pytest.mark.parametrize("kind", ["gobgp", "bird", "frr"])
def test_a_refresh_leaves_all_routes_where_they_were(
    class_room: ClassRoom, kind: str, direction: str
) -> None:
    """RFC 7313 4: whoever begins and ends it, nothing is stale at the end."""
    class_room.wait_all_established()
    peer, other = class_room.peers[f"{kind}-a"], class_room.peers["openbgpd-b"]
    assert isinstance(peer, Bird | Frr | GoBgp)
    wanted = {prefix for each in class_room.others(peer) for prefix in each.announced}
    class_room.wait_for_routes(peer, lambda seen: seen.keys() >= wanted, "has everything")
    address = peer.settings.local_address
    before = shown(class_room, address)
    assert (70 in before["capability_codes"]) is (kind in ENHANCED)
    peer.refresh(direction)
    least = before["messages"]["received"]["route_refresh"] + SAID.get((kind, direction), 0)
    wait_until(
        lambda: shown(class_room, address)["messages"]["received"]["route_refresh"] >= least,
        what=f"{kind} refreshes",
        explain=class_room.reflector.explain,
    )
    class_room.wait_for_routes(peer, lambda seen: seen.keys() >= wanted, "keeps everything")
    class_room.wait_for_routes(
        other, lambda seen: seen.keys() >= peer.announced.keys(), "keeps what it was told"
    )
    after = shown(class_room, address)
    assert after["prefixes_held"] == before["prefixes_held"]
    if direction == "in" and kind in ENHANCED:
        sent = before["messages"]["sent"]["route_refresh"]
        assert after["messages"]["sent"]["route_refresh"] >= sent + 2
