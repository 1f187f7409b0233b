"""README's two commands, from a fresh clone in an empty environment; and what they say when not."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.demo.cast import Cast
from tests.packaging.conftest import Clone
from tests.support.netns import addresses_on_loopback
from tests.support.process import (
    BackgroundProcess,
    find_binary,
    in_netns,
    query,
    skip_or_fail,
    wait_until,
)
from tests.support.reflector_process import free_port

BGP_PORT: Final = 179
UNPRIVILEGED_PORT: Final = 1179
START_TIMEOUT_S: Final = 60.0
STOP_TIMEOUT_S: Final = 30.0


@pytest.fixture
def machine() -> Iterator[str]:
    """A namespace, on whose ports 179 and 8179 nobody is."""
    with addresses_on_loopback("make") as netns:
        yield netns


@pytest.fixture(scope="module")
def installed(clone: Clone) -> Clone:
    """What `make run` installs when it is run for the first time, and how it says so."""
    done = clone.run("make", "run", "ARGS=--help")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "installing into .venv, this once" in done.stderr
    return clone


def listens(port: int, netns: str | None) -> bool:
    """Whether something listens on a port."""
    return bool(query([*in_netns(netns), find_binary("ss"), "-Hltn", "sport", "=", f":{port}"]))


def only_child(pid: int) -> int:
    """Return the one child of a process."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)


@contextmanager
def make_run(
    clone: Clone,
    log_path: Path,
    port: int,
    *before: str,
    netns: str | None = None,
    arguments: str = "",
) -> Iterator[BackgroundProcess]:
    """`make run` in the background, until it listens."""
    # `env -i` inside, since BackgroundProcess only adds to an environment.
    environment = [f"{name}={value}" for name, value in clone.environment.items()]
    made = [f"ARGS={arguments}"] if arguments else []
    process = BackgroundProcess(
        "make run",
        [*before, "env", "-i", *environment, "make", "run", *made],
        log_path=log_path,
        netns=netns,
        cwd=clone.directory,
    )
    try:
        wait_until(
            lambda: listens(port, netns) or not process.is_running(),
            what=f"make run listens on port {port}",
            timeout_s=START_TIMEOUT_S,
            explain=process.log_tail,
        )
        assert process.is_running(), process.log_tail()
        yield process
    finally:
        process.kill()


def test_make_run_listens_where_permitted(installed: Clone, machine: str, tmp_path: Path) -> None:
    """Installs, listens on 179 as root, and ends by SIGTERM with 0 and without complaint."""
    with make_run(installed, tmp_path / "log", BGP_PORT, netns=machine) as process:
        os.kill(only_child(process.pid), signal.SIGTERM)
        assert process.wait(timeout_s=STOP_TIMEOUT_S) == 0, process.log_tail()
        assert "Traceback" not in process.log()


def test_make_run_takes_1179_where_179_is_not_permitted(
    installed: Clone, machine: str, tmp_path: Path
) -> None:
    """Root without the capability is as good as nobody here; and Ctrl-C ends it."""
    without = ("setpriv", "--bounding-set", "-net_bind_service", "--inh-caps", "-net_bind_service")
    find_binary("setpriv")
    log = tmp_path / "log"
    with make_run(installed, log, UNPRIVILEGED_PORT, *without, netns=machine) as process:
        assert "port 179 is for root only" in process.log()
        assert "1179" in process.log()
        os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout_s=STOP_TIMEOUT_S)
        assert "Traceback" not in process.log()


def test_make_run_leaves_a_named_port_alone(installed: Clone, tmp_path: Path) -> None:
    port = free_port()
    arguments = f"--port {port} --http off"
    with make_run(installed, tmp_path / "log", port, arguments=arguments) as process:
        assert "port 179" not in process.log()


def test_make_test_runs_tests(clone: Clone) -> None:
    """The command itself; ARGS keeps it from running this test in turn."""
    done = clone.run("make", "test", "ARGS=--quiet tests/packaging/test_locks.py")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout


def test_make_demo_records_what_is_printed(clone: Clone, tmp_path: Path) -> None:
    done = clone.run("make", "demo", f"ARGS=--output {tmp_path} --port {free_port()}")
    assert done.returncode == 0, done.stdout + done.stderr
    printed = "".join(text for _, text in Cast.loads((tmp_path / "demo.cast").read_text()).events)
    for said in ("ready: AS 64512", "all is as planned: 12 nodes", "cluster-01-node-1", "ERROR: "):
        assert said in printed
    assert (tmp_path / "demo.svg").read_text().startswith("<svg ")


def test_make_alone_says_what_there_is(makefile: Clone) -> None:
    done = makefile.run("make")
    assert done.returncode == 0
    for target in ("run", "test", "lint", "bench", "lock", "image", "clean"):
        assert f"\n  {target} " in done.stdout


def test_make_without_a_python_says_so(makefile: Clone) -> None:
    done = makefile.run("make", "run", "PYTHON=no-such-python")
    assert done.returncode != 0
    assert "needs Python 3.11 or newer, and no-such-python has none" in done.stderr


def fake_python(directory: Path, script: str) -> str:
    """Write a Python that is an interpreter in name only."""
    path = directory / "fake-python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_make_with_an_old_python_says_so(makefile: Clone, tmp_path: Path) -> None:
    old = fake_python(tmp_path, 'case "$2" in *exit*) exit 1;; esac; echo 3.9')
    done = makefile.run("make", "run", f"PYTHON={old}")
    assert done.returncode != 0
    assert f"needs Python 3.11 or newer, and {old} has 3.9" in done.stderr


def test_make_without_venv_module_says_what_to_install(makefile: Clone, tmp_path: Path) -> None:
    """As on Debian and Ubuntu, whose python3 comes without ensurepip."""
    bare = fake_python(
        tmp_path, 'case "$2" in *ensurepip*) exit 1;; *exit*) ;; *) echo 3.11;; esac'
    )
    done = makefile.run("make", "run", f"PYTHON={bare}")
    assert done.returncode != 0
    assert "sudo apt install python3.11-venv" in done.stderr


def test_make_keeps_off_folders_that_are_not_its_own(makefile: Clone, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").touch()
    done = makefile.run("make", "run", f"VENV={precious}")
    assert done.returncode != 0
    assert "is no virtual environment" in done.stderr
    assert (precious / "file").exists()


@pytest.fixture(autouse=True)
def _needs_make() -> None:
    if shutil.which("make") is None:
        skip_or_fail("make is not installed")
