"""Route maps of one bgpd.conf, run by FRR and by the reflector: the same routes in, the same out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reflector import sim
from tests.support.frr import frr_command
from tests.support.process import BackgroundProcess
from tests.support.reflector_process import free_port

pytestmark = pytest.mark.interop

CONFIG = """\
router bgp 64512
 bgp router-id 192.0.2.254
 neighbor 127.0.0.2 remote-as 64512
 neighbor 127.0.0.2 passive
 neighbor 127.0.0.3 remote-as 64512
 neighbor 127.0.0.3 passive
 address-family ipv4 unicast
  neighbor 127.0.0.2 route-reflector-client
  neighbor 127.0.0.2 route-map IN in
  neighbor 127.0.0.3 route-reflector-client
  neighbor 127.0.0.3 route-map OUT out
 exit-address-family
 address-family ipv6 unicast
  neighbor 127.0.0.2 activate
  neighbor 127.0.0.2 route-reflector-client
  neighbor 127.0.0.2 route-map IN in
  neighbor 127.0.0.3 activate
  neighbor 127.0.0.3 route-reflector-client
 exit-address-family
exit
ip prefix-list PODS seq 5 permit 10.244.0.0/16 le 26
ip prefix-list PODS seq 10 deny any
ip prefix-list BAD seq 5 permit 10.244.9.0/24 ge 25 le 26
ipv6 prefix-list PODS6 seq 5 permit fd00::/8 le 64
bgp community-list standard BLUE seq 5 permit 64512:1
bgp community-list standard BLUE seq 10 permit 64512:2
bgp large-community-list standard BIG seq 5 permit 64512:7:7
bgp as-path access-list FAR seq 5 permit _65001_
bgp as-path access-list FAR seq 10 permit _65002_
bgp as-path access-list LOCAL seq 5 permit ^$
route-map IN deny 5
 match ip address prefix-list BAD
exit
route-map IN permit 10
 match ip address prefix-list PODS
 match community BLUE
 set local-preference 250
 set metric 7
 set community 64512:9 64512:1 additive
exit
route-map IN permit 20
 match as-path FAR
 set large-community 64512:1:1 additive
exit
route-map IN deny 30
 match large-community BIG
exit
route-map IN permit 40
 match ip address prefix-list PODS
 match as-path LOCAL
exit
route-map IN permit 50
 match ipv6 address prefix-list PODS6
 set metric 66
exit
route-map OUT deny 10
 match as-path FAR
 match ip address prefix-list PODS
exit
route-map OUT permit 20
exit
"""

ROUTES = [
    sim.Route(prefix="10.244.1.0/24"),
    sim.Route(prefix="10.244.2.0/24", communities=("64512:2", "64512:3"), med=1),
    sim.Route(prefix="10.244.3.0/28"),
    sim.Route(prefix="10.244.9.0/24"),
    sim.Route(prefix="10.244.9.64/26", communities=("64512:1",)),
    sim.Route(prefix="10.244.4.0/24", large_communities=("64512:7:7",)),
    sim.Route(prefix="10.244.5.0/24", as_path=(65003,)),
    sim.Route(prefix="10.244.6.0/24", as_path=(65003, 65001)),
    sim.Route(prefix="10.50.1.0/24", as_path=(65002, 65003), large_communities=("64512:7:7",)),
    sim.Route(prefix="10.50.2.0/24", as_path=(650011,)),
    sim.Route(prefix="10.50.3.0/24", communities=("64512:1",)),
    sim.Route(prefix="fd00:1::/64"),
    sim.Route(prefix="fd00:1::/80"),
    sim.Route(prefix="fd00:2::/64", as_path=(65001,)),
    sim.Route(prefix="fd00:3::/64", communities=("64512:1",), large_communities=("64512:7:7",)),
]
PASSED = {
    *("10.244.1.0/24", "10.244.2.0/24", "10.244.9.0/24", "10.50.1.0/24"),
    *("fd00:1::/64", "fd00:2::/64"),
}


@contextmanager
def frr(file: Path) -> Iterator[tuple[str, int]]:
    """FRR's bgpd with the file."""
    port = free_port()
    process = BackgroundProcess(
        "bgpd",
        [*frr_command(str(file), str(file.parent)), "-p", str(port), "-l", "127.0.0.1"],
        log_path=file.parent / "log",
    )
    try:
        sim.wait_until_listening("127.0.0.1", port)
        yield "127.0.0.1", port
    finally:
        process.kill()


@contextmanager
def ours(file: Path) -> Iterator[tuple[str, int]]:
    """The reflector with the file."""
    with sim.RunningReflector("--frr", str(file), router_id="192.0.2.254") as running:
        yield running.address


def told(target: tuple[str, int]) -> dict[str, sim.Route]:
    """What the second peer is told of what the first one says."""
    with sim.Blocking() as peers:
        source, other = (peers.connect(*target, source=f"127.0.0.{n}", cease=None) for n in (2, 3))
        # FRR turns dials away until it has read all of its file.
        source.established()
        other.established()
        source.announce_routes(ROUTES)
        for prefix in PASSED:
            other.route(prefix)
        other.no_route("10.244.6.0/24", for_s=1.0)
        return dict(other.routes)


def test_frr_and_the_reflector_make_the_same_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "bgpd.conf"
    file.write_text(CONFIG)
    with frr(file) as target:
        theirs = told(target)
    with ours(file) as target:
        found = told(target)
    assert theirs.keys() == PASSED
    assert found.keys() == PASSED
    for prefix in PASSED:
        assert comparable(found[prefix]) == comparable(theirs[prefix]), prefix
    changed = found["10.244.2.0/24"]
    assert (changed.local_pref, changed.med) == (250, 7)
    assert set(changed.communities) == {"64512:1", "64512:2", "64512:3", "64512:9"}


def comparable(route: sim.Route) -> tuple[object, ...]:
    """All that a map can see or change.

    The order of communities means nothing, and FRR gives routes without a MED one of 0.
    """
    return (
        *(route.next_hop, route.as_path, route.local_pref, route.med or 0, route.originator_id),
        *(frozenset(route.communities), frozenset(route.large_communities)),
    )
