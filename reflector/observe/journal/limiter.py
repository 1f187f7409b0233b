"""Rate limits for the log: token buckets, one for each thing said about each peer, and one for all.

What is held back is counted and its last instance kept, so that nothing disappears unsaid. Memory
is bounded whatever peers there are: a bucket that is full again is forgotten, and beyond the bound
the one that was longest untouched is.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")

# 10,000 peers with three kinds of lines each, at some 200 octets a bucket.
_MAX_BUCKETS: Final = 32_768


@dataclass(frozen=True, slots=True)
class Rate:
    """What a bucket allows: `burst` at once, and `per_s` each second in the long run."""

    burst: int
    per_s: float

    @property
    def refill_s(self) -> float:
        """Seconds after which an empty bucket is full again."""
        return self.burst / self.per_s


class Bucket:
    """A token bucket, full at first."""

    __slots__ = ("tokens", "touched_at_s")

    def __init__(self, rate: Rate, now_s: float) -> None:
        self.tokens = float(rate.burst)
        self.touched_at_s = now_s

    def take(self, rate: Rate, now_s: float) -> bool:
        """Take a token if there is one."""
        gained = (now_s - self.touched_at_s) * rate.per_s
        self.tokens = min(self.tokens + gained, rate.burst)
        self.touched_at_s = now_s
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@dataclass(slots=True)
class HeldBack(Generic[T]):
    """What was not admitted: how many, and the last of them."""

    count: int
    last: T


class Limiter(Generic[K, T]):
    """Admits things by key, and remembers what it didn't admit.

    Args:
        each: What each key may have.
        overall: What all may have together.
        clock: Seconds, monotonic.
        max_buckets: How many keys are remembered.
    """

    def __init__(
        self,
        each: Rate,
        overall: Rate,
        clock: Callable[[], float],
        max_buckets: int = _MAX_BUCKETS,
    ) -> None:
        self._each = each
        self._overall = overall
        self._clock = clock
        self._max_buckets = max_buckets
        self._all = Bucket(overall, clock())
        # By the time of their last use, so that the ones to be forgotten are at the front.
        self._buckets: OrderedDict[K, Bucket] = OrderedDict()
        self._held_back: dict[K, HeldBack[T]] = {}
        self._unnamed = 0

    def admit(self, key: K, thing: T) -> bool:
        """Whether a thing may pass. What may not is held back, to be told by `take_held_back`."""
        if self._take(key):
            if self.admit_any():
                return True
            self._unnamed += 1
            return False
        held_back = self._held_back.get(key)
        if held_back is None:
            self._held_back[key] = HeldBack(1, thing)
        else:
            held_back.count += 1
            held_back.last = thing
        return False

    def admit_silently(self, key: K) -> bool:
        """Whether something may pass that will be asked about again, and so isn't counted."""
        return self._take(key) and self.admit_any()

    def admit_any(self) -> bool:
        """Whether one more may pass as far as the overall rate goes."""
        return self._all.take(self._overall, self._clock())

    def take_held_back(self) -> tuple[list[HeldBack[T]], int]:
        """What was held back since the last call.

        Returns:
            By key as far as the overall rate lets it be told, and the number of all others.
        """
        told: list[HeldBack[T]] = []
        untold, self._unnamed = self._unnamed, 0
        for held_back in self._held_back.values():
            if self.admit_any():
                told.append(held_back)
            else:
                untold += held_back.count
        self._held_back.clear()
        return told, untold

    def _take(self, key: K) -> bool:
        now_s = self._clock()
        buckets = self._buckets
        bucket = buckets.get(key)
        if bucket is None:
            self._forget(now_s)
            bucket = buckets[key] = Bucket(self._each, now_s)
        else:
            buckets.move_to_end(key)
        return bucket.take(self._each, now_s)

    def _forget(self, now_s: float) -> None:
        """Make room: drop buckets that are full again, and the oldest where there are too many."""
        full_since_s = now_s - self._each.refill_s
        while self._buckets:
            key, oldest = next(iter(self._buckets.items()))
            if oldest.touched_at_s > full_since_s and len(self._buckets) < self._max_buckets:
                return
            del self._buckets[key]
            held_back = self._held_back.pop(key, None)
            if held_back is not None:
                self._unnamed += held_back.count
