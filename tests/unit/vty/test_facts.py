"""How FRR writes what we know."""

import pytest

from reflector.vty.facts import by_key, uptime


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "00:00:00"),
        (59.9, "00:00:59"),
        (3661, "01:01:01"),
        (86400, "1d00h00m"),
        (2 * 86400 + 3 * 3600 + 240, "2d03h04m"),
        (9 * 86400 + 3600, "01w2d01h"),
    ],
)
def test_uptime(seconds: float, text: str) -> None:
    assert uptime(seconds) == text


def test_nodes_behind_one_address_are_told_apart() -> None:
    nodes = [{"address": "10.0.0.1", "router_id": each} for each in ("1.1.1.1", "2.2.2.2")]
    assert [key for key, _ in by_key(nodes)] == ["10.0.0.1", "10.0.0.1(2.2.2.2)"]
