"""`make conformance`: write docs/conformance.md anew."""

from __future__ import annotations

import sys

from tests.conformance.clauses import load
from tests.conformance.document import DOCUMENT, problems, render
from tests.conformance.marks import collect_all


def main() -> int:
    """Write the document; 1 if clauses and tests don't fit each other."""
    rfcs, marks = load(), collect_all()
    DOCUMENT.write_text(render(rfcs, marks))
    found = problems(rfcs, marks)
    for problem in found:
        sys.stderr.write(f"{problem}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
