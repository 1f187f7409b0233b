"""`bgp-reflector rehearse` as a trainer meets it."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import pytest

from reflector.sim import RunningReflector, wait_until_listening
from reflector.sim.mistakes import MISTAKES
from tests.support.reflector_process import REPOSITORY, free_port
from tests.support.rehearsing import (
    COMMAND,
    COMPLETE,
    RUN_TIMEOUT_S,
    alone,
    environment,
    fetch,
    read_until,
    rehearse,
    start,
)

QUICKLY: Final = ("--clusters", "4", "--nodes", "2", "--pace", "0")


def test_a_class_of_thirty_with_every_mistake() -> None:
    mistakes = ("--mistake", ",".join(MISTAKES))
    done = rehearse("--clusters", "30", "--nodes", "2", "--pace", "0.02", "--stay", "0", *mistakes)
    assert done.returncode == 0, done.stdout + done.stderr
    healthy = 2 * (30 - len(MISTAKES))
    assert f"all is as planned: {healthy} nodes are up" in done.stdout
    for mistake in MISTAKES.values():
        assert f", {mistake.name}: {mistake.seen}" in done.stdout
    assert "(wrong-asn) is refused: 2/2 OPEN message error / Bad Peer AS" in done.stdout
    assert "(silent) is gone: 4/0 Hold timer expired" in done.stdout
    assert not done.stderr


def test_a_class_that_restarts_gracefully() -> None:
    done = rehearse(*QUICKLY, "--graceful-restart", "--kube-router", "2.5.0", "--stay", "0")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "kube-router 2.5.0" in done.stdout


def test_what_is_not_as_planned_is_told_and_exits_1(tmp_path: Path) -> None:
    config = tmp_path / "one-cluster-only.yaml"
    config.write_text("ranges: [{network: 127.1.1.0/24}]\n")
    done = rehearse(
        *("--clusters", "2", "--nodes", "1", "--pace", "0", "--stay", "0", "--deadline", "5"),
        *("--", "--config", str(config)),
    )
    assert done.returncode == 1
    assert "not as planned:" in done.stdout
    refused = "cluster-02-node-1 is not up: refused, 6/5 Cease / Connection Rejected"
    assert refused in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--mistake", "typo"), "'typo' is no mistake that is known"),
        (("--clusters", "1", "--mistake", "silent,flapping"), "2 mistakes need as many clusters"),
        (("--clusters", "0"), "'0' is not a number (1 to 250)"),
        (("--reflector", "localhost"), "names are not looked up"),
        (("--reflector", "127.0.0.1:1", "--port", "1790"), "leave them out with --reflector"),
        (("--reflector", "127.0.0.1:1", "--", "--asn", "1"), "leave them out with --reflector"),
        (("--ipv6", "--kube-router", "2.5.0"), "tells no IPv6 routes over an IPv4 session"),
        (("--kube-router", "latest"), "'latest' is no version"),
        (("--pace", "slow"), "'slow' is not a number of seconds"),
    ],
)
def test_a_usage_error_exits_2(arguments: tuple[str, ...], said: str) -> None:
    done = rehearse(*arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_reflector_that_does_not_start_is_one_error() -> None:
    done = rehearse(*QUICKLY, "--", "--config", "/nonexistent.yaml")
    assert done.returncode == 1
    assert "the reflector does not start" in done.stderr
    assert "/nonexistent.yaml" in done.stderr


def test_the_mistakes_are_listed() -> None:
    done = rehearse("--mistake", "list")
    assert done.returncode == 0
    assert all(mistake.done in done.stdout for mistake in MISTAKES.values())


def test_ctrl_c_before_everybody_is_there_exits_130() -> None:
    process = start("--pace", "60")
    read_until(process, "30 clusters of 3 nodes")
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=RUN_TIMEOUT_S)
    assert process.returncode == 130
    assert "everybody leaves" in rest


def test_ctrl_c_after_everybody_was_there_exits_0_and_leaves_nothing_behind() -> None:
    process = start(*QUICKLY)
    said = read_until(process, COMPLETE)
    control = re.search(r"--socket (\S+)", said)
    assert control is not None
    shown = subprocess.run(
        [sys.executable, "-m", "reflector", "show", "summary", "--socket", control[1]],
        capture_output=True,
        text=True,
        check=True,
        env=environment(),
        cwd=REPOSITORY,
    )
    assert "8 established" in shown.stdout
    page = re.search(r"http://([0-9.]+):(\d+)", said)
    assert page is not None
    assert b"cluster-04-node-2" in fetch(page[1], int(page[2]), "/api/v1/neighbors")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=RUN_TIMEOUT_S)
    assert process.returncode == 0
    assert not Path(control[1]).parent.exists()


def test_the_page_is_where_the_first_lines_say() -> None:
    port = free_port()
    process = start(*QUICKLY, "--", f"--http=127.0.0.1:{port}")
    said = read_until(process, COMPLETE)
    assert f"look at it: http://127.0.0.1:{port}, or bgp-reflector show neighbors\n" in said
    wait_until_listening("127.0.0.1", port)  # which a class this quick does not wait for
    assert b"cluster-04-node-2" in fetch("127.0.0.1", port, "/api/v1/neighbors")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=RUN_TIMEOUT_S)
    assert process.returncode == 0


def test_without_a_page_none_is_named() -> None:
    done = rehearse(*QUICKLY, "--stay", "0", "--", "--http", "off")
    assert "look at it: bgp-reflector show neighbors\n" in done.stdout
    assert done.returncode == 0


def test_a_terminal_sees_a_picture() -> None:
    here, there = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, *QUICKLY, "--mistake", "wrong-asn", "--stay", "0"],
        stdout=there,
        env={**environment(), "PYTHONIOENCODING": "utf-8"},
        cwd=REPOSITORY,
    )
    os.close(there)
    seen = b""
    deadline = time.monotonic() + RUN_TIMEOUT_S
    while time.monotonic() < deadline:
        ready, _, _ = select.select([here], [], [], 1)
        try:
            data = os.read(here, 65536) if ready else b""
        except OSError:  # the other end is closed
            break
        seen += data
    os.close(here)
    assert process.wait(RUN_TIMEOUT_S) == 0
    picture = re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", seen.decode())
    assert "  1 ●●" in picture
    assert "✗✗" in picture
    assert "6 of 6 nodes have every route of the class" in picture
    assert "all is as planned" in picture


def test_the_reflector_says_what_is_wrong_with_each_cluster() -> None:
    """What `bgp-reflector problems` is for."""
    names = sorted(MISTAKES.keys() - {"flapping", "no-bgp", "stalled"})
    process = start(
        "--clusters", "20", "--nodes", "1", "--pace", "0.05", "--mistake", ",".join(names)
    )
    said = read_until(process, COMPLETE)
    control = re.search(r"--socket (\S+)", said)
    assert control is not None
    culprits = set(re.findall(r"(cluster-\d+), ", said))
    assert len(culprits) == len(names)
    deadline = time.monotonic() + RUN_TIMEOUT_S
    missing = culprits
    while missing and time.monotonic() < deadline:
        found = subprocess.run(
            [sys.executable, "-m", "reflector", "problems", "--socket", control[1]],
            capture_output=True,
            text=True,
            check=False,
            env=environment(),
            cwd=REPOSITORY,
        ).stdout
        missing = {cluster for cluster in culprits if cluster not in found}
    assert not missing, found
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=RUN_TIMEOUT_S)
    assert process.returncode == 0


# docs/rehearse.md.

DOCUMENT: Final = (REPOSITORY / "docs" / "rehearse.md").read_text()
COMMANDS: Final = [
    line.partition("bgp-reflector rehearse")[2].split()
    for line in DOCUMENT.splitlines()
    if re.match(r" {4}(\$ )?(sudo )?bgp-reflector rehearse", line)
]


def test_the_document_lists_the_mistakes() -> None:
    listed = rehearse("--mistake", "list").stdout
    assert "".join(f"    {line}\n" for line in listed.splitlines()) in DOCUMENT


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_the_document_s_commands_work(command: list[str]) -> None:
    """Each as it stands, but at another pace and on a free port, and it leaves by itself."""
    end = command.index("--") if "--" in command else len(command)
    command = [*command[:end], "--stay", "0", "--pace", "0.05", *command[end:]]
    if "--reflector" in command:
        with RunningReflector() as reflector:
            command[command.index("--reflector") + 1] = "{}:{}".format(*reflector.address)
            done = rehearse(*command)
    else:
        with alone() if "--netns" in command else nullcontext():
            done = rehearse(*(each.replace("1790", str(free_port())) for each in command))
    assert done.returncode == 0, done.stdout + done.stderr
