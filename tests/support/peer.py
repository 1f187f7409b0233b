"""What every real BGP daemon is to the tests: a client that announces, learns, and can be killed.

GoBGP, BIRD, FRR and OpenBGPD are configured and questioned in four ways; tests see this one.
"""

from __future__ import annotations

import ipaddress
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import ClassVar

from tests.support.process import BackgroundProcess, in_netns, program, query, wait_until

DEFAULT_ASN = 64512
ESTABLISHED = "established"


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """A prefix and the attributes it is announced with; None leaves one to the daemon."""

    prefix: str
    next_hop: str | None = None
    local_pref: int | None = None
    med: int | None = None
    communities: tuple[str, ...] = ()

    @property
    def is_ipv6(self) -> bool:
        """Whether the prefix is IPv6."""
        return ":" in self.prefix


@dataclass(frozen=True, kw_only=True)
class Route:
    """A route as a daemon says it received it; None is what the daemon does not tell."""

    prefix: str
    next_hop: str
    as_path: tuple[int, ...] = ()
    local_pref: int | None = None
    med: int | None = None
    communities: tuple[str, ...] = ()
    originator_id: str | None = None
    cluster_list: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PeerSettings:
    """Where a peer runs, whom it peers with, and as whom.

    Attributes:
        reflector_asn: The AS of whom it peers with; default: its own.
        ttl_security: Whether it demands the TTL of a neighbor (RFC 5082), and sends with that itself.
        root: The Debian root whose daemon it is; None is this machine.
        route_server: Whether it peers with a route server, whose paths don't begin with its AS.
    """

    name: str
    directory: Path
    local_address: str
    reflector_address: str
    reflector_port: int
    netns: str | None = None
    asn: int = DEFAULT_ASN
    reflector_asn: int = 0
    route_server: bool = False
    router_id: str = ""  # default: the local address
    next_hop_ipv6: str = ""  # default: made from the local address
    hold_time_s: int = 9
    password: str | None = None
    ttl_security: bool = False
    announcements: tuple[Announcement, ...] = ()
    root: Path | None = None

    def __post_init__(self) -> None:
        """Fill in the defaults that depend on others."""
        if not self.reflector_asn:
            object.__setattr__(self, "reflector_asn", self.asn)
        if not self.router_id:
            object.__setattr__(self, "router_id", self.local_address)
        if not self.next_hop_ipv6:
            mapped = ipaddress.IPv6Address(f"fd00::{self.local_address}")
            object.__setattr__(self, "next_hop_ipv6", str(mapped))

    @property
    def external(self) -> bool:
        """Whether it is in another AS than whom it peers with."""
        return self.asn != self.reflector_asn


def announce_all(*prefixes: str) -> tuple[Announcement, ...]:
    """Return plain announcements of some prefixes."""
    return tuple(Announcement(prefix=prefix) for prefix in prefixes)


def normal_prefix(text: str) -> str:
    """Return a prefix in the one spelling that routes are keyed by."""
    return str(ipaddress.ip_network(text))


def normal_address(text: str) -> str:
    """Return an address in its one spelling."""
    return str(ipaddress.ip_address(text))


@dataclass
class Peer(ABC):
    """A running daemon with one session, to the reflector."""

    settings: PeerSettings
    process: BackgroundProcess | None = None
    announced: dict[str, Announcement] = field(default_factory=dict)

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        """Take over what the settings announce."""
        for announcement in self.settings.announcements:
            complete = self._complete(announcement)
            self.announced[complete.prefix] = complete

    def start(self) -> None:
        """Start the daemon (again) with all that it announces; return at once."""
        directory = self.settings.directory
        directory.mkdir(parents=True, exist_ok=True)
        command = self.prepare()
        self.process = BackgroundProcess(
            f"{self.kind} {self.settings.name}",
            command,
            log_path=directory / "log",
            netns=self.settings.netns,
            environment=self.environment(),
            cwd=directory,
        )

    @abstractmethod
    def prepare(self) -> list[str]:
        """Write the configuration and return the command line."""

    @abstractmethod
    def session_state(self) -> str:
        """Return the session's state, as RFC 4271 names it, in lower case.

        Raises:
            QueryError: The daemon does not answer.
        """

    @abstractmethod
    def routes(self) -> dict[str, Route]:
        """Return what was received from the reflector, by prefix.

        Raises:
            QueryError: The daemon does not answer.
        """

    @abstractmethod
    def apply(self, changed: Announcement, *, withdrawn: bool) -> None:
        """Bring a change of `announced` to the running daemon."""

    def environment(self) -> Mapping[str, str]:
        """Return what the daemon needs in its environment."""
        return {}

    def wait_established(self, timeout_s: float = 90.0) -> None:
        """Wait until the session is up."""
        wait_until(
            lambda: self.session_state() == ESTABLISHED,
            what=f"{self.kind} {self.settings.name}: session established",
            timeout_s=timeout_s,
            explain=self.explain,
        )

    def announce(self, announcement: Announcement) -> None:
        """Announce a prefix, or announce it anew with other attributes."""
        complete = self._complete(announcement)
        self.announced[complete.prefix] = complete
        self.apply(complete, withdrawn=False)

    def withdraw(self, prefix: str) -> None:
        """Withdraw a prefix that was announced."""
        self.apply(self.announced.pop(normal_prefix(prefix)), withdrawn=True)

    def kill(self) -> None:
        """End it without a word, as a lost pod would: SIGKILL."""
        if self.process:
            self.process.kill()

    def stop(self) -> None:
        """End it politely."""
        if self.process:
            self.process.stop()

    def explain(self) -> str:
        """Return what helps to understand a failure."""
        return self.process.log_tail() if self.process else f"{self.settings.name} never ran"

    def next_hop_of(self, prefix: str) -> str:
        """Return the next hop it announces a prefix with."""
        next_hop = self.announced[normal_prefix(prefix)].next_hop
        if next_hop is None:
            raise AssertionError(prefix)  # _complete() sets it
        return next_hop

    def program(self, name: str) -> list[str]:
        """Return what starts a program of the daemon's."""
        return program(name, self.settings.root)

    def ask(self, *command: str) -> str:
        """Run a command in the peer's network namespace and return what it printed."""
        return query([*in_netns(self.settings.netns), *command])

    def _complete(self, announcement: Announcement) -> Announcement:
        """Give an announcement the peer's own next hop, unless it names another."""
        own = self.settings.next_hop_ipv6 if announcement.is_ipv6 else self.settings.local_address
        return replace(
            announcement,
            prefix=normal_prefix(announcement.prefix),
            next_hop=announcement.next_hop or own,
        )
