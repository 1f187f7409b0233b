"""OpenBGPD for tests: the strictest reader of the four, and root only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, ClassVar

from tests.support.peer import (
    ESTABLISHED,
    Announcement,
    Peer,
    Route,
    normal_address,
    normal_prefix,
)
from tests.support.process import find_binary, require_root

# Where Debian's build changes its root to; the package's service would make it.
_CHROOT = Path("/run/openbgpd")


class OpenBgpd(Peer):
    """A bgpd (OpenBSD's) that dials the reflector."""

    kind: ClassVar[str] = "openbgpd"

    def prepare(self) -> list[str]:
        """Write bgpd.conf and return the command line."""
        settings = self.settings
        password = f'tcp md5sig password "{settings.password}"' if settings.password else ""
        networks = "\n".join(
            f"network {each.prefix} set {{ {_attributes(each)} }}"
            for each in self.announced.values()
        )
        config = settings.directory / "bgpd.conf"
        # For a moment after its start its routes' process doesn't know its own AS, and would take every
        # path of that AS for somebody else's.
        enforce = settings.external and not settings.route_server
        # It insists on a listener; this port is out of everybody's way.
        config.write_text(f"""\
AS {settings.asn}
router-id {settings.router_id}
fib-update no
listen on {settings.local_address} port 17900
socket "{self._socket}"
nexthop qualify via default
holdtime {settings.hold_time_s}
connect-retry 1
{networks}
neighbor {settings.reflector_address} {{
  remote-as {settings.reflector_asn}
  ttl-security {"yes" if settings.ttl_security else "no"}
  enforce neighbor-as {"yes" if enforce else "no"}
  local-address {settings.local_address}
  port {settings.reflector_port}
  announce IPv4 unicast
  announce IPv6 unicast
  {password}
}}
allow from any
allow to any
""")
        return openbgpd_command(config)

    def session_state(self) -> str:
        """Return the state of its one session."""
        neighbors = self._bgpctl_json("show", "neighbor").get("neighbors")
        # None for a moment, while its processes still hand each other the configuration.
        return str(neighbors[0]["state"]).lower() if neighbors else "idle"

    def routes(self) -> dict[str, Route]:
        """Return its Adj-RIB-In, both families."""
        if self.session_state() != ESTABLISHED:
            return {}
        table = self._bgpctl_json("show", "rib", "in", "detail")
        return {
            normal_prefix(entry["prefix"]): _route(entry)
            for entry in table.get("rib", ())
            if entry["neighbor"]["remote_addr"] == self.settings.reflector_address
        }

    def apply(self, changed: Announcement, *, withdrawn: bool) -> None:
        """Add or delete an announced network."""
        if withdrawn:
            self._bgpctl("network", "delete", changed.prefix)
            return
        attributes = _attributes(changed)
        self._bgpctl("network", "add", changed.prefix, *attributes.split())

    @property
    def _socket(self) -> str:
        return str(self.settings.directory / "ctl")

    def _bgpctl(self, *arguments: str) -> str:
        return self.ask(find_binary("bgpctl"), "-s", self._socket, *arguments)

    def _bgpctl_json(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON is anything
        return json.loads(self._bgpctl("-j", *arguments))


def openbgpd_command(config: Path) -> list[str]:
    """Return the command line for a configuration, which it wants to be root's own secret."""
    require_root()
    _CHROOT.mkdir(mode=0o755, exist_ok=True)
    config.chmod(0o600)
    return [find_binary("bgpd"), "-d", "-f", str(config)]


def _attributes(announcement: Announcement) -> str:
    words = [f"nexthop {announcement.next_hop}"]
    if announcement.med is not None:
        words.append(f"med {announcement.med}")
    if announcement.local_pref is not None:
        words.append(f"localpref {announcement.local_pref}")
    words += [f"community {each}" for each in announcement.communities]
    return " ".join(words)


def _route(entry: dict[str, Any]) -> Route:
    extra: dict[str, Any] = {}
    for attribute in entry.get("attributes", ()):
        extra.update(attribute)
    return Route(
        prefix=normal_prefix(entry["prefix"]),
        next_hop=normal_address(entry["exit_nexthop"]),
        as_path=tuple(int(asn) for asn in entry["aspath"].split()),
        local_pref=entry.get("localpref"),
        med=entry.get("metric"),
        communities=tuple(entry.get("communities", ())),
        originator_id=extra.get("originator"),
        cluster_list=tuple(extra.get("cluster_list", ())),
    )
