"""Path attributes in FRR's words."""

from __future__ import annotations

import pytest

from reflector.vty.attributes import community_lists, scope, segments


@pytest.mark.parametrize(
    ("as_path", "expected"),
    [
        ("", []),
        ("65001", [{"type": "as-sequence", "list": [65001]}]),
        (
            "65001 65002 {1,2} 65003",
            [
                {"type": "as-sequence", "list": [65001, 65002]},
                {"type": "as-set", "list": [1, 2]},
                {"type": "as-sequence", "list": [65003]},
            ],
        ),
        ("{7}", [{"type": "as-set", "list": [7]}]),
    ],
)
def test_an_as_path_in_segments(as_path: str, expected: list[object]) -> None:
    assert segments(as_path) == expected


def test_communities_have_frrs_names_in_text_and_others_in_lists() -> None:
    path = {"communities": ["1:2", "no-export-subconfed", "graceful-shutdown", "no-llgr"]}
    assert community_lists(path) == {
        "community": {
            "string": "1:2 local-AS graceful-shutdown no-llgr",
            "list": ["1:2", "localAs", "gracefulShutdown", "noLlgr"],
        }
    }


def test_extended_communities_of_unknown_kinds_stay_numbers() -> None:
    path = {"extended_communities": ["rt:1:2", "soo:10.0.0.1:3", "0x4300000000000001"]}
    assert community_lists(path) == {
        "extendedCommunity": {"string": "RT:1:2 SoO:10.0.0.1:3 0x4300000000000001"}
    }


@pytest.mark.parametrize(
    ("communities", "words"),
    [
        ([], ""),
        (["1:2"], ""),
        (["no-export"], "not advertised to EBGP peer"),
        (["no-export", "no-advertise"], "not advertised to any peer"),
        (["no-export-subconfed"], "not advertised outside local AS"),
    ],
)
def test_the_narrowest_scope_is_named(communities: list[str], words: str) -> None:
    assert scope({"communities": communities}) == words


def test_a_path_without_communities_goes_to_all() -> None:
    assert scope({}) == ""
    assert community_lists({}) == {}
