"""Plays hostile cases against a reflector that runs, on plain sockets.

Three peers: a watcher that is told everything, a healthy neighbor that goes on announcing, and for
each case a hostile one with an address and identifier of its own. The watcher reads with the few
lines below: it shares no code with what is tested.
"""

from __future__ import annotations

import contextlib
import select
import socket
import time
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from typing import Final

from tests.hostile.case import (
    NEXT_HOP,
    NEXT_HOP6,
    OLD,
    REFLECTOR_ADDRESS,
    TARGET,
    TARGET6,
    Attributes,
    Case,
    Seen,
    Stage,
)
from tests.support import wire

# How long is waited for what should come at once.
ANSWER_S: Final = 5.0
# For what may still come when the fence is through (withdrawals may be sent after announcements), or
# when the session has ended: a part of that.
SETTLE: Final = 0.2
# For what needs a hold timer of 3 s: a multiple.
TIMER: Final = 3
DRIP_S: Final = 0.4
KEEPALIVE_EVERY_S: Final = 20.0
FENCE: Final = "10.254.0.0/24"
FENCE6: Final = "2001:db8:fe::/64"
HEALTHY: Final = "10.253.0.0/24"
_WATCHED: Final = (FENCE, FENCE6, HEALTHY)


class LostError(Exception):
    """The reflector does not even serve those who behave."""


class Line:
    """A TCP connection to the reflector, from an address of its own.

    Attributes:
        heard: Every message that came.
    """

    def __init__(self, port: int, address: str) -> None:
        self.address = address
        self.heard: list[bytes] = []
        self.opened = False
        self.keepalives = 0
        self.told = 0
        self.notification: tuple[int, int, bytes] | None = None
        self.ended = False
        self.table: dict[str, Attributes] = {}
        self._rest = b""
        self._sent_at = time.monotonic()
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.sock.bind((address, 0))
        self.sock.settimeout(ANSWER_S)
        self.sock.connect((REFLECTOR_ADDRESS, port))

    def send(self, data: bytes) -> None:
        """Send octets; that the other side is gone is found when reading."""
        self._sent_at = time.monotonic()
        with contextlib.suppress(OSError):
            self.sock.sendall(data)

    def keep_alive(self) -> None:
        """Send a KEEPALIVE when it is time."""
        if time.monotonic() - self._sent_at > KEEPALIVE_EVERY_S:
            self.send(wire.keepalive())

    def read(self) -> None:
        """Read what there is."""
        try:
            data = self.sock.recv(1 << 18)
        except OSError:
            data = b""
        self.ended = not data
        self._rest += data
        while len(self._rest) >= 19:
            size = int.from_bytes(self._rest[16:18])
            if len(self._rest) < size:
                break
            message, self._rest = self._rest[:size], self._rest[size:]
            self.heard.append(message)
            self._take(message[18], message[19:])

    def close(self) -> None:
        """Hang up."""
        self.sock.close()

    def _take(self, kind: int, body: bytes) -> None:
        if kind == wire.OPEN:
            self.opened = True
        elif kind == wire.KEEPALIVE:
            self.keepalives += 1
        elif kind == wire.NOTIFICATION:
            self.notification = body[0], body[1], body[2:]
        elif kind == wire.UPDATE:
            self._update(body)

    def _update(self, body: bytes) -> None:
        stop = 2 + int.from_bytes(body[:2])
        end = stop + 2 + int.from_bytes(body[stop : stop + 2])
        attributes = read_attributes(body[stop + 2 : end])
        gone = _prefixes(body[2:stop], 4)
        reach, unreach = attributes.pop(14, None), attributes.pop(15, None)
        if unreach:
            gone += _prefixes(unreach[1][3:], 4 if unreach[1][1] == 1 else 16)
        for prefix in gone:
            self.table.pop(prefix, None)
        for prefix in _prefixes(body[end:], 4):
            self.table[prefix] = attributes
            self.told += prefix == HEALTHY
        if reach:
            flags, value = reach
            nlri = value[5 + value[3] :]
            with_hop = {**attributes, 14: (flags, value[4 : 4 + value[3]])}
            for prefix in _prefixes(nlri, 4 if value[1] == 1 else 16):
                self.table[prefix] = with_hop


class Room:
    """A reflector with its watcher and its healthy neighbor.

    Args:
        port: Where the reflector listens.
        ipv6: Whether it takes IPv6 routes over IPv4 sessions.
        answer_s: How long is waited for what should come at once.

    Attributes:
        lines: Every connection that was made.
    """

    def __init__(self, port: int, *, ipv6: bool = True, answer_s: float = ANSWER_S) -> None:
        self.port = port
        self.ipv6 = ipv6
        self.answer_s = answer_s
        self._families = (wire.IPV4, wire.IPV6) if ipv6 else (wire.IPV4,)
        self.lines: list[Line] = []
        self._number = 0
        self.watcher = self._join()
        self.healthy = self._join()
        if not self._healthy_goes_on():
            raise LostError("healthy peers don't get each other's routes")

    def close(self) -> None:
        """Hang up all."""
        self.watcher.close()
        self.healthy.close()

    def play(self, case: Case) -> tuple[bool, str]:
        """Play a case.

        Returns:
            Whether what came of it may, and in words what came.

        Raises:
            LostError: Healthy peers were harmed, or not even served before the case began.
        """
        hostile = self._line()
        try:
            started = self._begin(hostile, case)
            if case.rival:
                self._announce_rival()
            before = hostile.told
            seen = self._expose(hostile, case) if started else _seen(hostile, {}, fence=False)
            good = self._judge(hostile, case, seen, before)
            if good and not self._healthy_goes_on():
                raise LostError(f"{seen.words()}; and healthy peers were harmed")
            words = seen.words()
        finally:
            hostile.close()
        if case.rival:
            self._withdraw_rival()
        left = (TARGET, TARGET6, FENCE, FENCE6)
        if not self._wait(lambda: not any(each in self.watcher.table for each in left)):
            raise LostError(f"{words}; and its routes stay when it is gone")
        return good, words

    # The parts of a case.

    def _begin(self, hostile: Line, case: Case) -> bool:
        """Bring the session to the case's stage; False if it ended on the way."""
        if case.stage is Stage.CONNECT:
            hostile.send(case.data)
            return True
        opening = case.data if case.stage is Stage.OPEN else case.opening
        hostile.send(opening or self._open(hostile))
        if not self._wait(lambda: hostile.keepalives or hostile.ended, hostile) or hostile.ended:
            return False
        if case.stage is Stage.CONFIRM:
            hostile.send(case.data)
            return True
        hostile.send(wire.keepalive())
        if case.stage is Stage.UP:
            wanted = [prefix for afi, prefix in ((1, TARGET), (2, TARGET6)) if self._has(case, afi)]
            hostile.send(b"".join(map(_announcement, wanted)))
            # And its own first dump is over.
            if not self._wait(
                lambda: (
                    all(prefix in self.watcher.table for prefix in wanted)
                    and (HEALTHY in hostile.table or not self._has(case, 1))
                ),
                hostile,
            ):
                raise LostError(f"no baseline: {_seen(hostile, {}, fence=False).words()}")
        return True

    def _expose(self, hostile: Line, case: Case) -> Seen:
        self._number += 1
        version = 1000 + self._number
        fence = FENCE if self._has(case, 1) else FENCE6

        def through() -> bool:
            return _med(self.watcher.table.get(fence, {})) == version

        if case.stage is Stage.UP:
            hostile.send(case.data)
        if case.stage in (Stage.UP, Stage.OPEN):
            hostile.send(_announcement(fence, version))
            self._wait(lambda: hostile.ended or through(), hostile)
        elif case.stage is Stage.IDLE:
            self._drip(hostile, case.data)
        else:
            self._wait(lambda: hostile.ended, hostile)
        return _seen(hostile, self.watcher.table, fence=through())

    def _judge(self, hostile: Line, case: Case, seen: Seen, before: int) -> bool:
        def good() -> bool:
            seen.ended, seen.notification = hostile.ended, hostile.notification
            seen.answered = hostile.told - before
            seen.table = _of_interest(self.watcher.table)
            return any(outcome.holds(seen) for outcome in case.may)

        return self._wait(good, hostile, timeout_s=self.answer_s * SETTLE)

    def _drip(self, hostile: Line, data: bytes) -> None:
        deadline = time.monotonic() + self.answer_s * TIMER
        for octet in data:
            if hostile.ended or time.monotonic() > deadline:
                return
            hostile.send(bytes((octet,)))
            self._wait(lambda: hostile.ended, hostile, timeout_s=DRIP_S)
        self._wait(lambda: hostile.ended, hostile, timeout_s=deadline - time.monotonic())

    def _healthy_goes_on(self) -> bool:
        self._number += 1
        version = 1000 + self._number
        self.healthy.send(_announcement(HEALTHY, version))
        return self._wait(lambda: _med(self.watcher.table.get(HEALTHY, {})) == version)

    def _announce_rival(self) -> None:
        """Have the healthy neighbor announce TARGET as second best."""
        behind = wire.usual(next_hop=wire.next_hop(NEXT_HOP), local_pref=wire.local_pref(50))
        self._have_rival_say(wire.update(wire.prefix(TARGET), behind))

    def _withdraw_rival(self) -> None:
        self._have_rival_say(wire.update(withdrawn=wire.prefix(TARGET)))

    def _have_rival_say(self, message: bytes) -> None:
        self.healthy.send(message)
        if not self._healthy_goes_on():
            raise LostError("the healthy neighbor is not heard")

    # Peers.

    def _line(self) -> Line:
        self._number += 1
        address = f"127.40.{self._number // 250}.{self._number % 250 + 1}"
        self.lines.append(Line(self.port, address))
        return self.lines[-1]

    def _open(self, line: Line) -> bytes:
        offered = wire.parameter(2, wire.capabilities(families=self._families))
        router_id = line.address.replace("127.", "10.", 1)
        return wire.open_message(router_id=router_id, hold_time_s=90, parameters=offered)

    def _join(self) -> Line:
        """A peer that behaves."""
        line = self._line()
        line.send(self._open(line))
        waited = self._wait(lambda: line.keepalives > 0, line)
        if not waited:
            raise LostError(f"a healthy peer gets no session: {line.notification}")
        line.send(wire.keepalive())
        return line

    def _has(self, case: Case, afi: int) -> bool:
        return afi in case.families and (self.ipv6 or afi == 1)

    def _wait(
        self, holds: Callable[[], object], *others: Line, timeout_s: float | None = None
    ) -> bool:
        """Read from all peers until something holds; whether it does in time."""
        deadline = time.monotonic() + (self.answer_s if timeout_s is None else timeout_s)
        own = [getattr(self, name) for name in ("watcher", "healthy") if hasattr(self, name)]
        while not holds():
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            lines = {each.sock: each for each in (*own, *others) if not each.ended}
            ready, _, _ = select.select(list(lines), [], [], min(left, 1.0))
            for sock in ready:
                lines[sock].read()
            for each in own:
                each.keep_alive()
                if each.ended:
                    raise LostError(f"a healthy peer lost its session: {each.notification}")
        return True


def _announcement(prefix: str, version: int = OLD) -> bytes:
    med = wire.med(version)
    if ":" in prefix:
        reach = wire.mp_reach(wire.IPV6, NEXT_HOP6, wire.prefix(prefix))
        return wire.update(attributes=reach + wire.usual(next_hop=med))
    hop = wire.next_hop(NEXT_HOP) + med
    return wire.update(wire.prefix(prefix), wire.usual(next_hop=hop))


def _seen(hostile: Line, table: dict[str, Attributes], *, fence: bool) -> Seen:
    return Seen(hostile.ended, hostile.notification, fence, _of_interest(table))


def _of_interest(table: dict[str, Attributes]) -> dict[str, Attributes]:
    """Without what only fences, and without what no peer of ours announced."""
    return {
        prefix: attributes
        for prefix, attributes in table.items()
        if prefix not in _WATCHED and 9 in attributes  # ORIGINATOR_ID: it was reflected
    }


def _med(attributes: Attributes) -> int:
    return int.from_bytes(attributes[4][1]) if 4 in attributes else 0


def read_attributes(data: bytes) -> dict[int, tuple[int, bytes]]:
    """Return flags and value of each attribute of a block, by type code."""
    found = {}
    while len(data) > 2:
        start = 4 if data[0] & wire.EXTENDED else 3
        stop = start + int.from_bytes(data[2:start])
        found[data[1]] = data[0], data[start:stop]
        data = data[stop:]
    return found


def _prefixes(data: bytes, size: int) -> list[str]:
    found = []
    kind = IPv4Network if size == 4 else IPv6Network
    while data:
        stop = 1 + (data[0] + 7) // 8
        address = data[1:stop].ljust(size, b"\0")
        found.append(str(kind((address, data[0]), strict=False)))
        data = data[stop:]
    return found
