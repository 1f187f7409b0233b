"""Route maps of bgpd.conf, and the lists that they name, as far as policies say exactly the same.

What a map holds is judged where a neighbor names it: a map that nobody uses does nothing.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Final

from reflector.config.frr_filters import VERDICTS, PrefixLists
from reflector.config.model import FamilyName
from reflector.config.policy_kinds import COMMUNITY, NUMBER
from reflector.config.policy_model import Otherwise, Policy, Rule

_CONTENT: Final = frozenset({"match", "set", "on-match", "call", "continue", "description"})
_MATCHES_PREFIX: Final[dict[str, FamilyName]] = {
    "ip address prefix-list": "ipv4",
    "ipv6 address prefix-list": "ipv6",
}
_MATCHES: Final = (*_MATCHES_PREFIX, "community", "large-community", "as-path")
_LISTS: Final = {
    "community": "bgp community-list",
    "large-community": "bgp large-community-list",
    "as-path": "bgp as-path access-list",
}
_ENTRY: Final = re.compile(r"(?:standard )?(\S+)(?: seq ([0-9]{1,10}))? (permit|deny) (.+)")
_CONTAINS: Final = re.compile("_([0-9]{1,10})_")
_EMPTY: Final = "^$"
_STEP: Final = 5  # between numbers that FRR gives

# Alternatives of a condition: what each of them sets of a rule. None of them: it never holds.
_Ways = list[Callable[[Rule], Rule]]


class RouteMapError(Exception):
    """A route map that a neighbor names can't be a policy.

    Args:
        line: Of what can't.
        what: Why, in a sentence.
    """

    def __init__(self, line: int, what: str) -> None:
        super().__init__(what)
        self.line = line


@dataclass(slots=True)
class _Entry:
    line: int
    verdict: Otherwise
    matches: dict[str, tuple[int, str]] = field(default_factory=dict)
    change: Rule = field(default_factory=Rule)
    changed_at: int | None = None
    fault: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class _Listed:
    line: int
    permits: bool
    text: str


class RouteMaps:
    """The route maps of a file, and the policies that become of those that are used.

    Args:
        prefix_lists: Those of the file, among which the policies are kept.
    """

    def __init__(self, prefix_lists: PrefixLists) -> None:
        self._prefix_lists = prefix_lists
        self._maps: dict[str, dict[int, _Entry]] = {}
        self._lists: dict[tuple[str, str], dict[int, _Listed]] = {}
        self._entry: _Entry | None = None

    # What a file says.

    def begin(self, line: int, name: str, verdict: str, number: str) -> None:
        """Read `route-map NAME permit|deny N`.

        Raises:
            ValueError: N is no number.
        """
        if not re.fullmatch("[0-9]{1,5}", number):
            raise ValueError(f"{number!r} is not the number of an entry")
        entries = self._maps.setdefault(name, {})
        self._entry = entries.setdefault(int(number), _Entry(line, VERDICTS[verdict]))
        self._entry.verdict = VERDICTS[verdict]

    def content(self, line: int, words: list[str]) -> bool:
        """Read a line below it.

        Returns:
            Whether it belongs there; else the block is over.
        """
        verb = " ".join(words[1:2] if words[0] == "no" else words[:1])
        meant = [each for each in _CONTENT if verb and each.startswith(verb)]
        if not meant:
            return False
        if self._entry is not None and meant != ["description"]:
            try:
                self._clause(self._entry, line, words)
            except ValueError as error:
                self._entry.fault = self._entry.fault or (line, f"{' '.join(words)}: {error}")
        return True

    def listed(self, line: int, kind: str, text: str) -> None:
        """Read what follows `bgp community-list` and its like.

        Args:
            line: Where it stands.
            kind: `community`, `large-community` or `as-path`.
            text: What follows.
        """
        found = _ENTRY.fullmatch(text)
        name = text.removeprefix("expanded ").split(" ")[0] if found is None else found[1]
        entries = self._lists.setdefault((kind, name), {})
        number = max(entries, default=0) + _STEP
        if found is None:
            entries[number] = _Listed(line, permits=False, text="")
            return
        entries[int(found[2] or number)] = _Listed(line, found[3] == "permit", found[4])

    @staticmethod
    def _clause(entry: _Entry, line: int, words: list[str]) -> None:
        verb, text = words[0], " ".join(words[1:])
        if verb == "match":
            kind = next((each for each in _MATCHES if text.startswith(f"{each} ")), None)
            name = "" if kind is None else text[len(kind) + 1 :]
            if kind is None or " " in name:
                known = ", ".join(f"`{each} NAME`" for each in _MATCHES)
                raise ValueError(f"of conditions there are {known}")
            entry.matches[kind] = line, name
        elif verb == "set":
            entry.change = _change(entry.change, words[1:])
            entry.changed_at = line
        else:
            raise ValueError(
                "only `match` and `set` are supported, and the first entry that matches"
            )

    # What becomes of it.

    def policy(self, names: Mapping[FamilyName, str], line: int, *, outbound: bool) -> str | None:
        """The policy that maps come to, by its name. Families without a map pass.

        Args:
            names: Of the maps.
            line: Of the neighbor that names them.
            outbound: Whether they are about what the neighbor is sent.

        Raises:
            RouteMapError: They can't be one.
        """
        if not names:
            return None
        rules: list[Rule] = []
        for family, name in names.items():
            entries = self._maps.get(name)
            if entries is None:
                raise RouteMapError(line, f"there is no `route-map {name}`")
            for _, entry in sorted(entries.items()):
                rules += self._rules(family, entry, outbound=outbound)
            rules.append(Rule((self._prefix_lists.anything(family),), then="reject"))
        titles = [f"route-map {name} ({family})" for family, name in names.items()]
        title = " and ".join(titles)
        self._prefix_lists.policies[title] = Policy(title, "accept", tuple(rules))
        return title

    def _rules(self, family: FamilyName, entry: _Entry, *, outbound: bool) -> Iterator[Rule]:
        """A rule for each way in which all conditions of an entry can hold."""
        if entry.fault is not None:
            raise RouteMapError(*entry.fault)
        if outbound and entry.changed_at is not None:
            raise RouteMapError(
                entry.changed_at,
                "FRR sets nothing on routes that it reflects; set it where they come in, or take it out",
            )
        if {"community", "large-community"} <= entry.matches.keys():
            raise RouteMapError(entry.line, "it may match either communities or large ones")
        conditions = [self._ways(family, kind, *named) for kind, named in entry.matches.items()]
        if not any(kind in _MATCHES_PREFIX for kind in entry.matches):
            everything = self._prefix_lists.anything(family)
            conditions.append([lambda rule: replace(rule, prefix_sets=(everything,))])
        for ways in product(*conditions):
            rule = replace(entry.change, then=entry.verdict)
            for way in ways:
                rule = way(rule)
            yield rule

    def _ways(self, family: FamilyName, kind: str, line: int, name: str) -> _Ways:
        if kind in _MATCHES_PREFIX:
            if _MATCHES_PREFIX[kind] != family:
                return []  # no prefix of one family is in a list of the other
            try:
                found = self._prefix_lists.permitted(family, name)
            except LookupError as error:
                raise RouteMapError(line, str(error.args[0])) from None
            return [lambda rule: replace(rule, prefix_sets=found)]
        entries = self._lists.get((kind, name))
        if entries is None:
            raise RouteMapError(line, f"there is no `{_LISTS[kind]} {name}`")
        texts = []
        for _, listed in sorted(entries.items()):
            if not listed.permits:
                raise RouteMapError(
                    listed.line,
                    "a list that a route map names may hold plain `permit` entries alone",
                )
            texts.append((listed.line, listed.text))
        return _paths(texts) if kind == "as-path" else [_communities(kind, texts)]


def _communities(kind: str, texts: list[tuple[int, str]]) -> Callable[[Rule], Rule]:
    wanted = []
    for line, text in texts:
        try:
            wanted.append(_community(kind, text))
        except ValueError:
            raise RouteMapError(
                line, f"{text!r}: an entry must be one {kind}, which a route has"
            ) from None
    return lambda rule: replace(rule, communities=tuple(wanted))


def _paths(texts: list[tuple[int, str]]) -> _Ways:
    numbers: list[int] = []
    ways: _Ways = []
    for line, text in texts:
        found = _CONTAINS.fullmatch(text)
        if found is not None:
            numbers.append(int(found[1]))
        elif text == _EMPTY:
            ways.append(lambda rule: replace(rule, as_path_length=(0, 0)))
        else:
            raise RouteMapError(
                line, f"{text!r}: of expressions for AS paths there are `_65001_` and `^$`"
            )
    if numbers:
        ways.append(lambda rule: replace(rule, as_path=tuple(numbers)))
    return ways


def _community(kind: str, text: str) -> tuple[int, bytes]:
    """One community as the kind has it; FRR's other words for them are left to nobody's guess."""
    parts = {"community": 2, "large-community": 3}[kind]
    if len(text.split(":")) != parts or not re.fullmatch("[0-9:]+", text):
        raise ValueError(f"{text!r} is no {kind} of {parts} numbers")
    return COMMUNITY.read(text)  # type: ignore[return-value]  # what it reads


def _change(rule: Rule, words: list[str]) -> Rule:
    match words:
        case ["local-preference", number]:
            return replace(rule, set_local_pref=int(str(NUMBER.read(number))))
        case ["metric", number]:
            return replace(rule, set_med=int(str(NUMBER.read(number))))
        case ["community" | "large-community" as kind, *values, "additive"] if values:
            code = _community(kind, values[0])[0]
            others = tuple(each for each in rule.add_communities if each[0] != code)
            added = tuple(_community(kind, value) for value in values)
            return replace(rule, add_communities=others + added)
        case ["community" | "large-community", *_]:
            raise ValueError("communities can be added (`additive`), and not replaced")
    raise ValueError(
        "of changes there are `local-preference N`, `metric N`, and `community ... additive`"
    )
