"""Which AS a peer may be in, and whether that makes it internal or external (RFC 4271 1.1)."""

from dataclasses import dataclass
from typing import Final

from reflector.bgp.vocabulary import AS_TRANS

_MAX_SHOWN: Final = 5  # AS numbers in a sentence


@dataclass(frozen=True, slots=True)
class RemoteAs:
    """The ASes that a peer may be in.

    Args:
        internal: Our own.
        external: Every other.
        numbers: These, whichever they are.
    """

    internal: bool = True
    external: bool = False
    numbers: frozenset[int] = frozenset()

    def accepts(self, asn: int, ours: int) -> bool:
        """Whether a peer may be in an AS.

        RFC 7607 2: AS 0 in an OPEN is a Bad Peer AS, whatever we expected. AS_TRANS names nobody.
        """
        if asn in (0, AS_TRANS):
            return False
        return asn in self.numbers or (self.internal if asn == ours else self.external)

    def refusal(self, asn: int, ours: int) -> str:
        """Say what is wrong with an AS that is not accepted, and which flag to change."""
        if asn in (0, AS_TRANS):
            return f"the peer says that it is in AS {asn}, which is nobody's: give it another AS"
        if asn == ours:
            return (
                f"the peer is in our own AS {ours}, and its remote-as here lets in {self._others()}: "
                f"start kube-router with {self._flag()}, or set remote-as to any"
            )
        if self.internal and not self.numbers:
            return (
                f"the peer is in AS {asn} and we are in AS {ours}: "
                f"start kube-router with --cluster-asn={ours} (or the reflector with --asn={asn}; "
                "for clusters in ASes of their own set remote-as to any)"
            )
        return (
            f"the peer is in AS {asn}, and its remote-as here lets in {self._others()}: "
            f"start kube-router with {self._flag()}, or add {asn} to remote-as"
        )

    def _others(self) -> str:
        """Who is let in, in words."""
        shown = [f"AS {asn}" for asn in sorted(self.numbers)]
        if len(shown) > _MAX_SHOWN:
            shown = [*shown[:_MAX_SHOWN], f"{len(shown) - _MAX_SHOWN} more"]
        if self.internal:
            shown.append("our own AS")
        if self.external:
            shown.append("every AS but ours")
        return " and ".join(shown)

    def _flag(self) -> str:
        if len(self.numbers) == 1:
            return f"--cluster-asn={next(iter(self.numbers))}"
        return "another --cluster-asn"


INTERNAL: Final = RemoteAs()
