"""A reflector that a test starts for itself: `sim.RunningReflector`."""

from __future__ import annotations

import json
import socket
from urllib.request import urlopen

import pytest

from reflector import sim
from tests.support.reflector_process import free_port


@pytest.mark.parametrize("level", ["info", "error"])
def test_it_is_up_with_all_that_it_opens_however_little_it_logs(level: str) -> None:
    http = f"127.0.0.1:{free_port()}"
    with sim.RunningReflector("--log-level", level, http=http) as running:
        with urlopen(f"http://{http}/api/v1/summary") as answer:
            assert json.load(answer)["asn"] == running.asn
        assert running.show("summary")["asn"] == running.asn
        with sim.Blocking() as peers:
            peers.connect(*running.address, source="127.0.0.2").established()


def test_what_keeps_it_from_starting_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with (
            pytest.raises(sim.SimError, match="the port is taken"),
            sim.RunningReflector("--log-level", "error", port=port),
        ):
            pass


def test_it_comes_back_on_its_port_after_a_kill() -> None:
    with sim.RunningReflector("--log-level", "error") as running:
        port = running.port
        running.kill()
        running.start()
        assert running.port == port
        assert running.show("summary")["asn"] == running.asn
