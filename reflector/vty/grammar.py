"""Commands as FRR writes them, understood as FRR understands them: abbreviated, completed, helped.

A pattern is written as in FRR's manual:

    show [ip] bgp [vrf NAME] [<ipv4|ipv6> [unicast]] summary [json]

Words stand for themselves, capitals are variables, brackets may be left out, and of what stands
between angle brackets one is chosen. A pattern becomes a graph of nodes, and a line is matched by
walking all patterns at once, a word at a time.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

_TOKEN: Final = re.compile(r"[\[\]<>|]|[^\s\[\]<>|]+")

# What `?` and Tab name where a line may end.
CARRIAGE_RETURN: Final = "<cr>"


class CommandError(Exception):
    """A line is no command; the message is FRR's own, without the line."""


@dataclass(frozen=True, slots=True)
class Variable:
    """What a word in capitals may be.

    Args:
        shown: How help names it, such as A.B.C.D.
        help: What it is for.
        accepts: Whether a word may stand for it.
    """

    shown: str
    help: str
    accepts: Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Match:
    """A line that is a command.

    Attributes:
        action: What the command does.
        words: The keywords that it was given, in full.
        values: The variables that it was given, by name.
    """

    action: str
    words: frozenset[str]
    values: Mapping[str, str]


@dataclass(slots=True, eq=False)
class _Node:
    """A word that may come next; without a text, the end of a command."""

    text: str
    help: str = ""
    variable: Variable | None = None
    action: str = ""
    following: list["_Node"] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Walk:
    """A way through the graph that a line's words so far have taken."""

    node: _Node
    words: tuple[str, ...] = ()
    values: tuple[tuple[str, str], ...] = ()


class Grammar:
    """All commands.

    Args:
        words: Help for each keyword.
        variables: By their name in patterns.
    """

    def __init__(self, words: Mapping[str, str], variables: Mapping[str, Variable]) -> None:
        self._words = words
        self._variables = variables
        self._start = _Node("")

    def add(self, pattern: str, action: str) -> None:
        """Add a command.

        Args:
            pattern: See above.
            action: What `match` answers for it.
        """
        tokens = _TOKEN.findall(pattern)
        end = _Node("", action=action)
        self._start.following += self._sequence(tokens, [end])
        if tokens:
            raise ValueError(f"{pattern!r} closes what it never opened")

    def match(self, line: str) -> Match:
        """Understand a line.

        Raises:
            CommandError: It is no command, or only a part of one, or could be several.
        """
        walks = self._walk(line.split())
        ends = [(walk, node) for walk in walks for node in walk.node.following if not node.text]
        if not ends:
            raise CommandError("Command incomplete")
        walk, end = ends[0]
        return Match(end.action, frozenset(walk.words), dict(walk.values))

    def next_words(self, line: str) -> list[tuple[str, str]]:
        """What may come next.

        Args:
            line: As typed so far. Unless it ends with a space, its last word is to be completed.

        Returns:
            Words with their help, in order. Nothing where the line is no command.
        """
        *words, last = (
            line.split() if line.strip() and not line[-1].isspace() else [*line.split(), ""]
        )
        try:
            walks = self._walk(words)
        except CommandError:
            return []
        found: dict[str, str] = {}
        for walk in walks:
            for node in walk.node.following:
                if node.variable is not None:
                    if not last or node.variable.accepts(last):
                        found[node.variable.shown] = node.help
                elif node.text.startswith(last) if node.text else not last:
                    found[node.text or CARRIAGE_RETURN] = node.help
        return sorted(found.items(), key=lambda item: (item[0] == CARRIAGE_RETURN, item[0]))

    def keywords(self, line: str) -> list[str]:
        """The keywords that may complete a line: what Tab offers."""
        known = self._words
        return [text for text, _ in self.next_words(line) if text in known]

    # Walking.

    def _walk(self, words: Iterable[str]) -> list[_Walk]:
        walks = [_Walk(self._start)]
        for word in words:
            walks = self._step(walks, word)
        return walks

    def _step(self, walks: list[_Walk], word: str) -> list[_Walk]:
        """Take one word. A keyword in full beats one that it begins, and that a variable."""
        following = [(walk, node) for walk in walks for node in walk.node.following if node.text]
        keywords = [(walk, node) for walk, node in following if node.variable is None]
        chosen = [(walk, node) for walk, node in keywords if node.text == word]
        if not chosen:
            chosen = [(walk, node) for walk, node in keywords if node.text.startswith(word)]
            if len({node.text for _, node in chosen}) > 1:
                raise CommandError("Ambiguous command")
        if chosen:
            return [_Walk(node, (*walk.words, node.text), walk.values) for walk, node in chosen]
        chosen = [
            (walk, node)
            for walk, node in following
            if node.variable is not None and node.variable.accepts(word)
        ]
        if not chosen:
            raise CommandError("Unknown command")
        return [_Walk(node, walk.words, (*walk.values, (node.text, word))) for walk, node in chosen]

    # Reading patterns: from left to right, but linked from the end, which is known first.

    def _sequence(self, tokens: list[str], followers: list[_Node]) -> list[_Node]:
        """Read tokens up to what closes or separates them; returns what the sequence begins with."""
        parts: list[Callable[[list[_Node]], list[_Node]]] = []
        while tokens and tokens[0] not in "]>|":
            parts.append(self._part(tokens))
        for part in reversed(parts):
            followers = part(followers)
        return followers

    def _part(self, tokens: list[str]) -> Callable[[list[_Node]], list[_Node]]:
        symbol = tokens.pop(0)
        if symbol == "[":
            inner = self._tokens_until("]", tokens)
            return lambda after: [*self._sequence(inner.copy(), after), *after]
        if symbol == "<":
            choices = _split_choices(self._tokens_until(">", tokens))
            return lambda after: [
                node for choice in choices for node in self._sequence(choice.copy(), after)
            ]
        variable = self._variables.get(symbol)
        if variable is not None:
            return lambda after: [_Node(symbol, variable.help, variable, following=after)]
        return lambda after: [_Node(symbol, self._words[symbol], following=after)]

    @staticmethod
    def _tokens_until(closing: str, tokens: list[str]) -> list[str]:
        """Take the tokens up to the bracket that closes, which is taken too."""
        depth = 0
        inner: list[str] = []
        while tokens:
            symbol = tokens.pop(0)
            if symbol == closing and not depth:
                return inner
            depth += (symbol in "[<") - (symbol in "]>")
            inner.append(symbol)
        raise ValueError(f"a pattern lacks its {closing}")


def _split_choices(tokens: list[str]) -> list[list[str]]:
    """Cut at the bars that stand in no brackets of their own."""
    choices: list[list[str]] = [[]]
    depth = 0
    for symbol in tokens:
        depth += (symbol in "[<") - (symbol in "]>")
        if symbol == "|" and not depth:
            choices.append([])
        else:
            choices[-1].append(symbol)
    return choices
