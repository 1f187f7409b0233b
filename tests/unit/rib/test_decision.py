"""The decision process: every tie-break, in every order of arrival."""

from dataclasses import replace
from ipaddress import ip_address
from itertools import permutations

import pytest

from reflector.bgp.attributes import PathAttributes
from reflector.bgp.vocabulary import IPV4_UNICAST
from reflector.rib.audience import Audience
from reflector.rib.decision import best_path, eliminate, explain, with_path, without_place
from reflector.rib.path import Candidates, Path
from reflector.rib.source import IPAddress, Source

CLUSTER_ID = b"\x0a\0\0\xfe"


def make(
    address: str = "10.0.0.1",
    router_id: str = "",
    *,
    local: bool = False,
    **attributes: object,
) -> Path:
    """Make a path from a source of its own; attributes by their names in `PathAttributes`."""
    where: IPAddress = ip_address(address)
    identifier = ip_address(router_id or ("1.1.1.1" if where.version == 6 else address)).packed
    source = Source(address, Audience.CLIENT, identifier, where, local=local)
    judged = replace(PathAttributes(next_hop=b"\x0a\0\0\1"), **attributes)  # type: ignore[arg-type]
    return Path(source, IPV4_UNICAST, judged, b"\x0a\0\0\1", CLUSTER_ID)


# Pairs, of which the first wins by the step, though all later steps say the opposite.
STEPS = {
    "originated by this reflector": (
        make("10.0.0.9", local=True, local_pref=1, as_path_length=9),
        make("10.0.0.1", local_pref=900),
    ),
    "highest LOCAL_PREF": (
        make("10.0.0.9", local_pref=101, as_path_length=9, origin=2),
        make("10.0.0.1", local_pref=100),
    ),
    "shortest AS_PATH": (
        make("10.0.0.9", as_path_length=1, origin=2, med=9),
        make("10.0.0.1", as_path_length=2),
    ),
    "lowest ORIGIN": (
        make("10.0.0.9", origin=1, med=9),
        make("10.0.0.1", origin=2),
    ),
    "lowest MULTI_EXIT_DISC": (
        make("10.0.0.9", med=1, neighbor_as=7, cluster_list=bytes(40)),
        make("10.0.0.1", med=2, neighbor_as=7),
    ),
    "lowest BGP identifier (ORIGINATOR_ID)": (
        make("10.0.0.9", "1.1.1.1", med=9, neighbor_as=7, cluster_list=bytes(40)),
        make("10.0.0.1", "2.2.2.2", med=0, neighbor_as=8),
    ),
    "shortest CLUSTER_LIST": (
        make("10.0.0.9", originator_id=b"\1\1\1\1", cluster_list=bytes(4)),
        make("10.0.0.1", originator_id=b"\1\1\1\1", cluster_list=bytes(8)),
    ),
    "lowest peer address": (
        make("10.0.0.2", "9.9.9.9", originator_id=b"\1\1\1\1"),
        make("10.0.0.10", "8.8.8.8", originator_id=b"\1\1\1\1"),
    ),
    "lowest BGP identifier of the peer": (
        make("10.0.0.1", "8.8.8.8", originator_id=b"\1\1\1\1"),
        make("10.0.0.1", "9.9.9.9", originator_id=b"\1\1\1\1"),
    ),
}


@pytest.mark.rfc("4271", "9.1.1", "9.1.2.2", "5.1.5")
@pytest.mark.rfc("4456", "9")
@pytest.mark.parametrize("step", STEPS)
def test_each_step_decides_before_those_behind_it(step: str) -> None:
    winner, loser = STEPS[step]
    assert best_path([winner, loser]) is winner
    assert best_path([loser, winner]) is winner
    assert explain((loser, winner)) == step


@pytest.mark.rfc("4271", "9.1.2.2")
def test_ipv4_peers_come_before_ipv6_peers() -> None:
    four = make("223.0.0.1", "1.1.1.1")
    six = make("2001:db8::1", "1.1.1.1")
    assert best_path([six, four]) is four
    assert explain((six, four)) == "lowest peer address"


@pytest.mark.rfc("4271", "9.1.2.2")
def test_addresses_compare_as_numbers() -> None:
    nine, ten = make("10.0.0.9", "1.1.1.1"), make("10.0.0.10", "1.1.1.1")
    assert best_path([ten, nine]) is nine


@pytest.mark.rfc("4271", "9.1.2.2")
def test_an_absent_med_counts_as_the_lowest() -> None:
    absent = make("10.0.0.9", neighbor_as=7)
    assert best_path([make("10.0.0.1", neighbor_as=7, med=1), absent]) is absent


@pytest.mark.rfc("4271", "9.1.2.2")
def test_med_is_compared_only_within_a_neighboring_as() -> None:
    first = make("10.0.0.1", neighbor_as=7, med=900)
    second = make("10.0.0.2", neighbor_as=8, med=0)
    assert best_path([second, first]) is first


def test_paths_from_within_the_as_compare_their_med() -> None:
    worse, better = make("10.0.0.1", med=5), make("10.0.0.2", med=4)
    assert best_path([worse, better]) is better


@pytest.mark.rfc("4456", "9")
def test_an_originator_id_stands_for_the_identifier() -> None:
    reflected = make("10.0.0.9", "9.9.9.9", originator_id=b"\1\1\1\1", cluster_list=bytes(8))
    direct = make("10.0.0.1", "2.2.2.2")
    assert best_path([direct, reflected]) is reflected


@pytest.mark.rfc("4271", "9.1.2.2 MED")
def test_better_is_no_order_on_pairs_because_of_med() -> None:
    a = make("10.0.0.1", "3.3.3.3", neighbor_as=7, med=1)
    b = make("10.0.0.2", "2.2.2.2", neighbor_as=8, med=0)
    c = make("10.0.0.3", "1.1.1.1", neighbor_as=7, med=2)
    assert best_path([a, b]) is b
    assert best_path([b, c]) is c
    assert best_path([c, a]) is a
    for order in permutations([a, b, c]):
        assert best_path(order) is b
        candidates: Candidates | None = None
        for path in order:
            candidates = with_path(candidates, path)
        assert candidates is not None
        assert candidates.best is b


@pytest.mark.rfc("4271", "9.1.2.2 MED")
def test_the_result_never_depends_on_the_order_of_arrival_or_departure() -> None:
    paths = [
        make("10.0.0.1", "3.3.3.3", neighbor_as=7, med=1),
        make("10.0.0.2", "2.2.2.2", neighbor_as=8),
        make("10.0.0.3", "1.1.1.1", neighbor_as=7, med=2),
        make("10.0.0.4", local_pref=99),
        make("10.0.0.5", as_path_length=1, neighbor_as=9),
    ]
    for order in permutations(paths):
        candidates: Candidates | None = None
        for i, path in enumerate(order):
            candidates = with_path(candidates, path)
            assert candidates.best is best_path(order[: i + 1])
            assert set(candidates.paths) == set(order[: i + 1])
        for i, path in enumerate(order):
            assert candidates is not None
            candidates = without_place(candidates, path.source)
            left = order[i + 1 :]
            assert (candidates is None) == (not left)
            if candidates is not None:
                assert candidates.best is best_path(left)


def test_a_source_has_one_path_at_a_time() -> None:
    first, other = make("10.0.0.1", med=1), make("10.0.0.2")
    again = Path(first.source, IPV4_UNICAST, PathAttributes(local_pref=7), b"\1\1\1\1", CLUSTER_ID)
    assert with_path(with_path(None, first), again).paths == (again,)
    candidates = with_path(with_path(with_path(None, first), other), again)
    assert set(candidates.paths) == {other, again}
    assert candidates.best is other


def test_the_best_path_of_a_source_may_be_replaced_by_its_worst() -> None:
    for preference, best in ((50, "other"), (150, "again")):
        first, other = make("10.0.0.1"), make("10.0.0.2")
        judged = PathAttributes(local_pref=preference)
        again = Path(first.source, IPV4_UNICAST, judged, b"\1\1\1\1", CLUSTER_ID)
        candidates = with_path(with_path(with_path(None, first), other), again)
        assert candidates.best is {"other": other, "again": again}[best]


def test_withdrawing_what_is_not_there_changes_nothing() -> None:
    only, stranger = make("10.0.0.1"), make("10.0.0.2")
    left = without_place(with_path(None, only), stranger.source)
    assert left is not None
    assert left.best is only


def test_a_path_alone_needs_no_reason() -> None:
    assert explain((make(),)) == "only path"


def test_the_reason_is_the_step_that_put_the_last_rival_out() -> None:
    best = make("10.0.0.1", local_pref=200)
    assert explain((best, make("10.0.0.2", local_pref=200), make("10.0.0.3"))) == (
        "lowest BGP identifier (ORIGINATOR_ID)"
    )


def test_every_loser_is_told_the_step_that_was_against_it() -> None:
    best = make("10.0.0.1", local_pref=200, neighbor_as=7, med=1)
    losers = {
        make("10.0.0.2", local_pref=100): "highest LOCAL_PREF",
        make("10.0.0.3", local_pref=200, as_path_length=3): "shortest AS_PATH",
        make("10.0.0.4", local_pref=200, neighbor_as=7, med=2): "lowest MULTI_EXIT_DISC",
        make("10.0.0.5", local_pref=200): "lowest BGP identifier (ORIGINATOR_ID)",
    }
    for order in permutations([best, *losers]):
        assert dict(eliminate(order)) == losers
