"""Who asks, and by which node."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from reflector.observe.who_am_i.answer import answer, as_html, as_text
from tests.unit.observe.scene import Scene


@pytest.fixture
def scene() -> Scene:
    """Two nodes with pods, and the debug route."""
    made = Scene()
    made.originate("1.0.0.2/32")
    made.announce(made.join("10.0.0.5", "node-a"), "10.1.0.0/24", "10.1.0.64/26")
    made.announce(made.join("10.0.0.6", "node-b"), "10.2.0.0/24")
    return made


def ask(scene: Scene, source: str) -> str:
    return as_text(answer(scene, ip_address(source), 65.0))


def test_a_node_is_known_by_its_own_address(scene: Scene) -> None:
    assert ask(scene, "10.0.0.5") == (
        "You are 10.0.0.5, and you reach the reflector and it reaches you: the data path works.\n"
        "You came through node-a (10.0.0.5, router id 10.0.0.5): you are the node, or a pod of it "
        "that goes out with its node's address.\n"
        "The session of node-a (10.0.0.5, router id 10.0.0.5) is up for 1 min 5 s, and it has "
        "announced:\n"
        "  10.1.0.0/24\n"
        "  10.1.0.64/26\n"
    )


def test_a_pod_is_known_by_the_longest_prefix_that_holds_it(scene: Scene) -> None:
    assert "through node-a (10.0.0.5, router id 10.0.0.5), whose 10.1.0.0/24 holds you" in ask(
        scene, "10.1.0.2"
    )
    assert "whose 10.1.0.64/26 holds you" in ask(scene, "10.1.0.65")
    assert "through node-b" in ask(scene, "10.2.0.2")


def test_of_two_that_announce_the_same_the_better_path_counts(scene: Scene) -> None:
    """That is where the answer goes."""
    scene.announce(scene.join("10.0.0.4", "node-c"), "10.2.0.0/24")
    assert "through node-c" in ask(scene, "10.2.0.2")


def test_nodes_behind_one_address_are_all_named(scene: Scene) -> None:
    scene.join("10.0.0.5", "node-d", "10.9.9.9")
    said = ask(scene, "10.0.0.5")
    assert (
        "one of 2 nodes with one address: node-a (10.0.0.5, router id 10.0.0.5), "
        "node-d (10.0.0.5, router id 10.9.9.9)." in said
    )
    assert (
        "node-d (10.0.0.5, router id 10.9.9.9) is up for 1 min 5 s, and it has announced nothing"
        in said
    )


@pytest.mark.parametrize("source", ["192.0.2.1", "1.0.0.2", "fd00::1"])
def test_who_came_by_no_node_is_told_so(scene: Scene, source: str) -> None:
    said = ask(scene, source)
    assert said.startswith(f"You are {source},")
    assert "is no node's address, and in no pod CIDR" in said
    assert "node-a" not in said


def test_a_session_that_is_not_up_is_no_way(scene: Scene) -> None:
    scene.connect("10.0.0.9")
    assert "is no node's address" in ask(scene, "10.0.0.9")


def test_a_node_with_many_prefixes_is_told_the_first(scene: Scene) -> None:
    scene.announce(scene.join("10.0.0.7"), *(f"10.7.{n}.0/24" for n in range(100)))
    said = ask(scene, "10.0.0.7")
    assert "  10.7.19.0/24\n  and 80 more\n" in said
    assert "10.7.20.0/24" not in said


def test_what_a_node_calls_itself_is_text_in_html(scene: Scene) -> None:
    scene.join("10.0.0.7", "<script>")
    page = as_html(answer(scene, ip_address("10.0.0.7"), 0.0))
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
