"""Every hostile case against ours, a real process on real sockets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.case import REFLECTOR_ADDRESS, REFLECTOR_ID, Case
from tests.hostile.player import LostError, Room
from tests.hostile.suite import cases
from tests.support import wire
from tests.support.pcap import complaints, dissected_types, write_pcap
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings, free_port
from tests.support.strict_reader import read_update, split_messages

# A loaded machine may take its time; nothing waits that long where all is well.
ANSWER_S = 30.0


class Stage:
    """One reflector for all cases, started anew only after a case that harmed it."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._reflector: ReflectorProcess | None = None
        self._room: Room | None = None

    @property
    def reflector(self) -> ReflectorProcess:
        """The process."""
        assert self._reflector is not None
        return self._reflector

    def room(self) -> Room:
        """A running reflector with its healthy peers."""
        if self._room is None:
            settings = ReflectorSettings(
                directory=self._factory.mktemp("hostile"),
                listen=(REFLECTOR_ADDRESS,),
                port=free_port(),
                router_id=REFLECTOR_ID,
            )
            self._reflector = ReflectorProcess(settings)
            self._reflector.start()
            self._room = Room(settings.port, answer_s=ANSWER_S)
        return self._room

    def clear(self) -> None:
        """End it."""
        if self._room is not None:
            self._room.close()
            self._room = None
        if self._reflector is not None:
            self._reflector.stop()


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A place to play on."""
    stage = Stage(tmp_path_factory)
    yield stage
    stage.clear()


def _id(case: Case) -> str:
    return re.sub(r"[^\w./]+", "-", case.name)


@pytest.mark.parametrize("case", cases(), ids=_id)
def test_case(stage: Stage, case: Case) -> None:
    """What comes of it is what the RFC's words allow, and healthy peers are not harmed."""
    try:
        passed, words = stage.room().play(case)
    except LostError as error:
        stage.clear()
        pytest.fail(f"{error}\n{stage.reflector.explain()}")
    may = "; ".join(outcome.words for outcome in case.may)
    assert passed, f"RFC {case.rfc}: {words}, and it may be: {may}"


def test_whatever_was_sent_is_right(stage: Stage, tmp_path: Path) -> None:
    """A strict second reader and Wireshark's dissector take all messages to all of these peers."""
    if len(stage.room().lines) < len(cases()):
        pytest.skip("judges what all cases together made it send")
    for kind, body in split_messages(b"".join(stage.room().watcher.heard)):
        # Our own route's next hop is the address that a peer connected to: here, no host's.
        if kind == wire.UPDATE and wire.prefix("1.0.0.2/32") not in body:
            read_update(body)
    capture = tmp_path / "sent.pcap"
    write_pcap(capture, [list(filter(_judged, line.heard)) for line in stage.room().lines])
    assert dissected_types(capture) >= {wire.OPEN, wire.UPDATE, wire.NOTIFICATION, wire.KEEPALIVE}
    assert complaints(capture) == []


def _judged(message: bytes) -> bool:
    """Whether the dissector can judge a message: it stumbles over a default route withdrawn last."""
    stop = 21 + int.from_bytes(message[19:21])
    return message[18] != wire.UPDATE or not message[21:stop].endswith(b"\0")


def test_nothing_went_wrong_inside(stage: Stage) -> None:
    """No traceback and no error in the log of all that."""
    stage.room()
    log = stage.reflector.process.log() if stage.reflector.process else ""
    assert "Traceback" not in log
    assert "rror occurred" not in log
