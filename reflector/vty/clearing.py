"""`clear bgp`: sessions that are dropped, or routes that are exchanged anew, as FRR has it."""

from collections.abc import Iterable
from typing import Final

from reflector.vty.facts import ESTABLISHED, Reflector, View
from reflector.vty.grammar import Match

_UNKNOWN: Final = '% BGP: Unknown neighbor - "{}"'
_EVERYBODY: Final = "*"


def clear(reflector: Reflector, match: Match, neighbors: Iterable[View]) -> str:
    """Clear one neighbor or all.

    Args:
        reflector: Whose.
        match: The command: hard, or soft in or out or both.
        neighbors: All that there are, connected or not.

    Returns:
        Empty, as FRR says nothing where it is done.
    """
    softly = _direction(match)
    states = {each["address"]: each["state"] for each in neighbors}
    if _EVERYBODY in match.words:
        for address, state in states.items():
            if not softly or state == ESTABLISHED:
                _clear(reflector, address, softly)
        return ""
    address = match.values["ADDRESS"]
    is_clear = _clear(reflector, address, softly) or address in states
    return "" if is_clear else _UNKNOWN.format(address)


def _clear(reflector: Reflector, address: str, softly: str) -> bool:
    """Clear one; whether it has a connection."""
    try:
        if softly:
            reflector.post("neighbors", address, "refresh", direction=softly)
        else:
            reflector.post("neighbors", address, "clear")
    except LookupError:
        return False
    return True


def _direction(match: Match) -> str:
    """Which routes are exchanged anew; empty where the session is dropped."""
    for direction in ("in", "out"):
        if direction in match.words:
            return direction
    return "both" if "soft" in match.words else ""
