"""What the operator got wrong, all of it at once."""

from dataclasses import dataclass


def printable(text: str) -> str:
    """A text on one line and without what a terminal would obey: messages quote the file."""
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake in a file.

    Args:
        file: As the operator named it.
        line: From 1; 0 where no line is to blame.
        column: From 1; 0 where no column is.
        key: The key's path, `limits.max_sessions`; empty where no key is to blame.
        what: What is wrong and what to do, in words.
    """

    file: str
    line: int
    column: int
    key: str
    what: str

    def __str__(self) -> str:
        where = [self.file, *(str(n) for n in (self.line, self.column) if n)]
        return printable(f"{':'.join(where)}: {self.key + ': ' if self.key else ''}{self.what}")


class ConfigError(Exception):
    """A configuration can't be used.

    Args:
        findings: Everything wrong with it, in the order of the file.
    """

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("\n".join(map(str, findings)))
        self.findings = findings
