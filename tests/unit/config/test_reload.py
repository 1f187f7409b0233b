"""A reload drops a session only for a reason that can be named."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from reflector.config.model import Config
from reflector.config.reload import diff, passwords
from reflector.config.yaml_loader import parse_yaml

TEN = ip_address("10.0.0.1")
EVERYBODY = "ranges: [{network: 0.0.0.0/0%s}]\n"


def config(text: str) -> Config:
    return parse_yaml(text.encode(), "f")


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        ("", "", None),
        ("", EVERYBODY % "", None),
        ("", EVERYBODY % ", description: class", None),
        ("", "networks: []", None),
        ("", "log: {level: debug}\nlimits: {max-sessions: 5}", None),
        ("", "ranges: [{network: 11.0.0.0/8}]", "no longer lets this address peer"),
        ("", EVERYBODY % ", hold-time: 30", "its hold time"),
        ("", "hold-time: 30", "its hold time"),
        (EVERYBODY % ", hold-time: 30", EVERYBODY % ", hold-time: 30" + "hold-time: 9", None),
        ("", "families: [ipv4]", "its address families"),
        ("", EVERYBODY % ", password: x", "its password"),
        ("", EVERYBODY % ", client: false, password: x", "its password and role"),
        ("", EVERYBODY % ", ttl-security: 1", "its TTL security"),
        ("", EVERYBODY % ", remote-as: any", None),
        ("", EVERYBODY % ", remote-as: external", "its remote AS"),
        ("", EVERYBODY % ", remote-as: any, route-server: true, enforce-first-as: false", None),
        ("", "neighbors: [{address: 10.0.0.1}]", None),
        ("", "neighbors: [{address: 10.0.0.1, client: false}]", "its role"),
        ("", "neighbors: [{address: 10.0.0.2, client: false}]", None),
    ],
)
def test_who_is_dropped_and_why(before: str, after: str, reason: str | None) -> None:
    dropped = diff(config(before), config(after)).dropped(TEN, 64512)
    if reason is None:
        assert dropped is None
    else:
        assert reason in str(dropped)


@pytest.mark.parametrize(
    ("before", "after", "asn", "reason"),
    [
        ("any", "external", 65001, None),
        ("any", "[65001, 65002]", 65001, None),
        ("any", "[65001, 65002]", 65003, "its remote AS"),
        ("any", "[65001, 65002]", None, "its remote AS"),
        ("any", "internal", 65001, "its remote AS"),
        ("any", "any, client: false", 65001, None),
        ("any", "any, route-server: true", 65001, "its role (route server client or not)"),
        ("any", "any, enforce-first-as: false", 65001, "its check of the first AS"),
        (
            "any",
            "any, enforce-first-as: false, client: false",
            None,
            "its check of the first AS and",
        ),
    ],
)
def test_what_concerns_external_peers(
    before: str, after: str, asn: int | None, reason: str | None
) -> None:
    said = [config(EVERYBODY % f", remote-as: {each}") for each in (before, after)]
    dropped = diff(*said).dropped(TEN, asn)
    assert dropped is None if reason is None else reason in str(dropped)


def test_what_needs_a_restart_keeps_its_value_and_is_named() -> None:
    change = diff(config(""), config("asn: 65000\nport: 1179\nhold-time: 30"))
    assert change.restart_reasons == ("asn: 64512 to 65000", "port: 179 to 1179")
    assert (change.after.asn, change.after.port, change.after.hold_time_s) == (64512, 179, 30)


def test_values_are_named_as_a_file_has_them() -> None:
    change = diff(config(""), config("redial: false\nrouter-id: 10.0.0.9"))
    assert change.restart_reasons == ("router-id: the default to 10.0.0.9", "redial: true to false")


def test_no_change_is_no_change() -> None:
    assert not diff(config(""), config(""))
    assert diff(config(""), config("hold-time: 30"))


def test_passwords_that_are_new_changed_or_gone_are_found() -> None:
    before = config(
        "ranges: [{network: 10.0.0.0/8, password: a}, {network: 11.0.0.0/8, password: b}]"
    )
    after = config(
        "ranges: [{network: 10.0.0.0/8, password: c}, {network: 11.0.0.0/8, password: b}]\n"
        "neighbors: [{address: 12.0.0.1, password: d}]"
    )
    assert diff(before, after).passwords_changed == {
        ip_network("10.0.0.0/8"),
        ip_network("12.0.0.1/32"),
    }
    assert passwords(after)[ip_network("12.0.0.1/32")] == "d"
    assert diff(before, config("")).passwords_changed == {
        ip_network("10.0.0.0/8"),
        ip_network("11.0.0.0/8"),
    }


POLICY = "policies: [{name: p, otherwise: %s}]\n"


@pytest.mark.parametrize(
    ("before", "after", "changed"),
    [
        ("", EVERYBODY % "", []),
        ("ranges: [{network: 11.0.0.0/8}]", EVERYBODY % ", import: p", []),  # nobody was there
        (EVERYBODY % "", EVERYBODY % ", import: p", ["import of 0.0.0.0/0"]),
        (EVERYBODY % ", export: p", EVERYBODY % ", import: p", ["import and export of 0.0.0.0/0"]),
        (EVERYBODY % "", EVERYBODY % ", accept-default: true", ["import of 0.0.0.0/0"]),
        (EVERYBODY % "", EVERYBODY % ", maximum-prefix: {limit: 5}", ["import of 0.0.0.0/0"]),
        (EVERYBODY % "", EVERYBODY % ", description: x", []),
    ],
)
def test_filters_that_change_are_named_and_drop_nobody(
    before: str, after: str, changed: list[str]
) -> None:
    change = diff(config(POLICY % "reject" + before), config(POLICY % "reject" + after))
    assert change.filters_changed() == changed
    assert change.dropped(TEN, 64512) is None


def test_a_policy_that_changes_under_its_name_is_found() -> None:
    text = POLICY + EVERYBODY % ", export: p"
    change = diff(config(text % "reject"), config(text % "accept"))
    assert change.filters_changed() == ["export of 0.0.0.0/0"]
