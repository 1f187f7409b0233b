"""The log at level debug: what peers say, message by message."""

from typing import Final

from reflector.bgp.events import Closed
from reflector.bgp.vocabulary import MessageType
from reflector.bgp.words import read_message
from reflector.observe.journal.log import Log
from reflector.observe.journal.wording import DEBUG, Line, identify_peer, name_peer
from reflector.reports import PeerName
from reflector.speaker import Peer

_EVENT: Final = "said"


class DebugLog:
    """A `Monitor` that writes every UPDATE, and of a session that comes up the OPEN behind it.

    Nothing holds its lines back: whoever asks for all wants all. What stderr doesn't take is counted.

    Args:
        log: Where to.
    """

    def __init__(self, log: Log) -> None:
        self._log = log

    def peer_up(self, peer: Peer) -> None:
        """A session is established."""
        remote = peer.negotiated.remote
        offered = ", ".join(map(str, remote.capabilities.codes)) or "none"
        self._write(
            peer,
            f"OPEN: AS {remote.asn}, hold time {remote.hold_time_s} s, router id {remote.bgp_id}, "
            f"capabilities {offered}",
        )

    def update(self, peer: Peer, body: bytes) -> None:
        """A peer has sent an UPDATE, which is not looked into yet."""
        negotiated = peer.negotiated
        words = read_message(
            MessageType.UPDATE,
            body,
            as4=negotiated.as4,
            add_path=negotiated.add_path_receive,
        )
        self._write(peer, f"UPDATE: {words.fault or words.says}")

    def peer_down(self, peer: Peer, closed: Closed) -> None:
        """A session is over, which has a line of its own."""

    def _write(self, peer: Peer, said: str) -> None:
        remote = peer.negotiated.remote
        name = PeerName(peer.source.address, str(remote.bgp_id), remote.capabilities.host_name)
        self._log.write(Line(DEBUG, _EVENT, f"{name_peer(name)}: {said}", identify_peer(name)))
