"""Tells which statement a line of bgpd.conf is.

As in FRR a word may be cut short as long as only one statement fits (`nei kube remote 64512`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from enum import IntEnum
from typing import Final

from reflector.config.frr_statements import COSMETIC, REFUSED, UNDERSTOOD

ANY: Final = "*"
REST: Final = "..."
_MAX_SHOWN: Final = 3  # statements in a message


class UnknownStatementError(Exception):
    """No statement fits, or several do; the message says which there are."""


class _Fit(IntEnum):
    """How well a word fits, the best last."""

    ANY = 0
    CUT_SHORT = 1
    EXACT = 2


@dataclass(frozen=True, slots=True)
class Statement:
    """A line that was recognised.

    Args:
        entry: Of the table that knows it.
        arguments: The words at its `*` and `...`; with `no` in front the last ones may be missing.
    """

    entry: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    entry: str
    words: tuple[str, ...]
    takes_more: bool
    only_no: bool = False

    def fit(self, words: list[str], *, no: bool) -> tuple[_Fit, ...] | None:
        """How well each of its words fits a statement's; None if it doesn't fit."""
        if self.only_no and not no:
            return None
        if len(words) < len(self.words):
            # `no neighbor X description` need not repeat what it takes back.
            missing = self.words[len(words) :]
            if not no or any(word not in (ANY, REST) for word in missing):
                return None
        elif len(words) > len(self.words) and not self.takes_more:
            return None
        fits = tuple(_fit(*pair) for pair in zip(self.words, words, strict=False))
        return None if None in fits else fits  # type: ignore[return-value]  # no None is left

    def begins_with(self, words: list[str]) -> bool:
        """Whether a statement that begins with these words can be this one, once it goes on."""
        goes_on = len(self.words) > len(words) and not self.only_no
        return goes_on and None not in map(_fit, self.words, words)

    def arguments(self, words: list[str]) -> tuple[str, ...]:
        """A fitting statement's words for `*` and `...`."""
        found = [word for ours, word in zip(self.words, words, strict=False) if ours == ANY]
        if self.words[-1] == REST and len(words) >= len(self.words):
            found.append(" ".join(words[len(self.words) - 1 :]))
        return tuple(found)


def _fit(ours: str, theirs: str) -> _Fit | None:
    if ours in (ANY, REST):
        return _Fit.ANY
    if ours == theirs:
        return _Fit.EXACT
    return _Fit.CUT_SHORT if ours.startswith(theirs) else None


def _patterns() -> Iterator[_Pattern]:
    for entry in UNDERSTOOD:
        words = tuple(entry.removeprefix("no ").split())
        only_no = entry.startswith("no ")
        yield _Pattern(entry, words, takes_more=words[-1] == REST, only_no=only_no)
    for entry in (*COSMETIC, *REFUSED):
        yield _Pattern(entry, tuple(entry.split()), takes_more=True)


_PATTERNS: Final = tuple(_patterns())


def recognise(words: list[str], *, no: bool = False) -> Statement:
    """Find the statement that a line is.

    Args:
        words: Of the line, without a `no` in front.
        no: Whether there was one.

    Raises:
        UnknownStatementError: None fits, or more than one.
    """
    fitting = [
        ((fits, len(pattern.words) <= len(words)), pattern)
        for pattern in _PATTERNS
        if (fits := pattern.fit(words, no=no)) is not None
    ]
    if not fitting:
        raise UnknownStatementError(_advice(words))
    # Word by word an exact one beats one that was cut short, the longer entry beats its start, and
    # one that is there as a whole beats one that `no` let end early.
    best = max(rank for rank, _ in fitting)
    found = [pattern for rank, pattern in fitting if rank == best]
    if len(found) > 1:
        meanings = ", or ".join(f"`{pattern.entry}`" for pattern in found)
        raise UnknownStatementError(f"is cut too short: it may be {meanings}")
    return Statement(found[0].entry, found[0].arguments(words))


def _advice(words: list[str]) -> str:
    """What to do about a statement that nothing fits."""
    for length in range(len(words), 0, -1):
        # What is known that begins like this, and how it goes on.
        begun = [each for each in _PATTERNS if each.begins_with(words[:length])]
        if not begun:
            continue
        if length == len(words):
            entries = ", ".join(f"`{each.entry}`" for each in begun[:_MAX_SHOWN])
            return f"is not complete: there is {entries}"
        return _did_you_mean(words, length, {each.words[length] for each in begun})
    return _did_you_mean(words, 0, {each.words[0] for each in _PATTERNS})


def _did_you_mean(words: list[str], length: int, following: set[str]) -> str:
    unknown = "is no statement that is understood"
    close = get_close_matches(words[length], following, n=1)
    if close and close[0] != words[length]:
        return f"{unknown}, did you mean `{' '.join([*words[:length], close[0]])}`?"
    return f"{unknown}; take the line out"
