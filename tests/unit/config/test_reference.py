"""The documentation says of every key and statement what the code says of it."""

from __future__ import annotations

import json
from pathlib import Path

from reflector.config.field import Field, Mapping
from reflector.config.fields import ROOT
from reflector.config.frr_statements import COSMETIC, REFUSED, REFUSED_NO, UNDERSTOOD
from reflector.config.schema import as_written

DOCS = Path(__file__).resolve().parents[3] / "docs"


def tables(document: str) -> list[list[str]]:
    """The rows of a document's tables, without their heads."""
    found: list[list[str]] = [[]]
    for line in (DOCS / document).read_text().splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [table[2:] for table in found if table]


def keys(mapping: Mapping, prefix: str = "") -> list[str]:
    """The lines of the reference's table, one for each key."""
    found = []
    for field in mapping.fields:
        key = f"{prefix}{field.key}{'[]' if field.many else ''}"
        found.append(f"| `{key}` | {values(field)} | {default(field, mapping)} | {field.doc} |")
        if isinstance(field.kind, Mapping):
            found += keys(field.kind, f"{key}.")
    return found


def values(field: Field) -> str:
    """What a key may be."""
    if isinstance(field.kind, Mapping):
        return "mappings" if field.many else "mapping"
    return field.kind.says


def default(field: Field, mapping: Mapping) -> str:
    if field.key in mapping.required:
        return "required"
    value = mapping.default(field)
    if value in (None, "") or (isinstance(field.kind, Mapping) and not field.many):
        return ""
    written = as_written(value, field)
    if isinstance(written, list) and written and isinstance(written[0], dict):
        return ", ".join(f"`{name}`" for each in written for name in each.values())
    return f"`{written if isinstance(written, str) else json.dumps(written)}`".replace('"', "")


def statements(table: dict[str, str], no: str = "") -> list[str]:
    return [f"| `{no}{entry}` | {said} |" for entry, said in table.items()]


def test_the_table_of_keys_is_the_code_s() -> None:
    (table,) = tables("configuration.md")
    expected = keys(ROOT)
    assert table == expected, "\n".join(["the table should be", *expected])


def test_the_tables_of_frr_s_statements_are_the_code_s() -> None:
    expected = [
        statements(UNDERSTOOD),
        statements(COSMETIC),
        [*statements(REFUSED), *statements(REFUSED_NO, "no ")],
    ]
    for table, rows in zip(tables("frr.md"), expected, strict=True):
        assert table == rows, "\n".join(["the table should be", *rows])
