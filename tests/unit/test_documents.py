"""The documents as a whole: each can be found, and what they link to is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

from tests.support.documents import DOCS
from tests.support.reflector_process import REPOSITORY

INDEX: Final = DOCS / "README.md"
ALL: Final = sorted(
    (*REPOSITORY.glob("*.md"), *DOCS.glob("*.md"), REPOSITORY / "compose/README.md")
)
# A file of this repository as prose names it; what a run makes or a user has is named otherwise.
NAMED: Final = re.compile(r"`((?:reflector|tests|packaging|config|docs)/[\w./-]+)`")
LINK: Final = re.compile(r"\]\(([^)\s]+)\)")


def links(path: Path) -> list[str]:
    """Where a document leads to, within this repository."""
    found: list[str] = LINK.findall(path.read_text())
    return [link for link in found if "://" not in link and not link.startswith("mailto:")]


def anchors(path: Path) -> set[str]:
    """What a document's headings are called in links, by GitHub's rule."""
    headings = re.findall(r"(?m)^#+ (.*)$", path.read_text())
    plain = [re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).lower() for heading in headings]
    return {re.sub(r"[^\w\- ]", "", heading).strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("document", ALL, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_every_link_leads_somewhere(document: Path) -> None:
    for link in links(document):
        name, _, anchor = link.partition("#")
        target = (document.parent / name).resolve() if name else document
        assert target.exists(), link
        if anchor and target.suffix == ".md":
            assert anchor in anchors(target), link


@pytest.mark.parametrize("document", ALL, ids=lambda path: path.relative_to(REPOSITORY).as_posix())
def test_every_file_that_is_named_is_there(document: Path) -> None:
    named: set[str] = set(NAMED.findall(document.read_text()))
    assert not [name for name in sorted(named) if not (REPOSITORY / name).exists()]


def test_the_index_leads_to_every_document() -> None:
    linked = {(DOCS / link.partition("#")[0]).resolve() for link in links(INDEX)}
    assert set(DOCS.glob("*.md")) - {INDEX} <= linked
