"""What was said on connections, written as files and read by tools that others have written."""

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

PREFIXES = ("bgp.nlri_prefix", "bgp.mp_reach_nlri_ipv6_prefix")


@pytest.fixture(scope="module")
def reflector() -> Iterator[sim.RunningReflector]:
    """A node with routes of both families that stays and is followed, and one that was refused."""
    with sim.RunningReflector() as running, sim.Blocking() as peers:
        node = peers.connect(*running.address, source="127.0.9.1", router_id="10.0.9.1")
        node.route("1.0.0.2/32")
        save(running, "127.0.9.1", "mrt", Path(os.devnull))
        node.refresh()
        node.announce("10.9.1.0/24", next_hop="10.0.9.1", as_path=[64513, 70000])
        node.announce("2001:db8:9::/48", next_hop="2001:db8::1")
        node.announce(*(f"10.{n >> 8}.{n & 255}.0/24" for n in range(6000)), next_hop="10.0.9.1")
        node.withdraw("10.9.1.0/24")
        other = peers.connect(*running.address, source="127.0.9.2", router_id="10.0.9.2")
        other.route("10.0.0.0/24")
        other.no_route("10.9.1.0/24")
        with pytest.raises(sim.SimError):
            peers.connect(
                *running.address, source="127.0.9.3", router_id="10.0.9.3", asn=65001
            ).route("1.0.0.2/32")
        yield running


def save(reflector: sim.RunningReflector, address: str, kind: str, path: Path) -> Path:
    command = ["show", "messages", address, f"--{kind}", str(path)]
    subprocess.run(
        [sys.executable, "-m", "reflector", *command, "--socket", str(reflector.control_socket)],
        check=True,
        timeout=30,
    )
    return path


def tshark(reflector: sim.RunningReflector, path: Path, *arguments: str) -> list[str]:
    command = [
        *(find_binary("tshark"), "-r", str(path), "-d", f"tcp.port=={reflector.port},bgp"),
        *("-o", "ip.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE", *arguments),
    ]
    return query(command, timeout_s=120).splitlines()


def fields(reflector: sim.RunningReflector, path: Path, picked: str, *names: str) -> list[str]:
    wanted = [word for name in names for word in ("-e", name)]
    return tshark(reflector, path, "-Y", picked, "-T", "fields", *wanted)


def test_wireshark_reads_the_capture(reflector: sim.RunningReflector, tmp_path: Path) -> None:
    path = save(reflector, "127.0.9.1", "pcap", tmp_path / "node.pcap")
    opens = fields(reflector, path, "bgp.type == 1", "ip.src", "tcp.dstport", "bgp.open.identifier")
    assert len(opens) == 2
    assert f"127.0.9.1\t{reflector.port}\t10.0.9.1" in opens
    said = fields(reflector, path, "bgp.type == 2 and ip.src == 127.0.9.1", *PREFIXES)
    assert any("10.9.1.0" in line for line in said)
    assert any("2001:db8:9::" in line for line in said)
    wrong = "_ws.malformed or _ws.expert.severity == 8388608 or tcp.checksum.status == 0"
    assert fields(reflector, path, wrong, "frame.number", "_ws.expert.message") == []
    # Every packet is understood: no octet that belongs to nothing.
    assert fields(reflector, path, "tcp.len > 0 and not bgp", "frame.number") == []


def test_what_is_not_kept_is_missing_in_the_capture_too(
    reflector: sim.RunningReflector, tmp_path: Path
) -> None:
    path = save(reflector, "127.0.9.1", "pcap", tmp_path / "node.pcap")
    lost = fields(reflector, path, "tcp.analysis.lost_segment and ip.src == 127.0.9.1", "bgp.type")
    assert lost == ["2"]
    last = fields(reflector, path, "ip.src == 127.0.9.1", "bgp.type")[-1]
    assert last == "2"


def test_a_peer_that_was_refused_is_there_too(
    reflector: sim.RunningReflector, tmp_path: Path
) -> None:
    path = save(reflector, "127.0.9.3", "pcap", tmp_path / "refused.pcap")
    said = fields(
        reflector,
        path,
        "bgp.type == 3",
        "ip.dst",
        "bgp.notify.major_error",
        "bgp.notify.minor_error_open",
    )
    assert said == ["127.0.9.3\t2\t2"]


def test_bgpdump_reads_the_mrt(reflector: sim.RunningReflector, tmp_path: Path) -> None:
    path = save(reflector, "127.0.9.1", "mrt", tmp_path / "node.mrt")
    lines = query([find_binary("bgpdump"), "-m", str(path)], timeout_s=60).splitlines()
    entries = {tuple(line.split("|")[2:6]): line.split("|") for line in lines}
    announced = entries["A", "127.0.9.1", "64512", "10.9.1.0/24"]
    assert announced[0] == "BGP4MP_ET"
    assert announced[6:10] == ["64513 70000", "IGP", "10.0.9.1", "100"]
    assert ("A", "127.0.9.1", "64512", "2001:db8:9::/48") in entries
    assert ("W", "127.0.9.1", "64512", "10.9.1.0/24") in entries
    # What we say is there too, as ours.
    assert ("A", "127.0.0.1", "64512", "1.0.0.2/32") in entries
    assert query([find_binary("bgpdump"), str(path)], timeout_s=60).count("MESSAGE/Open") == 2


def test_nobody_is_written_to_no_file(reflector: sim.RunningReflector, tmp_path: Path) -> None:
    path = tmp_path / "nobody.pcap"
    with pytest.raises(subprocess.CalledProcessError):
        save(reflector, "127.0.9.9", "pcap", path)
    assert not path.exists()
