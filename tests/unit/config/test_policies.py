"""Policies in the configuration: what is read, and what is wrong with it."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from reflector.config.describe import describe
from reflector.config.errors import ConfigError
from reflector.config.intake import export, hold_down_s, intake, policies
from reflector.config.model import Config, PeerSettings
from reflector.config.policy_kinds import COMMUNITY, PREFIX_RANGE, SPAN
from reflector.config.yaml_loader import parse_yaml
from reflector.rib.policy import Verdict

WHOLE = """
prefix-sets:
  - name: pods
    prefixes: [10.244.0.0/16 ge 24 le 26, "fd00::/8 le 64"]
policies:
  - name: only-pods
    rules:
      - {prefixes: pods, from: 10.0.0.7, as-path: [65001, 65002], as-path-length: le 3, then: reject}
      - {communities: ["64512:1", no-export], set-local-pref: 200, set-med: 0, then: next}
      - {add-communities: "64512:1:2"}
    otherwise: reject
ranges:
  - {network: 0.0.0.0/0, import: only-pods}
neighbors:
  - {address: 10.0.0.1, export: only-pods}
"""


def config(text: str) -> Config:
    return parse_yaml(text.encode(), "f")


def blamed(text: str) -> list[str]:
    with pytest.raises(ConfigError) as error:
        config(text)
    return [str(each) for each in error.value.findings]


def test_a_policy_is_read_and_named_by_ranges_and_neighbors() -> None:
    found = config(WHOLE)
    known = policies(found)
    policy = known["only-pods"]
    assert intake(found.ranges[0].settings, known).policy is policy
    assert export(found.ranges[0].settings, known) is None
    assert export(found.neighbors[0].settings, known) is policy
    first, second, third = policy.rules
    assert (first.name, first.verdict) == ("only-pods, rule 1", Verdict.REJECT)
    assert first.peers == (ip_network("10.0.0.7/32"),)
    assert first.as_path == frozenset({65001, 65002})
    assert first.as_path_length == (0, 3)
    assert second.communities == {(8, b"\xfc\0\0\1"), (8, b"\xff\xff\xff\1")}
    assert (second.change.local_pref, second.change.med) == (200, 0)
    assert third.verdict is Verdict.ACCEPT
    assert third.change.communities == ((32, bytes.fromhex("0000fc000000000100000002")),)
    assert policies(config(WHOLE)) == known, "a reload without a change is none"


def test_how_long_a_peer_is_kept_out() -> None:
    assert hold_down_s(PeerSettings()) == 60
    each = "ranges: [{network: 0.0.0.0/0, maximum-prefix: {limit: 5, action: %s}}]"
    assert hold_down_s(config(each % "drop").ranges[0].settings) == float("inf")
    maximum = intake(config(each % "warn").ranges[0].settings, {}).maximum
    assert (maximum.limit, maximum.warn_at, maximum.warning_only) == (5, 3, True)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10.0.0.0/8", (8, 8)),
        ("10.0.0.0/8 le 24", (8, 24)),
        ("10.0.0.0/8 ge 16", (16, 32)),
        ("10.0.0.0/8  ge 16 le 24", (16, 24)),
        ("::/0 le 128", (0, 128)),
        ("0.0.0.0/0", (0, 0)),
    ],
)
def test_a_prefix_range_means_what_it_means_elsewhere(text: str, meant: tuple[int, int]) -> None:
    found = PREFIX_RANGE.read(text)
    assert (found.least, found.most) == meant  # type: ignore[attr-defined]
    assert PREFIX_RANGE.read(str(found)) == found


@pytest.mark.parametrize(
    "text",
    ["10.0.0.0", "10.0.0.0/8 le 7", "10.0.0.0/8 ge 24 le 16", "10.0.0.0/8 le 33", "10.0.0.0/8 x",
     "10.0.0.1/8", "10.0.0.0/8 le 16 ge 9", "any", ""],
)  # fmt: skip
def test_a_wrong_prefix_range_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="'"):
        PREFIX_RANGE.read(text)


@pytest.mark.parametrize(
    ("text", "code", "octets"),
    [
        ("64512:1", 8, "fc000001"),
        ("graceful-shutdown", 8, "ffff0000"),
        ("4200000000:1:2", 32, "fa56ea000000000100000002"),
        ("rt:64512:200", 16, "0002fc00000000c8"),
        ("soo:10.0.0.1:300", 16, "01030a000001012c"),
        ("rt:4200000000:3", 16, "0202fa56ea000003"),
    ],
)
def test_a_community_of_every_kind(text: str, code: int, octets: str) -> None:
    assert COMMUNITY.read(text) == (code, bytes.fromhex(octets))


@pytest.mark.parametrize(
    "text",
    ["1", "65536:1", "1:2:3:4", "rt:1", "rt:64512:4294967296", "soo:10.0.0:1", "x:1", "-1:1"],
)
def test_a_wrong_community_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="is no community"):
        COMMUNITY.read(text)


def test_a_span_is_a_number_or_a_range() -> None:
    assert [SPAN.read(each) for each in ("3", "ge 2", "le 4", "ge 2 le 4")] == [
        (3, 3),
        (2, 9999),
        (0, 4),
        (2, 4),
    ]
    for wrong in ("", "x", "ge 3 le 2", "le 2 ge 1", "-1"):
        with pytest.raises(ValueError, match="is not of the form"):
            SPAN.read(wrong)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (
            "policies: [{name: a, otherwise: accept, rules: [{prefixes: pods}]}]",
            "f:1:60: policies[0].rules[0].prefixes: there is no pods among prefix-sets",
        ),
        (
            "ranges: [{network: 0.0.0.0/0, import: x}]\npolicies: [{name: y, otherwise: accept}]",
            "f:1:39: ranges[0].import: there is no x among policies: there is y",
        ),
        ("policies: [{name: a}]", "f:1:12: policies[0]: otherwise is missing"),
        (
            "prefix-sets: [{name: a, prefixes: '1.0.0.0/8'}, {name: a, prefixes: '2.0.0.0/8'}]",
            "f:1:49: prefix-sets[1]: a is there already, as prefix-sets[0]",
        ),
        (
            "policies: [{name: a b, otherwise: accept}]",
            "f:1:19: policies[0].name: 'a b' is no name: letters, digits, and _ - . in it",
        ),
    ],
)
def test_a_mistake_has_its_place(text: str, found: str) -> None:
    assert blamed(text) == [found]


def test_med_is_set_or_removed() -> None:
    text = "policies: [{{name: p, otherwise: accept, rules: [{{set-med: {}, then: next}}]}}]"
    (removes,) = policies(config(text.format("none")))["p"].rules
    assert removes.change.med == "none"
    assert describe(config(text.format("none")))["policies"][0]["rules"][0]["set-med"] == "none"
    (said,) = blamed(text.format("4294967296"))
    assert "'4294967296' is neither a whole number (0 to 4294967295) nor none" in said
