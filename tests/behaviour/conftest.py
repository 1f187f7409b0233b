"""The reflector as a process of its own on loopback, and clients that load it."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.behaviour.client import REFLECTOR, Client
from tests.behaviour.process import Generator, Measured
from tests.bench.runner import compile_tools
from tests.support.process import skip_or_fail
from tests.support.reflector_process import ReflectorSettings, free_port

Join = Callable[..., Awaitable[Client]]


@pytest.fixture
def reflector(tmp_path: Path) -> Iterator[Measured]:
    """A reflector that listens, ended politely after the test."""
    running = Measured(ReflectorSettings(directory=tmp_path, listen=(REFLECTOR,), port=free_port()))
    running.start()
    try:
        yield running
        running.stop()
    finally:
        running.kill()


@pytest.fixture(scope="session")
def generator_program() -> Path:
    """The compiled load generator."""
    if shutil.which("cc") is None:
        skip_or_fail("no C compiler (cc) to build the load generator with")
    return compile_tools()[0]


@pytest.fixture
def generator(generator_program: Path, reflector: Measured) -> Generator:
    """The load generator, aimed at the reflector."""
    return Generator(generator_program, reflector.settings.port)


@pytest_asyncio.fixture
async def join(reflector: Measured) -> AsyncIterator[Join]:
    """Connects a client, by its number and whatever else `Client` takes."""
    clients: list[Client] = []

    async def connect(number: int, *, hold_s: int = 90, receive_buffer: int = 0) -> Client:
        client = Client(number, hold_s=hold_s, receive_buffer=receive_buffer)
        clients.append(client)
        await client.connect(reflector.settings.port)
        return client

    yield connect
    for client in clients:
        await client.close()
