"""Trains: what a turn has changed, encoded once for all members of an update group."""

from collections import defaultdict
from dataclasses import dataclass, field
from typing import Final

from reflector.bgp.limits import MAX_MESSAGE_BYTES
from reflector.bgp.message import count_messages
from reflector.rib.path import Path
from reflector.rib.source import Source

# Cars that are coupled into one piece for the members that get all of them. A source gets the other
# pieces whole and of its own piece each car but its own: few buffers for the kernel, and all shared.
_COUPLED_CARS: Final = 64


@dataclass(slots=True)
class _Coupled:
    """Neighbouring cars, and all of them as one."""

    cars: list[tuple[Source, bytes]]
    whole: bytes
    sources: set[Source]


@dataclass(slots=True)
class Train:
    """The encoded changes of a turn.

    Attributes:
        cars: Messages with the source that doesn't get them, in the order to be sent.
        whole: All cars as one, for the members that are no source of any.
        coupled: The cars in pieces, for the members that are a source of some.
        sources: The sources of cars.
        updates: How many UPDATEs the cars are.
        updates_of: How many of them are not for a source.
        taken_back: Prefixes to withdraw from a source whose own path became the best.
        local: Our own paths, which every member gets with its own next hop.
    """

    cars: list[tuple[Source, bytes]] = field(default_factory=list)
    whole: list[bytes] = field(default_factory=list)
    coupled: list[_Coupled] = field(default_factory=list)
    sources: set[Source] = field(default_factory=set)
    updates: int = 0
    updates_of: dict[Source, int] = field(default_factory=dict)
    taken_back: dict[Source, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    local: list[tuple[Path, list[bytes]]] = field(default_factory=list)

    def couple(self) -> None:
        """Join neighbouring cars of one source, then cars in pieces, and the pieces as a whole."""
        joined: list[tuple[Source, list[bytes]]] = []
        last: Source | None = None
        parts: list[bytes] = []
        for source, messages in self.cars:
            if source is not last:
                last, parts = source, []
                joined.append((source, parts))
            parts.append(messages)
        self.cars = [(source, b"".join(parts)) for source, parts in joined]
        for source, parts in joined:
            # What would fit a message is one: routes are only cut where they don't.
            larger = [each for each in parts if len(each) > MAX_MESSAGE_BYTES]
            updates = len(parts) - len(larger) + sum(map(count_messages, larger))
            self.updates += updates
            self.updates_of[source] = self.updates_of.get(source, 0) + updates
        self.sources = set(self.updates_of)
        for start in range(0, len(self.cars), _COUPLED_CARS):
            cars = self.cars[start : start + _COUPLED_CARS]
            whole = b"".join([messages for _, messages in cars])
            self.coupled.append(_Coupled(cars, whole, {source for source, _ in cars}))
        if self.coupled:
            self.whole = [b"".join([coupled.whole for coupled in self.coupled])]

    def without(self, source: Source) -> list[bytes]:
        """The messages less those of one source."""
        chunks: list[bytes] = []
        for coupled in self.coupled:
            if source in coupled.sources:
                chunks += [messages for origin, messages in coupled.cars if origin is not source]
            else:
                chunks.append(coupled.whole)
        return chunks


@dataclass(slots=True)
class Piece:
    """A part of the table, encoded for all members that are at the same place of it.

    Attributes:
        train: Its encoding.
        count: How many prefixes it took.
        cost: How many it counts for.
    """

    train: Train
    count: int
    cost: int
