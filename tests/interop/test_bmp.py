"""What a running reflector tells a BMP station, dissected by tshark."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from reflector import sim
from tests.support.bmp import Station
from tests.support.pcap import write_pcap
from tests.support.process import find_binary, query
from tests.support.strict_reader import read_update

pytestmark = [pytest.mark.interop, pytest.mark.asyncio]

PORT = 11019


def split(stream: bytes) -> list[bytes]:
    """Whole BMP messages."""
    messages = []
    while stream:
        size = int.from_bytes(stream[1:5])
        messages.append(stream[:size])
        stream = stream[size:]
    return messages


async def test_a_station_sees_the_class_come_and_go(tmp_path: Path) -> None:
    station = Station()
    await station.start()
    config = tmp_path / "reflector.yaml"
    config.write_text("asn: 64512\n")
    with sim.RunningReflector("--config", str(config)) as reflector:
        here = sim.connect(*reflector.address, source="127.0.9.1", router_id="10.0.9.1")
        async with here as node:
            await node.announce("10.9.1.0/24", next_hop="10.0.9.1", communities=["64512:7"])
            await node.announce("2001:db8:9::/48", next_hop="2001:db8::1")
            await node.route("1.0.0.2/32")
            # A reload is enough: no session drops for it.
            config.write_text(f"bmp: [{{address: 127.0.0.1, port: {station.port}}}]\n")
            os.kill(reflector.pid, signal.SIGHUP)
            before = await station.until("route monitoring", 4)
            there = sim.connect(
                *reflector.address, source="127.0.9.2", router_id="10.0.9.2", families=["ipv4"]
            )
            async with there as other:
                await other.announce("10.9.2.0/24", next_hop="10.0.9.2")
                await station.until("route monitoring", len(before) + 1)
            [down] = await station.until("peer down")
            ups = await station.until("peer up", 2)
            sent = [each.body for each in node.messages if each.kind == "OPEN"]
            assert node.ended is None
        routes = await station.until("route monitoring", len(before) + 1)
    await station.until("termination")
    await station.stop()

    assert [up.peer for up in ups] == [
        ("127.0.9.1", 64512, "10.0.9.1"),
        ("127.0.9.2", 64512, "10.0.9.2"),
    ]
    # Both OPENs as they were on the wire.
    assert sorted([ups[0].content["sent"], ups[0].content["received"]]) == sorted(sent)
    assert down.peer == ("127.0.9.2", 64512, "10.0.9.2")
    assert down.content["reason"] == 3
    told = {
        str(prefix): (message.peer[0], route)
        for message in routes
        if message.peer is not None
        for prefix, route in read_update(message.content["update"]).announced.items()
    }
    assert {prefix: peer for prefix, (peer, _) in told.items()} == {
        "10.9.1.0/24": "127.0.9.1",
        "2001:db8:9::/48": "127.0.9.1",
        "10.9.2.0/24": "127.0.9.2",
    }
    # As it came: nothing of ours is in it.
    route = told["10.9.1.0/24"][1]
    assert route[8] == (64512 << 16 | 7).to_bytes(4)
    assert 9 not in route
    assert 10 not in route
    _dissect(tmp_path / "bmp.pcap", station.stream)


def _dissect(path: Path, stream: bytes) -> None:
    write_pcap(path, [split(stream)], port=PORT)

    def fields(picked: str, *names: str) -> list[str]:
        wanted = [word for name in names for word in ("-e", name)]
        command = [find_binary("tshark"), "-r", str(path), "-d", f"tcp.port=={PORT},bmp"]
        return query([*command, "-Y", picked, "-T", "fields", *wanted], timeout_s=120).splitlines()

    kinds = [int(each) for each in fields("bmp", "bmp.type")]
    assert kinds[:3] == [4, 3, 0]
    assert kinds.count(3) == 2
    assert kinds[-1] == 5
    assert fields("_ws.malformed or _ws.expert.severity == 8388608", "frame.number") == []
    assert fields("tcp.len > 0 and not bmp", "frame.number") == []
    assert any("10.9.2.0" in each for each in fields("bmp.type == 0", "bgp.nlri_prefix"))
    assert len(fields("bmp.type == 3 and bgp.open.identifier == 10.0.9.1", "frame.number")) == 1
