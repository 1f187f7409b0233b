"""The table as MRT, read by bgpdump, which others have written."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from reflector import sim
from tests.support.process import find_binary, query

pytestmark = pytest.mark.interop


@pytest.fixture(scope="module")
def reflector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sim.RunningReflector]:
    """Two internal nodes with a prefix in common, and an external one."""
    config = tmp_path_factory.mktemp("config") / "reflector.yaml"
    config.write_text("ranges: [{network: 127.0.0.0/8, remote-as: any}]\n")
    with (
        sim.RunningReflector("--config", str(config)) as running,
        sim.Blocking() as peers,
    ):
        one = peers.connect(*running.address, source="127.0.9.1", router_id="10.0.9.1")
        one.announce("10.9.0.0/24", next_hop="10.0.9.1", as_path=[70000, 64513], med=7)
        one.announce("10.9.0.128/25", next_hop="10.0.9.1", communities=["64512:1"], local_pref=200)
        one.announce("2001:db8:9::/48", next_hop="2001:db8::1")
        two = peers.connect(*running.address, source="127.0.9.2", router_id="10.0.9.2")
        two.announce("10.9.0.0/24", next_hop="10.0.9.2")
        three = peers.connect(
            *running.address, source="127.0.9.3", router_id="10.0.9.3", asn=65001, peer_asn=64512
        )
        three.announce("10.9.3.0/24", next_hop="10.0.9.3", as_path=[65001])
        one.route("10.9.3.0/24")
        yield running


@pytest.fixture(scope="module")
def table(
    reflector: sim.RunningReflector, tmp_path_factory: pytest.TempPathFactory
) -> dict[tuple[str, str], list[str]]:
    """What bgpdump prints for each prefix and peer."""
    path = dump(reflector, tmp_path_factory.mktemp("dump") / "table.mrt")
    lines = query([find_binary("bgpdump"), "-m", str(path)], timeout_s=60).splitlines()
    rows = [line.split("|") for line in lines]
    assert {(row[0], row[2]) for row in rows} == {("TABLE_DUMP2", "B")}
    return {(row[5], row[3]): row for row in rows}


def dump(reflector: sim.RunningReflector, path: Path) -> Path:
    command = ["dump", "--mrt", str(path), "--socket", str(reflector.control_socket)]
    subprocess.run([sys.executable, "-m", "reflector", *command], check=True, timeout=60)
    return path


def test_every_path_is_there_as_its_peer_announced_it(
    table: dict[tuple[str, str], list[str]], reflector: sim.RunningReflector
) -> None:
    ours = next(peer for prefix, peer in table if prefix == "1.0.0.2/32")
    assert set(table) == {
        ("1.0.0.2/32", ours),
        ("10.9.0.0/24", "127.0.9.1"),
        ("10.9.0.0/24", "127.0.9.2"),
        ("10.9.0.128/25", "127.0.9.1"),
        ("10.9.3.0/24", "127.0.9.3"),
        ("2001:db8:9::/48", "127.0.9.1"),
    }
    # AS, prefix, AS path, origin, next hop, LOCAL_PREF, MED, communities.
    assert table["10.9.0.0/24", "127.0.9.1"][4:12] == [
        *("64512", "10.9.0.0/24", "70000 64513", "IGP", "10.0.9.1", "100", "7", "")
    ]
    assert table["10.9.0.128/25", "127.0.9.1"][8:12] == ["10.0.9.1", "200", "0", "64512:1"]
    assert table["2001:db8:9::/48", "127.0.9.1"][8] == "2001:db8::1"
    assert table["1.0.0.2/32", ours][4] == "64512"
    assert reflector.port


def test_an_external_peer_has_its_as_and_no_local_pref(
    table: dict[tuple[str, str], list[str]],
) -> None:
    row = table["10.9.3.0/24", "127.0.9.3"]
    assert row[4:7] == ["65001", "10.9.3.0/24", "65001"]
    assert row[9] == "0"  # bgpdump prints what is absent as 0


def test_it_goes_into_a_pipe(reflector: sim.RunningReflector) -> None:
    command = [sys.executable, "-m", "reflector", "dump", "--mrt", "-"]
    done = subprocess.run(
        [*command, "--socket", str(reflector.control_socket)],
        check=True,
        capture_output=True,
        timeout=60,
    )
    read = subprocess.run(
        [find_binary("bgpdump"), "-m", "-"],
        input=done.stdout,
        check=True,
        capture_output=True,
        env=os.environ,
        timeout=60,
    )
    assert read.stdout.count(b"TABLE_DUMP2") == 6
