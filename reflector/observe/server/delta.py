"""What has changed of peers, field by field: for who keeps what it was told, as the live page does.

With every route that comes or goes each peer is told of one more or one less. That is said once for all
of them, so that a change in a class of a thousand does not repeat the thousand.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

View = dict[str, Any]

_TOLD: Final = "routes_out"


def by_field(changes: View, before: Mapping[str, View], now: Mapping[str, View]) -> View:
    """Tell a delta by field.

    Args:
        changes: With whole peers, as they are for who keeps nothing.
        before: All peers as they were when the last delta was made.
        now: All peers as they are.

    Returns:
        `changes`, with `peers` only of those that are new, gone or have other fields than before;
        `fields`: of the others, those that differ; `routes_out_by`: what is to be added to `routes_out` of
        each peer that has one, and has none in `peers` or `fields`.
    """
    if "peers" not in changes:
        return changes
    shift = _shift(before, now)
    whole: View = {key: None for key, view in changes["peers"].items() if view is None}
    fields: View = {}
    for key, view in now.items():
        old = before.get(key)
        if old is view and not (shift and _TOLD in view):
            continue
        if old is None or old.keys() != view.keys():
            whole[key] = view
            continue
        different = {} if old is view else {k: v for k, v in view.items() if old[k] != v}
        if _TOLD in view:
            if view[_TOLD] == old[_TOLD] + shift:
                different.pop(_TOLD, None)
            else:
                different[_TOLD] = view[_TOLD]
        if different:
            fields[key] = different
    told = {"peers": whole, "fields": fields, f"{_TOLD}_by": shift}
    rest = {key: value for key, value in changes.items() if key != "peers"}
    return {key: value for key, value in told.items() if value} | rest


def _shift(before: Mapping[str, View], now: Mapping[str, View]) -> int:
    """By how much most peers are told of more routes than before."""
    steps: Counter[int] = Counter(
        view[_TOLD] - before[key][_TOLD]
        for key, view in now.items()
        if _TOLD in view and _TOLD in before.get(key, ())
    )
    [(most, _)] = steps.most_common(1) or [(0, 0)]
    return most
