"""FRR's shell on paths of every kind: ours and a real FRR's, of the same bgpd.conf and the same peers.

A client, a peer of our AS that is none, an external peer and a client of a route server announce; then
the first client is gone, and its routes are stale.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Final

import pytest

from reflector import sim
from tests.support.frr import frr_command
from tests.support.process import BackgroundProcess, find_binary, wait_until
from tests.support.reflector_process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.interop

CLIENT, NON_CLIENT, EXTERNAL, SERVED = (f"127.0.0.{number}" for number in (2, 3, 4, 5))
CONFIG: Final = f"""\
router bgp 64512
 bgp router-id 192.0.2.254
 no bgp ebgp-requires-policy
 no bgp enforce-first-as
 neighbor {CLIENT} remote-as 64512
 neighbor {CLIENT} passive
 neighbor {NON_CLIENT} remote-as 64512
 neighbor {NON_CLIENT} passive
 neighbor {EXTERNAL} remote-as 65004
 neighbor {EXTERNAL} passive
 neighbor {EXTERNAL} ebgp-multihop
 neighbor {EXTERNAL} disable-connected-check
 neighbor {SERVED} remote-as 65005
 neighbor {SERVED} passive
 neighbor {SERVED} ebgp-multihop
 neighbor {SERVED} disable-connected-check
 address-family ipv4 unicast
  neighbor {CLIENT} route-reflector-client
  neighbor {SERVED} route-server-client
 exit-address-family
exit
"""

MANY, SET, REFLECTED, SCOPED, STALE = (f"10.{number}.0.0/24" for number in (1, 2, 3, 4, 5))
# Which path won over which other one is said of the two that were compared last: with more than two
# paths that depends on the order in which they came.
OF_SEVERAL: Final = MANY.removesuffix("0/24")

JSON_COMMANDS: Final = (
    *(f"show bgp ipv4 unicast {prefix} json" for prefix in (MANY, SET, REFLECTED, SCOPED, STALE)),
    # Bits beyond the length say nothing.
    "show bgp ipv4 unicast 10.1.0.5/24 json",
    "show bgp ipv4 unicast json",
    "show bgp ipv4 unicast 10.0.0.0/14 longer-prefixes json",
    "show bgp ipv4 unicast 10.0.0.1/14 longer-prefixes json",
    f"show bgp ipv4 unicast neighbors {CLIENT} routes json",
    f"show bgp ipv4 unicast neighbors {NON_CLIENT} routes json",
    f"show bgp ipv4 unicast neighbors {NON_CLIENT} advertised-routes json",
)
TEXT_COMMANDS: Final = (
    *(f"show bgp ipv4 unicast {prefix}" for prefix in (MANY, SET, REFLECTED, SCOPED, STALE)),
    "show bgp ipv4 unicast",
    "show bgp ipv4 unicast 10.0.0.0/14 longer-prefixes",
    f"show bgp ipv4 unicast neighbors {CLIENT} routes",
    f"show bgp ipv4 unicast neighbors {NON_CLIENT} routes",
    f"show bgp ipv4 unicast neighbors {NON_CLIENT} advertised-routes",
    f"show bgp ipv4 unicast neighbors {CLIENT} advertised-routes",
    "show bgp neighbors 127.0.0.99",
    "show bgp ipv4 unicast | include codes: ",
    "show bgp ipv4 unicast | include ^nothing$",
    "show bgp ipv4 unicast | include",
    "show bgp ipv4 unicast | begin Network",
    f"clear bgp {CLIENT}",
    f"clear bgp {CLIENT} soft",
)
SUMMARY: Final = "show bgp summary json"
FAILED: Final = "show bgp ipv4 unicast summary failed"

# A version of FRR's table, a time, or what is left of one: where a leaf of these names stands.
ITS_OWN: Final = {"version", "tableVersion", "bgpTableVersion", "lastUpdate"}
ITS_TIMER: Final = "gracefulRestartSecondsRemaining"


def announce(target: tuple[str, int], ask: Callable[[str], str]) -> dict[str, str]:
    """Have every kind of path announced, and return the answers to all commands."""
    with sim.Blocking() as peers:

        def connect(source: str, asn: int = 64512) -> Any:  # noqa: ANN401 - a peer, as `sim` makes it
            return peers.connect(
                *target,
                source=source,
                asn=asn,
                cease=None,
                families=("ipv4",),
                graceful_restart_s=120,
            )

        client, non_client = connect(CLIENT), connect(NON_CLIENT)
        external, served = connect(EXTERNAL, 65004), connect(SERVED, 65005)
        everybody = (client, non_client, external, served)
        for peer in everybody:
            peer.established()
        client.announce(
            MANY,
            communities=("64512:1", "no-export"),
            large_communities=("64512:1:2",),
            extended_communities=("rt:64512:1",),
            med=5,
        )
        non_client.announce(MANY, local_pref=50)
        external.announce(MANY, as_path=(65004, 65009), med=7)
        external.announce(SET, as_path=(65004, frozenset((65010, 65011)), 65012))
        served.announce(SET, as_path=(65005,))
        non_client.announce(REFLECTED, originator_id="9.9.9.9", cluster_list=("8.8.8.8", "7.7.7.7"))
        external.announce(SCOPED, as_path=(65004,), communities=("64512:2", "no-export-subconfed"))
        client.announce(STALE, local_pref=200, origin="incomplete")
        for peer in everybody:
            peer.announce_end_of_rib()
        client.route(REFLECTED)
        client.route(SET)
        client.route(SCOPED)
        external.route(STALE)
        non_client.route(MANY)
        client.hang_up()
        wait_until(
            lambda: "(stale)" in ask(f"show bgp ipv4 unicast {STALE}"), what="its route is stale"
        )
        return {
            command: ask(command) for command in (*JSON_COMMANDS, *TEXT_COMMANDS, SUMMARY, FAILED)
        }


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """What both answer, one after the other."""
    directory = tmp_path_factory.mktemp("vtysh-paths")
    file = directory / "bgpd.conf"
    file.write_text(CONFIG)
    return {"frr": _frr(file), "ours": _ours(file)}


def _frr(file: Path) -> dict[str, str]:
    port, directory = free_port(), str(file.parent)
    process = BackgroundProcess(
        "bgpd",
        [*frr_command(str(file), directory), "-p", str(port), "-l", "127.0.0.1"],
        log_path=file.parent / "log",
    )
    vtysh = [find_binary("vtysh"), "--vty_socket", directory, "-d", "bgpd"]
    try:
        sim.wait_until_listening("127.0.0.1", port)
        return announce(("127.0.0.1", port), lambda command: _output(vtysh, command))
    finally:
        process.kill()


def _ours(file: Path) -> dict[str, str]:
    with sim.RunningReflector("--frr", str(file), router_id="192.0.2.254") as running:
        socket = str(running.control_socket)
        vtysh = [sys.executable, "-m", "reflector", "vtysh", "--socket", socket]
        return announce(running.address, lambda command: _output(vtysh, command))


def _output(vtysh: list[str], command: str) -> str:
    # Both end with 1 where a line is refused, which some are here.
    done = subprocess.run([*vtysh, "-c", command], capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.stdout


def _comparable(value: Any, command: str) -> Any:  # noqa: ANN401 - JSON is anything
    """An answer without what is FRR's own, and with a prefix's paths by the peer they are from."""
    if isinstance(value, dict):
        dropped = ITS_OWN | {ITS_TIMER}
        if OF_SEVERAL in f"{command} {value.get('prefix')}":
            dropped = dropped | {"selectionReason"}
        return {
            key: _comparable(each, command) for key, each in value.items() if key not in dropped
        }
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return sorted((_comparable(each, command) for each in value), key=_peer)
    return value


def _peer(path: dict[str, Any]) -> str:
    return str(path.get("peerId") or path.get("peer", {}).get("peerId"))


@pytest.mark.parametrize("command", JSON_COMMANDS)
def test_json_is_frrs_field_by_field(answers: dict[str, dict[str, str]], command: str) -> None:
    ours, theirs = (
        _comparable(json.loads(answers[kind][command]), command) for kind in ("ours", "frr")
    )
    # FRR sends an external peer and a route server's client their own routes back.
    for told in (ours, theirs):
        for address in (EXTERNAL, SERVED):
            told.get("advertisedTo", {}).pop(address, None)
    if not theirs.get("advertisedTo", True):
        del theirs["advertisedTo"]
    if not ours.get("advertisedTo", True):
        del ours["advertisedTo"]
    assert ours == theirs


def _blocks(text: str) -> list[str]:
    """A text as its head and its paths, in an order that does not depend on when they came."""
    text = text.strip()
    text = re.sub(r", version \d+|BGP table version is \d+, |best #\d|best \([^)]*\)", "", text)
    text = re.sub(r"\n *(Last update|Time until Graceful).*", "", text)
    # FRR sends an external peer and a route server's client their own routes back.
    text = re.sub(
        r"  Advertised to non peer-group peers:\n.*|  Not advertised to any peer", "", text
    )
    rows = []
    network = ""
    for line in text.split("\n"):
        if re.match(r"[*S][ >][i ]", line):
            # Only the first path's line names the network.
            network = line[3:20].strip() or network
            rows.append(f"{line[:3]}{network} {line[20:]}".rstrip())
        elif re.match(r"  \S", line) or not rows:
            rows.append(line.rstrip())
        else:
            rows[-1] += "\n" + line.rstrip()
    return sorted(rows)


@pytest.mark.parametrize("command", TEXT_COMMANDS)
def test_text_is_frrs_path_by_path(answers: dict[str, dict[str, str]], command: str) -> None:
    assert _blocks(answers["ours"][command]) == _blocks(answers["frr"][command])


def test_a_neighbor_of_the_configuration_is_there_without_a_session(
    answers: dict[str, dict[str, str]],
) -> None:
    """So that whoever watches FRR's neighbors sees it down, and not gone."""
    ours, theirs = (json.loads(answers[kind][SUMMARY])["ipv4Unicast"] for kind in ("ours", "frr"))
    for name in ("peerCount", "totalPeers", "failedPeers", "displayedPeers", "dynamicPeers"):
        assert ours[name] == theirs[name]
    assert list(ours["peers"]) == list(theirs["peers"])
    assert ours["peers"][CLIENT]["state"] != "Established" != theirs["peers"][CLIENT]["state"]
    for address, peer in theirs["peers"].items():
        for name in ("connectionsEstablished", "connectionsDropped"):
            assert ours["peers"][address][name] == peer[name]


def test_who_has_failed_is_shown_in_frrs_columns(answers: dict[str, dict[str, str]]) -> None:
    """Neighbor, how often it came and went, when last, and why: that in each one's own words."""
    ours, theirs = (
        [
            line
            for line in answers[kind][FAILED].split("\n")
            if re.match(r"Neighbor|127\.|Disp", line)
        ]
        for kind in ("ours", "frr")
    )
    assert [line.split()[:3] for line in ours] == [line.split()[:3] for line in theirs]
    assert ours[0] == theirs[0]
    assert ours[1].index("00:") == theirs[1].index("00:")
    assert "closed the connection" in ours[1]
