"""Each mistake is named, with the nodes and with what mends it, and is gone when it is mended."""

import asyncio
import re
import time
from ipaddress import ip_address, ip_network
from pathlib import Path

import pytest

from reflector.bgp.errors import Action, Finding
from reflector.bgp.notification import Notification
from reflector.bgp.vocabulary import CeaseSubcode, ErrorCode, OpenSubcode
from reflector.observe.diagnosis import KINDS, Facts, Problem, diagnose
from reflector.observe.kernel import Md5Drops, read_md5_drops
from reflector.reports import (
    ConnectionRefused,
    PeerDown,
    PeerName,
    PeerReturned,
    PeerUp,
    Report,
    UpdateFault,
)
from reflector.rib.intake import Intake
from tests.unit.observe.scene import Scene

BAD_AS = Notification(ErrorCode.OPEN_MESSAGE, OpenSubcode.BAD_PEER_AS)
BAD_ID = Notification(ErrorCode.OPEN_MESSAGE, OpenSubcode.BAD_BGP_IDENTIFIER)
SILENCE = Notification(ErrorCode.HOLD_TIMER_EXPIRED, 0)
CLEARED = Notification(ErrorCode.CEASE, CeaseSubcode.ADMINISTRATIVE_RESET)
NO_BGP = Notification(ErrorCode.MESSAGE_HEADER, 1)
BAD_HOLD_TIME = Notification(ErrorCode.OPEN_MESSAGE, OpenSubcode.UNACCEPTABLE_HOLD_TIME)
DOCS = Path(__file__).parents[3] / "docs"


def name(address: str = "10.0.0.5", router_id: str = "10.0.0.5", host: str = "node-a") -> PeerName:
    return PeerName(ip_address(address), router_id, host)


def down(
    peer: PeerName,
    reason: str = "because",
    *,
    was_up: bool = False,
    sent: Notification | None = None,
    received: Notification | None = None,
) -> PeerDown:
    return PeerDown(peer, was_up, reason, sent, received, 0, 1.0)


def up(peer: PeerName) -> PeerUp:
    return PeerUp(peer, ("ipv4",), 90)


def is_told_as_old(problem: Problem) -> bool:
    """Whether it began when a connection did whose beginning a test has set to -1e9 s."""
    return problem.since_s is not None and problem.since_s < time.time() - 9e8


class Class:
    """A scene whose clock the test has in its hands; loop time is real and begins far from 0."""

    def __init__(self, *, quarantine: bool = False) -> None:
        self.scene = Scene(quarantine=quarantine)
        self.now_s = 1_000_000.0
        self.scene.desk.steady = lambda: self.now_s

    def report(self, *reports: Report) -> None:
        for each in reports:
            self.scene.desk(each)

    async def look(self) -> list[Problem]:
        self.scene.desk._overlaps_due_s = 0.0  # no test waits for a second
        return await self.scene.desk.problems(self.scene)

    def problems(self) -> list[Problem]:
        return asyncio.run(self.look())

    def the_one(self, kind: str) -> Problem:
        [problem] = self.problems()
        assert problem.kind == kind, problem
        assert "{" not in problem.fix
        return problem


@pytest.fixture
def room() -> Class:
    return Class()


class TestNoSession:
    def test_the_peer_is_in_another_as(self, room: Class) -> None:
        room.report(down(name(), "the peer is in AS 65001", sent=BAD_AS))
        problem = room.the_one("wrong-as")
        assert "node-a (10.0.0.5)" in problem.what
        assert "AS 65001" in problem.what
        assert "--cluster-asn=64512 and --peer-router-asns=64512" in problem.fix

    def test_the_peer_expects_us_in_another_as(self, room: Class) -> None:
        room.report(down(name(), received=BAD_AS))
        problem = room.the_one("expects-other-as")
        assert "--peer-router-asns=64512" in problem.fix

    def test_the_peer_has_our_router_id(self, room: Class) -> None:
        room.report(down(name(), sent=BAD_ID))
        room.the_one("our-router-id")
        # Mended: the same node comes with another one.
        room.report(up(name(router_id="10.0.0.77")))
        assert room.problems() == []

    def test_a_peer_that_never_says_anything(self, room: Class) -> None:
        connection = room.scene.connect("10.0.0.5")
        connection.since = -1e9
        assert is_told_as_old(room.the_one("silent"))
        room.scene.peering.connections.clear()
        assert room.problems() == []
        room.report(down(name(router_id="", host=""), sent=SILENCE))
        room.the_one("silent")

    def test_one_port_scan_is_no_problem_and_three_are(self, room: Class) -> None:
        stranger = name(router_id="", host="")
        room.report(down(stranger), down(stranger))
        assert room.problems() == []
        room.report(down(stranger))
        assert "3 times" in room.the_one("no-session").what

    def test_something_that_speaks_no_bgp(self, room: Class) -> None:
        stranger = name(router_id="", host="")
        room.report(down(stranger, "the message marker is not all ones", sent=NO_BGP))
        problem = room.the_one("no-bgp")
        assert "10.0.0.5 connects and says something that is not BGP, once." in problem.what
        assert "on 10.0.0.5" in problem.fix
        room.now_s += 61
        assert room.problems() == []
        # Whoever has said who it is speaks BGP, and something else is wrong.
        room.report(down(name("10.0.0.6", "10.0.0.6"), sent=NO_BGP))
        room.the_one("no-session")

    def test_a_hold_time_that_is_too_short(self, room: Class) -> None:
        reason = "the peer proposes a hold time of 1 s: RFC 4271 wants 0 or at least 3"
        room.report(down(name(), reason, sent=BAD_HOLD_TIME))
        problem = room.the_one("hold-time")
        assert "node-a (10.0.0.5): the peer proposes a hold time of 1 s," in problem.what
        assert "on node-a with --bgp-holdtime=90s" in problem.fix
        room.report(up(name()))
        assert room.problems() == []

    def test_an_address_that_may_not_peer(self, room: Class) -> None:
        room.report(ConnectionRefused(name(router_id="", host=""), "add a range"))
        assert room.the_one("refused").fix == "add a range"

    def test_two_nodes_behind_one_address(self, room: Class) -> None:
        room.report(PeerReturned(name(), "a second connection was closed"))
        room.the_one("same-router-id")
        room.report(PeerReturned(name(address="10.0.0.6"), "its old session was dead"))
        room.the_one("same-router-id")

    def test_it_is_mended_when_the_session_is_up(self, room: Class) -> None:
        room.report(down(name(), sent=BAD_AS), up(name()))
        assert room.problems() == []

    def test_who_has_given_up_is_forgotten(self, room: Class) -> None:
        room.report(down(name(), sent=BAD_AS))
        room.now_s += 301
        assert room.problems() == []


class TestFallen:
    def test_a_node_that_fell_silent(self, room: Class) -> None:
        room.report(up(name()), down(name(), "nothing for 90 s", was_up=True, sent=SILENCE))
        problem = room.the_one("hold-timer")
        assert "nothing for 90 s" in problem.what
        # It is still told after a break, and no more of a student who went home.
        room.now_s += 899
        assert room.the_one("hold-timer") == problem
        room.now_s += 2
        assert room.problems() == []
        room.now_s -= 901
        room.report(up(name()))
        assert room.problems() == []

    def test_who_leaves_politely_is_no_problem(self, room: Class) -> None:
        room.report(up(name()), down(name(), was_up=True))
        assert room.problems() == []

    def test_a_session_that_the_presenter_drops_is_no_problem(self, room: Class) -> None:
        for _ in range(3):
            room.report(up(name()), down(name(), "cleared", was_up=True, sent=CLEARED))
        room.report(up(name()))
        assert room.problems() == []

    def test_a_session_that_comes_and_goes(self, room: Class) -> None:
        for _ in range(3):
            room.report(up(name()), down(name(), "reset", was_up=True))
            room.now_s += 5
        what = room.the_one("flapping").what
        assert "3 sessions ended within two minutes, the last one: reset." in what
        room.report(up(name()))
        assert "3 sessions ended within two minutes." in room.the_one("flapping").what
        room.now_s += 61
        assert room.problems() == []


class TestAnnouncements:
    def test_the_same_pod_cidr_twice(self, room: Class) -> None:
        a, b = room.scene.join("10.0.0.5", "node-a"), room.scene.join("10.0.0.6", "node-b")
        room.scene.announce(a, "10.244.0.0/24")
        room.scene.announce(b, "10.244.0.0/24")
        problem = room.the_one("same-cidr")
        assert problem.what == (
            "node-a (10.0.0.5) and node-b (10.0.0.6) both announce 10.244.0.0/24. "
            "Its traffic goes to node-a."
        )
        room.scene.withdraw(b, "10.244.0.0/24")
        room.scene.announce(b, "10.245.0.0/24")
        assert room.problems() == []

    def test_namesakes_are_told_apart(self, room: Class) -> None:
        a, b = room.scene.join("10.0.0.5", "minikube"), room.scene.join("10.0.0.6", "minikube")
        room.scene.announce(a, "10.244.0.0/24")
        room.scene.announce(b, "10.244.0.0/24")
        assert room.the_one("same-cidr").what.endswith("goes to minikube (10.0.0.5).")

    def test_a_pod_cidr_within_another(self, room: Class) -> None:
        a, b = room.scene.join("10.0.0.5", "node-a"), room.scene.join("10.0.0.6", "node-b")
        room.scene.announce(a, "10.244.0.0/17")
        room.scene.announce(b, "10.244.3.0/24", "10.244.4.0/24", "10.245.0.0/24")
        problem = room.the_one("overlapping-cidr")
        assert "lies within 10.244.0.0/17 of node-a (10.0.0.5) (and 1 more)" in problem.what

    def test_one_prefix_over_several_nodes_is_one_mistake(self, room: Class) -> None:
        wide = room.scene.join("10.0.0.4", "wide")
        room.scene.announce(wide, "10.244.0.0/16")
        for number in (12, 11, 13):
            node = room.scene.join(f"10.0.0.{number}", f"node-{number}")
            room.scene.announce(node, f"10.244.{number}.0/24")
        problem = room.the_one("overlapping-cidr")
        assert problem.what == (
            "wide (10.0.0.4) announces 10.244.0.0/16, and within it lie 10.244.11.0/24 of node-11 "
            "(10.0.0.11), 10.244.12.0/24 of node-12 (10.0.0.12) and 10.244.13.0/24 of node-13 (10.0.0.13)."
        )
        assert problem.peers == ("10.0.0.4", "10.0.0.11", "10.0.0.12", "10.0.0.13")
        assert problem.fix.startswith("Have wide announce its own pod CIDR and not 10.244.0.0/16")
        # The fix works.
        room.scene.withdraw(wide, "10.244.0.0/16")
        room.scene.announce(wide, "10.245.0.0/24")
        assert room.problems() == []

    def test_a_whole_class_with_the_default_pod_cidr_is_one_mistake(self, room: Class) -> None:
        for number in range(5, 15):
            node = room.scene.join(f"10.0.0.{number}", f"node-{number}")
            room.scene.announce(node, "10.244.0.0/24")
        problem = room.the_one("same-cidr")
        assert problem.what == (
            "node-5 (10.0.0.5), node-6 (10.0.0.6), node-7 (10.0.0.7), node-8 (10.0.0.8), node-9 "
            "(10.0.0.9) and 5 others all announce 10.244.0.0/24. Its traffic goes to node-5."
        )
        assert len(problem.peers) == 10
        assert problem.fix.startswith("Give each of these clusters a pod CIDR of its own")

    def test_what_overlaps_on_purpose(self, room: Class) -> None:
        room.scene.originate("10.0.0.0/8")
        a, b = room.scene.join("10.0.0.5", "node-a"), room.scene.join("10.0.0.6", "node-b")
        room.scene.announce(a, "10.244.0.0/24", "10.96.0.1/32", "10.244.1.0/24", "10.244.0.0/22")
        room.scene.announce(b, "10.245.0.0/24", "10.96.0.1/32")
        assert room.problems() == []

    def test_two_nodes_with_one_router_id(self, room: Class) -> None:
        for address, host in (
            ("10.0.0.5", "node-a"),
            ("10.0.0.6", "node-b"),
            ("fd00::5", "node-a"),
        ):
            peer = room.scene.join(address, host, router_id="9.9.9.9")
            room.scene.announce(
                peer,
                f"10.{len(room.scene.speaker.peers)}.0.0/24",
                next_hop=(address if ":" not in address else "10.0.0.5"),
            )
        problem = room.the_one("same-router-id")
        assert problem.peers == ("10.0.0.5", "10.0.0.6")

    def test_nodes_behind_a_nat_each_with_the_same_address_inside(self, room: Class) -> None:
        """Which is no matter of --router-id, and of one next hop no more than of the other."""
        for number in (5, 6):
            peer = room.scene.join(f"10.0.0.{number}", f"node-{number}", "10.0.2.15")
            room.scene.announce(peer, f"10.244.{number}.0/24", next_hop="10.0.2.15")
        problem = room.the_one("same-address")
        assert problem.peers == ("10.0.0.5", "10.0.0.6")
        assert (
            "node-5 (10.0.0.5) and node-6 (10.0.0.6) all call 10.0.2.15 their address"
            in problem.what
        )
        assert "--node-ip" in problem.fix

    def test_a_node_that_announces_nothing(self, room: Class) -> None:
        peer = room.scene.join("10.0.0.5", "node-a")
        [connection] = room.scene.peering.connections
        connection.since = time.monotonic()
        assert room.problems() == []  # it may be about to
        connection.since = -1e9
        problem = room.the_one("announces-nothing")
        assert "whether node-a has a pod CIDR (kubectl get nodes" in problem.fix
        assert "--advertise-pod-cidr=true" in problem.fix
        assert is_told_as_old(problem)
        room.scene.announce(peer, "10.244.0.0/24")
        assert room.problems() == []

    def test_a_node_that_changes_its_routes_announces_something(self, room: Class) -> None:
        """A moment without any is no mistake, however long its session has been up."""
        peer = room.scene.join("10.0.0.5", "node-a")
        [connection] = room.scene.peering.connections
        connection.since = -1e9
        room.scene.announce(peer, "10.244.0.0/24")
        assert room.problems() == []
        room.scene.withdraw(peer, "10.244.0.0/24")
        assert room.problems() == []
        room.scene.announce(peer, "10.245.0.0/24")
        assert room.problems() == []
        room.scene.withdraw(peer, "10.245.0.0/24")
        room.scene.desk.tick(room.scene)
        room.now_s += 2.5
        assert not is_told_as_old(room.the_one("announces-nothing"))

    def test_a_next_hop_that_is_not_the_nodes(self, room: Class) -> None:
        peer = room.scene.join("10.0.0.5", "node-a")
        room.scene.announce(peer, "10.244.0.0/24", next_hop="192.168.0.7")
        problem = room.the_one("foreign-next-hop")
        assert "192.168.0.7" in problem.what
        room.scene.announce(peer, "10.244.0.0/24")
        assert room.problems() == []

    def test_rejected_routes_until_the_node_says_something_else(self, room: Class) -> None:
        peer = room.scene.join("10.0.0.5", "node-a")
        room.scene.announce(peer, "10.244.0.0/24")
        room.report(UpdateFault(name(), Finding(Action.WITHDRAW, "NEXT_HOP is 127.0.0.1")))
        room.scene.desk.tick(room.scene)
        assert "NEXT_HOP is 127.0.0.1" in room.the_one("rejected").what
        room.now_s += 3
        room.scene.desk.tick(room.scene)
        room.the_one("rejected")
        room.scene.announce(peer, "10.244.1.0/24")
        room.now_s += 1
        room.scene.desk.tick(room.scene)
        assert room.problems() == []

    def test_a_route_is_rejected_until_it_is_withdrawn(self, room: Class) -> None:
        """However soon that is, and whatever else the node announces meanwhile."""
        peer = room.scene.join("10.0.0.5", "node-a")
        room.scene.announce(peer, "10.244.0.0/24")
        room.scene.announce(peer, "10.244.7.0/24", "10.244.8.0/24", next_hop="127.0.0.1")
        problem = room.the_one("rejected")
        assert "node-a (10.0.0.5) announces 10.244.8.0/24 (and 1 more)" in problem.what
        assert "the next hop 127.0.0.1 is no host's address" in problem.what
        room.scene.announce(peer, "10.244.1.0/24")
        room.scene.withdraw(peer, "10.244.8.0/24")
        assert "announces 10.244.7.0/24, and it is rejected" in room.the_one("rejected").what
        room.scene.announce(peer, "10.244.7.0/24")
        assert room.problems() == []

    def test_it_is_told_once_and_since_when(self, room: Class) -> None:
        peer = room.scene.join("10.0.0.5", "node-a")
        room.scene.announce(peer, "10.244.7.0/24", next_hop="127.0.0.1")
        room.report(UpdateFault(name(), Finding(Action.WITHDRAW, "NEXT_HOP is 127.0.0.1")))
        assert room.the_one("rejected").since_s is not None
        room.scene.withdraw(peer, "10.244.7.0/24")
        # Nothing is rejected any more, nor announced, and so for long.
        [connection] = room.scene.peering.connections
        connection.since = -1e9
        room.scene.desk.tick(room.scene)
        room.now_s += 3
        assert [problem.kind for problem in room.problems()] == ["announces-nothing"]

    def test_a_default_route_is_rejected_each_time(self, room: Class) -> None:
        peer = room.scene.join("10.0.0.5", "node-a")
        peer.take_by(Intake())
        room.scene.announce(peer, "10.244.0.0/24")
        for _ in range(2):
            room.scene.announce(peer, "0.0.0.0/0")
            assert "set accept-default to true" in room.the_one("rejected").what
            room.scene.withdraw(peer, "0.0.0.0/0")
            assert room.problems() == []

    def test_a_loop_is_nobodys_mistake(self, room: Class) -> None:
        room.report(UpdateFault(name(), Finding(Action.EXCLUDE, "our own router id")))
        assert room.problems() == []


class TestPasswords:
    def test_the_kernel_tells_the_three_cases(self, tmp_path: Path) -> None:
        netstat = tmp_path / "netstat"
        netstat.write_text(
            "TcpExt: SyncookiesSent TCPMD5NotFound TCPMD5Unexpected TCPMD5Failure\n"
            "TcpExt: 9 1 2 3\nIpExt: InNoRoutes\nIpExt: 4\n"
        )
        assert read_md5_drops(netstat) == Md5Drops(1, 2, 3)
        assert read_md5_drops(tmp_path / "none") == Md5Drops()

    def test_it_is_a_problem_while_it_goes_on(
        self, room: Class, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        before = read_md5_drops()
        monkeypatch.setattr("reflector.observe.desk.read_md5_drops", lambda: before)
        assert room.problems() == []
        more = Md5Drops(before.unsigned, before.unexpected, before.wrong + 2)
        monkeypatch.setattr("reflector.observe.desk.read_md5_drops", lambda: more)
        room.now_s += 2
        assert room.problems() == []  # of somebody else on this machine: we have no passwords
        room.scene.desk._signs = lambda: True
        room.scene.desk._first_drops = room.scene.desk._last_drops = before
        room.now_s += 2
        assert "2 signed with another password" in room.the_one("md5").what
        room.now_s += 200
        assert room.problems() == []


def test_a_pod_cidr_that_is_held_back_names_both_nodes() -> None:
    room = Class(quarantine=True)
    first, newcomer = room.scene.join("10.0.0.9", "first"), room.scene.join("10.0.0.1", "newcomer")
    room.scene.announce(first, "10.1.0.0/24", "10.2.0.0/24")
    room.scene.announce(newcomer, "10.1.0.0/24", "10.2.0.0/24")
    for connection in room.scene.peering.connections:
        connection.since = -1e9
    [problem] = room.problems()
    assert problem.kind == "held-back"
    assert problem.peers == ("10.0.0.1", "10.0.0.9")
    assert problem.what == (
        "newcomer (10.0.0.1) announces 10.1.0.0/24, which overlaps 10.1.0.0/24 of first (10.0.0.9) "
        "(and 1 more): it is held back."
    )
    room.scene.withdraw(first, "10.1.0.0/24", "10.2.0.0/24")
    room.scene.speaker.turn()
    room.scene.desk.tick(room.scene)
    room.now_s += 3
    assert [each.kind for each in room.problems()] == ["announces-nothing"]


class TestWhatThePresenterDid:
    def test_a_cluster_that_is_disconnected(self, room: Class) -> None:
        node = ip_address("10.0.0.5")
        room.scene.controls.disconnected[ip_network("10.1.0.0/16")] = frozenset({(node, b"")})
        problem = room.the_one("disconnected")
        assert problem.peers == ("10.0.0.5",)
        assert problem.what.startswith("10.1.0.0/16 is disconnected from the other clusters")
        assert "bgp-reflector connect 10.1.0.0/16" in problem.fix
        room.scene.controls.disconnected.clear()
        assert room.problems() == []

    def test_our_own_routes_that_are_hidden(self, room: Class) -> None:
        room.scene.controls.hidden = True
        assert "debug-route show" in room.the_one("own-routes-hidden").fix


def test_errors_come_first() -> None:
    scene = Class()
    scene.scene.join("10.0.0.1", "idle")
    [connection] = scene.scene.peering.connections
    connection.since = -1e9
    scene.report(down(name(), sent=BAD_AS))
    assert [each.severity for each in scene.problems()] == ["error", "warning"]
    assert diagnose(Facts(0.0, 64512)) == []


def test_the_docs_have_every_kind_in_its_own_words() -> None:
    text = " ".join((DOCS / "troubleshooting.md").read_text().split())
    for kind, of in KINDS.items():
        assert f"| `{kind}` | {of.title} | {of.cause} | {of.fix} |" in text


def test_every_kind_is_found_by_a_symptom() -> None:
    text = (DOCS / "troubleshooting.md").read_text()
    symptoms = text.partition("## By what is seen")[2].partition("## By kind")[0]
    assert set(re.findall(r"`([a-z0-9-]+)`", symptoms)) == set(KINDS)


def test_a_large_class_is_looked_at_with_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("reflector.observe.desk._SLICE_S", -1.0)  # after every node
    room = Class()
    for number in range(50):
        room.scene.join(f"10.0.0.{number + 1}")

    async def look() -> int:
        await room.look()  # for overlaps, which is a thread's
        turns = 0
        looking = asyncio.create_task(room.scene.desk.problems(room.scene))
        while not looking.done():
            await asyncio.sleep(0)
            turns += 1
        return turns

    assert asyncio.run(look()) >= 50
