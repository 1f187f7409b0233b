"""Classes of real kube-routers: what a restart costs, other settings than a course's, and mistakes.

``python -m tests.kube_router PROGRAM...`` (as root), with programs that were built from kube-router's
source and are called kube-router-vVERSION. Fails where a class does not come up or come back, the
reflector sees a problem that is none or none where there is one, or an OPEN is not what
`reflector.sim`'s profile of that version says. No part of the gate, which cannot build a kube-router.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.kube_router.reflectors import REFLECTORS
from tests.kube_router.restarts import Measurement
from tests.kube_router.trials import play_mistakes, play_settings


def main() -> int:
    """Play what is asked for; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.kube_router", description=__doc__)
    parser.add_argument("programs", nargs="+", type=Path, metavar="PROGRAM")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--settings", metavar="NAME", help="play the settings with this in their names instead"
    )
    what.add_argument(
        "--mistakes", metavar="NAME", help="make the mistakes with this in their names instead"
    )
    what.add_argument("--two", action="store_true", help="with two of our reflectors")
    parser.add_argument(
        "--away", type=float, default=1.0, metavar="SECONDS", help="how long it is (default: 1)"
    )
    parser.add_argument(
        "--rounds", type=int, default=1, metavar="N", help="how often each is measured (default: 1)"
    )
    parser.add_argument(
        "--reflector", choices=REFLECTORS, default="ours", help="who reflects (default: ours)"
    )
    options = parser.parse_args()
    programs = [each.resolve() for each in options.programs]
    if options.settings is not None:
        fine = play_settings(programs, options.settings)
    elif options.mistakes is not None:
        fine = play_mistakes(programs, options.mistakes)
    else:
        measurement = Measurement(
            reflector=options.reflector,
            two=options.two,
            away_s=options.away,
            rounds=options.rounds,
        )
        fine = measurement.run(programs)
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
