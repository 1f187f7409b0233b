"""docs/conformance.md: the clauses, and the tests that prove them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Final

from tests.conformance.clauses import MET, PROVABLE, Clause, Rfc
from tests.conformance.marks import HOSTILE, Mark

DOCUMENT: Final = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
_NAMED_PER_FILE: Final = 3

_HEAD: Final = """\
# Conformance

What the RFCs ask of a BGP speaker that is a route reflector, clause by clause, what ours does, and
which tests prove it. Written by `make conformance` from `tests/conformance/clauses` and from the
marks on the tests; a test fails when it is not what they say, when a clause that is met names no
test, or when a test names a clause that is not here. A clause that is not met says so.

A section with a word behind it is one of several rules of that section. A dash: no test.
"""


def problems(rfcs: Iterable[Rfc], marks: Iterable[Mark]) -> list[str]:
    """Say what clauses and marks have to mend in each other."""
    clauses = {clause.key: clause for rfc in rfcs for clause in rfc.clauses}
    proved = {(mark.rfc, mark.at) for mark in marks}
    unknown = [
        f"{mark.path}::{mark.test} names RFC {mark.rfc} {mark.at!r}, "
        f"which tests/conformance/clauses/rfc{mark.rfc}.toml does not have"
        for mark in marks
        if (mark.rfc, mark.at) not in clauses
    ]
    bare = [
        f"RFC {clause.rfc} {clause.at!r} is said to be {clause.state}, and no test names it"
        for key, clause in clauses.items()
        if clause.state in PROVABLE and key not in proved
    ]
    return unknown + bare


def render(rfcs: list[Rfc], marks: Iterable[Mark]) -> str:
    """Write the document."""
    tests: dict[tuple[str, str], list[Mark]] = defaultdict(list)
    for mark in marks:
        tests[mark.rfc, mark.at].append(mark)
    states = Counter(clause.state for rfc in rfcs for clause in rfc.clauses)
    parts = [_HEAD, _totals(rfcs, states)]
    for rfc in rfcs:
        rows = [_row(clause, tests[clause.key]) for clause in rfc.clauses]
        parts.append(
            "\n".join(
                (
                    f"## RFC {rfc.number}: {rfc.title}\n",
                    "| Clause | Asked | Ours | Proved by |",
                    "|---|---|---|---|",
                    *rows,
                    "",
                )
            )
        )
    return "\n".join(parts)


def _totals(rfcs: list[Rfc], states: Counter[str]) -> str:
    counts = ", ".join(f"{states[state]} {state}" for state in sorted(states, key=_rank))
    return f"{len(rfcs)} RFCs, {sum(states.values())} clauses: {counts}.\n"


def _rank(state: str) -> int:
    return ("met", "partly", "not met", "not needed").index(state)


def _row(clause: Clause, marks: list[Mark]) -> str:
    ours = clause.ours if clause.state == MET else f"**{clause.state.capitalize()}.** {clause.ours}"
    cells = (clause.at, clause.asks, ours, _proof(marks))
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"


def _proof(marks: list[Mark]) -> str:
    files = []
    for path, group in groupby(marks, key=lambda mark: mark.path):
        names = [mark.test for mark in group]
        if path == HOSTILE:
            files.append(f"[hostile](hostile.md): {len(names)} case{'s' * (len(names) > 1)}")
            continue
        shown = ", ".join(f"`{name}`" for name in names[:_NAMED_PER_FILE])
        more = f" and {len(names) - _NAMED_PER_FILE} more" if len(names) > _NAMED_PER_FILE else ""
        files.append(f"[{path.removeprefix('tests/')}](../{path}): {shown}{more}")
    return "; ".join(files) or "-"
