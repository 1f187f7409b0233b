"""All hostile cases, in the order in which they are told of."""

from __future__ import annotations

from collections import Counter

from tests.hostile.case import Case
from tests.hostile.tables import attributes, headers, opens, paths, states, updates

TABLES = {
    "Message header": headers,
    "OPEN": opens,
    "States and timers": states,
    "Path attributes": attributes,
    "AS paths": paths,
    "UPDATE and NLRI": updates,
}


def cases() -> list[Case]:
    """All of them; no two have the same name."""
    found = [case for table in TABLES.values() for case in table.cases()]
    twice = [name for name, count in Counter(case.name for case in found).items() if count > 1]
    if twice:
        raise ValueError(f"twice: {twice}")
    return found
