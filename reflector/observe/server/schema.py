"""JSON Schema's words (2020-12, as OpenAPI 3.1 uses it), as far as the API's description needs them."""

from collections.abc import Mapping

Schema = Mapping[str, object]


def text(says: str = "", *, null: bool = False, one_of: tuple[str, ...] = ()) -> Schema:
    """A string.

    Args:
        says: What it holds.
        null: Whether there may be none.
        one_of: All that it can be, where that is known.
    """
    return _value("string", says, null=null) | ({"enum": list(one_of)} if one_of else {})


def address(says: str) -> Schema:
    """An IPv4 or IPv6 address that is asked for."""
    return _value("string", says) | {"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]}


def integer(
    says: str = "", *, null: bool = False, least: int = 0, most: int | None = None
) -> Schema:
    """A whole number.

    Args:
        says: What it counts.
        null: Whether there may be none.
        least: The smallest.
        most: The largest; None where there is none.
    """
    bounds = {"minimum": least} if most is None else {"minimum": least, "maximum": most}
    return _value("integer", says, null=null) | bounds


def number(says: str, *, null: bool = False) -> Schema:
    """A number, of seconds mostly."""
    return _value("number", says, null=null)


def truth(says: str) -> Schema:
    """True or false."""
    return _value("boolean", says)


def several(items: Schema, says: str = "") -> Schema:
    """A list.

    Args:
        items: What each of it is.
        says: What it holds.
    """
    return _value("array", says) | {"items": items}


def by_name(values: Schema, says: str) -> Schema:
    """An object whose keys are not known before.

    Args:
        values: What each of them holds.
        says: What it holds.
    """
    return _value("object", says) | {"additionalProperties": values}


def shape(
    keys: Mapping[str, Schema],
    absent: Mapping[str, Schema] | None = None,
    says: str = "",
    *,
    more: bool = False,
) -> Schema:
    """An object.

    Args:
        keys: That it always has.
        absent: Those that it may lack.
        says: What it is.
        more: Whether it has others, which are not told here.
    """
    schema = _value("object", says) | {"properties": {**keys, **(absent or {})}}
    if keys:
        schema["required"] = list(keys)
    if more:
        schema["additionalProperties"] = True
    return schema


def or_null(schema: Schema, says: str) -> Schema:
    """What a schema says, or nothing."""
    return {"anyOf": [schema, {"type": "null"}], "description": says}


def one(name: str) -> Schema:
    """A schema of the description's components, by its name there."""
    return {"$ref": f"#/components/schemas/{name}"}


def _value(kind: str, says: str, *, null: bool = False) -> dict[str, object]:
    schema: dict[str, object] = {"type": [kind, "null"] if null else kind}
    if says:
        schema["description"] = says
    return schema
