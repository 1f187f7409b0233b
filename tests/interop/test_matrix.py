"""GoBGP, BIRD, FRR and OpenBGPD as clients, each with each, over IPv4 sessions with both families.

Whatever one of them announces, each other must come to know as if they had peered directly, but
for the two attributes that a route reflector adds (RFC 4456 8).
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support.daemons import KINDS
from tests.support.peer import Announcement

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.interop.conftest import ClassRoom
    from tests.support.peer import Route

pytestmark = pytest.mark.interop

DEBUG_PREFIX = "1.0.0.2/32"


@pytest.mark.rfc("4456", "6", "8 originator", "8 cluster list", "10")
@pytest.mark.parametrize("learner", KINDS)
@pytest.mark.parametrize("announcer", KINDS)
def test_each_learns_from_each(class_room: ClassRoom, announcer: str, learner: str) -> None:
    """RFC 4456 8, 10: reflected with ORIGINATOR_ID and CLUSTER_LIST, all else untouched."""
    source = class_room.peers[f"{announcer}-a"]
    target = class_room.peers[f"{learner}-b"]
    routes = class_room.wait_for_routes(
        target,
        lambda seen: seen.keys() >= source.announced.keys(),
        f"learns the routes of {source.settings.name}",
    )
    for prefix, announced in source.announced.items():
        route = routes[prefix]
        assert route.next_hop == announced.next_hop
        assert route.originator_id == source.settings.router_id
        assert route.cluster_list == (class_room.reflector.settings.router_id,)
        assert route.as_path == ()
        assert route.local_pref == (announced.local_pref or 100)
        assert (route.med or 0) == (announced.med or 0)
        assert route.communities == announced.communities


@pytest.mark.rfc("4271", "5.1.3 local", "9.4")
@pytest.mark.parametrize("letter", ["a", "b"])
@pytest.mark.parametrize("kind", KINDS)
def test_debug_route_points_at_the_address_dialled(
    class_room: ClassRoom, kind: str, letter: str
) -> None:
    peer = class_room.peers[f"{kind}-{letter}"]
    routes = class_room.wait_for_routes(
        peer, lambda seen: DEBUG_PREFIX in seen, "learns the debug route"
    )
    assert routes[DEBUG_PREFIX].next_hop == peer.settings.reflector_address


@pytest.mark.rfc("4456", "6")
def test_nothing_returns_to_its_source(class_room: ClassRoom) -> None:
    """RFC 4456 6: OpenBGPD keeps even what loops in its Adj-RIB-In, so it can tell."""
    if class_room.reflector.kind == "frr":
        pytest.skip("FRR as reflector sends a client its own routes back")
    peer = class_room.peers["openbgpd-a"]
    routes = class_room.wait_for_routes(
        peer, lambda seen: len(seen) > len(peer.announced), "learns the others' routes"
    )
    assert not routes.keys() & peer.announced.keys()


@pytest.mark.rfc("4271", "3.1")
@pytest.mark.parametrize("kind", KINDS)
def test_announce_change_and_withdraw(class_room: ClassRoom, kind: str) -> None:
    """RFC 4271 3.1: a new announcement of a prefix replaces the one before; a withdrawal ends it."""
    source = class_room.peers[f"{kind}-a"]
    prefixes = ("10.200.0.0/24", "fd10:200::/64")
    for med in (5, 6):
        for prefix in prefixes:
            source.announce(Announcement(prefix=prefix, med=med))
        for peer in class_room.others(source):
            class_room.wait_for_routes(
                peer,
                partial(_all_have_med, prefixes, med),
                f"learns {prefixes} with MED {med}",
            )
    for prefix in prefixes:
        source.withdraw(prefix)
    for peer in class_room.others(source):
        class_room.wait_for_routes(
            peer,
            lambda seen: not seen.keys() & set(prefixes),
            f"forgets {prefixes}",
        )


@pytest.mark.rfc("4271", "8.2.2 Established")
@pytest.mark.parametrize("kind", KINDS)
def test_killed_peer_is_forgotten_and_welcomed_back(class_room: ClassRoom, kind: str) -> None:
    """RFC 4271 8.2.2: a lost session takes its routes with it; a new one brings them back."""
    source = class_room.peers[f"{kind}-b"]
    prefixes = source.announced.keys()
    source.kill()
    try:
        for peer in class_room.others(source):
            class_room.wait_for_routes(
                peer,
                lambda seen: not seen.keys() & prefixes,
                f"forgets the routes of {source.settings.name}",
            )
    finally:
        source.start()
    source.wait_established()
    for peer in class_room.others(source):
        class_room.wait_for_routes(
            peer,
            lambda seen: seen.keys() >= prefixes,
            f"learns the routes of {source.settings.name} again",
        )
    class_room.wait_for_routes(
        source,
        lambda seen: all(
            seen.keys() >= peer.announced.keys() for peer in class_room.others(source)
        ),
        "learns everything on its return",
    )


def _all_have_med(prefixes: Iterable[str], med: int, seen: dict[str, Route]) -> bool:
    return all(prefix in seen and seen[prefix].med == med for prefix in prefixes)
