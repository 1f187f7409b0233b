"""A speaker and its peers without sockets: what each peer was sent, read by the strict reader."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address, ip_network

from reflector.bgp.as4 import two_octet_as
from reflector.bgp.errors import Finding
from reflector.bgp.open import Capabilities, GracefulRestart, LongLived, Negotiated, Open
from reflector.bgp.vocabulary import FAMILIES, Family
from reflector.rib import update_group
from reflector.rib.audience import Audience
from reflector.rib.intake import USUAL_INTAKE, Intake
from reflector.rib.policy import Policy
from reflector.rib.returning import returning
from reflector.rib.source import Source
from reflector.speaker import Identity, Peer, Speaker
from tests.support import wire
from tests.support.strict_reader import Identified, Network, Route, read_update, split_messages

ROUTER_ID = "192.0.2.254"
CLUSTER_ID = "192.0.2.254"
OUR_ADDRESS = "10.0.0.254"
BEGIN, END = 1, 2


@dataclass
class FakeOutlet:
    """A peer's connection that keeps what is written to it until it is read.

    Attributes:
        unread: Written and not yet taken by the peer: the backlog.
        reads: Whether the peer reads at the end of each turn.
    """

    unread: list[bytes] = field(default_factory=list)
    reads: bool = True

    @property
    def backlog_bytes(self) -> int:
        """Octets that the peer has not read."""
        return sum(map(len, self.unread))

    def write(self, chunks: list[bytes]) -> None:
        """Take whole messages."""
        self.unread.extend(chunks)


@dataclass
class Student:
    """A peer as a test plays it.

    Attributes:
        table: Its Adj-RIB-In, built from nothing but the bytes that it was sent.
        paths: What came with path identifiers, in the same way.
        messages: Bodies of all UPDATEs that it was sent, in order.
        ends: End-of-RIB markers that it was sent, in order.
        stray: Withdrawals of what it did not have.
        refreshing: Families of which it is being told again, with what it was not told yet.
        marks: ROUTE-REFRESH messages that it was sent, in order, as (AFI, subtype).
    """

    name: str
    peer: Peer
    outlet: FakeOutlet
    as4: bool
    external: bool = False
    table: dict[Network, Route] = field(default_factory=dict)
    messages: list[bytes] = field(default_factory=list)
    ends: list[tuple[int, int]] = field(default_factory=list)
    stray: list[Network] = field(default_factory=list)
    paths: dict[Identified, Route] = field(default_factory=dict)
    refreshing: dict[int, set[Network | Identified]] = field(default_factory=dict)
    marks: list[tuple[int, int]] = field(default_factory=list)

    def read(self, chunks: int | None = None) -> bool:
        """Read all that was written, or only the first chunks of it.

        Returns:
            Whether this made room: a connection has a turn called for then.
        """
        before = self.outlet.backlog_bytes
        stream = b"".join(self.outlet.unread[:chunks])
        del self.outlet.unread[:chunks]
        self._take(stream)
        resume_bytes: int = vars(update_group)["RESUME_BYTES"]  # as patched
        return before > resume_bytes >= self.outlet.backlog_bytes

    def _take(self, stream: bytes) -> None:
        for kind, body in split_messages(stream, self.peer.negotiated.most_bytes):
            if kind == wire.KEEPALIVE:
                continue
            if kind == wire.ROUTE_REFRESH:
                self._mark(body[1], body[2])
                continue
            assert kind == wire.UPDATE
            self.messages.append(body)
            add_path = frozenset(each.afi for each in self.peer.negotiated.add_path_send)
            update = read_update(body, as4=self.as4, external=self.external, add_path=add_path)
            for network in update.withdrawn:
                if self.table.pop(network, None) is None:
                    self.stray.append(network)
            for path in update.gone:
                if self.paths.pop(path, None) is None:
                    self.stray.append(path.network)
            self.table.update(update.announced)
            self.paths.update(update.paths)
            for stale in self.refreshing.values():
                stale.difference_update(update.announced, update.paths)
            if update.end_of_rib is not None:
                self.ends.append(update.end_of_rib)

    def _mark(self, afi: int, subtype: int) -> None:
        """Take a BoRR or an EoRR: what was not told again between them is gone (RFC 7313 4)."""
        assert self.peer.negotiated.enhanced_refresh
        self.marks.append((afi, subtype))
        if subtype == BEGIN:
            version = 4 if afi == 1 else 6
            self.refreshing[afi] = {each for each in self.table if each.version == version}
            self.refreshing[afi] |= {each for each in self.paths if each[0].version == version}
        else:
            assert subtype == END
            for stale in self.refreshing.pop(afi):
                if isinstance(stale, Identified):
                    self.paths.pop(stale, None)
                else:
                    self.table.pop(stale, None)

    @property
    def prefixes(self) -> set[str]:
        """What it has, as text."""
        return set(map(str, self.table))

    def next_hops(self, prefix: str) -> dict[int, str]:
        """The paths that it has of a prefix, by identifier."""
        return {
            each.path_id: str(route.next_hop)
            for each, route in self.paths.items()
            if str(each.network) == prefix
        }

    def route(self, prefix: str) -> Route:
        """What it has for a prefix."""
        return self.table[ip_network(prefix)]


class Classroom:
    """A speaker with its peers.

    Attributes:
        speaker: Under test.
        findings: What it found wrong, with the name of the peer that sent it.
    """

    def __init__(self, asn: int = wire.ASN, *, quarantine: bool = False) -> None:
        self.findings: list[tuple[str, Finding]] = []
        self.asn = asn
        identity = Identity(asn, IPv4Address(ROUTER_ID), IPv4Address(CLUSTER_ID))
        self.speaker = Speaker(identity, self._found, quarantine=quarantine)
        self.students: list[Student] = []

    def join(
        self,
        name: str,
        address: str,
        *,
        router_id: str = "",
        families: str = "ipv4 ipv6",
        as4: bool = True,
        client: bool = True,
        enhanced_refresh: bool = False,
        graceful: bool = False,
        asn: int | None = None,
        route_server: bool = False,
        enforce_first_as: bool = True,
        local_address: str = OUR_ADDRESS,
        intake: Intake = USUAL_INTAKE,
        export: Policy | None = None,
        restart: GracefulRestart | None = None,
        extended_messages: bool = False,
        add_path: str = "",
        long_lived: tuple[LongLived, ...] | None = None,
        turn: bool = True,
    ) -> Student:
        """A peer's session is established; an external one's if it has another AS.

        With `add_path` we "receive" several paths of a prefix from it, "send" it all, or "both".
        """
        identifier = IPv4Address(router_id or address)
        asn = self.asn if asn is None else asn
        external = asn != self.asn
        if external:
            kind = Audience.SERVED if route_server else Audience.EXTERNAL
        else:
            kind = Audience.CLIENT if client else Audience.NON_CLIENT
        source = Source(name, kind, identifier.packed, ip_address(address))
        capabilities = Capabilities(
            as4=asn if as4 else None,
            graceful_restart=GracefulRestart(restarting=False, restart_time_s=90)
            if graceful
            else None,
        )
        known = frozenset(_family(each) for each in families.split())
        negotiated = Negotiated(
            hold_time_s=90,
            families=known,
            as4=as4,
            route_refresh=True,
            remote=Open(two_octet_as(asn), 90, identifier, capabilities),
            enhanced_refresh=enhanced_refresh,
            graceful_restart=restart,
            graceful_notification=restart is not None and restart.notification,
            offers_long_lived=long_lived is not None,
            long_lived=long_lived,
            extended_messages=extended_messages,
            add_path_receive=known if add_path in ("receive", "both") else frozenset(),
            add_path_send=known if add_path in ("send", "both") else frozenset(),
        )
        outlet = FakeOutlet()
        peer = self.speaker.peer_up(
            source,
            negotiated,
            ip_address(local_address),
            outlet,
            enforce_first_as=enforce_first_as,
            intake=intake,
            export=export,
        )
        student = Student(name, peer, outlet, as4, external)
        self.students.append(student)
        if turn:
            self.turn()
        return student

    def leave(self, student: Student, *, gracefully: bool = False, turn: bool = True) -> int:
        """A peer's session is over, in words or by breaking off; returns how many prefixes that cost."""
        keep = student.peer.negotiated.restartable if gracefully else frozenset()
        lost = self.speaker.peer_down(student.peer, keep)
        self.students.remove(student)
        if turn:
            self.turn()
        return lost

    def keep_long(self, student: Student, families: Collection[Family]) -> tuple[int, int]:
        """A restart time is over; returns how many routes are kept on and how many are gone."""
        outcome: list[tuple[int, int]] = []
        who = returning(student.peer.source)
        self.speaker.keep_long(who, families, lambda *counts: outcome.append(counts))
        self.turn()
        return outcome[0]

    def send(self, student: Student, *bodies: bytes, turn: bool = True) -> None:
        """A peer sends UPDATEs."""
        for body in bodies:
            self.speaker.receive_update(student.peer, body)
        if turn:
            self.turn()

    def turn(self) -> None:
        """Run turns until there is nothing left to send, while all who read do so."""
        for _ in range(1000):
            more = self.speaker.turn()
            readers = [student for student in self.students if student.outlet.reads]
            room = [student.read() for student in readers]
            if not more and not any(room):
                return
        raise AssertionError("the speaker never comes to rest")

    def _found(self, peer: Peer, finding: Finding) -> None:
        self.findings.append((peer.source.name, finding))


def _family(name: str) -> Family:
    return next(family for family in FAMILIES.values() if family.name == name)
