"""`clear bgp`: sessions that are dropped, or routes that are exchanged anew, as FRR has it."""

from typing import Final

from reflector.vty.facts import ESTABLISHED, Reflector
from reflector.vty.grammar import Match

_UNKNOWN: Final = '% BGP: Unknown neighbor - "{}"'
_EVERYBODY: Final = "*"


def clear(reflector: Reflector, match: Match) -> str:
    """Clear one neighbor or all.

    Args:
        reflector: Whose.
        match: The command: hard, or soft in or out or both.

    Returns:
        Empty, as FRR says nothing where it is done.
    """
    softly = _direction(match)
    if _EVERYBODY in match.words:
        states = {
            each["address"]: each["state"] for each in reflector.get("neighbors")["neighbors"]
        }
        for address, state in states.items():
            if not softly or state == ESTABLISHED:
                _clear(reflector, address, softly)
        return ""
    return _clear(reflector, match.values["ADDRESS"], softly)


def _clear(reflector: Reflector, address: str, softly: str) -> str:
    try:
        if softly:
            reflector.post("neighbors", address, "refresh", direction=softly)
        else:
            reflector.post("neighbors", address, "clear")
    except LookupError:
        return _UNKNOWN.format(address)
    return ""


def _direction(match: Match) -> str:
    """Which routes are exchanged anew; empty where the session is dropped."""
    for direction in ("in", "out"):
        if direction in match.words:
            return direction
    return "both" if "soft" in match.words else ""
