"""The log: what happens to peers, one line each, on stderr.

Readable on a terminal, JSON otherwise. It can't be flooded: a peer that flaps or sends garbage has
a small allowance for each kind of line, all peers together a larger one, and what exceeds them is
summed up every ten seconds. It can't stall routing: see `stderr`.
"""

import atexit
import os
import sys
import time
from collections.abc import Callable, Hashable, Iterable, MutableMapping
from functools import cache
from logging import getLevelNamesMapping
from typing import Any, Final, Literal

import structlog

from reflector.observe.journal.limiter import Limiter, Rate
from reflector.observe.journal.stderr import LineWriter, stderr_fd
from reflector.observe.journal.wording import (
    ERROR,
    INFO,
    WARNING,
    Line,
    describe,
    identify_peer,
    level_of,
    name_peer,
)
from reflector.reports import (
    ConnectionRefused,
    PeerCantRefresh,
    PeerDown,
    PeerName,
    PeerReturned,
    PeerUp,
    Report,
    RestartOver,
    RoutesKeptLong,
    StaleRoutesGone,
    Steered,
    Trouble,
    UpdateFault,
)
from reflector.speaker import Counters, Peer

Format = Literal["auto", "console", "json"]

# For each peer and kind of line: a class that starts, a few restarts and all the mistakes of one
# student pass whole; a peer that goes on and on gets six lines a minute.
_EACH: Final = Rate(burst=10, per_s=0.1)

# For everybody: a thousand peers that come up at once pass whole.
_OVERALL: Final = Rate(burst=2_000, per_s=50.0)

# How often what was held back is summed up.
_SUM_UP_S: Final = 10.0

# Spent at most twice at the end, which is to come within a second, if nobody reads stderr any more.
_FLUSH_S: Final = 0.1

EventDict = MutableMapping[str, Any]


def configure(format: Format = "auto", level: str = INFO) -> None:  # noqa: A002 - as the option
    """Say how the log is written; may be called again at any time.

    Args:
        format: "console" for people, "json" for machines, "auto" by whether stderr is a terminal.
        level: The least important level that is written: "debug", "info", "warning" or "error".
    """
    terminal = sys.stderr is not None and sys.stderr.isatty()
    console = terminal if format == "auto" else format == "console"
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            *(_for_console(terminal=terminal) if console else _JSON),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=_logger,
        cache_logger_on_first_use=False,  # a reload may configure it anew
    )
    _bound.cache_clear()


class Log:
    """Writes reports, and what peers' counters say, as lines.

    Args:
        clock: Seconds, monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._limiter: Limiter[Hashable, Report] = Limiter(_EACH, _OVERALL, clock)
        self._sum_up_at_s = clock() + _SUM_UP_S
        self._counted: dict[Peer, tuple[int, int, int]] = {}

    def __call__(self, report: Report) -> None:
        """Write a report, or hold it back where there were too many like it."""
        # Asked first: a report that isn't written must not use up the allowance of one that is.
        if _enabled(level_of(report)):
            if self._limiter.admit(_likeness(report), report):
                _emit(describe(report))
            self._sum_up()

    def note(self, message: str) -> None:
        """Write something that the operator should know about the reflector itself."""
        _emit(Line(INFO, "note", message))

    def write(self, line: Line) -> None:
        """Write a line that nothing holds back."""
        _emit(line)

    def summarise(self, peers: Iterable[Peer], held: Callable[[Peer], int] | None = None) -> None:
        """Write which peers announced and withdrew routes since the last time.

        To be called about once a second, whether or not anything happened: what was held back is
        told from here too.

        Args:
            peers: All that are established.
            held: How many routes of a peer there are now.
        """
        counted: dict[Peer, tuple[int, int, int]] = {}
        for peer in peers:
            now = _read(peer.counters)
            before = self._counted.get(peer, _NOTHING)
            # Where a peer has used up its allowance, this time's counts are told with the next.
            if now != before and self._limiter.admit_silently((peer.source.address, "routes")):
                _emit(_routes_line(peer, before, now, None if held is None else held(peer)))
                before = now
            counted[peer] = before
        self._counted = counted
        self._sum_up()

    def close(self) -> None:
        """Write what is still held back, and see it out."""
        self._tell_held_back()
        _stderr().flush(_FLUSH_S)

    def _sum_up(self) -> None:
        now_s = self._clock()
        if now_s >= self._sum_up_at_s:
            self._sum_up_at_s = now_s + _SUM_UP_S
            self._tell_held_back()

    def _tell_held_back(self) -> None:
        told, untold = self._limiter.take_held_back()
        for held_back in told:
            _emit(describe(held_back.last), suppressed=held_back.count - 1)
        if untold:
            _emit(Line(WARNING, "suppressed", f"{untold} more lines were suppressed", {}), untold)
        dropped = _stderr().take_dropped()
        if dropped:
            message = f"{dropped} lines were lost: stderr is read too slowly"
            _emit(Line(ERROR, "lines_lost", message, {"lines": dropped}))


def _emit(line: Line, suppressed: int = 0) -> None:
    message, fields = line.message, line.fields
    if suppressed:
        fields = {**fields, "suppressed": suppressed}
        if line.event != "suppressed":
            message += f" ({suppressed} more like this were suppressed)"
    getattr(_bound(), line.level)(line.event, message=message, **fields)


def _enabled(level: str) -> bool:
    return bool(_bound().is_enabled_for(_LEVELS[level.upper()]))


@cache
def _bound() -> Any:  # noqa: ANN401 - what `make_filtering_bound_logger` makes has no type
    """The logger as it is configured; structlog's own proxy would make one for each line."""
    return structlog.get_logger().bind()


_LEVELS: Final = getLevelNamesMapping()


def _likeness(report: Report) -> Hashable:
    """What "more like this" means: whose it is, and what it is to a reader.

    A router id is not in it: whoever sends garbage can also invent those.
    """
    match report:
        case PeerDown(peer, was_up):
            return peer.address, PeerDown, was_up  # a scanner mustn't hide a loss of routes
        case UpdateFault(peer, finding):
            return peer.address, UpdateFault, finding.action
        case (
            PeerUp(peer)
            | PeerReturned(peer)
            | ConnectionRefused(peer)
            | PeerCantRefresh(peer)
            | RoutesKeptLong(peer)
            | StaleRoutesGone(peer)
        ):
            return peer.address, type(report)
        case Trouble():
            return Trouble
        case RestartOver():
            return RestartOver
        case Steered(what):
            return Steered, what


# Routes.

_NOTHING: Final = (0, 0, 0)


def _read(counters: Counters) -> tuple[int, int, int]:
    return counters.announced, counters.withdrawn, counters.refused


def _routes_line(
    peer: Peer, before: tuple[int, int, int], now: tuple[int, int, int], held: int | None
) -> Line:
    learned, withdrew, refused = (b - a for a, b in zip(before, now, strict=True))
    done = []
    if learned:
        done.append(f"learned {learned}")
    if withdrew:
        done.append(f"withdrew {withdrew}")
    if refused:
        done.append(f"{refused} rejected")
    remote = peer.negotiated.remote
    name = PeerName(peer.source.address, str(remote.bgp_id), remote.capabilities.host_name)
    message = f"{name_peer(name)}: {', '.join(done)}"
    fields = {
        **identify_peer(name),
        "learned": learned,
        "withdrew": withdrew,
        "rejected": refused,
    }
    if held is not None:
        message += f" (now {held})"
        fields["held"] = held
    return Line(INFO, "routes", message, fields)


# Writing.


class _LineLogger:
    """What structlog hands its rendered lines to: a method for each level, all the same."""

    def __init__(self, writer: LineWriter) -> None:
        self.debug = self.info = self.warning = self.error = writer.write


@cache
def _stderr() -> LineWriter:
    """The process has one stderr, and so one writer to it."""
    writer = LineWriter(stderr_fd())
    atexit.register(writer.flush, _FLUSH_S)  # for an end that comes before `close`
    return writer


def _logger(*_: object) -> _LineLogger:
    return _LineLogger(_stderr())


def _for_console(*, terminal: bool) -> list[Callable[..., Any]]:
    """A time, a level and the sentence; the facts are in it."""
    # https://no-color.org: present and not empty.
    plain = not terminal or os.environ.get("NO_COLOR") or os.environ.get("TERM") in _DUMB
    return [
        _only_message,
        structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
        structlog.dev.ConsoleRenderer(colors=not plain, pad_event_to=0),
    ]


_DUMB: Final = (None, "", "dumb")


def _only_message(_logger: object, _method: str, event: EventDict) -> EventDict:
    message = str(event["message"])
    # Nothing that a peer says of itself reaches a terminal as an escape sequence or looks like
    # another line of the log.
    if not message.isprintable():
        lines = ("".join(c if c.isprintable() else "?" for c in s) for s in message.splitlines())
        message = "\n    ".join(lines)
    return {"level": event["level"], "event": message}


def _facts_last(_logger: object, _method: str, event: EventDict) -> EventDict:
    first = ("timestamp", "level", "event", "message")
    return {name: event.pop(name) for name in first} | dict(event)


_JSON: Final = (
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _facts_last,
    structlog.processors.JSONRenderer(ensure_ascii=False),
)
