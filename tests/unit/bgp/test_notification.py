"""NOTIFICATION messages and their texts."""

import pytest

from reflector.bgp.notification import Notification
from reflector.bgp.vocabulary import CeaseSubcode
from tests.support import wire


@pytest.mark.parametrize("data", [b"", b"\0\4", b"x" * 1000])
def test_what_is_encoded_is_decoded(data: bytes) -> None:
    notification = Notification(2, 1, data)
    assert notification.encode() == wire.notification(2, 1, data)
    assert Notification.decode(notification.encode()[19:]) == notification


@pytest.mark.parametrize(
    ("code", "subcode", "name"),
    [
        (6, 2, "Cease / "),
        (2, 2, "OPEN "),
        (4, 0, "Hold timer expired"),
        (7, 1, "ROUTE-REFRESH message error"),
        (8, 0, "Send hold timer expired"),
        (99, 0, "error 99"),
        (6, 77, "subcode 77"),
        (255, 255, "error 255 / subcode 255"),
    ],
)
def test_every_code_has_a_name(code: int, subcode: int, name: str) -> None:
    assert name.lower() in Notification(code, subcode).name.lower()


@pytest.mark.rfc("9003", "2")
def test_a_shutdown_text_goes_there_and_back() -> None:
    notification = Notification.shutdown("lunch, back at 13:00 ☕")
    assert notification.text == "lunch, back at 13:00 ☕"
    assert notification.data[0] == len(notification.data) - 1


@pytest.mark.rfc("9003", "2")
@pytest.mark.parametrize("text", ["x" * 300, "é" * 200, "☕" * 90])
def test_a_long_text_is_cut_between_characters(text: str) -> None:
    cut = Notification.shutdown(text, CeaseSubcode.ADMINISTRATIVE_RESET)
    assert cut.data[0] <= 255
    assert text.startswith(cut.text)
    assert len(text) > len(cut.text) > 60


@pytest.mark.rfc("9003", "3")
@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"\0", ""),
        (b"\5ab", "ab"),
        (b"\2abcd", "ab"),
        (b"\3\xff\xfea", "\ufffd\ufffda"),
        (b"\5a\x1b[0m", "a [0m"),
        (b"\3a\nb", "a b"),
    ],
)
def test_a_peers_text_is_safe_to_show(data: bytes, text: str) -> None:
    assert Notification(6, 2, data).text == text


@pytest.mark.parametrize(("code", "subcode"), [(6, 3), (2, 2), (4, 0)])
def test_other_notifications_hold_no_text(code: int, subcode: int) -> None:
    assert Notification(code, subcode, b"\2ab").text == ""
