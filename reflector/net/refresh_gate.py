"""How often a peer may ask for the whole table again (RFC 2918)."""

from dataclasses import dataclass, field
from typing import Final

# A person who tries things out, or a script, may ask so often at once; and in the long run so often.
# A ROUTE-REFRESH is 23 octets, the table that answers it may be megabytes.
REFRESH_BURST: Final = 5
REFRESH_EVERY_S: Final = 10.0


@dataclass(slots=True)
class RefreshGate:
    """Lets requests of one peer for one family through, and makes one of all that come too soon.

    Nothing is lost: who asks often is answered last with what the table holds then.
    """

    burst: int = REFRESH_BURST
    every_s: float = REFRESH_EVERY_S
    _left: float = field(init=False)
    _at_s: float = field(init=False, default=0.0)
    _waits: bool = field(init=False, default=False)

    def __post_init__(self) -> None:
        """A whole burst is allowed at first."""
        self._left = self.burst

    def ask(self, now_s: float) -> float | None:
        """The peer asks.

        Returns:
            Seconds to wait until `open` is to be called and the table sent, 0 for at once; None if
            a request waits already, which answers this one too.
        """
        if self._waits:
            return None
        self._left = min(self.burst, self._left + (now_s - self._at_s) / self.every_s)
        self._at_s = now_s
        if self._left >= 1:
            self._left -= 1
            return 0.0
        self._waits = True
        return (1 - self._left) * self.every_s

    def open(self, now_s: float) -> None:
        """The time that `ask` named is over."""
        self._waits = False
        self._left = 0.0
        self._at_s = now_s
