"""Graceful NOTIFICATIONs and hard resets (RFC 8538): what is said, and what is made of it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Final

import pytest

from reflector.bgp.errors import SessionError
from reflector.bgp.notification import Notification
from reflector.bgp.open import GracefulRestart
from reflector.bgp.session import Timer
from reflector.bgp.vocabulary import FAMILIES, CeaseSubcode, ErrorCode, UpdateSubcode
from reflector.net.peer_policy import PeerPolicy
from reflector.speaker import Identity
from tests.support import wire
from tests.support.classroom import Classroom
from tests.support.strict_reader import split_messages
from tests.support.talk import ROUTER_ID, Talk

OURS: Final = PeerPolicy(frozenset(FAMILIES.values()), 90, restart_time_s=120).opening(
    Identity(wire.ASN, IPv4Address(ROUTER_ID), IPv4Address(ROUTER_ID)), "", restarting=False
)
# The R bit is the highest of the flags, the N bit the next but one to it as GoBGP and FRR have it.
WITH_N: Final = wire.capability(64, bytes.fromhex("405a 00010180 00020180"))
WITHOUT_N: Final = wire.capability(64, bytes.fromhex("005a 00010180 00020180"))

FINAL: Final = (
    CeaseSubcode.MAXIMUM_PREFIXES_REACHED,
    CeaseSubcode.ADMINISTRATIVE_SHUTDOWN,
    CeaseSubcode.PEER_DE_CONFIGURED,
    CeaseSubcode.ADMINISTRATIVE_RESET,
    CeaseSubcode.OTHER_CONFIGURATION_CHANGE,
)
PASSING: Final = (
    CeaseSubcode.CONNECTION_REJECTED,
    CeaseSubcode.CONNECTION_COLLISION_RESOLUTION,
    CeaseSubcode.OUT_OF_RESOURCES,
)


def up(more: bytes = WITH_N) -> Talk:
    """Bring up a session with a peer that has these capabilities beside the usual ones."""
    talk = Talk(OURS)
    offered = wire.parameter(2, wire.capabilities() + more)
    talk.hear(wire.open_message(parameters=offered) + wire.keepalive())
    assert talk.established
    return talk


def close(talk: Talk, notification: Notification) -> None:
    """End a session from our side."""
    talk.events += talk.session.close(notification, "a test wants it")
    for chunk in talk.session.data_to_send():
        talk.sent += split_messages(chunk)


@pytest.mark.rfc("8538", "2")
def test_our_open_has_the_n_bit() -> None:
    """RFC 8538 2: "the second most significant bit" of what RFC 4724 3 calls Restart Flags."""
    [(_, opening)] = Talk(OURS).sent
    assert bytes.fromhex("400a 4078 00010180 00020180") in opening


@pytest.mark.rfc("8538", "2")
@pytest.mark.parametrize(("more", "agreed"), [(WITH_N, True), (WITHOUT_N, False), (b"", False)])
def test_both_sides_must_have_said_so(more: bytes, *, agreed: bool) -> None:
    negotiated = up(more).session.negotiated
    assert negotiated is not None
    assert negotiated.graceful_notification is agreed


@pytest.mark.rfc("8538", "3.1", "5.1")
@pytest.mark.parametrize("subcode", FINAL)
def test_an_end_that_is_meant_is_a_hard_reset_around_its_reason(subcode: int) -> None:
    """RFC 8538 3.1: the data is the error code, the subcode and the data of the reason."""
    talk = up()
    close(talk, Notification(6, subcode, b"why"))
    assert talk.notified == (6, 9, bytes((6, subcode)) + b"why")
    assert talk.closed.sent is not None
    assert talk.closed.sent.hard


@pytest.mark.rfc("8538", "5.1")
@pytest.mark.parametrize("subcode", PASSING)
def test_an_end_that_passes_is_none(subcode: int) -> None:
    """RFC 8538 5.1: these are transient, and the peer's routes had better stay."""
    talk = up()
    close(talk, Notification(6, subcode))
    assert talk.notified == (6, subcode, b"")


@pytest.mark.rfc("8538", "5.1")
def test_an_error_in_an_update_is_none() -> None:
    talk = up()
    talk.session.fail(
        SessionError(ErrorCode.UPDATE_MESSAGE, UpdateSubcode.MALFORMED_ATTRIBUTE_LIST, "wrong")
    )
    [said] = [body for chunk in talk.session.data_to_send() for _, body in split_messages(chunk)]
    assert said == b"\3\1"


@pytest.mark.rfc("8538", "4 hold time")
def test_an_expired_hold_timer_is_told_as_ever() -> None:
    """RFC 8538 4: "it should generate the relevant BGP NOTIFICATION message"."""
    talk = up()
    talk.expire(Timer.HOLD)
    assert talk.notified == (4, 0, b"")
    assert talk.closed.sent is not None
    assert not talk.closed.sent.hard


@pytest.mark.rfc("8538", "4 Hard Reset")
@pytest.mark.parametrize("more", [WITHOUT_N, b""])
def test_who_has_not_said_so_is_sent_no_hard_reset(more: bytes) -> None:
    """RFC 8538 4: "SHOULD NOT send a Hard Reset to a peer from which it has not received the "N" bit"."""
    talk = up(more)
    close(talk, Notification.shutdown("lunch"))
    assert talk.notified == (6, 2, b"\5lunch")


@pytest.mark.rfc("8538", "3.1")
@pytest.mark.rfc("9003", "2")
def test_the_reason_within_a_hard_reset_is_read() -> None:
    """RFC 8538 3.1: what it holds is for the log; a shutdown communication is part of it."""
    talk = up()
    talk.hear(wire.notification(6, 9, b"\6\2\5lunch"))
    received = talk.closed.received
    assert received == Notification(6, 2, b"\5lunch", encapsulated=True)
    assert received.hard
    assert received.text == "lunch"
    assert talk.closed.reason == (
        'the peer said: Cease / Administrative Shutdown (Hard Reset) "lunch"'
    )


@pytest.mark.rfc("8538", "3.1")
@pytest.mark.parametrize("data", [b"", b"\6"])
def test_a_hard_reset_without_a_reason_is_one_all_the_same(data: bytes) -> None:
    talk = up()
    talk.hear(wire.notification(6, 9, data))
    received = talk.closed.received
    assert received == Notification(6, 9, data)
    assert received.hard
    assert received.name == "Cease / Hard Reset"


def test_a_hard_reset_that_outgrows_a_message_is_cut() -> None:
    whole = Notification(6, 2, b"x" * 5000, encapsulated=True).encode()
    assert len(whole) == 4096
    assert Notification.decode(whole[19:]) == Notification(6, 2, b"x" * 4073, encapsulated=True)


@pytest.mark.rfc("8538", "4.1 consecutive restarts")
def test_what_was_stale_when_it_restarts_once_more_stays() -> None:
    """RFC 8538 4.1 undoes RFC 4724 4.2, which has it deleted."""
    classroom = Classroom()
    restart = GracefulRestart(
        restarting=True, restart_time_s=90, preserved=((1, 1, True),), notification=True
    )
    watcher = classroom.join("watcher", "10.0.0.9")
    node = classroom.join("node", "10.0.0.1", restart=restart)
    classroom.send(node, wire.announce("10.1.0.0/24", "10.2.0.0/24"), b"\0\0\0\0")
    classroom.leave(node, gracefully=True)
    back = classroom.join("node", "10.0.0.1", restart=restart)
    classroom.send(back, wire.announce("10.1.0.0/24"))
    assert classroom.leave(back, gracefully=True) == 0
    assert watcher.prefixes == {"10.1.0.0/24", "10.2.0.0/24"}
    again = classroom.join("node", "10.0.0.1", restart=replace(restart, notification=False))
    assert watcher.prefixes == {"10.1.0.0/24", "10.2.0.0/24"}, "a clear N bit deletes nothing"
    classroom.send(again, wire.announce("10.2.0.0/24"), b"\0\0\0\0")
    assert watcher.prefixes == {"10.2.0.0/24"}
