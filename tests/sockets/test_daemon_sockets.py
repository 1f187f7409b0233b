"""FRR's daemon sockets: who is let in, and what is left alone."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from reflector.vty import daemon_sockets
from reflector.vty.daemon_sockets import SUCCESS, SocketsError, serving

DEADLINE_S = 60.0


def answer(line: str) -> tuple[str, int]:
    return f"answer to {line}", SUCCESS


def ask(client: socket.socket, line: str) -> bytes:
    client.sendall(line.encode() + b"\0")
    said = b""
    while not said.endswith(bytes((0, 0, 0, SUCCESS))):
        piece = client.recv(4096)
        assert piece, said
        said += piece
    return said.rstrip(b"\0")


def connect(directory: Path) -> socket.socket:
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(DEADLINE_S)
    client.connect(str(directory / "bgpd.vty"))
    return client


def test_of_too_many_who_was_silent_longest_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A monitor that leaves its connections open keeps nobody out."""
    monkeypatch.setattr(daemon_sockets, "_MAX_CONNECTIONS", 3)
    with serving(tmp_path, answer), ExitStack() as stack:
        first, silent, third = (stack.enter_context(connect(tmp_path)) for _ in range(3))
        assert ask(first, "show") == b"answer to show\n"
        assert ask(silent, "show") == b"answer to show\n"
        assert ask(third, "show") == b"answer to show\n"
        assert ask(first, "show again") == b"answer to show again\n"
        fourth = stack.enter_context(connect(tmp_path))
        assert ask(fourth, "show") == b"answer to show\n"
        assert silent.recv(1) == b""
        assert ask(first, "and again") == b"answer to and again\n"


def test_a_file_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "zebra.vty"
    precious.write_text("keep me", encoding="utf-8")
    with pytest.raises(SocketsError, match="is not a socket"), serving(tmp_path, answer):
        pass
    assert precious.read_text(encoding="utf-8") == "keep me"
    assert not (tmp_path / "bgpd.vty").exists()


def test_one_of_a_dead_process_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "bgpd.vty"))
    with serving(tmp_path, answer), connect(tmp_path) as client:
        assert ask(client, "show") == b"answer to show\n"


def test_one_that_took_its_place_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "bgpd.vty"
    with serving(tmp_path, answer), socket.socket(socket.AF_UNIX) as other:
        path.rename(tmp_path / "moved")
        other.bind(str(path))
    assert path.exists()
