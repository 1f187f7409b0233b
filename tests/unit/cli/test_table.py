"""Tables and sentences at a terminal's edge, which a projector's large letters bring near."""

from __future__ import annotations

import pytest

from reflector.cli import table
from reflector.cli.table import Column, fold, print_facts, table_lines

WORDS = "Start kube-router on node-1 with --cluster-asn=64512, and restart its pod."


def test_what_fits_and_what_no_terminal_shows_is_left_alone() -> None:
    assert fold(WORDS, len(WORDS), 4) == fold(WORDS, None, 4) == [WORDS]


@pytest.mark.parametrize("room", range(1, 80))
def test_folded_lines_fit_and_lose_no_word(room: int) -> None:
    lines = fold(f"Fix  {WORDS}", room, 5)
    assert all(len(line) <= room for line in lines)
    if room > max(map(len, WORDS.split())) + 5:
        assert " ".join(" ".join(lines).split()) == f"Fix {WORDS}"


def test_all_lines_but_the_first_are_indented_and_no_flag_is_broken() -> None:
    assert fold(f"Fix  {WORDS}", 40, 5) == [
        "Fix  Start kube-router on node-1 with",
        "     --cluster-asn=64512, and restart",
        "     its pod.",
    ]


def test_where_there_is_no_room_beside_the_indent_there_is_none() -> None:
    assert fold(f"Fix  {WORDS}", 22, 5)[1][:1] != " "


def test_the_last_column_of_a_table_is_folded() -> None:
    columns = (Column("PEER"), Column("NAME", extra=1), Column("BECAUSE"))
    rows = [("10.0.0.1", "anna", WORDS), ("10.0.0.2", "ben", "short")]
    assert table_lines(columns, rows, None, 44) == [
        "PEER      BECAUSE",
        "10.0.0.1  Start kube-router on node-1 with",
        "          --cluster-asn=64512, and restart",
        "          its pod.",
        "10.0.0.2  short",
    ]
    assert table_lines(columns, rows, None, None)[1] == f"10.0.0.1  anna  {WORDS}"
    assert table_lines(columns, rows, None, 20)[1] == f"10.0.0.1  {WORDS}"


def test_facts_are_folded_behind_their_names(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(table, "terminal_columns", lambda: 40)
    print_facts([("What", "is wrong"), ("Fix", WORDS), ("Nothing", "")], "  ")
    assert capsys.readouterr().out.splitlines() == [
        "  What     is wrong",
        "  Fix      Start kube-router on node-1",
        "           with --cluster-asn=64512, and",
        "           restart its pod.",
        "  Nothing",
    ]
