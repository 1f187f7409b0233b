"""The conformance table can't drift from the tests that prove it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.clauses import load
from tests.conformance.document import DOCUMENT, problems, render
from tests.conformance.marks import Mark, collect, collect_all

CLAUSES = """\
title = "An RFC"
[[clause]]
at = "1"
asks = "This | that."
[[clause]]
at = "2"
asks = "Something else."
ours = "Not done."
state = "not met"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of clauses, and in it one of tests."""
    (tmp_path / "rfc1.toml").write_text(CLAUSES)
    (tmp_path / "tests").mkdir()
    return tmp_path


def write_test(folder: Path, source: str) -> Path:
    (folder / "tests" / "test_it.py").write_text(f"import pytest\n{source}\n")
    return folder / "tests"


def test_every_clause_that_is_met_names_a_test_and_every_test_a_clause() -> None:
    assert problems(load(), collect_all()) == []


def test_the_document_is_what_clauses_and_tests_say() -> None:
    assert DOCUMENT.read_text() == render(load(), collect_all()), "run `make conformance`"


def test_marks_are_read_from_tests_and_classes(folder: Path) -> None:
    tests = write_test(
        folder,
        '@pytest.mark.rfc("1", "1", "2")\ndef test_a(): ...\n'
        '@pytest.mark.rfc("1", "1")\nclass TestB:\n'
        '    @pytest.mark.rfc("1", "2")\n    async def test_c(self): ...\n'
        "    def test_d(self): ...\n"
        '@pytest.mark.parametrize("x", [pytest.param(1, marks=pytest.mark.rfc("1", "2"))])\n'
        "def test_e(x): ...",
    )
    assert collect(tests) == [
        Mark("tests/test_it.py", name, "1", at)
        for name, at in [
            ("TestB::test_c", "1"),
            ("TestB::test_c", "2"),
            ("TestB::test_d", "1"),
            ("test_a", "1"),
            ("test_a", "2"),
            ("test_e", "2"),
        ]
    ]


@pytest.mark.parametrize(
    "source",
    [
        'x = pytest.mark.rfc("1", "1")',
        '@pytest.mark.rfc("1")\ndef test_a(): ...',
        "@pytest.mark.rfc(1, 1)\ndef test_a(): ...",
        '@pytest.mark.rfc("1", *"1")\ndef test_a(): ...',
        '@pytest.mark.rfc("1", at="1")\ndef test_a(): ...',
        '@pytest.mark.rfc("1", "1")\ndef helper(): ...',
    ],
)
def test_a_mark_that_proves_nothing_is_refused(folder: Path, source: str) -> None:
    with pytest.raises(ValueError, match=r"test_it.py:[23]"):
        collect(write_test(folder, source))


def test_a_mark_of_an_unknown_clause_and_a_clause_without_a_test_are_named(folder: Path) -> None:
    tests = write_test(folder, '@pytest.mark.rfc("1", "9")\ndef test_a(): ...')
    unknown, bare = problems(load(folder), collect(tests))
    assert unknown.startswith("tests/test_it.py::test_a names RFC 1 '9'")
    assert bare == "RFC 1 '1' is said to be met, and no test names it"


def test_a_document_says_what_is_not_met(folder: Path) -> None:
    tests = write_test(folder, '@pytest.mark.rfc("1", "1")\ndef test_a(): ...')
    text = render(load(folder), collect(tests))
    assert "1 RFCs, 2 clauses: 1 met, 1 not met." in text
    assert (
        "| 1 | This &#124; that. | As asked. | [test_it.py](../tests/test_it.py): `test_a` |"
        in text
    )
    assert "| 2 | Something else. | **Not met.** Not done. | - |" in text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('at = "2"', 'at = "1"'),
        ('asks = "Something else."\n', ""),
        ("ours =", "theirs ="),
        ('"not met"', '"nearly"'),
        ('ours = "Not done."\n', ""),
    ],
)
def test_a_file_of_clauses_that_says_too_little_is_refused(
    folder: Path, old: str, new: str
) -> None:
    (folder / "rfc1.toml").write_text(CLAUSES.replace(old, new))
    with pytest.raises(ValueError, match=r"rfc1\.toml"):
        load(folder)
