"""Who watches what peers say, UPDATE by UPDATE, as far as `net` knows of them."""

from typing import Protocol

from reflector.bgp.events import Closed
from reflector.speaker import Peer


class Monitor(Protocol):
    """Told of sessions and their UPDATEs, while it is among `Peering.monitors`.

    It must return at once and raise nothing: routing waits for it.
    """

    def peer_up(self, peer: Peer) -> None:
        """A session is established."""

    def update(self, peer: Peer, body: bytes) -> None:
        """A peer has sent an UPDATE, which is not looked into yet."""

    def peer_down(self, peer: Peer, closed: Closed) -> None:
        """A session is over."""
