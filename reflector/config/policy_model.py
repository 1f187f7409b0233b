"""What the configuration says of policies: frozen, and by name where it names them."""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

Then = Literal["accept", "reject", "next"]
Otherwise = Literal["accept", "reject"]


@dataclass(frozen=True, slots=True)
class PrefixRange:
    """Prefixes within a network, `10.0.0.0/8 ge 16 le 24`.

    Args:
        network: In which they lie.
        least: Their shortest length.
        most: Their longest length.
    """

    network: IPv4Network | IPv6Network
    least: int
    most: int

    def __str__(self) -> str:
        own, longest = self.network.prefixlen, self.network.max_prefixlen
        if self.least == self.most:
            return (
                str(self.network)
                if self.least == own
                else f"{self.network} ge {self.least} le {self.most}"
            )
        least = "" if self.least == own else f" ge {self.least}"
        most = "" if self.most == longest and least else f" le {self.most}"
        return f"{self.network}{least}{most}"


@dataclass(frozen=True, slots=True)
class PrefixSet:
    """Prefixes that go by a name."""

    name: str
    prefixes: tuple[PrefixRange, ...]


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of a policy. Conditions that are left out hold for everything.

    Args:
        prefix_sets: The prefix is in one of these sets.
        communities: One of these is set, each with the code of the attribute for it.
        from_peers: The peer that it came from has an address in one of these.
        as_path: One of these AS numbers is in AS_PATH.
        as_path_length: Least and most AS numbers in AS_PATH.
        then: What becomes of a route for which all of that holds.
        set_local_pref: The LOCAL_PREF that it gets.
        set_med: The MULTI_EXIT_DISC that it gets, "none" to remove the one that it has.
        add_communities: Communities that it gets.
    """

    prefix_sets: tuple[str, ...] = ()
    communities: tuple[tuple[int, bytes], ...] = ()
    from_peers: tuple[IPv4Network | IPv6Network, ...] = ()
    as_path: tuple[int, ...] = ()
    as_path_length: tuple[int, int] | None = None
    then: Then = "accept"
    set_local_pref: int | None = None
    set_med: int | Literal["none"] | None = None
    add_communities: tuple[tuple[int, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, and what becomes of what none of its rules decides."""

    name: str
    otherwise: Otherwise
    rules: tuple[Rule, ...] = ()
