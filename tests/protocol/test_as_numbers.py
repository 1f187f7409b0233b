"""Peers with AS numbers of two octets among those with four (RFC 6793)."""

import pytest

from tests.support import wire
from tests.support.classroom import Classroom, Student

PREFIX = "10.1.0.0/24"
BIG = 4200000000


@pytest.fixture
def scene() -> tuple[Classroom, Student, Student]:
    """A class with a peer of each kind."""
    classroom = Classroom()
    return (
        classroom,
        classroom.join("new", "10.0.0.1"),
        classroom.join("old", "10.0.0.2", as4=False),
    )


Scene = tuple[Classroom, Student, Student]


def path(*segments: bytes) -> bytes:
    """Return the attributes with an AS_PATH."""
    return wire.usual(as_path=wire.as_path(*segments))


@pytest.mark.rfc("6793", "4.2.2")
def test_an_old_peer_is_told_small_numbers_as_they_are(scene: Scene) -> None:
    """RFC 6793 4.2.2: no AS4_PATH if all numbers fit two octets."""
    classroom, new, old = scene
    classroom.send(
        new, wire.announce(PREFIX, attributes=path(wire.sequence(1, 2), wire.as_set(3, 4)))
    )
    route = old.route(PREFIX)
    assert route[2] == wire.sequence(1, 2, width=2) + wire.as_set(3, 4, width=2)
    assert 17 not in route


@pytest.mark.rfc("6793", "4.2.2")
def test_an_old_peer_is_told_large_numbers_in_as4_path(scene: Scene) -> None:
    """RFC 6793 4.2.2: AS_TRANS in AS_PATH, and the whole path in AS4_PATH."""
    classroom, new, old = scene
    classroom.send(new, wire.announce(PREFIX, attributes=path(wire.sequence(1, BIG, 3))))
    route = old.route(PREFIX)
    assert route[2] == wire.sequence(1, 23456, 3, width=2)
    assert route[17] == wire.sequence(1, BIG, 3)


@pytest.mark.rfc("6793", "4.2.2")
@pytest.mark.parametrize(("asn", "short"), [(1, 1), (BIG, 23456)])
def test_an_old_peer_is_told_the_aggregator_in_its_form(scene: Scene, asn: int, short: int) -> None:
    """RFC 6793 4.2.2: AS4_AGGREGATOR only where the number needs it."""
    classroom, new, old = scene
    aggregator = wire.attribute(0xC0, 7, asn.to_bytes(4) + b"\x0a\0\0\1")
    classroom.send(new, wire.announce(PREFIX, attributes=wire.usual(more=aggregator)))
    route = old.route(PREFIX)
    assert route[7] == short.to_bytes(2) + b"\x0a\0\0\1"
    assert (18 in route) == (asn == BIG)
    assert new.table == {}


MERGED = {
    "no AS4_PATH": (wire.sequence(1, 2, width=2), None, wire.sequence(1, 2)),
    "an AS4_PATH as long": (
        wire.sequence(1, 23456, width=2),
        wire.sequence(1, BIG),
        wire.sequence(1, BIG),
    ),
    "leading numbers by old speakers": (
        wire.sequence(7, 8, 23456, 2, width=2),
        wire.sequence(BIG, 2),
        wire.sequence(7, 8, BIG, 2),
    ),
    "an AS4_PATH that is longer": (
        wire.sequence(1, 2, width=2),
        wire.sequence(1, 2, 3),
        wire.sequence(1, 2),
    ),
    "a set ahead": (
        wire.as_set(5, 6, width=2) + wire.sequence(23456, width=2),
        wire.sequence(BIG),
        wire.as_set(5, 6) + wire.sequence(BIG),
    ),
    "a set counts one": (
        wire.sequence(1, 2, width=2) + wire.as_set(3, 4, 5, width=2),
        wire.sequence(BIG) + wire.as_set(3, 4, 5),
        wire.sequence(1, BIG) + wire.as_set(3, 4, 5),
    ),
    "a malformed AS4_PATH": (wire.sequence(1, 2, width=2), b"\2\1\0", wire.sequence(1, 2)),
    "a confederation in AS4_PATH": (
        wire.sequence(1, 2, width=2),
        b"\3\1\0\0\0\1",
        wire.sequence(1, 2),
    ),
    "AS 0 in AS4_PATH": (
        wire.sequence(1, 23456, width=2),
        wire.sequence(1, 0),
        wire.sequence(1, 23456),
    ),
    "an empty AS4_PATH": (wire.sequence(1, width=2), b"", wire.sequence(1)),
    "an empty path": (b"", None, b""),
    "an AS4_PATH for an empty path": (b"", wire.sequence(BIG), b""),
}


@pytest.mark.rfc("6793", "4.2.3", "6 malformed")
@pytest.mark.rfc("7607", "2 AS_PATH")
@pytest.mark.parametrize(("as_path", "as4_path", "merged"), MERGED.values(), ids=MERGED)
def test_an_old_peers_paths_are_merged(
    scene: Scene, as_path: bytes, as4_path: bytes | None, merged: bytes
) -> None:
    """RFC 6793 4.2.3: the leading numbers that AS4_PATH lacks, then AS4_PATH; 6: not a bad one."""
    classroom, new, old = scene
    more = b"" if as4_path is None else wire.attribute(0xC0, 17, as4_path)
    attributes = wire.usual(as_path=wire.as_path(as_path), more=more)
    classroom.send(old, wire.announce(PREFIX, attributes=attributes))
    assert new.route(PREFIX)[2] == merged


@pytest.mark.rfc("6793", "4.2.3")
@pytest.mark.parametrize(
    ("aggregator", "as4_aggregator", "expected", "merges"),
    [
        (b"\0\1\x0a\0\0\1", None, b"\0\0\0\1\x0a\0\0\1", True),
        (b"\x5b\xa0\x0a\0\0\1", BIG.to_bytes(4) + b"\x0b\0\0\1", None, True),
        (b"\0\1\x0a\0\0\1", BIG.to_bytes(4) + b"\x0b\0\0\1", b"\0\0\0\1\x0a\0\0\1", False),
    ],
    ids=["old", "both", "conflicting"],
)
def test_an_old_peers_aggregator_is_merged(
    scene: Scene,
    aggregator: bytes,
    as4_aggregator: bytes | None,
    expected: bytes | None,
    *,
    merges: bool,
) -> None:
    """RFC 6793 4.2.3: an AGGREGATOR other than AS_TRANS makes both AS4 attributes void."""
    classroom, new, old = scene
    more = wire.attribute(0xC0, 7, aggregator) + wire.attribute(0xC0, 17, wire.sequence(BIG))
    if as4_aggregator is not None:
        more += wire.attribute(0xC0, 18, as4_aggregator)
    as_path = wire.as_path(wire.sequence(23456, width=2))
    classroom.send(old, wire.announce(PREFIX, attributes=wire.usual(as_path=as_path, more=more)))
    route = new.route(PREFIX)
    assert route[7] == (expected or as4_aggregator)
    assert route[2] == wire.sequence(BIG if merges else 23456)


@pytest.mark.rfc("6793", "6 malformed")
@pytest.mark.rfc("7607", "2 AGGREGATOR")
@pytest.mark.parametrize("value", [b"\0\0\0", b"\0\0\0\0\x0a\0\0\1"])
def test_a_malformed_as4_aggregator_is_as_if_it_were_absent(scene: Scene, value: bytes) -> None:
    """RFC 6793 6, RFC 7607 2: it is discarded, so that it can't make AS4_PATH void either."""
    classroom, new, old = scene
    more = (
        wire.attribute(0xC0, 7, b"\0\1\x0a\0\0\1")
        + wire.attribute(0xC0, 17, wire.sequence(BIG))
        + wire.attribute(0xC0, 18, value)
    )
    as_path = wire.as_path(wire.sequence(23456, width=2))
    classroom.send(old, wire.announce(PREFIX, attributes=wire.usual(as_path=as_path, more=more)))
    assert new.route(PREFIX)[2] == wire.sequence(BIG)


@pytest.mark.rfc("7606", "7.2")
@pytest.mark.parametrize(
    "as_path",
    [b"\2\0", b"\2\2\0\1", b"\2", wire.sequence(1, 2, 3), b"\3\1\0\1", wire.sequence(0, width=2)],
)
def test_an_old_peers_malformed_path_withdraws_the_route(scene: Scene, as_path: bytes) -> None:
    """RFC 7606 7.2: judged with the width that the session has."""
    classroom, new, old = scene
    classroom.send(old, wire.announce(PREFIX))
    assert new.prefixes == {PREFIX}
    attributes = wire.usual(as_path=wire.as_path(as_path))
    classroom.send(old, wire.announce(PREFIX, attributes=attributes))
    assert new.prefixes == set()


@pytest.mark.rfc("7606", "7.7")
@pytest.mark.parametrize("aggregator", [b"", b"\0\1\x0a\0\0", b"\0\0\0\1\x0a\0\0\1"])
def test_an_old_peers_malformed_aggregator_is_discarded(scene: Scene, aggregator: bytes) -> None:
    """RFC 7606 7.7: six octets for a session without four-octet AS numbers."""
    classroom, new, old = scene
    more = wire.attribute(0xC0, 7, aggregator)
    classroom.send(old, wire.announce(PREFIX, attributes=wire.usual(more=more)))
    assert new.prefixes == {PREFIX}
    assert 7 not in new.route(PREFIX)


def test_old_peers_exchange_ipv6_routes(scene: Scene) -> None:
    """RFC 4760 with RFC 6793: the multiprotocol attributes stay out of the conversion."""
    classroom, _, old = scene
    other = classroom.join("other", "10.0.0.3", as4=False)
    attributes = wire.usual(next_hop=b"", as_path=wire.as_path(wire.sequence(1, 2, width=2)))
    classroom.send(old, wire.announce6("2001:db8:1::/64", attributes=attributes))
    assert other.route("2001:db8:1::/64")[2] == wire.sequence(1, 2, width=2)
    classroom.send(old, wire.withdraw6("2001:db8:1::/64"))
    assert other.prefixes == set()


@pytest.mark.rfc("6793", "4.2.2")
@pytest.mark.rfc("4271", "9.2 size")
@pytest.mark.parametrize("padding", range(1380, 1400))
def test_a_path_may_fit_for_new_peers_and_outgrow_a_message_for_old_ones(
    scene: Scene, padding: int
) -> None:
    """RFC 6793 4.2.2 with RFC 4271 4.1: the old ones lose the route that they had, no more."""
    classroom, new, old = scene
    source = classroom.join("source", "10.0.0.3")
    classroom.send(source, wire.announce(PREFIX))
    long = [wire.sequence(*[BIG] * 255), wire.sequence(*[BIG] * 250)]
    more = wire.attribute(0xD0, 99, b"x" * (padding - 400))
    attributes = wire.usual(as_path=wire.as_path(*long), more=more)
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert 99 in new.route(PREFIX)
    size = 19 + len(wire.announce(PREFIX, attributes=attributes)) + 14
    # Two octets less for each of 505 numbers, and AS4_PATH with its extended header more.
    fits = size - 2 * 505 + 4 + 4 * 505 + 4 + 1 <= 4096
    assert old.prefixes == ({PREFIX} if fits else set())


@pytest.mark.rfc("6793", "4.2.2")
@pytest.mark.rfc("4271", "9.2 size")
@pytest.mark.parametrize("padding", [2300, 3040])
def test_a_path_may_fit_for_old_peers_and_outgrow_a_message_for_new_ones(
    scene: Scene, padding: int
) -> None:
    """RFC 6793 4.2.2 with RFC 4271 4.1: small AS numbers take half the room."""
    classroom, new, old = scene
    source = classroom.join("source", "10.0.0.3", as4=False)
    long = wire.as_path(*[wire.sequence(*[7] * 250, width=2)])
    more = wire.attribute(0xD0, 99, b"x" * padding)
    attributes = wire.usual(as_path=long, more=more)
    classroom.send(source, wire.announce(PREFIX, attributes=attributes))
    assert old.prefixes == {PREFIX}
    assert new.prefixes == ({PREFIX} if padding < 3000 else set())
