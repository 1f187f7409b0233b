"""A test's own mistakes: each is one sentence that names what is wrong, before anybody is dialled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from reflector import sim
from reflector.sim.route import Route, normal_prefix
from reflector.sim.running import RunningReflector
from reflector.sim.wire import encode_attributes, write_routes

_ROUTE = Route(prefix="10.1.0.0/24", next_hop="10.0.0.1")


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"router_id": "bla"}, "router_id is 'bla': write it as 10.0.0.1"),
        ({"router_id": 5}, "router_id is 5: write it as 10.0.0.1"),
        ({"asn": "64512"}, "asn is '64512': write a whole number from 0 to 4294967295"),
        ({"asn": 1 << 32}, "write a whole number from 0 to 4294967295"),
        ({"peer_asn": "64512"}, "peer_asn is '64512'"),
        ({"hold_time_s": 90.5}, "hold_time_s is 90.5: write a whole number from 0 to 65535"),
        ({"families": "ipv4"}, 'families is \'ipv4\': write a list, as in families=["ipv4"]'),
        ({"graceful_restart_s": 4096}, "write a whole number from 0 to 4095"),
        ({"capabilities": [1]}, "capabilities: 1 is not of reflector.sim.capability's"),
        ({"source": "localhost"}, "names are not looked up"),
        ({"next_hop": "fd00::1"}, "next_hop is 'fd00::1': write it as 10.0.0.1"),
        ({"next_hop_ipv6": "10.0.0.1"}, "next_hop_ipv6 is '10.0.0.1': write it as fd00::1"),
        ({"password": ""}, "password must be a text of 1 to 80 octets"),
        ({"password": "x" * 81}, "password must be a text of 1 to 80 octets"),
        ({"cease": 256}, "cease is 256"),
        ({"deadline_s": "3"}, "deadline_s is '3': write a number of seconds"),
        ({"deferral_s": -1}, "deferral_s is -1"),
        ({"open_message": "x"}, "open_message is 'x': write octets"),
    ],
)  # fmt: skip
def test_a_setting(settings: dict[str, Any], says: str) -> None:
    for make in (lambda: sim.connect("127.0.0.1", **settings), lambda: sim.listen(**settings)):
        with pytest.raises(ValueError) as caught:  # noqa: PT011 - what it says is looked at
            make()
        assert says in str(caught.value)


def test_a_setting_that_there_is_not() -> None:
    misspelt: Any = {"rid": "10.0.0.1"}
    with pytest.raises(TypeError, match="'rid' is no setting of a peer; there are asn, "):
        sim.connect("127.0.0.1", **misspelt)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (("localhost", 179), "host is 'localhost': write an IP address"),
        ((5, 179), "host is 5: write an IP address"),
        (("127.0.0.1", "179"), "port is '179': write a whole number from 1 to 65535"),
        (("127.0.0.1", 0), "port is 0"),
    ],
)
def test_whom_to_dial(target: tuple[Any, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        sim.connect(*target)


def test_where_to_listen() -> None:
    with pytest.raises(ValueError, match="port is '179'"):
        sim.listen(port="179")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="port is '179'"):
        RunningReflector(port="179")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="host is 'localhost'"):
        RunningReflector(host="localhost")


@pytest.mark.parametrize(
    ("attributes", "says"),
    [
        ({"med": "x"}, "med is 'x': write a whole number from 0 to 4294967295"),
        ({"med": -1}, "med is -1"),
        ({"local_pref": 1 << 32}, "local_pref is 4294967296"),
        ({"origin": "IGP"}, "origin is 'IGP': write one of igp, egp, incomplete"),
        ({"origin": 0}, "origin is 0"),
        ({"as_path": "65001"}, "as_path is '65001': write a list, as in as_path=[65001, 65002]"),
        ({"as_path": ("65001",)}, "as_path is '65001': write a whole number"),
        ({"communities": "64512:1"}, 'write a list, as in communities=["64512:1"]'),
        ({"communities": (5,)}, "5 is no community: write N:N, N up to 65535, or one of"),
        ({"communities": ("64512:65536",)}, "'64512:65536' is no community"),
        ({"large_communities": ("1:2:4294967296",)}, "write N:N:N, N up to 4294967295"),
        ({"extended_communities": "rt:1:1"}, "extended_communities is 'rt:1:1': write a list"),
        ({"next_hop": "bla"}, "next_hop is 'bla': write an IP address"),
        ({"originator_id": 1}, "originator_id is 1: write it as 10.0.0.1"),
        ({"cluster_list": "10.0.0.1"}, "cluster_list is '10.0.0.1': write a list"),
        ({"cluster_list": ("x",)}, "cluster_list is 'x'"),
        ({"path_id": "x"}, "path_id is 'x'"),
    ],
)  # fmt: skip
def test_an_attribute(attributes: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - what it says is looked at
        write_routes([replace(_ROUTE, **attributes)], as4=True)
    assert says in str(caught.value)


def test_an_origin_that_is_left_out_is_igp() -> None:
    assert encode_attributes(_ROUTE).startswith(b"\x40\x01\x01\x00")


@pytest.mark.parametrize("prefix", [5, None, ["10.1.0.0/24"]])
def test_what_is_no_prefix_at_all(prefix: Any) -> None:  # noqa: ANN401 - whatever a test hands
    with pytest.raises(ValueError, match="is no prefix: write each as a text of its own"):
        normal_prefix(prefix)
