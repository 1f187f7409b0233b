"""How commands print what programs read."""

from collections.abc import Mapping


def print_json(view: Mapping[str, object]) -> None:
    """Print a view as /api/v1 gives it, indented for people who look at it all the same."""
    import json  # noqa: PLC0415 - not for tables

    print(json.dumps(view, indent=2))
