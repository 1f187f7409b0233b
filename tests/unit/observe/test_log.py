"""The log as a whole, with a clock of our own and a list in the place of stderr."""

import json
import re
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
import structlog

from reflector.bgp.errors import Action, Finding
from reflector.observe.journal import log as log_module
from reflector.observe.journal.log import Log, configure
from reflector.reports import PeerDown, PeerName, PeerUp, Trouble, UpdateFault
from tests.unit.observe.scene import Scene
from tests.unit.observe.test_limiter import Clock

NODE = PeerName(ip_address("10.0.0.5"), "10.0.0.5", "node-a")


class Stderr:
    """What `LineWriter` is to the log."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.dropped = 0

    def write(self, line: str) -> None:
        self.lines.append(line)

    def take_dropped(self) -> int:
        dropped, self.dropped = self.dropped, 0
        return dropped

    def flush(self, within_s: float) -> bool:
        return within_s < 1

    @property
    def messages(self) -> list[str]:
        return [json.loads(line)["message"] for line in self.lines]


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stderr]:
    stderr = Stderr()
    monkeypatch.setattr(log_module, "_stderr", lambda: stderr)
    configure("json")
    yield stderr
    structlog.reset_defaults()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(stderr: Stderr, clock: Clock) -> Log:
    assert not stderr.lines
    return Log(clock)


def fault(number: int) -> UpdateFault:
    return UpdateFault(NODE, Finding(Action.WITHDRAW, f"fault {number}"))


class TestFormats:
    def test_json_has_sentence_and_facts(self, log: Log, stderr: Stderr) -> None:
        log(PeerUp(NODE, ("ipv4",), 90))
        record = json.loads(stderr.lines[0])
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", record.pop("timestamp"))
        assert record == {
            "level": "info",
            "event": "peer_up",
            "message": "10.0.0.5 (node-a): up, ipv4, hold time 90 s",
            "peer": "10.0.0.5",
            "router_id": "10.0.0.5",
            "host_name": "node-a",
            "families": ["ipv4"],
            "hold_time_s": 90,
        }

    def test_console_has_one_readable_line(self, log: Log, stderr: Stderr) -> None:
        configure("console")
        log(PeerUp(NODE, ("ipv4",), 90))
        [line] = stderr.lines
        assert re.fullmatch(
            r"\d\d:\d\d:\d\d \[info     \] 10\.0\.0\.5 \(node-a\): up, ipv4, hold time 90 s", line
        )

    def test_auto_is_json_where_nobody_watches(self, log: Log, stderr: Stderr) -> None:
        configure("auto")
        log.note("hello")
        assert stderr.messages == ["hello"]

    def test_nothing_that_a_peer_says_steers_a_terminal(self, log: Log, stderr: Stderr) -> None:
        configure("console")
        log(Trouble("a\x1b[2Jb\u202ec\n12:00:00 [info     ] forged"))
        [line] = stderr.lines
        assert line.endswith("a?[2Jb?c\n    12:00:00 [info     ] forged")

    @pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
    def test_colours_are_for_terminals_that_want_them(
        self, monkeypatch: pytest.MonkeyPatch, stderr: Stderr, name: str, value: str
    ) -> None:
        monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.delenv("NO_COLOR", raising=False)
        configure("auto")
        Log().note("x")
        monkeypatch.setenv(name, value)
        configure("auto")
        Log().note("x")
        assert ["\x1b" in line for line in stderr.lines] == [True, False]

    def test_it_runs_without_stderr(self, monkeypatch: pytest.MonkeyPatch, log: Log) -> None:
        monkeypatch.setattr("sys.stderr", None)
        configure("console")
        log.note("nobody hears")

    def test_levels_below_are_left_out(self, log: Log, stderr: Stderr) -> None:
        configure("json", "error")
        log(fault(1))
        log.note("x")
        log(Trouble("y"))
        assert stderr.messages == ["y"]


class TestFlood:
    def test_a_broken_peer_gets_a_burst_and_then_a_summary(
        self, log: Log, stderr: Stderr, clock: Clock
    ) -> None:
        for number in range(1000):
            log(fault(number))
        assert len(stderr.lines) == 10
        clock.now_s += 10
        log.summarise([])
        assert stderr.messages[10:] == [
            "10.0.0.5 (node-a): routes rejected: fault 999 (989 more like this were suppressed)"
        ]
        assert json.loads(stderr.lines[-1])["suppressed"] == 989

    def test_one_held_back_is_simply_told_later(
        self, log: Log, stderr: Stderr, clock: Clock
    ) -> None:
        for number in range(11):
            log(fault(number))
        clock.now_s += 10
        log.summarise([])
        assert stderr.messages[-1] == "10.0.0.5 (node-a): routes rejected: fault 10"

    def test_other_kinds_of_the_same_peer_still_pass(self, log: Log, stderr: Stderr) -> None:
        for number in range(50):
            log(fault(number))
        log(PeerUp(NODE, ("ipv4",), 90))
        assert stderr.messages[-1].endswith("up, ipv4, hold time 90 s")

    def test_a_scanner_does_not_hide_the_loss_of_a_session(
        self, log: Log, stderr: Stderr, clock: Clock
    ) -> None:
        for _ in range(12):
            log(PeerDown(NODE, False, "garbage", None, None, 0, 0.1))  # noqa: FBT003
        log(PeerDown(NODE, True, "reset", None, None, 5, 60))  # noqa: FBT003
        assert stderr.messages[10:] == [
            "10.0.0.5 (node-a): down after 1 min 0 s, 5 prefixes lost: reset"
        ]
        clock.now_s += 10
        log.summarise([])
        assert stderr.messages[11:] == [
            "10.0.0.5 (node-a): no session: garbage (1 more like this were suppressed)"
        ]

    def test_many_peers_at_once_are_bounded_and_counted(
        self, log: Log, stderr: Stderr, clock: Clock
    ) -> None:
        for number in range(10_000):
            name = PeerName(ip_address(0x0A000000 + number))
            log(PeerUp(name, ("ipv4",), 90))
        assert len(stderr.lines) == 2000
        clock.now_s += 10
        log.summarise([])
        assert stderr.messages[2000:] == ["8000 more lines were suppressed"]

    def test_what_is_not_written_uses_up_nothing(self, log: Log, stderr: Stderr) -> None:
        configure("json", "warning")
        for _ in range(100):
            log(PeerUp(NODE, ("ipv4",), 90))
        configure("json", "info")
        log(PeerUp(NODE, ("ipv4",), 90))
        assert len(stderr.lines) == 1

    def test_closing_tells_what_was_held_back(self, log: Log, stderr: Stderr) -> None:
        for number in range(12):
            log(fault(number))
        log.close()
        assert stderr.messages[-1].endswith("fault 11 (1 more like this were suppressed)")

    def test_lost_lines_are_said(self, log: Log, stderr: Stderr, clock: Clock) -> None:
        stderr.dropped = 7
        clock.now_s += 10
        log.summarise([])
        assert stderr.messages == ["7 lines were lost: stderr is read too slowly"]


class TestRoutes:
    def test_only_peers_that_changed_are_told(self, log: Log, stderr: Stderr) -> None:
        scene = Scene()
        peer, _quiet = scene.join("10.0.0.5", "node-a"), scene.join("10.0.0.6")
        scene.announce(peer, "10.1.0.0/24", "10.1.1.0/24", "10.1.2.0/24")
        log.summarise(scene.speaker.peers.values())
        log.summarise(scene.speaker.peers.values())
        scene.withdraw(peer, "10.1.0.0/24")
        log.summarise(scene.speaker.peers.values(), lambda _: 2)
        assert stderr.messages == [
            "10.0.0.5 (node-a): learned 3",
            "10.0.0.5 (node-a): withdrew 1 (now 2)",
        ]

    def test_refused_routes_are_told(self, log: Log, stderr: Stderr) -> None:
        scene = Scene()
        peer = scene.join("10.0.0.5")
        scene.announce(peer, "10.1.0.0/24", next_hop="192.0.2.1")
        log.summarise(scene.speaker.peers.values())
        assert stderr.messages == ["10.0.0.5: 1 rejected"]

    def test_a_peer_that_flaps_its_routes_is_summed_up_and_not_miscounted(
        self, log: Log, stderr: Stderr, clock: Clock
    ) -> None:
        scene = Scene()
        peer = scene.join("10.0.0.5")
        for _ in range(60):
            scene.announce(peer, "10.1.0.0/24")
            scene.withdraw(peer, "10.1.0.0/24")
            clock.now_s += 1
            log.summarise(scene.speaker.peers.values())
        clock.now_s += 60
        log.summarise(scene.speaker.peers.values())
        records = [json.loads(line) for line in stderr.lines]
        assert len(records) < 20
        assert sum(record["learned"] for record in records) == 60
        assert sum(record["withdrew"] for record in records) == 60

    def test_peers_that_are_gone_are_forgotten(self, log: Log) -> None:
        scene = Scene()
        scene.announce(scene.join("10.0.0.5"), "10.1.0.0/24")
        log.summarise(scene.speaker.peers.values())
        log.summarise([])
        assert not log._counted
