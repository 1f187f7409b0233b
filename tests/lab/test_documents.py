"""Every command in README and docs/: run here, run by another test, or neither and why.

What asks a running reflector is run here, against one whose peers have the addresses and the prefixes
that the documents use.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from reflector import sim
from tests.support.documents import DOCUMENTS, alike, shown_commands, typed_commands
from tests.support.netns import addresses_on_loopback
from tests.support.process import wait_until
from tests.support.reflector_process import REPOSITORY

pytestmark = pytest.mark.lab

# Documents whose commands all have a test of their own.
HAVE_THEIR_TEST: Final = {
    "docs/tutorial.md": "tests/docker/test_tutorial.py",
    "docs/testing-bgp-speakers.md": "tests/interop/test_docs_testing_bgp_speakers.py",
}
# Commands by how they begin, and the test that runs them.
RUN_ELSEWHERE: Final = {
    "bgp-reflector rehearse": "tests/process/test_rehearse.py",
    "sudo bgp-reflector rehearse --netns": "tests/lab/test_rehearse.py",
    "sudo ip netns exec bgp-rehearse-7522-c1n1": "tests/lab/test_rehearse.py",
    "source <(bgp-reflector completion": "tests/packaging/test_generated.py",
    "bgp-reflector completion fish": "tests/packaging/test_generated.py",
    "make run": "tests/packaging/test_readme_commands.py",
    "sudo make run": "tests/packaging/test_readme_commands.py",
    "make test": "tests/packaging/test_readme_commands.py",
    "pipx install .": "tests/packaging/test_wheel.py",
    "bgp-reflector run --whoami": "tests/lab/test_whoami.py",
    "sudo ip address add 1.0.0.2/32": "tests/lab/test_whoami.py",
    "curl http://1.0.0.2/": "tests/lab/test_whoami.py",
    "bgp-reflector run": "tests/process/test_run.py",
    "bgp-reflector events --follow --format exabgp": "tests/interop/test_exabgp_events.py",
    "bgp-reflector vtysh": "tests/process/test_vtysh.py",
    "docker compose -f two-reflectors.yaml": "tests/docker/test_two_reflectors.py",
    "docker compose -f class.yaml": "tests/docker/test_class.py",
    "class/ping": "tests/docker/test_class.py",
    "docker compose --profile monitoring": "tests/process/test_monitoring.py",
    "docker compose": "tests/docker/test_compose.py",
    "ip route": "tests/lab/test_course.py",
    "ip -6 route": "tests/lab/test_course.py",
    "ping -c 2": "tests/lab/test_course.py",
}
# Commands by how they begin, and why nothing runs them.
NOT_RUN: Final = {
    "cd ": "a reader's own whereabouts",
    "cp ": "a reader's own folders",
    "kubectl ": "there is no Kubernetes here",
    "make image": "docker compose build with a name, which tests/docker runs",
    "make soak": "takes an hour",
    "docker save": "needs another machine",
    "docker run --rm --network kind": "needs kind",
    "docker run --rm --volume": "`check --frr`, which tests/unit/cli runs, in the image of tests/docker",
    "sudo sysctl": "would change this machine",
    "python3 -m venv": "the same as make run does",
    "venv/bin/pip": "the same as make run does",
    "bgpdump": "somebody else's program",
    "wireshark": "somebody else's window",
}
# Those that say with their exit code what they found.
EXIT_1: Final = {
    "bgp-reflector problems",
    "bgp-reflector explain 10.66.0.0/24",
    "bgp-reflector explain 10.9.1.128/25",
}
# Who is in the class: an address, its node's name and what it announces, as the documents have it.
NODES: Final = (
    ("127.0.0.11", "node-a", ("10.244.5.0/24", "10.1.0.0/24")),
    ("127.0.0.12", "node-b", ("10.1.0.0/24",)),
    ("127.0.0.13", "node-c", ("10.244.5.0/24",)),
    ("127.0.9.1", "node-1", ("10.9.1.0/24",)),
    ("127.0.9.2", "node-2", ("10.9.1.0/24",)),
    ("10.0.0.21", "node-21", ("10.1.1.0/24",)),
    ("10.77.0.11", "node-11", ("10.11.0.0/24",)),
    ("10.0.0.5", "node-5", ("10.2.0.0/24",)),
)
# It announces what the reflector refuses.
CULPRIT: Final = ("127.0.9.3", "node-3", "10.66.0.0/24")
PORT: Final = 1790
CONFIG: Final = """\
ranges:
  - network: 0.0.0.0/0
  - {network: 127.0.0.0/24, description: class}
"""


def of_a_document(command: str, beginnings: dict[str, str]) -> str | None:
    """What the longest of some beginnings that a command has stands for."""
    fitting = [beginning for beginning in beginnings if command.startswith(beginning)]
    return beginnings[max(fitting, key=len)] if fitting else None


def runs_here(command: str) -> bool:
    return (
        command.startswith(("bgp-reflector ", "curl --unix-socket", "printf "))
        and of_a_document(command, RUN_ELSEWHERE) is None
    )


ALL: Final = [
    (document, command)
    for document in DOCUMENTS
    if document not in HAVE_THEIR_TEST
    for command in typed_commands(REPOSITORY / document)
]


def test_every_command_is_run_or_there_is_a_reason() -> None:
    for document, command in ALL:
        places = [of_a_document(command, RUN_ELSEWHERE), of_a_document(command, NOT_RUN)]
        number = sum(place is not None for place in places) + runs_here(command)
        assert number == 1, f"{document}: {command}"


def test_no_entry_is_stale() -> None:
    for beginning in (*RUN_ELSEWHERE, *NOT_RUN):
        assert any(command.startswith(beginning) for _, command in ALL), beginning
    for test in (*HAVE_THEIR_TEST.values(), *RUN_ELSEWHERE.values()):
        assert (REPOSITORY / test).exists(), test
    for document in HAVE_THEIR_TEST:
        assert document in DOCUMENTS


@dataclass
class Room:
    """A reflector and its class.

    Args:
        reflector: The reflector.
        peers: The nodes by their addresses.
        directory: Where commands run.
    """

    reflector: sim.RunningReflector
    peers: dict[str, sim.BlockingPeer]
    directory: Path

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as it stands, but for where the reflector's socket is."""
        ours = f"{sys.executable} -m reflector "
        here = re.sub("^bgp-reflector ", ours, command)
        here = re.sub("^curl ", "curl --silent --show-error ", here)
        here = here.replace("/run/bgp-reflector/control.sock", str(self.reflector.control_socket))
        return subprocess.run(
            ["bash", "-c", here],
            cwd=self.directory,
            env={
                **os.environ,
                "PYTHONPATH": str(REPOSITORY),
                "BGP_REFLECTOR_SOCKET": str(self.reflector.control_socket),
            },
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def bring_back(self) -> None:
        """Have all nodes in class again that a command has sent away."""
        for address, _, prefixes in NODES:
            peer = self.peers[address]
            if peer.ended is not None:
                peer.rejoin()
                peer.announce(*prefixes)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    """Fill a class."""
    own = [address for address, _, _ in NODES if not address.startswith("127.")]
    directory = tmp_path_factory.mktemp("docs")
    config = directory / "reflector.yaml"
    config.write_text(CONFIG)
    arguments = ("--config", str(config))
    with (
        addresses_on_loopback("docs", *own) as netns,
        sim.RunningReflector(*arguments, host="0.0.0.0", port=PORT, netns=netns) as reflector,
        sim.Blocking() as class_,
    ):
        peers = {}
        for address, name, prefixes in NODES:
            profile = sim.kube_router(node_name=name)
            peer = class_.connect("127.0.0.1", PORT, profile, source=address, netns=netns)
            peer.announce(*prefixes)
            peers[address] = peer
        address, name, prefix = CULPRIT
        profile = sim.kube_router(node_name=name)
        culprit = class_.connect("127.0.0.1", PORT, profile, source=address, netns=netns)
        culprit.announce(prefix, next_hop="127.0.0.9")
        peers["127.0.9.1"].route("10.2.0.0/24")
        peers["127.0.0.11"].no_route(prefix)
        room = Room(reflector, peers, directory)
        wait_until(
            lambda: "the same pod CIDR" in room.run("bgp-reflector problems").stdout,
            what="the class's mistake is found",
        )
        yield room


@pytest.mark.parametrize("document", sorted({document for document, _ in ALL}))
def test_commands_print_what_is_shown(room: Room, document: str) -> None:
    """At least its first line; what is behind that depends on who is in the class."""
    room.run("bgp-reflector connect 10.1.0.0/16")  # whatever another document has done
    outputs = {shown.command: shown.output for shown in shown_commands(REPOSITORY / document)}
    for command in typed_commands(REPOSITORY / document):
        if not runs_here(command):
            continue
        room.bring_back()
        done = room.run(command)
        assert done.returncode == (1 if command in EXIT_1 else 0), (command, done)
        assert not done.stderr, command
        for line in outputs.get(command, ())[:1]:
            assert _shape(line) in map(_shape, done.stdout.splitlines()), (command, done.stdout)


def _shape(line: str) -> str:
    """A line without numbers, and without whose session it is and how that stands."""
    return re.sub(r"[\w-]*node-\w+|Closed|Established", "-", alike(line))
