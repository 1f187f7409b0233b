"""How often the table may be asked for."""

import pytest

from reflector.net.refresh_gate import RefreshGate


def test_a_burst_is_answered_at_once_and_then_one_at_a_time() -> None:
    gate = RefreshGate(burst=3, every_s=10)
    assert [gate.ask(100.0) for _ in range(3)] == [0, 0, 0]
    assert gate.ask(100.0) == pytest.approx(10)
    assert gate.ask(101.0) is None, "the one that waits answers this one too"
    gate.open(110.0)
    assert gate.ask(112.0) == pytest.approx(8)
    gate.open(120.0)
    assert gate.ask(150.0) == 0


def test_who_asks_without_end_is_answered_at_a_bounded_rate() -> None:
    gate = RefreshGate(burst=5, every_s=10)
    answers, opens_s = 0, None
    for tick in range(10_000):
        now_s = tick / 100
        if opens_s is not None and now_s >= opens_s:
            gate.open(now_s)
            answers, opens_s = answers + 1, None
        wait_s = gate.ask(now_s)
        if wait_s == 0:
            answers += 1
        elif wait_s is not None:
            opens_s = now_s + wait_s
    assert answers <= 5 + 100 / 10
