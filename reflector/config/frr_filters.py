"""What bgpd.conf says of the routes that peers may send and are sent."""

import re
from collections.abc import Mapping
from typing import Final

from reflector.config import kinds
from reflector.config.model import FamilyName, MaximumPrefix
from reflector.config.policy_kinds import PREFIX_RANGE
from reflector.config.policy_model import Otherwise, Policy, PrefixRange, PrefixSet, Rule

_LIMIT: Final = kinds.integer(1, 2**32 - 1)
_PERCENT: Final = kinds.integer(1, 100)
_MINUTES: Final = kinds.integer(1, 1440)


def maximum_prefix(words: list[str]) -> MaximumPrefix:
    """Read what follows `neighbor X maximum-prefix`: N [percent] [restart minutes|warning-only].

    Raises:
        ValueError: It is none.
    """
    limit = int(str(_LIMIT.read(words[0])))
    rest = words[1:]
    percent = int(str(_PERCENT.read(rest.pop(0)))) if rest and rest[0].isdecimal() else 75
    match rest:
        case []:
            return MaximumPrefix(limit, "drop", percent)
        case ["warning-only"]:
            return MaximumPrefix(limit, "warn", percent)
        case ["restart", minutes]:
            return MaximumPrefix(limit, "restart", percent, 60 * int(str(_MINUTES.read(minutes))))
    raise ValueError(f"{' '.join(rest)!r} is neither `warning-only` nor `restart MINUTES`")


_ENTRY: Final = re.compile(
    r"(?:seq ([0-9]{1,10}) )?(permit|deny) (\S+)((?: ge [0-9]{1,3}| le [0-9]{1,3}){0,2})"
)
_LENGTH: Final = re.compile(r"(ge|le) ([0-9]+)")
VERDICTS: Final[dict[str, Otherwise]] = {"permit": "accept", "deny": "reject"}
_ANY: Final[dict[FamilyName, str]] = {"ipv4": "0.0.0.0/0 le 32", "ipv6": "::/0 le 128"}
_STATEMENTS: Final[dict[FamilyName, str]] = {"ipv4": "ip prefix-list", "ipv6": "ipv6 prefix-list"}
_STEP: Final = 5  # between numbers that FRR gives


class PrefixLists:
    """The prefix lists of a file, and the policies that become of those that are used.

    Attributes:
        sets: Prefix sets that the policies name.
        policies: Made so far.
    """

    def __init__(self) -> None:
        self.sets: dict[str, PrefixSet] = {}
        self.policies: dict[str, Policy] = {}
        self._lists: dict[tuple[FamilyName, str], dict[int, tuple[Otherwise, PrefixRange]]] = {}

    def read(self, family: FamilyName, text: str = "", *, no: bool) -> None:
        """Read what follows `ip prefix-list`.

        Raises:
            ValueError: It is no entry of one.
        """
        name, _, rest = text.partition(" ")
        if not name:
            raise ValueError("is not complete: it must say which list")
        if no:
            if rest:
                raise ValueError("only a whole list can be taken back; take the entry out")
            self._lists.pop((family, name), None)
            return
        if rest.startswith("description "):
            return
        entry = _ENTRY.fullmatch(rest)
        if entry is None:
            raise ValueError("is not of the form NAME [seq N] permit|deny PREFIX [ge N] [le N]")
        number, verdict, network, lengths = entry.groups()
        entries = self._lists.setdefault((family, name), {})
        key = int(number) if number else max(entries, default=0) + _STEP
        entries[key] = VERDICTS[verdict], _range(family, network, dict(_LENGTH.findall(lengths)))

    def policy(self, names: Mapping[FamilyName, str]) -> str | None:
        """The policy that lists come to, by its name. Families without a list pass.

        Raises:
            LookupError: There is no such list; the message is a sentence.
        """
        if not names:
            return None
        rules: list[Rule] = []
        for family, name in names.items():
            entries = self._lists.get((family, name))
            if entries is None:
                raise LookupError(f"there is no `{_STATEMENTS[family]} {name}`")
            for _, (verdict, prefixes) in sorted(entries.items()):
                rules.append(self._rule(prefixes, verdict))
            rules.append(self._rule(_range(family, "any", {}), "reject"))
        title = " and ".join(dict.fromkeys(names.values()))
        if len(names) == 1:
            title += f" ({next(iter(names))})"
        self.policies[title] = Policy(title, "accept", tuple(rules))
        return title

    def permitted(self, family: FamilyName, name: str) -> tuple[str, ...]:
        """The names of the sets of all that a list permits.

        Raises:
            LookupError: There is no such list, or it denies some of that; the message is a sentence.
        """
        statement = f"{_STATEMENTS[family]} {name}"
        entries = self._lists.get((family, name))
        if entries is None:
            raise LookupError(f"there is no `{statement}`")
        in_order = [entry for _, entry in sorted(entries.items())]
        while in_order and in_order[-1][0] == "reject":
            in_order.pop()  # as all is that no entry names
        if any(verdict == "reject" for verdict, _ in in_order):
            raise LookupError(
                f"`{statement}` denies before it permits, which a route map here can't ask for: "
                "permit without the exception, and deny that in an entry before"
            )
        return tuple(self._set(prefixes) for _, prefixes in in_order)

    def anything(self, family: FamilyName) -> str:
        """The name of the set of all prefixes of a family."""
        return self._set(_range(family, "any", {}))

    def _set(self, prefixes: PrefixRange) -> str:
        name = str(prefixes)
        self.sets[name] = PrefixSet(name, (prefixes,))
        return name

    def _rule(self, prefixes: PrefixRange, verdict: Otherwise) -> Rule:
        return Rule((self._set(prefixes),), then=verdict)


def _range(family: FamilyName, network: str, lengths: Mapping[str, str]) -> PrefixRange:
    text = _ANY[family] if network == "any" else network
    if network != "any":
        text += "".join(f" {word} {lengths[word]}" for word in ("ge", "le") if word in lengths)
    found = PREFIX_RANGE.read(text)
    assert isinstance(found, PrefixRange)  # noqa: S101 - what it reads
    if found.network.version != (4 if family == "ipv4" else 6):
        raise ValueError(f"{network!r} is no {family} prefix")
    return found
