"""Clusters in ASes of their own, as kube-routers with --cluster-asn, at a reflector as a user runs it."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from reflector import sim
from tests.support.process import wait_until

pytestmark = pytest.mark.asyncio

OUR_AS = 64512
# Cluster: its AS, its node's address and its pods.
CLUSTERS = {
    "a": (65001, "127.0.0.2", "10.1.0.0/24"),
    "b": (4200000001, "127.0.0.3", "10.2.0.0/24"),
    "ours": (OUR_AS, "127.0.0.4", "10.3.0.0/24"),
}
FILE = """\
ranges:
  - network: 127.0.0.0/8
    remote-as: [65001, 4200000001, internal]
    route-server: {}
"""


@pytest.mark.parametrize("served", [False, True], ids=["ordinary", "route server"])
async def test_clusters_in_ases_of_their_own_reach_each_other(
    tmp_path: Path, *, served: bool
) -> None:
    config = tmp_path / "reflector.yaml"
    config.write_text(FILE.format(str(served).lower()))
    nodes: dict[str, sim.Peer] = {}
    with sim.RunningReflector("--config", str(config)) as reflector:
        async with AsyncExitStack() as stack:
            for name, (asn, address, pods) in CLUSTERS.items():
                profile = sim.kube_router(node_name=name, asn=asn, peer_asn=OUR_AS)
                dialled = sim.connect(*reflector.address, profile, source=address)
                nodes[name] = await stack.enter_async_context(dialled)
                await nodes[name].announce(pods)
            for source, (asn, address, pods) in CLUSTERS.items():
                for name in nodes.keys() - {source}:
                    route = await nodes[name].route(pods)
                    path = () if source == "ours" else (asn,)
                    if name != "ours" and not (served and source != "ours"):
                        path = (OUR_AS, *path)
                    assert route.as_path == path
                    assert route.next_hop == address.replace("127", "10")  # as the node says
                    assert (route.local_pref is None) == (name != "ours")


async def test_a_cluster_in_another_as_is_told_so(tmp_path: Path) -> None:
    config = tmp_path / "reflector.yaml"
    config.write_text(FILE.format("false"))
    with sim.RunningReflector("--config", str(config)) as reflector:
        stranger = sim.kube_router(asn=65009, peer_asn=OUR_AS)
        peer = await sim.connect(*reflector.address, stranger, source="127.0.0.9")
        await peer.notification(2, 2)
        await peer.close()
        advice = "start kube-router with another --cluster-asn, or add 65009"
        wait_until(lambda: advice in reflector.log, what="the log says what to change")
