"""Calico, Cilium and MetalLB as clients: their engines, set up as they set them up (docs/clients.md).

Calico runs BIRD, Cilium GoBGP, MetalLB FRR. What each writes into its engine's configuration was read
in the projects' own templates; here it stands in the grammar of the versions that Debian has.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import pytest
import yaml

from tests.support.bird import Bird
from tests.support.frr import Frr, frr_command
from tests.support.gobgp import GoBgp
from tests.support.netns import addresses_on_loopback
from tests.support.peer import Announcement, Peer, PeerSettings, Route, announce_all
from tests.support.process import wait_until
from tests.support.reflector_process import REPOSITORY, ReflectorProcess, ReflectorSettings

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.interop

REFLECTOR: Final = "10.77.0.1"
KUBE_ROUTER, CALICO, CILIUM, METALLB = (f"10.77.0.{last}" for last in (11, 12, 13, 14))
# A block of a Calico pool is a /26; a service's address a /32.
PODS: Final = {KUBE_ROUTER: "10.244.1.0/24", CALICO: "10.245.7.64/26", CILIUM: "10.246.1.0/24"}
SERVICE: Final = "172.30.0.10/32"
DEBUG_ROUTE: Final = "1.0.0.2/32"

# What Calico makes of a kernel metric of 1024, the one of the routes to its pods.
CALICO_LOCAL_PREF: Final = 2147482623


@dataclass
class Calico(Bird):
    """BIRD as Calico's confd sets it up for a BGPPeer."""

    def _session(self, name: str, address: str) -> str:
        settings = self.settings
        return f"""
protocol bgp {name} {{
  local {settings.local_address} port 17900 as {settings.asn};
  strict bind yes;
  neighbor {address} port {settings.reflector_port} as {settings.reflector_asn};
  ttl security off;
  multihop;
  graceful restart;
  connect delay time 2;
  connect retry time 5;
  error wait time 5, 30;
  ipv4 {{
    gateway recursive;
    add paths on;
    import filter {{
      if (defined(bgp_local_pref) && (bgp_local_pref > {CALICO_LOCAL_PREF})) then preference = 200;
      accept;
    }};
    export filter {{
      if (source = RTS_BGP) then reject;
      if (!defined(krt_metric)) then krt_metric = 1024;
      bgp_local_pref = 2147483647 - krt_metric;
      accept;
    }};
  }};
}}"""


@dataclass
class MetalLb(Frr):
    """FRR as MetalLB's speaker sets it up for a BGPPeer: it announces, and takes nothing in."""

    def prepare(self) -> list[str]:
        """Write its configuration and return the command line."""
        settings = self.settings
        neighbor = f"neighbor {settings.reflector_address}"
        permitted = [
            f"ip prefix-list allowed-ipv4 seq {number} permit {prefix}"
            for number, prefix in enumerate(self.announced, 1)
        ]
        config = settings.directory / "bgpd.conf"
        lines = [
            *("log stdout informational", "log timestamp precision 3"),
            f"hostname {settings.name}",
            "route-map in deny 20",
            *permitted,
            "ipv6 prefix-list allowed-ipv6 seq 1 deny any",
            *("route-map out permit 1", " match ip address prefix-list allowed-ipv4"),
            *("route-map out permit 2", " match ipv6 address prefix-list allowed-ipv6"),
            f"router bgp {settings.asn}",
            *(" no bgp ebgp-requires-policy", " no bgp network import-check"),
            *(" no bgp default ipv4-unicast", " bgp graceful-restart preserve-fw-state"),
            f" bgp router-id {settings.router_id}",  # which zebra finds in a cluster
            f" {neighbor} remote-as {settings.reflector_asn}",
            f" {neighbor} port {settings.reflector_port}",
            *(f" {neighbor} timers 30 90", f" {neighbor} timers connect 5"),
            f" {neighbor} update-source {settings.local_address}",
            " address-family ipv4 unicast",
            f"  {neighbor} activate",
            *(f"  {neighbor} route-map {way} {way}" for way in ("in", "out")),
            *(f"  network {prefix}" for prefix in self.announced),
            " exit-address-family",
        ]
        config.write_text("\n".join(lines) + "\n")
        return [*frr_command(str(config), str(settings.directory)), "--bgp_port", "0"]


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Peer]]:
    """One node of each, and of kube-router, with a reflector."""
    directory = tmp_path_factory.mktemp("k")
    with addresses_on_loopback("k8s", REFLECTOR, KUBE_ROUTER, CALICO, CILIUM, METALLB) as netns:
        reflector = ReflectorProcess(ReflectorSettings(directory=directory / "r", netns=netns))

        def settings(address: str, *announced: Announcement) -> PeerSettings:
            return PeerSettings(
                name=address,
                directory=directory / address,
                local_address=address,
                reflector_address=REFLECTOR,
                reflector_port=179,
                netns=netns,
                hold_time_s=90,
                announcements=announced or announce_all(PODS[address]),
            )

        made: dict[str, Peer] = {
            KUBE_ROUTER: GoBgp(settings(KUBE_ROUTER)),
            CALICO: Calico(settings(CALICO)),
            CILIUM: GoBgp(settings(CILIUM), graceful_restart=True),
            METALLB: MetalLb(settings(METALLB, *announce_all(SERVICE))),
        }
        try:
            reflector.start()
            for peer in made.values():
                peer.start()
            for peer in made.values():
                peer.wait_established()
            yield made
        finally:
            for peer in made.values():
                peer.kill()
            reflector.stop()


def learned(peer: Peer, *prefixes: str) -> dict[str, Route]:
    """Wait until a peer has routes to some prefixes, and return all that it has."""

    def complete() -> dict[str, Route]:
        routes = peer.routes()
        assert set(prefixes) <= routes.keys(), sorted(routes)
        return routes

    return wait_until(complete, what=f"{peer.settings.name} learns", explain=peer.explain)


@pytest.mark.parametrize("learner", [KUBE_ROUTER, CALICO, CILIUM])
def test_nodes_learn_pods_and_services_of_all_others(peers: dict[str, Peer], learner: str) -> None:
    expected = {prefix: node for node, prefix in PODS.items() if node != learner}
    expected |= {SERVICE: METALLB, DEBUG_ROUTE: REFLECTOR}
    routes = learned(peers[learner], *expected)
    assert {prefix: routes[prefix].next_hop for prefix in expected} == expected


def test_calico_s_local_preference_passes(peers: dict[str, Peer]) -> None:
    assert learned(peers[KUBE_ROUTER], PODS[CALICO])[PODS[CALICO]].local_pref == CALICO_LOCAL_PREF


def test_metallb_announces_and_takes_nothing_in(peers: dict[str, Peer]) -> None:
    learned(peers[KUBE_ROUTER], SERVICE)
    assert peers[METALLB].routes() == {}
    peers[METALLB].wait_established()


def test_who_restarts_is_back_with_all_routes(peers: dict[str, Peer]) -> None:
    """Calico and Cilium restart gracefully: nobody loses their pods meanwhile."""
    for node in (CALICO, CILIUM):
        peers[node].kill()
        assert PODS[node] in peers[KUBE_ROUTER].routes()
        peers[node].start()
        peers[node].wait_established()
        learned(peers[node], PODS[KUBE_ROUTER], SERVICE)
        learned(peers[KUBE_ROUTER], PODS[node])


# docs/clients.md.


def manifests(path: Path) -> list[dict[str, object]]:
    """The Kubernetes objects of a document, in order."""
    blocks = path.read_text().split("```yaml\n")[1:]
    return [each for block in blocks for each in yaml.safe_load_all(block.split("```")[0]) if each]


def test_the_document_s_manifests_are_for_this_class() -> None:
    found = {
        f"{each['apiVersion']} {each['kind']}": str(each["spec"])
        for each in manifests(REPOSITORY / "docs" / "clients.md")
    }
    sessions = [spec for spec in found.values() if REFLECTOR in spec]
    assert len(sessions) == 3
    assert [spec.count("64512") for spec in sessions] == [1, 2, 2]
    assert "cilium.io/v2 CiliumBGPPeerConfig" in found
    assert "metallb.io/v1beta1 BGPAdvertisement" in found
