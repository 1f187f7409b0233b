"""GoBGP for tests: as a client it stands in for kube-router, which embeds it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from tests.support.peer import Announcement, Peer, Route, normal_address, normal_prefix
from tests.support.process import wait_until

# Path attribute types, as `gobgp -j` numbers them.
_AS_PATH = 2
_NEXT_HOP = 3
_MED = 4
_LOCAL_PREF = 5
_COMMUNITIES = 8
_ORIGINATOR_ID = 9
_CLUSTER_LIST = 10
_MP_REACH_NLRI = 14

# Its session states by number: apipb.PeerState.SessionState.
_STATES = ("unknown", "idle", "connect", "active", "opensent", "openconfirm", "established")


@dataclass
class GoBgp(Peer):
    """A gobgpd that dials the reflector.

    Attributes:
        as_in_kube_router: Whether it has GoBGP's own timers, by which it redials only 90 to 120 s
            after its session fell, and listens on port 179, as kube-router has it.
        graceful_restart: Whether it restarts gracefully, as kube-router does with
            --bgp-graceful-restart.
        graceful_notification: Whether it does so after a NOTIFICATION too (RFC 8538).
        restart_time_s: How long it asks others to keep its routes then.
        long_lived_s: How long it asks them to keep them beyond that (RFC 9494); 0 for not.
    """

    as_in_kube_router: bool = False
    graceful_restart: bool = False
    graceful_notification: bool = False
    restart_time_s: int = 90
    long_lived_s: int = 0

    kind: ClassVar[str] = "gobgp"

    def prepare(self) -> list[str]:
        """Write gobgpd.toml; prefixes follow over its API once it answers."""
        settings = self.settings
        password = f'auth-password = "{settings.password}"' if settings.password else ""
        port, timers = "-1", "connect-retry = 1\n    idle-hold-time-after-reset = 1"
        if self.as_in_kube_router:
            port = f'179\n  local-address-list = ["{settings.local_address}"]'
            timers = "connect-retry = 120"
        restart = each_restart = ""
        if self.graceful_restart:
            restart = (
                "[neighbors.graceful-restart.config]\n"
                f"enabled = true\nrestart-time = {self.restart_time_s}\ndeferral-time = 360\n"
                f"long-lived-enabled = {str(bool(self.long_lived_s)).lower()}\n"
                f"notification-enabled = {str(self.graceful_notification).lower()}"
            )
            each_restart = "[neighbors.afi-safis.mp-graceful-restart.config]\nenabled = true"
        if self.long_lived_s:
            each_restart += (
                "\n[neighbors.afi-safis.long-lived-graceful-restart.config]\n"
                f"enabled = true\nrestart-time = {self.long_lived_s}"
            )
        config = settings.directory / "gobgpd.toml"
        config.write_text(f"""\
[global.config]
  as = {settings.asn}
  router-id = "{settings.router_id}"
  port = {port}
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{settings.reflector_address}"
    peer-as = {settings.reflector_asn}
    {password}
  [neighbors.ttl-security.config]
    enabled = {str(settings.ttl_security).lower()}
    ttl-min = 255
  [neighbors.transport.config]
    local-address = "{settings.local_address}"
    remote-port = {settings.reflector_port}
  [neighbors.timers.config]
    {timers}
    hold-time = {settings.hold_time_s}
    keepalive-interval = {settings.hold_time_s // 3}
  {restart}
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
    {each_restart}
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
    {each_restart}
""")
        return [
            *(*self.program("gobgpd"), "-f", str(config)),
            *("--api-hosts", self._api, "--pprof-disable"),
        ]

    @property
    def _api(self) -> str:
        return f"unix://{self.settings.directory}/api"

    def refresh(self, direction: str) -> None:
        """Ask for the reflector's routes ("in"), or tell it ours again ("out")."""
        self._gobgp("neighbor", self.settings.reflector_address, f"softreset{direction}")

    def _gobgp(self, *arguments: str) -> str:
        return self.ask(*self.program("gobgp"), "--target", self._api, *arguments)

    def _gobgp_json(self, *arguments: str) -> Any:  # noqa: ANN401 - JSON is anything
        return json.loads(self._gobgp("-j", *arguments) or "{}")

    def start(self) -> None:
        """Start it and hand it its prefixes, which its configuration cannot hold."""
        (self.settings.directory / "api").unlink(missing_ok=True)
        super().start()
        wait_until(
            lambda: self._gobgp("global"),
            what=f"{self.settings.name}: gobgpd answers",
            explain=self.explain,
        )
        for announcement in self.announced.values():
            self.apply(announcement, withdrawn=False)

    def session_state(self) -> str:
        """Return the state of its one session."""
        neighbors = self._gobgp_json("neighbor")
        return _STATES[neighbors[0]["state"].get("session_state", 0)] if neighbors else "idle"

    def routes(self) -> dict[str, Route]:
        """Return its Adj-RIB-In, both families."""
        found = {}
        for family in ("ipv4", "ipv6"):
            table = self._gobgp_json(
                "neighbor", self.settings.reflector_address, "adj-in", "-a", family
            )
            for prefix, paths in table.items():
                if paths:  # GoBGP names a prefix whose path has just gone, too
                    found[normal_prefix(prefix)] = _route(prefix, paths[0]["attrs"])
        return found

    def best(self) -> set[str]:
        """Return the prefixes of its global RIB, both families: what kube-router installs."""
        tables = [self._gobgp_json("global", "rib", "-a", family) for family in ("ipv4", "ipv6")]
        return {
            normal_prefix(prefix) for table in tables for prefix, paths in table.items() if paths
        }

    def apply(self, changed: Announcement, *, withdrawn: bool) -> None:
        """Add or delete a path of the global RIB."""
        family = "ipv6" if changed.is_ipv6 else "ipv4"
        rib = ("global", "rib", "-a", family)
        if withdrawn:
            self._gobgp(*rib, "del", changed.prefix)
            return
        path = [changed.prefix, "nexthop", changed.next_hop or ""]
        if changed.med is not None:
            path += ["med", str(changed.med)]
        if changed.local_pref is not None:
            path += ["local-pref", str(changed.local_pref)]
        if changed.communities:
            path += ["community", ",".join(changed.communities)]
        self._gobgp(*rib, "add", *path)


def _route(prefix: str, attributes: list[dict[str, Any]]) -> Route:
    by_type = {each["type"]: each for each in attributes}
    reach = by_type.get(_MP_REACH_NLRI) or by_type[_NEXT_HOP]
    segments = by_type.get(_AS_PATH, {}).get("as_paths") or []
    return Route(
        prefix=normal_prefix(prefix),
        next_hop=normal_address(reach["nexthop"]),
        as_path=tuple(asn for segment in segments for asn in segment["asns"]),
        local_pref=by_type.get(_LOCAL_PREF, {}).get("value"),
        med=by_type.get(_MED, {}).get("metric"),
        communities=tuple(
            f"{value >> 16}:{value & 0xFFFF}"
            for value in by_type.get(_COMMUNITIES, {}).get("communities", ())
        ),
        originator_id=by_type.get(_ORIGINATOR_ID, {}).get("value"),
        cluster_list=tuple(by_type.get(_CLUSTER_LIST, {}).get("value", ())),
    )
