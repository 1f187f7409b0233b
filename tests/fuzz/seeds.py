"""Where the fuzzer begins: what the hostile cases send, as each target takes it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.hostile.case import Stage
from tests.hostile.suite import cases
from tests.support import wire

_STAGES = {Stage.CONNECT: b"\0", Stage.OPEN: b"\0", Stage.CONFIRM: b"\1"}


def seeds(target: str) -> Iterator[bytes]:
    """Yield the seeds of a target."""
    for case in cases():
        if target == "session":
            yield _STAGES.get(case.stage, b"\2") + case.data
            continue
        kind, body = case.data[18:19], case.data[19:]
        if (
            (target == "open" and kind == bytes((wire.OPEN,)))
            or (target == "notification" and kind == bytes((wire.NOTIFICATION,)))
            or (target == "refresh" and kind == bytes((wire.ROUTE_REFRESH,)))
        ):
            yield body
        elif kind == bytes((wire.UPDATE,)):
            yield from _of_update(target, body)


def _of_update(target: str, body: bytes) -> Iterator[bytes]:
    start = 2 + int.from_bytes(body[:2])
    stop = start + 2 + int.from_bytes(body[start : start + 2])
    if target == "updates":
        yield len(body).to_bytes(2) + body
    elif target == "attributes":
        yield body[start + 2 : stop]
    elif target == "nlri":
        yield body[stop:]
        yield body[2:start]
