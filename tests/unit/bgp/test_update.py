"""UPDATE messages, read and written."""

from ipaddress import ip_network

import pytest

from reflector.bgp import update as update_module
from reflector.bgp.judge import Judge
from reflector.bgp.update import (
    JudgedBlocks,
    announcement_room,
    pack,
    read_update,
    split_update,
    write_announcements,
    write_end_of_rib,
    write_withdrawals,
)
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST, Family
from tests.support import wire
from tests.support.strict_reader import read_update as read_strictly
from tests.support.strict_reader import split_messages

JUDGE = Judge(wire.ASN, b"\x0a\0\0\xfe", b"\x0a\0\0\xfe")
BOTH = frozenset({IPV4_UNICAST, IPV6_UNICAST})
REFLECTED = wire.usual() + wire.originator_id("1.1.1.1") + wire.cluster_list("2.2.2.2")
REFLECTED6 = REFLECTED.replace(wire.next_hop(), b"")
HOP6 = b"\x20\1" + bytes(13) + b"\1"


def blocks() -> JudgedBlocks:
    """A memory with nothing in it."""
    return JudgedBlocks(JUDGE, as4=True)


# Reading.


def test_an_update_is_cut_into_its_three_fields() -> None:
    assert split_update(wire.update_body(b"nlri", b"block", b"gone")) == (
        b"gone",
        b"block",
        b"nlri",
    )


@pytest.mark.rfc("4760", "4")
def test_withdrawals_announcements_and_their_families_are_told_apart() -> None:
    prefix6 = wire.prefix("2001:db8:1::/64")
    gone6 = wire.prefix("2001:db8:2::/64")
    block = (
        wire.mp_reach(wire.IPV6, HOP6, prefix6) + wire.mp_unreach(wire.IPV6, gone6) + wire.usual()
    )
    body = wire.update_body(wire.prefix("10.1.0.0/24"), block, wire.prefix("10.2.0.0/24"))
    update = read_update(body, blocks(), BOTH)
    assert update.withdrawn == [
        (IPV4_UNICAST, [wire.prefix("10.2.0.0/24")]),
        (IPV6_UNICAST, [gone6]),
    ]
    four, six = update.announced
    assert (four.family, four.next_hop, four.prefixes) == (
        IPV4_UNICAST,
        b"\x0a\0\0\1",
        [wire.prefix("10.1.0.0/24")],
    )
    assert (six.family, six.next_hop, six.prefixes) == (IPV6_UNICAST, HOP6, [prefix6])
    assert four.attributes is six.attributes
    assert update.end_of_rib is None


@pytest.mark.parametrize(
    ("body", "family"),
    [
        (wire.update_body(), IPV4_UNICAST),
        (wire.withdraw6(), IPV6_UNICAST),
        (wire.update_body(attributes=wire.mp_unreach(wire.IPV4, b"")), IPV4_UNICAST),
        (wire.withdraw("10.0.0.0/8"), None),
        (wire.withdraw6("2001:db8::/32"), None),
        (wire.update_body(attributes=wire.mp_unreach(wire.IPV6, b"") + wire.origin()), None),
        (wire.update_body(attributes=wire.mp_unreach((1, 128), b"")), None),
        (wire.update_body(attributes=wire.usual()), None),
    ],
)
def test_an_end_of_rib_is_an_update_with_nothing_in_it(body: bytes, family: Family | None) -> None:
    update = read_update(body, blocks(), BOTH)
    assert update.end_of_rib is family
    assert update.announced == []


def test_a_block_is_judged_once() -> None:
    memory = blocks()
    first = memory.look_up(wire.usual())
    assert memory.look_up(bytes(bytearray(wire.usual()))) is first
    assert memory.look_up(wire.usual(more=wire.med(1))) is not first


def test_the_memory_of_judged_blocks_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update_module, "MAX_JUDGED_BLOCKS", 3)
    memory = blocks()
    for i in range(100):
        assert memory.look_up(wire.usual(more=wire.med(i))) is not None
        assert len(memory._known) <= 3


def test_the_octets_of_judged_blocks_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(update_module, "MAX_JUDGED_BYTES", 10_000)
    memory = blocks()
    for i in range(100):
        long = wire.attribute(0xC0, 99, i.to_bytes(4) + bytes(996))
        assert memory.look_up(wire.usual(more=long)) is not None
        assert sum(map(len, memory._known)) <= 10_000 + 1100


# Writing.


@pytest.mark.parametrize("count", [1, 2, 1000, 5000])
@pytest.mark.parametrize("family", [IPV4_UNICAST, IPV6_UNICAST])
def test_announcements_fill_their_messages(family: Family, count: int) -> None:
    four = family is IPV4_UNICAST
    template = "10.{}.{}.0/24" if four else "2001:db8:{:x}:{:x}::/64"
    texts = [str(ip_network(template.format(i // 256, i % 256))) for i in range(count)]
    attributes = REFLECTED if four else REFLECTED6
    stream = write_announcements(family, attributes, HOP6, [wire.prefix(t) for t in texts])
    bodies = [body for _, body in split_messages(stream)]
    room = announcement_room(family, attributes, HOP6)
    size = 4 if four else 9
    assert len(bodies) == -(-count // (room // size))
    assert [str(n) for body in bodies for n in read_strictly(body).announced] == texts


@pytest.mark.parametrize("count", [1, 1000, 5000])
@pytest.mark.parametrize("family", [IPV4_UNICAST, IPV6_UNICAST])
def test_withdrawals_fill_their_messages(family: Family, count: int) -> None:
    template = "10.{}.{}.0/24" if family is IPV4_UNICAST else "2001:db8:{:x}:{:x}::/64"
    texts = [str(ip_network(template.format(i // 256, i % 256))) for i in range(count)]
    stream = write_withdrawals(family, [wire.prefix(text) for text in texts])
    bodies = [body for _, body in split_messages(stream)]
    assert [str(n) for body in bodies for n in read_strictly(body).withdrawn] == texts
    assert all(len(body) > 4096 - 19 - 10 for body in bodies[:-1])


def test_prefixes_of_different_lengths_are_never_cut() -> None:
    texts = [f"{i % 200 + 1}.{i % 256}.0.0/{8 + i % 25}" for i in range(4000)]
    prefixes = [wire.prefix(str(ip_network(text, strict=False))) for text in texts]
    fields = list(pack(prefixes, 100))
    assert b"".join(fields) == b"".join(prefixes)
    assert all(len(field) <= 100 for field in fields)
    boundaries = {0}
    for prefix in prefixes:
        boundaries.add(max(boundaries) + len(prefix))
    position = 0
    for field in fields:
        position += len(field)
        assert position in boundaries


@pytest.mark.parametrize("family", [IPV4_UNICAST, IPV6_UNICAST])
def test_the_end_of_rib_is_read_as_such(family: Family) -> None:
    ((kind, body),) = split_messages(write_end_of_rib(family))
    assert kind == wire.UPDATE
    assert read_strictly(body).end_of_rib == (family.afi, family.safi)
    assert read_update(body, blocks(), BOTH).end_of_rib is family


@pytest.mark.parametrize("family", [IPV4_UNICAST, IPV6_UNICAST])
def test_the_longest_prefix_fits_exactly_the_room_that_is_reckoned(family: Family) -> None:
    four = family is IPV4_UNICAST
    base = REFLECTED if four else REFLECTED6
    longest = wire.prefix("10.0.0.1/32" if four else "2001:db8::1/128")
    spare = announcement_room(family, base, HOP6) - len(longest) - 4
    attributes = base + wire.attribute(0xF0, 99, b"x" * spare)
    assert announcement_room(family, attributes, HOP6) == len(longest)
    (message,) = split_messages(write_announcements(family, attributes, HOP6, [longest]))
    # For IPv6 an extended length is reckoned with, which a single prefix does not need.
    assert 19 + len(message[1]) == (4096 if four else 4095)
