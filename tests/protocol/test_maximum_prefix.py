"""How many prefixes a peer may have: a warning, and then the end of its session or another warning."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reflector.bgp.errors import Action, SessionError
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix
from tests.support import wire
from tests.support.classroom import Classroom, Student

FOUR = [f"10.1.{i}.0/24" for i in range(4)]
FOUR6 = [f"2001:db8:{i}::/48" for i in range(4)]


def limited(
    classroom: Classroom, limit: int, warn_at: int, *, warning_only: bool = False
) -> Student:
    maximum = MaximumPrefix(limit, warn_at, warning_only)
    return classroom.join("source", "10.0.0.1", intake=Intake(maximum=maximum))


@pytest.mark.rfc("4271", "6.7")
@pytest.mark.rfc("4486", "4 prefixes")
@pytest.mark.parametrize(
    ("announce", "prefixes", "data"),
    [(wire.announce, FOUR, "0001010000 0003"), (wire.announce6, FOUR6, "0002010000 0003")],
    ids=["ipv4", "ipv6"],
)
def test_too_many_prefixes_end_the_session(
    announce: Callable[..., bytes], prefixes: list[str], data: str
) -> None:
    """RFC 4486 4: subcode 1, with AFI, SAFI and the limit."""
    classroom = Classroom()
    source = limited(classroom, limit=3, warn_at=3)
    classroom.send(source, announce(*prefixes[:3]))
    with pytest.raises(SessionError) as error:
        classroom.send(source, announce(prefixes[3]))
    assert (error.value.code, error.value.subcode) == (6, 1)
    assert error.value.data == bytes.fromhex(data)


def test_each_family_has_the_limit_to_itself() -> None:
    classroom = Classroom()
    source = limited(classroom, limit=4, warn_at=4)
    classroom.send(source, wire.announce(*FOUR), wire.announce6(*FOUR6))
    assert classroom.findings == []


def test_prefixes_that_come_again_are_not_more() -> None:
    classroom = Classroom()
    source = limited(classroom, limit=4, warn_at=4)
    for med in range(3):
        attributes = wire.usual(more=wire.med(med))
        classroom.send(source, wire.announce(*FOUR, attributes=attributes))
    classroom.send(source, wire.withdraw(FOUR[0]), wire.announce("10.9.0.0/24"))
    assert classroom.findings == []


def test_there_is_a_warning_before() -> None:
    classroom = Classroom()
    source = limited(classroom, limit=4, warn_at=2)
    for prefix in FOUR:
        classroom.send(source, wire.announce(prefix))
    ((_, finding),) = classroom.findings
    assert finding.action is Action.NOTE
    assert finding.reason == "3 ipv4 prefixes of the 4 that maximum-prefix lets it have"


def test_a_warning_may_be_all() -> None:
    classroom = Classroom()
    source = limited(classroom, limit=2, warn_at=2, warning_only=True)
    other = classroom.join("other", "10.0.0.2")
    for prefix in FOUR:
        classroom.send(source, wire.announce(prefix))
    assert other.prefixes == set(FOUR)
    assert [finding.reason for _, finding in classroom.findings] == [
        "3 ipv4 prefixes, and maximum-prefix lets it have 2"
    ]


def test_a_peer_without_a_word_may_have_a_full_internet_table() -> None:
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.1")
    assert source.peer.intake.maximum.limit == 1_000_000
    assert source.peer.watermarks[IPV4_UNICAST] == 750_000
