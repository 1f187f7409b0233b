"""Whatever a peer sends, in whichever pieces: events or a NOTIFICATION, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflector.bgp.events import Closed, Event, UpdatesReceived
from reflector.bgp.session import Timer
from tests.support import wire
from tests.support.strategies import chunkings, messages, mutated, open_messages
from tests.support.talk import Talk

beginnings = st.one_of(
    st.just(b""),
    st.just(wire.open_message()),
    st.just(wire.open_message() + wire.keepalive()),
)
streams = st.builds(
    lambda beginning, rest: beginning + b"".join(rest),
    beginnings,
    st.lists(messages, max_size=6),
)


def listen(chunks: list[bytes], *, confirm: bool = True) -> Talk:
    """Return a session that heard some chunks, checked for what must hold of all."""
    talk = Talk(confirm=confirm)
    for chunk in chunks:
        talk.hear(chunk)
    endings = [event for event in talk.events if isinstance(event, Closed)]
    assert len(endings) <= 1
    assert bool(endings) == talk.session.over
    if endings:
        assert talk.events[-1] is endings[0]
        assert endings[0].reason.isprintable()
        assert talk.timers == {}
        assert (endings[0].sent is None) == (talk.notified is None)
    else:
        assert Timer.HOLD in talk.timers or talk.session.negotiated is not None
        assert talk.notified is None
    return talk


def said(talk: Talk) -> list[Event]:
    """What happened, each UPDATE by itself: how many come at a time is TCP's doing."""
    return [
        UpdatesReceived([body]) if isinstance(event, UpdatesReceived) else event
        for event in talk.events
        for body in (event.bodies if isinstance(event, UpdatesReceived) else (b"",))
    ]


@pytest.mark.rfc("4271", "3")
@given(st.data(), streams)
def test_any_chunking_of_the_stream_gives_the_same(data: st.DataObject, stream: bytes) -> None:
    """TCP has no message boundaries (RFC 4271 3)."""
    whole = listen([stream])
    pieces = listen(data.draw(chunkings(stream)))
    assert said(pieces) == said(whole)
    assert pieces.sent == whole.sent
    assert pieces.session.state is whole.session.state


@pytest.mark.rfc("4271", "3")
@given(streams)
def test_single_octets_give_the_same(stream: bytes) -> None:
    """The finest chunking of all."""
    whole = listen([stream])
    dripped = listen([stream[i : i + 1] for i in range(len(stream))])
    assert said(dripped) == said(whole)
    assert dripped.sent == whole.sent


@given(st.data(), streams)
def test_a_late_confirmation_gives_the_same(data: st.DataObject, stream: bytes) -> None:
    """Settling a collision takes time, and changes nothing for the one that is kept."""
    whole = listen([stream])
    late = Talk(confirm=False)
    for chunk in data.draw(chunkings(stream)):
        late.hear(chunk)
    late.confirm()
    assert said(late) == said(whole)
    assert late.sent == whole.sent


@given(beginnings, st.binary(max_size=300))
def test_arbitrary_bytes_never_raise(beginning: bytes, data: bytes) -> None:
    """Nothing that a peer sends may raise out of a session."""
    listen([beginning, data])


@given(beginnings, st.integers(0, 8), st.binary(max_size=200))
def test_arbitrary_bodies_never_raise(beginning: bytes, kind: int, body: bytes) -> None:
    """Nor what comes behind a good header."""
    listen([beginning, wire.message(kind, body)])


@given(mutated(open_messages))
def test_mutated_opens_never_raise(data: bytes) -> None:
    """Nor an OPEN that is nearly right."""
    listen([data])


@given(st.binary(max_size=250), st.booleans())
def test_arbitrary_optional_parameters_never_raise(
    parameters: bytes,
    capabilities: bool,  # noqa: FBT001 - drawn
) -> None:
    """Nor its parameters and capabilities."""
    if capabilities:
        parameters = wire.parameter(2, parameters)
    listen([wire.open_message(parameters=parameters[:255])])


@given(streams, st.sampled_from(list(Timer)))
def test_a_timer_may_fire_at_any_time(stream: bytes, timer: Timer) -> None:
    """Nor does a timer, whatever was said before."""
    talk = listen([stream])
    if timer in talk.timers:
        talk.expire(timer)
    assert talk.session.over == (talk.closed is not None if talk.session.over else False)
