"""The pings that other tests count: each run counts its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.netns import Host, Lab, ip
from tests.support.pinging import INTERVAL_S, Pinging

pytestmark = pytest.mark.lab

_A, _B = "10.77.0.11", "10.77.0.12"
_PODS_A, _PODS_B = "10.11.0.0/24", "10.12.0.0/24"
_AWAY_S = 10 * INTERVAL_S


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    """Two hosts that have each other's pods as static routes."""
    lab = Lab("ping-")
    try:
        first = lab.add_host("a", _A, pod_subnet=_PODS_A)
        second = lab.add_host("b", _B, pod_subnet=_PODS_B)
        ip("route", "add", _PODS_B, "via", _B, netns=first.netns)
        ip("route", "add", _PODS_A, "via", _A, netns=second.netns)
        yield first, second
    finally:
        lab.close()


def test_a_second_run_in_the_same_folder_counts_its_own_pings(
    hosts: tuple[Host, Host], tmp_path: Path
) -> None:
    first, second = hosts
    sent, answered = Pinging(first, second, tmp_path).stop()
    assert sent - answered <= 1
    pinging = Pinging(first, second, tmp_path)
    ip("route", "del", _PODS_B, netns=first.netns)
    time.sleep(_AWAY_S)
    sent, answered = pinging.stop()
    assert sent - answered >= 1
