"""What the reflector runs on: frozen, and every default in one place."""

from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from pathlib import Path
from typing import Final, Literal

from reflector.bgp.limits import MAX_PREFIX_HOLD_DOWN_S, MAX_PREFIXES_PER_PEER
from reflector.config.policy_model import Policy, PrefixSet

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network
FamilyName = Literal["ipv4", "ipv6"]
RemoteAsWord = Literal["any", "internal", "external"]
AddPathWord = Literal["off", "receive", "send", "both"]
MaximumAction = Literal["warn", "drop", "restart"]
LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]

BGP_PORT: Final = 179


@dataclass(frozen=True, slots=True)
class MaximumPrefix:
    """How many prefixes of each family a peer may have.

    Args:
        limit: More are too many.
        action: What becomes of a peer with too many: only a warning; or its session ends, and it is
            kept out until the next reload, or for a while.
        warn_at_percent: Of the limit, from which on there is a warning.
        restart_after_s: How long "restart" keeps it out.
    """

    limit: int = MAX_PREFIXES_PER_PEER
    action: MaximumAction = "restart"
    warn_at_percent: int = 75
    restart_after_s: int = int(MAX_PREFIX_HOLD_DOWN_S)


_USUAL_MAXIMUM: Final = MaximumPrefix()


@dataclass(frozen=True, slots=True)
class PeerSettings:
    """How to speak with a peer, the same for a range and for a single neighbor.

    Args:
        description: For the log and `show`.
        client: A route reflector client, or else a non-client peer (RFC 4456 5).
        remote_as: Which ASes it may be in: numbers, or words for kinds of them.
        route_server: If it is in another AS: a client of a route server (RFC 7947).
        enforce_first_as: If it is in another AS: its paths must begin with that (RFC 4271 6.3).
        accept_default: Use a default route that it announces.
        graceful_shutdown: Give its routes with GRACEFUL_SHUTDOWN the LOCAL_PREF 0 (RFC 8326 4.1).
        import_policy: Which of its routes are used, by the policy's name; None for all.
        export_policy: Which routes it is told of, by the policy's name; None for all.
        maximum_prefix: How many prefixes it may have.
        hold_time_s: To propose; None for the configuration's own.
        families: To offer; None for the configuration's own.
        add_path: Whether it may send several paths of a prefix, or is sent all (RFC 7911).
        password: TCP MD5 secret (RFC 2385), shown nowhere.
        ttl_security: How many hops away it may be (RFC 5082); None for any number.
        extended_messages: Offer messages of up to 65,535 octets (RFC 8654).
    """

    description: str = ""
    client: bool = True
    remote_as: tuple[int | RemoteAsWord, ...] = ("internal",)
    route_server: bool = False
    enforce_first_as: bool = True
    accept_default: bool = False
    graceful_shutdown: bool = True
    import_policy: str | None = None
    export_policy: str | None = None
    maximum_prefix: MaximumPrefix = _USUAL_MAXIMUM
    hold_time_s: int | None = None
    families: tuple[FamilyName, ...] | None = None
    add_path: AddPathWord = "off"
    password: str | None = field(default=None, repr=False)
    ttl_security: int | None = None
    extended_messages: bool = False


@dataclass(frozen=True, slots=True)
class PeerRange:
    """Peers that may connect from a network without being named."""

    network: IPNetwork
    settings: PeerSettings = PeerSettings()


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A peer that is named.

    Args:
        address: Of the peer.
        port: On which it listens.
        passive: Wait for it to connect, and don't dial.
        settings: How to speak with it.
    """

    address: IPAddress
    port: int = BGP_PORT
    passive: bool = False
    settings: PeerSettings = PeerSettings()


@dataclass(frozen=True, slots=True)
class LocalNetwork:
    """A route that the reflector originates.

    Args:
        prefix: What is announced.
        next_hop: None for the address which the peer told connected to.
    """

    prefix: IPNetwork
    next_hop: IPAddress | None = None


@dataclass(frozen=True, slots=True)
class LogConfig:
    """How the log is written; "auto" is for people on a terminal and JSON otherwise."""

    format: LogFormat = "auto"
    level: LogLevel = "info"


@dataclass(frozen=True, slots=True)
class LimitsConfig:
    """Bounds that keep a misbehaving network from harming the rest.

    Args:
        open_wait_s: How long a connection may take to send its OPEN. RFC 4271 suggests four
            minutes; a class has no use for a connection that says nothing for so long.
        max_sessions: Connections at a time. Far beyond any class; each costs a file descriptor.
        max_waiting: Connections that have not sent their OPEN yet; the oldest goes for a new one.
        max_waiting_per_address: The same for one address. A class behind NAT is one address.
    """

    open_wait_s: int = 60
    max_sessions: int = 10_000
    max_waiting: int = 2048
    max_waiting_per_address: int = 512


@dataclass(frozen=True, slots=True)
class BmpStation:
    """A monitoring station (RFC 7854).

    Args:
        address: Where it listens.
        port: TCP port.
    """

    address: IPAddress
    port: int = 11019


@dataclass(frozen=True, slots=True)
class HttpListen:
    """Where something is served over HTTP.

    Args:
        address: None for nowhere.
        port: TCP port.
    """

    address: IPAddress | None
    port: int

    def __str__(self) -> str:
        """As the file and the option have it."""
        if self.address is None:
            return "off"
        return f"{self.address if self.address.version == 4 else f'[{self.address}]'}:{self.port}"  # noqa: PLR2004


# Nobody else sees who is in the class unless the operator says so.
HTTP_HERE: Final = HttpListen(IPv4Address("127.0.0.1"), 8179)
NOWHERE: Final = HttpListen(None, 0)


@dataclass(frozen=True, slots=True)
class Config:
    """A reflector's configuration.

    Args:
        asn: Our AS number, and that of every peer that `remote_as` doesn't let be elsewhere.
        router_id: BGP identifier; None to derive it from the machine's address.
        cluster_id: None for the router id.
        listen: Addresses to listen on.
        port: TCP port to listen on.
        hold_time_s: To propose; 0 for none.
        families: To offer.
        networks: Routes of our own.
        ranges: Who may connect; the longest network that holds an address counts.
        neighbors: Peers that are named; they win over ranges.
        prefix_sets: Prefixes by name.
        policies: Which routes are accepted, by name.
        quarantine: Of overlapping pod CIDRs of several nodes use only the first.
        restart_time_s: How long peers are asked to keep our routes over our restart (RFC 4724); 0
            where restarts are not graceful.
        long_lived_stale_time_s: How long they are asked to keep them beyond that (RFC 9494), and we
            theirs at most; 0 where restarts are not long-lived.
        redial: Dial the peers that had a session before our own restart.
        state_file: Where they are remembered; None for the usual place.
        control_socket: For `bgp-reflector show`; None for the usual place.
        http: Where the page, the API and the metrics are.
        http_controls: From where orders are taken there.
        bmp: Who is told what peers say.
        whoami: Where who asks is told by which node they came.
        log: How the log is written.
        limits: Bounds.
    """

    asn: int = 64512
    router_id: IPv4Address | None = None
    cluster_id: IPv4Address | None = None
    listen: tuple[IPAddress, ...] = (IPv4Address("0.0.0.0"), IPv6Address("::"))
    port: int = BGP_PORT
    hold_time_s: int = 90
    families: tuple[FamilyName, ...] = ("ipv4", "ipv6")
    networks: tuple[LocalNetwork, ...] = (LocalNetwork(IPv4Network("1.0.0.2/32")),)
    ranges: tuple[PeerRange, ...] = (
        PeerRange(IPv4Network("0.0.0.0/0")),
        PeerRange(IPv6Network("::/0")),
    )
    neighbors: tuple[Neighbor, ...] = ()
    prefix_sets: tuple[PrefixSet, ...] = ()
    policies: tuple[Policy, ...] = ()
    quarantine: bool = False
    restart_time_s: int = 120
    select_defer_time_s: int = 30
    stale_path_time_s: int = 360
    long_lived_stale_time_s: int = 0
    redial: bool = True
    state_file: Path | None = None
    control_socket: Path | None = None
    http: HttpListen = HTTP_HERE
    http_controls: tuple[IPNetwork, ...] = ()
    bmp: tuple[BmpStation, ...] = ()
    whoami: HttpListen = NOWHERE
    log: LogConfig = LogConfig()
    limits: LimitsConfig = LimitsConfig()


def settings_for(config: Config, address: IPAddress) -> PeerSettings | None:
    """How to speak with an address: a named neighbor's settings, else the narrowest range's.

    Returns:
        None if it may not peer at all.
    """
    for neighbor in config.neighbors:
        if neighbor.address == address:
            return neighbor.settings
    holding = [each for each in config.ranges if address in each.network]
    if not holding:
        return None
    return max(holding, key=lambda each: each.network.prefixlen).settings
