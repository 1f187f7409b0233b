"""`bgp-reflector vtysh --serve`: frr_exporter's questions, asked as it asks them, and FRR's own vtysh.

What the exporter sends and reads is frr_exporter 1.9's; that program itself is built from Go and was run
against this by hand (docs/vtysh.md).
"""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from reflector import sim
from tests.support.process import BackgroundProcess, find_binary, query, wait_until
from tests.support.reflector_process import (
    REPOSITORY,
    ReflectorProcess,
    ReflectorSettings,
    free_port,
)

DEADLINE_S: Final = 60.0
NODE: Final = "127.0.0.2"


@pytest.fixture
def reflector(tmp_path: Path) -> Iterator[ReflectorProcess]:
    """One with a node that announces a route of each family."""
    settings = ReflectorSettings(
        directory=tmp_path / "reflector", listen=("127.0.0.1",), port=free_port()
    )
    process = ReflectorProcess(settings)
    process.start()
    try:
        with sim.Blocking() as world:
            profile = sim.kube_router(node_name="node-a")
            node = world.connect("127.0.0.1", settings.port, profile, source=NODE)
            node.announce("10.1.0.0/24")
            node.route("1.0.0.2/32")
            yield process
    finally:
        process.stop()


@contextmanager
def serving(reflector: ReflectorProcess, directory: Path) -> Iterator[BackgroundProcess]:
    """Run the command, and wait until it answers."""
    directory.mkdir(exist_ok=True)
    process = BackgroundProcess(
        "vtysh --serve",
        [
            *(sys.executable, "-m", "reflector", "vtysh"),
            *("--socket", str(reflector.control_socket), "--serve", str(directory)),
        ],
        log_path=directory.with_name(f"serve-{time.monotonic_ns()}.log"),
        environment={"PYTHONPATH": str(REPOSITORY)},
    )
    try:
        wait_until(
            lambda: "answering" in process.log() or not process.is_running(),
            what="it answers",
            explain=process.log_tail,
        )
        yield process
    finally:
        process.kill()


def exporter_asks(directory: Path, daemon: str, command: str) -> bytes:
    """Ask as frr_exporter does: one read for what `enable` gives, then until a zero octet ends a read."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(DEADLINE_S)
        asking.connect(str(directory / f"{daemon}.vty"))
        asking.sendall(b"enable\0")
        assert asking.recv(4096) == b"\0\0\0\0"
        asking.sendall(command.encode() + b"\0")
        answer = b""
        while not answer.endswith(b"\0"):
            piece = asking.recv(4096)
            assert piece, answer
            answer += piece
        return answer.rstrip(b"\0")


def dialogue(directory: Path, *commands: str) -> list[tuple[str, int]]:
    """Ask over one connection; gives texts and statuses."""
    said = []
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(DEADLINE_S)
        asking.connect(str(directory / "bgpd.vty"))
        for command in commands:
            asking.sendall(command.encode() + b"\0")
            answer = b""
            while answer[-4:-1] != b"\0\0\0":
                piece = asking.recv(4096)
                assert piece, answer
                answer += piece
            said.append((answer[:-4].decode(), answer[-1]))
    return said


def test_exporter_finds_its_fields(reflector: ReflectorProcess, tmp_path: Path) -> None:
    sockets = tmp_path / "frr"
    with serving(reflector, sockets):

        def summary(afi: str) -> Any:  # noqa: ANN401 - JSON is anything
            return json.loads(
                exporter_asks(sockets, "bgpd", f"show bgp vrf all {afi}  summary json")
            )

        wait_until(
            lambda: summary("ipv4")["default"]["ipv4Unicast"]["peers"][NODE]["pfxRcd"] == 1,
            what="the route is counted",
        )
        (family,) = summary("ipv4")["default"].values()
        assert family["as"] == 64512
        assert family["peerCount"] == 1
        for field in ("ribMemory", "peerMemory", "peerGroupCount", "peerGroupMemory"):
            assert family[field] == 0
        peer = family["peers"][NODE]
        assert peer["state"] == "Established"
        assert peer["remoteAs"] == 64512
        assert peer["hostname"] == "node-a"
        assert {"msgRcvd", "msgSent", "peerUptimeMsec", "pfxSnt"} <= peer.keys()
        # The node speaks no IPv6, and the exporter leaves out a family without peers.
        assert summary("ipv6")["default"]["ipv6Unicast"]["peerCount"] == 0
        routes = exporter_asks(
            sockets, "bgpd", f"show bgp  ipv4 unicast neighbors {NODE} routes json"
        )
        assert list(json.loads(routes)["routes"]) == ["10.1.0.0/24"]
        neighbors = json.loads(exporter_asks(sockets, "bgpd", "show bgp vrf all neighbors json"))
        assert NODE in neighbors["default"]


def test_exporter_finds_a_version(reflector: ReflectorProcess, tmp_path: Path) -> None:
    """Of FRR's, in the first line, as its status collector looks for it; or it calls us down."""
    with serving(reflector, tmp_path / "frr"):
        first, *_ = exporter_asks(tmp_path / "frr", "zebra", "show version").decode().split("\n")
    assert first.startswith("bgp-reflector ")
    assert re.search(r"FRRouting ([0-9]+\.[0-9]+\.[0-9]+)", first)
    found = re.search(r"on (.+)\.$", first)
    assert found
    assert found[1].startswith(("Linux(", "Darwin("))


def test_commands_have_statuses_as_in_frr(reflector: ReflectorProcess, tmp_path: Path) -> None:
    with serving(reflector, tmp_path / "frr"):
        said = dialogue(tmp_path / "frr", "sh bgp sum", "show nonsense", "", "exit", "show version")
        assert [status for _, status in said] == [0, 2, 0, 0, 0]
        assert "IPv4 Unicast Summary" in said[0][0]
        assert "Unknown command" in said[1][0]
        # Two commands in one packet, and one in two.
        with socket.socket(socket.AF_UNIX) as asking:
            asking.settimeout(DEADLINE_S)
            asking.connect(str(tmp_path / "frr" / "bgpd.vty"))
            asking.sendall(b"enable\0enable\0ena")
            asking.sendall(b"ble\0")
            answer = b""
            while len(answer) < 12:
                answer += asking.recv(4096)
            assert answer == bytes(12)
        reflector.kill()
        ((text, status),) = dialogue(tmp_path / "frr", "show bgp summary")
        assert status == 1
        assert text.startswith("% ")


def test_frrs_own_vtysh_shows_ours(reflector: ReflectorProcess, tmp_path: Path) -> None:
    vtysh = find_binary("vtysh")
    with serving(reflector, tmp_path / "frr"):
        command = [vtysh, "--vty_socket", str(tmp_path / "frr"), "-d", "bgpd", "-c"]
        assert NODE in query([*command, "show bgp summary"])
        assert "1.0.0.2/32" in json.loads(query([*command, "show bgp ipv4 unicast json"]))["routes"]


def test_sockets_are_for_the_group_and_go_at_the_end(
    reflector: ReflectorProcess, tmp_path: Path
) -> None:
    sockets = tmp_path / "frr"
    path = sockets / "bgpd.vty"
    with serving(reflector, sockets) as process:
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with serving(reflector, sockets) as second:
            assert second.wait(DEADLINE_S) == 1
            assert "somebody answers there already" in second.log()
        assert dialogue(sockets, "enable") == [("", 0)]
        process.kill()  # no time to clean up
    assert path.exists()
    with serving(reflector, sockets) as process:
        assert dialogue(sockets, "enable") == [("", 0)]
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
    assert not path.exists()


def test_a_folder_that_is_not_there_is_named(reflector: ReflectorProcess, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reflector", "vtysh", "--serve", str(tmp_path / "none")]
    process = BackgroundProcess(
        "vtysh", command, log_path=tmp_path / "log", environment={"PYTHONPATH": str(REPOSITORY)}
    )
    assert process.wait(DEADLINE_S) == 1
    assert process.log().startswith(f"bgp-reflector: {tmp_path}/none/bgpd.vty: No such file")
    assert reflector.process
