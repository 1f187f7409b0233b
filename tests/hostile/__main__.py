"""`python -m tests.hostile`: the hostile cases against ours and other daemons, side by side.

Needs root for the daemons that do. Newer ones than the machine's own may live in another root
directory (BENCH_PEER_ROOT, see .ci/install-new-peers), as for the benchmark.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from tests.bench import peers
from tests.hostile.case import REFLECTOR_ID, Case
from tests.hostile.player import LostError, Room
from tests.hostile.report import NOT_PLAYED, Verdict, document, table
from tests.hostile.suite import cases
from tests.support.reflector_process import free_port

_START_S = 20.0
DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "hostile.md"


def main() -> int:
    """Run what the command line says; 1 if ours fails a case."""
    options = _options()
    chosen = [case for case in cases() if options.only in f"{case.name} {case.rfc}"]
    chosen_peers = _peers(options.against.split(","))
    with ThreadPoolExecutor() as pool:
        found = list(
            pool.map(lambda peer: play_all(peer, chosen, verbose=options.verbose), chosen_peers)
        )
    verdicts = {peer.name: each for peer, each in zip(chosen_peers, found, strict=True)}
    titles = {peer.name: f"{peer.title} {peer.version()}" for peer in chosen_peers}
    _say(table(chosen, verdicts, titles))
    if options.write:
        DOCUMENT.write_text(document(chosen, verdicts, titles))
    return int(not all(verdict.passed for verdict in verdicts.get("ours", ())))


def play_all(peer: peers.Peer, chosen: list[Case], *, verbose: bool) -> list[Verdict]:
    """Play cases against one reflector, which is started anew whenever it harms its healthy peers."""
    found: list[Verdict] = []
    while len(found) < len(chosen):
        port = free_port()
        ipv6 = _has_ipv6(peer)
        with (
            peers.running(peer, port, 6 if ipv6 else 4) as reflector,
            closing(_enter(port, ipv6=ipv6)) as room,
        ):
            for case in chosen[len(found) :]:
                try:
                    found.append(_play(room, case))
                except LostError as error:
                    died = " (it has ended)" if reflector.process.poll() is not None else ""
                    found.append(Verdict(passed=False, words=f"{error}{died}"))
                    break
                finally:
                    if found[-1].played and (verbose or not found[-1].passed):
                        _say(f"{peer.name}: {case.name} ({case.rfc}): {found[-1].words}")
    return found


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _play(room: Room, case: Case) -> Verdict:
    if not room.ipv6 and case.needs_ipv6:
        return NOT_PLAYED
    passed, words = room.play(case)
    return Verdict(passed=passed, words=words)


def _enter(port: int, *, ipv6: bool) -> Room:
    deadline = time.monotonic() + _START_S
    while time.monotonic() < deadline:
        with suppress(OSError):
            return Room(port, ipv6=ipv6)
        time.sleep(0.1)
    raise LostError("it does not listen")


def _has_ipv6(peer: peers.Peer) -> bool:
    """FRR 10 without zebra refuses a session that negotiates IPv6 over IPv4."""
    return not (peer.title.startswith("FRR") and peer.root != Path("/"))


def _peers(names: list[str]) -> list[peers.Peer]:
    root = os.environ.get("BENCH_PEER_ROOT", "")
    known = {peer.name: peer for peer in peers.all_peers(Path(), Path(root) if root else None)}
    ours = known["ours"]
    known["ours"] = replace(ours, argv=(*ours.argv, "--router-id", REFLECTOR_ID))
    unknown = [name for name in names if name not in known or name == "hub"]
    if unknown:
        sys.exit(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    absent = [reason for name in names if (reason := known[name].absent())]
    if absent:
        sys.exit("; ".join(absent))
    return [known[name] for name in names]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
    parser.add_argument("--against", default="ours", help="names, with commas between")
    parser.add_argument("--only", default="", help="cases whose name or clause holds this")
    parser.add_argument("--verbose", action="store_true", help="tell of every case")
    parser.add_argument("--write", action="store_true", help=f"write {DOCUMENT.name}")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
