"""What `watch` draws, for terminals of any size; what it does to one is in tests/process."""

from typing import Any

import pytest

from reflector.cli.terminal import clip, is_end
from reflector.cli.watch_picture import picture
from reflector.observe.roll import Roll, clusters
from reflector.observe.route_views import Routes
from reflector.observe.views import summary
from tests.unit.observe.scene import Scene

NOW_S = 1_000_000.0


def view(nodes: int, problems: int = 0, events: int = 0) -> dict[str, Any]:
    """A class as the API has it."""
    scene = Scene()
    for number in range(1, nodes + 1):
        node = scene.join(f"10.0.0.{number}", f"node-{number}")
        scene.announce(node, f"10.{number}.0.0/24")
    problem = {"severity": "error", "what": "Something is wrong here.", "fix": "Mend it, soon."}
    event = {"at": NOW_S, "level": "info", "message": "something \x1b[2J happened"}
    return {
        "summary": summary(scene, 60),
        "clusters": clusters([each for _, each in Roll(scene, NOW_S).views()]),
        "problems": [problem] * problems,
        "routes": {"routes": list(Routes(scene.speaker).all())},
        "events": [event] * events,
    }


@pytest.mark.parametrize("size", [(20, 4), (60, 12), (80, 24), (200, 60), (1, 1)], ids=str)
@pytest.mark.parametrize("of", [(0, 0, 0), (3, 1, 2), (100, 40, 100)], ids=str)
def test_it_never_outgrows_the_terminal(size: tuple[int, int], of: tuple[int, int, int]) -> None:
    lines = picture(view(*of), NOW_S, size)
    assert len(lines) <= max(size[1], 2)  # the heading stays
    assert "\x1b[2J" not in "".join(lines)


def test_what_has_no_room_is_counted() -> None:
    lines = picture(view(100), NOW_S, (100, 20))
    nodes = lines[lines.index("NODES") + 1 : lines.index("ROUTES")]
    shown = [line for line in nodes if "Established" in line]
    assert nodes[-1] == f"  and {100 - len(shown)} more"
    assert 0 < len(shown) < 20


def test_where_there_is_room_everything_is_there() -> None:
    lines = picture(view(100, 10, 10), NOW_S, None)
    assert sum("Established" in line for line in lines) == 100
    assert not [line for line in lines if line.endswith("more")]


def test_what_is_off_and_an_answer_that_did_not_come_are_said() -> None:
    off = view(1)
    off["summary"] |= {"disconnected": ["10.1.0.0/16"], "own_routes_hidden": True}
    lines = picture(off, NOW_S, (80, 24), trouble="the reflector gave no answer: timed out")
    assert lines[2] == "! 10.1.0.0/16 is disconnected, the debug route is hidden"
    assert lines[3] == "! the reflector gave no answer: timed out"


def test_clipping_counts_what_is_seen() -> None:
    green = "\x1b[32mgreen\x1b[0m and more"
    assert clip("plain text", 5) == "plain"
    assert clip(green, 100) == green
    assert clip(green, 8) == "\x1b[32mgreen\x1b[0m an\x1b[0m"
    assert clip(green, 3) == "\x1b[32mgre\x1b[0m\x1b[0m"


@pytest.mark.parametrize(
    ("keys", "ends"), [("q", True), ("xQ", True), ("\x04", True), ("x", False), ("", False)]
)
def test_which_keys_end_it(keys: str, *, ends: bool) -> None:
    assert is_end(keys) is ends
