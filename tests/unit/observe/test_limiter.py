"""Rate limits of the log, with a clock of our own."""

import pytest

from reflector.observe.journal.limiter import Limiter, Rate


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def limiter(
    clock: Clock, each: int = 2, overall: int = 100, max_buckets: int = 1000
) -> Limiter[str, int]:
    return Limiter(Rate(each, 0.1), Rate(overall, 1.0), clock, max_buckets)


class TestOneKey:
    def test_a_burst_passes_and_what_follows_is_held_back(self, clock: Clock) -> None:
        limits = limiter(clock)
        assert [limits.admit("a", i) for i in range(4)] == [True, True, False, False]

    def test_what_is_held_back_is_told_once_with_the_last_of_it(self, clock: Clock) -> None:
        limits = limiter(clock)
        for i in range(5):
            limits.admit("a", i)
        [held_back], untold = limits.take_held_back()
        assert (held_back.count, held_back.last, untold) == (3, 4, 0)
        assert limits.take_held_back() == ([], 0)

    def test_a_token_comes_back_at_the_rate(self, clock: Clock) -> None:
        limits = limiter(clock)
        for i in range(3):
            limits.admit("a", i)
        clock.now_s += 9.9
        assert not limits.admit("a", 0)
        clock.now_s += 0.2
        assert limits.admit("a", 0)
        assert not limits.admit("a", 0)

    def test_keys_do_not_share(self, clock: Clock) -> None:
        limits = limiter(clock, each=1)
        assert limits.admit("a", 0)
        assert limits.admit("b", 0)
        assert not limits.admit("a", 0)

    def test_what_is_asked_silently_is_not_counted(self, clock: Clock) -> None:
        limits = limiter(clock, each=1)
        assert limits.admit_silently("a")
        assert not limits.admit_silently("a")
        assert limits.take_held_back() == ([], 0)


class TestAllTogether:
    def test_many_peers_share_the_overall_rate(self, clock: Clock) -> None:
        limits = limiter(clock, overall=10)
        assert sum(limits.admit(str(i), i) for i in range(1000)) == 10
        clock.now_s += 5
        assert limits.take_held_back() == ([], 990)

    def test_summaries_keep_to_it_too(self, clock: Clock) -> None:
        limits = limiter(clock, each=1, overall=12)
        for i in range(20):
            limits.admit(str(i % 10), i)
        told, untold = limits.take_held_back()
        assert (len(told), untold) == (2, 8)


class TestMemory:
    def test_full_buckets_are_forgotten(self, clock: Clock) -> None:
        limits = limiter(clock)
        for i in range(500):
            limits.admit(str(i), i)
        clock.now_s += 21
        limits.admit("new", 0)
        assert len(limits._buckets) == 1

    def test_beyond_the_bound_the_one_that_was_longest_untouched_is_forgotten(
        self, clock: Clock
    ) -> None:
        limits = limiter(clock, each=1, max_buckets=2)
        for key in "aba":
            limits.admit(key, 0)
        limits.admit("c", 0)
        assert not limits.admit("a", 0), "it was asked about after b"
        assert limits.admit("b", 0)

    def test_it_is_bounded_and_nothing_is_lost_unsaid(self, clock: Clock) -> None:
        limits = limiter(clock, each=1, overall=1_000_000, max_buckets=50)
        for i in range(1000):
            limits.admit(str(i), i)
            limits.admit(str(i), i)
        assert len(limits._buckets) == 50
        told, untold = limits.take_held_back()
        assert sum(held_back.count for held_back in told) + untold == 1000
