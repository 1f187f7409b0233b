"""The systemd unit: what systemd itself says of it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.process import find_binary
from tests.support.reflector_process import REPOSITORY

UNIT = REPOSITORY / "packaging" / "bgp-reflector.service"


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [find_binary("systemd-analyze"), *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_systemd_understands_it(tmp_path: Path) -> None:
    """With an executable and without a man page that are not on this machine."""
    text = UNIT.read_text().replace("/opt/bgp-reflector/bin/bgp-reflector run", sys.executable)
    unit = tmp_path / UNIT.name
    unit.write_text(re.sub("(?m)^Documentation=.*\n", "", text))
    done = analyze("verify", str(unit))
    said = [line for line in (done.stdout + done.stderr).splitlines() if UNIT.name in line]
    assert not said
    assert done.returncode == 0


def test_it_is_confined() -> None:
    done = analyze("security", "--offline=true", str(UNIT))
    found = re.search(r"exposure level for bgp-reflector.service: ([0-9.]+)", done.stdout)
    assert found, done.stdout + done.stderr
    assert float(found[1]) <= 2.0
