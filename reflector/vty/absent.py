"""Neighbors that the configuration names and that have no connection now."""

import time
from typing import Final

from reflector.vty.facts import View

# FRR's word for a neighbor whose connection is waited for.
_STATE: Final = "Active"
_MESSAGES: Final = ("open", "notification", "update", "keepalive", "route_refresh")


def absent(settings: View, config: View, left: View | None) -> View:
    """A neighbor without a connection, with what is known of every neighbor.

    Args:
        settings: Its own, of /api/v1/config.
        config: /api/v1/config.
        left: What /api/v1/clusters says of it, if it has had a session.
    """
    accepted = settings["remote-as"]
    asn = config["asn"] if accepted == ["internal"] else accepted[0]
    none = dict.fromkeys(_MESSAGES, 0)
    past: View = {"sessions": 0}
    if left is not None:
        past = {
            "sessions": left["sessions"],
            "reset_s": time.time() - left["since"],
            "reset_reason": left["reason"],
        }
    return past | {
        "address": settings["address"],
        "dynamic": False,
        "state": _STATE,
        "in_state_s": 0.0,
        # FRR has 0 for one that may be in several ASes.
        "asn": asn if len(accepted) == 1 and isinstance(asn, int) else 0,
        "router_id": None,
        "host_name": "",
        "description": settings["description"],
        "families": settings["families"] or config["families"],
        "messages": {"received": none, "sent": none},
    }
