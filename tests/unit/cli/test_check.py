"""`bgp-reflector check` and `schema`: what they print, and how they exit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from reflector.cli.main import main
from tests.support.course import COURSE_BGPD_CONF


@pytest.fixture(autouse=True)
def _nothing_in_the_usual_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.delenv("BGP_REFLECTOR_CONFIG", raising=False)
    monkeypatch.setattr("reflector.config.locate._SYSTEM_FILE", tmp_path / "none")


def test_a_right_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("asn: 65000\nneighbors: [{address: 10.0.0.1}]\nnetworks: []\n")
    assert main(["check", str(path)]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert out == (f"{path}: no mistakes: AS 65000, 2 ranges, 1 neighbor, 0 networks of our own\n")


def test_a_wrong_one_is_every_mistake(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "c.yaml"
    path.write_text("asn: x\nport: y\n")
    assert main(["check", str(path)]) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split(": ")[:2] for line in err.splitlines()] == [
        [f"{path}:1:6", "asn"],
        [f"{path}:2:7", "port"],
    ]


def test_without_a_file_it_checks_what_run_would_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check"]) == 0
    assert capsys.readouterr().out.startswith("no configuration file, the defaults hold: AS 64512")
    monkeypatch.setenv("BGP_REFLECTOR_CONFIG", str(tmp_path / "c.yaml"))
    assert main(["check"]) == 1
    assert "No such file" in capsys.readouterr().err


def test_the_course_s_frr_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bgpd.conf"
    path.write_text(COURSE_BGPD_CONF)
    assert main(["check", "--frr", str(path)]) == 0
    *notes, last = capsys.readouterr().out.splitlines()
    assert [note.removeprefix(f"{path}:").split(":")[0] for note in notes] == ["1", "4", "9"]
    assert last == f"{path}: no mistakes: AS 64512, 1 range, 0 neighbors, 1 network of our own"


def test_a_wrong_frr_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "bgpd.conf"
    path.write_text(f"{COURSE_BGPD_CONF}redistribute kernel\n")
    assert main(["check", "--frr", str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"{path}:10: redistribute kernel: ")


def test_two_files_are_a_usage_error() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["check", "a", "--frr", "b"])
    assert ended.value.code == 2


def test_the_schema_is_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["properties"]["asn"]["default"] == 64512
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("command", ["check", "schema"])
def test_it_imports_nothing_heavy(command: str) -> None:
    code = (
        "import sys; from reflector.cli.main import main; main(sys.argv[1:]); "
        "sys.exit(bool({'asyncio', 'aiohttp', 'structlog', 'exabgp'} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command], capture_output=True, check=False, timeout=10
    )
    assert done.returncode == 0
