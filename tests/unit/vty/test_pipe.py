"""`| include REGEX` behind a command."""

from __future__ import annotations

import pytest

from reflector.vty.grammar import CommandError
from reflector.vty.pipe import piped


def test_without_a_bar_all_is_printed() -> None:
    command, keep = piped("show bgp summary")
    assert command == "show bgp summary"
    assert keep("a\nb") == "a\nb"


@pytest.mark.parametrize(
    ("behind", "kept"),
    [
        ("include b", "b\nab"),
        ("include ^b", "b"),
        ("  include  a|c ", "a\nab"),
        ("include a b", ""),
        ("include B", ""),
    ],
)
def test_lines_with_a_match_are_kept(behind: str, kept: str) -> None:
    command, keep = piped(f"show version |{behind}")
    assert command.strip() == "show version"
    assert keep("a\nb\nab") == kept


@pytest.mark.parametrize(
    ("behind", "message"),
    [
        ("begin x", "% Unknown action 'begin'"),
        ("", "% Unknown action ''"),
        ("include", "% Need a regexp to filter with"),
        ("include  ", "% Need a regexp to filter with"),
        ("include ((", "% Bad regexp '(('"),
    ],
)
def test_anything_else_is_refused(behind: str, message: str) -> None:
    with pytest.raises(CommandError) as refused:
        piped(f"show version | {behind}")
    assert str(refused.value) == message
