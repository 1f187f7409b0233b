"""UPDATEs right and wrong, through a speaker: what comes out is right, and a healthy pair lives."""

import re
from ipaddress import IPv4Network, IPv6Network
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from reflector.bgp.errors import SessionError
from reflector.bgp.judge import Judge
from reflector.bgp.plain import read_plain
from reflector.bgp.update import JudgedBlocks
from reflector.bgp.update import read_update as read_any
from reflector.bgp.vocabulary import FAMILIES
from tests.support import wire
from tests.support.classroom import Classroom, Student
from tests.support.strategies import mutated_updates, update_bodies
from tests.support.strict_reader import read_update


def reset_by(classroom: Classroom, student: Student, body: bytes) -> SessionError | None:
    """Have a peer send an UPDATE; return what costs its session."""
    try:
        classroom.send(student, body)
    except SessionError as error:
        return error
    return None


# What a peer may be: in our AS, in another, or in another and served by a route server.
ROLES: dict[str, dict[str, Any]] = {
    "internal": {},
    "external": {"asn": 65101, "enforce_first_as": False},
    "served": {"asn": 65102, "enforce_first_as": False, "route_server": True},
}
roles = st.sampled_from(sorted(ROLES))


def expose(bodies: list[bytes], *, as4: bool, role: str) -> None:
    """Have a peer send UPDATEs in a class, and see that nobody else is harmed."""
    classroom = Classroom()
    hostile = classroom.join("hostile", "10.0.0.66", as4=as4, **ROLES[role])
    healthy = classroom.join("healthy", "10.0.0.1")
    others = [
        classroom.join("other", "10.0.0.2"),
        classroom.join("old", "10.0.0.3", as4=False),
        classroom.join("non-client", "10.0.0.4", client=False),
        classroom.join("external", "10.0.0.5", asn=65001),
        classroom.join("old external", "10.0.0.6", asn=65002, as4=False),
        classroom.join("served", "10.0.0.7", asn=65003, route_server=True),
        classroom.join("old served", "10.0.0.8", asn=65004, route_server=True, as4=False),
    ]
    for body in bodies:
        error = reset_by(classroom, hostile, body)
        if error is not None:
            assert error.reason.isprintable()
            assert len(error.data) <= len(body) + 1
            classroom.leave(hostile)
            break
    # Reading by the classroom is strict; and these still exchange routes.
    best = wire.usual(local_pref=wire.local_pref(1000))
    classroom.send(healthy, wire.announce("198.51.100.0/24", attributes=best))
    assert all("198.51.100.0/24" in each.prefixes for each in others)
    if hostile in classroom.students:
        classroom.leave(hostile)
    for each in others:
        assert each.prefixes == {"198.51.100.0/24"}
    assert classroom.speaker.tables.keys()
    for table in classroom.speaker.tables.values():
        assert len(table.routes) == (1 if table.family.afi == 1 else 0)
    assert all(finding.reason.isprintable() for _, finding in classroom.findings)


@given(st.lists(update_bodies(), max_size=6), st.booleans(), roles)
def test_right_updates_do_no_harm(
    bodies: list[bytes],
    as4: bool,  # noqa: FBT001
    role: str,
) -> None:
    """The strategy itself is right, mostly: it is the ground for the mutations."""
    expose(bodies, as4=as4, role=role)


@given(st.lists(mutated_updates(), max_size=6), st.booleans(), roles)
def test_mutated_updates_do_no_harm(
    bodies: list[bytes],
    as4: bool,  # noqa: FBT001
    role: str,
) -> None:
    """Either the session is reset, or what is left of the UPDATE is right."""
    expose(bodies, as4=as4, role=role)


@given(st.lists(st.binary(min_size=4, max_size=200), max_size=4), st.booleans(), roles)
def test_arbitrary_bodies_do_no_harm(
    bodies: list[bytes],
    as4: bool,  # noqa: FBT001
    role: str,
) -> None:
    """Nor what is nothing at all."""
    expose(bodies, as4=as4, role=role)


@given(st.binary(max_size=120), st.booleans(), roles)
def test_arbitrary_attributes_do_no_harm(
    block: bytes,
    as4: bool,  # noqa: FBT001
    role: str,
) -> None:
    """Nor attributes that are nothing at all, before a prefix that is good."""
    expose([wire.update_body(wire.prefix("10.1.0.0/24"), block)], as4=as4, role=role)


@given(update_bodies())
def test_what_we_send_is_what_we_were_sent(body: bytes) -> None:
    """Whatever the strict reader takes comes out of a speaker with the same routes."""
    classroom = Classroom()
    source = classroom.join("source", "10.0.0.66")
    other = classroom.join("other", "10.0.0.2")
    classroom.send(source, body)
    announced = [each for each in other.messages if each not in (b"\0\0\0\0", wire.withdraw6())]
    seen = {str(network) for each in announced for network in read_update(each).announced}
    held = {
        _text(prefix, table.family.afi)
        for table in classroom.speaker.tables.values()
        for prefix in table.routes
    }
    assert seen == held == other.prefixes


def _text(packed: bytes, afi: int) -> str:
    size = 4 if afi == 1 else 16
    module = IPv4Network if afi == 1 else IPv6Network
    return str(module((packed[1:].ljust(size, b"\0"), packed[0])))


@given(update_bodies() | mutated_updates(), st.booleans())
def test_what_is_plain_is_read_as_any_update(body: bytes, as4: bool) -> None:  # noqa: FBT001
    blocks = JudgedBlocks(Judge(wire.ASN, b"\1\1\1\1", b"\1\1\1\1"), as4=as4)
    try:
        plain = read_plain(body, blocks)
    except SessionError as error:
        with pytest.raises(SessionError, match=re.escape(error.reason)):
            read_any(body, blocks, frozenset(FAMILIES.values()))
        return
    event("plain" if plain else "left")
    if plain:
        update = read_any(body, blocks, frozenset(FAMILIES.values()))
        assert update.announced == [plain]
        assert [*update.withdrawn, *update.refusals, *update.findings] == []
