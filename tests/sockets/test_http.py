"""The page's server over TCP: what it answers, to whom, and that nobody can hold it up."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address
from typing import Any

import aiohttp
import pytest

from reflector.observe.server import api
from reflector.observe.server.http import HttpError, HttpServer
from reflector.reports import Trouble
from tests.support.reflector_process import free_port
from tests.unit.observe.scene import Scene

LOOPBACK = ip_address("127.0.0.1")
DEADLINE_S = 60.0


@asynccontextmanager
async def serving(scene: Scene) -> AsyncIterator[tuple[str, HttpServer]]:
    server = HttpServer(LOOPBACK, free_port(), scene)
    await server.start()
    try:
        yield server.url.rstrip("/"), server
    finally:
        await server.stop()


class Listener:
    """Who reads the event stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.response = response
        self.last_id = ""

    async def next(self) -> tuple[str, dict[str, Any]]:
        fields: dict[str, str] = {}
        async with asyncio.timeout(DEADLINE_S):
            while True:
                line = (await self.response.content.readline()).decode()
                assert line, "the stream has ended"
                if line == "\n" and "data" in fields:
                    self.last_id = fields["id"]
                    return fields["event"], json.loads(fields["data"])
                name, _, value = line.rstrip("\n").partition(": ")
                fields[name] = value


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.announce(scene.join("10.0.0.5", "node-a"), "10.244.0.0/24")
    return scene


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8179", 200),
        ("[::1]:8179", 200),
        ("localhost", 200),
        ("192.0.2.7", 200),
        ("evil.example", 421),
        ("127.0.0.1.evil.example:8179", 421),
        ("localhost.evil.example", 421),
    ],
)
async def test_a_name_that_could_be_anybodys_is_not_answered(
    scene: Scene, host: str, status: int
) -> None:
    """DNS rebinding: a page elsewhere has its own name resolved to our address and reads on."""
    async with serving(scene) as (url, _), aiohttp.ClientSession() as session:
        for path in ("/metrics", "/api/v1/neighbors"):
            async with session.get(url + path, headers={"Host": host}) as response:
                assert response.status == status


@pytest.mark.asyncio
async def test_nothing_can_be_changed_and_nobody_else_may_read(scene: Scene) -> None:
    async with serving(scene) as (url, _), aiohttp.ClientSession() as session:
        for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
            async with session.request(method, f"{url}/api/v1/neighbors") as response:
                assert response.status == 405
        async with session.get(
            f"{url}/api/v1/summary", headers={"Origin": "http://evil.example"}
        ) as response:
            assert "Access-Control-Allow-Origin" not in response.headers
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "query", ["bits=0", "bits=33", "bits=x", "bits=-1", "bits=9999999999999999999"]
)
async def test_what_is_no_number(scene: Scene, query: str) -> None:
    async with (
        serving(scene) as (url, _),
        aiohttp.ClientSession() as session,
        session.get(f"{url}/api/v1/clusters?{query}") as response,
    ):
        assert response.status == 400
        assert "is not a number from 1 to 32" in (await response.json())["error"]


@pytest.mark.asyncio
async def test_a_search_returns_a_window(scene: Scene) -> None:
    peer = next(iter(scene.speaker.peers.values()))
    scene.announce(peer, *(f"10.245.{n}.0/24" for n in range(50)))
    async with serving(scene) as (url, _), aiohttp.ClientSession() as session:
        query = "search=10.245&offset=10&limit=5"
        async with session.get(f"{url}/api/v1/routes?{query}") as response:
            answer = await response.json()
    assert answer["total"] == 50
    assert [each["prefix"] for each in answer["routes"]] == [
        f"10.245.{n}.0/24" for n in range(10, 15)
    ]


@pytest.mark.asyncio
async def test_a_port_that_is_taken_is_named(scene: Scene) -> None:
    async with serving(scene) as (_, server):
        with pytest.raises(HttpError, match=r"something else listens there .*--http off"):
            await HttpServer(LOOPBACK, server._port, scene).start()


@pytest.mark.asyncio
async def test_an_address_that_is_not_here_is_named(scene: Scene) -> None:
    nowhere = ip_address("198.51.100.7")
    with pytest.raises(HttpError, match=r"this machine has no such address; `ip address` lists"):
        await HttpServer(nowhere, 8179, scene).start()


class TestEvents:
    @pytest.mark.asyncio
    async def test_a_snapshot_then_what_changes(self, scene: Scene) -> None:
        async with (
            serving(scene) as (url, _),
            aiohttp.ClientSession() as session,
            session.get(f"{url}/api/v1/events") as response,
        ):
            listener = Listener(response)
            event, content = await listener.next()
            assert event == "snapshot"
            assert content["peers"]["10.0.0.5 10.0.0.5"]["name"] == "node-a"
            scene.join("10.0.0.6", "node-b")
            scene.desk(Trouble("something"))
            event, content = await listener.next()
            assert event == "delta"
            assert content["peers"]["10.0.0.6 10.0.0.6"]["state"] == "Established"
            assert content["events"][0]["message"] == "something"
            scene.peering.connections.clear()
            _, content = await listener.next()
            assert content["peers"]["10.0.0.6 10.0.0.6"] is None

    @pytest.mark.asyncio
    async def test_who_keeps_what_it_was_told_is_told_the_fields_that_differ(
        self, scene: Scene
    ) -> None:
        peer = scene.join("10.0.0.7", "node-c")
        scene.announce(peer, "10.247.0.0/24")
        scene.join("10.0.0.8", "node-d")
        async with (
            serving(scene) as (url, _),
            aiohttp.ClientSession() as session,
            session.get(f"{url}/api/v1/events?delta=fields") as response,
            session.get(f"{url}/api/v1/events") as plain,
        ):
            listener, other = Listener(response), Listener(plain)
            _, snapshot = await listener.next()
            assert await other.next() == ("snapshot", snapshot)
            key = "10.0.0.7 10.0.0.7"
            scene.announce(peer, "10.247.1.0/24")
            event, content = await listener.next()
            assert event == "delta"
            cidrs = ["10.247.0.0/24", "10.247.1.0/24"]
            different = {"routes_in": 2, "routes_out": 1, "cidrs": cidrs}
            assert (content["fields"], content["routes_out_by"]) == ({key: different}, 1)
            assert "peers" not in content
            _, same = await other.next()
            assert same["peers"][key]["routes_in"] == 2
            assert "fields" not in same
            # Who comes back gets what it missed in the form that it asks for.
            scene.announce(peer, "10.247.2.0/24")
            headers = {"Last-Event-ID": listener.last_id}
            missed, others = await listener.next(), await other.next()
            for form, expected in (("?delta=fields", missed), ("", others)):
                async with session.get(f"{url}/api/v1/events{form}", headers=headers) as again:
                    assert await Listener(again).next() == expected
        # Who asks for deltas of a form that nobody has had begins anew.
        async with serving(scene) as (url, _), aiohttp.ClientSession() as session:
            async with session.get(f"{url}/api/v1/events") as response:
                listener = Listener(response)
                await listener.next()
                begun = listener.last_id
                scene.announce(peer, "10.247.3.0/24")
                await listener.next()
                headers = {"Last-Event-ID": begun}
                async with session.get(
                    f"{url}/api/v1/events?delta=fields", headers=headers
                ) as again:
                    assert (await Listener(again).next())[0] == "snapshot"
            async with session.get(f"{url}/api/v1/events?delta=all") as response:
                assert response.status == 400
                assert (await response.json())["error"] == "delta: 'all' is not fields"

    @pytest.mark.asyncio
    async def test_who_comes_back_is_told_what_it_missed_and_no_more(self, scene: Scene) -> None:
        async with serving(scene) as (url, _), aiohttp.ClientSession() as session:
            async with session.get(f"{url}/api/v1/events") as response:
                listener = Listener(response)
                await listener.next()
            scene.join("10.0.0.6", "node-b")
            headers = {"Last-Event-ID": listener.last_id}
            async with session.get(f"{url}/api/v1/events", headers=headers) as response:
                event, content = await Listener(response).next()
                assert event == "delta"
                assert list(content["peers"]) != []
                assert "10.0.0.6 10.0.0.6" in content["peers"]
            # Of another run of the reflector, or long ago: begin anew.
            for unknown in ("deadbeef-1", "nonsense", f"{listener.last_id}9"):
                headers = {"Last-Event-ID": unknown}
                async with session.get(f"{url}/api/v1/events", headers=headers) as response:
                    assert (await Listener(response).next())[0] == "snapshot"

    @pytest.mark.asyncio
    async def test_who_does_not_read_is_cut_off_and_holds_up_nobody(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("reflector.observe.server.stream._PERIOD_S", 0.001)
        monkeypatch.setattr(api, "_STUCK_S", 0.2)
        async with serving(scene) as (url, server), aiohttp.ClientSession() as session:
            port = int(url.rpartition(":")[2])
            _, lazy = await asyncio.open_connection("127.0.0.1", port, limit=1024)
            lazy.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
            async with session.get(f"{url}/api/v1/events") as response:
                listener = Listener(response)
                await listener.next()
                assert isinstance(server._server, api.Server)
                stream = server._server._api.stream
                end_s = time.monotonic() + DEADLINE_S
                while len(stream._listeners) < 2:
                    assert time.monotonic() < end_s
                    await asyncio.sleep(0.01)
                while len(stream._listeners) > 1:
                    assert time.monotonic() < end_s
                    scene.desk(Trouble("x" * 100_000))
                    await listener.next()
            lazy.close()

    @pytest.mark.asyncio
    async def test_a_hundred_open_pages_do_not_delay_the_end(self, scene: Scene) -> None:
        async with serving(scene) as (url, server):
            connector = aiohttp.TCPConnector(limit=200)
            async with aiohttp.ClientSession(connector=connector) as session:
                responses = [await session.get(f"{url}/api/v1/events") for _ in range(100)]
                for response in responses:
                    await Listener(response).next()
                began_s = time.monotonic()
                await server.stop()
                assert time.monotonic() - began_s < 5  # and not as long as pages stay open
                for response in responses:
                    response.close()
