"""Plays the class of `bgp-reflector rehearse`: the reflector, the nodes, Ctrl-C and the exit code."""

import argparse
import asyncio
import resource
import signal
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack, ExitStack, suppress
from types import FrameType
from typing import Final

from reflector.cli.rehearse_screen import Screen, make_screen
from reflector.sim.class_plan import ClassSettings, PlannedNode
from reflector.sim.kube_router import timers
from reflector.sim.netns.classroom import REFLECTOR_ADDRESS, classroom
from reflector.sim.netns.pods import Pods
from reflector.sim.netns.relay import relay
from reflector.sim.rehearsal import Rehearsal
from reflector.sim.running import RunningReflector, free_port
from reflector.sim.transport import Address

_INTERRUPTED: Final = 130
_HTTP_PORT: Final = 8179
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def play(
    settings: ClassSettings,
    plan: list[PlannedNode],
    target: Address | None,
    *,
    port: int,
    netns: bool,
    reflector_arguments: Sequence[str],
    deadline_s: float,
    stay_s: float | None,
) -> int:
    """Play a class.

    Args:
        settings: What it is like.
        plan: Its nodes.
        target: The reflector; None starts one.
        port: Of the one that is started, 0 for a free one.
        netns: Whether the nodes, and the reflector that is started, are network namespaces, with pods
            that ping.
        reflector_arguments: More for that one.
        deadline_s: By how many seconds after the last arrival all must be as planned.
        stay_s: Seconds to stay after all is as planned; None until Ctrl-C.

    Returns:
        The exit code.

    Raises:
        SimError: The reflector does not start, or there can be no namespaces.
    """
    _raise_file_limit()
    for signum in _ENDING:
        signal.signal(signum, _interrupt)
    with ExitStack() as stack:
        own: RunningReflector | None = None
        hub: str | None = None
        if netns:
            hub = stack.enter_context(classroom(plan, dial_inside=target is None))
        if target is None:
            http, others = _page(reflector_arguments)
            own = RunningReflector(
                *others,
                host="127.0.0.1" if hub is None else REFLECTOR_ADDRESS,
                port=port,
                asn=settings.asn,
                http=http,
                netns=hub,
            )
            stack.enter_context(own)
            target = own.address
        stack.callback(_finish_undisturbed)
        return asyncio.run(_play(settings, plan, target, own, (deadline_s, stay_s), netns=netns))


async def _play(
    settings: ClassSettings,
    plan: list[PlannedNode],
    target: Address,
    own: RunningReflector | None,
    limits_s: tuple[float, float | None],
    *,
    netns: bool,
) -> int:
    interrupted = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signum in _ENDING:
        loop.add_signal_handler(signum, interrupted.set)
    rehearsal = Rehearsal(plan, target, timers(settings.version), debug_route=own is not None)
    async with AsyncExitStack() as stack:
        pods: Pods | None = None
        if own is not None and own.netns is not None and own.http != "off":
            host, _, port = own.http.rpartition(":")
            await stack.enter_async_context(relay((host.strip("[]"), int(port)), own.netns))
        if netns:
            pods = Pods(rehearsal.nodes)
            pods.start()
            stack.push_async_callback(pods.stop)
            rehearsal.further_problems = pods.problems
        screen = make_screen(rehearsal, settings, target, own, pods)
        rehearsal.report = screen.report
        rehearsal.start()
        stack.push_async_callback(rehearsal.stop)
        drawing = asyncio.create_task(screen.keep_drawing())
        try:
            return await _until_the_end(rehearsal, screen, interrupted, *limits_s)
        finally:
            drawing.cancel()
            screen.leave()


async def _until_the_end(
    rehearsal: Rehearsal,
    screen: Screen,
    interrupted: asyncio.Event,
    deadline_s: float,
    stay_s: float | None,
) -> int:
    complete = asyncio.create_task(rehearsal.complete(deadline_s))
    waiting = asyncio.create_task(interrupted.wait())
    await asyncio.wait((complete, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not complete.done():
        complete.cancel()
        return _INTERRUPTED
    as_planned = complete.result()
    screen.verdict([] if as_planned else list(rehearsal.problems()), stays=stay_s is None)
    if as_planned:
        with suppress(TimeoutError):
            async with asyncio.timeout(stay_s):
                await interrupted.wait()
    return 0 if as_planned else 1


def _interrupt(_signum: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _finish_undisturbed() -> None:
    """Let nothing but SIGKILL keep what was started from being cleared away."""
    for signum in _ENDING:
        signal.signal(signum, signal.SIG_IGN)


def _page(arguments: Sequence[str]) -> tuple[str, list[str]]:
    """Where the reflector's page is to be, and its other arguments."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--http")
    known, others = parser.parse_known_args(arguments)
    return known.http or _free_http(), others


def _free_http() -> str:
    """Where the page can be: its usual port if nobody has it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _HTTP_PORT))
        except OSError:
            return f"127.0.0.1:{free_port()}"
    return f"127.0.0.1:{_HTTP_PORT}"


def _raise_file_limit() -> None:
    """Ask for all the file descriptors that the system allows: each node is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
