"""Deltas by field: whoever applies them holds what whoever is told whole peers holds."""

from hypothesis import given
from hypothesis import strategies as st

from reflector.observe.server.delta import View, by_field


def peer(told: int, held: int = 1, name: str = "node-a") -> View:
    return {"name": name, "routes_in": held, "routes_out": told}


def apply(before: View, told: View) -> View:
    """What docs/api.md tells a listener to do."""
    after = {**before, **told.get("peers", {})}
    after = {key: view for key, view in after.items() if view is not None}
    fields = told.get("fields", {})
    for key, different in fields.items():
        after[key] = after[key] | different
    for key, view in after.items():
        own = key in told.get("peers", {}) or "routes_out" in fields.get(key, {})
        if "routes_out" in view and not own:
            after[key] = view | {"routes_out": view["routes_out"] + told.get("routes_out_by", 0)}
    return after


def whole(before: View, now: View) -> View:
    gone = dict.fromkeys(before.keys() - now.keys())
    return {"peers": {k: v for k, v in now.items() if before.get(k) is not v} | gone}


def test_a_route_more_for_all_is_told_once() -> None:
    before = {f"p{n}": peer(10) for n in range(1000)}
    now = {key: peer(11) for key in before} | {"p7": peer(10, held=2)}
    assert by_field(whole(before, now), before, now) == {
        "fields": {"p7": {"routes_in": 2, "routes_out": 10}},
        "routes_out_by": 1,
    }


def test_who_stays_as_it_was_among_others_who_are_told_more() -> None:
    before = {"a": peer(1), "b": peer(1), "c": peer(1)}
    now = before | {"b": peer(3), "c": peer(3)}
    told = by_field(whole(before, now), before, now)
    assert told == {"fields": {"a": {"routes_out": 1}}, "routes_out_by": 2}


def test_who_is_new_or_becomes_something_else_is_told_whole() -> None:
    before = {"a": peer(1), "gone": peer(1)}
    left = {"name": "node-a", "reason": "Cease"}
    now = {"a": left, "b": peer(5)}
    told = by_field(whole(before, now), before, now)
    assert told == {"peers": {"a": left, "b": peer(5), "gone": None}}


def test_what_is_not_of_peers_is_told_as_it_is() -> None:
    changes = {"summary": {"established": 1}, "events": [1]}
    assert by_field(changes, {}, {}) == changes


_views = st.one_of(
    st.builds(peer, st.integers(0, 3), st.integers(0, 3), st.sampled_from(["x", "y"])),
    st.builds(lambda reason: {"name": "x", "reason": reason}, st.sampled_from(["", "gone"])),
)
_classes = st.dictionaries(st.sampled_from("abcdef"), _views)


@given(_classes, _classes)
def test_either_form_leads_to_the_same(before: View, now: View) -> None:
    now = {key: before[key] if before.get(key) == view else view for key, view in now.items()}
    changes = whole(before, now)
    if changes["peers"]:
        assert apply(before, by_field(changes, before, now)) == now
