"""The session's state machine: each state with each message."""

import pytest

from reflector.bgp.errors import SessionError
from reflector.bgp.events import (
    Closed,
    Established,
    OpenAccepted,
    RefreshReceived,
    UpdatesReceived,
)
from reflector.bgp.limits import MAX_EAGER_BYTES
from reflector.bgp.notification import Notification
from reflector.bgp.session import Timer
from reflector.bgp.vocabulary import IPV4_UNICAST, IPV6_UNICAST, ErrorCode, Family, State
from tests.support import wire
from tests.support.talk import Talk, our_open

ALIVE = (State.OPEN_SENT, State.OPEN_CONFIRM, State.ESTABLISHED)
MESSAGES = {
    wire.OPEN: wire.open_message(),
    wire.UPDATE: wire.update(),
    wire.KEEPALIVE: wire.keepalive(),
    wire.ROUTE_REFRESH: wire.refresh(),
}
EXPECTED = {
    State.OPEN_SENT: {wire.OPEN},
    State.OPEN_CONFIRM: {wire.KEEPALIVE},
    State.ESTABLISHED: {wire.UPDATE, wire.KEEPALIVE, wire.ROUTE_REFRESH},
}
UNEXPECTED = [(state, kind) for state in ALIVE for kind in MESSAGES if kind not in EXPECTED[state]]


@pytest.mark.rfc("4271", "8.2.2 Connect")
def test_an_open_is_the_first_thing_that_we_say() -> None:
    """RFC 4271 8.2.2, Connect: TcpConnectionConfirmed sends an OPEN."""
    talk = Talk()
    assert [kind for kind, _ in talk.sent] == [wire.OPEN]
    assert talk.session.state is State.OPEN_SENT


@pytest.mark.rfc("4271", "8.2.2 OpenSent")
def test_a_keepalive_answers_the_peers_open() -> None:
    """RFC 4271 8.2.2, OpenSent, Event 19: send a KEEPALIVE, go to OpenConfirm."""
    talk = Talk.in_state(State.OPEN_SENT)
    (accepted,) = talk.hear(wire.open_message())
    assert isinstance(accepted, OpenAccepted)
    assert talk.sent == [(wire.KEEPALIVE, b"")]
    assert talk.session.state is State.OPEN_CONFIRM


@pytest.mark.rfc("4271", "8.2.2 OpenConfirm")
def test_a_keepalive_in_open_confirm_establishes_the_session() -> None:
    """RFC 4271 8.2.2, OpenConfirm, Event 26."""
    talk = Talk.in_state(State.OPEN_CONFIRM)
    (established,) = talk.hear(wire.keepalive())
    assert isinstance(established, Established)
    assert talk.session.state is State.ESTABLISHED


@pytest.mark.rfc("4271", "8.2.2 Established")
def test_a_keepalive_in_established_is_no_event() -> None:
    """RFC 4271 8.2.2, Established, Event 26: only the hold timer restarts."""
    talk = Talk.in_state(State.ESTABLISHED)
    heard = talk.session.heard
    assert talk.hear(wire.keepalive()) == []
    assert talk.session.heard == heard + 1
    assert talk.sent == []


@pytest.mark.rfc("4271", "8.2.2 Established")
def test_an_update_in_established_is_handed_on_and_counts_as_heard() -> None:
    """RFC 4271 8.2.2, Established, Event 27: the hold timer restarts."""
    talk = Talk.in_state(State.ESTABLISHED)
    heard = talk.session.heard
    assert talk.hear(wire.update()) == [UpdatesReceived([b"\0\0\0\0"])]
    assert talk.session.heard == heard + 1


@pytest.mark.rfc("2918", "3")
def test_a_route_refresh_in_established_is_handed_on() -> None:
    """RFC 2918 4, with the subtype of RFC 7313 3.2."""
    talk = Talk.in_state(State.ESTABLISHED)
    assert talk.hear(wire.refresh(2, 1, 1)) == [RefreshReceived(2, 1, 1)]


@pytest.mark.rfc("6608", "3", "4")
@pytest.mark.rfc("4271", "6.6")
@pytest.mark.parametrize(("state", "kind"), UNEXPECTED)
def test_an_unexpected_message_is_a_state_machine_error(state: State, kind: int) -> None:
    """RFC 6608 3 and 4: code 5, a subcode for the state, the message's type as data."""
    talk = Talk.in_state(state)
    talk.hear(MESSAGES[kind])
    assert talk.notified == (5, 1 + ALIVE.index(state), bytes((kind,)))
    assert talk.closed.sent == Notification(5, 1 + ALIVE.index(state), bytes((kind,)))


@pytest.mark.rfc("4271", "6.4")
@pytest.mark.parametrize("state", ALIVE)
@pytest.mark.parametrize("data", [b"", b"\x05later", b"\xff\xff\xff", b"x" * 4000])
def test_a_notification_is_never_answered(state: State, data: bytes) -> None:
    """RFC 4271 6.4 and 8.2.2, Event 25: whatever it holds, the session is over and we are silent."""
    talk = Talk.in_state(state)
    talk.hear(wire.notification(6, 2, data))
    assert talk.sent == []
    assert talk.closed.received == Notification(6, 2, data)


@pytest.mark.rfc("4271", "6.4")
@pytest.mark.parametrize(("code", "subcode"), [(0, 0), (6, 99), (99, 0), (255, 255)])
def test_an_unknown_notification_is_never_answered(code: int, subcode: int) -> None:
    """RFC 4271 6.4: an unrecognised code or subcode is noticed and logged, no more."""
    talk = Talk.in_state(State.ESTABLISHED)
    talk.hear(wire.notification(code, subcode))
    assert talk.sent == []
    assert talk.closed.reason


@pytest.mark.rfc("4271", "6.4")
def test_an_error_that_is_found_after_a_notification_is_not_told() -> None:
    """RFC 4271 6.4: not even if what came before the NOTIFICATION is judged only afterwards."""
    talk = Talk.in_state(State.ESTABLISHED)
    update, closed = talk.hear(wire.update() + wire.notification(6, 2))
    assert isinstance(update, UpdatesReceived)
    assert isinstance(closed, Closed)
    talk.session.fail(SessionError(ErrorCode.UPDATE_MESSAGE, 1, "the UPDATE is malformed"))
    assert talk.session.data_to_send() == []


@pytest.mark.rfc("4271", "6", "3")
def test_the_first_error_is_told_however_the_stream_is_cut() -> None:
    """RFC 4271 6: an UPDATE is judged after the octets behind it were framed, and comes first."""
    talk = Talk(confirm=True)
    talk.hear(wire.open_message() + wire.keepalive())
    talk.session.receive_data(wire.update() + bytes(19))
    talk.session.close(Notification(6, 2), "not told: the session is over")
    talk.session.fail(SessionError(ErrorCode.UPDATE_MESSAGE, 10, "the UPDATE is malformed"))
    assert talk.session.data_to_send() == [wire.notification(3, 10)]
    talk.session.fail(SessionError(ErrorCode.UPDATE_MESSAGE, 1, "too late"))
    assert talk.session.data_to_send() == []


@pytest.mark.rfc("4271", "8.2.2 Idle")
@pytest.mark.parametrize("kind", [*MESSAGES, wire.NOTIFICATION])
def test_nothing_is_heard_after_the_end(kind: int) -> None:
    """RFC 4271 8.2.2, Idle: there is no connection any more."""
    talk = Talk.in_state(State.IDLE)
    assert talk.hear(MESSAGES.get(kind, wire.notification(6, 2))) == []
    assert talk.sent == []
    assert talk.timers == {}


@pytest.mark.rfc("4271", "8.2.2 Idle")
@pytest.mark.parametrize("state", ALIVE)
def test_a_lost_connection_ends_the_session_in_any_state(state: State) -> None:
    """RFC 4271 8.2.2, Event 18: TcpConnectionFails; there is nobody to notify."""
    talk = Talk.in_state(state)
    (closed,) = talk.session.receive_eof()
    assert isinstance(closed, Closed)
    assert talk.session.data_to_send() == []
    assert talk.session.receive_eof() == []


@pytest.mark.rfc("4271", "6.7")
@pytest.mark.rfc("4486", "4 shutdown")
@pytest.mark.parametrize("state", ALIVE)
def test_we_can_end_a_session_in_any_state(state: State) -> None:
    """RFC 4271 8.2.2, Event 2, ManualStop: a Cease; RFC 4486 4: with its subcode."""
    talk = Talk.in_state(state)
    notification = Notification.shutdown("the class is over")
    talk._settle(talk.session.close(notification, "stopped"))
    assert talk.notified == (6, 2, b"\x11the class is over")
    assert talk.session.close(notification, "again") == []


@pytest.mark.rfc("4271", "6.8")
def test_a_keepalive_waits_until_a_collision_is_settled() -> None:
    """RFC 4271 6.8: a connection that loses is closed before it is confirmed."""
    talk = Talk(confirm=False)
    talk.hear(wire.open_message())
    assert [kind for kind, _ in talk.sent] == [wire.OPEN]
    talk.confirm()
    assert [kind for kind, _ in talk.sent] == [wire.OPEN, wire.KEEPALIVE]
    assert talk.confirm() == []
    assert [kind for kind, _ in talk.sent] == [wire.OPEN, wire.KEEPALIVE]


@pytest.mark.rfc("4271", "8.2.2 OpenConfirm")
def test_what_comes_before_the_confirmation_is_read_after_it() -> None:
    """RFC 4271 8.2.2: the states follow each other, however the peer's bytes are timed."""
    talk = Talk(confirm=False)
    everything = wire.open_message() + wire.keepalive() + wire.update() + wire.refresh()
    events = talk.hear(everything[:50])
    events += talk.hear(everything[50:90])
    events += talk.hear(everything[90:])
    assert [type(event) for event in events] == [OpenAccepted]
    events = talk.confirm()
    assert [type(event) for event in events] == [Established, UpdatesReceived, RefreshReceived]


@pytest.mark.rfc("4271", "8.2.2 OpenConfirm")
def test_an_eager_peer_may_say_all_at_once() -> None:
    """RFC 4271 8.2.2: OPEN, KEEPALIVE and UPDATE in one segment are as good as in three."""
    talk = Talk()
    talk.hear(wire.open_message() + wire.keepalive() + wire.update())
    assert [type(event) for event in talk.events] == [OpenAccepted, Established, UpdatesReceived]


@pytest.mark.rfc("4486", "4 resources")
def test_a_flood_before_the_confirmation_is_cut_off() -> None:
    """RFC 4486 4, Out of Resources: what is kept for later is bounded."""
    talk = Talk(confirm=False)
    talk.hear(wire.open_message())
    talk.hear(b"\0" * MAX_EAGER_BYTES)
    assert not talk.session.over
    talk.hear(b"\0")
    assert talk.notified == (6, 8, b"")


# Timers.


@pytest.mark.rfc("4271", "8.2.2 Connect")
def test_the_peer_has_a_minute_to_send_its_open() -> None:
    """RFC 4271 8.2.2: the hold timer runs with a large value while an OPEN is awaited."""
    talk = Talk()
    assert talk.timers == {Timer.HOLD: 60.0}
    talk.expire(Timer.HOLD)
    assert talk.notified == (4, 0, b"")


@pytest.mark.rfc("4271", "4.2 hold time", "10 keepalive", "8.2.2 OpenSent")
@pytest.mark.parametrize(
    ("ours_s", "theirs_s", "agreed_s"), [(90, 9, 9), (9, 90, 9), (90, 90, 90), (90, 3, 3)]
)
def test_the_smaller_hold_time_counts(ours_s: int, theirs_s: int, agreed_s: int) -> None:
    """RFC 4271 4.2: the smaller of both; 10: a KEEPALIVE every third of it."""
    talk = Talk(our_open(hold_time_s=ours_s))
    talk.hear(wire.open_message(hold_time_s=theirs_s))
    assert talk.timers == {Timer.HOLD: agreed_s, Timer.KEEPALIVE: agreed_s / 3}


@pytest.mark.rfc("4271", "4.2 hold time", "4.4")
@pytest.mark.parametrize(("ours_s", "theirs_s"), [(0, 90), (90, 0), (0, 0)])
def test_a_hold_time_of_zero_switches_both_timers_off(ours_s: int, theirs_s: int) -> None:
    """RFC 4271 4.2 and 4.4: no periodic KEEPALIVE with a hold time of zero."""
    talk = Talk(our_open(hold_time_s=ours_s))
    talk.hear(wire.open_message(hold_time_s=theirs_s) + wire.keepalive())
    assert talk.established
    assert talk.timers == {}


@pytest.mark.rfc("4271", "6.5")
@pytest.mark.parametrize("state", [State.OPEN_CONFIRM, State.ESTABLISHED])
def test_silence_for_the_hold_time_ends_the_session(state: State) -> None:
    """RFC 4271 6.5: Hold Timer Expired."""
    talk = Talk.in_state(state)
    talk.expire(Timer.HOLD)
    assert talk.notified == (4, 0, b"")
    assert talk.timers == {}


@pytest.mark.rfc("4271", "10 keepalive", "4.4", "10 jitter")
@pytest.mark.parametrize("state", [State.OPEN_CONFIRM, State.ESTABLISHED])
def test_keepalives_go_on(state: State) -> None:
    """RFC 4271 8.2.2, Event 11: send a KEEPALIVE, restart the timer."""
    talk = Talk.in_state(state)
    assert talk.expire(Timer.KEEPALIVE) == []
    assert talk.sent == [(wire.KEEPALIVE, b"")]
    assert talk.timers[Timer.KEEPALIVE] == 30


@pytest.mark.rfc("9687", "3")
def test_a_peer_that_stops_reading_is_given_up() -> None:
    """RFC 9687 3: Send Hold Timer Expired, code 8."""
    talk = Talk.in_state(State.ESTABLISHED)
    talk.timers[Timer.SEND_HOLD] = talk.session.send_hold_s
    talk.expire(Timer.SEND_HOLD)
    assert talk.notified == (8, 0, b"")


@pytest.mark.rfc("9687", "3.2")
@pytest.mark.parametrize(("hold_time_s", "send_hold_s"), [(90, 480), (600, 1200), (0, 480)])
def test_a_peer_may_stop_reading_for_eight_minutes(hold_time_s: int, send_hold_s: int) -> None:
    """RFC 9687 3.2: the greater of eight minutes and twice the hold time."""
    talk = Talk(our_open(hold_time_s=hold_time_s))
    talk.hear(wire.open_message(hold_time_s=hold_time_s))
    assert talk.session.send_hold_s == send_hold_s


@pytest.mark.rfc("4271", "8.2.2 Idle")
@pytest.mark.parametrize("timer", list(Timer))
def test_a_timer_that_fires_after_the_end_means_nothing(timer: Timer) -> None:
    """RFC 4271 8.2.2, Idle: timer events are ignored."""
    talk = Talk.in_state(State.IDLE)
    assert talk.session.timer_expired(timer) == []
    assert talk.session.data_to_send() == []


@pytest.mark.rfc("2918", "4 request")
@pytest.mark.parametrize("family", [IPV4_UNICAST, IPV6_UNICAST])
def test_a_peer_is_asked_for_its_routes_of_a_family(family: Family) -> None:
    """RFC 2918 4: a ROUTE-REFRESH asks a peer that has the capability."""
    talk = Talk.in_state(State.ESTABLISHED)
    assert talk.session.request_refresh(family)
    talk.hear(b"")
    assert talk.sent == [(wire.ROUTE_REFRESH, bytes((0, family.afi, 0, family.safi)))]


@pytest.mark.rfc("2918", "4 request")
def test_only_a_peer_that_can_is_asked_for_its_routes() -> None:
    """RFC 2918 4: not without the capability, for another family, or outside Established."""
    able = wire.open_message()
    for state in (State.OPEN_SENT, State.OPEN_CONFIRM, State.IDLE):
        assert not Talk.in_state(state).session.request_refresh(IPV4_UNICAST)
    ipv4_only = wire.capability(1, b"\0\1\0\1")
    unable = wire.open_message(parameters=wire.parameter(2, ipv4_only))
    ipv4_and_refresh = wire.open_message(
        parameters=wire.parameter(2, ipv4_only + wire.capability(2, b""))
    )
    for opening, family, asked in (
        (able, IPV4_UNICAST, True),
        (unable, IPV4_UNICAST, False),
        (ipv4_and_refresh, IPV4_UNICAST, True),
        (ipv4_and_refresh, IPV6_UNICAST, False),
    ):
        talk = Talk()
        talk.hear(opening + wire.keepalive())
        assert talk.session.request_refresh(family) is asked
