"""The distance of the wall clock from the loop's."""

from __future__ import annotations

from reflector.observe.wall_clock import WallClock


def test_it_follows_whoever_sets_the_clock_and_not_what_slews_it() -> None:
    epoch_s, steady_s = 1_000_000.0, 5.0
    clock = WallClock(lambda: epoch_s, lambda: steady_s)
    assert clock.offset_s == 999_995.0
    epoch_s, steady_s = epoch_s + 100.5, steady_s + 100
    assert clock.offset_s == 999_995.0, "half a second in a hundred: slewed"
    epoch_s += 1.0
    assert clock.offset_s == 999_996.5
    epoch_s -= 86_400
    assert clock.offset_s == 999_996.5 - 86_400
