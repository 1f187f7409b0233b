"""The JSON Schema of the configuration, for editors, made from the table of fields."""

from reflector.config.field import Field, Mapping
from reflector.config.fields import ROOT
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
        "properties": {
            field.key: _of_field(field) | _default_of(field, mapping) for field in mapping.fields
        },
    }
    if mapping.required:
        schema["required"] = list(mapping.required)
    return schema


def _of_field(field: Field) -> Schema:
    schema = _of_mapping(field.kind) if isinstance(field.kind, Mapping) else dict(field.kind.schema)
    if field.many:
        one = schema
        schema = {"type": "array", "items": one, "uniqueItems": True}
        if field.least:
            schema["minItems"] = field.least
        if field.or_one:
            schema = {"anyOf": [one, schema]}
    if field.may_be_empty:
        schema = {"anyOf": [schema, {"type": "null"}]}
    return {"description": field.doc, **schema}


def _default_of(field: Field, mapping: Mapping) -> Schema:
    default = mapping.default(field)
    # A mapping's default is that of its keys; an empty description is none.
    if default in (None, "") or (isinstance(field.kind, Mapping) and not field.many):
        return {}
    return {"default": as_written(default, field)}


def as_written(value: object, field: Field) -> object:
    """A default as the file would have it, in JSON's types."""
    if isinstance(value, tuple):
        return [as_written(item, field) for item in value]
    if isinstance(field.kind, Mapping):
        return {
            each.key: as_written(getattr(value, each.name), each)
            for each in field.kind.fields
            if each.key in field.kind.required
        }
    return value if isinstance(value, bool | int) else str(value)
