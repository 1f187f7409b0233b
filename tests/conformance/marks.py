"""Which tests name which clauses, read from the tests' sources.

A mark is `@pytest.mark.rfc("7606", "7.1", "7.2")` on a test or on a class of tests: the number of an
RFC and one clause of it or several, spelled as in `clauses/`. Read and not imported, so that it
costs nothing and needs no daemon. The hostile cases name their clauses themselves.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.hostile.suite import cases as hostile_cases

TESTS: Final = Path(__file__).resolve().parents[1]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, order=True)
class Mark:
    """A test that says which clause it proves."""

    path: str
    test: str
    rfc: str
    at: str


HOSTILE: Final = "tests/hostile/test_hostile.py"


def collect_all() -> list[Mark]:
    """Read the marks of all tests, those of the hostile cases included."""
    cases = {Mark(HOSTILE, case.name, *case.clause) for case in hostile_cases()}
    return sorted({*collect(), *cases})


def collect(folder: Path = TESTS) -> list[Mark]:
    """Read the marks of all tests in a folder.

    Raises:
        ValueError: A mark is neither on a test nor made of plain strings.
    """
    found: set[Mark] = set()
    for path in sorted(folder.rglob("test_*.py")):
        source = path.read_text()
        if "mark.rfc" in source:
            name = path.relative_to(folder.parent).as_posix()
            found.update(_read(name, ast.parse(source)))
    return sorted(found)


def _read(path: str, tree: ast.Module) -> Iterator[Mark]:
    seen: set[ast.AST] = set()
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            shared = list(_named(path, node.decorator_list, seen))
            for inner in node.body:
                if isinstance(inner, _Function) and inner.name.startswith("test"):
                    own = _named(path, inner.decorator_list, seen)
                    name = f"{node.name}::{inner.name}"
                    yield from (Mark(path, name, *each) for each in (*shared, *own))
        elif isinstance(node, _Function) and node.name.startswith("test"):
            for each in _named(path, node.decorator_list, seen):
                yield Mark(path, node.name, *each)
    for call in ast.walk(tree):
        if _is_mark(call) and call not in seen:
            raise ValueError(f"{path}:{getattr(call, 'lineno', 0)}: an rfc mark that is on no test")


def _named(path: str, decorators: list[ast.expr], seen: set[ast.AST]) -> Iterator[tuple[str, str]]:
    for decorator in decorators:
        for call in ast.walk(decorator):
            if not isinstance(call, ast.Call) or not _is_mark(call):
                continue
            seen.add(call)
            words = [each.value for each in call.args if isinstance(each, ast.Constant)]
            strings = [word for word in words if isinstance(word, str)]
            if len(strings) != len(call.args) or len(strings) < 2 or call.keywords:
                raise ValueError(
                    f"{path}:{call.lineno}: pytest.mark.rfc takes an RFC's number and clauses, "
                    "all as plain strings"
                )
            yield from ((strings[0], at) for at in strings[1:])


def _is_mark(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.rfc"
