"""Who waits for an OPEN, and who goes for whom."""

from ipaddress import ip_address

from reflector.net.waiting import WaitingRoom

ONE, OTHER = ip_address("192.0.2.1"), ip_address("2001:db8::1")


def test_the_oldest_of_an_address_goes_for_the_next() -> None:
    waiting = WaitingRoom[str](most=10, most_per_address=2)
    assert waiting.enter("first", ONE) is None
    assert waiting.enter("second", ONE) is None
    assert waiting.enter("elsewhere", OTHER) is None
    assert waiting.enter("third", ONE) == ("first", "2 connections of 192.0.2.1")
    waiting.leave("second")
    assert waiting.enter("fourth", ONE) is None
    assert len(waiting) == 3


def test_the_oldest_of_all_goes_when_the_room_is_full() -> None:
    waiting = WaitingRoom[str](most=2, most_per_address=2)
    for name, address in (("first", ONE), ("second", OTHER)):
        assert waiting.enter(name, address) is None
    assert waiting.enter("third", ip_address("192.0.2.3")) == ("first", "2 connections")
    assert len(waiting) == 2


def test_who_leaves_twice_or_never_came_harms_nobody() -> None:
    waiting = WaitingRoom[str]()
    waiting.enter("one", ONE)
    for name in ("one", "one", "stranger"):
        waiting.leave(name)
    assert len(waiting) == 0
