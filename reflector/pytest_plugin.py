"""The pytest plugin: simulated BGP peers and a running reflector as fixtures.

pytest finds it by itself where bgp-reflector is installed. docs/testing-bgp-speakers.md teaches it. It
works in pytest-asyncio's strict and auto mode, with anyio, and without any of them: no fixture is a
coroutine. Nothing heavy is imported before a test uses a fixture.
"""

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Unpack

import pytest

if TYPE_CHECKING:
    from reflector.sim import (
        Blocking,
        BlockingPeer,
        Listener,
        Message,
        Peer,
        Profile,
        RunningReflector,
        Settings,
        connect,
    )

Address = tuple[str, int]
# How many addresses of 127.0.0.0/16 peers may have, from 127.0.0.2 on.
_SOURCES: Final = 65_000


@dataclass
class BgpCapture:
    """What the test's simulated peers sent and received; `bgp_messages` is one.

    Attributes:
        peers: The test's peers, in the order in which it made them.
    """

    peers: "list[Peer]" = field(default_factory=list)

    def __call__(self, kind: str | None = None, *, direction: str | None = None) -> "list[Message]":
        """The messages of all peers in the order of time.

        Args:
            kind: Only these: "OPEN", "UPDATE", "NOTIFICATION", "KEEPALIVE" or "ROUTE-REFRESH".
            direction: Only these: "sent" or "received", from the simulated peers' side.
        """
        found = [
            (peer.history.began_s + message.time_s, message)
            for peer in self.peers
            for message in peer.messages
            if kind in (None, message.kind) and direction in (None, message.direction)
        ]
        return [message for _, message in sorted(found, key=lambda each: each[0])]


_CAPTURE: Final = pytest.StashKey[BgpCapture]()
_DIALLED: Final = pytest.StashKey[Counter[Address]]()


class BgpPeerFactory:
    """Dials the target for an asynchronous test; `bgp_peer` is one."""

    def __init__(self, target: Address, capture: BgpCapture, dialled: Counter[Address]) -> None:
        self._target = target
        self._capture = capture
        self._dialled = dialled

    def __call__(
        self, profile: "Profile | None" = None, **settings: "Unpack[Settings]"
    ) -> "connect":
        """Dial the target: await it for a peer, or use it in an `async with` block.

        Args:
            profile: How the peer behaves; None for an ordinary one.
            settings: What of the profile is to be otherwise. Without a `source`, peers of a target
                on the loopback get 127.0.0.2, 127.0.0.3 and so on, each a new one also where tests
                share the target: a speaker may not take a peer back at once.
        """
        from reflector.sim.connect import connect  # noqa: PLC0415 - not before it is used

        host, port = self._target
        return connect(
            host, port, profile, on_peer=self._capture.peers.append, **self.sourced(settings)
        )

    def sourced(self, settings: "Settings") -> "Settings":
        """The settings with a source of their own, where that is possible."""
        if not self._target[0].startswith("127.") or "source" in settings:
            return settings
        number = 2 + self._dialled[self._target] % _SOURCES
        self._dialled[self._target] += 1
        return {**settings, "source": f"127.0.{number >> 8}.{number & 0xFF}"}


class BlockingBgpPeerFactory:
    """Dials the target for a test that is not asynchronous; `bgp_peer_sync` is one."""

    def __init__(
        self,
        target: Address,
        capture: BgpCapture,
        dialled: Counter[Address],
        world: "Blocking",
    ) -> None:
        self._sourced = BgpPeerFactory(target, capture, dialled).sourced
        self._target = target
        self._world = world
        self._capture = capture

    def __call__(
        self, profile: "Profile | None" = None, **settings: "Unpack[Settings]"
    ) -> "BlockingPeer":
        """Dial the target: see `BgpPeerFactory`."""
        peer = self._world.connect(*self._target, profile, **self._sourced(settings))
        self._capture.peers.append(peer.peer)
        return peer


class BgpListenerFactory:
    """Listens for a speaker that dials; `bgp_listener` is one."""

    def __init__(self, capture: BgpCapture) -> None:
        self._capture = capture
        self._listeners: list[Listener] = []

    def __call__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        profile: "Profile | None" = None,
        **settings: "Unpack[Settings]",
    ) -> "Listener":
        """Listen: see `reflector.sim.listen`."""
        from reflector.sim.connect import listen  # noqa: PLC0415 - not before it is used

        on_peer = self._capture.peers.append
        listener = listen(host, port, profile, on_peer=on_peer, **settings)
        self._listeners.append(listener)
        return listener

    def stop(self) -> None:
        """Listen no longer."""
        for listener in self._listeners:
            listener.stop()


@pytest.fixture
def bgp_reflector() -> "Iterator[RunningReflector]":
    """A bgp-reflector in a process of its own, on a free port of 127.0.0.1."""
    from reflector.sim.running import RunningReflector  # noqa: PLC0415 - not before it is used

    with RunningReflector() as running:
        yield running


@pytest.fixture
def bgp_target(bgp_reflector: "RunningReflector") -> Address:
    """Address and port of the speaker that `bgp_peer` dials: a bgp-reflector.

    Put a fixture of this name into your conftest.py that starts your own speaker.
    """
    return bgp_reflector.address


@pytest.fixture
def bgp_messages(request: pytest.FixtureRequest) -> BgpCapture:
    """What the test's simulated peers sent and received."""
    node: pytest.Item = request.node
    return node.stash.setdefault(_CAPTURE, BgpCapture())


@pytest.fixture
def bgp_peer(
    bgp_target: Address, bgp_messages: BgpCapture, request: pytest.FixtureRequest
) -> Iterator[BgpPeerFactory]:
    """Dials `bgp_target` for an asynchronous test, and closes the peers at its end.

    As in `peer = await bgp_peer(hold_time_s=9)`.
    """
    yield BgpPeerFactory(bgp_target, bgp_messages, _dialled(request))
    for peer in bgp_messages.peers:
        peer.dispose()


@pytest.fixture
def bgp_peer_sync(
    bgp_target: Address, bgp_messages: BgpCapture, request: pytest.FixtureRequest
) -> Iterator[BlockingBgpPeerFactory]:
    """Dials `bgp_target` for a test that is not asynchronous, and closes the peers at its end.

    As in `peer = bgp_peer_sync(hold_time_s=9)`.
    """
    from reflector.sim.blocking import Blocking  # noqa: PLC0415 - not before it is used

    with Blocking() as world:
        yield BlockingBgpPeerFactory(bgp_target, bgp_messages, _dialled(request), world)


@pytest.fixture
def bgp_listener(bgp_messages: BgpCapture) -> Iterator[BgpListenerFactory]:
    """Listens for a speaker that dials, and closes the listeners and peers at the test's end.

    As in `peer = await bgp_listener(port=1790).accept()`; takes what `reflector.sim.listen` takes.
    """
    factory = BgpListenerFactory(bgp_messages)
    yield factory
    factory.stop()
    for peer in bgp_messages.peers:
        peer.dispose()


def _dialled(request: pytest.FixtureRequest) -> Counter[Address]:
    """How often each target was dialled in this run."""
    return request.config.stash.setdefault(_DIALLED, Counter())


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Let no test pass whose peers were sent malformed UPDATEs, unless their profile allows it."""
    yield
    for peer in item.stash[_CAPTURE].peers if _CAPTURE in item.stash else ():
        if peer.faults and not peer.profile.faults_allowed:
            from reflector.sim.errors import UnexpectedError  # noqa: PLC0415 - not before it is used

            raise UnexpectedError(f"a malformed UPDATE came: {peer.faults[0]}", peer.history)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show with a test that failed what its simulated peers saw."""
    report = yield
    capture = item.stash.get(_CAPTURE, None)
    if report.when == "call" and report.failed and capture is not None:
        for peer in capture.peers:
            report.sections.append(("Simulated BGP peer", str(peer.history)))
    return report
