"""The OpenAPI document, held against every answer of a running reflector with a class of all sorts."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from jsonschema import Draft202012Validator

from reflector import sim
from reflector.bgp.attributes import encode_attribute
from reflector.bgp.message import frame
from reflector.bgp.vocabulary import AttributeCode, AttributeFlag, MessageType
from reflector.observe.server import api
from reflector.observe.server.pace import Pace
from reflector.observe.server.questions import ORDERS, QUESTIONS
from tests.unit.observe.scene import OPTIONAL_TRANSITIVE, Scene, attributes

CONFIG = """
asn: 64512
ranges:
  - {network: 127.0.0.16/28, remote-as: [64513], client: false}
  - {network: 127.0.0.0/8, add-path: both}
families: [ipv4, ipv6]
"""

NODE = "127.0.0.5"
BROKEN = "127.0.0.9"

# The attributes that no simulated peer sends by itself.
RARE = attributes(
    encode_attribute(AttributeFlag.TRANSITIVE, AttributeCode.NEXT_HOP, bytes((10, 0, 0, 5)))
    + encode_attribute(AttributeFlag.TRANSITIVE, AttributeCode.ATOMIC_AGGREGATE, b"")
    + encode_attribute(OPTIONAL_TRANSITIVE, AttributeCode.AGGREGATOR, b"\0\0\xfc\x01\x0a\0\0\1")
    + encode_attribute(OPTIONAL_TRANSITIVE, 200, b"?")
)
FORMATS = Draft202012Validator.FORMAT_CHECKER


@asynccontextmanager
async def a_class(directory: Path) -> AsyncIterator[str]:
    """A reflector with peers that give the API something to say of everything; its URL."""
    config = directory / "c.yaml"
    config.write_text(CONFIG)
    http = f"127.0.0.1:{sim.free_port()}"
    options = "--config", str(config), "--http-controls", "127.0.0.1"
    with sim.RunningReflector(*options, http=http) as reflector:
        target = reflector.address
        async with (
            sim.connect(*target, source=NODE, graceful_restart_s=60) as node,
            sim.connect(*target, source="127.0.0.6", add_path="both") as several,
            sim.connect(*target, source="127.0.0.17", asn=64513) as external,
            sim.connect(*target, source=BROKEN) as broken,
            sim.connect(*target, source="127.0.0.8", graceful_restart_s=60, cease=None) as stale,
        ):
            await node.announce("10.1.0.0/24", "10.9.0.0/16", communities=["64512:1", "no-export"])
            await node.announce("2001:db8:1::/64")
            await several.announce(
                "10.1.0.0/24",
                path_id=7,
                med=5,
                large_communities=["64512:1:2"],
                extended_communities=["rt:64512:1"],
                originator_id="10.0.0.77",
                cluster_list=["10.0.0.78"],
            )
            await external.announce("10.3.0.0/24")
            await node.send(
                frame(MessageType.UPDATE, b"\0\0" + len(RARE).to_bytes(2) + RARE + b"\x10\x0a\x05")
            )
            await broken.send(frame(MessageType.UPDATE, b"\xff\xff"))
            await broken.closed()
            await stale.announce("10.4.0.0/24")
            await node.route("10.4.0.0/24")
            await stale.close()
            yield f"http://{http}"


def closed(schema: object) -> object:
    """A schema that allows no key that it doesn't name: what is answered and not described is found."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    shut = {key: closed(value) for key, value in schema.items()}
    if schema.get("type") == "object":
        shut.setdefault("additionalProperties", False)
    return shut


class Document:
    """The OpenAPI document of a reflector, as it is served."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.paths = told["paths"]
        self.components = told["components"]

    @classmethod
    async def of(cls, url: str, session: aiohttp.ClientSession) -> "Document":
        """Ask for it."""
        async with session.get(f"{url}/api/v1/openapi.json") as response:
            return cls(await response.json())

    def differences(self, schema: dict[str, object], answer: object) -> list[str]:
        """In which an answer is not what a schema says, in words."""
        whole = closed(schema | {"components": self.components})
        assert isinstance(whole, dict)
        found = Draft202012Validator(whole, format_checker=FORMATS).iter_errors(answer)
        return [f"{each.json_path}: {each.message[:200]}" for each in found]

    def answer(self, path: str, method: str) -> dict[str, object]:
        """The schema of what a path answers."""
        return self._json(self.paths[path][method]["responses"]["200"])

    def body(self, path: str) -> dict[str, object]:
        """The schema of what an order is told."""
        return self._json(self.paths[path]["post"]["requestBody"])

    def _json(self, told: dict[str, Any]) -> dict[str, object]:
        schema = told["content"]["application/json"]["schema"]
        assert isinstance(schema, dict)
        return schema


def keys(answer: object) -> set[str]:
    """All keys in an answer."""
    if isinstance(answer, list):
        return set().union(*map(keys, answer))
    if isinstance(answer, dict):
        return answer.keys() | set().union(*map(keys, answer.values()))
    return set()


def keys_of_schemas(schema: object) -> set[str]:
    """All keys that schemas name."""
    if isinstance(schema, list):
        return set().union(*map(keys_of_schemas, schema))
    if not isinstance(schema, dict):
        return set()
    named = schema.get("properties", {})
    inner = named.values() if named else schema.values()
    return set(named) | set().union(*map(keys_of_schemas, inner))


@pytest.mark.asyncio
async def test_every_answer_is_as_the_document_says(tmp_path: Path) -> None:
    addresses = {
        "/api/v1/neighbors/{address}/messages": (NODE, BROKEN),
        "/api/v1/neighbors/{address}/advertised": (NODE, "127.0.0.6", "127.0.0.17"),
    }
    queries = {
        "/api/v1/routes": ({}, {"search": "10."}, {"prefix": "10.0.0.0/8", "match": "longer"}),
        "/api/v1/explain": (
            {"prefix": "10.1.0.0/24"},
            {"prefix": "10.1.0.9", "to": NODE},
            {"prefix": "10.0.0.0/8"},
        ),
    }
    async with a_class(tmp_path) as url, aiohttp.ClientSession() as session:
        document, told = await Document.of(url, session), set[str]()
        for path, question in QUESTIONS.items():
            if path in ("/api/v1/events", "/api/v1/openapi.json"):
                continue
            for address in addresses.get(path, (NODE,)):
                for query in queries.get(path, ({},)):
                    at = url + path.replace("{address}", address)
                    async with session.get(at, params=query) as response:
                        assert (response.status, response.content_type) == (200, question.kind), at
                        if question.kind == "application/json":
                            schema = document.answer(path, "get")
                            answer = await response.json()
                            assert document.differences(schema, answer) == [], at
                            told |= keys(answer)
        never = keys_of_schemas(document.components) - told
        # Those take a fault, a long conversation, or a quarter of an hour without a route.
        assert never == {"error", "missing_before", "times", "last_at"}


@pytest.mark.asyncio
async def test_every_order_is_taken_as_the_document_says(tmp_path: Path) -> None:
    bodies = {
        "/api/v1/clusters/disconnect": {"cluster": "10.1.0.0/16"},
        "/api/v1/clusters/connect": {"cluster": "10.1.0.0/16"},
        "/api/v1/neighbors/{address}/refresh": {"direction": "in"},
        "/api/v1/own-routes": {"hidden": True},
        "/api/v1/neighbors/{address}/clear": {},
    }
    assert bodies.keys() == ORDERS.keys()
    async with a_class(tmp_path) as url, aiohttp.ClientSession() as session:
        document = await Document.of(url, session)
        for path, body in bodies.items():
            assert document.differences(document.body(path), body) == []
            at = url + path.replace("{address}", NODE)
            async with session.post(at, json=body) as response:
                assert response.status == 200, await response.text()
                schema = document.answer(path, "post")
                assert document.differences(schema, await response.json()) == []


@pytest.mark.asyncio
async def test_a_number_is_taken_within_its_bounds_and_not_beyond(tmp_path: Path) -> None:
    async with a_class(tmp_path) as url, aiohttp.ClientSession() as session:
        asked = 0
        for path, question in QUESTIONS.items():
            for each in question.parameters:
                if each.schema["type"] != "integer":
                    continue
                least, most = each.schema["minimum"], each.schema["maximum"]
                assert isinstance(least, int)
                assert isinstance(most, int)
                for value, status in ((least, 200), (most, 200), (least - 1, 400), (most + 1, 400)):
                    query = {"search": "", each.name: str(value)}
                    async with session.get(url + path, params=query) as response:
                        assert response.status == status, (path, each.name, value)
                        asked += 1
                        if status != 200:
                            assert set(await response.json()) == {"error"}
        assert asked > 0


@pytest.mark.asyncio
async def test_a_method_that_is_not_allowed_is_told_which_are(tmp_path: Path) -> None:
    """RFC 9110 15.5.6: the answer has Allow."""
    async with a_class(tmp_path) as url, aiohttp.ClientSession() as session:
        for path, allowed in (("/api/v1/summary", "GET,HEAD"), ("/api/v1/own-routes", "POST")):
            async with session.delete(url + path) as response:
                assert (response.status, response.headers["Allow"]) == (405, allowed)
                assert set(await response.json()) == {"error"}


@pytest.mark.asyncio
async def test_every_path_is_in_the_document() -> None:
    served = {str(route.path) for route in api._Api(Scene(), Pace()).routes_table()}
    assert served == QUESTIONS.keys() | ORDERS.keys()
