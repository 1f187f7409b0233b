"""The event stream: a snapshot, then what changes, twice a second, the same octets for all of a form.

Nothing is worked out while nobody listens. Who reads too slowly is cut off, and comes back by itself:
a browser reconnects with the number of the last message that it has, and gets what it missed, or a
snapshot where that is too old.
"""

import asyncio
import contextlib
import json
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from reflector.observe import views
from reflector.observe.journal.wording import describe
from reflector.observe.ledger import Happening
from reflector.observe.reflector import Reflector
from reflector.observe.roll import Roll
from reflector.observe.server.delta import by_field

# How often changes are looked for: soon enough to be "at once" for a class.
_PERIOD_S: Final = 0.5
# How long the loop may be held at a stretch.
_SLICE_S: Final = 0.002
# Messages that are kept for who comes back, about a minute and a half of a busy class.
_KEPT: Final = 200
# Messages that wait for one reader; then it is cut off.
_WAITING: Final = 64
# How long a form of deltas is made on when its last listener has gone: a browser comes back in a second.
_LINGER_S: Final = 30.0
_HEARTBEAT_S: Final = 15.0
# Of a message's number; of thousands, Python refuses to make one.
_MAX_DIGITS: Final = 12
_TIMELINE: Final = 200

View = dict[str, Any]
Form = Callable[[View, Mapping[str, View], Mapping[str, View]], View]


def _whole(changes: View, _before: Mapping[str, View], _now: Mapping[str, View]) -> View:
    return changes


# What a listener may ask for as its deltas: peers that have changed whole, or the fields that have.
FORMS: Final[dict[str, Form]] = {"": _whole, "fields": by_field}


@dataclass(slots=True)
class _Telling:
    """What is told in a form.

    Args:
        form: Which.
        kept: The last messages, by number, each followed by the next; none while nobody wanted the form.
        listeners: How many there are.
        left_s: When the last one went, in loop time.
    """

    form: Form
    kept: deque[tuple[int, bytes]] = field(default_factory=lambda: deque(maxlen=_KEPT))
    listeners: int = 0
    left_s: float | None = None

    def is_wanted(self, now_s: float) -> bool:
        """Whether somebody listens, or did a moment ago."""
        return self.listeners > 0 or (self.left_s is not None and now_s < self.left_s + _LINGER_S)


def event_view(happening: Happening, clock_offset_s: float) -> View:
    """Something that happened, as the API has it.

    Args:
        happening: What.
        clock_offset_s: What makes of the loop's time seconds since the epoch.
    """
    line = describe(happening.report)
    return {
        "number": happening.number,
        "at": round(happening.at_s + clock_offset_s, 3),
        "level": line.level,
        "event": line.event,
        "message": line.message,
        **line.fields,
    }


class Stream:
    """What all listeners are told.

    Args:
        reflector: Of what.
        started_s: When the API was started, in loop time.
    """

    def __init__(self, reflector: Reflector, started_s: float) -> None:
        self._reflector = reflector
        self._loop = asyncio.get_running_loop()
        self._started_s = started_s
        self._roll = Roll(reflector, reflector.desk.wall_clock.offset_s)
        self._boot = secrets.token_hex(4)
        self._number = 0
        self._tellings = {name: _Telling(form) for name, form in FORMS.items()}
        self._listeners: dict[asyncio.Queue[bytes | None], _Telling] = {}
        self._producer: asyncio.Task[None] | None = None
        self._looked = asyncio.Event()
        self._summary: View = {}
        self._peers: dict[str, View] = {}
        self._problems: list[View] = []
        self._told = 0
        self._whole = b""
        self._closed = False

    async def listen(self, last_id: str, form: str = "") -> AsyncGenerator[bytes, None]:
        """Messages for one listener, ready to be written, until the stream is closed.

        Args:
            last_id: Of the last message that it has, empty for none.
            form: Of its deltas, of `FORMS`.
        """
        if self._closed:
            return
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING)
        if self._producer is None or self._producer.done():
            self._looked.clear()
            self._producer = self._loop.create_task(self._produce())
        await self._looked.wait()
        yield b"retry: 1000\n\n"
        telling = self._tellings[form]
        missed = self._missed(last_id, telling.kept)
        if missed is None:
            missed = [self._snapshot()]
        self._listeners[queue] = telling
        telling.listeners += 1
        try:
            for message in missed:
                yield message
            while True:
                try:
                    async with asyncio.timeout(_HEARTBEAT_S):
                        message_or_end = await queue.get()
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if message_or_end is None:
                    return
                yield message_or_end
        finally:
            self._listeners.pop(queue, None)
            telling.listeners -= 1
            telling.left_s = self._loop.time()

    async def close(self) -> None:
        """End every listener's stream."""
        self._closed = True
        self._looked.set()
        if self._producer is not None:
            self._producer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._producer
        for queue in list(self._listeners):
            self._end(queue)

    @staticmethod
    def _end(queue: asyncio.Queue[bytes | None]) -> None:
        while not queue.empty():
            queue.get_nowait()
        queue.put_nowait(None)

    def _missed(self, last_id: str, kept: deque[tuple[int, bytes]]) -> list[bytes] | None:
        """What somebody missed who has a message; None if that isn't known any more."""
        boot, _, text = last_id.partition("-")
        if boot != self._boot or not text.isdecimal() or len(text) > _MAX_DIGITS:
            return None
        number = int(text)
        if number > self._number or (kept and number < kept[0][0] - 1):
            return None
        if number < self._number and not kept:
            return None
        return [message for each, message in kept if each > number]

    def _snapshot(self) -> bytes:
        """All there is; the same octets for all that come before something changes."""
        if not self._whole:
            self._whole = self._describe_all()
        return self._whole

    def _describe_all(self) -> bytes:
        last = list(self._reflector.desk.ledger.happenings)[-_TIMELINE:]
        content = {
            "summary": self._summary,
            "peers": self._peers,
            "problems": self._problems,
            "events": [
                event_view(each, self._roll.clock_offset_s)
                for each in last
                if each.number <= self._told
            ],
        }
        return self._message("snapshot", content)

    def _message(self, event: str, content: View) -> bytes:
        data = json.dumps(content, separators=(",", ":"))
        return f"id: {self._boot}-{self._number}\nevent: {event}\ndata: {data}\n\n".encode()

    async def _produce(self) -> None:
        idle = 0
        while idle < 2:  # noqa: PLR2004 - who is just reloading the page finds all as it was
            before = self._peers
            changes = await self._look()
            self._looked.set()
            if changes:
                self._number += 1
                self._whole = b""
                self._tell(changes, before)
            idle = 0 if self._listeners else idle + 1
            await asyncio.sleep(_PERIOD_S)

    def _tell(self, changes: View, before: Mapping[str, View]) -> None:
        """Tell each listener in its form, and make no form that nobody wants."""
        now_s = self._loop.time()
        for telling in self._tellings.values():
            if not telling.is_wanted(now_s):
                telling.kept.clear()
                continue
            message = self._message("delta", telling.form(changes, before, self._peers))
            telling.kept.append((self._number, message))
        for queue, telling in list(self._listeners.items()):
            if queue.full():
                del self._listeners[queue]
                self._end(queue)
            else:
                queue.put_nowait(telling.kept[-1][1])

    async def _look(self) -> View:
        """Find what has changed since the last time; all has if the clock was set."""
        self._roll.clock_offset_s = self._reflector.desk.wall_clock.offset_s
        changes: View = {}
        peers: dict[str, View] = {}
        pause_at_s = self._loop.time() + _SLICE_S
        for key, view in self._roll.views():
            peers[key] = view
            if self._loop.time() >= pause_at_s:
                await asyncio.sleep(0)
                pause_at_s = self._loop.time() + _SLICE_S
        different: dict[str, View | None] = {
            key: view for key, view in peers.items() if self._peers.get(key) is not view
        }
        different |= dict.fromkeys(self._peers.keys() - peers.keys())
        if different:
            changes["peers"] = different
        problems = [each.view() for each in await self._reflector.desk.problems(self._reflector)]
        if problems != self._problems:
            changes["problems"] = problems
        summary: View = views.summary(self._reflector, 0)
        summary["started"] = round(self._started_s + self._roll.clock_offset_s)
        del summary["up_s"]
        if summary != self._summary:
            changes["summary"] = summary
        ledger = self._reflector.desk.ledger
        if ledger.number > self._told:
            fresh = [each for each in ledger.happenings if each.number > self._told]
            changes["events"] = [
                event_view(each, self._roll.clock_offset_s) for each in fresh[-_TIMELINE:]
            ]
            self._told = ledger.number
        self._peers, self._problems, self._summary = peers, problems, summary
        return changes
