"""The judge of path attributes: what is read of them, what is sent on, and in which order.

What each error costs is proved in tests/protocol/test_update_errors.py, between two peers.
"""

import pytest

from reflector.bgp.attributes import PathAttributes, encode_attribute, locate
from reflector.bgp.errors import Action, SessionError
from reflector.bgp.judge import Judge
from tests.support import wire

ROUTER_ID = b"\x0a\0\0\xfe"
CLUSTER_ID = b"\x0a\0\0\xff"
JUDGE = Judge(wire.ASN, ROUTER_ID, CLUSTER_ID)


def judge(block: bytes) -> PathAttributes:
    """Judge a block without multiprotocol attributes."""
    attributes = JUDGE.judge(block)
    assert attributes is not None
    return attributes


def test_of_usual_attributes_everything_is_read() -> None:
    attributes = judge(wire.usual(more=wire.med(7) + wire.communities(1)))
    assert attributes.next_hop == b"\x0a\0\0\1"
    assert attributes.origin == 0
    assert attributes.as_path_length == 0
    assert attributes.neighbor_as == 0
    assert attributes.local_pref == 100
    assert attributes.med == 7
    assert attributes.originator_id == b""
    assert attributes.cluster_list == b""
    assert not attributes.no_advertise
    assert not attributes.malformed
    assert attributes.findings == ()
    assert attributes.refused == ""


@pytest.mark.parametrize(
    ("segments", "length", "neighbor"),
    [
        ([], 0, 0),
        ([wire.sequence(1)], 1, 1),
        ([wire.sequence(1, 2, 3)], 3, 1),
        ([wire.sequence(1, 1, 1)], 3, 1),
        ([wire.sequence(1), wire.sequence(2, 3)], 3, 1),
        ([wire.as_set(5, 6, 7)], 1, 0),
        ([wire.sequence(1), wire.as_set(5, 6, 7)], 2, 1),
        ([wire.as_set(5), wire.sequence(4200000000)], 2, 0),
        ([wire.sequence(*range(1, 256)), wire.sequence(9)], 256, 1),
    ],
)
def test_the_length_of_a_path_counts_a_set_as_one(
    segments: list[bytes], length: int, neighbor: int
) -> None:
    attributes = judge(wire.usual(as_path=wire.as_path(*segments)))
    assert attributes.as_path_length == length
    assert attributes.neighbor_as == neighbor


def test_what_is_sent_on_stands_where_its_code_belongs() -> None:
    attributes = judge(
        wire.attribute(0xC0, 99, b"x")
        + wire.cluster_list("1.1.1.1")
        + wire.originator_id("2.2.2.2")
        + wire.communities(1)
        + wire.usual()
    )
    assert attributes.ahead == wire.origin() + wire.as_path()
    assert attributes.middle == wire.local_pref() + wire.communities(1)
    assert attributes.behind == wire.attribute(0xE0, 99, b"x")
    assert attributes.originator_id == b"\2\2\2\2"
    assert attributes.cluster_list == b"\1\1\1\1"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (wire.attribute(0xC0, 99, b"x"), wire.attribute(0xE0, 99, b"x")),
        (wire.attribute(0xE0, 99, b"x"), wire.attribute(0xE0, 99, b"x")),
        (wire.attribute(0xCF, 99, b"x"), wire.attribute(0xE0, 99, b"x")),
        (wire.attribute(0xD3, 99, b"x"), wire.attribute(0xF0, 99, b"x")),
        (wire.attribute(0x80, 99, b"x"), b""),
        (wire.attribute(0xA0, 99, b"x"), b""),
    ],
)
def test_unknown_attributes_are_sent_on_as_partial_or_not_at_all(
    before: bytes, after: bytes
) -> None:
    assert judge(wire.usual(more=before)).behind == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (wire.attribute(0xEF, 8, b"\0\0\0\1"), wire.attribute(0xE0, 8, b"\0\0\0\1")),
        (wire.attribute(0xA0, 4, b"\0\0\0\1"), wire.med(1)),
        (wire.attribute(0x8A, 4, b"\0\0\0\1"), wire.med(1)),
        (wire.attribute(0x9F, 4, b"\0\0\0\1"), wire.attribute(0x90, 4, b"\0\0\0\1")),
        (wire.attribute(0x6F, 6), wire.attribute(0x40, 6)),
    ],
)
def test_known_attributes_are_sent_with_the_flags_of_their_rfc(before: bytes, after: bytes) -> None:
    attributes = judge(wire.usual(more=before))
    ordered: list[bytes] = sorted([wire.local_pref(), after], key=_code)
    assert attributes.middle == b"".join(ordered)
    assert attributes.findings == ()


@pytest.mark.parametrize("code", [14, 15])
@pytest.mark.parametrize("ahead", [b"", wire.usual()])
def test_multiprotocol_attributes_must_be_taken_out_first(code: int, ahead: bytes) -> None:
    assert JUDGE.judge(ahead + wire.attribute(0x80, code, b"\0\2\1")) is None


def test_the_strongest_finding_decides() -> None:
    attributes = judge(
        wire.usual(
            origin=wire.origin(5),
            as_path=wire.as_path(wire.sequence(wire.ASN)),
            more=wire.attribute(0x40, 6, b"x"),
        )
    )
    actions = [finding.action for finding in attributes.findings]
    assert sorted(actions) == [Action.DISCARD, Action.EXCLUDE, Action.WITHDRAW]
    assert attributes.refused
    assert attributes.malformed


@pytest.mark.parametrize(
    "more",
    [
        wire.originator_id("10.0.0.254"),
        wire.cluster_list("10.0.0.255"),
        wire.cluster_list("1.1.1.1", "10.0.0.255"),
    ],
)
def test_a_loop_is_refused_and_not_malformed(more: bytes) -> None:
    attributes = judge(wire.usual(more=more))
    assert attributes.refused
    assert not attributes.malformed


@pytest.mark.parametrize(
    "more", [wire.originator_id("10.0.0.255"), wire.cluster_list("10.0.0.254")]
)
def test_router_id_and_cluster_id_are_not_confused(more: bytes) -> None:
    assert judge(wire.usual(more=more)).refused == ""


def test_what_is_missing_is_refused_and_not_malformed() -> None:
    attributes = judge(b"")
    assert not attributes.malformed
    assert all(name in attributes.refused for name in ("ORIGIN", "AS_PATH", "LOCAL_PREF"))


@pytest.mark.parametrize(
    ("values", "no_advertise"),
    [
        ((0xFFFFFF02,), True),
        ((1, 0xFFFFFF02, 2), True),
        ((0xFFFFFF01, 0xFFFFFF03), False),
        ((0x00FFFFFF, 0x02000000), False),
    ],
)
def test_no_advertise_is_looked_for_where_communities_begin(
    values: tuple[int, ...], *, no_advertise: bool
) -> None:
    assert judge(wire.usual(more=wire.communities(*values))).no_advertise is no_advertise


def test_an_unknown_well_known_attribute_is_named_with_its_octets() -> None:
    strange = wire.attribute(0x40, 250, b"abc")
    with pytest.raises(SessionError) as error:
        judge(wire.usual() + strange)
    assert (error.value.code, error.value.subcode) == (3, 2)
    assert error.value.data == strange


@pytest.mark.parametrize(
    "tail", [b"\xc0", b"\xc0\x63", b"\xd0\x63\0", b"\xc0\x63\1", b"\x40\1\x09"]
)
@pytest.mark.parametrize("ordered", [True, False])
def test_an_overrun_is_found_in_ordered_and_unordered_blocks(tail: bytes, *, ordered: bool) -> None:
    block = wire.usual() if ordered else wire.local_pref() + wire.usual(local_pref=b"")
    attributes = judge(block + tail)
    assert attributes.malformed
    assert attributes.next_hop == b"\x0a\0\0\1"


@pytest.mark.parametrize(
    ("size", "head"), [(0, b"\x80\4\0"), (255, b"\x80\4\xff"), (256, b"\x90\4\1\0")]
)
def test_an_extended_length_is_written_only_where_it_is_needed(size: int, head: bytes) -> None:
    for flags in (0x80, 0x90):
        encoded = encode_attribute(flags, 4, b"x" * size)
        assert encoded == head + b"x" * size
        assert locate(encoded, 0) == (head[0], 4, len(head), len(encoded))


@pytest.mark.parametrize("block", [b"\x40", b"\x40\1", b"\x50\1\0", b"\x40\1\1", b"\x50\1\0\1"])
def test_what_does_not_fit_is_located_past_the_end(block: bytes) -> None:
    assert locate(block, 0)[3] > len(block)


def _code(attribute: bytes) -> int:
    return attribute[1]
