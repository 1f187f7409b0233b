"""The schema, the commented file and the loader say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from reflector.config.field import Field, Mapping
from reflector.config.fields import ROOT
from reflector.config.model import Config
from reflector.config.schema import as_written, json_schema
from reflector.config.yaml_loader import load_yaml, parse_yaml

COMMENTED = Path(__file__).parents[3] / "config" / "reflector.yaml"


def mappings(mapping: Mapping = ROOT) -> Iterator[Mapping]:
    yield mapping
    for field in mapping.fields:
        if isinstance(field.kind, Mapping):
            yield from mappings(field.kind)


def objects(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every object schema within a schema."""
    if schema.get("type") == "object":
        yield schema
        for each in schema["properties"].values():
            yield from objects(each)
    for each in [*schema.get("anyOf", []), *([schema["items"]] if "items" in schema else [])]:
        yield from objects(each)


def test_the_commented_file_is_the_defaults() -> None:
    assert load_yaml(COMMENTED) == Config()


def test_the_commented_file_names_every_key() -> None:
    """Those of ranges and neighbors in comments, since no default shows them."""
    words = set(re.findall(r"[a-z][a-z-]*(?=:)", COMMENTED.read_text()))
    assert words >= {field.key for mapping in mappings() for field in mapping.fields}


def test_the_schema_knows_the_keys_of_the_loader() -> None:
    expected = [
        ({field.key for field in mapping.fields}, set(mapping.required)) for mapping in mappings()
    ]
    found = [
        (set(each["properties"]), set(each.get("required", []))) for each in objects(json_schema())
    ]
    assert found == expected
    assert all(each["additionalProperties"] is False for each in objects(json_schema()))
    assert all(
        key["description"] for each in objects(json_schema()) for key in each["properties"].values()
    )


def test_what_the_schema_calls_the_default_is_the_default() -> None:
    properties: dict[str, Any] = json_schema()["properties"]  # type: ignore[assignment]
    defaults = {key: schema["default"] for key, schema in properties.items() if "default" in schema}
    assert {"asn", "port", "networks", "ranges"} < defaults.keys()
    assert parse_yaml(yaml.safe_dump(defaults).encode(), "defaults") == Config()


def test_every_default_is_one_that_the_loader_takes() -> None:
    for mapping in mappings():
        for field in mapping.fields:
            default = mapping.default(field)
            if isinstance(field.kind, Mapping) or default in (None, ""):
                continue
            assert read(field, default) == default


def read(field: Field, default: object) -> object:
    assert not isinstance(field.kind, Mapping)
    if isinstance(default, tuple):
        return tuple(field.kind.read(str(as_written(each, field))) for each in default)
    text = str(as_written(default, field))
    return field.kind.read(text.lower() if isinstance(default, bool) else text)
