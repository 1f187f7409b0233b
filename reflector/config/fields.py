"""The keys of the configuration: one table that the loader, the JSON Schema and the docs read.

Each mapping of the file is a tuple of `Field`. A key is required where the model has no default.
"""

from collections.abc import Callable
from dataclasses import MISSING, dataclass
from dataclasses import fields as dataclass_fields
from typing import Any, Final

from reflector.config import kinds
from reflector.config.kinds import Kind
from reflector.config.model import (
    Config,
    LimitsConfig,
    LocalNetwork,
    LogConfig,
    MaximumPrefix,
    Neighbor,
    PeerRange,
    PeerSettings,
)


@dataclass(frozen=True, slots=True)
class Field:
    """A key.

    Args:
        key: As the file has it.
        kind: Of its value, or of each item of its list, or the mapping that it holds.
        doc: What it is, in a sentence.
        many: Whether it holds a list.
        or_one: Whether the list's only item may stand without the list.
        nullable: Whether it may be empty or `null`, which means the default.
        attribute: The model's name for it, where that differs from the key.
        least: Items that a list must have.
    """

    key: str
    kind: "Kind | Mapping"
    doc: str
    many: bool = False
    or_one: bool = False
    nullable: bool = False
    attribute: str = ""
    least: int = 0

    @property
    def name(self) -> str:
        """The model's name for it."""
        return self.attribute or self.key.replace("-", "_")

    @property
    def may_be_empty(self) -> bool:
        """Whether it may stand without a value: mappings too, since all their keys may go."""
        return self.nullable or (isinstance(self.kind, Mapping) and not self.many)


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping of the file.

    Args:
        fields: Its keys.
        model: What it describes; a key that is left out has this one's default.
        build: Makes the model's object of the values, keyed by `Field.name`, or raises ValueError
            with a sentence where they don't go together.
        required: Keys that must be there.
    """

    fields: tuple[Field, ...]
    model: type
    build: Callable[[dict[str, Any]], object]
    required: tuple[str, ...] = ()

    def default(self, field: Field) -> object:
        """What holds where a key is left out; None where something else decides, or it must be."""
        for model in (self.model, PeerSettings):
            for each in dataclass_fields(model):
                if each.name == field.name:
                    return None if each.default is MISSING else each.default
        raise LookupError(field.key)


def _plain(build: Callable[..., object]) -> Callable[[dict[str, Any]], object]:
    return lambda values: build(**values)


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
    _plain(MaximumPrefix),
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
    Field("maximum-prefix", _MAXIMUM, "how many prefixes of each address family it may have"),
    Field("hold-time", kinds.HOLD_TIME, "seconds to propose", attribute="hold_time_s"),
    Field(
        "families", kinds.choice("ipv4", "ipv6"), "address families to offer", many=True, least=1
    ),
    Field("password", kinds.PASSWORD, "TCP MD5 secret (kube-router's --peer-router-passwords)"),
    Field("ttl-security", kinds.HOPS, "hops that it may be away (RFC 5082); 1: the same network"),
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
_LOG: Final = Mapping(
    (
        Field("format", kinds.choice("auto", "console", "json"), "auto: by the terminal"),
        Field("level", kinds.choice("debug", "info", "warning", "error"), "least level written"),
    ),
    LogConfig,
    _plain(LogConfig),
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
    _plain(LimitsConfig),
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
        Field("redial", kinds.BOOLEAN, "dial the peers that had a session before our own restart"),
        Field("state-file", kinds.FILE, "of those peers; empty: the usual place", nullable=True),
        Field("control-socket", kinds.PATH, "for `show`; empty: the usual place", nullable=True),
        Field("log", _LOG, "how the log is written"),
        Field("limits", _LIMITS, "bounds for a misbehaving network"),
    ),
    Config,
    _plain(Config),
)
