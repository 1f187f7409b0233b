"""FRR, BIRD, GoBGP and OpenBGPD as route reflectors that accept any peer.

They stand in for ours to check the tests, and beside it to compare. Each reflects IPv4 and IPv6
unicast among clients of its own AS and announces 1.0.0.2/32.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tests.support.frr import frr_command
from tests.support.openbgpd import openbgpd_command
from tests.support.process import find_binary, in_netns, query, wait_until
from tests.support.reflector_process import Reflector, ReflectorSettings

DEBUG_PREFIX: Final = "1.0.0.2/32"


def _address(settings: ReflectorSettings) -> str:
    """Return the address to announce as next hop, since these cannot say "the one you dialled"."""
    return settings.listen[0] if settings.listen else settings.router_id


class FrrReflector(Reflector):
    """What the course runs today."""

    kind = "frr"

    def command(self) -> list[str]:
        """Write bgpd.conf and return the command line."""
        settings = self.settings
        config = settings.directory / "bgpd.conf"
        # It takes several paths from all who send them.
        add_path = "neighbor kube addpath-tx-all-paths" if settings.add_path else "!"
        config.write_text(f"""\
hostname frr
router bgp {settings.asn}
 bgp router-id {settings.router_id}
 no bgp network import-check
 bgp log-neighbor-changes
 neighbor kube peer-group
 neighbor kube remote-as {settings.asn}
 neighbor kube advertisement-interval 0
 bgp listen limit 5000
 bgp listen range 0.0.0.0/0 peer-group kube
 address-family ipv4 unicast
  network {DEBUG_PREFIX}
  neighbor kube route-reflector-client
  {add_path}
 exit-address-family
 address-family ipv6 unicast
  neighbor kube activate
  neighbor kube route-reflector-client
  {add_path}
 exit-address-family
log stdout
""")
        return [
            *frr_command(str(config), str(settings.directory)),
            *("-p", str(settings.port)),
            *(each for address in settings.listen for each in ("-l", address)),
        ]


class BirdReflector(Reflector):
    """BIRD with a dynamic neighbor range."""

    kind = "bird"

    def command(self) -> list[str]:
        """Write bird.conf and return the command line."""
        settings = self.settings
        add_paths = f"add paths {'on' if settings.add_path else 'off'};"
        only = f" {settings.listen[0]}" if len(settings.listen) == 1 else ""
        config = settings.directory / "bird.conf"
        config.write_text(f"""\
log stderr all;
router id {settings.router_id};
protocol device {{ }}
protocol static {{
  ipv4;
  route {DEBUG_PREFIX} blackhole {{ bgp_next_hop = {_address(settings)}; }};
}}
protocol bgp kube {{
  local{only} port {settings.port} as {settings.asn};
  strict bind {"yes" if only else "no"};
  neighbor range 0.0.0.0/0 as {settings.asn};
  dynamic name "kube";
  rr client;
  passive;
  multihop;
  graceful restart off;
  ipv4 {{ import all; export all; next hop keep; gateway recursive; {add_paths} }};
  ipv6 {{ import all; export all; next hop keep; gateway recursive; {add_paths} }};
}}
""")
        return [
            *(find_binary("bird"), "-f", "-c", str(config)),
            *("-s", str(settings.directory / "ctl")),
        ]


class GoBgpReflector(Reflector):
    """GoBGP with dynamic neighbors."""

    kind = "gobgp"

    def command(self) -> list[str]:
        """Write gobgpd.toml and return the command line."""
        settings = self.settings
        addresses = ", ".join(f'"{each}"' for each in settings.listen or ("0.0.0.0",))
        (settings.directory / "api").unlink(missing_ok=True)
        # It makes nothing of add-paths in a peer group.
        named = "".join(_gobgp_neighbor(each, settings) for each in settings.add_path)
        config = settings.directory / "gobgpd.toml"
        config.write_text(f"""\
[global.config]
  as = {settings.asn}
  router-id = "{settings.router_id}"
  port = {settings.port}
  local-address-list = [{addresses}]
[[peer-groups]]
  [peer-groups.config]
    peer-group-name = "kube"
    peer-as = {settings.asn}
  [peer-groups.route-reflector.config]
    route-reflector-client = true
    route-reflector-cluster-id = "{settings.router_id}"
  [peer-groups.transport.config]
    passive-mode = true
  [[peer-groups.afi-safis]]
    [peer-groups.afi-safis.config]
      afi-safi-name = "ipv4-unicast"
  [[peer-groups.afi-safis]]
    [peer-groups.afi-safis.config]
      afi-safi-name = "ipv6-unicast"
{named}
[[dynamic-neighbors]]
  [dynamic-neighbors.config]
    prefix = "0.0.0.0/0"
    peer-group = "kube"
""")
        return [
            *(find_binary("gobgpd"), "-f", str(config)),
            *("--api-hosts", self._api, "--pprof-disable"),
        ]

    def start(self) -> None:
        """Start it and add the debug route over its API."""
        super().start()
        add = ("global", "rib", "add", DEBUG_PREFIX, "nexthop", _address(self.settings))
        gobgp = (find_binary("gobgp"), "--target", self._api)
        wait_until(
            lambda: query([*in_netns(self.settings.netns), *gobgp, *add]) or True,
            what="gobgpd takes the debug route",
            explain=self.explain,
        )

    @property
    def _api(self) -> str:
        return f"unix://{self.settings.directory}/api"


def _gobgp_neighbor(address: str, settings: ReflectorSettings) -> str:
    """A neighbor with add-path, for gobgpd.toml."""
    families = "".join(
        f"""
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "{family}-unicast"
    [neighbors.afi-safis.add-paths.config]
      receive = true
      send-max = 16"""
        for family in ("ipv4", "ipv6")
    )
    return f"""
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{address}"
    peer-as = {settings.asn}
  [neighbors.route-reflector.config]
    route-reflector-client = true
    route-reflector-cluster-id = "{settings.router_id}"
  [neighbors.transport.config]
    passive-mode = true
{families}"""


class OpenBgpdReflector(Reflector):
    """OpenBGPD with a template neighbor."""

    kind = "openbgpd"

    def command(self) -> list[str]:
        """Write bgpd.conf and return the command line."""
        settings = self.settings
        listeners = "\n".join(
            f"listen on {each} port {settings.port}" for each in settings.listen or ("0.0.0.0",)
        )
        add_path = "announce add-path recv yes\n  announce add-path send all"
        add_path = add_path if settings.add_path else ""
        config = settings.directory / "bgpd.conf"
        config.write_text(f"""\
AS {settings.asn}
router-id {settings.router_id}
fib-update no
{listeners}
socket "{settings.directory}/ctl"
nexthop qualify via default
network {DEBUG_PREFIX} set nexthop {_address(settings)}
neighbor 0.0.0.0/0 {{
  remote-as {settings.asn}
  passive
  route-reflector {settings.router_id}
  announce IPv4 unicast
  announce IPv6 unicast
  {add_path}
}}
allow from any
allow to any
""")  # noqa: S608 - no SQL, though it says "from" and "set"
        return openbgpd_command(config)


REFERENCE_REFLECTORS: Final[dict[str, Callable[[ReflectorSettings], Reflector]]] = {
    each.kind: each for each in (FrrReflector, BirdReflector, GoBgpReflector, OpenBgpdReflector)
}
