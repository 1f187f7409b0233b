"""In what form paths are told: what the peers of an update group have in common."""

from dataclasses import dataclass, field

from reflector.bgp.limits import MAX_MESSAGE_BYTES
from reflector.rib.audience import Audience
from reflector.rib.policy import Policy


@dataclass(frozen=True, slots=True)
class Form:
    """In what form peers are told of paths. Peers of one form share an update group.

    Args:
        kind: One of the `Audience`.
        as4: Whether they use four-octet AS numbers (RFC 6793).
        local_as: Our AS number, to be prepended for external peers.
        policy: Which routes they are told of, None for all.
        most_bytes: Of a message: more than usual where they have extended ones (RFC 8654).
        add_path: Whether they are told of every path of a prefix, each with its path identifier
            (RFC 7911), and not of the best alone.
        long_lived: Whether they are told of long-lived stale paths (RFC 9494).

    Attributes:
        usual: Whether it is the form in which a path is kept: nothing is to be rewritten.
    """

    kind: int
    as4: bool = True
    local_as: int = 0
    policy: Policy | None = None
    most_bytes: int = MAX_MESSAGE_BYTES
    add_path: bool = False
    long_lived: bool = False
    usual: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # Asked for every path that is written.
        object.__setattr__(self, "usual", self.as4 and not self.kind & Audience.OUTSIDE)

    @property
    def needs_candidates(self) -> bool:
        """Whether what they are told of depends on other paths than the best."""
        return self.add_path or (self.policy is not None and bool(self.policy.lines))

    @property
    def audience(self) -> int:
        """Their bit: a path whose audience has it may be told to them."""
        audience = self.kind if self.as4 else Audience.as2(self.kind)
        if self.most_bytes > MAX_MESSAGE_BYTES:
            audience = Audience.extended(audience)
        return Audience.long_lived(audience) if self.long_lived else audience
