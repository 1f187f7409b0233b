"""Reads FRR's bgpd.conf, so that the file of a course takes no rewriting.

Statements are recognised one by one (`frr_grammar`), and peers are put together at the end
(`frr_peers`), since a peer group may be described after it is used. What FRR would do and the
reflector can't stops the start (`frr_statements`).
"""

import re
from collections.abc import Callable
from difflib import SequenceMatcher
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path
from typing import Any, Final

from reflector.config import kinds
from reflector.config.errors import ConfigError, Finding, printable
from reflector.config.frr_filters import maximum_prefix
from reflector.config.frr_grammar import Statement, UnknownStatementError, recognise
from reflector.config.frr_peers import FAMILIES, FRR_DEFAULT, Peer, Peers
from reflector.config.frr_statements import BLOCKS, COSMETIC, REFUSED, REFUSED_NO, UNDERSTOOD
from reflector.config.model import (
    Config,
    FamilyName,
    IPNetwork,
    LimitsConfig,
    LocalNetwork,
    RemoteAsWord,
)
from reflector.config.source import read_text


def read_frr(path: Path) -> tuple[Config, list[str]]:
    """Read a bgpd.conf.

    Returns:
        The configuration, and notes on what was skipped.

    Raises:
        ConfigError: With everything that is wrong with it or not supported.
    """
    return parse_frr(read_text(path), str(path))


def parse_frr(text: str, name: str) -> tuple[Config, list[str]]:
    """Make a configuration of a bgpd.conf's text.

    Args:
        text: The file's.
        name: Of the file, for messages.

    Returns:
        The configuration, and notes on what was skipped.

    Raises:
        ConfigError: With everything that is wrong with it or not supported.
    """
    reader = _Reader(name)
    for number, line in enumerate(text.split("\n"), 1):
        # As FRR splits: other white space than this may be part of a description.
        words = [word for word in re.split("[ \t\r]", line) if word]
        if words and not words[0].startswith(("!", "#")):
            reader.line(number, words)
    config = reader.build()
    if reader.findings:
        raise ConfigError(sorted(reader.findings, key=lambda each: each.line))
    return config, [printable(f"{name}:{line}: {note}") for line, note in sorted(reader.notes)]


class _Reader:
    """Collects what the lines say."""

    def __init__(self, name: str) -> None:
        self.findings: list[Finding] = []
        self.notes: list[tuple[int, str]] = []
        self._name = name
        self._line = 0
        self._asn: int | None = None
        self._default = FRR_DEFAULT
        self._values: dict[str, Any] = {}
        self._networks: dict[IPNetwork, None] = {}
        self._peers = Peers()
        # Where we are: below `router bgp`, in an address family of it, or in a block that is not
        # ours, and whether that is one which was refused.
        self._in_router = False
        self._family: FamilyName | None = None
        self._foreign: str | None = None

    def line(self, number: int, words: list[str]) -> None:
        """Read one line, which is no comment."""
        self._line = number
        if self._foreign == "route-map" and self._peers.route_maps.content(number, words):
            return
        no = words[0] == "no" and len(words) > 1
        statement_words = words[1:] if no else words
        try:
            statement = recognise(statement_words, no=no)
            if not self._is_foreign(statement.entry):
                self._statement(statement, _shown(words), no=no)
        except UnknownStatementError as error:
            # What a block that is not ours holds is not ours to judge.
            if self._foreign in (None, "route-map"):
                self._blame(f"{_shown(words)}: {error}")
        except ValueError as error:
            self._blame(f"{_shown(words)}: {error}")

    def _is_foreign(self, entry: str) -> bool:
        """Whether a statement is only the content or the end of a block that is not ours."""
        if self._foreign is None:
            return False
        if entry in _ENDS:
            self._in_router = self._foreign == "address-family"
            self._foreign = None
            return True
        if entry.split(maxsplit=1)[0] in _ROUTER_STATEMENTS and self._foreign in REFUSED:
            return True
        # As in FRR, a statement of the top level ends a block without a word.
        self._foreign = None
        return False

    def _statement(self, statement: Statement, shown: str, *, no: bool) -> None:
        entry = statement.entry
        if entry in UNDERSTOOD:
            self._understood(statement, no=no)
            return
        if entry in BLOCKS and not no:
            self._foreign, self._in_router, self._family = entry, False, None
        if no and entry in REFUSED_NO:
            raise ValueError(REFUSED_NO[entry])
        if entry in REFUSED and not no:
            raise ValueError(REFUSED[entry])
        reason = COSMETIC.get(entry, "it is off here in any case")
        self._note(self._line, f"{shown}: skipped, {reason}")

    def _understood(self, statement: Statement, *, no: bool) -> None:
        entry = statement.entry
        if no and (entry in _ENDS or entry == "end" or entry.startswith("address-family ")):
            raise ValueError("there is nothing to take back; take the line out")
        if entry in _ENDS or entry == "end":
            # `exit` in an address family leads back to the router, and from there to the top.
            in_family = self._family is not None and entry in ("exit", "quit")
            self._in_router &= in_family or entry == "exit-address-family"
            self._family = None
        elif entry == "router bgp *":
            self._router(*statement.arguments, no=no)
        elif entry.startswith(_FILTER_STATEMENTS):
            self._filters(statement, no=no)
        elif not self._in_router:
            raise ValueError("belongs below a `router bgp` line")
        elif entry.startswith("address-family "):
            self._family = "ipv4" if " ipv4" in entry else "ipv6"
        elif "neighbor *" in entry:
            self._neighbor(statement, no=no)
        else:
            self._global(statement, no=no)

    def _filters(self, statement: Statement, *, no: bool) -> None:
        """Read a list or a route map, which mean nothing before a neighbor names them."""
        entry = statement.entry
        if entry.endswith(" prefix-list ..."):
            family: FamilyName = "ipv4" if entry.startswith("ip ") else "ipv6"
            self._peers.prefix_lists.read(family, *statement.arguments, no=no)
        elif no:
            raise ValueError("it can't be taken back; take it out")
        elif entry in _LISTS:
            self._peers.route_maps.listed(self._line, _LISTS[entry], *statement.arguments)
        else:
            name, number = statement.arguments
            verdict = "permit" if " permit " in entry else "deny"
            self._foreign, self._in_router, self._family = "route-map", False, None
            self._peers.route_maps.begin(self._line, name, verdict, number)

    def _router(self, text: str = "", *, no: bool) -> None:
        if no:
            raise ValueError("all would be taken back; take the line out")
        asn = _asn(text)
        if self._asn not in (None, asn):
            raise ValueError(f"we are in AS {self._asn} already, and there can be only one")
        self._asn = asn
        self._in_router, self._family = True, None

    def _global(self, statement: Statement, *, no: bool) -> None:
        """Read a statement on the reflector itself."""
        given = statement.arguments
        match statement.entry:
            case "bgp router-id *":
                self._set("router_id", None if no else kinds.ROUTER_ID.read(given[0]))
            case "bgp cluster-id *":
                self._set("cluster_id", None if no else _cluster_id(given[0]))
            case "timers bgp * *":
                self._set("hold_time_s", None if no else self._hold_time(*given))
            case entry if "graceful-restart" in entry:
                self._graceful_restart(entry, *given, no=no)
            case "bgp listen limit *":
                self._set("limits", None if no else self._limits(given[0]))
            case "bgp default ipv4-unicast" | "bgp default ipv6-unicast" as entry:
                family = FAMILIES[entry == "bgp default ipv6-unicast"]
                self._default = self._default - {family} if no else self._default | {family}
            case "bgp enforce-first-as":
                self._peers.enforce_first_as = not no
            case "bgp listen range * peer-group *":
                self._range(_network(given[0]), given[1] if len(given) > 1 else "", no=no)
            case "network *" | "network * mask *":
                self._own_network(*given, no=no)
            case entry:
                raise NotImplementedError(entry)

    def _set(self, name: str, value: object) -> None:
        """Set a value of the configuration; None for its default."""
        if value is None:
            self._values.pop(name, None)
        else:
            self._values[name] = value

    def _own_network(self, text: str = "", mask: str | None = None, *, no: bool) -> None:
        network = _own_network(text, mask)
        if no:
            self._networks.pop(network, None)
        else:
            self._networks[network] = None

    def _limits(self, text: str) -> LimitsConfig | None:
        limit, default = _number(kinds.integer(1, 65535), text), LimitsConfig()
        if limit > default.max_sessions:
            return LimitsConfig(max_sessions=limit)
        self._note(
            self._line,
            f"bgp listen limit {limit}: skipped, there is no cliff before "
            f"{default.max_sessions} connections",
        )
        return None

    def _hold_time(self, keepalive: str, hold: str) -> int:
        """The hold time of a pair of timers, with a note where the other will not be kept to."""
        keepalive_s = _number(kinds.integer(0, 65535), keepalive)
        hold_time_s = _number(kinds.HOLD_TIME, hold)
        if keepalive_s != hold_time_s // 3:
            self._note(
                self._line,
                f"a keepalive of {keepalive_s} s: skipped, it is a third of the hold time agreed on",
            )
        return hold_time_s

    def _range(self, network: IPNetwork, group: str, *, no: bool) -> None:
        if no:
            self._peers.ranges.pop(network, None)
            return
        line, other = self._peers.ranges.setdefault(network, (self._line, group))
        if other != group:
            raise ValueError(f"is the range of peer group {other} already, by line {line}")

    def _graceful_restart(self, entry: str, seconds: str = "", *, no: bool) -> None:
        if entry in _RESTART_TIMES:
            name, kind = _RESTART_TIMES[entry]
            self._set(name, None if no else kind.read(seconds))
        elif entry == "bgp graceful-restart-disable":
            self._set("restart_time_s", None if no else 0)
        elif no:
            raise ValueError("use `bgp graceful-restart-disable`")

    def _neighbor(self, statement: Statement, *, no: bool) -> None:
        """Read a statement on a neighbor or peer group."""
        if not statement.arguments:
            raise ValueError("is not complete: it must say which one")
        name, *given = statement.arguments
        if no and statement.entry in ("no neighbor *", "neighbor * peer-group"):
            self._peers.forget(name)
            return
        peer = self._peers.get(name, self._line, self._default)
        family = self._family or "ipv4"
        match statement.entry:
            case "neighbor * peer-group":
                peer.is_group = True
            case "neighbor * peer-group *":
                peer.group = None if no else given[0]
            case entry if entry in _REMOTE_AS:
                self._remote_as(name, peer, _REMOTE_AS[entry], given, no=no)
            case entry if entry in _BY_FAMILY:
                said: dict[FamilyName, bool] = getattr(peer, _BY_FAMILY[entry])
                said[family] = not no
            case "neighbor * timers * *":
                _keep(peer, "hold_time_s", None if no else self._hold_time(*given))
            case entry if entry in _FILTERS:
                self._filter(peer, _FILTERS[entry], given, no=no)
            case entry if entry in _FLAGS:
                peer.values[_FLAGS[entry]] = not no
            case entry:
                name, read = _VALUES[entry]
                _keep(peer, name, None if no else read(*given))

    def _filter(self, peer: Peer, what: str, given: list[str], *, no: bool) -> None:
        """Read which routes a peer may send or is sent, or how many."""
        if what != "maximum_prefix":
            _keep(peer, f"{what} {self._family or 'ipv4'}", None if no else given[0])
            return
        if no:
            _keep(peer, what, None)
            return
        maximum = maximum_prefix(given[0].split())
        if peer.values.setdefault(what, maximum) != maximum:
            raise ValueError("one limit counts for each address family: say the same in both")

    def _remote_as(
        self, name: str, peer: Peer, word: RemoteAsWord | None, given: list[str], *, no: bool
    ) -> None:
        if not no:
            peer.remote_as = word or _asn(given[0])
        elif peer.is_group:
            peer.remote_as = None
        else:
            # To FRR a neighbor is there by its AS, and gone without.
            self._peers.forget(name)

    def build(self) -> Config:
        """The configuration; what doesn't fit together is added to the findings."""
        if self._asn is None:
            if not self.findings:
                self._blame("there is no `router bgp` line in it", line=0)
            return Config()
        networks = tuple(LocalNetwork(network) for network in self._networks)
        config = Config(asn=self._asn, networks=networks, **self._values)
        return self._peers.build(
            config, blame=lambda line, what: self._blame(what, line=line), note=self._note
        )

    def _blame(self, what: str, *, line: int | None = None) -> None:
        self.findings.append(Finding(self._name, self._line if line is None else line, 0, "", what))

    def _note(self, line: int, what: str) -> None:
        self.notes.append((line, what))


_ENDS: Final = frozenset({"exit", "quit", "exit-address-family", "exit-vrf"})
# First words of what stands below `router bgp`; in the blocks of other protocols they mean others.
_ROUTER_STATEMENTS: Final = frozenset(
    {"bgp", "neighbor", "network", "timers", "redistribute", "distance", "aggregate-address"}
)


def _keep(peer: Peer, name: str, value: object) -> None:
    """Set a value of a peer; None for that of its group, or the default."""
    if value is None:
        peer.values.pop(name, None)
    else:
        peer.values[name] = value


def _shown(words: list[str]) -> str:
    """A statement for messages, without the secret that may be in it, even if mistyped."""
    for index, word in enumerate(words[:-1]):
        alike = SequenceMatcher(None, word.lower(), "password").ratio() > _LIKE_PASSWORD
        if alike or "password".startswith(word):
            words = [*words[: index + 1], "..."]
            break
    return " ".join(words)[:_MAX_SHOWN]


_LIKE_PASSWORD: Final = 0.6
_MAX_SHOWN: Final = 200


def _number(kind: kinds.Kind, text: str) -> int:
    return int(str(kind.read(text)))


def _asn(text: str) -> int:
    """An AS number, also as two halves (RFC 5396)."""
    high, dot, low = text.partition(".")
    if dot and re.fullmatch("[0-9]{1,5}", high) and re.fullmatch("[0-9]{1,5}", low):
        text = str((int(high) << 16) + int(low))
    return _number(kinds.ASN, text)


def _cluster_id(text: str) -> IPv4Address:
    """An address, or the number that it is."""
    if re.fullmatch("[0-9]{1,10}", text) and 0 < int(text) < 1 << 32:
        return IPv4Address(int(text))
    return IPv4Address(str(kinds.ROUTER_ID.read(text)))


def _network(text: str) -> IPNetwork:
    """A prefix as FRR reads it: bits beyond its length are cut off."""
    if re.fullmatch("[0-9a-fA-F:.]+/[0-9]{1,3}", text):
        try:
            return ip_network(text, strict=False)
        except ValueError:
            pass
    raise ValueError(f"{text!r} is not an IP prefix such as 10.0.0.0/8")


def _own_network(text: str, mask: str | None = None) -> IPNetwork:
    """A prefix of a `network` statement, whose length may be a mask's or that of its class."""
    network: IPNetwork
    if mask is not None:
        try:
            network = IPv4Network(f"{IPv4Address(text)}/{IPv4Address(mask)}", strict=False)
        except ValueError:
            raise ValueError(f"{text} mask {mask} is not an IPv4 prefix") from None
    else:
        network = _network(text if "/" in text else f"{text}/{_class_length(text)}")
    kinds.OWN_NETWORK.read(str(network))
    return network


def _class_length(text: str) -> int:
    """The prefix length of an address's class, as before 1993 and in FRR to this day."""
    try:
        address = IPv4Address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP prefix such as 10.0.0.0/8") from None
    if not int(address):
        return 0
    first = address.packed[0]
    return 8 if first < 128 else 16 if first < 192 else 24  # noqa: PLR2004 - classes A, B and C


# What may differ between a peer's address families, and where it is kept.
_BY_FAMILY: Final = {
    "neighbor * activate": "active",
    "neighbor * route-reflector-client": "clients",
    "neighbor * route-server-client": "served",
    "neighbor * addpath-tx-all-paths": "told_all",
}
# What concerns a peer's routes, and where it is kept.
_FILTERS: Final = {
    "neighbor * prefix-list * in": "import",
    "neighbor * prefix-list * out": "export",
    "neighbor * route-map * in": "import map",
    "neighbor * route-map * out": "export map",
    "neighbor * maximum-prefix ...": "maximum_prefix",
}
_FILTER_STATEMENTS: Final = (
    *("ip prefix-list", "ipv6 prefix-list", "route-map *"),
    *("bgp community-list", "bgp large-community-list", "bgp as-path"),
)
# Lists that route maps name, by what they match.
_LISTS: Final = {
    "bgp community-list ...": "community",
    "bgp large-community-list ...": "large-community",
    "bgp as-path access-list ...": "as-path",
}
# The word for the AS of a peer; None where it is named by its number.
_REMOTE_AS: Final[dict[str, RemoteAsWord | None]] = {
    "neighbor * remote-as *": None,
    "neighbor * remote-as internal": "internal",
    "neighbor * remote-as external": "external",
    "neighbor * remote-as auto": "any",
}
_RESTART_TIMES: Final = {
    "bgp graceful-restart restart-time *": ("restart_time_s", kinds.RESTART_TIME),
    "bgp graceful-restart select-defer-time *": ("select_defer_time_s", kinds.SELECT_DEFER_TIME),
    "bgp graceful-restart stalepath-time *": ("stale_path_time_s", kinds.STALE_PATH_TIME),
    "bgp long-lived-graceful-restart stale-time *": (
        "long_lived_stale_time_s",
        kinds.LONG_LIVED_STALE_TIME,
    ),
}
_FLAGS: Final = {
    "neighbor * enforce-first-as": "enforce_first_as",
    "neighbor * next-hop-self": "next_hop_self",
    "neighbor * disable-addpath-rx": "disable_addpath_rx",
    "neighbor * passive": "passive",
    "neighbor * shutdown": "shutdown",
    "neighbor * shutdown message ...": "shutdown",
}
_VALUES: Final[dict[str, tuple[str, Callable[..., object]]]] = {
    "neighbor * description ...": ("description", kinds.TEXT.read),
    "neighbor * password *": ("password", kinds.PASSWORD.read),
    "neighbor * port *": ("port", kinds.PORT.read),
    "neighbor * interface *": ("interface", kinds.TEXT.read),
    "neighbor * ttl-security hops *": ("ttl_security", kinds.HOPS.read),
}
