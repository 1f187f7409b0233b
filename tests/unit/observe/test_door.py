"""Who is sent away when too many are connected."""

import asyncio

import pytest

from reflector.observe.server.door import Door


class Wire(asyncio.Transport):
    """A transport that notes whether it was cut."""

    def __init__(self, address: str | None) -> None:
        peername = "" if address is None else (address, 40000)
        super().__init__({"peername": peername})
        self.cut = False

    def abort(self) -> None:
        """Cut it."""
        self.cut = True


def _enter(door: Door, *addresses: str | None) -> list[Wire]:
    wires = [Wire(address) for address in addresses]
    for wire in wires:
        door().connection_made(wire)
    return wires


def test_a_flood_from_one_address_sends_itself_away() -> None:
    door = Door(asyncio.Protocol, 4)
    wires = _enter(door, "10.0.0.1", "10.0.0.2", *["10.0.0.9"] * 10)
    assert [wire.cut for wire in wires] == [False] * 2 + [True] * 8 + [False] * 2


def test_of_a_socket_without_addresses_the_oldest_goes() -> None:
    door = Door(asyncio.Protocol, 2)
    wires = _enter(door, None, None, None)
    assert [wire.cut for wire in wires] == [True, False, False]


def test_who_has_gone_makes_room_once() -> None:
    door = Door(asyncio.Protocol, 2)
    first, second = door(), door()
    wires = [Wire("10.0.0.1"), Wire("10.0.0.1")]
    first.connection_made(wires[0])
    second.connection_made(wires[1])
    first.connection_lost(None)
    first.connection_lost(None)
    [third] = _enter(door, "10.0.0.2")
    [fourth] = _enter(door, "10.0.0.2")
    assert [each.cut for each in (*wires, third, fourth)] == [False, True, False, False]


def test_who_has_an_ipv6_network_is_one() -> None:
    """2**64 addresses are as easily had as one; those of a class in one network are still apart."""
    door = Door(asyncio.Protocol, 6)
    page, twice = ["2001:db8:0:1::1"], ["2001:db8:0:2::1", "2001:db8:0:2::1"]
    wires = _enter(door, *page, *twice, *[f"2001:db8:0:9::{n:x}" for n in range(1, 9)])
    assert [wire.cut for wire in wires] == [False] * 3 + [True] * 5 + [False] * 3
    # Within a network it is the address with most.
    greedy = ["2001:db8:0:9::ff"] * 4
    wires = _enter(Door(asyncio.Protocol, 4), "2001:db8:0:9::1", "2001:db8:0:9::2", *greedy)
    assert [wire.cut for wire in wires] == [False] * 2 + [True] * 2 + [False] * 2


@pytest.mark.parametrize("each", ["fe80::{}%eth0", "::ffff:10.0.0.{}"])
def test_links_and_mapped_addresses_are_no_networks(each: str) -> None:
    three = [each.format(number) for number in (1, 2, 3)]
    wires = _enter(Door(asyncio.Protocol, 5), *three, *["10.9.9.9"] * 3)
    assert [wire.cut for wire in wires] == [False] * 3 + [True] + [False] * 2
