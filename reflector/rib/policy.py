"""Policies: which routes are accepted or rejected, and what is changed on them. Pure.

A policy is a list of rules. A rule has conditions, all of which must hold, and says what then
becomes of the route: it is accepted, rejected, or the next rule is asked. What no rule decides is
treated as the policy says at its end.

All conditions but prefix sets are about the path, so that they are looked at once for all prefixes
that share it: `Policy.plan`. Only where a rule that is left has a prefix set is there a question to
each prefix.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Network, IPv6Network
from typing import Literal

from reflector.bgp.attributes import PathAttributes
from reflector.bgp.rewrite import (
    as_numbers,
    communities_of,
    with_communities,
    with_local_pref,
    with_med,
)
from reflector.bgp.vocabulary import Family
from reflector.rib.prefix_set import PrefixSet
from reflector.rib.returning import Returning, returning
from reflector.rib.source import Source


class Verdict(Enum):
    """What a rule says of a route that it fits."""

    ACCEPT = "accept"
    REJECT = "reject"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Change:
    """What a rule sets on a route.

    Args:
        local_pref: LOCAL_PREF, None to leave it.
        med: MULTI_EXIT_DISC, "none" to remove it, None to leave it.
        communities: To add, each with the code of the attribute for it.
    """

    local_pref: int | None = None
    med: int | Literal["none"] | None = None
    communities: tuple[tuple[int, bytes], ...] = ()

    def apply(self, attributes: PathAttributes, *, heeded: bool) -> PathAttributes:
        """The attributes with it.

        Args:
            attributes: Before.
            heeded: Whether communities that are added are heeded by ourselves.
        """
        if self.local_pref is not None:
            attributes = with_local_pref(attributes, self.local_pref)
        if self.med is not None:
            attributes = with_med(attributes, None if self.med == "none" else self.med)
        if self.communities:
            attributes = with_communities(attributes, self.communities, heeded=heeded)
        return attributes


@dataclass(frozen=True, slots=True)
class Side:
    """Where a route must come from: from certain peers, or from any others. Our own fit neither.

    Args:
        peers: Which.
        inside: Whether it must come from one of them.
    """

    peers: frozenset[Returning]
    inside: bool

    def holds(self, source: Source) -> bool:
        """Whether routes of a source come from there."""
        return not source.local and (returning(source) in self.peers) is self.inside


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: empty conditions hold for everything.

    Args:
        name: For people who want to know what rejected a route.
        verdict: What becomes of a route that fits.
        prefixes: The prefix is in one of these sets.
        communities: One of these is set, each with the code of the attribute for it.
        peers: The peer that the route came from has an address in one of these.
        as_path: One of these is in AS_PATH.
        as_path_length: Least and most AS numbers in AS_PATH.
        change: What is set on it.
        side: It comes from certain peers, or from any others.
    """

    name: str
    verdict: Verdict = Verdict.ACCEPT
    prefixes: tuple[PrefixSet, ...] = ()
    communities: frozenset[tuple[int, bytes]] = frozenset()
    peers: tuple[IPv4Network | IPv6Network, ...] = ()
    as_path: frozenset[int] = frozenset()
    as_path_length: tuple[int, int] | None = None
    change: Change = Change()
    side: Side | None = None

    def fits_path(self, attributes: PathAttributes, source: Source) -> bool:
        """Whether all conditions but the prefix's hold."""
        if self.side is not None and not self.side.holds(source):
            return False
        if self.as_path_length is not None:
            least, most = self.as_path_length
            if not least <= attributes.as_path_length <= most:
                return False
        if self.peers:
            address = source.address
            if source.local or not any(address in network for network in self.peers):
                return False
        if self.communities and self.communities.isdisjoint(communities_of(attributes)):
            return False
        return not self.as_path or not self.as_path.isdisjoint(as_numbers(attributes))

    def fits_prefix(self, family: Family, prefix: bytes) -> bool:
        """Whether the prefix's condition holds."""
        return not self.prefixes or any(each.holds(family, prefix) for each in self.prefixes)


@dataclass(slots=True, eq=False)
class Outcome:
    """What becomes of prefixes of a path.

    Attributes:
        attributes: With what the rules set; None if they are rejected.
        rule: Which decided.
        names_default: Whether it was asked for the default route by name.
    """

    attributes: PathAttributes | None
    rule: str
    names_default: bool


class Plan:
    """The rules of a policy that a path fits.

    Args:
        rules: Up to the first that fits all prefixes and decides.
        attributes: Of the path.
        heeded: Whether communities that are added are heeded by ourselves.
    """

    def __init__(self, rules: list[Rule], attributes: PathAttributes, *, heeded: bool) -> None:
        self._rules = rules
        self._attributes = attributes
        self._heeded = heeded
        self._outcomes: dict[tuple[int, ...], Outcome] = {}
        # What becomes of all prefixes, where no rule that is left asks which one it is.
        self._all = None if any(rule.prefixes for rule in rules) else self._decide(rules)

    def outcome(self, family: Family, prefix: bytes) -> Outcome:
        """What becomes of one prefix."""
        if self._all is not None:
            return self._all
        fitting: list[int] = []
        for index, rule in enumerate(self._rules):
            if rule.fits_prefix(family, prefix):
                fitting.append(index)
                if rule.verdict is not Verdict.NEXT:
                    break
        key = tuple(fitting)
        outcome = self._outcomes.get(key)
        if outcome is None:
            outcome = self._outcomes[key] = self._decide([self._rules[i] for i in fitting])
        return outcome

    def sort(self, family: Family, prefixes: list[bytes]) -> dict[Outcome, list[bytes]]:
        """What becomes of each of some prefixes."""
        if self._all is not None:
            return {self._all: prefixes}
        sorted_: dict[Outcome, list[bytes]] = {}
        for prefix in prefixes:
            sorted_.setdefault(self.outcome(family, prefix), []).append(prefix)
        return sorted_

    def _decide(self, rules: list[Rule]) -> Outcome:
        last = rules[-1]
        attributes: PathAttributes | None = None
        if last.verdict is Verdict.ACCEPT:
            attributes = self._attributes
            for rule in rules:
                try:
                    attributes = rule.change.apply(attributes, heeded=self._heeded)
                except OverflowError:
                    name = f"{rule.name}, whose communities outgrow the attribute"
                    return Outcome(None, name, names_default=False)
        return Outcome(attributes, last.name, any(each.names_default for each in last.prefixes))


@dataclass(frozen=True, slots=True)
class Policy:
    """A named list of rules.

    Args:
        name: As the configuration has it.
        rules: In the order in which they are asked.
        otherwise: What becomes of what no rule decides: ACCEPT or REJECT.

    Attributes:
        lines: Beyond which sources are kept apart from those who are told by it.
    """

    name: str
    rules: tuple[Rule, ...]
    otherwise: Verdict
    lines: tuple[Side, ...] = field(init=False, compare=False, repr=False)
    _end: Rule = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        lines = tuple(rule.side for rule in self.rules if rule.side is not None)
        object.__setattr__(self, "lines", lines)
        object.__setattr__(self, "_end", Rule(f"{self.name}, otherwise", self.otherwise))

    def parts(self, source: Source) -> bool:
        """Whether a source is beyond one of the lines."""
        return any(line.holds(source) for line in self.lines)

    def plan(self, attributes: PathAttributes, source: Source, *, heeded: bool) -> Plan:
        """The rules that are left for a path's prefixes.

        Args:
            attributes: The path's.
            source: Where it came from.
            heeded: Whether communities that are added are heeded by ourselves.
        """
        return Plan(list(self._left(attributes, source)), attributes, heeded=heeded)

    def _left(self, attributes: PathAttributes, source: Source) -> Iterable[Rule]:
        for rule in self.rules:
            if rule.fits_path(attributes, source):
                yield rule
                if not rule.prefixes and rule.verdict is not Verdict.NEXT:
                    return
        yield self._end
