"""Who has connected and has not sent an OPEN yet: how many may, and who makes room."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

from reflector.rib.source import IPAddress

C = TypeVar("C", bound=Hashable)

MAX_WAITING: Final = 2048
MAX_WAITING_PER_ADDRESS: Final = 512


class WaitingRoom(Generic[C]):
    """Connections of peers that have not sent an OPEN yet.

    A peer sends its OPEN within milliseconds. So when a flood fills the room, it is who has waited
    longest that goes, and a peer that means it is through before its turn comes. To turn newcomers
    away instead would let a flood keep everybody out for as long as an OPEN is awaited.

    Args:
        most: How many may wait.
        most_per_address: How many of one address may: a class behind NAT is many nodes on one.
    """

    def __init__(
        self, most: int = MAX_WAITING, most_per_address: int = MAX_WAITING_PER_ADDRESS
    ) -> None:
        self.most = most
        self.most_per_address = most_per_address
        self._all: OrderedDict[C, IPAddress] = OrderedDict()
        self._by_address: dict[IPAddress, OrderedDict[C, None]] = {}

    def __len__(self) -> int:
        return len(self._all)

    def enter(self, connection: C, address: IPAddress) -> tuple[C, str] | None:
        """A peer has connected.

        Returns:
            Who must go for it, and why; None if there is room.
        """
        of_address = self._by_address.setdefault(address, OrderedDict())
        gone: tuple[C, str] | None = None
        if len(of_address) >= self.most_per_address:
            oldest = next(iter(of_address))
            gone = oldest, f"{self.most_per_address} connections of {address}"
        elif len(self._all) >= self.most:
            gone = next(iter(self._all)), f"{self.most} connections"
        of_address[connection] = None
        self._all[connection] = address
        if gone is not None:
            self.leave(gone[0])
        return gone

    def leave(self, connection: C) -> None:
        """A peer has sent its OPEN, or is gone."""
        address = self._all.pop(connection, None)
        if address is None:
            return
        of_address = self._by_address[address]
        del of_address[connection]
        if not of_address:
            del self._by_address[address]
