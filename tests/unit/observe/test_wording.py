"""Every report in words."""

from ipaddress import ip_address

import pytest

from reflector.bgp.errors import Action, Finding
from reflector.bgp.notification import Notification
from reflector.bgp.vocabulary import CeaseSubcode
from reflector.observe.journal.wording import Line, describe, level_of
from reflector.reports import (
    ConnectionRefused,
    PeerCantRefresh,
    PeerDown,
    PeerName,
    PeerReturned,
    PeerUp,
    Report,
    Steered,
    Trouble,
    UpdateFault,
)

NODE = PeerName(ip_address("10.0.0.5"), "10.0.0.5", "node-a")
BAD_PEER_AS = Notification(2, 2)


def down(
    reason: str,
    *,
    was_up: bool = True,
    sent: Notification | None = None,
    received: Notification | None = None,
    prefixes: int = 0,
    up_s: float = 5.0,
) -> PeerDown:
    return PeerDown(NODE, was_up, reason, sent, received, prefixes, up_s)


REPORTS: list[Report] = [
    PeerUp(NODE, ("ipv4",), 90),
    down("lost"),
    down("stopping", was_up=False, sent=Notification.shutdown("")),
    ConnectionRefused(NODE, "full"),
    PeerReturned(NODE, "replaced"),
    UpdateFault(NODE, Finding(Action.DISCARD, "bad")),
    UpdateFault(NODE, Finding(Action.EXCLUDE, "loop")),
    UpdateFault(NODE, Finding(Action.WITHDRAW, "bad")),
    Steered("a cluster is disconnected", "10.0.0.9"),
    Trouble("disk"),
]


def message(report: Report) -> str:
    return describe(report).message


class TestPeerUp:
    def test_says_what_the_session_runs_on(self) -> None:
        assert message(PeerUp(NODE, ("ipv4", "ipv6"), 90)) == (
            "10.0.0.5 (node-a): up, ipv4 and ipv6, hold time 90 s"
        )

    def test_without_hold_time(self) -> None:
        assert message(PeerUp(NODE, ("ipv4",), 0)).endswith("up, ipv4, no keepalives")


class TestPeerDown:
    def test_says_what_is_lost_and_what_was_sent(self) -> None:
        report = down("nothing heard for 90 s", sent=Notification(4, 0), prefixes=24, up_s=3725)
        assert message(report) == (
            "10.0.0.5 (node-a): down after 1 h 2 min, 24 prefixes lost: nothing heard for 90 s"
            " (sent NOTIFICATION Hold timer expired)"
        )

    def test_one_prefix(self) -> None:
        assert "1 prefix lost" in message(down("gone", prefixes=1))

    def test_a_quoted_notification_is_not_named_twice(self) -> None:
        received = Notification.shutdown("reboot")
        reason = f'the peer said: {received.name} "reboot"'
        text = message(down(reason, received=received))
        assert text.count("Administrative Shutdown") == 1

    def test_one_that_nobody_quoted_is_named_with_its_text(self) -> None:
        text = message(down("gone", received=Notification.shutdown("reboot")))
        assert text.endswith('(received NOTIFICATION Cease / Administrative Shutdown "reboot")')

    def test_an_attempt_that_failed_lost_nothing(self) -> None:
        line = describe(down("it is in AS 1", was_up=False, sent=BAD_PEER_AS))
        assert line.event == "session_failed"
        assert line.message == (
            "10.0.0.5 (node-a): no session: it is in AS 1"
            " (sent NOTIFICATION OPEN message error / Bad Peer AS)"
        )
        assert "prefixes_lost" not in line.fields

    def test_its_facts_are_there_for_machines(self) -> None:
        line = describe(down("wrong", sent=BAD_PEER_AS, prefixes=3, up_s=1.23456))
        assert line.fields == {
            "peer": "10.0.0.5",
            "router_id": "10.0.0.5",
            "host_name": "node-a",
            "reason": "wrong",
            "prefixes_lost": 3,
            "up_s": 1.235,
            "notification_sent": {
                "code": 2,
                "subcode": 2,
                "name": "OPEN message error / Bad Peer AS",
                "text": "",
                "hard_reset": False,
            },
        }

    @pytest.mark.parametrize(
        ("subcode", "level"),
        [
            (CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, "info"),
            (CeaseSubcode.CONNECTION_COLLISION_RESOLUTION, "info"),
            (CeaseSubcode.OUT_OF_RESOURCES, "warning"),
        ],
    )
    def test_what_we_end_as_a_matter_of_course_warns_nobody(
        self, subcode: CeaseSubcode, level: str
    ) -> None:
        report = down("so", sent=Notification(6, subcode))
        assert describe(report).level == level


class TestOthers:
    def test_a_peer_that_can_not_be_asked_again(self) -> None:
        line = describe(PeerCantRefresh(NODE))
        assert (line.level, line.event) == ("warning", "cant_refresh")
        assert line.message.startswith(
            "10.0.0.5 (node-a): its import policy has changed, and it can't"
        )

    def test_refused(self) -> None:
        assert describe(ConnectionRefused(NODE, "it is outside")) == Line(
            "warning",
            "connection_refused",
            "10.0.0.5 (node-a): turned away: it is outside",
            {
                "peer": "10.0.0.5",
                "router_id": "10.0.0.5",
                "host_name": "node-a",
                "reason": "it is outside",
            },
        )

    def test_returned(self) -> None:
        text = message(PeerReturned(NODE, "its old session was dead and is replaced"))
        assert text == (
            "10.0.0.5 (node-a): connected again: its old session was dead and is replaced"
        )

    @pytest.mark.rfc("7606", "6")
    @pytest.mark.parametrize(
        ("action", "words", "level"),
        [
            (Action.DISCARD, "attribute or routes ignored", "warning"),
            (Action.EXCLUDE, "routes not used", "info"),
            (Action.WITHDRAW, "routes rejected", "warning"),
        ],
    )
    def test_fault(self, action: Action, words: str, level: str) -> None:
        line = describe(UpdateFault(NODE, Finding(action, "that")))
        assert (line.level, line.message) == (level, f"10.0.0.5 (node-a): {words}: that")
        assert line.fields["action"] == action.name.lower()

    def test_trouble(self) -> None:
        assert describe(Trouble("no more files")) == Line("error", "trouble", "no more files")

    @pytest.mark.parametrize("report", REPORTS)
    def test_the_level_is_known_without_wording(self, report: Report) -> None:
        assert level_of(report) == describe(report).level


class TestNames:
    @pytest.mark.parametrize(
        ("name", "text"),
        [
            (PeerName(ip_address("10.0.0.5")), "10.0.0.5"),
            (PeerName(ip_address("10.0.0.5"), "10.0.0.5"), "10.0.0.5"),
            (
                PeerName(ip_address("10.0.0.5"), "10.9.9.9", "node-a", "first row"),
                "10.0.0.5 (node-a, first row, router id 10.9.9.9)",
            ),
        ],
    )
    def test_a_name_says_what_is_known_and_nothing_twice(self, name: PeerName, text: str) -> None:
        assert message(PeerUp(name, ("ipv4",), 9)) == f"{text}: up, ipv4, hold time 9 s"
