"""What makes of the loop's time seconds since the epoch, although somebody sets the clock."""

import time
from collections.abc import Callable
from typing import Final

# What a clock that is slewed wanders off is made good at once, and is no news before it shows.
_SET_S: Final = 1.0


class WallClock:
    """The distance of the wall clock from the loop's, which nobody can set.

    Whatever is remembered has the loop's time, and gets the distance of today when it is shown. So no
    decision depends on the wall clock, and what is five seconds old is shown as that, even where the
    clock was put right by days since.

    Args:
        epoch: Seconds since the epoch.
        steady: The loop's time.
    """

    def __init__(
        self,
        epoch: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self._epoch = epoch
        self._steady = steady
        self._offset_s = epoch() - steady()

    @property
    def offset_s(self) -> float:
        """What to add to the loop's time; the same until the clock is another by a second."""
        offset_s = self._epoch() - self._steady()
        if abs(offset_s - self._offset_s) > _SET_S:
            self._offset_s = offset_s
        return self._offset_s
