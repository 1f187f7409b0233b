"""A soak: everything that can go on in a class and in an attack, for an hour, and what it costs.

``python -m tests.soak`` (or ``make soak``) prints a table, writes a picture beside it, and fails when
memory grows, when a session is lost, or when the tables are not exact in the end. With ``--kills N``
it is killed N times instead (SIGKILL), at moments that follow from ``--seed``, and started again.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from tests.behaviour.client import REFLECTOR, Client, Table, expected
from tests.behaviour.exchange import HOLD_S, Exchange
from tests.behaviour.process import Measured
from tests.soak import record
from tests.soak.record import GROWTH_BYTES, MIB, Sample
from tests.soak.traffic import Traffic
from tests.support.crashing import Mayhem
from tests.support.reflector_process import ReflectorSettings, free_port

EVERY_S: Final = 1.0
# Before it, caches fill; a curve of less than three minutes says nothing.
LEAST_MINUTES: Final = 3.0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.soak", description="Loads the reflector for long and watches it."
    )
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--kills", type=int, metavar="N", help="kill -9 it so often instead")
    parser.add_argument("--seed", type=int, default=4271, help="of the moments of --kills")
    parser.add_argument(
        "--write", type=Path, metavar="DIR", default=Path("build"), help="where soak.svg goes"
    )
    return parser


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def _soak(reflector: Measured, minutes: float) -> tuple[list[Sample], dict[str, int]]:
    port = reflector.settings.port
    pair = Exchange(Client(0, hold_s=HOLD_S), Client(1, hold_s=HOLD_S))
    for client in (pair.one, pair.other):
        await client.connect(port)
    exchanging = asyncio.create_task(pair.run())
    traffic = Traffic(port)
    traffic.start()
    samples: list[Sample] = []
    began_s = time.monotonic()
    while (at_s := time.monotonic() - began_s) < minutes * 60:
        await asyncio.sleep(EVERY_S)
        traffic.check()
        for client in (pair.one, pair.other):
            assert not client.ended, f"{client.address}: {client.ended}"
        samples.append(
            Sample(at_s, reflector.memory_bytes(), reflector.descriptors(), pair.slowest_s)
        )
        pair.slowest_s = 0.0
    exchanging.cancel()
    await asyncio.gather(exchanging, return_exceptions=True)
    await pair.one.close()
    await _check_exact(await traffic.settle(), pair.other, port)
    await pair.other.close()
    await traffic.close()
    return samples, traffic.counts


async def _check_exact(table: Table, there: Client, port: int) -> None:
    """Who was there all the while, and who joins now, holds exactly what is announced."""
    late = Client(3)
    await late.connect(port)
    for client in (there, late):
        await client.holds(expected(table), timeout_s=60)
    await late.close()


async def _crash(directory: Path, kills: int, seed: int) -> None:
    """Kill it over and over; raises where somebody is not told exactly what there is."""
    settings = ReflectorSettings(directory=directory, listen=(REFLECTOR,), port=free_port())
    mayhem = Mayhem(settings, seed)
    await mayhem.run(kills, check_each=5)
    _say(", ".join(f"{count:,} while {moment}" for moment, count in mayhem.kills.items()))


def main() -> int:
    """Run it; returns the exit code."""
    arguments = _parser().parse_args()
    if arguments.kills is not None:
        with tempfile.TemporaryDirectory() as directory:
            asyncio.run(_crash(Path(directory), arguments.kills, arguments.seed))
        return 0
    if arguments.minutes < LEAST_MINUTES:
        _say(f"--minutes must be at least {LEAST_MINUTES:g}: before that, caches fill")
        return 2
    arguments.write.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        settings = ReflectorSettings(
            directory=Path(directory), listen=(REFLECTOR,), port=free_port()
        )
        reflector = Measured(settings)
        reflector.start()
        try:
            samples, counts = asyncio.run(_soak(reflector, arguments.minutes))
            reflector.stop()
        except BaseException:
            _say(reflector.explain())
            raise
        finally:
            reflector.kill()
    picture = arguments.write / "soak.svg"
    picture.write_text(record.picture(samples))
    grown = record.growth_bytes(samples)
    _say(record.table(samples))
    _say("")
    _say(", ".join(f"{count:,} {what}" for what, count in counts.items()))
    _say(f"peak memory of the last third less that of the second: {grown / MIB:+.1f} MiB")
    _say(f"written: {picture}")
    if grown > GROWTH_BYTES:
        _say(f"FAILED: that is more than {GROWTH_BYTES / MIB:.0f} MiB")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
