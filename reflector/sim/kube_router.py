"""How kube-router speaks BGP: the OPEN, timers and restart of the GoBGP that each version embeds.

Read from the sources of kube-router v1.1.0 to v2.11.1 (go.mod, pkg/controllers/routing) and of GoBGP
v2.19.0 to v4.8.0 (pkg/server/fsm.go), and compared with the octets of real gobgpds by the tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reflector.bgp.vocabulary import CeaseSubcode
from reflector.sim import capability
from reflector.sim.capability import Capability
from reflector.sim.profile import Profile

Version = tuple[int, int, int]

# The first kube-router with each GoBGP. Those before 1.6 embed a commit between two releases.
_GOBGP_OF: Final[tuple[tuple[Version, Version], ...]] = (
    ((1, 1, 0), (2, 19, 0)),
    ((1, 2, 3), (2, 23, 0)),
    ((1, 3, 0), (2, 29, 0)),
    ((1, 3, 1), (2, 30, 0)),
    ((1, 4, 0), (2, 34, 0)),
    ((1, 6, 0), (3, 14, 0)),
    ((2, 0, 0), (3, 19, 0)),
    ((2, 1, 0), (3, 23, 0)),
    ((2, 1, 1), (3, 25, 0)),
    ((2, 2, 0), (3, 29, 0)),
    ((2, 6, 0), (3, 37, 0)),
    ((2, 7, 0), (4, 2, 0)),
    ((2, 10, 0), (4, 5, 0)),
    ((2, 11, 0), (4, 7, 0)),
    ((2, 11, 1), (4, 8, 0)),
)
NEWEST: Final = "2.11.1"

# GoBGP: the first release in which an OPEN has each of these.
_HAS_FQDN: Final = (2, 28, 0)
_HAS_SOFTWARE_VERSION: Final = (3, 11, 0)
_HAS_EXTENDED_MESSAGE: Final = (4, 7, 0)
# minConnectRetryInterval of fsm.go, from which release on.
_FIRST_DIAL_S: Final = (((4, 0, 0), 2), ((3, 35, 0), 1), ((0, 0, 0), 5))

# kube-router: the first that offers both families whether or not it restarts gracefully, and the
# first that offers both at all.
_ALWAYS_BOTH_FAMILIES: Final = (2, 7, 0)
_BOTH_FAMILIES: Final = (2, 0, 0)

# kube-router's --bgp-holdtime, --bgp-graceful-restart-time and -deferral-time.
_HOLD_TIME_S: Final = 90
_RESTART_TIME_S: Final = 90
_DEFERRAL_S: Final = 360.0


@dataclass(frozen=True, slots=True)
class Timers:
    """When a GoBGP dials, in seconds; each wait is drawn anew between least and most.

    Args:
        idle_s: How long it stays away, and hangs up on who dials it, after a session fell.
        first_dial_s: Then, and after its start, it waits this long before it dials.
    """

    idle_s: float
    first_dial_s: tuple[float, float]


def kube_router(
    version: str = NEWEST,
    *,
    node_name: str = "node-1",
    asn: int = 64512,
    peer_asn: int = 64512,
    families: Sequence[str] = ("ipv4",),
    graceful_restart: bool = False,
) -> Profile:
    """A node of a cluster that runs kube-router.

    Args:
        version: Of kube-router, 1.1.0 or later, as in "2.5.0".
        node_name: The node's host name.
        asn: kube-router's --cluster-asn.
        peer_asn: kube-router's --peer-router-asns: it refuses a speaker in any other AS.
        families: What the node has addresses of. Until 2.6 a kube-router offers IPv4 alone over
            an IPv4 session, unless it restarts gracefully.
        graceful_restart: kube-router's --bgp-graceful-restart.

    Raises:
        ValueError: There is no such version, or it is older than 1.1.
    """
    number = parse_version(version)
    offered = tuple(families)
    if number < _BOTH_FAMILIES or (number < _ALWAYS_BOTH_FAMILIES and not graceful_restart):
        offered = offered[:1]
    return gobgp(
        gobgp_of(version),
        host_name=node_name,
        asn=asn,
        peer_asn=peer_asn,
        families=offered,
        graceful_restart=graceful_restart,
    )


def gobgp(
    version: str,
    *,
    host_name: str,
    asn: int = 64512,
    peer_asn: int = 64512,
    families: Sequence[str] = ("ipv4",),
    graceful_restart: bool = False,
) -> Profile:
    """A GoBGP that is set up as kube-router does it.

    Args:
        version: Of GoBGP, 2.10 or later.
        host_name: Of its machine.
        asn: Its AS number.
        peer_asn: The AS number that it expects of the other side.
        families: Those that it is configured with.
        graceful_restart: Whether it says that it restarts gracefully. kube-router's GoBGP then says
            after each start that it has just restarted, and keeps its routes to itself until the
            other side's End-of-RIB has come.

    Raises:
        ValueError: The version is no version.
    """
    return Profile(
        asn=asn,
        peer_asn=peer_asn,
        hold_time_s=_HOLD_TIME_S,
        capabilities=_capabilities(
            parse_version(version),
            host_name,
            asn,
            families,
            internal=asn == peer_asn,
            graceful_restart=graceful_restart,
        ),
        mp_reach_last=True,
        restarting=graceful_restart,
        deferral_s=_DEFERRAL_S if graceful_restart else None,
        # Its StopBgp; with graceful restart it is not called and the process just ends.
        cease=None if graceful_restart else CeaseSubcode.PEER_DE_CONFIGURED,
    )


def gobgp_of(version: str) -> str:
    """The GoBGP that a kube-router embeds.

    Raises:
        ValueError: There is no such version, or it is older than 1.1.
    """
    number = parse_version(version)
    known = [embedded for first, embedded in _GOBGP_OF if first <= number]
    if not known:
        raise ValueError(f"kube-router {version} is too old: 1.1.0 and later are known")
    return ".".join(map(str, known[-1]))


def timers(version: str = NEWEST) -> Timers:
    """When a kube-router dials.

    Raises:
        ValueError: There is no such version, or it is older than 1.1.
    """
    embedded = parse_version(gobgp_of(version))
    least = next(seconds for first, seconds in _FIRST_DIAL_S if first <= embedded)
    return Timers(idle_s=5.0, first_dial_s=(least, 2 * least))


def parse_version(text: str) -> Version:
    """Read a version, "2.5", "v2.5.0" or "2.5.0".

    Raises:
        ValueError: It is none.
    """
    parts = str(text).removeprefix("v").split(".")
    if not 2 <= len(parts) <= 3 or not all(part.isdecimal() for part in parts):  # noqa: PLR2004
        raise ValueError(f"{text!r} is no version of the form 2.5.0")
    major, minor, patch = (int(part) for part in (*parts, "0")[:3])
    return major, minor, patch


def _capabilities(
    version: Version,
    host_name: str,
    asn: int,
    families: Sequence[str],
    *,
    internal: bool,
    graceful_restart: bool,
) -> tuple[Capability, ...]:
    """What is in the OPEN, in GoBGP's order."""
    offered = [capability.route_refresh()]
    if version >= _HAS_FQDN:
        offered.append(capability.fqdn(host_name))
    if version >= _HAS_SOFTWARE_VERSION and internal:
        number = ".".join(map(str, version))
        offered.append(capability.software_version(f"GoBGP/{number}"))
    if version >= _HAS_EXTENDED_MESSAGE:
        offered.append(capability.extended_message())
    offered += [capability.multiprotocol(family) for family in families]
    offered.append(capability.four_octet_as(asn))
    if graceful_restart:
        offered.append(capability.graceful_restart(_RESTART_TIME_S, families))
    if "ipv4" in families:
        offered.append(capability.extended_next_hop("ipv4"))
    return tuple(offered)
