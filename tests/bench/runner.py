"""Runs one load against one reflector."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import measure, peers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.loads import Load

HERE = Path(__file__).parent
BUILD = HERE / "build"
_LISTEN = "0A"
_START_TIMEOUT_S = 20
_FIRST_PORT, _PORTS = 20000, 10000
_SETTLE_S = 0.3
_COARSE_S = 0.2


@dataclass(frozen=True, slots=True)
class Sample:
    """What one run gave.

    Attributes:
        load: The load's name.
        peer: The reflector's name.
        reason: Why it is void; empty if it counts.
        figures: By name, in seconds.
        cpu_s: The reflector's CPU time while the clock ran.
        peak_mb: Peak resident memory of its processes.
        foreign: CPU time of processes that have no part in it, as a share of the machine: how
            noisy the run was.
        answer: All that the generator said.
    """

    load: str
    peer: str
    reason: str
    figures: dict[str, float] = field(default_factory=dict)
    cpu_s: float = 0.0
    peak_mb: float = 0.0
    foreign: float = 0.0
    answer: dict[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """What holds for all runs.

    Attributes:
        hold_s: Hold time that the clients propose.
        limit_s: After which a load did not finish.
        quick: Small loads.
        extra: More arguments for the generator.
    """

    hold_s: int = 90
    limit_s: int = 60
    quick: bool = False
    extra: tuple[str, ...] = ()


def compile_tools() -> tuple[Path, Path]:
    """Compiles the generator and the hub if their sources are newer.

    Returns:
        Both executables.
    """
    BUILD.mkdir(exist_ok=True)
    native = HERE / "native"
    hub_source = native / "hub.c"
    parts = sorted(path for path in native.glob("*.c") if path != hub_source)
    generator, hub = BUILD / "generator", BUILD / "hub"
    for program, sources in ((generator, parts), (hub, [hub_source])):
        newest = max(path.stat().st_mtime for path in (*sources, native / "bench.h"))
        if program.exists() and program.stat().st_mtime > newest:
            continue
        flags = ("-O2", "-Wall", "-Wextra", "-Werror", "-std=gnu11")
        subprocess.run(["cc", *flags, "-o", program, *sources], check=True)
    return generator, hub


def _sockets() -> Iterator[tuple[int, str]]:
    """Local port and state of every IPv4 and IPv6 TCP socket of the machine."""
    for name in ("tcp", "tcp6"):
        for line in Path("/proc/net", name).read_text().splitlines()[1:]:
            fields = line.split()
            yield int(fields[1].rpartition(":")[2], 16), fields[3]


def _free_port() -> int:
    """A port that nobody uses, others for runs that follow each other."""
    used = {port for port, _ in _sockets()}
    start = time.monotonic_ns() // 1000
    candidates = (_FIRST_PORT + (start + i) % _PORTS for i in range(_PORTS))
    return next(port for port in candidates if port not in used)


def _await_listening(reflector: peers.Running) -> bool:
    """Waits for the port without dialling it: a stray connection is not part of any load."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while time.monotonic() < deadline and reflector.process.poll() is None:
        if (reflector.port, _LISTEN) in _sockets():
            return True
        time.sleep(0.01)
    return False


class _Generator:
    """The load generator, which stops at the clock's start and end for us to read the meters."""

    def __init__(self, program: Path, load: Load, port: int, settings: Settings) -> None:
        argv = [
            *(str(program), "--sync", "--address", peers.ADDRESS, "--port", str(port)),
            *("--hold", str(settings.hold_s), "--limit", str(settings.limit_s)),
            *load.argv(quick=settings.quick),
            *settings.extra,
        ]
        self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def next(self) -> dict[str, object]:
        """The next line it prints."""
        assert self._process.stdout
        line = self._process.stdout.readline()
        answer: dict[str, object] = json.loads(line) if line else {"reason": "the generator died"}
        return answer

    def proceed(self) -> None:
        """Lets it go on after an event."""
        assert self._process.stdin
        self._process.stdin.write(b"\n")
        self._process.stdin.flush()

    def end(self) -> None:
        """Ends it if it has not ended by itself."""
        self._process.kill()
        self._process.communicate()


def _finish(
    load: Load, peer: peers.Peer, answer: dict[str, object], used: list[measure.Cost]
) -> Sample:
    reason = str(answer.get("reason", ""))
    figures = {}
    for figure in load.figures:
        value = figure.read(answer)
        if value is not None and not reason:
            figures[figure.name] = value
    if not reason and len(figures) < len(load.figures):
        reason = "the generator's answer lacks a figure"
    cpu_s = used[1].cpu_s - used[0].cpu_s if len(used) > 2 else 0.0
    peak_mb = used[-1].peak_mb if used else 0.0
    foreign = _foreign(answer, used) if len(used) > 2 else 0.0
    return Sample(load.name, peer.name, reason, figures, cpu_s, peak_mb, foreign, answer)


def _foreign(answer: dict[str, object], used: list[measure.Cost]) -> float:
    clock_s, generator_s = answer.get("clock_s"), answer.get("own_cpu_s")
    if not isinstance(clock_s, float) or not isinstance(generator_s, float) or clock_s < _COARSE_S:
        return 0.0  # the machine's meter counts in 10 ms steps
    others_s = used[1].machine_s - used[0].machine_s - (used[1].cpu_s - used[0].cpu_s) - generator_s
    return max(0.0, others_s / clock_s / (os.cpu_count() or 1))


def _drive(generator: _Generator, pid: int) -> tuple[dict[str, object], list[measure.Cost]]:
    """Reads the meters at each event; returns the answer and the costs, the last at the end."""
    used: list[measure.Cost] = []
    while "event" in (answer := generator.next()):
        used.append(measure.cost(pid))
        generator.proceed()
    used.append(measure.cost(pid))
    return answer, used


def run(program: Path, load: Load, peer: peers.Peer, settings: Settings) -> Sample:
    """Runs one load once.

    Args:
        program: The compiled generator.
        load: What to send.
        peer: Which reflector to start.
        settings: What holds for all runs.

    Returns:
        The sample; a reason in it means that it is void.
    """
    tolerant = Settings(
        settings.hold_s,
        settings.limit_s,
        settings.quick,
        (*settings.extra, *peer.generator_options),
    )
    port = _free_port()
    if load.startup:
        return _run_startup(program, load, peer, tolerant, port)
    with peers.running(peer, port, load.family) as reflector:
        if not _await_listening(reflector):
            tail = reflector.log.read_text(errors="replace")[-300:]
            return Sample(load.name, peer.name, f"it does not listen: {tail}")
        time.sleep(_SETTLE_S)
        generator = _Generator(program, load, port, tolerant)
        try:
            answer, used = _drive(generator, reflector.process.pid)
        finally:
            generator.end()
        if reflector.process.poll() is not None:
            answer["reason"] = "the reflector ended by itself"
        return _finish(load, peer, answer, used)


def _run_startup(
    program: Path, load: Load, peer: peers.Peer, settings: Settings, port: int
) -> Sample:
    """The generator dials already when the reflector is started."""
    generator = _Generator(program, load, port, settings)
    started: list[int] = []
    try:
        generator.next()
        generator.proceed()
        time.sleep(0.05)
        start = lambda: started.append(time.monotonic_ns())  # noqa: E731
        with peers.running(peer, port, load.family, start) as reflector:
            answer, used = _drive(generator, reflector.process.pid)
    finally:
        generator.end()
    extra = answer.get("extra")
    if isinstance(extra, dict) and extra:
        for name, event in (("listening", "accepted_at"), ("established", "established_at")):
            extra[name] = extra[event] - started[0] / 1e9
    zero = measure.Cost(0.0, 0.0, used[0].machine_s)
    return _finish(load, peer, answer, [zero, *used])
