"""Neighbors of the configuration without a connection, in every table that shows neighbors."""

from __future__ import annotations

import time
from typing import Any

import pytest

from reflector.vty.absent import absent
from reflector.vty.neighbors import neighbors_json, neighbors_text
from reflector.vty.summary import summary_json, summary_text

ABOUT = {"router_id": "192.0.2.1", "asn": 64512, "routes": {}}


def neighbor(remote_as: list[object], **settings: object) -> dict[str, Any]:
    named = {"address": "10.0.0.7", "description": "", "families": None, "remote-as": remote_as}
    return absent(named | settings, {"asn": 64512, "families": ["ipv4", "ipv6"]}, None)


@pytest.mark.parametrize(
    ("remote_as", "asn"),
    [(["internal"], 64512), ([65001], 65001), (["external"], 0), (["any"], 0), ([1, 2], 0)],
)
def test_the_as_is_the_configured_one_where_there_is_one(remote_as: list[object], asn: int) -> None:
    assert neighbor(remote_as)["asn"] == asn


def test_it_counts_as_failed_in_its_families() -> None:
    one = neighbor(["internal"], families=["ipv6"], description="a node")
    shown = summary_json(ABOUT, [one], "ipv6")
    assert (shown["totalPeers"], shown["failedPeers"]) == (1, 1)
    assert shown["peers"]["10.0.0.7"]["state"] == "Active"
    assert shown["peers"]["10.0.0.7"]["desc"] == "a node"
    assert summary_json(ABOUT, [one], "ipv4")["totalPeers"] == 0


def test_those_that_are_not_chosen_are_counted() -> None:
    shown = summary_json(ABOUT, [neighbor(["internal"])], "ipv4", "established")
    assert shown["peers"] == {}
    assert (shown["displayedPeers"], shown["totalPeers"], shown["failedPeers"]) == (0, 1, 1)


def test_it_has_no_addresses_of_a_connection() -> None:
    one = neighbor(["internal"])
    assert "hostLocal" not in neighbors_json(ABOUT, [one])["10.0.0.7"]
    text = neighbors_text(ABOUT, [one])
    assert "BGP state = Active" in text
    assert "Local host" not in text


def test_who_has_left_is_shown_with_when_and_why() -> None:
    settings = {
        "address": "10.0.0.7",
        "description": "",
        "families": ["ipv4"],
        "remote-as": ["internal"],
    }
    left = {"sessions": 3, "since": time.time() - 3725.0, "reason": "switched off"}
    one = absent(settings, {"asn": 64512}, left)
    failed = summary_json(ABOUT, [one], "ipv4", "failed")
    (row,) = (
        line for line in summary_text(failed, "ipv4", "failed").split("\n") if "10.0.0.7" in line
    )
    assert row.split(maxsplit=4) == ["10.0.0.7", "3", "3", "01:02:05", "switched off"]
    text = neighbors_text(ABOUT, [one])
    assert "Connections established 3; dropped 3" in text
    assert "Last reset 01:02:05,  switched off" in text
    assert neighbors_json(ABOUT, [one])["10.0.0.7"]["lastResetTimerMsecs"] >= 3_725_000


def test_who_never_came_has_no_time() -> None:
    failed = summary_json(ABOUT, [neighbor(["internal"])], "ipv4", "failed")
    assert "never it has had no session yet" in summary_text(failed, "ipv4", "failed")
    assert "Last reset" not in neighbors_text(ABOUT, [neighbor(["internal"])])
