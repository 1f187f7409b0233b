"""What a source holds in a table: how many prefixes, and where to look for them."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Holding:
    """The index of an Adj-RIB-In into a table, for one place of a source.

    It is a note of what was announced, not a set of what is held: a set would cost as much time and
    memory as the table itself, and that tells what is held. So who reads the notes looks there, too.

    Attributes:
        count: How many prefixes are held.
        noted: All of them. With what was withdrawn since, and twice what came again after that; as long
            as there are as many notes as prefixes are held, they are the prefixes.
    """

    count: int = 0
    noted: list[bytes] = field(default_factory=list)

    def __len__(self) -> int:
        return self.count
