"""What peers do and say in ExaBGP's JSON, one object a line, for scripts that were written for ExaBGP."""

import json
import os
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

from reflector.bgp.codec import exabgp_json_version, notification_as_exabgp, update_as_exabgp
from reflector.bgp.notification import Notification
from reflector.observe.export.feed import Down, Item, Said, Up
from reflector.observe.reflector import Reflector
from reflector.speaker import Peer

View = dict[str, Any]


class Writer:
    """Writes lines for one follower.

    Args:
        reflector: Who is told of.
    """

    def __init__(self, reflector: Reflector) -> None:
        self._identity = reflector.speaker.identity
        self._version = exabgp_json_version()
        self._counts: Counter[Peer] = Counter()
        self._process = {
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "ppid": os.getppid(),
        }

    def lines(self, item: Item) -> Iterator[str]:
        """What ExaBGP would write for something that happened."""
        match item:
            case Up():
                yield self._line(item, "state", {"state": "up"})
            case Said(peer=peer, body=body):
                message = update_as_exabgp(body, peer.negotiated)
                yield self._line(item, "update", {"direction": "receive", "message": message})
            case Down(peer=peer, closed=closed):
                reason = closed.reason
                if closed.sent is not None:
                    reason = _numbers("sent", closed.sent)
                    yield self._notification(item, "send", closed.sent)
                if closed.received is not None:
                    reason = _numbers("received", closed.received)
                    yield self._notification(item, "receive", closed.received)
                yield self._line(item, "state", {"state": "down", "reason": reason})
                del self._counts[peer]

    def _notification(self, item: Item, direction: str, said: Notification) -> str:
        content = notification_as_exabgp(said.code, said.subcode, said.data)
        return self._line(item, "notification", {"direction": direction, "notification": content})

    def _line(self, item: Item, kind: str, content: View) -> str:
        peer = item.peer
        self._counts[peer] += 1
        neighbor = {
            "address": {"local": str(peer.local_address), "peer": str(peer.source.address)},
            "asn": {"local": self._identity.asn, "peer": peer.negotiated.remote.asn},
            "router-id": str(self._identity.router_id),
        }
        whole = {
            "exabgp": self._version,
            "time": item.at_s,
            **self._process,
            "counter": self._counts[peer],
            "type": kind,
            "neighbor": neighbor | content,
        }
        return json.dumps(whole) + "\n"


def _numbers(what: str, said: Notification) -> str:
    return f"notification {what} ({said.code},{said.subcode})"
