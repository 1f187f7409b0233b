"""Who may be told of a path: kinds of peers."""

from typing import Final


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
