"""Whole sessions and every decoder, fed with what nearly is BGP: nothing but events and errors."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS
from tests.support import wire
from tests.support.exposed import Exposed
from tests.support.strategies import chunkings, messages, mutated

DECODERS = [name for name in TARGETS if name not in ("session", "updates")]
openings = st.sampled_from(
    [
        b"",
        wire.open_message(),
        wire.open_message() + wire.keepalive(),
        wire.open_message(parameters=b"") + wire.keepalive(),
    ]
)


@given(st.data(), openings, st.lists(messages, max_size=8))
def test_a_healthy_pair_goes_on_whatever_a_session_says(
    data: st.DataObject, opening: bytes, rest: list[bytes]
) -> None:
    """RFC 4271 6: an error costs the session that it is in, and no other."""
    exposed = Exposed()
    for chunk in data.draw(chunkings(opening + b"".join(rest))):
        exposed.hear(chunk)
        exposed.check()
    exposed.end()


@pytest.mark.parametrize("decoder", DECODERS)
@given(st.binary(max_size=300))
def test_no_octets_make_a_decoder_fail(decoder: str, data: bytes) -> None:
    """Events or a `SessionError`, and nothing else."""
    TARGETS[decoder](data)


@pytest.mark.parametrize("target", TARGETS)
@given(st.data())
def test_no_mutation_of_a_hostile_case_makes_anything_fail(
    target: str, data: st.DataObject
) -> None:
    """What is already wrong in a way that was thought of, wrong in one more way."""
    begun = sorted(set(seeds(target)))
    TARGETS[target](data.draw(mutated(st.sampled_from(begun))))
