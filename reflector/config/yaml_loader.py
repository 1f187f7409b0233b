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

from reflector.config.errors import ConfigError, Finding
from reflector.config.fields import ROOT, Field, Mapping
from reflector.config.model import Config

# A configuration is a page; beyond this it is some other file.
_MAX_BYTES: Final = 1 << 20
# Nodes visited: aliases can make a small file mean an endless one.
_MAX_NODES: Final = 100_000
_MAX_DEPTH: Final = 32


def load_yaml(path: Path) -> Config:
    """Read a configuration file.

    Raises:
        ConfigError: With everything that is wrong with it.
    """
    name = str(path)
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise _only(name, f"can't be read: {error.strerror}") from error
    if len(content) > _MAX_BYTES:
        raise _only(name, "is larger than 1 MiB: this is no configuration")
    return parse_yaml(content, name)


def parse_yaml(content: bytes, name: str) -> Config:
    """Make a configuration of a file's content.

    Args:
        content: UTF-8.
        name: Of the file, for messages.

    Raises:
        ConfigError: With everything that is wrong with it.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError([Finding(name, line, 0, "", "the file is not UTF-8 text")]) from error
    root = _compose(text, name)
    reader = _Reader(name)
    values = {} if root is None or _is_empty(root) else reader.mapping(root, ROOT, "")
    if reader.findings:
        raise ConfigError(sorted(reader.findings, key=lambda each: (each.line, each.column)))
    config = ROOT.build(values)
    assert isinstance(config, Config)  # noqa: S101 - what ROOT builds
    return config


def _compose(text: str, name: str) -> Node | None:
    try:
        _refuse_depth(yaml.SafeLoader(text), name)
        node: Node | None = yaml.SafeLoader(text).get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        what = error.problem or error.context or "is not YAML"
        raise ConfigError([Finding(name, line, column, "", f"not valid YAML: {what}")]) from error
    except yaml.YAMLError as error:
        what = str(error).splitlines()[0]
        raise _only(name, f"not valid YAML: {what}") from error
    return node


def _refuse_depth(loader: yaml.SafeLoader, name: str) -> None:
    """Composing recurses; a file of a thousand brackets must not end in a RecursionError."""
    depth = 0
    while loader.check_event():
        event = loader.get_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > _MAX_DEPTH:
                raise ConfigError([_at(event.start_mark, name, "", "is nested too deeply")])
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


class _Mark(Protocol):
    """A place in the text, counted from 0."""

    line: int
    column: int


class _Reader:
    """Walks the nodes along the table of fields and collects what is wrong."""

    def __init__(self, name: str) -> None:
        self.findings: list[Finding] = []
        self._name = name
        self._nodes = 0

    def mapping(self, node: Node, mapping: Mapping, key: str) -> dict[str, Any]:
        """The values of a mapping's keys, as far as they are right."""
        values: dict[str, Any] = {}
        if not isinstance(node, MappingNode):
            self._blame(node, key, f"must be a mapping of {_names(mapping)}")
            return values
        known = {field.key: field for field in mapping.fields}
        seen: dict[str, int] = {}
        for key_node, value_node in self._visit(node.value):
            word = key_node.value if isinstance(key_node, ScalarNode) else ""
            path = f"{key}.{word}" if key else str(word)
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

    def _field(self, node: Node, field: Field, path: str, values: dict[str, Any]) -> None:
        if _is_empty(node) and not field.many:
            if not field.nullable and not isinstance(field.kind, Mapping):
                self._blame(node, path, "has no value: give one, or leave the key out")
            return
        if not field.many:
            ok, value = self._value(node, field, path)
            if ok:
                values[field.name] = value
            return
        if not isinstance(node, SequenceNode):
            self._blame(node, path, "must be a list: [] for none, or an item a line behind '- '")
            return
        items = []
        for index, item in enumerate(self._visit(node.value)):
            ok, value = self._value(item, field, f"{path}[{index}]")
            if ok and value in items:
                self._blame(item, f"{path}[{index}]", "is there twice")
            elif ok:
                items.append(value)
        values[field.name] = tuple(items)

    def _value(self, node: Node, field: Field, path: str) -> tuple[bool, object]:
        """Read a value: whether it is right, and what it is."""
        if isinstance(field.kind, Mapping):
            before = len(self.findings)
            values = self.mapping(node, field.kind, path)
            if len(self.findings) > before:
                return False, None
            return True, field.kind.build(values)
        if not isinstance(node, ScalarNode):
            self._blame(node, path, "must be a single value")
            return False, None
        if node.tag not in _PLAIN_TAGS:
            self._blame(node, path, f"has the tag {node.tag}: leave it out")
            return False, None
        try:
            return True, field.kind.read(node.value)
        except ValueError as error:
            self._blame(node, path, str(error))
            return False, None

    def _visit(self, items: list[Any]) -> Iterator[Any]:
        for item in items:
            self._nodes += 1
            if self._nodes > _MAX_NODES:
                raise _only(self._name, "has too many items")
            yield item

    def _blame(self, node: Node, key: str, what: str) -> None:
        self.findings.append(_at(node.start_mark, self._name, key, what))


# What YAML resolves plain scalars to by itself; any other tag was written into the file.
_PLAIN_TAGS: Final = frozenset(
    f"tag:yaml.org,2002:{kind}"
    for kind in ("str", "int", "float", "bool", "null", "timestamp", "value", "merge")
)


def _is_empty(node: Node) -> bool:
    """Whether a value was left out, or is `null` or `~`."""
    return isinstance(node, ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _hint(word: str, known: dict[str, Field]) -> str:
    close = get_close_matches(word.replace("_", "-"), known, n=1)
    if close:
        return f", did you mean {close[0]}?"
    return f"; there are {', '.join(known)}"


def _names(mapping: Mapping) -> str:
    return ", ".join(field.key for field in mapping.fields)


def _at(mark: _Mark | None, name: str, key: str, what: str) -> Finding:
    """A finding at a place in the text; every node and event that was parsed has one."""
    line, column = (0, 0) if mark is None else (mark.line + 1, mark.column + 1)
    return Finding(name, line, column, key, what)


def _only(name: str, what: str) -> ConfigError:
    return ConfigError([Finding(name, 0, 0, "", what)])
