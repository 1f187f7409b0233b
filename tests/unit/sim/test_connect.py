"""What a test's author is told who takes `sim.connect` for a peer."""

from __future__ import annotations

import pytest

from reflector import sim


def test_a_peer_that_was_not_awaited() -> None:
    forgotten: object = sim.connect("127.0.0.1")
    with pytest.raises(AttributeError, match=r"^there is no peer yet that has 'announce': await"):
        getattr(forgotten, "announce")  # noqa: B009 - as a test without types says it


def test_what_no_peer_has_either() -> None:
    forgotten: object = sim.connect("127.0.0.1")
    with pytest.raises(AttributeError, match=r"^'connect' object has no attribute 'anounce'$"):
        getattr(forgotten, "anounce")  # noqa: B009 - as a test without types says it
