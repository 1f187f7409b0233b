"""What is shown of a reflector: real routing, stand-in connections."""

import json
from ipaddress import ip_address, ip_network

import pytest

from reflector import __version__
from reflector.bgp.attributes import encode_attribute
from reflector.bgp.nlri import IPNetwork
from reflector.bgp.vocabulary import AttributeCode, AttributeFlag, Community
from reflector.observe.route_views import Routes, advertised
from reflector.observe.views import View, neighbors, summary
from reflector.rib.audience import Audience
from reflector.rib.source import IPAddress
from tests.unit.observe.scene import OPTIONAL_TRANSITIVE, Scene

COMMUNITY = encode_attribute(
    OPTIONAL_TRANSITIVE, AttributeCode.COMMUNITIES, bytes.fromhex("fc000001")
)


@pytest.fixture
def scene() -> Scene:
    """Two nodes with a prefix of each and one in common, one silent connection, a debug route."""
    scene = Scene()
    scene.originate("1.0.0.2/32")
    node_a, node_b = scene.join("10.0.0.5", "node-a"), scene.join("10.0.0.6", "node-b")
    scene.announce(node_a, "10.244.0.0/24", "10.244.9.0/24", extra=COMMUNITY)
    scene.announce(node_b, "10.244.1.0/24", "10.244.9.0/24")
    scene.announce(node_b, "fd00:1::/64", next_hop="fd00::6")
    scene.connect("10.0.0.4", description="front row")
    return scene


def routes_by_prefix(scene: Scene) -> dict[object, View]:
    return {view["prefix"]: view for view in Routes(scene.speaker).all()}


def test_summary(scene: Scene) -> None:
    assert summary(scene, 61.23) == {
        "version": __version__,
        "asn": 64512,
        "router_id": "192.0.2.1",
        "cluster_id": "192.0.2.1",
        "up_s": 61.2,
        "connections": 3,
        "established": 2,
        "restarting": 0,
        "disconnected": [],
        "own_routes_hidden": False,
        "routes": {
            "ipv4": {"prefixes": 4, "paths": 5},
            "ipv6": {"prefixes": 1, "paths": 1},
        },
    }


class TestNeighbors:
    def test_all_by_address(self, scene: Scene) -> None:
        found = list(neighbors(scene, 0))
        assert [view["address"] for view in found] == ["10.0.0.4", "10.0.0.5", "10.0.0.6"]

    def test_an_established_one(self, scene: Scene) -> None:
        [view] = neighbors(scene, 90.04, ip_address("10.0.0.6"))
        assert view == {
            "address": "10.0.0.6",
            "local_port": 179,
            "remote_port": 34567,
            "local_address": "192.0.2.1",
            "direction": "inbound",
            "router_id": "10.0.0.6",
            "host_name": "node-b",
            "description": "",
            "state": "Established",
            "in_state_s": 90.0,
            "bytes_in": 1234,
            "bytes_out": 99,
            "backlog_bytes": 0,
            "messages": {
                "received": {
                    "open": 0,
                    "notification": 0,
                    "update": 2,
                    "keepalive": 0,
                    "route_refresh": 0,
                },
                "sent": {
                    "open": 1,
                    "notification": 0,
                    "update": 0,
                    "keepalive": 0,
                    "route_refresh": 0,
                },
            },
            "asn": 64512,
            "families": ["ipv4", "ipv6"],
            "hold_time_s": 90,
            "keepalive_s": 30.0,
            "four_octet_as": True,
            "route_refresh": True,
            "add_path_receive": [],
            "add_path_send": [],
            "graceful_restart_s": None,
            "graceful_notification": False,
            "long_lived_s": 0,
            "extended_messages": False,
            "software_version": "",
            "capability_codes": [1, 2, 65],
            "capabilities_sent": [],
            "client": True,
            "role": "client",
            "updates_received": 2,
            "prefixes_announced": 3,
            "prefixes_withdrawn": 0,
            "prefixes_rejected": 0,
            "prefixes_rejected_by": {},
            "prefixes_held": {"ipv4": 2, "ipv6": 1},
            "end_of_rib": [],
            "prefixes_sent": {"ipv4": 3, "ipv6": 0},
            "sessions": 0,
        }

    def test_one_that_said_nothing_yet(self, scene: Scene) -> None:
        [view] = neighbors(scene, 0, ip_address("10.0.0.4"))
        assert view["state"] == "OpenSent"
        assert view["description"] == "front row"
        assert "asn" not in view
        assert "prefixes_held" not in view

    def test_two_nodes_behind_one_address(self, scene: Scene) -> None:
        scene.join("10.0.0.5", "node-c", router_id="10.0.0.3")
        found = neighbors(scene, 0, ip_address("10.0.0.5"))
        assert [view["host_name"] for view in found] == ["node-c", "node-a"]

    def test_nobody(self, scene: Scene) -> None:
        assert not list(neighbors(scene, 0, ip_address("10.0.0.99")))


class TestAdvertised:
    def test_a_peer_is_told_the_best_of_everybody_else(self, scene: Scene) -> None:
        told = {view["prefix"] for view in advertised(scene, ip_address("10.0.0.6"))}
        assert told == {"1.0.0.2/32", "10.244.0.0/24", "10.244.9.0/24"}

    def test_the_counts_are_of_what_is_listed(self, scene: Scene) -> None:
        for view in neighbors(scene, 0):
            if view["state"] == "Established":
                told = list(advertised(scene, ip_address(str(view["address"]))))
                counts = view["prefixes_sent"]
                assert isinstance(counts, dict)
                assert sum(counts.values()) == len(told)

    def test_our_own_route_has_the_address_that_the_peer_knows(self, scene: Scene) -> None:
        told = {view["prefix"]: view for view in advertised(scene, ip_address("10.0.0.6"))}
        paths = told["1.0.0.2/32"]["paths"]
        assert isinstance(paths, list)
        assert paths[0]["next_hop"] == "192.0.2.1"


class TestExternal:
    """An ordinary external peer and two clients of a route server among internal peers."""

    @pytest.fixture
    def exchange(self) -> Scene:
        scene = Scene()
        inside = scene.join("10.0.0.1")
        outside = scene.join("10.0.0.2", asn=65002, kind=Audience.EXTERNAL)
        served = scene.join("10.0.0.3", asn=65003, kind=Audience.SERVED)
        scene.join("10.0.0.4", asn=65004, kind=Audience.SERVED)
        scene.join("10.0.0.5", kind=Audience.NON_CLIENT)
        med = encode_attribute(AttributeFlag.OPTIONAL, AttributeCode.MULTI_EXIT_DISC, bytes(4))
        no_export = encode_attribute(
            OPTIONAL_TRANSITIVE, AttributeCode.COMMUNITIES, Community.NO_EXPORT
        )
        scene.announce(inside, "10.1.0.0/24", extra=med)
        scene.announce(inside, "10.9.0.0/24", extra=no_export)
        scene.announce(outside, "10.2.0.0/24", extra=med)
        scene.announce(served, "10.3.0.0/24", extra=med)
        scene.announce(served, "10.8.0.0/24", extra=no_export)
        return scene

    def test_roles(self, exchange: Scene) -> None:
        assert [(view["role"], view["client"]) for view in neighbors(exchange, 0)] == [
            ("client", True),
            ("external", False),
            ("route server client", True),
            ("route server client", True),
            ("non-client", False),
        ]

    def test_who_is_told(self, exchange: Scene) -> None:
        found = {prefix: _paths(route)[0] for prefix, route in routes_by_prefix(exchange).items()}
        assert {prefix: path["told_to"] for prefix, path in found.items()} == {
            "10.1.0.0/24": "all",
            "10.9.0.0/24": "internal peers",
            "10.2.0.0/24": "all",
            "10.3.0.0/24": "all",
            "10.8.0.0/24": "clients, non-clients and route server clients",
        }

    def test_a_route_of_a_non_client_is_not_for_non_clients(self, exchange: Scene) -> None:
        (peer,) = (
            each
            for each in exchange.speaker.peers.values()
            if each.source.kind == Audience.NON_CLIENT
        )
        exchange.announce(peer, "10.5.0.0/24")
        path = _paths(routes_by_prefix(exchange)["10.5.0.0/24"])[0]
        assert path["told_to"] == "clients, external peers and route server clients"

    @pytest.mark.parametrize(
        ("address", "told"),
        [
            ("10.0.0.2", {"10.1.0.0/24": "64512", "10.3.0.0/24": "64512"}),
            (
                "10.0.0.4",
                {
                    "10.1.0.0/24": "64512",
                    "10.2.0.0/24": "64512",
                    "10.3.0.0/24": "with MED",
                    "10.8.0.0/24": "",
                },
            ),
        ],
        ids=["ordinary", "route server client"],
    )
    def test_what_an_external_peer_is_told(
        self, exchange: Scene, address: str, told: dict[str, str]
    ) -> None:
        found = {}
        for view in advertised(exchange, ip_address(address)):
            (path,) = _paths(view)
            assert not {"local_pref", "originator_id", "cluster_list"} & path.keys()
            found[view["prefix"]] = path["as_path"] or ("with MED" if "med" in path else "")
            assert not (path["as_path"] and "med" in path)
        assert found == told


class TestRoutes:
    def test_every_prefix_of_both_families(self, scene: Scene) -> None:
        assert set(routes_by_prefix(scene)) == {
            "1.0.0.2/32",
            "10.244.0.0/24",
            "10.244.1.0/24",
            "10.244.9.0/24",
            "fd00:1::/64",
        }

    def test_candidates_best_first_and_why(self, scene: Scene) -> None:
        view = routes_by_prefix(scene)["10.244.9.0/24"]
        assert view == {
            "prefix": "10.244.9.0/24",
            "family": "ipv4",
            "best_because": "lowest BGP identifier (ORIGINATOR_ID)",
            "paths": [
                {
                    "from": {
                        "address": "10.0.0.5",
                        "router_id": "10.0.0.5",
                        "host_name": "node-a",
                        "local": False,
                        "role": "client",
                    },
                    "next_hop": "10.0.0.5",
                    "told_to": "all",
                    "origin": "IGP",
                    "as_path": "",
                    "local_pref": 100,
                    "communities": ["64512:1"],
                },
                {
                    "from": {
                        "address": "10.0.0.6",
                        "router_id": "10.0.0.6",
                        "host_name": "node-b",
                        "local": False,
                        "role": "client",
                    },
                    "next_hop": "10.0.0.6",
                    "told_to": "all",
                    "origin": "IGP",
                    "as_path": "",
                    "local_pref": 100,
                },
            ],
        }

    def test_our_own_has_the_next_hop_that_each_peer_connected_to(self, scene: Scene) -> None:
        [path] = _paths(routes_by_prefix(scene)["1.0.0.2/32"])
        assert path["next_hop"] is None
        assert path["from"] == {
            "address": None,
            "router_id": "192.0.2.1",
            "host_name": "",
            "local": True,
            "role": "",
        }

    def test_ipv6(self, scene: Scene) -> None:
        [path] = _paths(routes_by_prefix(scene)["fd00:1::/64"])
        assert path["next_hop"] == "fd00::6"

    def test_a_route_that_goes_while_they_are_listed(self, scene: Scene) -> None:
        listing = Routes(scene.speaker).all()
        next(listing)
        for peer in list(scene.speaker.peers.values()):
            scene.speaker.peer_down(peer)
        assert not list(listing)

    @pytest.mark.parametrize(
        ("wanted", "found"),
        [
            (ip_network("10.244.0.0/24"), "10.244.0.0/24"),
            (ip_network("10.244.0.0/16"), None),
            (ip_address("10.244.1.200"), "10.244.1.0/24"),
            (ip_address("1.0.0.2"), "1.0.0.2/32"),
            (ip_address("10.245.0.1"), None),
            (ip_address("fd00:1::77"), "fd00:1::/64"),
        ],
    )
    def test_by_prefix_and_by_address(
        self, scene: Scene, wanted: IPNetwork | IPAddress, found: str | None
    ) -> None:
        view = Routes(scene.speaker).matching(wanted)
        assert (None if view is None else view["prefix"]) == found

    def test_the_longest_match_wins(self, scene: Scene) -> None:
        [peer, _] = scene.speaker.peers.values()
        scene.announce(peer, "0.0.0.0/0", "10.244.0.0/16", "10.244.0.128/25")
        routes = Routes(scene.speaker)
        for address, prefix in (
            ("10.244.0.129", "10.244.0.128/25"),
            ("10.244.0.1", "10.244.0.0/24"),
            ("10.244.77.1", "10.244.0.0/16"),
            ("8.8.8.8", "0.0.0.0/0"),
        ):
            view = routes.matching(ip_address(address))
            assert view is not None
            assert view["prefix"] == prefix

    def test_all_is_ready_for_json(self, scene: Scene) -> None:
        everything = [*neighbors(scene, 0), *Routes(scene.speaker).all()]
        assert json.loads(json.dumps(everything)) == everything


def _paths(view: View) -> list[View]:
    paths = view["paths"]
    assert isinstance(paths, list)
    return paths


class TestRestarting:
    def test_the_routes_of_a_peer_that_restarts_are_marked(self, scene: Scene) -> None:
        node = next(each for each in scene.speaker.peers.values() if each.source.name == "10.0.0.5")
        scene.speaker.peer_down(node, node.negotiated.families)
        assert summary(scene, 1)["restarting"] == 1
        marked = {
            prefix
            for prefix, view in routes_by_prefix(scene).items()
            for path in view["paths"]  # type: ignore[attr-defined]
            if "stale" in path
        }
        assert marked == {"10.244.0.0/24", "10.244.9.0/24"}
