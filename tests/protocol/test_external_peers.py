"""External peers: what is taken from them, what they are told, and what it does to the choice."""

from ipaddress import ip_network

import pytest

from reflector.bgp.errors import Action
from reflector.bgp.limits import MAX_MESSAGE_BYTES
from reflector.rib.originated import LocalRoute
from tests.support import wire
from tests.support.classroom import CLUSTER_ID, OUR_ADDRESS, Classroom, Student
from tests.support.naive import numbers

PREFIX = "10.1.0.0/24"
PREFIX6 = "2001:db8:1::/64"
BIG = 4200000000
HOP6 = "2001:db8::1"


def external(*path: int, **more: bytes) -> bytes:
    """Return attributes as an external peer sends them."""
    return wire.usual(**({"as_path": wire.as_path(wire.sequence(*path)), "local_pref": b""} | more))


def announce(*path: int, prefix: str = PREFIX, **more: bytes) -> bytes:
    """Return an UPDATE of an external peer."""
    return wire.announce(prefix, attributes=external(*path, **more))


def path_of(student: Student, prefix: str = PREFIX) -> tuple[int, ...]:
    """Return the AS numbers that a peer was told."""
    return numbers(student.route(prefix)[2], 4 if student.as4 else 2)


@pytest.fixture
def classroom() -> Classroom:
    """A class without peers."""
    return Classroom()


# Who is told.


@pytest.mark.rfc("4271", "9.2 best")
@pytest.mark.rfc("4456", "6")
@pytest.mark.parametrize("role", ["client", "non-client", "external"])
def test_who_is_told_of_whose_routes(classroom: Classroom, role: str) -> None:
    """RFC 4271 9.2, RFC 4456 6: all of an external peer's; of a non-client's all but non-clients."""
    asns = {"external": 65001, "other external": 65002}
    peers = {
        name: classroom.join(name, f"10.0.0.{n}", client="non" not in name, asn=asns.get(name))
        for n, name in enumerate(
            ("client", "other client", "non-client", "other non-client", *asns), 1
        )
    }
    source = peers[role]
    block = external(65001) if source.external else wire.usual()
    six = external(65001, next_hop=b"") if source.external else wire.usual(next_hop=b"")
    classroom.send(
        source, wire.announce(PREFIX, attributes=block), wire.announce6(PREFIX6, attributes=six)
    )
    told = {name for name, peer in peers.items() if peer.prefixes == {PREFIX, PREFIX6}}
    expected = peers.keys() - {role}
    if role == "non-client":
        expected -= {"other non-client"}
    assert told == expected
    classroom.send(source, wire.withdraw(PREFIX), wire.withdraw6(PREFIX6))
    assert not any(peer.table or peer.stray for peer in peers.values())


@pytest.mark.rfc("1997", "NO_EXPORT")
@pytest.mark.parametrize("community", [0xFFFFFF01, 0xFFFFFF03])
def test_no_export_stays_in_our_as(classroom: Classroom, community: int) -> None:
    """RFC 1997: NO_EXPORT and NO_EXPORT_SUBCONFED are not for external peers."""
    source = classroom.join("source", "10.0.0.1")
    inside = classroom.join("inside", "10.0.0.2")
    outside = classroom.join("outside", "10.0.0.3", asn=65001)
    old = classroom.join("old", "10.0.0.4", asn=65002, as4=False)
    kept = wire.usual(more=wire.communities(1, community))
    classroom.send(source, wire.announce(PREFIX))
    classroom.send(source, wire.announce(PREFIX, attributes=kept))
    assert inside.prefixes == {PREFIX}
    assert outside.prefixes == old.prefixes == set()


@pytest.mark.rfc("1997", "carriage")
def test_a_community_across_two_others_is_none(classroom: Classroom) -> None:
    """RFC 1997: communities are of four octets each."""
    source = classroom.join("source", "10.0.0.1")
    outside = classroom.join("outside", "10.0.0.3", asn=65001)
    split = wire.usual(more=wire.communities(0x0000FFFF, 0xFF010000))
    classroom.send(source, wire.announce(PREFIX, attributes=split))
    assert outside.prefixes == {PREFIX}


@pytest.mark.rfc("4271", "9.2 best")
def test_an_external_peer_is_not_told_of_its_own_route(classroom: Classroom) -> None:
    """RFC 4271 9.1.3 and 9.2: nothing is sent back, and what was told before is withdrawn."""
    outside = classroom.join("outside", "10.0.0.1", asn=65001)
    inside = classroom.join("inside", "10.0.0.2")
    longer = wire.usual(as_path=wire.as_path(wire.sequence(1, 2)))
    classroom.send(inside, wire.announce(PREFIX, attributes=longer))
    assert outside.prefixes == {PREFIX}
    classroom.send(outside, announce(65001))
    assert outside.prefixes == set()
    assert inside.prefixes == {PREFIX}


# What is taken from them.


@pytest.mark.rfc("4271", "5.1.5 external")
@pytest.mark.rfc("7606", "7.5 external")
def test_local_pref_of_an_external_peer_is_ignored(classroom: Classroom) -> None:
    """RFC 4271 5.1.5, RFC 7606 7.5: discarded; internal peers are told the default."""
    outside = classroom.join("outside", "10.0.0.1", asn=65001)
    inside = classroom.join("inside", "10.0.0.2")
    watcher = classroom.join("watcher", "10.0.0.3")
    classroom.send(outside, announce(65001, local_pref=wire.local_pref(900)))
    assert int.from_bytes(watcher.route(PREFIX)[5]) == 100
    preferred = wire.usual(local_pref=wire.local_pref(101))
    classroom.send(inside, wire.announce(PREFIX, attributes=preferred))
    assert path_of(watcher) == ()
    assert [finding.action for _, finding in classroom.findings] == [Action.DISCARD]


@pytest.mark.rfc("7606", "7.5 external")
@pytest.mark.rfc("7606", "7.9 external")
@pytest.mark.rfc("7606", "7.10 external")
@pytest.mark.parametrize(
    "attribute",
    [
        wire.local_pref(1)[:-1],
        wire.attribute(0xC0, 5, bytes(4)),
        wire.originator_id("9.9.9.9"),
        wire.originator_id("192.0.2.254"),
        wire.attribute(0x80, 9, bytes(3)),
        wire.attribute(0xC0, 9, bytes(4)),
        wire.cluster_list("5.5.5.5"),
        wire.cluster_list(CLUSTER_ID),
        wire.attribute(0x80, 10, bytes(5)),
        wire.attribute(0x40, 10),
    ],
)
def test_what_only_internal_peers_may_say_is_discarded(
    classroom: Classroom, attribute: bytes
) -> None:
    """RFC 7606 7.5, 7.9, 7.10: from an external neighbor, LOCAL_PREF and the like are discarded."""
    if len(attribute) != 3 + attribute[2]:
        attribute = attribute[:2] + bytes((len(attribute) - 3,)) + attribute[3:]
    outside = classroom.join("outside", "10.0.0.1", asn=65001)
    inside = classroom.join("inside", "10.0.0.2")
    classroom.send(outside, announce(65001, local_pref=attribute))
    route = inside.route(PREFIX)
    assert (9 in route, 10 in route) == (False, False)
    ((_, finding),) = classroom.findings
    assert finding.action is Action.DISCARD
    assert "external peer" in finding.reason


@pytest.mark.rfc("4271", "6.3 first AS")
@pytest.mark.parametrize(
    "segments",
    [
        [wire.sequence(65002)],
        [wire.sequence(65002, 65001)],
        [wire.as_set(65001)],
        [wire.as_set(65001), wire.sequence(65001)],
        [],
    ],
)
def test_a_path_must_begin_with_the_peers_as(classroom: Classroom, segments: list[bytes]) -> None:
    """RFC 4271 6.3, RFC 7606 7.2: else it is treated as withdrawn."""
    outside = classroom.join("outside", "10.0.0.1", asn=65001)
    inside = classroom.join("inside", "10.0.0.2")
    classroom.send(outside, announce(65001), wire.announce6(PREFIX6, attributes=external(65001)))
    assert inside.prefixes == {PREFIX, PREFIX6}
    wrong = external(as_path=wire.as_path(*segments))
    classroom.send(
        outside,
        wire.announce(PREFIX, attributes=wrong),
        wire.announce6(PREFIX6, attributes=external(as_path=wire.as_path(*segments), next_hop=b"")),
    )
    assert inside.prefixes == set()
    assert outside.peer.counters.refused == 2
    assert all("RFC 4271 6.3" in finding.reason for _, finding in classroom.findings)


@pytest.mark.rfc("4271", "6.3 first AS")
def test_the_check_of_the_first_as_can_be_switched_off(classroom: Classroom) -> None:
    """RFC 4271 6.3: it MAY be checked; a route server's paths don't begin with its AS."""
    outside = classroom.join("outside", "10.0.0.1", asn=65001, enforce_first_as=False)
    inside = classroom.join("inside", "10.0.0.2")
    classroom.send(outside, announce(65002))
    assert path_of(inside) == (65002,)


@pytest.mark.rfc("4271", "6.3 first AS")
def test_the_first_as_is_each_peers_own(classroom: Classroom) -> None:
    """RFC 4271 6.3: the same attributes are right from one peer and wrong from another."""
    first = classroom.join("first", "10.0.0.1", asn=65001)
    second = classroom.join("second", "10.0.0.2", asn=65002)
    for peer in (second, first, second):
        classroom.send(peer, announce(65001))
    assert first.peer.counters.refused == 0
    assert second.peer.counters.refused == 2
    assert path_of(second) == (wire.ASN, 65001)


@pytest.mark.rfc("4271", "9.1.2 loop")
@pytest.mark.parametrize("role", [{"asn": 65001}, {"asn": 65001, "route_server": True}])
def test_a_path_with_our_as_is_a_loop(classroom: Classroom, role: dict[str, int]) -> None:
    """RFC 4271 9.1.2: excluded, and what the peer announced before is withdrawn."""
    outside = classroom.join("outside", "10.0.0.1", **role)  # type: ignore[arg-type]
    inside = classroom.join("inside", "10.0.0.2")
    classroom.send(outside, announce(65001))
    classroom.send(outside, announce(65001, wire.ASN, 65002))
    assert inside.prefixes == set()


# What internal peers are told of it.


@pytest.mark.rfc("4271", "5.1.2 internal")
@pytest.mark.rfc("4271", "5.1.3 internal")
@pytest.mark.rfc("4271", "5.1.4")
@pytest.mark.rfc("4271", "5.1.5")
def test_internal_peers_are_told_as_it_came(classroom: Classroom) -> None:
    """RFC 4271 5.1.2 a, 5.1.3 1, 5.1.4, RFC 4456 8: path, next hop and MED stay; it's no reflection."""
    outside = classroom.join("outside", "10.0.0.1", asn=65001)
    for client in (True, False):
        inside = classroom.join("inside", "10.0.0.2", client=client)
        classroom.send(
            outside, announce(65001, 7, next_hop=wire.next_hop("10.9.9.9"), med=wire.med(5))
        )
        route = inside.route(PREFIX)
        assert str(route.next_hop) == "10.9.9.9"
        assert path_of(inside) == (65001, 7)
        assert route[4] == (5).to_bytes(4)
        assert route[5] == (100).to_bytes(4)
        assert (9 in route, 10 in route) == (False, False)


# What external peers are told.


@pytest.mark.rfc("4271", "5.1.2 external")
@pytest.mark.rfc("4271", "5.1.4 external")
@pytest.mark.rfc("4271", "5.1.5 external")
def test_an_external_peer_is_told_in_its_form(classroom: Classroom) -> None:
    """RFC 4271 5.1.2 b, 5.1.4, 5.1.5, RFC 4456 8: our AS in front, and nothing of our own affairs."""
    inside = classroom.join("inside", "10.0.0.1")
    outside = classroom.join("outside", "10.0.0.2", asn=65001)
    large = wire.attribute(0xC0, 32, bytes(12))
    unknown = wire.attribute(0xE0, 99, b"x")
    block = (
        wire.usual(as_path=wire.as_path(wire.sequence(7, 8)), local_pref=wire.med(5))
        + wire.local_pref(300)
        + wire.communities(65001)
        + wire.originator_id("9.9.9.9")
        + wire.cluster_list("5.5.5.5")
        + large
        + unknown
    )
    classroom.send(inside, wire.announce(PREFIX, attributes=block))
    route = outside.route(PREFIX)
    assert path_of(outside) == (wire.ASN, 7, 8)
    assert str(route.next_hop) == "10.0.0.1"
    assert [code for code, _ in route.attributes] == [1, 2, 8, 32, 99]
    assert (route[8], route[32], route[99]) == ((65001).to_bytes(4), bytes(12), b"x")


@pytest.mark.rfc("4271", "5.1.3 external")
@pytest.mark.rfc("4271", "5.1.4 external")
def test_between_external_peers_the_next_hop_stays(classroom: Classroom) -> None:
    """RFC 4271 5.1.3 2: a third party's address, since the reflector is in nobody's way."""
    first = classroom.join("first", "10.0.0.1", asn=65001)
    second = classroom.join("second", "10.0.0.2", asn=65002)
    classroom.send(first, announce(65001, med=wire.med(5)))
    six = external(65001, next_hop=b"")
    classroom.send(first, wire.announce6(PREFIX6, via=HOP6, attributes=six))
    route = second.route(PREFIX)
    assert str(route.next_hop) == "10.0.0.1"
    assert str(second.route(PREFIX6).next_hop) == HOP6
    assert path_of(second) == path_of(second, PREFIX6) == (wire.ASN, 65001)
    assert 4 not in route  # RFC 4271 5.1.4: MED is not passed on to another AS


@pytest.mark.rfc("4271", "5.1.2 external")
@pytest.mark.rfc("4271", "5.1.3 local")
def test_our_own_route_has_our_as_and_address(classroom: Classroom) -> None:
    """RFC 4271 5.1.2, 5.1.3: the path of what begins here is our AS alone."""
    classroom.speaker.originate([LocalRoute(ip_network("1.0.0.2/32"))])
    for peer in (
        classroom.join("outside", "10.0.0.1", asn=65001),
        classroom.join("served", "10.0.0.2", asn=65002, route_server=True),
    ):
        route = peer.route("1.0.0.2/32")
        assert numbers(route[2], 4) == (wire.ASN,)
        assert str(route.next_hop) == OUR_ADDRESS
        assert [code for code, _ in route.attributes] == [1, 2]


@pytest.mark.rfc("4271", "5.1.2 external")
@pytest.mark.parametrize(
    ("came", "told"),
    [
        ([], [wire.sequence(wire.ASN)]),
        ([wire.as_set(1, 2)], [wire.sequence(wire.ASN), wire.as_set(1, 2)]),
        ([wire.sequence(*[1] * 254)], [wire.sequence(wire.ASN, *[1] * 254)]),
        ([wire.sequence(*[1] * 255)], [wire.sequence(wire.ASN), wire.sequence(*[1] * 255)]),
    ],
    ids=["empty", "a set", "room for one", "a full segment"],
)
def test_our_as_is_prepended(classroom: Classroom, came: list[bytes], told: list[bytes]) -> None:
    """RFC 4271 5.1.2 b 1 to 3: in the first AS_SEQUENCE, or in a new one in front."""
    inside = classroom.join("inside", "10.0.0.1")
    outside = classroom.join("outside", "10.0.0.2", asn=65001)
    block = wire.usual(as_path=wire.as_path(*came))
    classroom.send(inside, wire.announce(PREFIX, attributes=block))
    assert outside.route(PREFIX)[2] == b"".join(told)


# AS numbers of two and four octets.


@pytest.mark.rfc("6793", "4.2.2")
def test_a_peer_with_two_octets_is_told_our_large_as_as_as_trans() -> None:
    """RFC 6793 4.2.2: AS_TRANS in AS_PATH, the whole path in AS4_PATH."""
    classroom = Classroom(BIG)
    old = classroom.join("old", "10.0.0.1", asn=65001, as4=False)
    inside = classroom.join("inside", "10.0.0.2")
    new = classroom.join("new", "10.0.0.3", asn=BIG + 1)
    classroom.send(inside, wire.announce(PREFIX))
    assert old.route(PREFIX)[2] == wire.sequence(23456, width=2)
    assert old.route(PREFIX)[17] == wire.sequence(BIG)
    assert path_of(new) == (BIG,)
    classroom.send(new, announce(BIG + 1, 7, prefix="10.2.0.0/24"))
    assert old.route("10.2.0.0/24")[17] == wire.sequence(BIG, BIG + 1, 7)
    assert path_of(inside, "10.2.0.0/24") == (BIG + 1, 7)


@pytest.mark.rfc("6793", "4.2.2")
def test_a_peer_with_two_octets_is_told_small_numbers_plainly(classroom: Classroom) -> None:
    """RFC 6793 4.2.2: no AS4_PATH where every number fits two octets."""
    old = classroom.join("old", "10.0.0.1", asn=65001, as4=False)
    inside = classroom.join("inside", "10.0.0.2")
    classroom.send(inside, wire.announce(PREFIX))
    assert path_of(old) == (wire.ASN,)
    assert 17 not in old.route(PREFIX)


@pytest.mark.rfc("6793", "4.2.3")
def test_the_path_of_a_peer_with_two_octets_is_merged(classroom: Classroom) -> None:
    """RFC 6793 4.2.3, and then its first AS is checked: AS_TRANS stands for nobody."""
    old = classroom.join("old", "10.0.0.1", asn=65001, as4=False)
    inside = classroom.join("inside", "10.0.0.2")
    block = (
        wire.origin()
        + wire.as_path(wire.sequence(65001, 23456, width=2))
        + wire.next_hop()
        + wire.attribute(0xC0, 17, wire.sequence(BIG))
    )
    classroom.send(old, wire.announce(PREFIX, attributes=block))
    assert path_of(inside) == (65001, BIG)
    assert not classroom.findings


# What it does to the choice.


@pytest.mark.rfc("4271", "9.1.2.2")
def test_external_comes_before_internal(classroom: Classroom) -> None:
    """RFC 4271 9.1.2.2 d: whatever the identifiers are, and only then."""
    inside = classroom.join("inside", "10.0.0.1", router_id="1.1.1.1")
    outside = classroom.join("outside", "10.0.0.2", router_id="9.9.9.9", asn=65001)
    watcher = classroom.join("watcher", "10.0.0.3")
    theirs = wire.usual(as_path=wire.as_path(wire.sequence(7)))
    classroom.send(inside, wire.announce(PREFIX, attributes=theirs))
    classroom.send(outside, announce(65001))
    assert path_of(watcher) == (65001,)
    better = wire.usual(as_path=wire.as_path(wire.sequence(7)), origin=wire.origin(0))
    classroom.send(outside, announce(65001, origin=wire.origin(2)))
    classroom.send(inside, wire.announce(PREFIX, attributes=better))
    assert path_of(watcher) == (7,)


@pytest.mark.rfc("4271", "9.1.2.2 MED")
def test_med_counts_between_routes_of_one_neighbouring_as(classroom: Classroom) -> None:
    """RFC 4271 9.1.2.2 c: two nodes of one cluster, and one of another with a lower MED."""
    first = classroom.join("first", "10.0.0.1", router_id="3.0.0.1", asn=65001)
    second = classroom.join("second", "10.0.0.2", router_id="2.0.0.1", asn=65001)
    other = classroom.join("other", "10.0.0.3", router_id="9.0.0.1", asn=65002)
    watcher = classroom.join("watcher", "10.0.0.4")
    classroom.send(first, announce(65001, med=wire.med(5)))
    classroom.send(second, announce(65001, med=wire.med(10)))
    classroom.send(other, announce(65002, med=wire.med(0)))
    # The second is out by its MED, though it has the lowest identifier; the other's isn't compared.
    assert path_of(watcher) == (65001,)
    assert watcher.route(PREFIX)[4] == (5).to_bytes(4)
    classroom.send(first, wire.withdraw(PREFIX))
    assert watcher.route(PREFIX)[4] == (10).to_bytes(4)


@pytest.mark.rfc("4360", "6 non-transitive")
@pytest.mark.parametrize(("code", "size"), [(16, 8), (25, 20)])
def test_non_transitive_extended_communities_stay_in_our_as(
    classroom: Classroom, code: int, size: int
) -> None:
    """RFC 4360 6: removed before the route crosses the boundary; RFC 5701 2 has them as well."""
    inside = classroom.join("inside", "10.0.0.1")
    other = classroom.join("other", "10.0.0.2")
    outside = classroom.join("outside", "10.0.0.3", asn=65001)
    stays, goes = b"\x40\2".ljust(size, b"a"), b"\0\2".ljust(size, b"b")
    for sent, told in ((stays + goes + stays, goes), (goes, goes), (stays, None)):
        more = wire.usual(more=wire.attribute(0xC0, code, sent))
        classroom.send(inside, wire.announce(PREFIX, attributes=more))
        assert other.route(PREFIX)[code] == sent
        there = {number: each.value for number, each in outside.route(PREFIX).attributes}
        assert there.get(code) == told


# Route servers.


@pytest.fixture
def exchange(classroom: Classroom) -> list[Student]:
    """Two clients of a route server, with four and with two octets, beside an ordinary peer."""
    return [
        classroom.join("first", "10.0.0.1", asn=65001, route_server=True),
        classroom.join("second", "10.0.0.2", asn=65002, route_server=True),
        classroom.join("old", "10.0.0.3", asn=65003, route_server=True, as4=False),
        classroom.join("ordinary", "10.0.0.4", asn=65004),
        classroom.join("inside", "10.0.0.5"),
    ]


@pytest.mark.rfc("7947", "2.2.1")
@pytest.mark.rfc("7947", "2.2.2")
@pytest.mark.rfc("7947", "2.2.3")
@pytest.mark.rfc("7947", "2.2.4")
def test_a_route_server_changes_nothing(classroom: Classroom, exchange: list[Student]) -> None:
    """RFC 7947 2.2.1 to 2.2.4: NEXT_HOP, AS_PATH, MULTI_EXIT_DISC and communities stay."""
    first, second, old, ordinary, inside = exchange
    communities = wire.communities(65001) + wire.attribute(0xC0, 16, bytes(8))
    block = external(65001, 7, med=wire.med(5)) + communities
    classroom.send(first, wire.announce(PREFIX, attributes=block))
    for peer in (second, old):
        route = peer.route(PREFIX)
        assert path_of(peer) == (65001, 7)
        assert str(route.next_hop) == "10.0.0.1"
        assert [code for code, _ in route.attributes] == [1, 2, 4, 8, 16]
        assert route[4] == (5).to_bytes(4)
    assert path_of(ordinary) == (wire.ASN, 65001, 7)
    assert 4 not in ordinary.route(PREFIX)
    assert path_of(inside) == (65001, 7)


@pytest.mark.rfc("7947", "2.2.4")
@pytest.mark.parametrize(
    ("community", "also_told"),
    [(0xFFFFFF01, {"inside"}), (0xFFFFFF02, set()), (0xFFFFFF03, {"inside"})],
)
def test_communities_between_its_clients_are_not_for_a_route_server(
    classroom: Classroom, exchange: list[Student], community: int, also_told: set[str]
) -> None:
    """RFC 7947 2.2.4: not processed between them; for others RFC 1997 holds."""
    restricted = external(65001, more=wire.communities(community))
    classroom.send(exchange[0], wire.announce(PREFIX, attributes=restricted))
    told = {peer.name for peer in exchange if peer.prefixes}
    assert told == {"second", "old"} | also_told


def test_what_others_announce_reaches_its_clients_as_ordinary_ebgp(
    classroom: Classroom, exchange: list[Student]
) -> None:
    """RFC 7947 is about routes between its clients; RFC 4271 5.1.2 b about all others."""
    first, second, _, ordinary, inside = exchange
    classroom.send(inside, wire.announce(PREFIX))
    classroom.send(ordinary, announce(65004, prefix="10.2.0.0/24", med=wire.med(5)))
    for peer in (first, second):
        assert path_of(peer) == (wire.ASN,)
        assert path_of(peer, "10.2.0.0/24") == (wire.ASN, 65004)
        assert 4 not in peer.route("10.2.0.0/24")


@pytest.mark.rfc("7947", "2.3")
def test_a_route_server_hides_all_but_the_best_path(
    classroom: Classroom, exchange: list[Student]
) -> None:
    """RFC 7947 2.3: one best path for all; its own source has none, whatever others offer."""
    first, second, *_ = exchange
    classroom.send(first, announce(65001))
    classroom.send(second, announce(65002, 7))
    assert first.prefixes == set()
    assert path_of(second) == (65001,)


# Messages that would be too long.


@pytest.mark.rfc("4271", "9.2 size")
@pytest.mark.parametrize("as4", [True, False])
@pytest.mark.parametrize("route_server", [True, False])
def test_attributes_that_just_fit_for_us_fit_for_external_peers(
    *, as4: bool, route_server: bool
) -> None:
    """RFC 4271 9.2: what would outgrow a message is not told, and nothing longer is ever sent."""
    classroom = Classroom(BIG)
    source = classroom.join("source", "10.0.0.1", asn=65001, route_server=True)
    inside = classroom.join("inside", "10.0.0.2")
    others = classroom.join("others", "10.0.0.3", asn=65002, as4=as4, route_server=route_server)
    told = 0
    for filler in (1300, 2000, 2010, 3976, 3990, 3997, 4004, 4011, 4018):
        # Many AS numbers, in segments that are full, and something else to fill up with.
        path = wire.as_path(*[wire.sequence(*([65001] + [7] * 254))] * 2)
        more = max(0, filler - len(path))
        block = external(as_path=path) + wire.attribute(0xD0, 99, bytes(more))
        if len(block) + 4 + 23 > MAX_MESSAGE_BYTES:
            continue
        before = len(others.messages)
        classroom.send(source, wire.announce(PREFIX, attributes=block))
        assert all(len(body) + 19 <= MAX_MESSAGE_BYTES for body in others.messages[before:])
        assert all(len(body) + 19 <= MAX_MESSAGE_BYTES for body in inside.messages)
        told += PREFIX in others.prefixes
        classroom.send(source, wire.withdraw(PREFIX))
        assert not others.table
        assert not others.stray
    assert told
