"""The demonstration: the recording in docs/ and the picture that is made of it."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tests.demo.cast import Cast
from tests.demo.screen import PLAIN, Screen, Style
from tests.demo.svg import render
from tests.support.reflector_process import REPOSITORY

DOCS = REPOSITORY / "docs"


def shown(screen: Screen) -> list[str]:
    return ["".join(character for character, _ in row).rstrip() for row in screen.rows()]


def test_the_picture_is_that_of_the_recording() -> None:
    """Else: make demo ARGS=--draw."""
    recording = Cast.loads((DOCS / "demo.cast").read_text())
    assert render(recording) == (DOCS / "demo.svg").read_text()


def test_a_recording_is_read_as_it_is_written() -> None:
    cast = Cast(80, 24, "title", [(0.0, "$ "), (1.5, "ls\r\n")])
    assert Cast.loads(cast.dumps()) == cast
    with pytest.raises(ValueError, match="version 1"):
        Cast.loads('{"version": 1}')


def test_output_is_shown_as_a_terminal_shows_it() -> None:
    screen = Screen(8, 3)
    screen.feed("one\r\n\x1b[1;31mtwo\x1b[0m\r\n123456789")
    assert shown(screen) == ["two", "12345678", "9"]
    assert screen.rows()[0][0] == ("t", Style(31, bold=True))
    screen.feed("\x1b[2F\x1b[2Kthree\r\n\x1b[J")
    assert shown(screen) == ["three", "", ""]
    screen.feed("\x1b[2J\x1b[H\x1b[?25lhome")
    assert shown(screen) == ["home", "", ""]
    assert screen.rows()[0][0] == ("h", PLAIN)


@pytest.mark.parametrize("output", ["\x1b[3S", "\x07", "\x1b[45m"])
def test_what_it_can_not_show_is_an_error(output: str) -> None:
    with pytest.raises(ValueError, match="unknown"):
        Screen(8, 3).feed(output)


def test_a_row_is_drawn_for_as_long_as_it_stays() -> None:
    events = [(0.0, "same\r\n"), (1.0, "a  <b>"), (2.0, "\r\x1b[2Kc")]
    root = ET.fromstring(render(Cast(20, 2, "title", events)))  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    texts = ["".join(each.itertext()) for each in root.iter(f"{space}text")]
    assert texts == ["same", "a", "<b>", "c"]
    groups = [each for each in root.iter(f"{space}g") if each.get("visibility")]
    # What does not animate shows the end.
    assert [each.get("visibility") for each in groups] == ["visible", "hidden", "visible"]
    times = [each.get("keyTimes") for each in root.iter(f"{space}animate")]
    assert times == ["0;0.00000;1.00000", "0;0.12500;0.25000", "0;0.25000;1.00000"]
