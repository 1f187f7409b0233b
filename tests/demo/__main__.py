"""`make demo`: records docs/demo.cast and draws docs/demo.svg from it.

What is seen was really printed: a reflector by `make run`, and a class that plays against it.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.demo.cast import Cast
from tests.demo.record import Recorder
from tests.demo.svg import render

REPOSITORY: Final = Path(__file__).resolve().parents[2]
COLUMNS: Final = 108
ROWS: Final = 27
TITLE: Final = "bgp-reflector: a class of eight arrives, and two of its students have erred"

# What keeps off a reflector that runs on this machine already.
_CONFIG: Final = """\
listen: [127.0.0.1]
control-socket: {directory}/control
http: "off"
"""


def record(directory: Path, port: int) -> Cast:
    """Play everything.

    Args:
        directory: For the reflector's files.
        port: Where the reflector listens.
    """
    config = directory / "reflector.yaml"
    config.write_text(_CONFIG.format(directory=directory))
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "BGP_REFLECTOR_CONFIG": str(config),
        "BGP_REFLECTOR_SOCKET": str(directory / "control"),
        "STATE_DIRECTORY": str(directory),
        "TERM": "xterm-256color",
        "PYTHONIOENCODING": "utf-8",
    }
    environment.pop("NO_COLOR", None)
    cast = Cast(COLUMNS, ROWS, TITLE)
    recorder = Recorder(cast, REPOSITORY, environment)
    try:
        recorder.title("the presenter starts the reflector")
        started = recorder.type(f'make run ARGS="--port {port}"')
        recorder.watch(started, "ready: ", stay_s=4)
        recorder.title("in another terminal: a class to rehearse with, mistakes included")
        arriving = recorder.type(
            f"bgp-reflector rehearse --reflector 127.0.0.1:{port} --clusters 8 --nodes 2"
            " --mistake wrong-asn,duplicate-cidr"
        )
        recorder.watch(arriving, "all is as planned", stay_s=3)
        recorder.title("in a third one: who is here, and what is wrong")
        recorder.watch(recorder.type("bgp-reflector show clusters | head -7"), stay_s=4)
        recorder.watch(recorder.type("bgp-reflector problems"), stay_s=5)
    finally:
        recorder.close()
    return cast


def main() -> int:
    """Write both files.

    Returns:
        0.
    """
    parser = argparse.ArgumentParser(prog="make demo", description=__doc__)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "docs", metavar="DIRECTORY")
    parser.add_argument("--port", type=int, default=1790, metavar="N")
    parser.add_argument("--draw", action="store_true", help="draw what was recorded before")
    arguments = parser.parse_args()
    recording: Path = arguments.output / "demo.cast"
    if not arguments.draw:
        with tempfile.TemporaryDirectory(prefix="bgp-reflector-demo-") as directory:
            recording.write_text(record(Path(directory), arguments.port).dumps())
    (arguments.output / "demo.svg").write_text(render(Cast.loads(recording.read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
