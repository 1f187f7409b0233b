"""`bgp-reflector run` as a user meets it: what it says, how it exits, what signals do."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reflector import sim
from tests.support.reflector_process import REPOSITORY, free_port

DEADLINE_S = 60.0
COMMAND = (sys.executable, "-m", "reflector", "run")


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "HOME": "/nonexistent", **more}


def run_to_end(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the command where it can't start, and return what it said."""
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=environment(**more),
        cwd="/",
    )


class Running:
    """A reflector on 127.0.0.1, ended at the end of the test."""

    def __init__(
        self,
        directory: Path,
        *arguments: str,
        while_it_starts: Callable[[subprocess.Popen[bytes]], None] = lambda _: None,
    ) -> None:
        self.port = free_port()
        self.log = directory / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [
                    *COMMAND,
                    *("--listen", "127.0.0.1", "--port", str(self.port)),
                    *("--socket", str(directory / "control"), "--http", "off", *arguments),
                ],
                stderr=log,
                stdout=subprocess.DEVNULL,
                env=environment(STATE_DIRECTORY=str(directory)),
                cwd="/",
            )
        self.peers = sim.Blocking()
        while_it_starts(self.process)
        self.wait_for("ready:")

    def client(self, source: str = "127.0.0.9") -> sim.BlockingPeer:
        """A peer with a session, closed when the reflector is."""
        peer = self.peers.connect("127.0.0.1", self.port, source=source)
        peer.established()
        return peer

    def close(self) -> None:
        """End it, if it has not ended yet, and its clients."""
        try:
            if self.process.poll() is None:
                assert self.stop() == 0, self.log.read_text()
        finally:
            self.peers.close()

    def wait_for(self, text: str, times: int = 1) -> None:
        end = time.monotonic() + DEADLINE_S
        while self.log.read_text().count(text) < times:
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end, f"no {text!r} in:\n{self.log.read_text()}"
            time.sleep(0.02)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    reflector = Running(tmp_path)
    yield reflector
    reflector.close()


def is_up(peer: sim.BlockingPeer) -> bool:
    """Whether the session is still there a moment later."""
    time.sleep(0.3)
    return peer.ended is None


# What can't start says one sentence and exits.


def test_a_taken_port_is_one_sentence(running: Running) -> None:
    second = run_to_end("--listen", "127.0.0.1", "--port", str(running.port))
    assert second.returncode == 1
    assert "the port is taken" in second.stderr
    assert "--port" in second.stderr
    assert len(second.stderr.splitlines()) == 1


def test_an_address_of_another_machine_is_one_sentence() -> None:
    outcome = run_to_end("--listen", "198.51.100.7", "--port", str(free_port()))
    assert outcome.returncode == 1
    assert "this machine has no such address" in outcome.stderr
    assert len(outcome.stderr.splitlines()) == 1


def test_a_port_that_is_not_permitted_is_one_sentence(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to give up what root may")
    # Without capabilities, in a namespace of its own, where low ports need one.
    outcome = subprocess.run(
        [
            *("unshare", "--net", "setpriv", "--inh-caps=-all", "--bounding-set=-all"),
            *(*COMMAND, "--port", "179", "--socket", str(tmp_path / "control"), "--http", "off"),
        ],
        capture_output=True,
        text=True,
        timeout=DEADLINE_S,
        check=False,
        env=environment(),
        cwd=REPOSITORY,
    )
    assert outcome.returncode == 1, outcome.stderr
    assert "not permitted" in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--port", "0"),
        ("--port", "65536"),
        ("--port", "bgp"),
        ("--asn", "0"),
        ("--asn", "4294967296"),
        ("--asn", "23456"),
        ("--router-id", "0.0.0.0"),
        ("--router-id", "1.2.3"),
        ("--listen", "localhost"),
        ("--unknown",),
        ("extra",),
        ("--config", "a", "--frr", "b"),
        ("--log-format", "xml"),
    ],
)
def test_a_usage_error_exits_2(arguments: tuple[str, ...]) -> None:
    outcome = run_to_end(*arguments)
    assert outcome.returncode == 2
    assert outcome.stderr.startswith("bgp-reflector")
    assert outcome.stderr.count("\n") == 1
    assert "Traceback" not in outcome.stderr


def test_every_mistake_of_a_configuration_is_told_at_once(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("asn: 64512:10\nport: 010\nranges: nothing\nunknown: 1\n")
    outcome = run_to_end("--config", str(config))
    assert outcome.returncode == 1
    places = [line.split(": ")[0] for line in outcome.stderr.splitlines()]
    assert places == [f"{config}:1:6", f"{config}:2:7", f"{config}:3:9", f"{config}:4:1"]


def test_a_missing_configuration_is_one_sentence() -> None:
    outcome = run_to_end("--config", "/nowhere/c.yaml")
    assert outcome.returncode == 1
    assert outcome.stderr == "/nowhere/c.yaml: can't be read: No such file or directory\n"


def test_the_environment_names_a_configuration(tmp_path: Path) -> None:
    config = tmp_path / "c.yaml"
    config.write_text("nonsense: 1\n")
    outcome = run_to_end(BGP_REFLECTOR_CONFIG=str(config))
    assert outcome.returncode == 1
    assert outcome.stderr.startswith(f"{config}:1:1: nonsense: unknown key")


# A terminal is told where peers reach us.


def test_a_terminal_sees_the_flags_for_kube_router(tmp_path: Path) -> None:
    leader, follower = pty.openpty()
    port = free_port()
    process = subprocess.Popen(
        [
            *COMMAND,
            "--listen",
            "127.0.0.1",
            "--port",
            str(port),
            "--socket",
            str(tmp_path / "c"),
            "--http",
            "off",
        ],
        stdout=follower,
        stderr=subprocess.DEVNULL,
        env=environment(),
        cwd="/",
    )
    os.close(follower)
    said = b""
    while b"--peer-router-ports" not in said:
        said += os.read(leader, 4096)
    process.terminate()
    assert process.wait(DEADLINE_S) == 0
    os.close(leader)
    flags = f"--peer-router-ips=127.0.0.1 --peer-router-asns=64512 --peer-router-ports={port}"
    assert flags in said.decode()


# Signals.


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_a_second_and_tells_every_peer(
    running: Running, signum: signal.Signals
) -> None:
    clients = [running.client(f"127.0.0.{n}") for n in range(1, 21)]
    running.wait_for("peer_up", times=20)
    began = time.monotonic()
    running.process.send_signal(signum)
    for client in clients:
        client.notification(6, 2)  # Cease / Administrative Shutdown (RFC 4486 4)
    assert running.process.wait(DEADLINE_S) == 0
    assert time.monotonic() - began < 10  # a second, and what a busy machine adds


def test_it_ends_although_a_peer_neither_reads_nor_leaves(running: Running) -> None:
    running.client().stall()
    began = time.monotonic()
    assert running.stop() == 0
    assert time.monotonic() - began < 10


def reload(running: Running, config: Path, text: str, expect: str) -> None:
    config.write_text(text)
    before = running.log.read_text().count(expect)
    running.process.send_signal(signal.SIGHUP)
    running.wait_for(expect, times=before + 1)


@pytest.fixture
def configured(tmp_path: Path) -> Iterator[tuple[Running, Path]]:
    config = tmp_path / "c.yaml"
    config.write_text("ranges: [{network: 127.0.0.0/8}]\n")
    reflector = Running(tmp_path, "--config", str(config))
    yield reflector, config
    reflector.close()


@pytest.mark.rfc("4486", "4 configuration", "4 rejected")
def test_a_reload_drops_only_the_sessions_that_it_concerns(
    configured: tuple[Running, Path],
) -> None:
    running, config = configured
    stays = running.client("127.0.0.1")
    goes = running.client("127.0.0.2")
    running.wait_for("peer_up", times=2)
    reload(running, config, "ranges: [{network: 127.0.0.1/32}]\n", "configuration reloaded")
    goes.notification(6, 6)  # Cease / Other Configuration Change (RFC 4486 4)
    assert is_up(stays)
    with socket.create_connection(
        ("127.0.0.1", running.port), DEADLINE_S, ("127.0.0.3", 0)
    ) as refused:
        # Cease / Connection Rejected, and nothing before it
        assert refused.recv(64)[18:21] == b"\x03\x06\x05"


def test_a_reload_while_it_starts_is_done_as_soon_as_it_can(tmp_path: Path) -> None:
    """Whoever sends SIGHUP doesn't know that a restart is under way; unhandled, it is deadly."""

    def hang_up(process: subprocess.Popen[bytes]) -> None:
        status = Path(f"/proc/{process.pid}/status")
        blocked = re.compile(r"^SigBlk:\s*[0-9a-f]*[13579bdf]$", re.MULTILINE)
        end, times = time.monotonic() + DEADLINE_S, 0
        while times < 3:  # the C library holds it back too, for a moment, when it makes a thread
            times = times + 1 if blocked.search(status.read_text()) else 0
            assert time.monotonic() < end, status.read_text()
            time.sleep(0.001)
        process.send_signal(signal.SIGHUP)

    reflector = Running(tmp_path, while_it_starts=hang_up)
    try:
        reflector.wait_for("configuration reloaded")
        assert "configuration reloaded" not in reflector.log.read_text().partition("ready:")[0]
    finally:
        reflector.close()


def test_a_bad_file_changes_nothing_and_says_why(configured: tuple[Running, Path]) -> None:
    running, config = configured
    client = running.client()
    running.wait_for("peer_up")
    reload(running, config, "ranges: [{network: 300.0.0.0/8}]\n", "nothing is changed")
    assert f"{config}:1:" in running.log.read_text()
    assert is_up(client)


def wait_until_read(running: Running, config: Path) -> None:
    """Wait until the reflector has a file open."""
    end = time.monotonic() + DEADLINE_S
    descriptors = Path(f"/proc/{running.process.pid}/fd")
    while not any(each.resolve() == config for each in descriptors.iterdir()):
        assert time.monotonic() < end, "the file is not read"
        time.sleep(0.01)


def test_sessions_go_on_while_a_file_is_read_that_takes_long(
    configured: tuple[Running, Path],
) -> None:
    """A prefix list of a megabyte takes seconds to read; a pipe takes as long as its writer."""
    running, config = configured
    first, second = running.client("127.0.0.1"), running.client("127.0.0.2")
    config.unlink()
    os.mkfifo(config)
    with config.open("r+b", buffering=0) as writer:
        running.process.send_signal(signal.SIGHUP)
        wait_until_read(running, config)
        first.announce("10.1.0.0/24")
        second.route("10.1.0.0/24")
        assert "configuration" not in running.log.read_text().partition("ready:")[2]
        writer.write(b"ranges: [{network: 127.0.0.0/8}]\n")
    running.wait_for("configuration reloaded")
    assert is_up(first)


def test_an_end_does_not_wait_for_a_file_that_is_read(configured: tuple[Running, Path]) -> None:
    running, config = configured
    client = running.client()
    config.unlink()
    os.mkfifo(config)
    with config.open("r+b", buffering=0):
        running.process.send_signal(signal.SIGHUP)
        wait_until_read(running, config)
        running.process.send_signal(signal.SIGTERM)
        client.notification(6, 2)  # Cease / Administrative Shutdown (RFC 4486 4)
        assert running.process.wait(DEADLINE_S) == 0


def test_a_reload_announces_and_withdraws_our_own_routes(configured: tuple[Running, Path]) -> None:
    running, config = configured
    client = running.client()
    ranges = "ranges: [{network: 127.0.0.0/8}]\n"
    reload(running, config, ranges + "networks: [{prefix: 10.9.0.0/16}]\n", "reloaded")
    client.route("10.9.0.0/16")
    client.no_route("1.0.0.2/32")
    assert is_up(client)


def test_what_needs_a_restart_is_said(configured: tuple[Running, Path]) -> None:
    running, config = configured
    client = running.client()
    reload(running, config, "asn: 65000\nranges: [{network: 127.0.0.0/8}]\n", "needs a restart")
    assert is_up(client)


def test_the_log_is_json_when_nobody_watches(running: Running) -> None:
    running.client().hang_up()
    running.wait_for("peer_down")
    events = [json.loads(line)["event"] for line in running.log.read_text().splitlines()]
    assert events[:3] == ["note", "peer_up", "peer_down"]
