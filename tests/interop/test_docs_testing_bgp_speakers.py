"""docs/testing-bgp-speakers.md, block by block, as its reader would run it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from reflector import sim
from tests.support.process import find_binary, require_root
from tests.support.reflector_process import REPOSITORY

pytestmark = pytest.mark.interop

DOCUMENT: Final = (REPOSITORY / "docs" / "testing-bgp-speakers.md").read_text()
BLOCKS: Final = re.findall(r"^```python\n(# (\S+)\n.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
FILES: Final = {name: text for text, name in BLOCKS}
TESTS: Final = [name for name in FILES if name.startswith("test_")]
FAILING: Final = "test_that_fails.py"
RUN_TIMEOUT_S: Final = 180.0

# Of a history, what is different each time.
VARYING: Final = re.compile(r"\d+\.\d{3} s|port \d+|host name [\w.-]+")


def write_files(directory: Path) -> None:
    find_binary("gobgpd")
    for name, text in FILES.items():
        (directory / name).write_text(text)


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    (directory / "pytest.ini").write_text(
        "[pytest]\nasyncio_default_fixture_loop_scope = function\nfilterwarnings = error\n"
    )
    return subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )


def run_pytest(directory: Path, *names: str) -> subprocess.CompletedProcess[str]:
    options = ("-p", "reflector.pytest_plugin", "-p", "no:cacheprovider")
    return run(directory, "-m", "pytest", *options, *names)


def test_every_block_is_a_file() -> None:
    assert DOCUMENT.count("```python") == len(BLOCKS) == len(FILES)


def test_its_tests_pass(tmp_path: Path) -> None:
    names = [name for name in TESTS if name != FAILING]
    write_files(tmp_path)
    done = run_pytest(tmp_path, *names)
    assert done.returncode == 0, done.stdout + done.stderr
    count = sum(FILES[name].count("def test_") for name in names)
    assert f"{count} passed" in done.stdout


@pytest.mark.parametrize(
    ("name", "binary"),
    [("frr", "/usr/lib/frr/bgpd"), ("bird", "bird"), ("openbgpd", "/usr/sbin/bgpd")],
)
def test_the_other_speakers_start_as_shown(tmp_path: Path, name: str, binary: str) -> None:
    find_binary(binary)
    if name == "openbgpd":
        require_root()
        Path("/run/openbgpd").mkdir(exist_ok=True)
    for file in ("other_speakers.py", "test_reflection.py"):
        (tmp_path / file).write_text(FILES[file])
    command = f"other_speakers.{name}(tmp_path, port)"
    conftest = re.sub(
        r"    config = .*?Popen\(command\)",
        f"    with subprocess.Popen({command})",
        FILES["conftest.py"],
        flags=re.DOTALL,
    )
    (tmp_path / "conftest.py").write_text(
        conftest.replace("import subprocess", "import subprocess\nimport other_speakers", 1)
    )
    done = run_pytest(tmp_path, "test_reflection.py")
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_types_are_right(tmp_path: Path) -> None:
    path = tmp_path / "test_with_types.py"
    path.write_text(FILES[path.name])
    options = ("--strict", "--follow-imports=silent", "--cache-dir", str(tmp_path / "cache"))
    done = subprocess.run(
        [sys.executable, "-m", "mypy", *options, str(path)],
        cwd=tmp_path,
        env={**os.environ, "MYPYPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=RUN_TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_what_fails_fails_as_shown(tmp_path: Path) -> None:
    write_files(tmp_path)
    done = run_pytest(tmp_path, FAILING)
    assert done.returncode == 1
    shown, _ = re.findall(r"^```text\n(.*?)^```$", DOCUMENT, re.DOTALL | re.MULTILINE)
    for line in shown.splitlines():
        text = VARYING.sub("", line.removeprefix("E")).strip()
        assert text in VARYING.sub("", done.stdout), text


def test_the_script_runs(tmp_path: Path) -> None:
    write_files(tmp_path)
    with sim.RunningReflector() as target:
        done = run(tmp_path, "script.py", str(target.port))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("10.1.0.0/24 via 10.0.0.2, origin igp, local_pref 100")
    assert done.stdout.endswith("\n90\n")


def test_everything_that_a_peer_can_do_is_named() -> None:
    public = {name for name in dir(sim.Peer) if not name.startswith("_")}
    inner = {"adopt", "begin", "dial", "dispose", "on_data", "on_lost"}
    others = {"local_address", "remote_address"}
    for name in public - inner - others:
        assert f"`{name}`" in DOCUMENT, name
