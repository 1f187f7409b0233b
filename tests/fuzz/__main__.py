"""`make fuzz`: coverage-guided fuzzing of every decoder and of whole sessions, with atheris.

    python -m tests.fuzz [TARGET...] [--seconds N] [-- OPTIONS FOR LIBFUZZER]

Each target goes on from the corpus that it left in build/fuzz. What it finds is left there too, as
crash-*; replay it with `python -m tests.fuzz TARGET -- FILE`, and make a plain test of it.
"""

from __future__ import annotations

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parents[2] / "build" / "fuzz"
_INSIDE: Final = "--inside"


def main() -> int:
    """Fuzz the targets one after another; 1 if one found something."""
    from tests.fuzz.targets import TARGETS  # noqa: PLC0415 - inside, atheris must come first

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"{', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (default: 60)")
    own, passed_on = _split(sys.argv[1:])
    options = parser.parse_args(own)
    unknown = set(options.targets) - TARGETS.keys()
    if unknown:
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    found = 0
    for target in options.targets or TARGETS:
        corpus = _corpus(target)
        command = [sys.executable, "-m", "tests.fuzz", _INSIDE, target]
        limits = [f"-max_total_time={options.seconds}", "-max_len=8192", "-timeout=20"]
        artifacts = f"-artifact_prefix={FOLDER}/{target}-"
        files = [] if any(not each.startswith("-") for each in passed_on) else [str(corpus)]
        done = subprocess.run([*command, *limits, artifacts, *passed_on, *files], check=False)
        found |= done.returncode != 0
    return int(found)


def inside(target: str, arguments: list[str]) -> None:
    """Fuzz one target until libFuzzer ends the process."""
    import atheris  # noqa: PLC0415 - only here, and before what it is to watch

    with atheris.instrument_imports(include=["reflector", "exabgp"]):
        from tests.fuzz.targets import TARGETS  # noqa: PLC0415
    atheris.Setup([target, *arguments], TARGETS[target])
    atheris.Fuzz()


def _split(arguments: list[str]) -> tuple[list[str], list[str]]:
    if "--" not in arguments:
        return arguments, []
    at = arguments.index("--")
    return arguments[:at], arguments[at + 1 :]


def _corpus(target: str) -> Path:
    from tests.fuzz.seeds import seeds  # noqa: PLC0415 - as above

    folder = FOLDER / target
    folder.mkdir(parents=True, exist_ok=True)
    for seed in seeds(target):
        (folder / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    return folder


if __name__ == "__main__":
    if sys.argv[1:2] == [_INSIDE]:
        inside(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main())
