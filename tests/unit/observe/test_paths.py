"""Where the control socket is."""
# ruff: noqa: S108 - the names are what is tested

import os
from pathlib import Path

import pytest

from reflector.observe.server.paths import default_socket, likely_sockets

SYSTEM = Path("/run/bgp-reflector/control.sock")


@pytest.fixture(autouse=True)
def _plain_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    monkeypatch.delenv("SUDO_UID", raising=False)


def test_of_root(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_socket() == SYSTEM
    assert likely_sockets() == [SYSTEM]


def test_of_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/1000")
    mine = Path("/run/user/1000/bgp-reflector/control.sock")
    assert default_socket() == mine
    assert likely_sockets() == [mine, SYSTEM]


def test_of_a_user_without_a_session() -> None:
    assert default_socket() == Path("/tmp/bgp-reflector-1000/control.sock")


def test_with_sudo_the_callers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("SUDO_UID", "1000")
    assert likely_sockets() == [
        SYSTEM,
        Path("/run/user/1000/bgp-reflector/control.sock"),
        Path("/tmp/bgp-reflector-1000/control.sock"),
    ]
