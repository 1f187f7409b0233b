"""Who is told of a path, and in what form: what the peers of an update group have in common."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reflector.bgp.limits import MAX_MESSAGE_BYTES

if TYPE_CHECKING:
    from reflector.rib.policy import Policy


class Audience:
    """Kinds of peers, as a set of bits: who may be told of a path.

    Internal peers are clients or not (RFC 4456 5). External ones are ordinary, or clients of a route
    server (RFC 7947). Those with two-octet AS numbers are kinds of their own: a path that fits a
    message in one form may outgrow it in the other (RFC 6793 4.2.2). For the same reason those with
    extended messages are (RFC 8654). And those with long-lived graceful restart are, for nobody else
    is told of stale paths (RFC 9494 4.3). Plain integers, because the reflecting path compares them for
    every prefix.
    """

    NOBODY: Final = 0
    CLIENT: Final = 1
    NON_CLIENT: Final = 2
    EXTERNAL: Final = 4
    SERVED: Final = 8
    INTERNAL: Final = CLIENT | NON_CLIENT
    OUTSIDE: Final = EXTERNAL | SERVED
    ALL: Final = INTERNAL | OUTSIDE

    @staticmethod
    def as2(kinds: int) -> int:
        """These kinds as far as they have two-octet AS numbers."""
        return kinds << 4

    @staticmethod
    def extended(kinds: int) -> int:
        """Those of these kinds, of either width of AS numbers, that have extended messages."""
        return kinds << 8

    @staticmethod
    def any_form(kinds: int) -> int:
        """These kinds, whatever their capabilities."""
        return kinds * 0x1111_1111

    @staticmethod
    def long_lived(kinds: int) -> int:
        """Those of these kinds, whatever else they have, that have long-lived graceful restart."""
        return kinds << 16

    @staticmethod
    def usual_size(audience: int) -> int:
        """Those of an audience that have no extended messages."""
        return audience & 0x00FF_00FF


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
    policy: "Policy | None" = None
    most_bytes: int = MAX_MESSAGE_BYTES
    add_path: bool = False
    long_lived: bool = False
    usual: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        # Asked for every path that is written.
        object.__setattr__(self, "usual", self.as4 and not self.kind & Audience.OUTSIDE)

    @property
    def audience(self) -> int:
        """Their bit: a path whose audience has it may be told to them."""
        audience = self.kind if self.as4 else Audience.as2(self.kind)
        if self.most_bytes > MAX_MESSAGE_BYTES:
            audience = Audience.extended(audience)
        return Audience.long_lived(audience) if self.long_lived else audience
