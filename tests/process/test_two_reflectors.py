"""Two reflectors on one machine, each on an address of its own, as compose/two-reflectors.yaml is tried."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.behaviour.process import Measured
from tests.support.reflector_process import ReflectorSettings, free_port

A, B = "127.0.0.11", "127.0.0.12"


class One(Measured):
    """One of the two: all that it is stands in its file."""

    def __init__(self, directory: Path, address: str, other: str, port: int) -> None:
        super().__init__(ReflectorSettings(directory=directory, router_id=address, port=port))
        directory.mkdir()
        self.file = directory / "reflector.yaml"
        self.file.write_text(
            f"router-id: {address}\nlisten: [{address}]\nport: {port}\n"
            f"neighbors: [{{address: {other}, port: {port}, client: false}}]\n"
        )

    def command(self) -> list[str]:
        """Return the command line."""
        command = super().command()
        return [
            *command[:4],
            "--config",
            str(self.file),
            "--socket",
            str(self.control_socket),
            "--http",
            "off",
        ]

    def wait_for_peer(self, other: str) -> None:
        """Wait until the one session that it has is with a non-client at an address."""
        wanted = [(other, "Established", False)]
        self.wait_for(
            lambda: (
                [(each["address"], each["state"], each["client"]) for each in self.neighbors()]
                == wanted
            ),
            f"its peers are {wanted}",
        )


@pytest.fixture
def two(tmp_path: Path) -> Iterator[dict[str, One]]:
    """Both, started; each is given the other's address."""
    port = free_port()
    made = {A: One(tmp_path / "a", A, B, port), B: One(tmp_path / "b", B, A, port)}
    try:
        for each in made.values():
            each.start()
        yield made
        for each in made.values():
            each.stop()
    finally:
        for each in made.values():
            each.kill()


def test_each_knows_the_other_by_the_address_that_it_listens_on(two: dict[str, One]) -> None:
    """The kernel would call a neighbor on this machine from that neighbor's own address."""
    for address, other in ((A, B), (B, A)):
        two[address].wait_for_peer(other)
