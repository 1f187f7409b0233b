"""The benchmark: a compiled load generator, real daemons beside ours, and one table.

``python -m tests.bench`` runs all of it and writes docs/benchmarks.md; options narrow it down.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, replace
from pathlib import Path

from tests.bench import curve, document, loads, peers, report, runner

DEFAULT = ("ours", "frr", "bird", "gobgp", "openbgpd", "hub")
DOCS = runner.HERE.parent.parent / "docs"
RESULTS = runner.BUILD / "results.json"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Measures the reflector beside other daemons and a hub, on loopback.",
    )
    parser.add_argument("--load", default="", help="only these, with commas")
    parser.add_argument("--only", default=",".join(DEFAULT), help="reflectors, with commas")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--quick", action="store_true", help="small loads, one round")
    parser.add_argument("--limit", type=int, default=60, help="seconds until it did not finish")
    parser.add_argument("--hold", type=int, default=90, help="hold time of the clients")
    parser.add_argument("--curve", action="store_true", help="growth with routes and clients")
    parser.add_argument(
        "--write", type=Path, metavar="DIR", help="write benchmarks.md there (all of it: to docs)"
    )
    parser.add_argument("--keep", action="store_true", help="add to the results of earlier runs")
    parser.add_argument("--list", action="store_true", help="name the loads and reflectors")
    root = os.environ.get("BENCH_PEER_ROOT")
    parser.add_argument(
        "--peer-root",
        type=Path,
        default=Path(root) if root else None,
        help="root directory with other daemons (BENCH_PEER_ROOT)",
    )
    image = os.environ.get("BENCH_IMAGE_ROOT")
    parser.add_argument(
        "--image-root",
        type=Path,
        default=Path(image) if image else None,
        help="our image, unpacked, to be measured instead of this interpreter (BENCH_IMAGE_ROOT)",
    )
    return parser


def _say(text: str) -> None:
    sys.stderr.write(f"{time.strftime('%H:%M:%S')} {text}\n")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


def _chosen(names: str, known: tuple[peers.Peer, ...]) -> list[peers.Peer]:
    """The reflectors that were asked for and are there; says which are not."""
    by_name = {peer.name: peer for peer in known}
    chosen = []
    for name in names.split(","):
        if name not in by_name:
            _say(f"no reflector {name}; there are {', '.join(by_name)}")
        elif reason := by_name[name].absent():
            _say(f"SKIPPED {name}: {reason}")
        else:
            chosen.append(by_name[name])
    return chosen


def _stand_in(peer: peers.Peer, load: loads.Load, known: tuple[peers.Peer, ...]) -> peers.Peer:
    """FRR 10 without zebra carries no IPv6 over IPv4: the machine's own, if older, does."""
    if load.family == 6 and peer.name == "frr":
        return next((other for other in known if other.name == "frr-host"), peer)
    return peer


def _run_all(
    program: Path,
    chosen_loads: list[loads.Load],
    chosen: list[peers.Peer],
    known: tuple[peers.Peer, ...],
    settings: runner.Settings,
    rounds: int,
) -> list[runner.Sample]:
    """Round by round, reflector by reflector, so that a slow minute falls on all."""
    samples: list[runner.Sample] = []
    for load in chosen_loads:
        gave_up: set[str] = set()
        for number in range(rounds):
            for asked in chosen:
                if asked.name in gave_up or (asked.name == "hub" and not load.on_hub):
                    continue
                peer = _stand_in(asked, load, known)
                sample = runner.run(program, load, peer, settings)
                samples.append(sample)
                figures = ", ".join(f"{k} {report.seconds(v)}" for k, v in sample.figures.items())
                _say(f"{load.name} {number + 1}/{rounds} {peer.name}: {sample.reason or figures}")
                if sample.reason and peer.name != "ours":
                    gave_up.add(asked.name)
    return samples


def main() -> int:
    """Runs what the options ask for.

    Returns:
        Exit status: 1 if a run of ours was void.
    """
    options = _parser().parse_args()
    generator, hub = runner.compile_tools()
    known = peers.all_peers(hub, options.peer_root, options.image_root)
    titles = {peer.name: peer.title for peer in known}
    if options.list:
        for load in loads.LOADS:
            _print(f"{load.name:14} {load.title}")
        for peer in known:
            _print(f"{peer.name:14} {peer.absent() or peer.version()}")
        return 0
    chosen = _chosen(options.only, known)
    settings = runner.Settings(options.hold, options.limit, options.quick)
    if options.curve:
        results = curve.measure(generator, chosen, settings, _say)
        _print(curve.as_markdown(results, titles))
        if options.write:
            document.write_curve(options.write, results, titles)
        return 0
    rounds = 1 if options.quick else options.rounds
    chosen_loads = loads.by_name([name for name in options.load.split(",") if name])
    samples = _run_all(generator, chosen_loads, chosen, known, settings, rounds)
    lost = [sample for sample in samples if sample.peer == "ours" and sample.reason]
    if options.keep and RESULTS.exists():
        again = {(sample.load, sample.peer) for sample in samples}
        old = [runner.Sample(**entry) for entry in json.loads(RESULTS.read_text())]
        samples = [sample for sample in old if (sample.load, sample.peer) not in again] + samples
        chosen_loads = loads.by_name([])
    RESULTS.write_text(json.dumps([asdict(sample) for sample in samples]))
    table = report.rows(samples, chosen_loads, [peer.name for peer in known])
    _print(report.as_text(table, titles))
    complete = not (options.quick or options.load or options.only != ",".join(DEFAULT))
    target = options.write or (DOCS if complete else None)
    if target:
        everything = not (options.quick or options.load)
        ours = [peer for peer in chosen if peer.name == "ours"] if everything else []
        short = replace(settings, hold_s=9)
        hold = _run_all(generator, chosen_loads, ours, known, short, 1)
        document.write(target, table, samples, hold, known)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
