"""The commands of the shell: what each is called, and what it asks and prints."""

import platform
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from reflector import __version__
from reflector.vty.absent import absent
from reflector.vty.clearing import clear
from reflector.vty.facts import FAMILIES, Reflector, View, speaks
from reflector.vty.grammar import CommandError, Grammar, Match, Variable
from reflector.vty.neighbors import neighbors_json, neighbors_text
from reflector.vty.pipe import piped
from reflector.vty.route import route_json, route_text
from reflector.vty.routes import (
    advertised_json,
    advertised_text,
    as_json,
    of_neighbor,
    ordered,
    table_json,
    table_text,
)
from reflector.vty.running_config import running_config
from reflector.vty.summary import summary_json, summary_text

# What FRR says where its table has no such thing.
_NO_NETWORK: Final = "% Network not in table"
_NO_NEIGHBOR: Final = "% No such neighbor in this view/vrf"

_VRFS: Final = ("default", "all")


class Exit(Exception):  # noqa: N818 - no error: the shell is left
    """The shell is to be left."""


def _is_address(word: str) -> bool:
    try:
        ip_address(word)
    except ValueError:
        return False
    return True


def _is_prefix(word: str) -> bool:
    try:
        ip_network(word, strict=False)
    except ValueError:
        return False
    return "/" in word


_VARIABLES: Final = {
    "ADDRESS": Variable("A.B.C.D", "An address, of IPv4 or IPv6", _is_address),
    "PREFIX": Variable("A.B.C.D/M", "A prefix, of IPv4 or IPv6", _is_prefix),
    "NAME": Variable("NAME", "Name of a VRF: default, or all", lambda word: word in _VRFS),
    "NUMBER": Variable("(0-512)", "Lines of the terminal", str.isdecimal),
}
_WORDS: Final = {
    "*": "All neighbors",
    "advertised-routes": "What the neighbor was told",
    "bgp": "BGP information",
    "clear": "Drop sessions, or exchange routes anew",
    "configure": "Configuration from the terminal",
    "disable": "Turn off privileged mode",
    "enable": "Turn on privileged mode",
    "end": "End the current mode",
    "established": "Only neighbors whose session is established",
    "exit": "Leave the shell",
    "failed": "Only neighbors whose session is not established",
    "in": "What the neighbor has announced",
    "ip": "IPv4",
    "ipv4": "Address family IPv4",
    "ipv6": "Address family IPv6",
    "json": "As JSON",
    "length": "Lines of the terminal",
    "longer-prefixes": "The prefix and all within it",
    "neighbors": "Neighbors in detail",
    "out": "What the neighbor is told",
    "quit": "Leave the shell",
    "received-routes": "What the neighbor has announced",
    "route": "The kernel's routes",
    "routes": "What the neighbor has announced and is in the table",
    "running-config": "The configuration that is in force",
    "show": "Show something",
    "soft": "Exchange routes anew, and keep the session",
    "summary": "A line for each neighbor",
    "terminal": "Settings of the terminal",
    "unicast": "Unicast",
    "version": "Version",
    "vrf": "One VRF; there is the default one",
}

_BGP: Final = "show [ip] bgp [vrf NAME] [<ipv4|ipv6> [unicast]]"
_PATTERNS: Final = {
    f"{_BGP} [json]": "table",
    f"{_BGP} <ADDRESS|PREFIX> [json]": "route",
    f"{_BGP} PREFIX longer-prefixes [json]": "longer",
    f"{_BGP} summary [<established|failed>] [json]": "summary",
    f"{_BGP} neighbors [ADDRESS] [json]": "neighbors",
    f"{_BGP} neighbors ADDRESS <advertised-routes|received-routes|routes> [json]": "neighbor_routes",
    "show <ip|ipv6> route [<ADDRESS|PREFIX>] [json]": "kernel_routes",
    "clear [ip] bgp [vrf NAME] [<ipv4|ipv6> [unicast]] <*|ADDRESS> [<soft [<in|out>]|in|out>]": "clear",
    "show running-config": "running_config",
    "show version": "version",
    "configure [terminal]": "configure",
    "terminal length NUMBER": "nothing",
    "<enable|disable|end>": "nothing",
    "<exit|quit>": "leave",
}


def grammar() -> Grammar:
    """All commands."""
    made = Grammar(_WORDS, _VARIABLES)
    for pattern, action in _PATTERNS.items():
        made.add(pattern, action)
    return made


class Commands:
    """Runs commands against one reflector.

    Args:
        reflector: Who is asked.
    """

    def __init__(self, reflector: Reflector) -> None:
        self.grammar = grammar()
        self._reflector = reflector
        self._actions: dict[str, Callable[[Match], str]] = {
            "table": self._table,
            "route": self._route,
            "longer": self._longer,
            "summary": self._summary,
            "neighbors": self._neighbors,
            "neighbor_routes": self._neighbor_routes,
            "kernel_routes": lambda _: _NO_KERNEL_ROUTES,
            "clear": lambda match: clear(reflector, match, self._neighbors_all()),
            "running_config": lambda _: running_config(reflector.get("config")),
            "version": lambda _: _VERSION,
            "configure": lambda _: _CONFIGURED_BY_FILE,
            "nothing": lambda _: "",
            "leave": _leave,
        }

    def run(self, line: str) -> str:
        """Run a line.

        Returns:
            What it prints, without the last line's end; empty where it prints nothing.

        Raises:
            CommandError: It is no command.
            Exit: It leaves the shell.
        """
        command, keep = piped(line)
        if not command.strip():
            return ""
        try:
            match = self.grammar.match(command)
        except CommandError as error:
            raise CommandError(f"% {error}: {command.strip()}") from None
        return keep(self._actions[match.action](match))

    # What is asked.

    def _about(self) -> View:
        return self._reflector.get("summary")

    def _routes(self, family: str, **query: str) -> list[View]:
        view = self._reflector.get("routes", **query)
        return ordered(route for route in view["routes"] if route["family"] == family)

    def _neighbors_all(self) -> list[View]:
        """All neighbors, each with whether it came from a range, FRR's "dynamic".

        Those that the configuration names are there without a connection, too.
        """
        config = self._reflector.get("config")
        named = {each["address"]: each for each in config["neighbors"]}
        connected = self._reflector.get("neighbors")["neighbors"]
        everybody = [each | {"dynamic": each["address"] not in named} for each in connected]
        missing = named.keys() - {each["address"] for each in connected}
        if missing:
            clusters = self._reflector.get("clusters")["clusters"]
            nodes = (node for cluster in clusters for node in cluster["nodes"])
            left = {node["address"]: node for node in nodes if "reason" in node}
            everybody += (absent(named[each], config, left.get(each)) for each in missing)
        return sorted(everybody, key=_by_address)

    def _told(self, address: str) -> list[View]:
        """What a neighbor was told; nothing where it has no session."""
        try:
            return list(self._reflector.get("neighbors", address, "advertised")["routes"])
        except LookupError:
            return []

    # The commands.

    def _summary(self, match: Match) -> str:
        about, everybody = self._about(), self._neighbors_all()
        chosen = next((word for word in ("established", "failed") if word in match.words), "")
        families = [_family(match)] if _names_family(match) else list(FAMILIES)
        shown = {family: summary_json(about, everybody, family, chosen) for family in families}
        if "json" not in match.words:
            return "\n".join(summary_text(of, family, chosen) for family, of in shown.items())
        by_name = {FAMILIES[family][0]: of for family, of in shown.items()}
        # FRR leaves the family out where the command named it whole, not where it left out `unicast`.
        shape = next(iter(by_name.values())) if "unicast" in match.words else by_name
        if match.values.get("NAME") == "all":
            return as_json({"default": shape})
        return as_json(shape)

    def _table(self, match: Match) -> str:
        family = _family(match)
        return _table(match, self._about(), self._routes(family), family)

    def _longer(self, match: Match) -> str:
        network = ip_network(match.values["PREFIX"], strict=False)
        family = f"ipv{network.version}"
        held = self._routes(family, prefix=str(network), match="longer")
        return _table(match, self._about(), held, family)

    def _route(self, match: Match) -> str:
        prefix = match.values.get("PREFIX")
        # Bits beyond a prefix's length say nothing, as in FRR.
        wanted = str(ip_network(prefix, strict=False)) if prefix else match.values["ADDRESS"]
        try:
            (route,) = self._reflector.get("routes", prefix=wanted)["routes"]
        except LookupError:
            return as_json({}) if "json" in match.words else _NO_NETWORK
        peers = self._reflector.get("explain", prefix=route["prefix"])["peers"]
        told = [each for each in peers if each["told"]]
        if "json" in match.words:
            return as_json(route_json(self._about(), route, told))
        return route_text(route, told)

    def _neighbors(self, match: Match) -> str:
        about = self._about()
        everybody = self._neighbors_all()
        if _names_family(match):
            everybody = [each for each in everybody if speaks(each, _family(match))]
        address = match.values.get("ADDRESS")
        if address is not None:
            everybody = [each for each in everybody if each["address"] == address]
        if "json" not in match.words:
            return neighbors_text(about, everybody) if everybody or not address else _NO_NEIGHBOR
        if address is not None and not everybody:
            return as_json({"bgpNoSuchNeighbor": True})
        shown = neighbors_json(about, everybody)
        if "NAME" in match.values:
            return as_json({"default": {"vrfId": 0, "vrfName": "default"} | shown})
        return as_json(shown)

    def _neighbor_routes(self, match: Match) -> str:
        address, family = match.values["ADDRESS"], _family(match)
        as_told = "advertised-routes" in match.words
        if all(each["address"] != address for each in self._neighbors_all()):
            return as_json({"bgpNoSuchNeighbor": True}) if "json" in match.words else _NO_NEIGHBOR
        about = self._about()
        if not as_told:
            return _table(match, about, of_neighbor(self._routes(family), address), family)
        routes = ordered(route for route in self._told(address) if route["family"] == family)
        if "json" in match.words:
            return as_json(advertised_json(about, routes, family))
        return advertised_text(about, routes, family)


def _table(match: Match, about: View, routes: list[View], family: str) -> str:
    if "json" in match.words:
        return as_json(table_json(about, routes, family))
    return table_text(about, routes, family)


def _names_family(match: Match) -> bool:
    return bool({"ip", "ipv4", "ipv6"} & match.words)


def _family(match: Match) -> str:
    """The family that a command means: IPv4 unless it says IPv6."""
    return "ipv6" if "ipv6" in match.words else "ipv4"


def _by_address(neighbor: View) -> tuple[int, IPv4Address | IPv6Address]:
    address = ip_address(neighbor["address"])
    return address.version, address


def _leave(_: Match) -> str:
    raise Exit


# Monitors look for "FRRouting VERSION" and "on SYSTEM." in the first line: the version whose answers
# ours are compared with (docs/vtysh.md), and this system.
_VERSION: Final = (
    f"bgp-reflector {__version__}, answering as FRRouting 8.4.4 ({platform.node()}) "
    f"on {platform.system()}({platform.release()})."
)
_NO_KERNEL_ROUTES: Final = (
    "% The reflector installs no routes and forwards nothing: 'show bgp ipv4 unicast' is what it\n"
    "  knows, and 'ip route' on a node shows what that node has installed."
)
_CONFIGURED_BY_FILE: Final = (
    "% The reflector is configured by its file alone: change it, and reload with SIGHUP\n"
    "  (docker compose kill -s HUP). 'show running-config' shows what is in force."
)
