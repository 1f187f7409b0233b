"""The JSON Schema of the configuration, for editors, made from the table of fields."""

from reflector.config.fields import ROOT, Field, Mapping
from reflector.config.kinds import Schema


def json_schema() -> Schema:
    """The schema (JSON Schema 2020-12) of `reflector.yaml`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "bgp-reflector configuration",
        **_of_mapping(ROOT),
    }


def _of_mapping(mapping: Mapping) -> Schema:
    schema: Schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.key: _of_field(field) for field in mapping.fields},
    }
    if mapping.required:
        schema["required"] = list(mapping.required)
    return schema


def _of_field(field: Field) -> Schema:
    schema = _of_mapping(field.kind) if isinstance(field.kind, Mapping) else dict(field.kind.schema)
    if field.many:
        schema = {"type": "array", "items": schema, "uniqueItems": True}
    if field.nullable:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {"description": field.doc, **schema}
