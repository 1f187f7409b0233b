"""Graceful restart: what outlives a session, and until when (RFC 4724)."""

from ipaddress import IPv4Address

import pytest

from reflector.bgp.codec import decode_open, encode_open
from reflector.bgp.open import Capabilities, GracefulRestart, Open
from reflector.rib.intake import Intake
from tests.support import wire
from tests.support.classroom import Classroom, Student

BOTH = ((1, 1, True), (2, 1, True))
RESTART = GracefulRestart(restarting=False, restart_time_s=90, preserved=BOTH)
RETURN = GracefulRestart(restarting=True, restart_time_s=90, preserved=BOTH)
END_OF_RIB = b"\0\0\0\0"


@pytest.fixture
def classroom() -> Classroom:
    return Classroom()


def announce(*prefixes: str, **attributes: bytes) -> bytes:
    return wire.update_body(wire.prefixes(*prefixes), wire.usual(**attributes))


@pytest.fixture
def watcher(classroom: Classroom) -> Student:
    """Who is told of what happens, or isn't."""
    return classroom.join("watcher", "10.0.0.9")


@pytest.fixture
def node(classroom: Classroom, watcher: Student) -> Student:
    """A node that restarts gracefully, with two routes."""
    node = classroom.join("node", "10.0.0.1", restart=RESTART)
    classroom.send(node, announce("10.1.0.0/24", "10.2.0.0/24"), END_OF_RIB)
    assert watcher.prefixes == {"10.1.0.0/24", "10.2.0.0/24"}
    return node


def fall(classroom: Classroom, node: Student) -> int:
    return classroom.leave(node, gracefully=True)


def come_back(
    classroom: Classroom, restart: GracefulRestart | None = RETURN, **how: str
) -> Student:
    return classroom.join("node", "10.0.0.1", restart=restart, **how)  # type: ignore[arg-type]


@pytest.mark.rfc("4724", "4.2 retain")
def test_routes_outlive_a_session_that_breaks_off(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    """RFC 4724 4.2: "the Receiving Speaker MUST retain the routes"."""
    before = len(watcher.messages)
    assert fall(classroom, node) == 0
    assert watcher.prefixes == {"10.1.0.0/24", "10.2.0.0/24"}
    assert len(watcher.messages) == before, "nobody is told anything"


@pytest.mark.rfc("4724", "4.2 End-of-RIB")
def test_what_is_not_announced_again_goes_with_the_end_of_rib(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    """RFC 4724 4.2: "MUST immediately remove any routes … that are still marked as stale"."""
    fall(classroom, node)
    back = come_back(classroom)
    classroom.send(back, announce("10.1.0.0/24"))
    assert watcher.prefixes == {"10.1.0.0/24", "10.2.0.0/24"}
    classroom.send(back, END_OF_RIB)
    assert watcher.prefixes == {"10.1.0.0/24"}


@pytest.mark.rfc("4724", "4.2 End-of-RIB")
def test_each_family_has_its_end_of_rib(classroom: Classroom, watcher: Student) -> None:
    node = classroom.join("node", "10.0.0.1", restart=RESTART)
    six = wire.update_body(
        b"",
        wire.mp_reach(wire.IPV6, "fd00::1", wire.prefix("fd00:1::/64")) + wire.usual(next_hop=b""),
    )
    classroom.send(node, announce("10.1.0.0/24"), six)
    assert watcher.prefixes == {"10.1.0.0/24", "fd00:1::/64"}
    fall(classroom, node)
    back = come_back(classroom)
    classroom.send(back, END_OF_RIB)
    assert watcher.prefixes == {"fd00:1::/64"}


@pytest.mark.rfc("4724", "4.2 replace")
def test_what_is_announced_again_unchanged_is_told_to_nobody(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    """RFC 4724 4.2: a stale route is replaced by the new one; where they are alike, silently."""
    fall(classroom, node)
    before = len(watcher.messages)
    back = come_back(classroom)
    classroom.send(back, announce("10.1.0.0/24", "10.2.0.0/24"), END_OF_RIB)
    assert len(watcher.messages) == before


@pytest.mark.rfc("4724", "4.2 replace")
def test_what_is_announced_again_otherwise_replaces(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    fall(classroom, node)
    back = come_back(classroom)
    classroom.send(back, announce("10.1.0.0/24", local_pref=wire.local_pref(200)), END_OF_RIB)
    assert any(wire.local_pref(200) in message for message in watcher.messages)
    assert watcher.prefixes == {"10.1.0.0/24"}


@pytest.mark.rfc("4724", "4.2 withdraw")
def test_a_stale_route_can_be_withdrawn(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    fall(classroom, node)
    back = come_back(classroom)
    classroom.send(back, wire.update_body(withdrawn=wire.prefix("10.1.0.0/24")))
    assert watcher.prefixes == {"10.2.0.0/24"}
    classroom.send(back, announce("10.1.0.0/24"), END_OF_RIB)
    assert watcher.prefixes == {"10.1.0.0/24"}


@pytest.mark.rfc("4724", "4.2 F bit")
@pytest.mark.parametrize(
    "restart",
    [
        None,
        GracefulRestart(restarting=True, restart_time_s=90, preserved=()),
        GracefulRestart(restarting=True, restart_time_s=90, preserved=((2, 1, True),)),
        GracefulRestart(
            restarting=True, restart_time_s=90, preserved=((1, 1, False), (2, 1, True))
        ),
    ],
    ids=["no capability", "no family", "another family", "no F bit"],
)
def test_who_comes_back_without_having_forwarded_loses_its_routes_at_once(
    classroom: Classroom, node: Student, watcher: Student, restart: GracefulRestart | None
) -> None:
    """RFC 4724 4.2: "MUST immediately remove all the stale routes from the peer"."""
    fall(classroom, node)
    come_back(classroom, restart)
    assert watcher.prefixes == set()


@pytest.mark.rfc("4724", "4.2 F bit")
def test_a_family_that_is_not_negotiated_any_more_is_gone(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    fall(classroom, node)
    come_back(classroom, families="ipv6")
    assert watcher.prefixes == set()


@pytest.mark.rfc("4724", "4.2 consecutive restarts")
def test_what_was_stale_when_it_restarts_once_more_is_gone(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    """RFC 4724 4.2: "a route … previously marked as stale MUST be deleted"."""
    fall(classroom, node)
    back = come_back(classroom)
    classroom.send(back, announce("10.1.0.0/24"))
    assert fall(classroom, back) == 1
    assert watcher.prefixes == {"10.1.0.0/24"}


@pytest.mark.rfc("4724", "4.2 Restart Time")
def test_who_does_not_come_back_is_forgotten(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    fall(classroom, node)
    [who] = classroom.speaker.restarting
    assert classroom.speaker.forget(who) == 2
    classroom.turn()
    assert watcher.prefixes == set()
    assert classroom.speaker.forget(who) == 0


@pytest.mark.rfc("4724", "4.2 retain")
def test_a_session_that_is_ended_in_words_takes_its_routes_with_it(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    assert classroom.leave(node) == 2
    assert watcher.prefixes == set()
    assert not classroom.speaker.restarting


@pytest.mark.rfc("4724", "3")
@pytest.mark.parametrize(
    "restart",
    [
        GracefulRestart(restarting=False, restart_time_s=0, preserved=BOTH),
        GracefulRestart(restarting=False, restart_time_s=90, preserved=()),
        GracefulRestart(restarting=False, restart_time_s=90, preserved=((1, 2, True),)),
    ],
    ids=["no time", "helper only", "multicast only"],
)
def test_who_does_not_ask_for_its_routes_to_be_kept_loses_them(
    classroom: Classroom, watcher: Student, restart: GracefulRestart
) -> None:
    """RFC 4724 3: without an address family the capability says only that the peer is a helper."""
    node = classroom.join("node", "10.0.0.1", restart=restart)
    classroom.send(node, announce("10.1.0.0/24"))
    assert fall(classroom, node) == 1
    assert watcher.prefixes == set()


def _open_with(*capabilities: bytes, parameters: int = 1) -> Capabilities:
    """What is read of an OPEN with these capabilities, in one or in several parameters."""
    usual = wire.capabilities()
    parts = [usual + b"".join(capabilities)] if parameters == 1 else [usual, *capabilities]
    body = wire.open_body(parameters=b"".join(wire.parameter(2, each) for each in parts))
    return decode_open(body).capabilities


@pytest.mark.rfc("4724", "3 instances")
@pytest.mark.parametrize("parameters", [1, 3])
def test_of_several_capabilities_the_last_counts(parameters: int) -> None:
    """RFC 4724 3: "MUST ignore all but the last instance"."""
    first = wire.capability(64, b"\x80\x78" + b"\0\1\1\x80" + b"\0\2\1\x80")
    last = wire.capability(64, b"\x00\x3c" + b"\0\1\1\x00")
    assert _open_with(first, last, parameters=parameters).graceful_restart == GracefulRestart(
        restarting=False, restart_time_s=60, preserved=((1, 1, False),)
    )


@pytest.mark.rfc("4724", "3 reserved")
def test_reserved_bits_say_nothing() -> None:
    """RFC 4724 3: "MUST be set to zero by the sender and ignored by the receiver"."""
    read = _open_with(wire.capability(64, b"\x30\x3c" + b"\0\1\1\x7f")).graceful_restart
    assert read == GracefulRestart(
        restarting=False, restart_time_s=60, preserved=((1, 1, False),), notification=False
    )
    ours = Capabilities(
        families=frozenset({wire.IPV4}),
        graceful_restart=GracefulRestart(
            restarting=True, restart_time_s=120, preserved=((1, 1, True),), notification=True
        ),
    )
    written = encode_open(Open(wire.ASN, 90, IPv4Address("10.0.0.1"), ours))
    assert b"\x40\x06\xc0\x78\0\1\1\x80" in written


def test_who_is_back_with_another_router_id_is_somebody_else(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    """Two nodes behind one address are two peers: the first may come back yet."""
    fall(classroom, node)
    other = classroom.join("node", "10.0.0.1", router_id="10.0.0.77", restart=RETURN)
    classroom.send(other, announce("10.1.0.0/24"), END_OF_RIB)
    assert watcher.prefixes == {"10.1.0.0/24", "10.2.0.0/24"}
    [who] = classroom.speaker.restarting
    assert classroom.speaker.forget(who) == 2
    classroom.turn()
    assert watcher.prefixes == {"10.1.0.0/24"}


def test_who_is_back_as_another_kind_of_peer_begins_anew(
    classroom: Classroom, node: Student, watcher: Student
) -> None:
    """A reload made it a non-client meanwhile: what it announced as a client is no guide."""
    fall(classroom, node)
    classroom.join("node", "10.0.0.1", client=False, restart=RETURN)
    assert watcher.prefixes == set()


def test_who_joins_meanwhile_is_told_of_what_is_kept(classroom: Classroom, node: Student) -> None:
    fall(classroom, node)
    assert classroom.join("late", "10.0.0.8").prefixes == {"10.1.0.0/24", "10.2.0.0/24"}


def test_a_restarting_peer_is_not_sent_its_own_routes_when_it_is_back(
    classroom: Classroom, node: Student
) -> None:
    fall(classroom, node)
    assert come_back(classroom).prefixes == set()


class TestOurRestart:
    """RFC 4724 4.1: the Restarting Speaker."""

    @pytest.mark.rfc("4724", "4.1 deferral")
    def test_our_end_of_rib_waits_and_our_routes_do_not(self, classroom: Classroom) -> None:
        """The peer keeps our routes until then, those that we don't know yet among them."""
        classroom.speaker.defer_end_of_rib()
        keeper = classroom.join("keeper", "10.0.0.9", restart=RESTART)
        node = classroom.join("node", "10.0.0.1", restart=RESTART)
        classroom.send(node, announce("10.1.0.0/24"))
        assert keeper.prefixes == {"10.1.0.0/24"}
        assert keeper.ends == []
        classroom.speaker.release_end_of_rib()
        classroom.turn()
        assert set(keeper.ends) == {(1, 1), (2, 1)}

    @pytest.mark.rfc("4724", "4.1 deferral")
    def test_what_came_with_the_last_end_of_rib_goes_before_ours(
        self, classroom: Classroom
    ) -> None:
        """Else the keeper would drop, and get again, what it had all the while."""
        classroom.speaker.defer_end_of_rib()
        keeper = classroom.join("keeper", "10.0.0.9", restart=RESTART)
        node = classroom.join("node", "10.0.0.1", restart=RESTART)
        classroom.speaker.on_end_of_rib = lambda _, __: classroom.speaker.release_end_of_rib()
        classroom.send(node, announce("10.1.0.0/24"), END_OF_RIB)
        [route, *ends] = keeper.messages
        assert wire.prefix("10.1.0.0/24") in route
        assert len(ends) == len(keeper.ends) == 2

    @pytest.mark.rfc("4724", "4.1 deferral")
    def test_who_keeps_nothing_is_told_at_once(self, classroom: Classroom) -> None:
        classroom.speaker.defer_end_of_rib()
        plain = classroom.join("plain", "10.0.0.9")
        assert set(plain.ends) == {(1, 1), (2, 1)}

    @pytest.mark.rfc("4724", "4.1 deferral")
    def test_who_comes_when_it_is_over_is_told_at_once(self, classroom: Classroom) -> None:
        classroom.speaker.defer_end_of_rib()
        classroom.speaker.release_end_of_rib()
        keeper = classroom.join("keeper", "10.0.0.9", restart=RESTART)
        assert set(keeper.ends) == {(1, 1), (2, 1)}


def test_policies_that_changed_meanwhile_judge_what_is_announced_again(
    classroom: Classroom, watcher: Student
) -> None:
    """The same attributes may make another path by now."""
    leaving = wire.announce("10.1.0.0/24", attributes=wire.usual() + wire.communities(0xFFFF0000))
    node = classroom.join("node", "10.0.0.1", restart=RESTART)
    classroom.send(node, leaving)
    assert wire.local_pref(0) in watcher.messages[-1]
    fall(classroom, node)
    back = classroom.join(
        "node", "10.0.0.1", restart=RETURN, intake=Intake(graceful_shutdown=False)
    )
    classroom.send(back, leaving)
    assert wire.local_pref(100) in watcher.messages[-1]
