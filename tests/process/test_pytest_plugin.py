"""The pytest plugin as somebody else's project uses it: in runs of pytest of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.support.reflector_process import REPOSITORY

RUN_TIMEOUT_S: Final = 120.0

ASYNCHRONOUS: Final = """
import pytest

{mark}

async def test_routes_pass(bgp_peer, bgp_messages):
    one, two = await bgp_peer(), await bgp_peer(hold_time_s=9)
    await one.announce("10.1.0.0/24", communities=["64512:1"])
    await two.route("10.1.0.0/24", communities=["64512:1"], next_hop="10.0.0.2")
    await two.route("1.0.0.2/32")
    one.crash()
    await two.no_route("10.1.0.0/24")
    assert len(bgp_messages("OPEN", direction="sent")) == 2
    assert any("10.1.0.0/24" in each.describe() for each in bgp_messages("UPDATE"))


async def test_in_a_block(bgp_peer):
    async with bgp_peer(source="127.0.9.9") as one:
        await one.end_of_rib("ipv4")


async def test_a_speaker_that_dials(bgp_listener):
    from reflector import sim
    listener = bgp_listener(router_id="192.0.2.1")
    peer = sim.connect(*listener.address)
    async with peer:
        assert (await (await listener.accept()).established()).hold_time_s == 90
"""

SYNCHRONOUS: Final = """
import pytest
from reflector import sim

def test_routes_pass(bgp_peer_sync, bgp_messages, bgp_reflector):
    one, two = bgp_peer_sync(), bgp_peer_sync(sim.kube_router("2.5.0", node_name="node-7"))
    one.announce("10.1.0.0/24", med=7)
    assert two.route("10.1.0.0/24").med == 7
    assert {each["host_name"] for each in bgp_reflector.show("neighbors")["neighbors"]} == {"", "node-7"}
    one.withdraw("10.1.0.0/24")
    two.no_route("10.1.0.0/24")
    one.silence()
    one.resume()
    one.stall()
    one.crash()
    assert one.ended is not None
    assert bgp_messages("KEEPALIVE")

def test_errors_are_raised_here(bgp_peer_sync):
    one = bgp_peer_sync(asn=65001)
    assert one.notification(2, 2).name == "OPEN message error / Bad Peer AS"
    with pytest.raises(sim.SessionOverError, match="Bad Peer AS"):
        one.route("10.1.0.0/24")

def test_a_listener():
    with sim.Blocking() as peers:
        listener = peers.listen(router_id="192.0.2.1", graceful_restart_s=60)
        one = peers.connect(*listener.address, source="127.0.0.2", graceful_restart_s=60)
        two = listener.accept()
        one.announce("10.1.0.0/24")
        two.route("10.1.0.0/24")
        assert list(one.announced) == list(two.routes) == ["10.1.0.0/24"]
"""

FAILING: Final = """
def test_it(bgp_peer_sync):
    one = bgp_peer_sync(deadline_s=0.2)
    one.established()
    assert "10.1.0.0/24" in one.routes
"""

MALFORMED: Final = """
import pytest
from reflector import sim
from reflector.sim import RawAttribute, Route

@pytest.mark.asyncio
@pytest.mark.parametrize("allowed", [False, True])
async def test_it(bgp_listener, allowed):
    listener = bgp_listener(router_id="192.0.2.1", faults_allowed=allowed)
    async with sim.connect(*listener.address) as one:
        two = await listener.accept()
        origin = RawAttribute(0x40, 1, bytes([9]))
        await one.announce_routes([Route(prefix="10.1.0.0/24", raw={1: origin})])
        await two.route("10.1.0.0/24")
"""

OTHER_TARGET: Final = """
import pytest
from reflector import sim

@pytest.fixture
def bgp_target():
    with sim.Blocking() as peers:
        listener = peers.listen(router_id="192.0.2.1", asn=65001)
        yield listener.address

def test_it_is_dialled(bgp_peer_sync, bgp_target):
    assert bgp_peer_sync().history.title.endswith(f"port {bgp_target[1]}")
"""


# Else pytest-asyncio warns, which is an error here.
SCOPE: Final = ("-o", "asyncio_default_fixture_loop_scope=function")


def run_pytest(directory: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (directory / "test_theirs.py").write_text(text)
    (directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "reflector.pytest_plugin"),
            *("-p", "no:cacheprovider", *options),
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )


@pytest.mark.parametrize(
    ("mode", "mark"), [("strict", "pytestmark = pytest.mark.asyncio"), ("auto", "")]
)
def test_asynchronous_tests(tmp_path: Path, mode: str, mark: str) -> None:
    done = run_pytest(tmp_path, ASYNCHRONOUS.format(mark=mark), f"--asyncio-mode={mode}", *SCOPE)
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_synchronous_tests_without_any_plugin_for_asyncio(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, SYNCHRONOUS, "-p", "no:asyncio")
    assert "3 passed" in done.stdout, done.stdout + done.stderr


def test_a_failed_test_shows_what_its_peers_saw(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, FAILING, *SCOPE)
    assert done.returncode == 1
    assert "Simulated BGP peer" in done.stdout
    assert "->  OPEN: AS 64512, hold time 90 s, router id 10.0.0.2" in done.stdout


def test_no_test_passes_whose_peers_were_sent_malformed_updates(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, MALFORMED, *SCOPE)
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "FAILED test_theirs.py::test_it[False]" in done.stdout
    assert "a malformed UPDATE came: ORIGIN has the undefined value 9" in done.stdout
    assert "the UPDATE of 10.1.0.0/24 is malformed: ORIGIN has" in done.stdout


def test_somebody_s_own_speaker_is_the_target(tmp_path: Path) -> None:
    done = run_pytest(tmp_path, OTHER_TARGET, *SCOPE)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_the_plugin_imports_nothing_heavy() -> None:
    code = (
        "import sys, reflector.pytest_plugin; "
        "print([name for name in sys.modules if name.startswith(('exabgp', 'reflector.sim', 'aiohttp'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
