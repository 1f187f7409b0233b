"""The composition root: puts the parts together, listens to signals, and takes it all down again."""

import asyncio
import contextlib
import gc
import resource
import signal
import sys
from collections.abc import Callable, Iterable
from ipaddress import ip_network
from typing import Any, Final

from reflector import __version__
from reflector.aside import aside
from reflector.bgp.errors import Finding
from reflector.bgp.vocabulary import BGP_PORT, CeaseSubcode
from reflector.config.describe import describe
from reflector.config.errors import ConfigError
from reflector.config.intake import policies
from reflector.config.model import Config, settings_for
from reflector.config.reload import Reload, diff, passwords
from reflector.controls import Controls
from reflector.net.dialer import Dialer, Target
from reflector.net.host import (
    default_router_id,
    host_name,
    is_here,
    reachable_addresses,
    where_peers_come,
)
from reflector.net.listeners import Listeners
from reflector.net.memory import Remembered, default_path
from reflector.net.peer_policy import PeerPolicy
from reflector.net.peering import Peering
from reflector.net.redial import Redialer
from reflector.net.sockets import ListenError
from reflector.observe.desk import Desk
from reflector.observe.export.bmp import Bmp
from reflector.observe.journal.debug import DebugLog
from reflector.observe.journal.log import Log, configure
from reflector.observe.journal.wording import DEBUG
from reflector.observe.server.control import ControlError, ControlServer
from reflector.observe.server.http import HttpError, HttpServer, WhoamiListener
from reflector.parts import local_routes, policy_of, room_for, stations, targets
from reflector.reports import PeerDown, PeerUp, Report, Trouble
from reflector.rib.source import IPAddress
from reflector.speaker import Identity, Peer, Speaker

Load = Callable[[], tuple[Config, list[str]]]

# Of the second within which the process ends after SIGTERM.
_STOP_S: Final = 0.6
_SUMMARY_S: Final = 1.0
# One that reads, and one that waits for it: whoever asks meanwhile is served by that.
_RELOADS: Final = 2


class StartError(Exception):
    """The reflector can't start; the message says what to do."""


def serve(load: Load) -> int:
    """Run until a signal.

    Args:
        load: Reads the configuration, at the start and again on SIGHUP: the model and notes.

    Returns:
        The exit code.

    Raises:
        ConfigError: The configuration has mistakes.
        StartError: Something else is in the way.
    """
    config, notes = load()
    configure(config.log.format, config.log.level)
    _raise_file_limit()
    asyncio.run(_serve(config, notes, load))
    return 0


async def _serve(config: Config, notes: list[str], load: Load) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    app = App(config, load)
    loop.set_exception_handler(app.on_loop_error)
    # Before listening: who sees the port open may send a signal at once.
    for signum in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signum, stop.set)
    loop.add_signal_handler(signal.SIGHUP, app.reload)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})  # `bgp-reflector run` held it back
    try:
        app.start(notes)
        await app.serve_control()
        await stop.wait()
        app.log.note("shutting down")
    finally:
        await app.stop()


class App:
    """A running reflector.

    Args:
        config: What to run.
        load: Reads the configuration again.
    """

    def __init__(self, config: Config, load: Load) -> None:
        self.config = config
        self._policies = policies(config)
        self._known: dict[int, PeerPolicy] = {}
        router_id = config.router_id or default_router_id()
        identity = Identity(config.asn, router_id, config.cluster_id or router_id)
        self.log = Log()
        self.desk = Desk(config.port, self._addresses, signs=lambda: bool(passwords(self.config)))
        self.speaker = Speaker(identity, self._report_finding, quarantine=config.quarantine)
        self.peering = Peering(
            self.speaker,
            host_name=host_name(),
            policy=self._policy,
            report=self._report,
            max_connections=config.limits.max_sessions,
        )
        self.controls = Controls(
            self,
            self.peering,
            originate=self._originate,
            allowed=lambda: self.config.http_controls,
            report=self._note_report,
        )
        self._set_limits()
        self.dialer = Dialer(self.peering)
        self.redialer: Redialer | None = None
        if config.redial:
            self.redialer = Redialer(
                self.peering,
                config.state_file or default_path(),
                target_of=self._redial_target,
                may_peer=lambda address: settings_for(self.config, address) is not None,
                report=self._note_report,
                note=self.log.note,
            )
        self._debug_log = DebugLog(self.log)
        self.bmp = Bmp(self, host_name(), report=self._note_report, note=self.log.note)
        self._load = load
        self._reloads: set[asyncio.Task[None]] = set()
        self._reading = asyncio.Lock()
        self._listeners = Listeners(self.peering)
        self._control: contextlib.AsyncExitStack = contextlib.AsyncExitStack()
        self._summary: asyncio.TimerHandle | None = None

    # Start and stop.

    def start(self, notes: Iterable[str]) -> None:
        """Listen and dial.

        Raises:
            StartError: An address can't be listened on, or the kernel refuses a password.
        """
        for note in notes:
            self.log.note(note)
        if self.redialer is not None:
            known = self.redialer.load().values()
            if self.config.restart_time_s:
                self.peering.restarts.begin(
                    (each.address, router_id.packed)
                    for each in known
                    if each.graceful and settings_for(self.config, each.address) is not None
                    for router_id in each.router_ids
                )
        for address in self.config.listen:
            self._listen(address)
        if not self._listeners:
            raise StartError("there is no address to listen on")
        self.speaker.own_addresses(self._listeners.specific())
        self._originate()
        self.speaker.turn()  # nobody is there yet: who comes is sent the whole table
        self.dialer.dial(targets(self.config))
        self.bmp.tell(stations(self.config))
        self._debug()
        # What is loaded by now lives for good: the collector need not look at it again. It runs
        # less often than Python's default, since tables make many objects and few cycles.
        gc.freeze()
        gc.set_threshold(200_000, 50, 1000)
        self._greet()
        if self.redialer is not None:
            self.redialer.start()
        self._summarise()

    async def serve_control(self) -> None:
        """Open what answers questions; without it the reflector runs all the same."""
        if self.config.http.address is not None:
            await self._serve_http(self.config.http.address, self.config.http.port)
        if self.config.whoami.address is not None:
            await self._serve_whoami(self.config.whoami.address, self.config.whoami.port)
        # The last of all: whoever is answered here finds the others, too.
        server = ControlServer(self.config.control_socket, self)
        try:
            await server.start()
        except ControlError as error:
            self.log(Trouble(str(error)))
        else:
            self._control.push_async_callback(server.stop)

    async def _serve_whoami(self, address: IPAddress, port: int) -> None:
        """Answer who asks on the debug address; without it the reflector runs all the same."""
        server = WhoamiListener(address, port, self)
        try:
            await server.start()
        except HttpError as error:
            self._note_report(Trouble(str(error)))
            return
        self._control.push_async_callback(server.stop)
        self.log.note(f"who asks at {server.url} is told by which node they came")
        if not (address.is_unspecified or is_here(address)):
            self.log.note(
                f"nobody reaches {address} before this machine has it: as root, "
                f"ip address add {address}/{address.max_prefixlen} dev lo"
            )

    async def _serve_http(self, address: IPAddress, port: int) -> None:
        """Open the page for the class; without it the reflector runs all the same."""
        server = HttpServer(address, port, self)
        try:
            await server.start()
        except HttpError as error:
            self._note_report(Trouble(str(error)))
        else:
            self._control.push_async_callback(server.stop)
            self.log.note(f"the page for the class is at {server.url}")

    async def stop(self) -> None:
        """Tell every peer and close everything, within a second."""
        if self._summary is not None:
            self._summary.cancel()
        for reload in self._reloads:
            reload.cancel()
        self.dialer.dial(set())
        for address in list(self._listeners):
            self._listeners.close(address)
        if self.redialer is not None:
            await self.redialer.stop()
        await self.peering.stop(_STOP_S)
        await self.bmp.stop()
        await self._control.aclose()
        self.log.close()

    # Reload.

    def reload(self) -> None:
        """Read the configuration again; sessions that the change does not concern stay up."""
        if len(self._reloads) < _RELOADS:
            reload = asyncio.get_running_loop().create_task(self._reload())
            self._reloads.add(reload)
            reload.add_done_callback(self._reloads.discard)

    async def _reload(self) -> None:
        async with self._reading:
            await self._read_again()

    async def _read_again(self) -> None:
        try:
            config, notes = await aside(self._load)
        except ConfigError as error:
            self.log(Trouble(f"the configuration was not reloaded, nothing is changed: {error}"))
            return
        for note in notes:
            self.log.note(note)
        change = diff(self.config, config)
        for reason in change.restart_reasons:
            self.log(Trouble(f"needs a restart to take effect: {reason}"))
        # What needs a restart keeps its old value, so that the next reload says so again.
        self.config = change.after
        self._policies = policies(self.config)
        self._known.clear()
        self._apply(change)
        for filters in change.filters_changed():
            self.log.note(f"filters changed, and no session drops for it: {filters}")
        self.log.note("configuration reloaded" if change else "configuration reloaded: no change")

    def _apply(self, change: Reload) -> None:
        configure(self.config.log.format, self.config.log.level)
        self._debug()
        self._set_limits()
        self._listen_anew(change)
        self.speaker.quarantine(on=self.config.quarantine)
        self.speaker.own_addresses(self._listeners.specific())
        for connection in list(self.peering.connections):
            remote = connection.session.remote
            asn = None if remote is None else remote.asn
            reason = change.dropped(connection.name.address, asn)
            if reason is not None:
                self.peering.close(connection, CeaseSubcode.OTHER_CONFIGURATION_CHANGE, reason)
            else:
                self.peering.reconfigure(connection)
        self.peering.restarts.reconsider(change.dropped, self._policy)
        self.peering.held_down.clear()
        self.dialer.dial(targets(self.config))
        self.bmp.tell(stations(self.config))
        self._originate()
        self.peering.routes_changed()

    # Inner workings.

    def on_loop_error(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the loop would print as a traceback is a line of the log, and as limited as any."""
        error = context.get("exception")
        what = str(context.get("message", "unexpected"))
        self.log(Trouble(what if error is None else f"{what}: {error!r}"))

    def _debug(self) -> None:
        """Watch what peers say where every message is to be written."""
        monitors = self.peering.monitors
        wanted = self.config.log.level == DEBUG
        if wanted and self._debug_log not in monitors:
            monitors.append(self._debug_log)
        elif not wanted and self._debug_log in monitors:
            monitors.remove(self._debug_log)

    def _set_limits(self) -> None:
        limits = self.config.limits
        most = self.peering.max_connections = room_for(self.config)
        # Whoever only waits must leave room for those who have sessions.
        self.peering.waiting.most = min(limits.max_waiting, max(1, most // 2))
        self.peering.waiting.most_per_address = limits.max_waiting_per_address
        self.peering.restarts.deferral_s = self.config.select_defer_time_s
        self.peering.restarts.stale_paths_s = self.config.stale_path_time_s

    def _originate(self) -> int:
        """Announce our own routes unless they are hidden; returns how many there are."""
        routes = local_routes(self.config)
        self.speaker.originate([] if self.controls.hidden else routes)
        return len(routes)

    def describe_config(self) -> dict[str, Any]:
        """The configuration that is in force, keyed as in its file, without secrets."""
        return describe(self.config)

    def _note_report(self, report: Report) -> None:
        self.log(report)
        self.desk(report)

    def _report(self, report: Report) -> None:
        self._note_report(report)
        if self.redialer is not None and isinstance(report, PeerUp):
            self.redialer.wake()
        elif self.redialer is not None and isinstance(report, PeerDown):
            self.redialer.lost(report)

    def _redial_target(self, peer: Remembered) -> Target | None:
        """How to redial a peer, unless it is named: then the dialer does, or it is passive."""
        settings = settings_for(self.config, peer.address)
        named = any(each.address == peer.address for each in self.config.neighbors)
        if settings is None or named or self._is_ourselves(peer):
            return None
        return Target(peer.address, peer.port, settings.password, peer.local, settings.ttl_security)

    def _is_ourselves(self, peer: Remembered) -> bool:
        return peer.port == self.config.port and self._listeners.reach(peer.address)

    def _report_finding(self, peer: Peer, finding: Finding) -> None:
        self.peering.report_finding(peer, finding)

    def _policy(self, address: IPAddress) -> PeerPolicy | None:
        settings = settings_for(self.config, address)
        if settings is None:
            return None
        # By identity: the settings of a range live as long as the configuration, and comparing them
        # costs more than all the rest.
        policy = self._known.get(id(settings))
        if policy is None:
            policy = self._known[id(settings)] = policy_of(settings, self.config, self._policies)
        return policy

    def _listen(self, address: IPAddress) -> None:
        try:
            self._listeners.open(address, self.config.port, passwords(self.config))
        except ListenError as error:
            # A machine without IPv6 is no mistake as long as nobody asked for it.
            if address.is_unspecified and error.unsupported and len(self.config.listen) > 1:
                self.log.note(f"not listening on {address}: {error}")
                return
            raise StartError(str(error)) from error

    def _listen_anew(self, change: Reload) -> None:
        """Listen where the new configuration says, for those who sign as it says."""
        for address in set(self._listeners) - set(self.config.listen):
            self._listeners.close(address)
        wanted = passwords(self.config)
        try:
            self._listeners.set_keys({each: wanted.get(each) for each in change.passwords_changed})
        except ListenError as error:
            self.log(Trouble(str(error)))
        for address in self.config.listen:
            if address not in self._listeners:
                try:
                    self._listen(address)
                except StartError as error:
                    self.log(Trouble(str(error)))

    def _addresses(self) -> list[IPAddress]:
        # The debug address is reached by way of a session; it is no place to have one with.
        found = [
            each
            for each in reachable_addresses(self._listeners)
            if each != self.config.whoami.address
        ]
        may_peer = [each.network for each in self.config.ranges]
        may_peer += [ip_network(each.address.packed) for each in self.config.neighbors]
        return where_peers_come(found, may_peer)

    def _greet(self) -> None:
        """Say on a terminal where peers reach us and what to tell kube-router."""
        addresses = self._addresses()
        port, asn = self.config.port, self.config.asn
        self.log.note(
            f"ready: AS {asn}, router id {self.speaker.identity.router_id}, port {port} on "
            + (", ".join(map(str, addresses)) or "no address")
        )
        if not sys.stdout.isatty() or not addresses:
            return
        ports = "" if port == BGP_PORT else f" --peer-router-ports={port}"
        flags = [
            f"    --peer-router-ips={address} --peer-router-asns={asn}{ports}\n"
            for address in addresses
        ]
        sys.stdout.write(
            f"\nbgp-reflector {__version__} is ready. Start every kube-router with"
            f"{' one of' if len(flags) > 1 else ''}:\n\n{''.join(flags)}\n"
        )
        sys.stdout.flush()

    def _summarise(self) -> None:
        self.log.summarise(self.speaker.peers.values(), self.speaker.held_by)
        self.desk.tick(self)
        self.controls.tick()
        loop = asyncio.get_running_loop()
        self._summary = loop.call_later(_SUMMARY_S, self._summarise)


def _raise_file_limit() -> None:
    """Ask for all the file descriptors that the system allows: each peer is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
