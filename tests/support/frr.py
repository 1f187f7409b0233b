"""FRR's bgpd for tests, without zebra: it speaks BGP and touches no kernel."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tests.support.peer import Announcement, Peer, Route, normal_address, normal_prefix
from tests.support.process import program


@dataclass
class Frr(Peer):
    """A bgpd that dials the reflector.

    Attributes:
        graceful_restart: Whether it restarts gracefully, after a NOTIFICATION too (RFC 8538).
        ipv6: Whether it has IPv6 routes. FRR 10 without zebra knows no address to announce them with,
            and then accepts no session.
        listens: Whether it can be dialled, on port 179 of its own address, as FRR can where nobody
            says otherwise. FRR 8.4 never dials again once it was refused after a session that it
            keeps routes of: then only the reflector's dial brings it back.
    """

    graceful_restart: bool = False
    ipv6: bool = True
    listens: bool = False

    kind: ClassVar[str] = "frr"

    def prepare(self) -> list[str]:
        """Write bgpd.conf and return the command line."""
        settings = self.settings
        neighbor = f"neighbor {settings.reflector_address}"
        password = f"{neighbor} password {settings.password}" if settings.password else "!"
        lines = [
            f"hostname {settings.name}",
            f"router bgp {settings.asn}",
            f"bgp router-id {settings.router_id}",
            "no bgp network import-check",
            *(_GRACEFUL if self.graceful_restart else ()),
            "no bgp ebgp-requires-policy",
            "no bgp enforce-first-as" if settings.route_server else "!",
            f"{neighbor} remote-as {settings.reflector_asn}",
            # Without zebra it knows no interfaces, and so no neighbor that is connected.
            f"{neighbor} disable-connected-check" if settings.external else "!",
            f"{neighbor} port {settings.reflector_port}",
            f"{neighbor} update-source {settings.local_address}",
            f"{neighbor} timers {settings.hold_time_s // 3} {settings.hold_time_s}",
            f"{neighbor} timers connect 1",
            f"{neighbor} advertisement-interval 0",
            password,
            f"{neighbor} ttl-security hops 1" if settings.ttl_security else "!",
            "address-family ipv6 unicast",
            f"{neighbor} activate" if self.ipv6 else "!",
            "exit-address-family",
            "exit",
            # A changed route-map takes effect at once, not after five seconds.
            "bgp route-map delay-timer 0",
            "log stdout",
        ]
        for announcement in self.announced.values():
            lines += _originate(announcement, settings.asn)
        config = settings.directory / "bgpd.conf"
        config.write_text("\n".join(lines) + "\n")
        return [
            *frr_command(str(config), str(settings.directory), settings.root),
            *(("-l", settings.local_address, "-p", "179") if self.listens else ("-p", "0")),
        ]

    def session_state(self) -> str:
        """Return the state of its one session."""
        address = self.settings.reflector_address
        answer = self._vtysh_json(f"show bgp neighbors {address} json")
        return str(answer.get(address, {}).get("bgpState", "idle")).lower()

    def routes(self) -> dict[str, Route]:
        """Return the paths of its table that came from the reflector, both families."""
        found = {}
        for family in ("ipv4", "ipv6"):
            table = self._vtysh_json(f"show bgp {family} unicast json detail")
            for prefix, entries in table["routes"].items():
                # FRR 10 says something of the prefix before it lists the paths.
                for entry in entries["paths"] if isinstance(entries, dict) else entries:
                    peer = entry.get("peer", {}).get("peerId")
                    if peer == self.settings.reflector_address:
                        found[normal_prefix(prefix)] = _route(prefix, entry)
        return found

    def apply(self, changed: Announcement, *, withdrawn: bool) -> None:
        """Add or remove a network statement."""
        originate = _forget if withdrawn else _originate
        self._vtysh("configure terminal", *originate(changed, self.settings.asn))

    def refresh(self, direction: str) -> None:
        """Ask for the reflector's routes ("in"), or tell it ours again ("out")."""
        self._vtysh(f"clear bgp * soft {direction}")

    def reset(self, *, hard: bool) -> None:
        """Reset the session, with a Hard Reset or without (RFC 8538 5.1 leaves that to its user)."""
        instance = f"router bgp {self.settings.asn}"
        switch = "" if hard else "no "
        self._vtysh("configure terminal", instance, f"{switch}bgp hard-administrative-reset")
        self._vtysh("clear bgp *")

    def _vtysh(self, *commands: str) -> str:
        arguments = [each for command in commands for each in ("-c", command)]
        return self.ask(
            *self.program("vtysh"),
            *("--vty_socket", str(self.settings.directory), "-d", "bgpd"),
            *arguments,
        )

    def _vtysh_json(self, command: str) -> Any:  # noqa: ANN401 - JSON is anything
        return json.loads(self._vtysh(command))


# That it kept its forwarding state is what the F bit says, and what makes others keep its routes.
_GRACEFUL = (
    "bgp graceful-restart",
    "bgp graceful-restart preserve-fw-state",
    "bgp graceful-restart notification",
)


def frr_command(config: str, directory: str, root: Path | None = None) -> list[str]:
    """Return a bgpd command line that keeps every file in one folder and listens to no telnet.

    `-S` leaves the user as it is, else the folder would have to belong to user frr.
    """
    return [
        *(*program("/usr/lib/frr/bgpd", root), "-S", "-f", config),
        *("-i", f"{directory}/pid", "-z", f"{directory}/zserv", "--vty_socket", directory),
        *("-P", "0", "--no_kernel", "--no_zebra", "--log", "stdout"),
    ]


def _map_name(announcement: Announcement) -> str:
    return "for-" + announcement.prefix.replace("/", "-").replace(":", ".")


def _network(announcement: Announcement, asn: int, statement: str) -> list[str]:
    family = "ipv6" if announcement.is_ipv6 else "ipv4"
    return [
        f"router bgp {asn}",
        f"address-family {family} unicast",
        statement,
        "exit-address-family",
        "exit",
    ]


def _originate(announcement: Announcement, asn: int) -> list[str]:
    name = _map_name(announcement)
    next_hop = "ipv6 next-hop global" if announcement.is_ipv6 else "ip next-hop"
    lines = [f"route-map {name} permit 1", f"set {next_hop} {announcement.next_hop}"]
    if announcement.med is not None:
        lines.append(f"set metric {announcement.med}")
    if announcement.local_pref is not None:
        lines.append(f"set local-preference {announcement.local_pref}")
    if announcement.communities:
        lines.append(f"set community {' '.join(announcement.communities)}")
    statement = f"network {announcement.prefix} route-map {name}"
    return [*lines, "exit", *_network(announcement, asn, statement)]


def _forget(announcement: Announcement, asn: int) -> list[str]:
    return [
        *_network(announcement, asn, f"no network {announcement.prefix}"),
        f"no route-map {_map_name(announcement)}",
    ]


def _route(prefix: str, entry: dict[str, Any]) -> Route:
    return Route(
        prefix=normal_prefix(prefix),
        next_hop=normal_address(entry["nexthops"][0]["ip"]),
        as_path=tuple(asn for segment in entry["aspath"]["segments"] for asn in segment["list"]),
        local_pref=entry.get("locPrf"),
        med=entry.get("metric"),
        communities=tuple(entry.get("community", {}).get("list", ())),
        originator_id=entry.get("originatorId"),
        cluster_list=tuple(entry.get("clusterList", {}).get("list", ())),
    )
