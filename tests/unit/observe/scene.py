"""A reflector without sockets for the tests of what shows one: a real speaker, stand-in connections."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address, ip_network

from reflector.bgp.attributes import encode_attribute
from reflector.bgp.errors import Finding
from reflector.bgp.multiprotocol import encode_reach
from reflector.bgp.nlri import IPNetwork, pack_prefix
from reflector.bgp.open import Capabilities, Negotiated, Open
from reflector.bgp.session import Session
from reflector.bgp.vocabulary import (
    IPV4_UNICAST,
    IPV6_UNICAST,
    AttributeCode,
    AttributeFlag,
    State,
)
from reflector.config.describe import describe
from reflector.config.model import Config
from reflector.monitor import Monitor
from reflector.observe.desk import Desk
from reflector.observe.orders import NothingThere
from reflector.reports import PeerName
from reflector.rib.audience import Audience
from reflector.rib.intake import Intake
from reflector.rib.originated import LocalRoute
from reflector.rib.returning import Returning
from reflector.rib.source import IPAddress, Source
from reflector.speaker import Identity, Peer, Speaker
from reflector.tally import Tally
from reflector.transcript import Archive, Transcript

ASN = 64512
OUR_ADDRESS = IPv4Address("192.0.2.1")
OPTIONAL_TRANSITIVE = AttributeFlag.OPTIONAL | AttributeFlag.TRANSITIVE


class Sink:
    """An outlet that takes everything."""

    backlog_bytes = 0

    def write(self, chunks: list[bytes]) -> None:
        """Take it."""


@dataclass(eq=False)
class Connection:
    """What `reflector.PeerConnection` asks for."""

    name: PeerName
    session: Session
    peer: Peer | None = None
    outbound: bool = False
    local_address: IPAddress = OUR_ADDRESS
    local_port: int = 179
    remote_port: int = 34567
    since: float = 0.0
    bytes_in: int = 1234
    bytes_out: int = 99
    backlog_bytes: int = 0
    transcript: Transcript = field(init=False)

    def __post_init__(self) -> None:
        ends = (self.local_address, self.local_port), (self.name.address, self.remote_port)
        self.transcript = Transcript(*ends, outbound=self.outbound)

    def follow(self) -> None:
        """Nothing more is said in a scene."""


@dataclass
class Peering:
    """What `reflector.Connections` asks for."""

    connections: set[Connection]
    max_connections: int = 1000
    past: Archive = field(default_factory=Archive)
    ended: Tally = field(default_factory=Tally)
    monitors: list[Monitor] = field(default_factory=list)


@dataclass
class Steered:
    """What `orders.Controls` asks for, and notes what it was told to do."""

    disconnected: dict[IPNetwork, frozenset[Returning]] = field(default_factory=dict)
    hidden: bool = False
    allowed: bool = True
    orders: list[str] = field(default_factory=list)

    def may(self, address: IPAddress | None) -> bool:
        """As it is set."""
        return self.allowed or address is None

    def disconnect(self, cluster: IPNetwork, by: str) -> str:
        """A cluster of nobody."""
        self.disconnected[cluster] = frozenset()
        return self.note(f"disconnect {cluster} by {by}")

    def connect(self, cluster: IPNetwork, by: str) -> str:
        """It must be disconnected."""
        if self.disconnected.pop(cluster, None) is None:
            raise NothingThere(f"{cluster} is not disconnected")
        return self.note(f"connect {cluster} by {by}")

    def clear(self, address: IPAddress, by: str) -> str:
        """A session."""
        return self.note(f"clear {address} by {by}")

    def refresh(self, address: IPAddress, direction: str, by: str) -> str:
        """A peer's routes or ours."""
        return self.note(f"refresh {address} {direction} by {by}")

    def hide(self, by: str, *, hidden: bool) -> str:
        """Our own routes."""
        self.hidden = hidden
        return self.note(f"{'hide' if hidden else 'show'} by {by}")

    def note(self, order: str) -> str:
        """Remember an order."""
        self.orders.append(order)
        return order


@dataclass
class Scene:
    """What `reflector.Reflector` asks for."""

    speaker: Speaker = field(init=False)
    peering: Peering = field(init=False)
    desk: Desk = field(default_factory=lambda: Desk(179, lambda: [OUR_ADDRESS]))
    findings: list[Finding] = field(default_factory=list)
    controls: Steered = field(default_factory=Steered)
    quarantine: bool = False

    def __post_init__(self) -> None:
        self.speaker = Speaker(
            Identity(ASN, OUR_ADDRESS, OUR_ADDRESS),
            lambda _, finding: self.findings.append(finding),
            quarantine=self.quarantine,
        )
        self.peering = Peering(set())

    def describe_config(self) -> dict[str, object]:
        """The defaults."""
        return describe(Config())

    def originate(self, prefix: str) -> None:
        """Announce a route of our own."""
        self.speaker.originate([LocalRoute(ip_network(prefix))])

    def join(
        self,
        address: str,
        host_name: str = "",
        router_id: str = "",
        *,
        asn: int = ASN,
        kind: int = Audience.CLIENT,
    ) -> Peer:
        """A peer establishes a session."""
        connection = self.connect(address)
        remote = Open(
            asn,
            90,
            IPv4Address(router_id or address),
            Capabilities(as4=asn, host_name=host_name, route_refresh=True, codes=(1, 2, 65)),
        )
        negotiated = Negotiated(
            90, frozenset({IPV4_UNICAST, IPV6_UNICAST}), as4=True, route_refresh=True, remote=remote
        )
        connection.session.negotiated = negotiated
        connection.session.state = State.ESTABLISHED
        connection.name = PeerName(
            connection.name.address, str(remote.bgp_id), host_name, connection.name.description
        )
        source = Source(address, kind, remote.bgp_id.packed, connection.name.address)
        connection.peer = self.speaker.peer_up(
            source,
            negotiated,
            connection.local_address,
            Sink(),
            intake=Intake(accept_default=True),
            enforce_first_as=False,
        )
        return connection.peer

    def connect(self, address: str, description: str = "") -> Connection:
        """A peer connects and says nothing yet."""
        session = Session(Open(ASN, 90, self.speaker.identity.router_id))
        session.start()
        connection = Connection(PeerName(ip_address(address), description=description), session)
        self.peering.connections.add(connection)
        return connection

    def announce(self, peer: Peer, *prefixes: str, extra: bytes = b"", next_hop: str = "") -> None:
        """A peer announces IPv4 prefixes, or IPv6 ones with an IPv6 next hop."""
        hop = ip_address(next_hop or str(peer.source.address))
        nlri = b"".join(pack_prefix(ip_network(prefix)) for prefix in prefixes)
        block = attributes(extra)
        if hop.version == 4:
            block += encode_attribute(AttributeFlag.TRANSITIVE, AttributeCode.NEXT_HOP, hop.packed)
        else:
            block += encode_reach(IPV6_UNICAST, hop.packed, nlri)
            nlri = b""
        self.speaker.receive_update(peer, b"\0\0" + len(block).to_bytes(2) + block + nlri)

    def withdraw(self, peer: Peer, *prefixes: str) -> None:
        """A peer withdraws IPv4 prefixes."""
        field_ = b"".join(pack_prefix(ip_network(prefix)) for prefix in prefixes)
        self.speaker.receive_update(peer, len(field_).to_bytes(2) + field_ + b"\0\0")


def attributes(extra: bytes = b"", local_pref: int = 100) -> bytes:
    """The mandatory attributes but the next hop, and more."""
    well_known = AttributeFlag.TRANSITIVE
    mandatory = (
        encode_attribute(well_known, AttributeCode.ORIGIN, b"\0")
        + encode_attribute(well_known, AttributeCode.AS_PATH, b"")
        + encode_attribute(well_known, AttributeCode.LOCAL_PREF, local_pref.to_bytes(4))
    )
    return mandatory + extra
