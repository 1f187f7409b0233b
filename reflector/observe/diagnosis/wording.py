"""Words that the rules share."""

from reflector.observe.diagnosis.facts import Node
from reflector.observe.problem import KINDS


def fix(kind: str, **words: object) -> str:
    """What mends a kind of problem.

    Args:
        kind: Of `KINDS`.
        words: What its `{…}` stand for.
    """
    return KINDS[kind].fix.format(**words)


def named(node: Node) -> str:
    """A node by its name, if it says one, and its address."""
    known = node.host_name or node.description
    return f"{known} ({node.address})" if known else node.address
