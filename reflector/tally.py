"""What sessions have carried in all: counters that don't begin anew with each session."""

from dataclasses import dataclass

from reflector.speaker import Peer


@dataclass(slots=True)
class Tally:
    """A sum over sessions.

    Attributes:
        updates: UPDATEs that peers sent.
        announced: Prefixes announced by them.
        withdrawn: Prefixes withdrawn by them.
        rejected: Prefixes rejected of them.
        bytes_in: Octets read.
        bytes_out: Octets sent.
    """

    updates: int = 0
    announced: int = 0
    withdrawn: int = 0
    rejected: int = 0
    bytes_in: int = 0
    bytes_out: int = 0

    def add(self, peer: Peer, *, bytes_in: int, bytes_out: int) -> None:
        """Take a session in.

        Args:
            peer: Whose.
            bytes_in: Octets read on its connection.
            bytes_out: Octets sent on it.
        """
        counters = peer.counters
        self.updates += counters.updates
        self.announced += counters.announced
        self.withdrawn += counters.withdrawn
        self.rejected += counters.refused
        self.bytes_in += bytes_in
        self.bytes_out += bytes_out
