"""Reads FRR's bgpd.conf, so that the file of a course takes no rewriting.

Statements are read in one pass and put together at the end, since a peer group may be described
after it is used. What FRR would do and the reflector can't stops the start (`frr_statements`).
"""

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, ip_network
from pathlib import Path
from typing import Any, Final

from reflector.config import kinds
from reflector.config.errors import ConfigError, Finding
from reflector.config.frr_statements import COSMETIC, REFUSED, lookup
from reflector.config.model import (
    Config,
    FamilyName,
    IPAddress,
    IPNetwork,
    LocalNetwork,
    Neighbor,
    PeerRange,
    PeerSettings,
)


def read_frr(path: Path) -> tuple[Config, list[str]]:
    """Read a bgpd.conf.

    Returns:
        The configuration, and notes on what was skipped.

    Raises:
        ConfigError: With everything that is wrong with it or not supported.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except OSError as error:
        raise ConfigError([Finding(str(path), 0, 0, "", f"can't be read: {error.strerror}")]) from (
            error
        )
    except UnicodeDecodeError as error:
        raise ConfigError([Finding(str(path), 0, 0, "", "the file is not UTF-8 text")]) from error
    return parse_frr(text, str(path))


def parse_frr(text: str, name: str) -> tuple[Config, list[str]]:
    """Make a configuration of a bgpd.conf's text; `name` is the file's, for messages."""
    reader = _Reader(name)
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if words and not words[0].startswith(("!", "#")):
            reader.statement(number, words)
    config = reader.build()
    if reader.findings:
        raise ConfigError(sorted(reader.findings, key=lambda each: each.line))
    return config, reader.notes


@dataclass(slots=True)
class _Peer:
    """A neighbor or a peer group, as far as it was described; None is for "not said"."""

    line: int
    is_group: bool = False
    group: str | None = None
    remote_as: int | None = None
    values: dict[str, Any] = field(default_factory=dict)
    active: dict[FamilyName, bool] = field(default_factory=dict)


class _Wrong(Exception):  # noqa: N818 - it never leaves the module
    """A statement is understood and its value is not; the message says what is wrong."""


class _Reader:
    def __init__(self, name: str) -> None:
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self._name = name
        self._line = 0
        self._asn: int | None = None
        self._in_router = False
        self._family: FamilyName | None = None
        self._top: dict[str, Any] = {}
        self._networks: dict[IPNetwork, int] = {}
        self._ranges: list[tuple[int, IPNetwork, str]] = []
        self._peers: dict[str, _Peer] = {}

    def statement(self, line: int, words: list[str]) -> None:
        """Read one statement."""
        self._line = line
        no = words[0] == "no" and len(words) > 1
        words = words[1:] if no else words
        try:
            if not self._structure(words) and not self._understood(words, no=no):
                self._known(words, no=no)
        except (_Wrong, ValueError) as error:
            self._blame(f"{_shown(words)}: {error}")

    # Blocks.

    def _structure(self, words: list[str]) -> bool:
        """Whether it is one of the statements that open and close blocks."""
        match words:
            case ["router", "bgp", asn]:
                self._asn = _asn(asn)
                self._in_router, self._family = True, None
            case ["address-family", ("ipv4" | "ipv6") as family] | [
                "address-family",
                ("ipv4" | "ipv6") as family,
                "unicast",
            ] if self._in_router:
                self._family = family
            case ["exit-address-family"]:
                self._family = None
            case ["exit"] | ["end"] | ["quit"]:
                self._in_router = self._family is not None and words == ["exit"]
                self._family = None
            case _:
                return False
        return True

    # Statements that are read.

    def _understood(self, words: list[str], *, no: bool) -> bool:
        if not self._in_router:
            return False
        match words:
            case ["bgp", "router-id", text]:
                self._top["router_id"] = None if no else kinds.ROUTER_ID.read(text)
            case ["bgp", "cluster-id", text]:
                self._top["cluster_id"] = None if no else _cluster_id(text)
            case ["timers", "bgp", _, hold]:
                self._top["hold_time_s"] = kinds.HOLD_TIME.read(hold)
            case ["bgp", "listen", "range", text, "peer-group", group] if not no:
                self._ranges.append((self._line, _network(text), group))
            case ["network", text]:
                self._own_network(_network(text), no=no)
            case ["neighbor", name, *rest] if rest:
                return self._neighbor(name, rest, no=no)
            case _:
                return False
        return True

    def _own_network(self, network: IPNetwork, *, no: bool) -> None:
        if no:
            self._networks.pop(network, None)
        else:
            self._networks[network] = self._line

    def _neighbor(self, name: str, words: list[str], *, no: bool) -> bool:
        match words:
            case ["peer-group"]:
                self._peer(name).is_group = True
            case ["peer-group", group]:
                self._peer(name).group = None if no else group
            case ["remote-as", text]:
                self._peer(name).remote_as = None if no else self._remote_as(text)
            case ["activate"]:
                self._peer(name).active[self._family or "ipv4"] = not no
            case [keyword] if keyword in _FLAGS:
                self._peer(name).values[_FLAGS[keyword]] = not no
            case ["description", *text] if text:
                self._set(name, "description", kinds.TEXT, " ".join(text), no=no)
            case ["timers", keepalive, hold] if keepalive != "connect":
                self._set(name, "hold_time_s", kinds.HOLD_TIME, hold, no=no)
            case [keyword, text] if keyword in _VALUES:
                attribute, kind = _VALUES[keyword]
                self._set(name, attribute, kind, text, no=no)
            case _:
                return False
        return True

    def _set(self, name: str, attribute: str, kind: kinds.Kind, text: str, *, no: bool) -> None:
        values = self._peer(name).values
        if no:
            values.pop(attribute, None)
        else:
            values[attribute] = kind.read(text)

    def _remote_as(self, text: str) -> int:
        if text == "internal":
            return self._asn or 0
        if text == "external":
            raise _Wrong("external peers are not supported yet: every peer is in our own AS")
        return _asn(text)

    # Statements that are known, and others.

    def _known(self, words: list[str], *, no: bool) -> None:
        statement = ("no " if no else "") + _shown(words)
        refused, cosmetic = lookup(REFUSED, words), lookup(COSMETIC, words)
        # Taking back what isn't there changes nothing; taking back reflection itself would.
        if no and words[:2] == ["bgp", "client-to-client"]:
            self._blame(f"{statement}: clients would not reach each other; take the line out")
        elif refused is not None and not no:
            self._blame(f"{statement}: {refused}")
        elif refused is not None or cosmetic is not None:
            reason = cosmetic or "it is off here in any case"
            self.notes.append(f"{self._name}:{self._line}: {statement}: skipped, {reason}")
        elif not self._in_router and words[0] in ("neighbor", "network", "timers", "bgp"):
            self._blame(f"{statement}: belongs below a `router bgp` line")
        else:
            self._blame(f"{statement}: is no statement that is understood; take the line out")

    # Putting it together.

    def build(self) -> Config:
        """The configuration; what doesn't fit together is added to the findings."""
        if self._asn is None:
            self._blame("there is no `router bgp` line in it", line=0)
            return Config()
        ranges, neighbors = [], []
        for line, network, name in self._ranges:
            group = self._peers.get(name)
            if group is None or not group.is_group:
                self._blame(
                    f"there is no peer group {name}: say `neighbor {name} peer-group`", line
                )
            elif self._check_as(name, group, line):
                ranges.append(PeerRange(network, self._settings(group)))
        for name, peer in self._peers.items():
            if not peer.is_group:
                neighbors += self._neighbor_of(name, peer)
        return Config(
            asn=self._asn,
            networks=tuple(LocalNetwork(network) for network in self._networks),
            ranges=tuple(dict.fromkeys(ranges)),
            neighbors=tuple(neighbors),
            **self._top,
        )

    def _neighbor_of(self, name: str, peer: _Peer) -> list[Neighbor]:
        try:
            address: IPAddress = kinds.ADDRESS.read(name)  # type: ignore[assignment]
        except ValueError:
            self._blame(
                f"neighbor {name} is no address: for a peer group say `neighbor {name} peer-group`",
                peer.line,
            )
            return []
        merged = self._merged(peer)
        if merged is None:
            self._blame(f"there is no peer group {peer.group}", peer.line)
            return []
        if merged.values.get("shutdown"):
            self.notes.append(
                f"{self._name}:{peer.line}: neighbor {name} is shut down and left out"
            )
            return []
        if not self._check_as(name, merged, peer.line):
            return []
        values = merged.values
        return [
            Neighbor(
                address,
                values.get("port", 179),
                bool(values.get("passive", False)),
                self._settings(merged),
            )
        ]

    def _merged(self, peer: _Peer) -> _Peer | None:
        """A peer with what its group says and it does not say itself."""
        if peer.group is None:
            return peer
        group = self._peers.get(peer.group)
        if group is None or not group.is_group:
            return None
        return replace(
            peer,
            remote_as=group.remote_as if peer.remote_as is None else peer.remote_as,
            values=group.values | peer.values,
            active=group.active | peer.active,
        )

    def _check_as(self, name: str, peer: _Peer, line: int) -> bool:
        if peer.remote_as == self._asn:
            return True
        if peer.remote_as is None:
            self._blame(f"{name} has no AS: say `neighbor {name} remote-as {self._asn}`", line)
        else:
            self._blame(
                f"{name} is in AS {peer.remote_as} and we are in {self._asn}: "
                "external peers are not supported yet",
                line,
            )
        return False

    def _settings(self, peer: _Peer) -> PeerSettings:
        values = peer.values
        # Without a word on families a peer is offered both: IPv6 beside IPv4 harms nobody. Once
        # the file names any, those count, IPv4 being on unless it is switched off, as in FRR.
        families: tuple[FamilyName, ...] | None = None
        if peer.active:
            active = {"ipv4": True} | peer.active
            families = tuple(name for name in _FAMILIES if active.get(name))
        return PeerSettings(
            description=values.get("description", ""),
            client=bool(values.get("client", False)),
            hold_time_s=values.get("hold_time_s"),
            families=families,
            password=values.get("password"),
        )

    # Small things.

    def _peer(self, name: str) -> _Peer:
        return self._peers.setdefault(name, _Peer(self._line))

    def _blame(self, what: str, line: int | None = None) -> None:
        self.findings.append(Finding(self._name, self._line if line is None else line, 0, "", what))


_FAMILIES: Final[tuple[FamilyName, ...]] = ("ipv4", "ipv6")
_FLAGS: Final = {
    "route-reflector-client": "client",
    "passive": "passive",
    "shutdown": "shutdown",
}
_VALUES: Final = {
    "password": ("password", kinds.PASSWORD),
    "port": ("port", kinds.PORT),
}


def _shown(words: list[str]) -> str:
    """A statement for messages, without the secret in it."""
    if "password" in words:
        words = [*words[: words.index("password") + 1], "..."]
    return " ".join(words)


def _asn(text: str) -> int:
    return int(str(kinds.ASN.read(text)))


def _network(text: str) -> IPNetwork:
    """A prefix as FRR reads it: bits beyond its length are cut off."""
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise _Wrong(f"{text!r} is not an IP prefix such as 10.0.0.0/8") from None


def _cluster_id(text: str) -> IPv4Address:
    """An address, or the number that it is."""
    if text.isascii() and text.isdigit() and 0 < int(text) < 1 << 32:
        return IPv4Address(int(text))
    router_id = kinds.ROUTER_ID.read(text)
    assert isinstance(router_id, IPv4Address)  # noqa: S101 - what the kind reads
    return router_id
