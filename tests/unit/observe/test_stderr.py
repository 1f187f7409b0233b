"""Lines to a descriptor that may be slow, stuck or closed."""

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from reflector.observe.journal.stderr import LineWriter


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for fd in ends:
        with contextlib.suppress(OSError):  # some test has closed it
            os.close(fd)


def test_lines_arrive_in_order(pipe: tuple[int, int]) -> None:
    reader, sink = pipe
    writer = LineWriter(sink)
    for number in range(500):
        writer.write(f"line {number}")
    assert writer.flush(5)
    assert os.read(reader, 1 << 16).decode().split("\n")[:-1] == [f"line {i}" for i in range(500)]
    assert writer.take_dropped() == 0


def test_a_stuck_reader_blocks_nobody_and_is_told_what_it_missed(pipe: tuple[int, int]) -> None:
    reader, sink = pipe
    writer = LineWriter(sink, max_lines=50)
    writer.write("x" * 200_000)  # more than a pipe holds
    assert not writer.flush(0.1)
    began_s = time.monotonic()
    for _ in range(1000):
        writer.write("y")
    assert time.monotonic() - began_s < 10
    assert writer.take_dropped() == 0  # there is no room to say so
    arrived = bytearray()

    def read() -> None:
        while not arrived.endswith(b"end\n"):
            arrived.extend(os.read(reader, 1 << 16))

    thread = threading.Thread(target=read)
    thread.start()
    assert writer.flush(5)
    assert writer.take_dropped() == 950
    writer.write("end")
    thread.join(5)
    assert arrived.count(b"y\n") == 50


def test_a_closed_reader_costs_nothing(pipe: tuple[int, int]) -> None:
    reader, sink = pipe
    os.close(reader)
    writer = LineWriter(sink)
    writer.write("nobody reads")
    assert writer.flush(5)
    writer.write("still nobody")
    assert writer.flush(5)


def test_without_a_descriptor_all_is_quiet() -> None:
    writer = LineWriter(None)
    writer.write("nowhere")
    assert writer.flush(0)
    assert not writer._started


@pytest.mark.parametrize("redirection", ["2>&-", "2</dev/null"])
def test_a_process_without_a_usable_stderr_runs_and_writes_nowhere_else(redirection: str) -> None:
    program = (
        "import socket\n"
        "a, b = socket.socketpair()\n"  # takes the place of a closed stderr
        "from reflector.observe.journal.log import Log, configure\n"
        "configure('json')\n"
        "log = Log()\n"
        "log.note('hello')\n"
        "log.close()\n"
        "a.setblocking(False), b.setblocking(False)\n"
        "for s in (a, b):\n"
        "    try:\n"
        "        print(s.recv(100))\n"
        "    except BlockingIOError:\n"
        "        print('nothing')\n"
    )
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {redirection}', sys.executable, program],
        capture_output=True,
        text=True,
        timeout=20,
        check=True,
    )
    assert done.stdout == "nothing\nnothing\n"
