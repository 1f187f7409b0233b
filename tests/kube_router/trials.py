"""Classes in one setting after the other: everybody is reached, and the reflector sees no problem."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

import pytest

from tests.kube_router.classroom import Classroom
from tests.kube_router.desk import Desk
from tests.kube_router.mistakes import MISTAKES, Mistake
from tests.kube_router.reflectors import Configured
from tests.kube_router.setting import SETTINGS, Setting
from tests.kube_router.table import say
from tests.support.process import wait_until
from tests.support.reflector_process import ReflectorProcess

# A problem that is there for longer than this stays until it is mended.
_SEEN_S: Final = 30.0


def play_settings(programs: Iterable[Path], wanted: str) -> bool:
    """Play all settings whose name has what is wanted; returns whether all went well."""
    say("kube-router", "setting", "pings between all", "problems")
    say("---", "---", "---", "---")
    settings = [each for each in SETTINGS if wanted in each.name]
    fine = [
        _play(program, each)
        for program in programs
        for each in settings
        if _version(program) >= each.since
    ]
    return all(fine)


def play_mistakes(programs: Iterable[Path], wanted: str) -> bool:
    """Make all mistakes whose name has what is wanted, and mend them; returns whether all was named."""
    say("kube-router", "mistake", "problem", "what is said of it")
    say("---", "---", "---", "---")
    mistakes = [each for each in MISTAKES if wanted in each.name]
    fine = [_err(program, each) for program in programs for each in mistakes]
    return all(fine)


def _version(program: Path) -> tuple[int, int]:
    """The version of a program that is called kube-router-vVERSION."""
    major, minor, *_ = program.name.partition("-v")[2].split(".")
    return int(major), int(minor)


def _room(program: Path, setting: Setting, directory: Path) -> tuple[Classroom, Desk]:
    room = Classroom(program, setting, [partial(Configured, yaml=setting.yaml)], directory)
    reflector = room.reflectors[0]
    assert isinstance(reflector, ReflectorProcess)
    return room, Desk(reflector)


def _play(program: Path, setting: Setting) -> bool:
    with tempfile.TemporaryDirectory(prefix="kube-router-") as name:
        room, desk = _room(program, setting, Path(name))
        try:
            room.start_processes()
            try:
                room.wait_reached()
                reached = "answered"
            except pytest.fail.Exception as failure:
                reached = "not answered"
                sys.stderr.write(f"{setting.name}: {failure}\n")
            with suppress(pytest.fail.Exception):
                wait_until(lambda: not desk.problems(), what="nothing is wrong", timeout_s=_SEEN_S)
            seen = [f"{each['kind']}: {each['what']}" for each in desk.problems()]
            say(program.name, setting.name, reached, " ".join(seen) or "none")
        finally:
            room.close()
    return reached == "answered" and not seen


def _err(program: Path, mistake: Mistake) -> bool:
    with tempfile.TemporaryDirectory(prefix="kube-router-") as name:
        room, desk = _room(program, mistake.setting, Path(name))
        try:
            return _named_and_mended(program, mistake, room, desk)
        finally:
            room.close()


def _named_and_mended(program: Path, mistake: Mistake, room: Classroom, desk: Desk) -> bool:
    room.start_processes()
    erring = [node for node in room.nodes if node.name.startswith(mistake.who)]

    def is_named() -> bool:
        if mistake.log:
            return all(mistake.log in room.log_of(node) for node in erring)
        return any(each["kind"] == mistake.kind for each in desk.problems())

    try:
        wait_until(is_named, what=mistake.name, explain=room.explain)
        named = True
    except pytest.fail.Exception as failure:
        named = False
        sys.stderr.write(f"{mistake.name}: not named: {failure}\n")
    problems = desk.problems()
    for each in problems:
        say(program.name, mistake.name, each["kind"], f"{each['what']} {each['fix']}")
    if not problems:
        say(program.name, mistake.name, "none", mistake.log)
    true = all(each["kind"] == mistake.kind for each in problems)
    true = true and all(mistake.fix in each["fix"] for each in problems)
    if mistake.stays:
        return named and true
    room.setting = mistake.mended
    for node in erring:
        room.stop_node(node)
        room.start_node(node)
    try:
        room.wait_reached()
        wait_until(lambda: not desk.problems(), what="nothing is wrong any more", timeout_s=140)
    except pytest.fail.Exception as failure:
        sys.stderr.write(f"{mistake.name}: not mended: {failure}\n{desk.problems()}\n")
        return False
    return named and true
