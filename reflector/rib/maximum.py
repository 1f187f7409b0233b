"""How many prefixes a peer may have (RFC 4271 6.7, RFC 4486 3)."""

from dataclasses import dataclass
from typing import Final

from reflector.bgp.errors import Action, Finding, SessionError
from reflector.bgp.limits import MAX_PREFIXES_PER_PEER
from reflector.bgp.vocabulary import CeaseSubcode, ErrorCode, Family

_NEVER: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class MaximumPrefix:
    """How many prefixes of one family a peer may have. Refused ones don't count.

    Args:
        limit: More than these end the session.
        warn_at: More than these are told, once a session.
        warning_only: More than the limit are only told too.
    """

    limit: int = MAX_PREFIXES_PER_PEER
    warn_at: int = MAX_PREFIXES_PER_PEER * 3 // 4
    warning_only: bool = False

    @property
    def watermark(self) -> int:
        """Beyond how many prefixes there is something to do first."""
        return min(self.warn_at, self.limit)

    def exceeded(self, family: Family, held: int) -> tuple[Finding, int]:
        """A peer has more prefixes than the watermark.

        Returns:
            What to say, and the next watermark.

        Raises:
            SessionError: They are too many: Cease/Maximum Number of Prefixes Reached.
        """
        if held <= self.limit:
            said = f"{held} {family} prefixes of the {self.limit} that maximum-prefix lets it have"
            return Finding(Action.NOTE, said), self.limit
        said = f"{held} {family} prefixes, and maximum-prefix lets it have {self.limit}"
        if self.warning_only:
            return Finding(Action.NOTE, said), _NEVER
        # RFC 4486 4: AFI, SAFI and the limit, in 16, 8 and 32 bits.
        data = family.afi.to_bytes(2) + bytes((family.safi,)) + self.limit.to_bytes(4)
        raise SessionError(ErrorCode.CEASE, CeaseSubcode.MAXIMUM_PREFIXES_REACHED, said, data)
