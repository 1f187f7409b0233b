"""`--log-level debug`: what peers say, message by message; and a reload that ends it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reflector import sim
from tests.support.process import wait_until

CONFIG = """\
ranges:
  - network: 127.0.0.0/8
log:
  level: {}
"""


def await_line(running: sim.RunningReflector, said: Callable[[], bool]) -> None:
    wait_until(said, what="the log says so", explain=lambda: running.log)


def test_what_a_peer_says_is_written_until_the_level_is_info(tmp_path: Path) -> None:
    config = tmp_path / "reflector.yaml"
    config.write_text(CONFIG.format("debug"))
    with sim.RunningReflector("--config", str(config)) as running, sim.Blocking() as peers:
        node = peers.connect(*running.address, source="127.0.9.1", router_id="10.0.9.1")
        node.announce("10.9.1.0/24", next_hop="10.0.9.1")
        node.withdraw("10.9.1.0/24")
        await_line(running, lambda: "UPDATE: withdraws 10.9.1.0/24" in running.log)
        opening = (
            "127.0.9.1 (router id 10.0.9.1): OPEN: AS 64512, hold time 90 s, router id 10.0.9.1"
        )
        assert opening in running.log
        assert (
            "127.0.9.1 (router id 10.0.9.1): UPDATE: announces 10.9.1.0/24 via 10.0.9.1"
            in running.log
        )
        config.write_text(CONFIG.format("info"))
        running.reload()
        await_line(running, lambda: "configuration reloaded" in running.log)
        node.announce("10.9.2.0/24", next_hop="10.0.9.1")
        await_line(running, lambda: "now 1)" in running.log.rpartition("configuration reloaded")[2])
        assert "10.9.2.0/24" not in running.log
