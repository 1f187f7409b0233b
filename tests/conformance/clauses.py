"""The clauses of the RFCs that concern the reflector: one TOML file an RFC, in `clauses/`.

    title = "Route Refresh Capability for BGP-4"

    [[clause]]
    at = "4 answer"
    asks = "A ROUTE-REFRESH is answered with the whole Adj-RIB-Out of its AFI/SAFI."

`at` is the section, with a word behind it where one section holds several rules. `asks` is what the
RFC wants. `ours` says what we do; without it, we do as asked. `state` is `met` unless it says
`partly`, `not met` or `not needed`; all but `met` need `ours` to say why.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent / "clauses"
MET, PARTLY, NOT_MET, NOT_NEEDED = "met", "partly", "not met", "not needed"
# What must be proved by a test.
PROVABLE: Final = (MET, PARTLY)


@dataclass(frozen=True)
class Clause:
    """One rule of an RFC, and where we stand."""

    rfc: str
    at: str
    asks: str
    ours: str
    state: str

    @property
    def key(self) -> tuple[str, str]:
        """What a test's mark names it by."""
        return self.rfc, self.at


@dataclass(frozen=True)
class Rfc:
    """An RFC and the clauses of it that concern us, in its own order."""

    number: str
    title: str
    clauses: tuple[Clause, ...]


def load(folder: Path = FOLDER) -> list[Rfc]:
    """Read all files, by the RFCs' numbers.

    Raises:
        ValueError: A file says something that is not understood, or not enough.
    """
    return [_read(path) for path in sorted(folder.glob("rfc*.toml"))]


def _read(path: Path) -> Rfc:
    number = path.stem.removeprefix("rfc")
    data = tomllib.loads(path.read_text())
    clauses = tuple(_clause(path, number, entry) for entry in data["clause"])
    twice = {clause.at for clause in clauses if [c.at for c in clauses].count(clause.at) > 1}
    if twice:
        raise ValueError(f"{path.name}: twice: {sorted(twice)}")
    return Rfc(number, data["title"], clauses)


def _clause(path: Path, number: str, entry: dict[str, str]) -> Clause:
    where = f"{path.name}, {entry.get('at')!r}"
    unknown = entry.keys() - {"at", "asks", "ours", "state"}
    missing = {"at", "asks"} - entry.keys()
    if unknown or missing:
        raise ValueError(f"{where}: unknown {sorted(unknown)}, missing {sorted(missing)}")
    state = entry.get("state", MET)
    if state not in (MET, PARTLY, NOT_MET, NOT_NEEDED):
        raise ValueError(f"{where}: the state {state!r}")
    if state != MET and "ours" not in entry:
        raise ValueError(f"{where}: {state}, and `ours` does not say why")
    return Clause(number, entry["at"], entry["asks"], entry.get("ours", "As asked."), state)
