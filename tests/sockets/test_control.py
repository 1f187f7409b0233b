"""The control socket, from both ends."""
# ruff: noqa: ASYNC240 - nobody else is on the loop while a test looks at its file

import asyncio
import itertools
import json
import os
import socket
import stat
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from reflector.cli.client import Client, ClientError, NotFoundError
from reflector.observe.server import answers, control
from reflector.observe.server.control import ControlError, ControlServer
from tests.unit.observe.scene import Scene

MANY = 20_000


@asynccontextmanager
async def serving(path: Path, scene: Scene | None = None) -> AsyncIterator[ControlServer]:
    server = ControlServer(path, Scene() if scene is None else scene)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


async def ask_for_routes_and_read_little(path: Path) -> socket.socket:
    loop = asyncio.get_running_loop()
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    await loop.sock_connect(sock, str(path))
    await loop.sock_sendall(sock, b"GET /api/v1/routes HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (await loop.sock_recv(sock, 100)).startswith(b"HTTP/1.1 200 ")
    return sock


async def get(path: Path, *parts: str, **query: str) -> dict[str, Any]:
    return await asyncio.to_thread(Client(path).get, *parts, **query)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run" / "control.sock"


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.announce(scene.join("10.0.0.5", "node-a"), "10.244.0.0/24", "10.244.1.0/24")
    return scene


@pytest.fixture
def large_scene() -> Scene:
    scene = Scene()
    peer = scene.join("10.0.0.5")
    for first in range(0, MANY, 200):
        numbers = range(first, first + 200)
        scene.announce(peer, *(f"10.{n >> 8}.{n & 255}.0/24" for n in numbers))
    return scene


class TestAnswers:
    @pytest.mark.asyncio
    async def test_every_view(self, path: Path, scene: Scene) -> None:
        async with serving(path, scene):
            assert (await get(path, "summary"))["established"] == 1
            [neighbor] = (await get(path, "neighbors"))["neighbors"]
            assert (await get(path, "neighbors", "10.0.0.5"))["neighbors"][0]["address"] == (
                neighbor["address"]
            )
            assert len((await get(path, "routes"))["routes"]) == 2
            [route] = (await get(path, "routes", prefix="10.244.1.0/24"))["routes"]
            assert route["prefix"] == "10.244.1.0/24"
            [route] = (await get(path, "routes", prefix="10.244.0.9"))["routes"]
            assert route["prefix"] == "10.244.0.0/24"
            health = await asyncio.to_thread(Client(path).health)
            assert health == {"status": "ok", "established": 1, "prefixes": 2}

    @pytest.mark.asyncio
    async def test_nothing_there_yet(self, path: Path) -> None:
        async with serving(path):
            assert await get(path, "neighbors") == {"neighbors": []}
            assert await get(path, "routes") == {"routes": []}

    @pytest.mark.asyncio
    async def test_what_is_unknown(self, path: Path, scene: Scene) -> None:
        async with serving(path, scene):
            with pytest.raises(NotFoundError, match=r"no connection with 10\.0\.0\.9"):
                await get(path, "neighbors", "10.0.0.9")
            with pytest.raises(NotFoundError, match=r"no route for 10\.0\.0\.0/8"):
                await get(path, "routes", prefix="10.0.0.0/8")
            with pytest.raises(NotFoundError, match="GET /api/v1/nonsense: Not Found"):
                await get(path, "nonsense")

    @pytest.mark.asyncio
    @pytest.mark.parametrize("prefix", ["10.0.0.1/8", "nonsense", "10.0.0.0/33", ""])
    async def test_what_is_no_prefix(self, path: Path, scene: Scene, prefix: str) -> None:
        async with serving(path, scene):
            with pytest.raises(ClientError, match="no prefix and no address"):
                await get(path, "routes", prefix=prefix)

    @pytest.mark.asyncio
    async def test_what_is_no_address(self, path: Path, scene: Scene) -> None:
        async with serving(path, scene):
            with pytest.raises(ClientError, match="'a/b' is not an IP address"):
                await get(path, "neighbors", "a/b")


@asynccontextmanager
async def turns() -> AsyncIterator[Iterator[int]]:
    """What counts the turns of the loop meanwhile."""
    number = itertools.count()

    async def count() -> None:
        while True:
            await asyncio.sleep(0)
            next(number)

    counting = asyncio.create_task(count())
    yield number
    counting.cancel()


class TestLongAnswers:
    @pytest.fixture(autouse=True)
    def _shortest_slices(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """However fast the machine is, an answer is made in as many turns of the loop as it has parts."""
        monkeypatch.setattr(answers, "_SLICE_S", 0.0)

    @pytest.mark.asyncio
    async def test_the_loop_goes_on_while_one_is_made(self, path: Path, large_scene: Scene) -> None:
        async with serving(path, large_scene), turns() as counted:
            answer = await get(path, "routes")
        assert len({route["prefix"] for route in answer["routes"]}) == MANY
        assert next(counted) > MANY

    @pytest.mark.asyncio
    async def test_the_loop_goes_on_while_the_table_is_dumped(
        self, path: Path, large_scene: Scene
    ) -> None:
        async with serving(path, large_scene), turns() as counted:
            pieces = await asyncio.to_thread(lambda: list(Client(path).read("table.mrt")))
        assert sum(map(len, pieces)) > MANY * 20
        assert next(counted) > MANY

    @pytest.mark.asyncio
    async def test_a_client_that_hangs_up_harms_nobody(
        self, path: Path, large_scene: Scene
    ) -> None:
        async with serving(path, large_scene):
            (await ask_for_routes_and_read_little(path)).close()
            assert (await get(path, "summary"))["established"] == 1

    @pytest.mark.asyncio
    async def test_stopping_waits_for_no_slow_client(self, path: Path, large_scene: Scene) -> None:
        async with serving(path, large_scene) as server:
            with await ask_for_routes_and_read_little(path):
                began_s = time.monotonic()
                await server.stop()
                assert time.monotonic() - began_s < 5

    @pytest.mark.asyncio
    async def test_a_reader_that_has_enough_sees_no_error(
        self, path: Path, large_scene: Scene
    ) -> None:
        command = f"{sys.executable} -m reflector show routes --socket {path} | head -2"
        async with serving(path, large_scene):
            process = await asyncio.create_subprocess_shell(
                command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
            )
            out, err = await process.communicate()
        assert out.count(b"\n") == 2
        assert err == b""


class TestSocket:
    @pytest.mark.asyncio
    async def test_only_owner_and_group_may_ask(self, path: Path) -> None:
        async with serving(path):
            assert stat.S_IMODE(path.stat().st_mode) == 0o660

    @pytest.mark.asyncio
    async def test_it_is_removed_at_the_end(self, path: Path) -> None:
        async with serving(path):
            assert path.exists()
        assert not path.exists()

    @pytest.mark.asyncio
    async def test_one_of_a_dead_process_is_replaced(self, path: Path) -> None:
        path.parent.mkdir()
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(str(path))
        async with serving(path):
            assert (await get(path, "summary"))["connections"] == 0

    @pytest.mark.asyncio
    async def test_a_living_reflectors_is_left_alone(self, path: Path) -> None:
        async with serving(path):
            second = ControlServer(path, Scene())
            with pytest.raises(ControlError, match="another bgp-reflector is running"):
                await second.start()
            await second.stop()
            assert (await get(path, "summary"))["connections"] == 0

    @pytest.mark.asyncio
    async def test_a_file_is_left_alone(self, tmp_path: Path) -> None:
        path = tmp_path / "precious"
        path.write_text("keep me")
        with pytest.raises(ControlError, match="is not a socket"):
            await ControlServer(path, Scene()).start()
        assert path.read_text() == "keep me"

    @pytest.mark.asyncio
    async def test_one_that_took_its_place_is_left_alone(self, path: Path) -> None:
        async with serving(path):
            path.unlink()
            with socket.socket(socket.AF_UNIX) as other:
                other.bind(str(path))
        assert path.exists()

    @pytest.mark.asyncio
    @pytest.mark.parametrize("name", ["x" * 120, "file/control.sock"])
    async def test_a_place_that_cannot_be_is_named(self, tmp_path: Path, name: str) -> None:
        (tmp_path / "file").touch()
        with pytest.raises(ControlError, match="can't be opened"):
            await ControlServer(tmp_path / name, Scene()).start()

    @pytest.mark.asyncio
    async def test_a_directory_of_somebody_else_in_a_shared_place(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await asyncio.to_thread(path.parent.mkdir)
        if os.geteuid() == 0:
            os.chown(path.parent, 54321, -1)
        monkeypatch.setattr(control, "_SHARED", path.parent.parent)
        monkeypatch.setattr(os, "geteuid", lambda: 12345)
        with pytest.raises(ControlError, match="belongs to another user"):
            await ControlServer(path, Scene()).start()


class TestClient:
    def test_nothing_runs(self, tmp_path: Path) -> None:
        with pytest.raises(ClientError, match="no reflector is running here"):
            Client(tmp_path / "none").get("summary")

    def test_what_answers_is_no_reflector(self, tmp_path: Path) -> None:
        path = tmp_path / "mute"
        with socket.socket(socket.AF_UNIX) as mute:
            mute.bind(str(path))
            mute.listen()
            with pytest.raises(ClientError, match="gave no answer: timed out"):
                Client(path, timeout_s=0.1).get("summary")

    @pytest.mark.asyncio
    @pytest.mark.parametrize(
        ("body", "says"),
        [
            (b"[]", "gave no answer: it is no JSON object"),
            (b"hello", "gave no answer: Expecting value"),
            (
                b"{}",
                "does not tell its neighbors: it is no bgp-reflector, or one of another version",
            ),
        ],
    )
    async def test_what_answers_otherwise_than_a_reflector(
        self, tmp_path: Path, body: bytes, says: str
    ) -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            writer.close()

        async with await asyncio.start_unix_server(answer, tmp_path / "other"):
            with pytest.raises(ClientError, match=says):
                (await asyncio.to_thread(Client(tmp_path / "other").get, "neighbors"))["neighbors"]

    @pytest.mark.asyncio
    async def test_the_environment_names_it(
        self, path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("BGP_REFLECTOR_SOCKET", str(path))
        async with serving(path):
            answer = await asyncio.to_thread(Client(None).get, "summary")
        assert json.dumps(answer)

    @pytest.mark.asyncio
    async def test_the_first_that_answers_of_the_likely_ones(
        self, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.delenv("BGP_REFLECTOR_SOCKET", raising=False)
        monkeypatch.setattr(
            "reflector.cli.client.likely_sockets", lambda: [tmp_path / "none", path]
        )
        async with serving(path):
            answer = await asyncio.to_thread(Client(None).get, "summary")
        assert answer["asn"] == 64512
