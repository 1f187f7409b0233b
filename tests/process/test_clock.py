"""Somebody sets the clock by days while the reflector runs.

The machine's own clock is nobody's to set in a test, and Debian's faketime can't leave the monotonic
clock alone: Python sleeps by it. So the reflector's `time.time` is given the error.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from reflector import sim
from tests.support.process import wait_until
from tests.support.reflector_process import free_port

OURS, THEIRS = "10.1.0.0/24", "10.2.0.0/24"
HOLD_S = 3
DAY_S = 24 * 3600
JUMPS_S = [0, 9 * DAY_S, -400 * DAY_S, 0]

CUSTOMIZE = """\
import time
from pathlib import Path
right, error = time.time, Path({file!r})
time.time = lambda: right() + float(error.read_text())
"""


@pytest.fixture
def clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that says by how many seconds the reflector's clock is wrong; the others' is right."""
    file = tmp_path / "error_s"
    file.write_text("0")
    (tmp_path / "sitecustomize.py").write_text(CUSTOMIZE.format(file=str(file)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return file


def set_clock(file: Path, error_s: int) -> None:
    """Set the reflector's clock; it never sees half of it."""
    beside = file.with_name("next")
    beside.write_text(str(error_s))
    beside.replace(file)


@pytest.fixture
def reflector(clock: Path) -> Iterator[sim.RunningReflector]:
    assert clock.exists()
    with sim.RunningReflector(http=f"127.0.0.1:{free_port()}") as running:
        yield running


def ask(reflector: sim.RunningReflector, what: str) -> tuple[dict[str, Any], float]:
    """The API's answer, and what time it is for whoever gave it."""
    with urllib.request.urlopen(f"http://{reflector.http}/api/v1/{what}", timeout=20) as answer:
        now = parsedate_to_datetime(answer.headers["Date"]).timestamp()
        return json.load(answer), now


def ages(reflector: sim.RunningReflector) -> list[float]:
    """For how long all that the class is told of is so."""
    clusters, now_s = ask(reflector, "clusters")
    problems, _ = ask(reflector, "problems")
    events, _ = ask(reflector, "history?limit=100")
    since = [node["since"] for cluster in clusters["clusters"] for node in cluster["nodes"]]
    since += [problem["since"] for problem in problems["problems"]]
    return [now_s - each for each in since + [event["at"] for event in events["events"]]]


def test_sessions_routes_and_ages_are_as_if_nothing_had_happened(
    clock: Path, reflector: sim.RunningReflector
) -> None:
    with sim.Blocking() as peers:
        one, two = (
            peers.connect(*reflector.address, source=f"127.0.0.{n}", hold_time_s=HOLD_S)
            for n in (2, 3)
        )
        for peer in (one, two):
            peer.established()
        wrong = peers.connect(*reflector.address, source="127.0.0.4", asn=65001)
        wrong.notification(2, 2)
        for number, error_s in enumerate(JUMPS_S[1:], start=1):
            left = peers.connect(*reflector.address, source=f"127.0.0.{4 + number}")
            left.established()
            set_clock(clock, error_s)
            wanted = _keepalives(one) + 4
            # A hold time and more: KEEPALIVEs go on, and nothing is found to have expired.
            _wait_keepalives(one, wanted)
            one.announce(OURS, med=number)
            two.route(OURS, med=number)
            left.close()
            problems = ask(reflector, "problems")[0]["problems"]
            assert "wrong-as" in {problem["kind"] for problem in problems}, (error_s, problems)
            shown = ages(reflector)
            assert all(-2 < age < 600 for age in shown), (error_s, shown)
        assert one.ended is None
        assert two.ended is None
        # Who comes back after a restart is remembered as before.
        reflector.stop()
        set_clock(clock, JUMPS_S[1])
        reflector.start()
        one.rejoin()
        two.rejoin()
        one.announce(OURS)
        two.route(OURS)
    assert "Traceback" not in reflector.log


def _wait_keepalives(peer: sim.BlockingPeer, count: int) -> None:
    wait_until(lambda: _keepalives(peer) >= count, what=f"KEEPALIVE number {count}")


def _keepalives(peer: sim.BlockingPeer) -> int:
    return sum(
        (each.kind, each.direction) == ("KEEPALIVE", "received") for each in peer.history.messages
    )
