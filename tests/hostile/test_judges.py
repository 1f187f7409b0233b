"""Whoever judges can find fault: outcomes that don't hold, and octets that are not right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.hostile.case import (
    NEW,
    OLD,
    TARGET,
    TARGET6,
    Attributes,
    Outcome,
    Seen,
    answered,
    closed,
    gone,
    reset,
    route,
    taken,
    unanswered,
    unchanged,
    up,
)
from tests.support import wire
from tests.support.pcap import complaints, dissected_types, write_pcap


def _with(med: int) -> Attributes:
    return {4: (0x80, med.to_bytes(4)), 8: (0xC0, b"abcd")}


NOTIFIED = Seen(ended=True, notification=(3, 1, b"x"))
STALE = Seen(ended=True, notification=(3, 1, b"x"), table={TARGET: _with(OLD)})
HUNG_UP = Seen(ended=True)
SILENT = Seen()
BEFORE = Seen(fence=True, table={TARGET: _with(OLD)})
AFTER = Seen(fence=True, table={TARGET: _with(NEW), TARGET6: _with(OLD)}, answered=1)
WITHOUT = Seen(fence=True)

VERDICTS = [
    (reset(3), [NOTIFIED]),
    (reset(3, 1), [NOTIFIED]),
    (reset(3, 1, data=b"x"), [NOTIFIED]),
    (reset(3, 2), []),
    (reset(3, 1, data=b""), []),
    (reset(2, 1), []),
    (closed, [HUNG_UP]),
    (up, [BEFORE, AFTER, WITHOUT]),
    (answered, [AFTER]),
    (unanswered, [BEFORE, WITHOUT]),
    (gone(TARGET), [WITHOUT]),
    (gone(TARGET6), [BEFORE, WITHOUT]),
    (unchanged(TARGET), [BEFORE]),
    (unchanged(TARGET6), [AFTER]),
    (taken(TARGET), [AFTER]),
    (taken(TARGET, without=(TARGET6,)), []),
    (taken(TARGET, lacks=(8,)), []),
    (taken(TARGET, lacks=(9,)), [AFTER]),
    (taken(TARGET, has={8: b"abcd"}, flags={8: 0xC0}), [AFTER]),
    (taken(TARGET, has={8: b"abce"}), []),
    (taken(TARGET, flags={8: 0xE0}), []),
    (taken(TARGET, flags={9: 0xC0}), []),
]


@pytest.mark.parametrize(("outcome", "held"), VERDICTS, ids=[each.words for each, _ in VERDICTS])
def test_an_outcome_holds_for_nothing_else(outcome: Outcome, held: list[Seen]) -> None:
    everything = [NOTIFIED, STALE, HUNG_UP, SILENT, BEFORE, AFTER, WITHOUT]
    assert [seen for seen in everything if outcome.holds(seen)] == held


def test_the_dissector_has_nothing_against_what_is_right(tmp_path: Path) -> None:
    messages = [wire.open_message(), wire.keepalive(), route(), wire.notification(6, 2)]
    write_pcap(tmp_path / "it", [messages, messages])
    assert dissected_types(tmp_path / "it") == {1, 2, 3, 4}
    assert complaints(tmp_path / "it") == []


@pytest.mark.parametrize(
    "wrong",
    [
        wire.message(wire.UPDATE, b"\0\0\0\xff"),
        route(as_path=wire.as_path(b"\2\3\0\0\0\1")),
        wire.update(b"\x21\x0a\0\0\0\0", wire.usual()),
        wire.open_message(parameters=b"\2\x20\1"),
    ],
)
def test_the_dissector_finds_what_is_wrong(tmp_path: Path, wrong: bytes) -> None:
    write_pcap(tmp_path / "it", [[wire.open_message(), wire.keepalive(), wrong]])
    assert complaints(tmp_path / "it")
