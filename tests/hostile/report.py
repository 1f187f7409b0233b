"""What the hostile cases gave, as a table for the terminal and as docs/hostile.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.hostile.case import Case
from tests.hostile.suite import TABLES


@dataclass(frozen=True)
class Verdict:
    """What came of a case with one reflector, and whether it may; nothing if it was not played."""

    passed: bool
    words: str

    @property
    def played(self) -> bool:
        """Whether the reflector, as it could be started, can be judged by it."""
        return bool(self.words)


NOT_PLAYED: Final = Verdict(passed=False, words="")


_HEAD: Final = """\
# Hostile input, side by side

Malformed and hostile messages, sent over TCP to reflectors that were started for it, while a
healthy pair of peers goes on exchanging routes. What may come of a case is taken from the RFC's
words, not from what an implementation does; where they leave a choice, each choice passes. A case
fails too if a healthy peer loses its session or is not served any more.

The cases: `tests/hostile/tables`. The command, as root, with the daemons of `.ci/install-new-peers`:

    BENCH_PEER_ROOT=ROOT python -m tests.hostile --against {names} --write

All cases against ours are part of the gate (`tests/hostile/test_hostile.py`).
"""
_DIFFER: Final = """\
Cases that not all passed. ✓: passed. -: not played, because FRR 10 without zebra takes no session
for IPv6 routes over IPv4. Else what came of it.
"""


def table(
    chosen: Sequence[Case], verdicts: Mapping[str, Sequence[Verdict]], titles: Mapping[str, str]
) -> str:
    """Totals by table of cases, in columns."""
    names = list(verdicts)
    rows = [["", *(titles[name] for name in names)], *_totals(chosen, verdicts, names)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(names) + 1)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def document(
    chosen: Sequence[Case], verdicts: Mapping[str, Sequence[Verdict]], titles: Mapping[str, str]
) -> str:
    """The whole document: totals, and each case that not all passed."""
    names = list(verdicts)
    head = [
        f"| {' | '.join(['Passed', *(titles[name] for name in names)])} |",
        _rule(len(names) + 1),
    ]
    totals = [f"| {' | '.join(row)} |" for row in _totals(chosen, verdicts, names)]
    odd_head = [f"| Case | Clause | May | {' | '.join(names)} |", _rule(len(names) + 3)]
    odd = [
        f"| {case.name} | {case.rfc} | {'; '.join(o.words for o in case.may)} | "
        + " | ".join(_cell(verdicts[name][i]) for name in names)
        + " |"
        for i, case in enumerate(chosen)
        if any(verdicts[name][i].played and not verdicts[name][i].passed for name in names)
    ]
    return "\n".join(
        (
            _HEAD.format(names=",".join(names)),
            *head,
            *totals,
            "\n## Where they differ\n",
            _DIFFER,
            *odd_head,
            *odd,
            "",
        )
    )


def _totals(
    chosen: Sequence[Case], verdicts: Mapping[str, Sequence[Verdict]], names: list[str]
) -> list[list[str]]:
    rows = []
    for title, module in TABLES.items():
        own = {case.name for case in module.cases()}
        at = [i for i, case in enumerate(chosen) if case.name in own]
        if at:
            cells = [_sum([verdicts[name][i] for i in at]) for name in names]
            rows.append([f"{title} ({len(at)})", *cells])
    return [*rows, [f"All ({len(chosen)})", *(_sum(verdicts[name]) for name in names)]]


def _sum(verdicts: Sequence[Verdict]) -> str:
    passed = sum(verdict.passed for verdict in verdicts)
    played = sum(verdict.played for verdict in verdicts)
    return str(passed) if played == len(verdicts) else f"{passed} of {played}"


def _rule(columns: int) -> str:
    return "|" + "---|" * columns


def _cell(verdict: Verdict) -> str:
    if not verdict.played:
        return "-"
    return "✓" if verdict.passed else verdict.words.replace("|", "/")
