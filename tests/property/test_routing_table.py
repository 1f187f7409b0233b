"""What each source holds in a table, against a plain set for each."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from hypothesis import given
from hypothesis import strategies as st

from reflector.bgp.attributes import PathAttributes
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.audience import Audience
from reflector.rib.path import Path
from reflector.rib.source import Source
from reflector.rib.table import Table
from tests.support import wire

if TYPE_CHECKING:
    from reflector.rib.place import FurtherPlace

PREFIXES: Final = [wire.prefix(f"10.{number}.0.0/24") for number in range(8)]
ADDRESSES: Final = [ip_address(f"10.0.0.{number}") for number in range(1, 4)]

_which = st.lists(st.sampled_from(PREFIXES), min_size=1, max_size=6)
_steps = st.lists(
    st.tuples(
        st.sampled_from(["announce", "announce", "withdraw", "flap", "drop", "turn"]),
        st.integers(0, len(ADDRESSES) - 1),
        st.sampled_from([50, 100]),
        _which,
    ),
    max_size=60,
)


@given(_steps)
def test_each_source_holds_what_it_announced_last(
    steps: list[tuple[str, int, int, list[bytes]]],
) -> None:
    table = Table(IPV4_UNICAST)
    sources = [Source(str(each), Audience.CLIENT, each.packed, each) for each in ADDRESSES]
    expected: dict[Source, dict[bytes, int]] = {source: {} for source in sources}
    for action, number, local_pref, prefixes in steps:
        source = sources[number]
        held = expected[source]
        path = _path(source, local_pref)
        for _ in range(50 if action == "flap" else 0):  # often enough for the notes to be cleared
            table.announce(path, list(prefixes))
            table.withdraw(source, prefixes)
        if action == "announce":
            table.announce(path, list(prefixes))
            held |= dict.fromkeys(prefixes, local_pref)
        elif action in ("withdraw", "flap"):
            gone = table.withdraw(source, prefixes)
            assert gone == (len(held.keys() & prefixes) if action == "withdraw" else 0)
            for prefix in prefixes:
                held.pop(prefix, None)
        elif action == "drop":
            assert table.drop(source) == len(held)
            held.clear()
        else:
            table.take_changes()
        _check(table, expected)


def _path(source: Source, local_pref: int) -> Path:
    attributes = PathAttributes(local_pref=local_pref)
    return Path(source, IPV4_UNICAST, attributes, source.address.packed, b"\1\1\1\1")


def _check(table: Table, expected: dict[Source, dict[bytes, int]]) -> None:
    everywhere = {prefix for held in expected.values() for prefix in held}
    assert table.routes.keys() == everywhere
    for source, held in expected.items():
        assert table.count_held(source) == len(held)
        assert table.announced(source) == held.keys()
        assert sorted(table.prefixes_of(source)) == sorted(held)
        assert {prefix for prefix in PREFIXES if table.holds(source, prefix)} == held.keys()
        by_path = table.by_path(source, PREFIXES * 2)
        assert {
            prefix: path.attributes.local_pref
            for path, which in by_path.items()
            for prefix in which
        } == held
    for prefix, candidates in table.routes.items():
        places: set[Source | FurtherPlace] = {path.place for path in candidates.paths}
        assert places == {source for source, held in expected.items() if prefix in held}
        assert candidates.best.attributes.local_pref == max(
            held[prefix] for held in expected.values() if prefix in held
        )
