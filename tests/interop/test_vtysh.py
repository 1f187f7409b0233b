"""FRR's shell: what ours prints beside what a real FRR prints in the same state, field by field."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.gobgp import GoBgp
from tests.support.netns import addresses_on_loopback
from tests.support.peer import Announcement, PeerSettings
from tests.support.process import find_binary, query, wait_until
from tests.support.reference import FrrReflector
from tests.support.reflector_process import OURS, ReflectorProcess, ReflectorSettings

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.reflector_process import Reflector

pytestmark = pytest.mark.interop

NODES: Final = ("10.78.0.11", "10.78.0.12")
REFLECTOR: Final = "10.78.0.1"
PORT: Final = 179

# What a monitor reads, and what the course's trainers type.
JSON_COMMANDS: Final = (
    "show bgp summary json",
    "show ip bgp summary json",
    "show bgp ipv4 unicast summary json",
    "show bgp ipv4 summary json",
    "show bgp vrf all ipv4 unicast summary json",
    # As frr_exporter has them, with two spaces.
    "show bgp vrf all ipv4  summary json",
    "show bgp vrf all ipv6  summary json",
    "show bgp vrf all neighbors json",
    f"show bgp neighbors {NODES[0]} json",
    "show bgp ipv4 unicast json",
    "show bgp ipv6 unicast json",
    "show bgp ipv4 unicast 10.1.0.0/24 json",
    "show bgp ipv4 unicast 1.0.0.2/32 json",
    f"show bgp ipv4 unicast neighbors {NODES[0]} advertised-routes json",
    f"show bgp ipv4 unicast neighbors {NODES[0]} routes json",
)

# Asked last: what they do must not change what the others show.
CLEAR_COMMANDS: Final = (
    "clear bgp 10.9.9.9",
    "clear ip bgp ipv4 unicast 10.9.9.9 soft in",
    f"clear bgp {NODES[0]} soft",
    f"clear ip bgp {NODES[1]} soft out",
    "clear bgp * soft in",
    f"clear bgp {NODES[0]}",
)

# Numbers of FRR's own inner life, and times: the same kind of value, not the same value. FRR counts
# what it sends a peer with that peer's own routes, which it sends back; and it has one memory more.
VARYING: Final = {
    *("tableVersion", "bgpTableVersion", "version", "ribCount", "ribMemory", "peerMemory"),
    *("peerGroupCount", "peerGroupMemory", "pfxSnt", "sentPrefixCounter", "msgRcvd", "msgSent"),
    *("peerUptime", "peerUptimeMsec", "peerUptimeEstablishedEpoch", "bgpTimerUpMsec"),
    *("bgpTimerUpString", "bgpTimerUpEstablishedEpoch", "updatesSent", "keepalivesSent"),
    *("keepalivesRecv", "totalSent", "totalRecv", "portLocal", "portForeign", "nextHop"),
    *("totalPrefixCounter", "longLivedGracefulRestart", "enhancedRouteRefresh"),
    *("extendedMessage", "gracefulRestartCapability", "endOfRibRecv", "updatesRecv"),
}
# Fields of FRR's that ours leaves out, by their name wherever they stand.
LEFT_OUT: Final = {
    # Of things that a reflector has not: peer groups, roles, add-path towards all, update groups.
    *("peerGroup", "peerSubnetRangeGroup", "localRole", "remoteRole", "peerGroupMember"),
    *("addPath", "extendedNexthop", "extendedNexthopFamililesByPeer", "updateGroupId"),
    *("subGroupId", "connectRetryTimer", "bgpConnection", "readThread", "writeThread"),
    *("nexthopGlobal", "nexthopLocal", "internalBgpNbrMaxHopsAway", "estimatedRttInMsecs"),
    # Of capabilities that FRR always offers.
    *("longLivedGracefulRestart", "enhancedRouteRefresh", "extendedMessage"),
    *("gracefulRestartCapability", "advHostName", "advDomainName", "endOfRibSend"),
    *("endOfRibRecv", "localGrMode", "rBit", "nBit", "configuredRestartTimer"),
    # Of its clocks.
    *("bgpTimerLastRead", "bgpTimerLastWrite", "bgpInUpdateElapsedTimeMsecs", "lastUpdate"),
    *("bgpTimerConfiguredHoldTimeMsecs", "bgpTimerConfiguredKeepAliveIntervalMsecs"),
    *("bgpTimerConfiguredConditionalAdvertisementsSec", "extendedOptionalParametersLength"),
    *("lastResetTimerMsecs", "lastResetDueTo", "lastResetCode", "lastNotificationReason"),
}


@dataclass
class Seen:
    """What one reflector answered."""

    kind: str
    texts: dict[str, str]

    def json(self, command: str) -> Any:  # noqa: ANN401 - JSON is anything
        return json.loads(self.texts[command])


def _ask(reflector: Reflector, command: str) -> str:
    if isinstance(reflector, ReflectorProcess):
        socket = str(reflector.control_socket)
        vtysh = [sys.executable, "-m", "reflector", "vtysh", "--socket", socket]
    else:
        vtysh = [find_binary("vtysh"), "--vty_socket", str(reflector.settings.directory)]
        vtysh += ["-d", "bgpd"]
    return query([*vtysh, "-c", command])


def _observe(reflector: Reflector, directory: Path, commands: tuple[str, ...]) -> Seen:
    """Start a reflector with two nodes that have a route of each family, and ask it."""
    nodes = [
        GoBgp(
            PeerSettings(
                name=f"n{number}",
                directory=directory / f"n{number}",
                local_address=address,
                reflector_address=REFLECTOR,
                reflector_port=PORT,
                netns=reflector.settings.netns,
                announcements=(
                    Announcement(prefix=f"10.{number}.0.0/24", next_hop=f"192.168.7.{number}"),
                    Announcement(
                        prefix=f"2001:db8:{number}::/64", next_hop=f"2001:db8:7::{number}"
                    ),
                ),
            )
        )
        for number, address in enumerate(NODES, start=1)
    ]
    try:
        reflector.start()
        for node in nodes:
            node.start()
        for node in nodes:
            node.wait_established()
        wait_until(
            lambda: all(len(node.routes()) >= 3 for node in nodes),
            what=f"{reflector.kind}: each node has the other's routes",
            explain=reflector.explain,
        )
        return Seen(reflector.kind, {command: _ask(reflector, command) for command in commands})
    finally:
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda node: node.kill(), nodes))
        reflector.kill()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """Both reflectors' answers, one after the other with the same nodes."""
    answers = {}
    with addresses_on_loopback("vtysh", REFLECTOR, *NODES) as netns:
        for kind, make in ((OURS, ReflectorProcess), ("frr", FrrReflector)):
            directory = tmp_path_factory.mktemp(f"vtysh-{kind}")
            settings = ReflectorSettings(
                directory=directory / "reflector", listen=(REFLECTOR,), port=PORT, netns=netns
            )
            reflector: Reflector = make(settings)
            answers[kind] = _observe(
                reflector, directory, (*JSON_COMMANDS, *TEXT_COMMANDS, *CLEAR_COMMANDS)
            )
    return answers


def _leaves(value: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:  # noqa: ANN401
    """A JSON value as its leaves, by where they stand."""
    if isinstance(value, dict) and value:
        items = value.items()
    elif isinstance(value, list) and value:
        items = ((str(index), each) for index, each in enumerate(value))  # type: ignore[assignment]
    else:
        return {path: value}
    return {
        where: leaf for key, each in items for where, leaf in _leaves(each, (*path, key)).items()
    }


@pytest.mark.parametrize("command", JSON_COMMANDS)
def test_every_field_of_ours_is_one_of_frrs_with_its_value(
    seen: dict[str, Seen], command: str
) -> None:
    ours, theirs = _leaves(seen[OURS].json(command)), _leaves(seen["frr"].json(command))
    for where, value in ours.items():
        assert where in theirs, f"FRR has no {'.'.join(where)}"
        if VARYING.isdisjoint(where):
            assert value == theirs[where], ".".join(where)
        else:
            assert type(value) is type(theirs[where]), ".".join(where)


@pytest.mark.parametrize("command", JSON_COMMANDS)
def test_no_field_of_frrs_is_missing_unless_it_is_known(
    seen: dict[str, Seen], command: str
) -> None:
    ours, theirs = _leaves(seen[OURS].json(command)), _leaves(seen["frr"].json(command))
    # FRR sends a client its own routes back, and lists them; and it names itself as next hop.
    own = {"10.1.0.0/24"} if "advertised" in command else set()
    named = ("nexthops", "0", "hostname")
    own_names = {("routes", "1.0.0.2/32", "0", *named), ("paths", "0", *named)}
    missing = [
        ".".join(where)
        for where in theirs.keys() - ours.keys()
        if LEFT_OUT.isdisjoint(where)
        and own.isdisjoint(where)
        and where not in own_names
        and where[:2] != ("advertisedTo", NODES[0])
    ]
    assert not missing


TEXT_COMMANDS: Final = (
    "show bgp ipv4 unicast",
    "show bgp ipv6 unicast",
    "show bgp summary failed",
    "show bgp neighbors 192.0.2.77",
    "show bgp ipv4 unicast 192.0.2.77",
)


@pytest.mark.parametrize("command", TEXT_COMMANDS)
def test_what_is_for_people_reads_the_same(seen: dict[str, Seen], command: str) -> None:
    """Word for word but for the version of the table, which ours doesn't count."""

    def lines(kind: str) -> list[str]:
        text = seen[kind].texts[command]
        return [line.rstrip() for line in text.split("\n") if "table version" not in line]

    assert "\n".join(lines(OURS)).strip() == "\n".join(lines("frr")).strip()


@pytest.mark.parametrize("command", CLEAR_COMMANDS)
def test_clearing_says_what_frrs_says(seen: dict[str, Seen], command: str) -> None:
    assert seen[OURS].texts[command] == seen["frr"].texts[command]
