"""The keys of the configuration: one table that the loader, the JSON Schema and the docs read.

Each mapping of the file is a tuple of `Field`. A key is required where the model has no default.
"""

from collections.abc import Callable
from typing import Any, Final

from reflector.config import kinds, policy_kinds
from reflector.config.field import Field, Mapping, plain
from reflector.config.model import (
    BmpStation,
    Config,
    LimitsConfig,
    LocalNetwork,
    LogConfig,
    MaximumPrefix,
    Neighbor,
    PeerRange,
    PeerSettings,
)
from reflector.config.policy_fields import POLICY, PREFIX_SET

_MAXIMUM: Final = Mapping(
    (
        Field("limit", kinds.integer(1, 2**32 - 1), "more prefixes of one family are too many"),
        Field(
            "action",
            kinds.choice("warn", "drop", "restart"),
            "warn: only say it; drop: end the session until the next reload; restart: for a while",
        ),
        Field(
            "warn-at",
            kinds.integer(1, 100),
            "percent of the limit from which on there is a warning",
            attribute="warn_at_percent",
        ),
        Field(
            "restart-after",
            kinds.integer(1, 86400),
            "seconds until a peer that had too many is let in again",
            attribute="restart_after_s",
        ),
    ),
    MaximumPrefix,
    plain(MaximumPrefix),
)

_SETTINGS: Final = (
    Field("description", kinds.TEXT, "for the log and `show`"),
    Field("client", kinds.BOOLEAN, "a route reflector client, or else a non-client peer"),
    Field(
        "remote-as",
        kinds.REMOTE_AS,
        "in which ASes it may be: a number, or a list; internal is our own, external every other",
        many=True,
        or_one=True,
        least=1,
    ),
    Field(
        "route-server",
        kinds.BOOLEAN,
        "of an external peer: serve it as a route server does, with nothing of ours in its paths",
    ),
    Field(
        "enforce-first-as",
        kinds.BOOLEAN,
        "of an external peer: refuse paths that don't begin with its AS",
    ),
    Field(
        "accept-default", kinds.BOOLEAN, "use a default route (0.0.0.0/0, ::/0) that it announces"
    ),
    Field(
        "graceful-shutdown",
        kinds.BOOLEAN,
        "give its routes with the community graceful-shutdown the LOCAL_PREF 0",
    ),
    Field(
        "import",
        policy_kinds.NAME,
        "the policy that its routes must pass",
        attribute="import_policy",
    ),
    Field(
        "export",
        policy_kinds.NAME,
        "the policy that routes must pass to be told to it",
        attribute="export_policy",
    ),
    Field("maximum-prefix", _MAXIMUM, "how many prefixes of each address family it may have"),
    Field("hold-time", kinds.HOLD_TIME, "seconds to propose", attribute="hold_time_s"),
    Field(
        "families", kinds.choice("ipv4", "ipv6"), "address families to offer", many=True, least=1
    ),
    Field(
        "add-path",
        kinds.choice("off", "receive", "send", "both"),
        "take several paths of a prefix from it, send it all paths of each, or both (RFC 7911)",
    ),
    Field(
        "password",
        kinds.PASSWORD,
        "TCP MD5 secret (kube-router's --peer-router-passwords, there in base64)",
    ),
    Field("ttl-security", kinds.HOPS, "hops that it may be away (RFC 5082); 1: the same network"),
    Field(
        "extended-messages",
        kinds.BOOLEAN,
        "offer messages of up to 65,535 octets (RFC 8654) instead of 4,096",
    ),
)
_SETTINGS_NAMES: Final = frozenset(each.name for each in _SETTINGS)


def _with_settings(build: Callable[..., object]) -> Callable[[dict[str, Any]], object]:
    """Make a range or neighbor of values among which are those of its settings."""

    def make(values: dict[str, Any]) -> object:
        settings = {name: values[name] for name in values.keys() & _SETTINGS_NAMES}
        rest = {name: values[name] for name in values.keys() - _SETTINGS_NAMES}
        return build(**rest, settings=PeerSettings(**settings))

    return make


def _own_network(values: dict[str, Any]) -> LocalNetwork:
    """Make a route of our own, unless no client could use it."""
    network = LocalNetwork(**values)
    if network.next_hop is not None and network.prefix.version < network.next_hop.version:
        raise ValueError(
            f"{network.prefix} with the IPv6 next hop {network.next_hop}: kube-router can't install "
            "IPv4 routes with IPv6 next hops"
        )
    return network


_RANGE: Final = Mapping(
    (Field("network", kinds.NETWORK, "where peers may connect from"), *_SETTINGS),
    PeerRange,
    _with_settings(PeerRange),
    ("network",),
)
_NEIGHBOR: Final = Mapping(
    (
        Field("address", kinds.PEER_ADDRESS, "of the peer"),
        Field("port", kinds.PORT, "on which the peer listens"),
        Field("passive", kinds.BOOLEAN, "wait for it to connect, and don't dial"),
        *_SETTINGS,
    ),
    Neighbor,
    _with_settings(Neighbor),
    ("address",),
)
_NETWORK: Final = Mapping(
    (
        Field("prefix", kinds.OWN_NETWORK, "what to announce"),
        Field(
            "next-hop",
            kinds.NEXT_HOP,
            "with which next hop; empty for the address which the peer told connected to",
            nullable=True,
        ),
    ),
    LocalNetwork,
    _own_network,
    ("prefix",),
)
_BMP: Final = Mapping(
    (
        Field("address", kinds.ADDRESS, "of the station"),
        Field("port", kinds.PORT, "on which the station listens"),
    ),
    BmpStation,
    plain(BmpStation),
    ("address",),
)
_LOG: Final = Mapping(
    (
        Field("format", kinds.choice("auto", "console", "json"), "auto: by the terminal"),
        Field("level", kinds.choice("debug", "info", "warning", "error"), "least level written"),
    ),
    LogConfig,
    plain(LogConfig),
)
_LIMITS: Final = Mapping(
    (
        Field(
            "open-wait",
            kinds.integer(1, 3600),
            "seconds that a connection may take to send its OPEN",
            attribute="open_wait_s",
        ),
        Field("max-sessions", kinds.integer(1, 1_000_000), "connections at a time"),
        Field(
            "max-waiting",
            kinds.integer(1, 1_000_000),
            "connections without an OPEN; then the oldest goes",
        ),
        Field(
            "max-waiting-per-address",
            kinds.integer(1, 1_000_000),
            "the same for one address, which may be a whole class behind NAT",
        ),
    ),
    LimitsConfig,
    plain(LimitsConfig),
)

ROOT: Final = Mapping(
    (
        Field("asn", kinds.ASN, "our AS number, and that of every peer without a `remote-as`"),
        Field(
            "router-id",
            kinds.ROUTER_ID,
            "BGP identifier; empty: 223.255 and the last half of the machine's address",
            nullable=True,
        ),
        Field("cluster-id", kinds.ROUTER_ID, "empty: the router id", nullable=True),
        Field("listen", kinds.ADDRESS, "addresses to listen on", many=True),
        Field("port", kinds.PORT, "TCP port to listen on"),
        Field("hold-time", kinds.HOLD_TIME, "seconds to propose; 0: none", attribute="hold_time_s"),
        Field(
            "families",
            kinds.choice("ipv4", "ipv6"),
            "address families to offer",
            many=True,
            least=1,
        ),
        Field("networks", _NETWORK, "routes that the reflector announces itself", many=True),
        Field("ranges", _RANGE, "who may connect; the narrowest network counts", many=True),
        Field("neighbors", _NEIGHBOR, "peers that are named; they win over ranges", many=True),
        Field("prefix-sets", PREFIX_SET, "prefixes that go by a name", many=True),
        Field("policies", POLICY, "which routes are accepted, and what is set on them", many=True),
        Field(
            "quarantine",
            kinds.BOOLEAN,
            "of nodes that announce overlapping pod CIDRs only the first keeps its route",
        ),
        Field(
            "restart-time",
            kinds.RESTART_TIME,
            "seconds that peers are asked to keep our routes while we restart (RFC 4724), and we "
            "keep theirs for as long as they ask; 0: no graceful restart",
            attribute="restart_time_s",
        ),
        Field(
            "select-defer-time",
            kinds.SELECT_DEFER_TIME,
            "seconds after our own restart for which the End-of-RIB that we send waits for the "
            "peers' at most (RFC 4724 4.1)",
            attribute="select_defer_time_s",
        ),
        Field(
            "stale-path-time",
            kinds.STALE_PATH_TIME,
            "seconds in which a peer that is back must have announced its routes again, or sent "
            "its End-of-RIB, before those that it has not are removed (RFC 4724 4.2)",
            attribute="stale_path_time_s",
        ),
        Field(
            "long-lived-stale-time",
            kinds.LONG_LIVED_STALE_TIME,
            "seconds beyond that in which peers are asked to keep our routes as a last choice "
            "(RFC 9494), and for which we keep theirs at most; 0: none",
            attribute="long_lived_stale_time_s",
        ),
        Field(
            "redial",
            kinds.BOOLEAN,
            "dial peers that had a session, after our own restart and when it breaks off",
        ),
        Field("state-file", kinds.FILE, "of those peers; empty: the usual place", nullable=True),
        Field("control-socket", kinds.PATH, "for `show`; empty: the usual place", nullable=True),
        Field("http", kinds.HTTP, "where the page, the API and the metrics are"),
        Field(
            "http-controls",
            policy_kinds.PEERS,
            "from where the page may disconnect clusters, drop sessions and hide routes",
            many=True,
        ),
        Field("bmp", _BMP, "stations that are told what peers say (RFC 7854)", many=True),
        Field(
            "whoami",
            kinds.HTTP,
            "where `curl` is told who asks and by which node, as on 1.0.0.2:80",
        ),
        Field("log", _LOG, "how the log is written"),
        Field("limits", _LIMITS, "bounds for a misbehaving network"),
    ),
    Config,
    plain(Config),
)
