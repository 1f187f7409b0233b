"""Reads the YAML file: every mistake at once, each with its place.

The file is parsed to nodes and no further: YAML's own ideas of what a scalar means never come into
play, and each node knows its line and column.
"""

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, Protocol

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from reflector.config.checks import conflicts
from reflector.config.errors import ConfigError, Finding
from reflector.config.field import Field, Mapping
from reflector.config.fields import ROOT
from reflector.config.model import Config
from reflector.config.source import decode, only, read_text

# Nodes visited: aliases can make a small file mean an endless one.
_MAX_NODES: Final = 200_000
# Composing recurses; a file of a thousand brackets must not end in a RecursionError.
_MAX_DEPTH: Final = 32
_MAX_SHOWN: Final = 40  # characters of a key that is unknown


def load_yaml(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: With everything that is wrong with it.
    """
    return _config_of(read_text(path), str(path))


def parse_yaml(content: bytes, name: str) -> Config:
    """Make a configuration of a file's content.

    Args:
        content: UTF-8.
        name: Of the file, for messages.

    Raises:
        ConfigError: With everything that is wrong with it.
    """
    return _config_of(decode(content, name), name)


def _config_of(text: str, name: str) -> Config:
    root, findings = _compose(text, name)
    reader = _Reader(name, findings)
    values = {} if root is None or _is_empty(root) else reader.mapping(root, ROOT, "")
    if not findings:
        config = ROOT.build(values)
        assert isinstance(config, Config)  # noqa: S101 - what ROOT builds
        for key, what in conflicts(config):
            reader.blame_key(key, what)
        if not findings:
            return config
    raise ConfigError(sorted(findings, key=lambda each: (each.line, each.column)))


class _Composer(yaml.SafeLoader):
    """Makes nodes of the text, and finds what a configuration has no use for."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__(text)
        self.findings: list[Finding] = []
        self._file = name
        self._depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:  # noqa: ANN401 - PyYAML's
        """Compose a node, as PyYAML calls it for each."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        # Every scalar is read by its key's kind; a tag could only contradict it.
        if getattr(event, "tag", None) is not None:
            self.findings.append(_at(event.start_mark, self._file, "", _TAGGED.format(event.tag)))
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise ConfigError([_at(event.start_mark, self._file, "", "is nested too deeply")])
        node: Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


_TAGGED: Final = "the tag {!r} has no meaning here: leave it out"


def _compose(text: str, name: str) -> tuple[Node | None, list[Finding]]:
    """Parse the text to its root, with findings on tags.

    Raises:
        ConfigError: It is no YAML, or not one document.
    """
    try:
        composer = _Composer(text, name)
        return composer.get_single_node(), composer.findings
    except yaml.composer.ComposerError as error:
        what = error.problem or ""
        if "another document" in what:
            what = "holds several documents, and only one can count: take out this ---"
        raise ConfigError([_at(error.problem_mark, name, "", what)]) from error
    except yaml.MarkedYAMLError as error:
        what = f"not valid YAML: {error.problem or error.context}{_advice(error)}"
        raise ConfigError(
            [_at(error.problem_mark or error.context_mark, name, "", what)]
        ) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        what = f"not valid YAML: a control character (U+{ord(text[error.position]):04X})"
        raise ConfigError([Finding(name, line, 0, "", what)]) from error
    except (ValueError, OverflowError) as error:
        # PyYAML lets some senseless escapes and %YAML directives through to int() and chr().
        raise only(name, "not valid YAML: a number in an escape or directive is too large") from (
            error
        )


def _advice(error: yaml.MarkedYAMLError) -> str:
    """What to do about mistakes that are common and whose messages tell little."""
    problem = error.problem or ""
    if "'\\t'" in problem:
        return ": indent by spaces, not by tabs"
    if "mapping values are not allowed" in problem:
        return ": put quotes around a value with a colon in it, and look at the indentation"
    return ""


class _Mark(Protocol):
    """A place in the text, counted from 0."""

    line: int
    column: int


class _Reader:
    """Walks the nodes along the table of fields and collects what is wrong."""

    def __init__(self, name: str, findings: list[Finding]) -> None:
        self._findings = findings
        self._name = name
        self._nodes = 0
        self._places: dict[str, Node] = {}

    def mapping(self, node: Node, mapping: Mapping, key: str) -> dict[str, Any]:
        """The values of a mapping's keys, as far as they are right."""
        values: dict[str, Any] = {}
        if not isinstance(node, MappingNode):
            self._blame(node, key, f"must be a mapping of {_names(mapping)}")
            return values
        known = {field.key: field for field in mapping.fields}
        seen: dict[str, int] = {}
        for key_node, value_node in self._visit(node.value):
            word = str(key_node.value) if isinstance(key_node, ScalarNode) else "?"
            path = f"{key}.{word[:_MAX_SHOWN]}" if key else word[:_MAX_SHOWN]
            field = known.get(word)
            if field is None:
                self._blame(key_node, path, f"unknown key{_hint(word, known)}")
            elif word in seen:
                self._blame(key_node, path, f"appears twice, first in line {seen[word]}")
            else:
                seen[word] = key_node.start_mark.line + 1
                self._field(value_node, field, path, values)
        for missing in mapping.required:
            if missing not in seen:
                self._blame(node, key, f"{missing} is missing")
        return values

    def blame_key(self, key: str, what: str) -> None:
        """Find fault with a key that was read; one that has no place was left to its default."""
        node = self._places.get(key)
        self._findings.append(_at(node.start_mark if node else None, self._name, key, what))

    def _field(self, node: Node, field: Field, path: str, values: dict[str, Any]) -> None:
        """Read a key's value into the values, if it is right."""
        self._places[path] = node
        if field.many:
            values[field.name] = self._items(node, field, path)
        elif not _is_empty(node):
            ok, value = self._value(node, field, path)
            if ok:
                values[field.name] = value
        elif not field.may_be_empty:
            self._blame(node, path, "has no value: give one, or leave the key out")

    def _items(self, node: Node, field: Field, path: str) -> tuple[object, ...]:
        """The items of a list, as far as they are right."""
        if field.or_one and isinstance(node, ScalarNode) and not _is_empty(node):
            ok, value = self._value(node, field, path)
            return (value,) if ok else ()
        if not isinstance(node, SequenceNode):
            self._blame(node, path, "must be a list: [] for none, or an item a line behind '- '")
            return ()
        if len(node.value) < field.least:
            self._blame(node, path, "needs at least one item")
        items: list[object] = []
        seen: set[object] = set()
        for index, item in enumerate(self._visit(node.value)):
            key = f"{path}[{index}]"
            self._places[key] = item
            ok, value = self._value(item, field, key)
            if not ok:
                continue
            # Mappings are alike where their names are, whatever else they say: see `conflicts`.
            if not isinstance(field.kind, Mapping):
                if value in seen:
                    self._blame(item, key, "is there twice")
                    continue
                seen.add(value)
            items.append(value)
        return tuple(items)

    def _value(self, node: Node, field: Field, path: str) -> tuple[bool, object]:
        """Read a value: whether it is right, and what it is."""
        try:
            if isinstance(field.kind, Mapping):
                before = len(self._findings)
                values = self.mapping(node, field.kind, path)
                if len(self._findings) == before:
                    return True, field.kind.build(values)
            elif isinstance(node, ScalarNode):
                return True, field.kind.read(node.value)
            else:
                self._blame(node, path, "must be a single value")
        except ValueError as error:
            self._blame(node, path, str(error))
        return False, None

    def _visit(self, items: list[Any]) -> Iterator[Any]:
        for item in items:
            self._nodes += 1
            if self._nodes > _MAX_NODES:
                raise only(self._name, "has too many items")
            yield item

    def _blame(self, node: Node, key: str, what: str) -> None:
        self._findings.append(_at(node.start_mark, self._name, key, what))


def _is_empty(node: Node) -> bool:
    """Whether a value was left out, or is `null` or `~`; in quotes it is text."""
    plain = isinstance(node, ScalarNode) and node.style is None
    return plain and node.value in ("", "~", "null", "Null", "NULL")


def _hint(word: str, known: dict[str, Field]) -> str:
    if word == "<<":
        return ": merging is not supported, write the keys out"
    close = get_close_matches(word.lower().replace("_", "-"), known, n=1)
    if close:
        return f", did you mean {close[0]}?"
    return f"; there are {', '.join(known)}"


def _names(mapping: Mapping) -> str:
    return ", ".join(field.key for field in mapping.fields)


def _at(mark: _Mark | None, name: str, key: str, what: str) -> Finding:
    line, column = (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
    return Finding(name, line, column, key, what)
