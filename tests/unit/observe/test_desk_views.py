"""The roll call, the search, the metrics and the API's own description."""

from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path

import pytest

from reflector.bgp.open import GracefulRestart
from reflector.observe.ledger import Ledger
from reflector.observe.overlap import take_routes
from reflector.observe.roll import Roll, clusters
from reflector.observe.search import search
from reflector.observe.server import metrics
from reflector.observe.server.questions import ORDERS, QUESTIONS
from reflector.observe.views import flags
from reflector.reports import PeerDown, PeerName, PeerUp, Trouble
from tests.unit.observe.scene import OUR_ADDRESS, Scene, Sink

DOCS = Path(__file__).parents[3] / "docs"


@pytest.fixture
def scene() -> Scene:
    scene = Scene()
    scene.announce(scene.join("10.0.0.5", "node-a"), "10.244.0.0/24", "10.96.0.1/32")
    scene.announce(scene.join("10.0.0.6", "node-b"), "10.244.1.0/24", "10.244.0.0/30")
    scene.announce(scene.join("10.0.0.7", 'no"de\n'), "10.11.0.0/24")
    scene.join("10.0.0.8", "idle")
    return scene


class TestRoll:
    def test_nodes_are_grouped_by_the_network_of_their_pod_cidrs(self, scene: Scene) -> None:
        views = [view for _, view in Roll(scene, 0.0).views()]
        grouped = [(each["network"], len(each["nodes"])) for each in clusters(views)]  # type: ignore[arg-type]
        assert grouped == [("10.11.0.0/16", 1), ("10.244.0.0/16", 2), (None, 1)]
        assert [each["network"] for each in clusters(views, 8)] == ["10.0.0.0/8", None]
        [node] = [view for view in views if view["name"] == "node-a"]
        assert node["cidrs"] == ["10.244.0.0/24"]
        assert (node["routes_in"], node["routes_out"]) == (2, 3)

    def test_a_view_is_made_again_only_when_something_changed(self, scene: Scene) -> None:
        roll = Roll(scene, 0.0)
        before, again = dict(roll.views()), dict(roll.views())
        assert all(again[key] is view for key, view in before.items())

    def test_who_left_is_shown_with_the_reason_until_it_is_back(self, scene: Scene) -> None:
        gone = PeerName(ip_address("10.0.0.9"), "10.0.0.9", "node-z")
        scene.desk(PeerUp(gone, ("ipv4",), 90))
        scene.desk(
            PeerDown(
                gone,
                was_up=True,
                reason="switched off",
                sent=None,
                received=None,
                prefixes=1,
                up_s=2.0,
            )
        )
        roll = Roll(scene, 0.0)
        view = dict(roll.views())["10.0.0.9 10.0.0.9"]
        assert (view["state"], view["reason"]) == ("Left", "switched off")
        scene.join("10.0.0.9", "node-z")
        assert dict(roll.views())["10.0.0.9 10.0.0.9"]["state"] == "Established"


class TestLedger:
    def test_strangers_are_forgotten_before_nodes(self) -> None:
        ledger = Ledger()
        node = PeerName(ip_address("10.0.0.9"), "10.0.0.9", "node-z")
        ledger.add(PeerUp(node, ("ipv4",), 90), 0.0)
        for number in range(5000):
            stranger = PeerName(ip_address(number + 1))
            ledger.add(
                PeerDown(
                    stranger,
                    was_up=False,
                    reason="gone",
                    sent=None,
                    received=None,
                    prefixes=0,
                    up_s=0.0,
                ),
                1.0,
            )
        assert len(ledger.records) == 1024
        assert ("10.0.0.9", "10.0.0.9") in ledger.records
        ledger.add(Trouble("x"), 1.0)
        assert ledger.counts == {"PeerUp": 1, "PeerDown": 5000, "Trouble": 1}


class TestSearch:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("", 5),
            ("10.244", 3),
            ("10.244.0.1", 2),
            ("10.0.0.6", 2),
            ("node-a", 2),
            ("/32", 1),
            ("nothing", 0),
            ("fd00::1", 0),
        ],
    )
    def test_text_and_addresses(self, scene: Scene, text: str, found: int) -> None:
        speaker = scene.speaker
        names = {
            source: f"{source.name} {peer.negotiated.remote.capabilities.host_name}"
            for source, peer in speaker.peers.items()
        }
        rows = search(take_routes(speaker), text, lambda path: names[path.source])
        assert len(rows) == found

    def test_in_the_order_of_prefixes(self, scene: Scene) -> None:
        rows = search(take_routes(scene.speaker), "", lambda _: "")
        assert [prefix for _, prefix, _ in rows] == sorted(
            (prefix for _, prefix, _ in rows), key=lambda each: (each[1:], each[0])
        )


class TestMetrics:
    def test_every_metric_is_described_once_and_strings_are_escaped(self, scene: Scene) -> None:
        scene.desk(Trouble("x"))
        text = "".join(metrics.lines(scene, [], 10.0, 0.0))
        for name in metrics.METRICS:
            assert text.count(f"# TYPE {name} ") == 1, name
        assert (
            'bgp_reflector_peer_up{address="10.0.0.7",router_id="10.0.0.7",name="no\\"de\\n"} 1'
            in text
        )
        assert (
            'bgp_reflector_peer_prefixes{address="10.0.0.5",router_id="10.0.0.5",name="node-a",'
            'family="ipv4"} 2\n' in text
        )
        assert 'bgp_reflector_connections{state="Established"} 4\n' in text
        series = [line.rpartition(" ")[0] for line in text.splitlines() if line[0] != "#"]
        assert len(set(series)) == len(series)

    def test_what_has_not_happened_yet_is_counted_from_zero(self, scene: Scene) -> None:
        scene.desk(Trouble("x"))
        text = "".join(metrics.lines(scene, [], 10.0, 0.0))
        assert 'bgp_reflector_events_total{event="Trouble"} 1\n' in text
        for event in ("ConnectionRefused", "RestartOver", "UpdateFault"):
            assert f'bgp_reflector_events_total{{event="{event}"}} 0\n' in text

    def test_a_peer_s_sessions_are_counted_over_their_ends(self, scene: Scene) -> None:
        name = PeerName(ip_address("10.0.0.5"), "10.0.0.5", "node-a")
        for _ in range(3):
            scene.desk(PeerUp(name, ("ipv4",), 90))
        text = "".join(metrics.lines(scene, [], 10.0, 0.0))
        labels = 'address="10.0.0.5",router_id="10.0.0.5",name="node-a"'
        assert f"bgp_reflector_peer_sessions_total{{{labels}}} 3\n" in text

    def test_totals_are_of_sessions_that_are_over_too(self, scene: Scene) -> None:
        scene.peering.ended.updates, scene.peering.ended.bytes_in = 1000, 5
        peers = list(scene.speaker.peers.values())
        for peer in peers:
            peer.counters.updates, peer.counters.refused = 7, 3
        text = "".join(metrics.lines(scene, [], 10.0, 0.0))
        assert f"bgp_reflector_updates_received_total {1000 + 7 * len(peers)}\n" in text
        assert f"bgp_reflector_prefixes_rejected_total {3 * len(peers)}\n" in text
        assert f"bgp_reflector_received_bytes_total {5 + 1234 * len(peers)}\n" in text

    def test_the_docs_name_every_metric(self) -> None:
        text = (DOCS / "metrics.md").read_text()
        for name, (kind, says) in metrics.METRICS.items():
            assert f"| `{name}` | {kind} | {says} |" in text


class TestFlags:
    def test_the_address_that_the_visitor_reached_comes_first(self, scene: Scene) -> None:
        shown = flags(scene, ip_address("192.0.2.77"))["flags"]
        assert [each["address"] for each in shown] == ["192.0.2.77", "192.0.2.1"]  # type: ignore[attr-defined]
        shown = flags(scene, ip_address("127.0.0.1"))["flags"]
        assert shown == [
            {
                "address": "192.0.2.1",
                "flags": "--peer-router-ips=192.0.2.1 --peer-router-asns=64512",
            }
        ]


def test_the_docs_name_every_path() -> None:
    text = (DOCS / "api.md").read_text()
    for path in (*QUESTIONS, *ORDERS):
        assert f"`{path}`" in text


def test_the_roll_forgets_the_cidrs_that_a_node_does_not_announce_after_its_restart() -> None:
    """Its counters say that there is something new to show, and to diagnose (RFC 4724 4.2)."""
    scene = Scene()
    fallen = scene.join("10.0.0.5", "node-a")
    scene.announce(fallen, "10.244.0.0/24", "10.244.1.0/24")
    restart = GracefulRestart(restarting=True, restart_time_s=90, preserved=((1, 1, True),))
    scene.speaker.peer_down(fallen, fallen.negotiated.families)
    back = scene.peering.connections.pop()
    negotiated = replace(fallen.negotiated, graceful_restart=restart)
    back.peer = scene.speaker.peer_up(fallen.source, negotiated, OUR_ADDRESS, Sink())
    scene.peering.connections.add(back)
    scene.announce(back.peer, "10.244.0.0/24")
    roll = Roll(scene, 0.0)
    [(_, before)] = roll.views()
    assert before["cidrs"] == ["10.244.0.0/24", "10.244.1.0/24"]
    scene.speaker.receive_update(back.peer, b"\0\0\0\0")
    [(_, after)] = roll.views()
    assert (after["routes_in"], after["cidrs"]) == (1, ["10.244.0.0/24"])
