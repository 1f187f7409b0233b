"""What a history shows."""

from __future__ import annotations

import pytest

from reflector.sim.history import History, Message, Note, Recorder
from tests.support import wire


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        (wire.keepalive(), "KEEPALIVE"),
        (
            wire.open_message(),
            "OPEN: AS 64512, hold time 90 s, router id 10.0.0.1, ipv4 and ipv6, route refresh, four-octet AS",
        ),
        (
            wire.notification(6, 2, b"\x03bye"),
            'NOTIFICATION: 6/2 Cease / Administrative Shutdown "bye"',
        ),
        (
            wire.notification(2, 2, b"\x01"),
            "NOTIFICATION: 2/2 OPEN message error / Bad Peer AS, data 01",
        ),
        (wire.refresh(), "ROUTE-REFRESH: ipv4"),
        (wire.refresh(25, 65, 1), "ROUTE-REFRESH: AFI/SAFI 25/65 begins"),
        (wire.update(), "UPDATE: End-of-RIB ipv4"),
        (
            wire.message(wire.UPDATE, wire.withdraw("10.1.0.0/24")),
            "UPDATE: withdraws 10.1.0.0/24",
        ),
        (
            wire.message(wire.UPDATE, wire.announce("10.1.0.0/24")),
            "UPDATE: announces 10.1.0.0/24 via 10.0.0.1, origin igp, local_pref 100",
        ),
        (
            wire.message(wire.UPDATE, b"\xff\xff\0\0"),
            "UPDATE: ff ff 00 00 (malformed: the lengths within the UPDATE exceed the message)",
        ),
        (
            b"GET / HTTP/1.1\r\n\r\n",
            "octets: 18, 47 45 54 20 2f 20 48 54 54 50 2f 31 2e 31 0d 0a 0d 0a",
        ),
    ],
)
def test_each_message_in_words(data: bytes, shown: str) -> None:
    recorder = Recorder("received")
    found = recorder.feed(data, 1.5, as4=True) + recorder.flush(1.5)
    assert [message.describe() for message in found] == [shown]
    assert str(found[0]) == f"    1.500 s  <-  {shown}"


def test_messages_in_pieces_are_messages() -> None:
    recorder = Recorder("sent")
    data = wire.open_message() + wire.keepalive()
    found = [
        message.kind for octet in data for message in recorder.feed(bytes((octet,)), 0.0, as4=True)
    ]
    assert found == ["OPEN", "KEEPALIVE"]


def test_what_follows_a_bad_header_is_octets() -> None:
    recorder = Recorder("received")
    found = recorder.feed(wire.keepalive() + b"rubbish of some length", 0.0, as4=True)
    found += recorder.feed(b"more", 0.0, as4=True)
    assert [(message.kind, message.body) for message in found] == [
        ("KEEPALIVE", b""),
        ("octets", b"rubbish of some length"),
        ("octets", b"more"),
    ]


def test_many_routes_are_counted() -> None:
    prefixes = [f"10.1.{number}.0/24" for number in range(10)]
    message = Message(0.0, "sent", "UPDATE", wire.withdraw(*prefixes))
    assert message.describe().endswith("10.1.3.0/24, and 6 more")


def test_a_long_history_shows_its_beginning_and_its_end() -> None:
    history = History("a history")
    for number in range(1000):
        history.add(Note(float(number), f"note {number}."))
    shown = str(history)
    assert "note 0." in shown
    assert "note 999." in shown
    assert "note 500." not in shown
    assert "(920 entries are left out)" in shown


def test_a_very_long_history_forgets_its_beginning() -> None:
    history = History("a history")
    for number in range(5000):
        history.add(Note(float(number), f"note {number}."))
    assert len(history) == 5000
    assert len(list(history)) == 2000
    assert "(4940 entries are left out)" in str(history)
