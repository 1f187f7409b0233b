"""Which AS a peer may be in, and what it is told if it is in another."""

import pytest

from reflector.bgp.remote_as import INTERNAL, RemoteAs

OURS = 64512
ANY = RemoteAs(external=True)
OTHERS = RemoteAs(internal=False, external=True)
ONE = RemoteAs(internal=False, numbers=frozenset({65001}))
MANY = RemoteAs(internal=False, numbers=frozenset(range(65001, 65010)))
OURS_AND_ONE = RemoteAs(numbers=frozenset({65001}))


@pytest.mark.parametrize(
    ("rule", "accepted"),
    [
        (INTERNAL, {OURS}),
        (ANY, {OURS, 65001, 4200000000}),
        (OTHERS, {65001, 4200000000}),
        (ONE, {65001}),
        (OURS_AND_ONE, {OURS, 65001}),
        (RemoteAs(internal=False, numbers=frozenset({OURS})), {OURS}),
    ],
)
def test_who_is_let_in(rule: RemoteAs, accepted: set[int]) -> None:
    asns = (0, 23456, OURS, 65001, 4200000000)
    assert {asn for asn in asns if rule.accepts(asn, OURS)} == accepted


@pytest.mark.parametrize(
    ("rule", "asn", "says"),
    [
        (
            INTERNAL,
            65001,
            (
                "the peer is in AS 65001 and we are in AS 64512: start kube-router with "
                "--cluster-asn=64512 (or the reflector with --asn=65001; for clusters in ASes of their "
                "own set remote-as to any)"
            ),
        ),
        (
            ONE,
            65002,
            (
                "the peer is in AS 65002, and its remote-as here lets in AS 65001: start kube-router "
                "with --cluster-asn=65001, or add 65002 to remote-as"
            ),
        ),
        (
            ONE,
            OURS,
            (
                "the peer is in our own AS 64512, and its remote-as here lets in AS 65001: start "
                "kube-router with --cluster-asn=65001, or set remote-as to any"
            ),
        ),
        (
            OTHERS,
            OURS,
            (
                "the peer is in our own AS 64512, and its remote-as here lets in every AS but ours: "
                "start kube-router with another --cluster-asn, or set remote-as to any"
            ),
        ),
        (
            OURS_AND_ONE,
            65002,
            (
                "the peer is in AS 65002, and its remote-as here lets in AS 65001 and our own AS: start "
                "kube-router with --cluster-asn=65001, or add 65002 to remote-as"
            ),
        ),
        (ANY, 0, "AS 0, which is nobody's"),
        (ANY, 23456, "AS 23456, which is nobody's"),
        (MANY, 1, "AS 65005 and 4 more: start kube-router with another --cluster-asn"),
    ],
)
def test_what_the_student_is_to_change(rule: RemoteAs, asn: int, says: str) -> None:
    assert says in rule.refusal(asn, OURS)
