"""Who is sent away when too many are connected."""

import asyncio

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
