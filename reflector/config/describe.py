"""The configuration as plain values, keyed as in the file: what is in force, without secrets."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Any, Final

from reflector.config import kinds
from reflector.config.field import Field, Mapping
from reflector.config.fields import ROOT
from reflector.config.model import Config, HttpListen

# Stands for every secret: whoever may see the configuration need not be who may sign.
HIDDEN: Final = "(hidden)"

_PLAIN: Final = (IPv4Address, IPv6Address, IPv4Network, IPv6Network, Path, HttpListen)


def describe(config: Config) -> dict[str, Any]:
    """The configuration that is in force.

    Args:
        config: Whole, with its defaults.

    Returns:
        Ready for JSON, every key of the file with its value; None where something else decides.
    """
    return _mapping(config, ROOT)


def _mapping(model: object, mapping: Mapping) -> dict[str, Any]:
    return {field.key: _value(_attribute(model, field), field) for field in mapping.fields}


def _attribute(model: object, field: Field) -> object:
    """A key's value in the model; settings that ranges and neighbors share lie one level deeper."""
    holder = model if hasattr(model, field.name) else getattr(model, "settings", None)
    return getattr(holder, field.name)


def _value(value: object, field: Field) -> object:
    if value is None:
        return None
    if isinstance(value, tuple):
        return [_item(each, field) for each in value]
    return _item(value, field)


def _item(value: object, field: Field) -> object:
    if isinstance(field.kind, Mapping):
        return _mapping(value, field.kind)
    if field.kind is kinds.PASSWORD:
        return HIDDEN
    return str(value) if isinstance(value, _PLAIN) else value
