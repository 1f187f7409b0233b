"""What is shown and written of several paths of a prefix (RFC 7911), the latter read by bgpdump."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from reflector import sim
from tests.support.process import find_binary, query

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

PREFIX, PREFIX6 = "10.50.0.0/24", "2001:db8:50::/64"
HOPS = {7: "10.0.9.7", 8: "10.0.9.8"}


def test_every_path_is_in_what_we_show_and_write(tmp_path: Path) -> None:
    config = tmp_path / "reflector.yaml"
    config.write_text("ranges: [{network: 127.0.0.0/8, add-path: both}]\n")
    with sim.RunningReflector("--config", str(config)) as running, sim.Blocking() as peers:

        def ask(*words: str) -> str:
            command = [sys.executable, "-m", "reflector", *words]
            where = ["--socket", str(running.control_socket)]
            return subprocess.run(
                [*command, *where], check=True, capture_output=True, text=True, timeout=60
            ).stdout

        one = peers.connect(*running.address, source="127.0.9.1", add_path="send")
        two = peers.connect(*running.address, source="127.0.9.2", add_path="receive")
        two.established()
        ask("show", "messages", "127.0.9.2")  # from now on what it is told is kept
        for path_id, hop in HOPS.items():
            one.announce(PREFIX, next_hop=hop, path_id=path_id)
            one.announce(PREFIX6, next_hop=f"2001:db8::{path_id}", path_id=path_id)
        told = two.all_paths(PREFIX, *HOPS.values())
        two.all_paths(PREFIX6, "2001:db8::7", "2001:db8::8")

        received = json.loads(ask("show", "received", "127.0.9.1", "--json"))["routes"]
        paths = [route["paths"][0] for route in received if route["prefix"] == PREFIX]
        assert {path["path_id"]: path["next_hop"] for path in paths} == HOPS
        advertised = json.loads(ask("show", "advertised", "127.0.9.2", "--json"))["routes"]
        paths = [route["paths"][0] for route in advertised if route["prefix"] == PREFIX]
        assert {path["path_id"] for path in paths} == told.keys()
        assert "Path identifier   7" in ask("show", "routes", PREFIX)
        assert "Add-path receive  ipv4, ipv6" in ask("show", "neighbors", "127.0.9.1")
        assert f"{PREFIX} (path 7)" in ask("show", "messages", "127.0.9.1")
        for path_id in told:
            assert f"{PREFIX} (path {path_id})" in ask("show", "messages", "127.0.9.2")

        ask("dump", "--mrt", str(tmp_path / "table.mrt"))
        ask("show", "messages", "127.0.9.1", "--mrt", str(tmp_path / "messages.mrt"))
        found = {}
        for name in ("table", "messages"):
            lines = query(
                [find_binary("bgpdump"), "-m", str(tmp_path / f"{name}.mrt")]
            ).splitlines()
            rows = [line.split("|") for line in lines]
            # Behind the origin; where it stands depends on whether there is an identifier.
            found[name] = {(row[5], row[row.index("IGP") + 1]) for row in rows if "IGP" in row}
        both = {(PREFIX, hop) for hop in HOPS.values()}
        both |= {(PREFIX6, "2001:db8::7"), (PREFIX6, "2001:db8::8")}
        assert both <= found["table"]
        assert both <= found["messages"]
