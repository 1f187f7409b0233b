"""Message header errors (RFC 4271 6.1)."""

import pytest

from reflector.bgp.vocabulary import State
from tests.support import wire
from tests.support.talk import Talk

STATES = (State.OPEN_SENT, State.OPEN_CONFIRM, State.ESTABLISHED)


@pytest.mark.rfc("4271", "6.1 marker")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("position", [0, 7, 15])
def test_a_marker_that_is_not_all_ones_loses_synchronisation(state: State, position: int) -> None:
    """RFC 4271 6.1: Connection Not Synchronized."""
    broken = bytearray(wire.keepalive())
    broken[position] = 0xFE
    talk = Talk.in_state(state)
    talk.hear(bytes(broken))
    assert talk.notified == (1, 1, b"")


@pytest.mark.rfc("4271", "4.1", "6.1 length")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 99])
@pytest.mark.parametrize("length", [0, 18, 4097, 65535])
def test_a_length_out_of_bounds_is_told_with_the_length(
    state: State, kind: int, length: int
) -> None:
    """RFC 4271 6.1: less than 19 or more than 4096; the data is the Length field."""
    talk = Talk.in_state(state)
    talk.hear(wire.message(kind, length=length))
    assert talk.notified == (1, 2, length.to_bytes(2))


@pytest.mark.rfc("4271", "6.1 length")
@pytest.mark.parametrize(
    ("kind", "least"),
    [(wire.OPEN, 29), (wire.UPDATE, 23), (wire.NOTIFICATION, 21), (wire.ROUTE_REFRESH, 23)],
)
def test_each_type_has_its_least_length(kind: int, least: int) -> None:
    """RFC 4271 6.1 and RFC 2918 3: the data is the Length field."""
    for length in range(19, least):
        talk = Talk.in_state(State.ESTABLISHED)
        talk.hear(wire.message(kind, length=length))
        assert talk.notified == (1, 2, length.to_bytes(2))


@pytest.mark.rfc("4271", "6.1 length")
def test_a_keepalive_is_a_header_and_nothing_else() -> None:
    """RFC 4271 6.1: a KEEPALIVE's length is not 19."""
    talk = Talk.in_state(State.ESTABLISHED)
    talk.hear(wire.message(wire.KEEPALIVE, b"\0"))
    assert talk.notified == (1, 2, b"\0\x14")


@pytest.mark.rfc("4271", "6.1 type")
@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("kind", [0, 6, 128, 255])
def test_an_unknown_type_is_told_with_the_type(state: State, kind: int) -> None:
    """RFC 4271 6.1: Bad Message Type; the data is the Type field."""
    talk = Talk.in_state(state)
    talk.hear(wire.message(kind))
    assert talk.notified == (1, 3, bytes((kind,)))


@pytest.mark.rfc("4271", "6.1 length")
def test_a_bad_header_is_found_before_its_body_is_there() -> None:
    """RFC 4271 6.1: 19 octets are enough to tell."""
    talk = Talk.in_state(State.ESTABLISHED)
    talk.hear(wire.message(wire.UPDATE, length=5000)[:19])
    assert talk.notified == (1, 2, (5000).to_bytes(2))


@pytest.mark.rfc("4271", "6")
def test_messages_before_the_bad_one_count() -> None:
    """RFC 4271 6.1: the error is the message's, not that of those before it."""
    talk = Talk.in_state(State.ESTABLISHED)
    talk.hear(wire.update() + wire.message(77) + wire.update())
    assert [type(event).__name__ for event in talk.events] == ["UpdatesReceived", "Closed"]
    assert talk.notified == (1, 3, b"\x4d")


@pytest.mark.parametrize("subtype", [0, 1, 2, 9])
@pytest.mark.parametrize("surplus", [1, 20])
def test_a_route_refresh_has_four_octets(subtype: int, surplus: int) -> None:
    """RFC 7313 5: code 7, Invalid Message Length, with the whole message as data."""
    refresh = wire.message(wire.ROUTE_REFRESH, b"\0\1" + bytes((subtype, 1)) + b"\0" * surplus)
    talk = Talk.in_state(State.ESTABLISHED)
    talk.hear(refresh)
    assert talk.notified == (7, 1, refresh)
