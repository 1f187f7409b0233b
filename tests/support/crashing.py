"""A reflector that is killed over and over under load, and the clients that must have it all back.

Nodes come, go, announce, change and withdraw all the while, and join again by themselves. Each has
prefixes of its own and competes for shared ones. What everybody must hold follows from what each
node has announced; nothing is asked of the reflector for that.
"""

from __future__ import annotations

import asyncio
import random
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from reflector import sim
from reflector.net import memory
from tests.support.process import BackgroundProcess
from tests.support.reflector_process import ReflectorProcess, ReflectorSettings

# Sizes: a dump that takes several turns, and changes that many messages carry.
HEAVY: Final = 3000
LIGHT: Final = 60
SHARED: Final = ("10.254.0.0/24", "10.254.1.0/24", "10.254.2.0/24")
DEBUG_PREFIX: Final = "1.0.0.2/32"
SETTLED_S: Final = 60.0

Held = dict[str, tuple[str | None, int | None]]


class Node:
    """A client that keeps coming back.

    Args:
        number: Makes its address, its router id and its prefixes.
        profile: How it speaks.
        target: The reflector's address and port.
        count: Prefixes of its own.
        dice: Decides what it does next.
    """

    def __init__(
        self, number: int, profile: sim.Profile, target: tuple[str, int], count: int, seed: str
    ) -> None:
        self.number = number
        self.peer = sim.Peer(profile, target)
        self.router_id = profile.router_id or ""
        self.told = asyncio.Event()  # it has said all that it has, and has a session
        self.quiet = False  # it changes nothing for now
        self._dice = random.Random(seed)  # noqa: S311 - no secret
        self._graceful = profile.graceful_restart_s is not None
        self.own = [f"10.{number}.{i >> 6}.{(i & 63) << 2}/30" for i in range(count)]
        # By prefix, the MED of what it announces; shared ones have it as LOCAL_PREF too.
        self.table: dict[str, int] = dict.fromkeys(self.own, 1)

    async def live(self) -> None:
        """Join, announce and change until cancelled; join again whenever the session is gone."""
        restarting = False
        while True:
            try:
                await self.peer.rejoin(restarting=restarting, deadline_s=SETTLED_S)
                restarting = self._graceful
                await self._say(list(self.table))
                await self.peer.announce_end_of_rib()
                self.told.set()
                while self.peer.ended is None:
                    if not self.quiet:
                        await self._do_something()
                    await asyncio.sleep(self._dice.uniform(0.01, 0.15))
            except sim.SessionOverError:
                pass
            self.told.clear()
            if not self.quiet:  # what it loses while it is away it will never withdraw
                self._forget(self._some())

    def holds(self) -> Held:
        """What it has been told, as far as it tells one route from another."""
        return {
            prefix: (route.originator_id, route.med) for prefix, route in self.peer.routes.items()
        }

    async def _do_something(self) -> None:
        chosen = self._some()
        match self._dice.randrange(12):
            case 0:
                self.told.clear()
                self._dice.choice((self.peer.crash, self.peer.hang_up))()
            case 1 | 2 | 3:
                self._forget(chosen)
                await self.peer.withdraw(*chosen)
            case 4 | 5:
                shared = self._dice.choice(SHARED)
                if self.table.pop(shared, None) is None:
                    self.table[shared] = 100 + self._dice.randrange(4)
                    await self._say([shared])
                else:
                    await self.peer.withdraw(shared)
            case _:
                version = self._dice.randrange(1, 50)
                self.table.update(dict.fromkeys(chosen, version))
                await self._say(chosen)

    def _some(self) -> list[str]:
        return self._dice.sample(self.own, LIGHT // 2)

    def _forget(self, prefixes: Sequence[str]) -> None:
        for prefix in prefixes:
            self.table.pop(prefix, None)

    async def _say(self, prefixes: Sequence[str]) -> None:
        await self.peer.announce_routes(
            [
                sim.Route(
                    prefix=prefix,
                    as_path=(),
                    med=self.table[prefix],
                    local_pref=self.table[prefix] if prefix in SHARED else 100,
                )
                for prefix in prefixes
            ]
        )


@dataclass
class Mayhem:
    """Kills a reflector at moments of a seed's choice and starts it again.

    Args:
        settings: How the reflector runs.
        seed: Of all that is decided here.
        hold_time_s: That the nodes propose, in seconds.
        more: What others announce, by router id: each node must hold that too.
        others_hold: Waits until those others hold what they must, given all that is announced.
    """

    settings: ReflectorSettings
    seed: int
    sources: Sequence[str] = tuple(f"127.0.7.{n}" for n in range(1, 7))
    hold_time_s: int = 90
    more: Held = field(default_factory=dict)
    others_hold: Callable[[Held], Awaitable[None]] | None = None

    def __post_init__(self) -> None:
        self.dice = random.Random(self.seed)  # noqa: S311 - no secret
        self.process: BackgroundProcess | None = None
        self.kills: dict[str, int] = {}
        self.config = self.settings.directory / "crashing.yaml"
        self.remembered: set[str] = set()
        self._lives: list[asyncio.Task[None]] = []
        self.nodes = [self._node(i, source) for i, source in enumerate(self.sources)]

    @property
    def state_file(self) -> Path:
        """What the reflector remembers its peers in."""
        return self.settings.directory / "peers.json"

    async def run(self, kills: int, *, check_each: int) -> None:
        """Kill it so often, and see that all is exact after every so many."""
        async with self.running():
            for number in range(1, kills + 1):
                await self._until_the_moment()
                self._kill()
                self._check_state_file()
                await asyncio.sleep(self.dice.choice((0.0, 0.0, 0.1)))
                self._spawn()
                if number % check_each == 0 or number == kills:
                    await self.settle()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The reflector under load; all is exact when the block begins."""
        self._configure()
        self._spawn()
        self._lives = [asyncio.create_task(node.live()) for node in self.nodes]
        try:
            await self.settle()
            yield
        finally:
            for task in self._lives:
                task.cancel()
            await asyncio.gather(*self._lives, return_exceptions=True)
            for node in self.nodes:
                node.peer.dispose()
            if self.process is not None:
                self.process.kill()

    async def stop_for(self, seconds: float) -> None:
        """Have it do nothing for a while, as on a laptop that sleeps; its sockets take what comes."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)

    def log(self) -> str:
        """All that the reflectors have printed."""
        return "" if self.process is None else self.process.log()

    # When to kill.

    async def _until_the_moment(self) -> None:
        moments = {
            "starting": self._while_it_starts,
            "dumping": self._during_a_dump,
            "writing": self._during_a_write,
            "reloading": self._during_a_reload,
            "running": self._some_time,
        }
        name = self.dice.choice(list(moments))
        self.kills[name] = self.kills.get(name, 0) + 1
        await moments[name]()

    async def _while_it_starts(self) -> None:
        await asyncio.sleep(self.dice.uniform(0.0, 0.6))

    async def _some_time(self) -> None:
        await asyncio.sleep(self.dice.uniform(0.3, 1.5))

    async def _during_a_dump(self) -> None:
        """When a node has some of the heavy one's routes and not yet all."""
        heavy, other = self.nodes[0], self.dice.choice(self.nodes[1:])
        await self._poll(lambda: 0 < len(other.peer.routes) < len(heavy.table), within_s=1.5)

    async def _during_a_write(self) -> None:
        """When the state file changes, or the file that is to take its place is there."""
        beside = self.state_file.with_name("peers.json.new")
        beside.unlink(missing_ok=True)
        before = _stamp(self.state_file)
        await self._poll(
            lambda: beside.exists() or _stamp(self.state_file) != before,
            within_s=2.0,
            every_s=0.0,
        )

    async def _during_a_reload(self) -> None:
        await self._poll(lambda: "ready: " in self.log()[self._logged :], within_s=1.5)
        self._configure()
        assert self.process is not None
        self.process.send_signal(signal.SIGHUP)
        await asyncio.sleep(self.dice.uniform(0.0, 0.05))

    async def _poll(
        self, check: Callable[[], bool], *, within_s: float, every_s: float = 0.005
    ) -> None:
        """Wait for a moment; one that does not come is not worth waiting for."""
        deadline = time.monotonic() + within_s
        while not check() and time.monotonic() < deadline:  # noqa: ASYNC110 - a file, or a table
            await asyncio.sleep(every_s)

    # The reflector.

    def _configure(self) -> None:
        """A reload finds something that differs, and that costs no session."""
        self.config.write_text(
            f"ranges: [{{network: 0.0.0.0/0, description: v{self.dice.random()}}}]\n"
        )

    def _spawn(self) -> None:
        self._logged = len(self.log())
        reflector = ReflectorProcess(self.settings)
        self.process = BackgroundProcess(
            "reflector",
            [*reflector.command(), "--config", str(self.config)],
            log_path=self.settings.directory / "log",
            netns=self.settings.netns,
            environment=reflector.environment(),
            cwd=self.settings.directory,
        )

    def _kill(self) -> None:
        assert self.process is not None
        assert self.process.is_running(), f"it ended by itself\n{self.process.log_tail()}"
        self.process.kill()

    def _check_state_file(self) -> None:
        """It is there once it was, whole, and forgets nobody."""
        data = self.state_file.read_bytes() if self.state_file.exists() else b""
        if not data:
            assert not self.remembered, "the state file is gone"
            return
        named = {str(address) for address in memory.decode(data)}
        assert named >= self.remembered, f"forgotten: {self.remembered - named}"
        self.remembered = named

    # Exactness.

    async def settle(self) -> None:
        """Stop all changes; wait until everybody holds exactly what there is."""
        await self._some_time()  # clients come and go, before all is compared
        for node in self.nodes:
            node.quiet = True
        for node in self.nodes:
            await self._await(node.told.wait(), f"{node.router_id} is back")
        # Nobody's session ends any more, so nothing changes but what is on its way.
        everything = {**best(self.nodes), **self.more, DEBUG_PREFIX: (None, None)}
        for node in self.nodes:
            await self._await(self._holds(node, everything), f"{node.router_id} is exact")
        if self.others_hold is not None:
            await self._await(self.others_hold(everything), "the others are exact")
        assert "Traceback" not in self.log(), self.log()
        for node in self.nodes:
            node.quiet = False

    async def _holds(self, node: Node, everything: Held) -> None:
        wanted = {prefix: what for prefix, what in everything.items() if what[0] != node.router_id}
        deadline = time.monotonic() + SETTLED_S / 2
        while (held := node.holds()) != wanted:
            if time.monotonic() > deadline:
                raise AssertionError(difference(held, wanted))
            await asyncio.sleep(0.02)

    async def _await(self, what: Awaitable[object], name: str) -> None:
        waiting = asyncio.ensure_future(what)
        done, _ = await asyncio.wait(
            {waiting, *self._lives}, timeout=SETTLED_S, return_when=asyncio.FIRST_COMPLETED
        )
        for task in done:
            task.result()
        if waiting not in done:
            waiting.cancel()
            raise AssertionError(
                f"seed {self.seed}, not within {SETTLED_S:g} s: {name}\n{self.log()[-3000:]}"
            )

    def _node(self, number: int, source: str) -> Node:
        profile = sim.Profile(
            source=source,
            router_id=f"10.0.7.{number + 1}",
            next_hop=f"10.0.7.{number + 1}",
            graceful_restart_s=90 if number % 2 else None,
            hold_time_s=self.hold_time_s,
            netns=self.settings.netns,
        )
        target = (self.settings.listen[0], self.settings.port)
        return Node(
            number + 1, profile, target, LIGHT if number else HEAVY, f"{self.seed}.{number}"
        )


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes when a file is written."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size


def best(nodes: Sequence[Node]) -> Held:
    """The best route to each prefix: the highest LOCAL_PREF, and else the lowest router id."""
    found: Held = {}
    for node in sorted(nodes, key=lambda each: each.number, reverse=True):
        for prefix, version in node.table.items():
            if prefix not in SHARED or version >= (found.get(prefix, ("", 0))[1] or 0):
                found[prefix] = (node.router_id, version)
    return found


def difference(held: Held, wanted: Held) -> str:
    """What is missing, too much, or otherwise than it should be."""
    missing = sorted(wanted.keys() - held.keys())[:5]
    ghosts = sorted(held.keys() - wanted.keys())[:5]
    other = [p for p in sorted(wanted.keys() & held.keys()) if wanted[p] != held[p]][:5]
    shown = [f"{p}: {held[p]} instead of {wanted[p]}" for p in other]
    return f"{len(held)} of {len(wanted)} routes; missing {missing}, ghosts {ghosts}, {shown}"
