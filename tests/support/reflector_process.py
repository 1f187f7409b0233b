"""The reflector under test as a process of its own, started the way a user starts it.

The tests that use it also run against FRR, BIRD, GoBGP or OpenBGPD in its place (set
REFLECTOR_UNDER_TEST): that is how the tests themselves are checked, and what "as FRR does" means.
"""

from __future__ import annotations

import itertools
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.support.process import BackgroundProcess, find_binary, in_netns, query, wait_until

REPOSITORY: Final = Path(__file__).resolve().parents[2]
OURS: Final = "ours"
STOP_DEADLINE_S: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class ReflectorSettings:
    """Where a reflector runs and as whom."""

    directory: Path
    listen: tuple[str, ...] = ()  # none: every address
    port: int = 179
    netns: str | None = None
    asn: int = 64512
    router_id: str = "10.77.0.1"
    arguments: tuple[str, ...] = ()
    add_path: tuple[str, ...] = ()  # addresses of peers with it both ways (RFC 7911), at least


# Below those that Linux gives to whoever asks for any (ip_local_port_range), which would be taken by
# somebody's dial before a reflector listens; and each test process begins elsewhere.
_PORTS: Final = range(20_000, 32_000)
_FIRST: Final = os.getpid() * 331 % len(_PORTS)
_candidates: Iterator[int] = itertools.cycle((*_PORTS[_FIRST:], *_PORTS[:_FIRST]))


def free_port() -> int:
    """Return a TCP port of the test's own namespace that nothing listens on."""
    for port in itertools.islice(_candidates, len(_PORTS)):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("", port))
            return port
    raise AssertionError("no port is free")


class Reflector:
    """Any reflector: started, waited for until it listens, and ended."""

    kind = "reflector"

    def __init__(self, settings: ReflectorSettings) -> None:
        self.settings = settings
        self.prefix: tuple[str, ...] = ()  # goes before the command
        self.process: BackgroundProcess | None = None

    def command(self) -> list[str]:
        """Write what configuration it needs and return the command line."""
        raise NotImplementedError

    def start(self) -> None:
        """Start it and wait until it listens."""
        self.settings.directory.mkdir(parents=True, exist_ok=True)
        self.process = BackgroundProcess(
            f"reflector ({self.kind})",
            [*self.prefix, *self.command()],
            log_path=self.settings.directory / "log",
            netns=self.settings.netns,
            environment=self.environment(),
            cwd=self.settings.directory,
        )
        wait_until(self._listens, what="the reflector listens", explain=self.explain)

    def environment(self) -> dict[str, str]:
        """Return what it needs in its environment."""
        return {}

    def stop(self) -> None:
        """End it politely."""
        if self.process:
            self.process.stop()

    def kill(self) -> None:
        """End it without a word."""
        if self.process:
            self.process.kill()

    def explain(self) -> str:
        """Return what helps to understand a failure."""
        return self.process.log_tail() if self.process else "the reflector never ran"

    def _listens(self) -> bool:
        if self.process is None or not self.process.is_running():
            pytest.fail(f"the reflector ended instead of listening\n{self.explain()}")
        sockets = query(
            [
                *in_netns(self.settings.netns),
                *(find_binary("ss"), "-Hltn", "sport", "=", f":{self.settings.port}"),
            ]
        )
        return bool(sockets.strip())


class ReflectorProcess(Reflector):
    """Our own, by `python -m reflector run`."""

    kind = OURS

    def command(self) -> list[str]:
        """Return the command line."""
        settings = self.settings
        return [
            *(sys.executable, "-m", "reflector", "run"),
            *(each for address in settings.listen for each in ("--listen", address)),
            *("--port", str(settings.port)),
            *("--asn", str(settings.asn)),
            *("--router-id", settings.router_id),
            *("--socket", str(self.control_socket), "--http", "off"),
            *settings.arguments,
        ]

    @property
    def control_socket(self) -> Path:
        """Where `show` finds this one, whatever else runs on the machine."""
        return self.settings.directory / "control"

    def environment(self) -> dict[str, str]:
        """Run this checkout, from a folder that has no configuration to find."""
        return {"PYTHONPATH": str(REPOSITORY), "STATE_DIRECTORY": str(self.settings.directory)}

    def stop(self) -> None:
        """Send SIGTERM; it must end by itself, soon, and call that a success."""
        if self.process is None or not self.process.is_running():
            return
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_DEADLINE_S)
        self.process.kill()
        if status != 0:
            pytest.fail(f"SIGTERM: exit status {status}, not 0\n{self.explain()}")


def make_reflector(settings: ReflectorSettings) -> Reflector:
    """Return the reflector that the environment asks to test: ours, unless it says otherwise."""
    kind = os.environ.get("REFLECTOR_UNDER_TEST", OURS)
    if kind == OURS:
        return ReflectorProcess(settings)
    from tests.support.reference import REFERENCE_REFLECTORS  # noqa: PLC0415 - a cycle

    chosen: Callable[[ReflectorSettings], Reflector] = REFERENCE_REFLECTORS[kind]
    return chosen(settings)
