"""docs/configuration.md says of every key what the code says of it."""

from __future__ import annotations

from pathlib import Path

from reflector.config.fields import ROOT, Mapping

REFERENCE = Path(__file__).resolve().parents[3] / "docs" / "configuration.md"


def rows(mapping: Mapping, prefix: str = "") -> list[str]:
    """The lines of the reference's table, one for each key."""
    found = []
    for field in mapping.fields:
        key = f"{prefix}{field.key}{'[]' if field.many else ''}"
        found.append(f"| `{key}` | {field.doc} |")
        if isinstance(field.kind, Mapping):
            found += rows(field.kind, f"{key}.")
    return found


def test_the_table_is_the_code_s() -> None:
    table = [line for line in REFERENCE.read_text().splitlines() if line.startswith("| `")]
    assert table == rows(ROOT)

