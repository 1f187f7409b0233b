"""BIRD for tests: as a client it can also install what it learns in its host's kernel."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from tests.support.peer import Announcement, Peer, Route, normal_address, normal_prefix

_ROUTE_START = re.compile(r"^(?P<prefix>[0-9a-f.:]+/\d+)\s")
# BIRD 3 has another spelling than BIRD 2.
_ATTRIBUTE = re.compile(r"^\s+(?:BGP\.|bgp_)(?P<name>\w+):\s*(?P<value>.*?)\s*$")
_STATE = re.compile(r"BGP state:\s+(\w+)")


@dataclass
class Bird(Peer):
    """A bird that dials the reflector.

    Attributes:
        installs_routes: Whether it puts what it learns into the kernel of its namespace, as a
            cluster's node does.
        passive: Whether it waits to be dialled.
        more_reflectors: Addresses of further reflectors that it dials.
        graceful_restart: Whether it keeps a reflector's routes when a session breaks off, as
            kube-router does with --bgp-graceful-restart.
        restart_time_s: How long it asks others to keep its routes then.
        long_lived_s: How long it asks them to keep them beyond that (RFC 9494); 0 for not.
        extended_messages: Whether it offers messages of up to 65,535 octets (RFC 8654).
    """

    installs_routes: bool = False
    passive: bool = False
    more_reflectors: tuple[str, ...] = ()
    graceful_restart: bool = False
    restart_time_s: int = 120
    long_lived_s: int = 0
    extended_messages: bool = False

    kind: ClassVar[str] = "bird"

    def prepare(self) -> list[str]:
        """Write bird.conf and return the command line."""
        directory = self.settings.directory
        # -R: it was killed, and what it finds in the kernel stays until it has learned all anew.
        killed = self.graceful_restart and (directory / "bird.conf").exists()
        self._write_config()
        return [
            *(*self.program("bird"), "-f", *(("-R",) if killed else ())),
            *("-c", str(directory / "bird.conf")),
            *("-s", self._control_socket),
        ]

    def session_state(self) -> str:
        """Return the state of its one session."""
        found = _STATE.search(self._birdc("show protocols all reflector"))
        return found.group(1).lower() if found else "idle"

    def routes(self) -> dict[str, Route]:
        """Return what the session gave to its tables, both families."""
        return parse_routes(self._birdc("show route all protocol reflector"))

    def prefixes_of(self, reflector: str) -> set[str]:
        """Return what one of its reflectors has told it, both families."""
        addresses = (self.settings.reflector_address, *self.more_reflectors)
        name = _name(addresses.index(reflector))
        return set(parse_routes(self._birdc(f"show route all protocol {name}")))

    def apply(self, changed: Announcement, *, withdrawn: bool) -> None:  # noqa: ARG002
        """Write the whole configuration anew; BIRD finds the difference."""
        self._write_config()
        self._birdc("configure")

    def refresh(self, direction: str) -> None:
        """Ask for the reflector's routes ("in"), or tell it ours again ("out")."""
        self._birdc(f"reload {direction} reflector")

    @property
    def _control_socket(self) -> str:
        return str(self.settings.directory / "ctl")

    def _birdc(self, command: str) -> str:
        return self.ask(*self.program("birdc"), "-s", self._control_socket, *command.split())

    def _write_config(self) -> None:
        settings = self.settings
        (settings.directory / "bird.conf").write_text(f"""\
log stderr all;
router id {settings.router_id};
protocol device {{ scan time 1; }}
{self._kernel() if self.installs_routes else ""}
protocol static static4 {{ ipv4; {self._static(is_ipv6=False)} }}
protocol static static6 {{ ipv6; {self._static(is_ipv6=True)} }}
{self._sessions()}
""")

    def _sessions(self) -> str:
        addresses = (self.settings.reflector_address, *self.more_reflectors)
        return "\n".join(self._session(_name(i), each) for i, each in enumerate(addresses))

    def _session(self, name: str, address: str) -> str:
        settings = self.settings
        password = f'password "{settings.password}";' if settings.password else ""
        on_link = settings.local_address.startswith("fe80:")
        # To another AS it tells its own address, which a session over IPv4 doesn't tell it.
        next_hop = f"next hop address {settings.next_hop_ipv6};" if settings.external else ""
        return f"""
protocol bgp {name} {{
  # It always listens: on its own address, and out of the reflector's way.
  local {settings.local_address} port 17900 as {settings.asn};
  strict bind yes;
  neighbor {address} port {settings.reflector_port} as {settings.reflector_asn};
  {'direct; interface "eth0";' if on_link else "multihop;"}
  {"passive;" if self.passive else ""}
  # As kube-router without its flag: a session's routes go when it goes; or with it.
  graceful restart {"on" if self.graceful_restart else "off"};
  graceful restart time {self.restart_time_s};
  long lived graceful restart {"on" if self.long_lived_s else "off"};
  long lived stale time {self.long_lived_s};
  enable extended messages {"on" if self.extended_messages else "off"};
  hold time {settings.hold_time_s};
  connect delay time 1;
  connect retry time 1;
  error wait time 1, 1;
  {password}
  {"ttl security on;" if settings.ttl_security else ""}
  ipv4 {{ gateway recursive; import all; export where source = RTS_STATIC; }};
  ipv6 {{ gateway recursive; import all; export where source = RTS_STATIC; {next_hop} }};
}}"""

    def _kernel(self) -> str:
        """Return what makes it a router: the network in, everything learned out.

        Only eth0's networks: a connected pod subnet would win over the static one to announce.
        """
        keeps = "graceful restart on;" if self.graceful_restart else ""
        return f"""
protocol direct {{ ipv4; ipv6; interface "eth0"; }}
protocol kernel kernel4 {{ {keeps} ipv4 {{ export where source = RTS_BGP; }}; }}
protocol kernel kernel6 {{ {keeps} ipv6 {{ export where source = RTS_BGP; }}; }}
"""

    def _static(self, *, is_ipv6: bool) -> str:
        return "\n".join(
            _static_route(each) for each in self.announced.values() if each.is_ipv6 == is_ipv6
        )


def _name(number: int) -> str:
    """Return the name of the session with the reflector of a number."""
    return f"reflector{number + 1}" if number else "reflector"


def _static_route(announcement: Announcement) -> str:
    sets = [f"bgp_next_hop = {announcement.next_hop};"]
    if announcement.med is not None:
        sets.append(f"bgp_med = {announcement.med};")
    if announcement.local_pref is not None:
        sets.append(f"bgp_local_pref = {announcement.local_pref};")
    sets += [
        f"bgp_community.add(({community.replace(':', ',')}));"
        for community in announcement.communities
    ]
    return f"route {announcement.prefix} blackhole {{ {' '.join(sets)} }};"


def parse_routes(text: str) -> dict[str, Route]:
    """Read what `show route all` prints."""
    found: dict[str, dict[str, str]] = {}
    attributes: dict[str, str] = {}
    for line in text.splitlines():
        if start := _ROUTE_START.match(line):
            attributes = found.setdefault(normal_prefix(start["prefix"]), {})
        elif attribute := _ATTRIBUTE.match(line):
            attributes[attribute["name"]] = attribute["value"]
    return {prefix: _route(prefix, attributes) for prefix, attributes in found.items()}


def _route(prefix: str, attributes: dict[str, str]) -> Route:
    return Route(
        prefix=prefix,
        next_hop=normal_address(attributes["next_hop"].split()[0]),
        as_path=tuple(int(asn) for asn in attributes.get("as_path", "").split()),
        local_pref=_number(attributes.get("local_pref")),
        med=_number(attributes.get("med")),
        communities=tuple(
            pair.strip("()").replace(",", ":") for pair in attributes.get("community", "").split()
        ),
        originator_id=attributes.get("originator_id"),
        cluster_list=tuple(attributes.get("cluster_list", "").split()),
    )


def _number(text: str | None) -> int | None:
    return None if text is None else int(text)
