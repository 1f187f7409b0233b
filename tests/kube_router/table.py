"""What is printed: rows of a table, each as soon as it is known."""

from __future__ import annotations

import sys


def say(*cells: str) -> None:
    """Print a row of a table."""
    sys.stdout.write("| " + " | ".join(cells) + " |\n")
    sys.stdout.flush()
