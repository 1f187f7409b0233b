"""At which addresses of a real machine peers are told to come."""

from __future__ import annotations

import sys
from typing import Final

import pytest

from tests.support.netns import Lab, ip
from tests.support.process import in_netns, query, wait_until

pytestmark = pytest.mark.lab

ASK: Final = """\
from ipaddress import ip_address
from reflector.net.host import reachable_addresses
print(*reachable_addresses([ip_address("0.0.0.0")]))
"""


def test_a_bridge_that_leads_nowhere_is_not_told() -> None:
    """As Docker's own, docker0, which has an address wherever Docker is and a carrier only with containers."""
    lab = Lab("adr-")
    try:
        hub = lab.add_host("rr", "10.77.0.1")
        netns, both = hub.netns, ["10.77.0.1", "172.17.0.1"]
        assert netns is not None

        def told() -> list[str]:
            return sorted(query([*in_netns(netns), sys.executable, "-c", ASK]).split())

        def links() -> str:
            return ip("-brief", "link", netns=netns)

        ip("link", "add", "docker0", "type", "bridge", netns=netns)
        ip("address", "add", "172.17.0.1/16", "dev", "docker0", netns=netns)
        ip("link", "set", "docker0", "up", netns=netns)
        ip("link", "add", "container", "type", "veth", "peer", "name", "inside", netns=netns)
        ip("link", "set", "inside", "up", netns=netns)
        ip("link", "set", "container", "master", "docker0", netns=netns)
        ip("link", "set", "container", "up", netns=netns)
        wait_until(lambda: told() == both, what="it has a carrier", explain=links)
        ip("link", "set", "container", "down", netns=netns)
        wait_until(lambda: told() == both[:1], what="it has none", explain=links)
    finally:
        lab.close()
