"""What bgpd.conf says of the routes that peers may send and are sent."""

from typing import Final

from reflector.config import kinds
from reflector.config.model import MaximumPrefix

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
