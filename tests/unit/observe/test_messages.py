"""Messages found in transcripts, with what is missing between them."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from reflector.observe.export.messages import conversations, message_views, view
from reflector.reports import PeerName
from reflector.transcript import Transcript
from tests.support import wire
from tests.unit.observe.scene import Connection, Scene

ADDRESS = ip_address("10.0.0.5")


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def connection(scene: Scene) -> Connection:
    connection = scene.connect("10.0.0.5")
    connection.bytes_in = 0
    return connection


def hear(connection: Connection, data: bytes, at_s: float = 0.0) -> None:
    connection.transcript.received.add(at_s, connection.bytes_in, [data])
    connection.bytes_in += len(data)


def shown(scene: Scene) -> list[dict[str, Any]]:
    [found] = conversations(scene, ADDRESS)
    return list(message_views(found, 1000.0))


def test_both_directions_in_order(scene: Scene, connection: Connection) -> None:
    connection.transcript.sent.add(0.5, 0, [wire.open_message(router_id="192.0.2.1")])
    hear(connection, wire.open_message()[:20], 1.0)
    hear(connection, wire.open_message()[20:] + wire.keepalive(), 2.0)
    connection.transcript.sent.add(3.0, 53, [wire.keepalive()])
    views = shown(scene)
    assert [(each["at"], each["direction"], each["type"]) for each in views] == [
        (1000.5, "sent", "OPEN"),
        (1002.0, "received", "OPEN"),
        (1002.0, "received", "KEEPALIVE"),
        (1003.0, "sent", "KEEPALIVE"),
    ]
    assert views[1]["octets"] == len(wire.open_message())


def test_what_is_not_kept_is_counted(scene: Scene, connection: Connection) -> None:
    hear(connection, wire.open_message())
    update = wire.message(wire.UPDATE, wire.withdraw(*(f"10.{n}.0.0/16" for n in range(200))))
    stream = update * 500
    for start in range(0, len(stream), 1500):
        hear(connection, stream[start : start + 1500])
    views = shown(scene)
    gap = next(index for index, each in enumerate(views) if "missing_before" in each)
    octets = sum(each["octets"] for each in views) + views[gap]["missing_before"]
    assert octets == len(wire.open_message()) + len(stream)
    assert {each["type"] for each in views[1:]} == {"UPDATE"}
    assert not any("malformed" in each for each in views)


def test_a_peer_that_speaks_no_bgp(scene: Scene, connection: Connection) -> None:
    hear(connection, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    [view_] = shown(scene)
    assert view_["type"] == "octets"
    assert view_["details"]["octets_hex"].startswith("474554")


def test_two_octet_as_numbers_where_either_side_has_no_others(
    scene: Scene, connection: Connection
) -> None:
    """RFC 6793 4.1: the OPENs say which it is."""
    old = wire.parameter(2, wire.capabilities(asn=None))
    hear(connection, wire.open_message(parameters=old))
    block = wire.origin() + wire.as_path(wire.sequence(64513, width=2))
    hear(connection, wire.message(wire.UPDATE, wire.announce("10.1.0.0/24", attributes=block)))
    assert "as_path 64513" in shown(scene)[1]["says"]


def test_keepalives_in_a_row(scene: Scene, connection: Connection) -> None:
    for at_s in range(3):
        hear(connection, wire.keepalive(), float(at_s))
    [view_] = shown(scene)
    assert (view_["times"], view_["at"], view_["last_at"]) == (3, 1000.0, 1002.0)


def test_connections_that_are_over_come_first(scene: Scene, connection: Connection) -> None:
    ended = Transcript((ip_address("192.0.2.1"), 179), (ADDRESS, 1), outbound=True)
    ended.name, ended.reason, ended.ended_s = PeerName(ADDRESS, "10.0.0.5"), "gone", 7.0
    scene.peering.past.add(ended)
    hear(connection, wire.keepalive())
    past, present = (view(each, 1000.0) for each in conversations(scene, ADDRESS))
    assert (past["state"], past["reason"], past["ended_at"]) == ("Closed", "gone", 1007.0)
    assert past["direction"] == "outbound"
    assert (present["state"], present["ended_at"]) == ("OpenSent", None)
    assert conversations(scene, ip_address("10.0.0.6")) == []
