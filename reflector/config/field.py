"""What a key of the configuration is, and a mapping of keys."""

from collections.abc import Callable
from dataclasses import MISSING, dataclass
from dataclasses import fields as dataclass_fields
from typing import Any

from reflector.config.kinds import Kind
from reflector.config.model import PeerSettings


@dataclass(frozen=True, slots=True)
class Field:
    """A key.

    Args:
        key: As the file has it.
        kind: Of its value, or of each item of its list, or the mapping that it holds.
        doc: What it is, in a sentence.
        many: Whether it holds a list.
        or_one: Whether the list's only item may stand without the list.
        nullable: Whether it may be empty or `null`, which means the default.
        attribute: The model's name for it, where that differs from the key.
        least: Items that a list must have.
    """

    key: str
    kind: "Kind | Mapping"
    doc: str
    many: bool = False
    or_one: bool = False
    nullable: bool = False
    attribute: str = ""
    least: int = 0

    @property
    def name(self) -> str:
        """The model's name for it."""
        return self.attribute or self.key.replace("-", "_")

    @property
    def may_be_empty(self) -> bool:
        """Whether it may stand without a value: mappings too, since all their keys may go."""
        return self.nullable or (isinstance(self.kind, Mapping) and not self.many)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping of the file.

    Args:
        fields: Its keys.
        model: What it describes; a key that is left out has this one's default.
        build: Makes the model's object of the values, keyed by `Field.name`, or raises ValueError
            with a sentence where they don't go together.
        required: Keys that must be there.
    """

    fields: tuple[Field, ...]
    model: type
    build: Callable[[dict[str, Any]], object]
    required: tuple[str, ...] = ()

    def default(self, field: Field) -> object:
        """What holds where a key is left out; None where something else decides, or it must be."""
        for model in (self.model, PeerSettings):
            for each in dataclass_fields(model):
                if each.name == field.name:
                    return None if each.default is MISSING else each.default
        raise LookupError(field.key)


def plain(build: Callable[..., object]) -> Callable[[dict[str, Any]], object]:
    """Build of values alone."""
    return lambda values: build(**values)
