"""What a restart costs a class of real kube-routers, in seconds without an answer to a ping."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from tests.kube_router.classroom import Classroom
from tests.kube_router.desk import Desk, profile
from tests.kube_router.reflectors import REFLECTORS, TWO
from tests.kube_router.setting import GRACEFUL, NO_FLAGS, REFLECTOR, SECOND, Setting
from tests.kube_router.table import say
from tests.support.pinging import Pinging
from tests.support.reflector_process import ReflectorProcess

# How long everything is watched once everybody is back.
_WATCH_S: Final = 5.0

# What happens, with whom, while pings run; how long who ends is away.
Episode = Callable[[Classroom, float], None]


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """How restarts are measured.

    Args:
        reflector: Who reflects, of `REFLECTORS`.
        two: Whether there are two of ours.
        away_s: How long who ends is away.
        rounds: How often each is measured.
    """

    reflector: str
    two: bool
    away_s: float
    rounds: int

    def run(self, programs: list[Path]) -> bool:
        """Measure and print; returns whether nothing was wrong in the end."""
        called = "two of ours" if self.two else self.reflector
        say("kube-router", "with", f"{called}: what ends", "pings lost for", "from, to")
        say("---", "---", "---", "--:", "--:")
        fine = [self._measure(each, graceful=on) for each in programs for on in (False, True)]
        return all(fine)

    def _measure(self, program: Path, *, graceful: bool) -> bool:
        with tempfile.TemporaryDirectory(prefix="kube-router-") as name:
            directory = Path(name)
            makers = TWO if self.two else [REFLECTORS[self.reflector]]
            room = Classroom(program, self._setting(graceful=graceful), makers, directory)
            try:
                room.start()
                for what, episode in (_OF_TWO if self.two else _OF_ONE).items():
                    lost_s = [self._lost_s(room, episode, directory) for _ in range(self.rounds)]
                    spread = f"{min(lost_s):.1f} to {max(lost_s):.1f} s"
                    how = "graceful restart" if graceful else ""
                    say(program.name, how, what, f"{statistics.median(lost_s):.1f} s", spread)
                wrong = _wrong(room, program, graceful=graceful)
                sys.stderr.write(wrong)
            finally:
                room.close()
        return not wrong

    def _setting(self, *, graceful: bool) -> Setting:
        flags = GRACEFUL if graceful else NO_FLAGS
        if self.two:
            peers = f"{REFLECTOR},{SECOND}"
            flags = {**flags, "--peer-router-ips": peers, "--peer-router-asns": "64512,64512"}
        return Setting(name="restarts", flags=flags)

    def _lost_s(self, room: Classroom, episode: Episode, directory: Path) -> float:
        """For how many seconds pings between clusters went unanswered."""
        time.sleep(_WATCH_S)  # so that no session is younger than its last fall
        began_s = time.monotonic()
        pinging = Pinging(room.nodes[0].host, room.nodes[-1].host, directory)
        episode(room, self.away_s)
        room.wait_reached()
        room.wait_connected()
        time.sleep(_WATCH_S)
        sent, answered = pinging.stop()
        # Not by the interval that ping was asked for: it keeps it only nearly.
        return (sent - answered) / sent * (time.monotonic() - began_s)


def _wrong(room: Classroom, program: Path, *, graceful: bool) -> str:
    said = []
    for reflector in room.reflectors:
        if isinstance(reflector, ReflectorProcess):
            desk = Desk(reflector)
            # Who was ended again and again flaps indeed.
            said += [f"{each['what']}\n" for each in desk.problems() if each["kind"] != "flapping"]
            expected = partial(profile, program=program, graceful=graceful)
            said.append(desk.strange_openings(room, expected))
    return "".join(said)


def _kill(room: Classroom, away_s: float) -> None:
    room.reflectors[0].kill()
    time.sleep(away_s)
    room.reflectors[0].start()


def _stop(room: Classroom, away_s: float) -> None:
    room.reflectors[0].stop()
    time.sleep(away_s)
    room.reflectors[0].start()


def _kill_node(room: Classroom, away_s: float) -> None:
    room.kill_node(room.nodes[-1])
    time.sleep(away_s)
    room.start_node(room.nodes[-1])


def _stop_node(room: Classroom, away_s: float) -> None:
    room.stop_node(room.nodes[-1])
    time.sleep(away_s)
    room.start_node(room.nodes[-1])


def _kill_both(room: Classroom, away_s: float) -> None:
    for reflector in room.reflectors:
        reflector.kill()
    time.sleep(away_s)
    for reflector in room.reflectors:
        reflector.start()


def _while_one_is_away(episode: Episode) -> Episode:
    def with_one(room: Classroom, away_s: float) -> None:
        room.reflectors[0].kill()
        time.sleep(away_s)
        episode(room, away_s)
        room.wait_reached()
        room.reflectors[0].start()

    return with_one


_OF_ONE: Final[dict[str, Episode]] = {
    "the reflector, kill -9": _kill,
    "the reflector, SIGTERM": _stop,
    "a kube-router, kill -9": _kill_node,
    "a kube-router, SIGTERM": _stop_node,
}
_OF_TWO: Final[dict[str, Episode]] = {
    "one reflector, kill -9": _kill,
    "one reflector, SIGTERM": _stop,
    "both reflectors, kill -9": _kill_both,
    "one reflector, then a kube-router, kill -9": _while_one_is_away(_kill_node),
    "one reflector, then a kube-router, SIGTERM": _while_one_is_away(_stop_node),
}
