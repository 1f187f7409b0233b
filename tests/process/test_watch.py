"""`bgp-reflector watch` on a terminal of its own, and where there is none."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator

import pytest

from reflector import sim
from tests.support.process import wait_until
from tests.support.reflector_process import REPOSITORY

DEADLINE_S = 60.0
LEFT = "\x1b[?25h\x1b[?1049l"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.fixture(scope="module")
def reflector() -> Iterator[sim.RunningReflector]:
    """Two clusters, of which one claims a prefix of the other."""
    with sim.RunningReflector() as running, sim.Blocking() as peers:
        for name, number in (("anna-1", 1), ("ben-1", 2)):
            node = peers.connect(
                *running.address,
                profile=sim.kube_router(node_name=name),
                source=f"127.0.9.{number}",
                router_id=f"10.0.9.{number}",
            )
            node.announce(f"10.{3 - number}.0.0/24")
            node.route("1.0.0.2/32")
        node.announce("10.2.0.0/24")
        yield running


def command(reflector: sim.RunningReflector) -> list[str]:
    socket = str(reflector.control_socket)
    return [sys.executable, "-m", "reflector", "watch", "--socket", socket]


class Terminal:
    """A terminal with `watch` on it, as it was drawn last."""

    def __init__(self, reflector: sim.RunningReflector, columns: int, lines: int) -> None:
        self.seen = ""
        self._ours, self._theirs = pty.openpty()
        self.resize(columns, lines)
        self.before = termios.tcgetattr(self._theirs)
        environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
        self.process = subprocess.Popen(
            command(reflector),
            stdin=self._theirs,
            stdout=self._theirs,
            stderr=self._theirs,
            env={**environment, "PYTHONPATH": str(REPOSITORY), "TERM": "xterm"},
            preexec_fn=self._own_the_terminal,  # noqa: PLW1509 - no threads here
        )

    def _own_the_terminal(self) -> None:
        os.setsid()
        # As a shell on a terminal has it; what is started in the background may inherit it ignored.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def resize(self, columns: int, lines: int) -> None:
        """Give it another size, which the kernel tells the process."""
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._ours, keys.encode())

    def read(self) -> None:
        """Take in what was drawn."""
        while select.select([self._ours], [], [], 0.05)[0]:
            self.seen += os.read(self._ours, 65536).decode()

    def picture(self) -> list[str]:
        """The last whole picture, without colours."""
        self.read()
        pictures = COLOUR.sub("", self.seen).split("\x1b[H")[1:]
        whole = [each for each in pictures if each.endswith("\x1b[J")]
        return whole[-1].removesuffix("\x1b[J").replace("\x1b[K", "").split("\r\n") if whole else []

    def until(self, text: str) -> list[str]:
        """Wait until a text is in the picture."""

        def look() -> list[str]:
            lines = self.picture()
            return lines if text in "\n".join(lines) else []

        return wait_until(
            look,
            what=f"the picture has {text!r}",
            explain=lambda: "\n".join(self.picture()),
        )

    def ended(self) -> int:
        """Wait for its end, and return its exit code."""
        end_s = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            assert time.monotonic() < end_s
            self.read()
        self.read()
        return self.process.returncode

    def close(self) -> None:
        """Take it away."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._ours)
        os.close(self._theirs)


@pytest.fixture
def terminal(reflector: sim.RunningReflector) -> Iterator[Terminal]:
    made = Terminal(reflector, 100, 40)
    yield made
    made.close()


def test_it_shows_nodes_problems_routes_and_events(
    terminal: Terminal, reflector: sim.RunningReflector
) -> None:
    lines = terminal.until("both announce 10.2.0.0/24")
    text = "\n".join(lines)
    assert "2 nodes in 2 clusters" in text
    for part in ("PROBLEMS", "NODES", "ROUTES", "EVENTS"):
        assert part in lines
    assert "anna-1" in text
    assert len(lines) <= 40
    assert max(map(len, lines)) <= 100
    # What happens is there within a second or two, on the same screen.
    with sim.Blocking() as peers:
        node = peers.connect(
            *reflector.address, profile=sim.kube_router(node_name="carla-1"), source="127.0.9.3"
        )
        node.announce("10.3.0.0/24")
        assert "3 nodes in 3 clusters" in "\n".join(terminal.until("carla-1"))


@pytest.mark.parametrize("keys", ["q", "\x03", "\x04"], ids=["q", "Ctrl-C", "Ctrl-D"])
def test_it_leaves_the_terminal_as_it_was(terminal: Terminal, keys: str) -> None:
    terminal.until("NODES")
    assert termios.tcgetattr(terminal._theirs) != terminal.before
    terminal.type(keys)
    assert terminal.ended() == 0
    assert terminal.seen.endswith(LEFT)
    assert termios.tcgetattr(terminal._theirs) == terminal.before


def test_it_leaves_it_so_when_it_is_ended(terminal: Terminal) -> None:
    terminal.until("NODES")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.ended() == 0
    assert terminal.seen.endswith(LEFT)
    assert termios.tcgetattr(terminal._theirs) == terminal.before


def test_it_follows_the_size_of_the_terminal(terminal: Terminal) -> None:
    terminal.until("POD CIDRS")
    for columns, lines in ((60, 12), (140, 50), (20, 5)):
        terminal.seen = ""
        terminal.resize(columns, lines)
        drawn = wait_until(terminal.picture, what="it is drawn anew")
        assert len(drawn) <= lines
        assert max(map(len, drawn)) <= columns
        assert drawn[0].startswith("bgp-reflector")


def test_it_goes_on_when_the_reflector_is_back() -> None:
    with sim.RunningReflector() as running:
        made = Terminal(running, 100, 30)
        try:
            made.until("Nobody is here yet.")
            os.kill(running.pid, signal.SIGTERM)
            made.until("! no reflector is running here")
            made.type("q")
            assert made.ended() == 0
        finally:
            made.close()


def test_where_there_is_no_terminal_it_prints_once(reflector: sim.RunningReflector) -> None:
    done = subprocess.run(
        command(reflector), capture_output=True, text=True, check=False, timeout=DEADLINE_S
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "anna-1" in done.stdout
    assert "EVENTS" in done.stdout
    as_json = subprocess.run(
        [*command(reflector), "--json"],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert json.loads(as_json.stdout).keys() == {
        *("summary", "clusters", "problems", "routes", "events")
    }


def test_with_nobody_to_ask() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "reflector", "watch", "--socket", "/nonexistent"],
        capture_output=True,
        text=True,
        check=False,
        timeout=DEADLINE_S,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("bgp-reflector: no reflector is running here")
    assert done.stdout == ""
