"""Events in ExaBGP's format, beside those of a real ExaBGP that heard the same."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from reflector import sim
from tests.support.process import BackgroundProcess, skip_or_fail, wait_until
from tests.support.reflector_process import free_port

pytestmark = pytest.mark.interop

ADDRESS = "127.0.9.1"
ROUTER_ID = "192.0.2.1"
# Who wrote it, and when.
OF_THE_PROCESS = ("time", "host", "pid", "ppid", "counter")


@contextmanager
def exabgp(directory: Path, port: int) -> Iterator[Path]:
    """A real ExaBGP that waits for the peer, and the file that it writes its events to."""
    program = Path(sys.executable).with_name("exabgp")
    if not program.exists():
        skip_or_fail("the package exabgp brings no command")
    events = directory / "events.json"
    watcher = directory / "watch.py"
    watcher.write_text(
        "import sys\n"
        f"with open({str(events)!r}, 'w') as file:\n"
        "    for line in sys.stdin:\n"
        "        file.write(line)\n"
        "        file.flush()\n"
    )
    config = directory / "exabgp.conf"
    config.write_text(f"""\
process watch {{ run {sys.executable} {watcher}; encoder json; }}
neighbor {ADDRESS} {{
  router-id {ROUTER_ID}; local-address 127.0.0.1; local-as 64512; peer-as 64512;
  passive true; listen {port};
  family {{ ipv4 unicast; ipv6 unicast; }}
  api {{ processes [ watch ]; neighbor-changes; receive {{ parsed; update; notification; }} }}
}}
""")
    process = BackgroundProcess(
        "exabgp",
        [str(program), str(config)],
        log_path=directory / "exabgp.log",
        environment={
            "exabgp_tcp_bind": "127.0.0.1",
            "exabgp_tcp_port": str(port),
            "exabgp_daemon_user": "root",
            "exabgp_api_ack": "false",
        },
    )
    try:
        wait_until(events.exists, timeout_s=60, what="ExaBGP runs its process")
        yield events
    finally:
        process.stop()


def talk(host: str, port: int) -> None:
    """Say a little of everything, and go."""
    with sim.Blocking() as peers:

        def connect() -> sim.BlockingPeer | None:
            try:
                return peers.connect(host, port, source=ADDRESS, router_id="10.0.9.1")
            except sim.SimError:
                return None  # ExaBGP runs its process before it listens

        node = wait_until(connect, timeout_s=60, what="a session")
        assert node is not None
        node.announce(
            "10.9.1.0/24",
            "10.9.2.0/24",
            next_hop="10.0.9.1",
            as_path=[65001, 70000, frozenset({64600, 64601})],
            med=7,
            local_pref=200,
            communities=["64512:1", "no-export"],
            large_communities=["64512:1:2"],
            originator_id="10.0.0.9",
            cluster_list=["10.0.0.7", "10.0.0.8"],
        )
        node.announce("10.9.3.0/24", next_hop="10.0.9.1", origin="incomplete")
        node.announce("2001:db8:9::/48", next_hop="2001:db8::1")
        node.withdraw("10.9.1.0/24")
        node.withdraw("2001:db8:9::/48")
        node.close()


def events(path: Path) -> list[dict[str, Any]]:
    """What was written until now, whole lines only."""
    text = path.read_text() if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def is_down(path: Path) -> bool:
    return any(each["neighbor"].get("state") == "down" for each in events(path))


def plain(event: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in event.items() if key not in OF_THE_PROCESS}


def test_it_is_what_exabgp_says(tmp_path: Path) -> None:
    port = free_port()
    with exabgp(tmp_path, port) as theirs:
        talk("127.0.0.1", port)
        wait_until(lambda: is_down(theirs), timeout_s=60, what="ExaBGP tells of the end")
        expected = events(theirs)

    ours = tmp_path / "ours.json"
    with sim.RunningReflector(router_id=ROUTER_ID) as reflector, ours.open("w") as file:
        follower = subprocess.Popen(
            [
                *(sys.executable, "-m", "reflector", "events", "--follow", "--format", "exabgp"),
                *("--socket", str(reflector.control_socket)),
            ],
            stdout=file,
        )
        try:
            # Whoever is there already is told first: so one knows that it follows.
            with sim.Blocking() as peers:
                peers.connect(*reflector.address, source="127.0.9.9", router_id="10.0.9.9")
                wait_until(lambda: bool(events(ours)), timeout_s=60, what="it follows")
                talk(*reflector.address)
                wait_until(lambda: is_down(ours), timeout_s=60, what="the end is told")
        finally:
            follower.kill()
            follower.wait()
    said = [each for each in events(ours) if each["neighbor"]["address"]["peer"] == ADDRESS]
    # Of connections that are not sessions yet we don't tell.
    wanted = [each for each in expected if each["neighbor"].get("state") != "connected"]
    assert list(map(plain, said)) == list(map(plain, wanted))
    # And the keys of the process are there, in ExaBGP's order.
    assert [list(each) for each in said] == [list(each) for each in wanted]
    assert [each["counter"] for each in said] == list(range(1, len(said) + 1))
