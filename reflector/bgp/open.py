"""The OPEN message as the session sees it, and what two of them agree on (RFC 4271 4.2, RFC 5492)."""

from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address

from reflector.bgp.errors import SessionError
from reflector.bgp.limits import (
    MAX_EXTENDED_MESSAGE_BYTES,
    MAX_MESSAGE_BYTES,
    MIN_HOLD_TIME_S,
)
from reflector.bgp.remote_as import INTERNAL, RemoteAs
from reflector.bgp.vocabulary import (
    BGP_VERSION,
    FAMILIES,
    IPV4_UNICAST,
    AddPath,
    ErrorCode,
    Family,
    OpenSubcode,
)


@dataclass(frozen=True, slots=True)
class GracefulRestart:
    """The Graceful Restart capability (RFC 4724 3).

    Args:
        restarting: The R bit: the speaker has restarted.
        restart_time_s: How long it asks others to keep its routes.
        preserved: AFI/SAFI pairs it lists, each with its F bit (forwarding state preserved).
        notification: The N bit: the speaker restarts gracefully after a NOTIFICATION too (RFC 8538).
    """

    restarting: bool
    restart_time_s: int
    preserved: tuple[tuple[int, int, bool], ...] = ()
    notification: bool = False


@dataclass(frozen=True, slots=True)
class LongLived:
    """What the Long-Lived Graceful Restart capability says of an AFI/SAFI (RFC 9494 3).

    Args:
        afi: Its AFI.
        safi: Its SAFI.
        forwarding: The F bit: forwarding state was preserved.
        stale_time_s: How long the speaker asks others to keep its routes once its restart time is
            over.
    """

    afi: int
    safi: int
    forwarding: bool
    stale_time_s: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a speaker can do (RFC 5492), reduced to what the reflector uses.

    Args:
        families: AFI/SAFI pairs offered (RFC 4760 8), None where the capability is absent,
            which means IPv4 unicast alone.
        as4: The speaker's AS number from the 4-octet capability (RFC 6793), None if absent.
        route_refresh: RFC 2918.
        enhanced_refresh: RFC 7313.
        graceful_restart: RFC 4724, None if absent.
        long_lived: RFC 9494, by AFI/SAFI; None if absent.
        extended_messages: RFC 8654.
        add_path: AFI, SAFI and `AddPath` directions of each family (RFC 7911 4).
        host_name: FQDN capability: for kube-router, the node's name. When decoded, a question mark
            stands for what is no printable character; the same of the software version.
        software_version: For kube-router, sent only on sessions that it believes to be iBGP.
        codes: Every capability code that was present, in the order of arrival.
    """

    families: frozenset[tuple[int, int]] | None = None
    as4: int | None = None
    route_refresh: bool = False
    enhanced_refresh: bool = False
    graceful_restart: GracefulRestart | None = None
    long_lived: tuple[LongLived, ...] | None = None
    extended_messages: bool = False
    add_path: tuple[tuple[int, int, int], ...] = ()
    host_name: str = ""
    software_version: str = ""
    codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Open:
    """An OPEN message.

    Args:
        my_as: The 2-octet My Autonomous System field, AS_TRANS for a larger number.
        hold_time_s: Proposed hold time in seconds.
        bgp_id: The BGP Identifier.
        capabilities: From the optional parameters.
        version: Protocol version.
    """

    my_as: int
    hold_time_s: int
    bgp_id: IPv4Address
    capabilities: Capabilities = field(default_factory=Capabilities)
    version: int = BGP_VERSION

    @property
    def asn(self) -> int:
        """The speaker's AS number: the 4-octet capability's, else the field's (RFC 6793 4.1)."""
        return self.my_as if self.capabilities.as4 is None else self.capabilities.as4


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What a session runs on, once both OPENs are known.

    Args:
        hold_time_s: The smaller of the two proposals; 0 switches keepalives off.
        families: Families that both sides offered.
        as4: Both sides use 4-octet AS numbers in AS_PATH.
        route_refresh: We may ask the peer to send its routes again.
        remote: The peer's OPEN.
        enhanced_refresh: Both sides say where a refresh begins and ends (RFC 7313).
        graceful_restart: What the peer says of its restarts, if ours are graceful too (RFC 4724).
        graceful_notification: A NOTIFICATION other than a Hard Reset ends the session as a restart
            does (RFC 8538).
        offers_long_lived: We have the Long-Lived Graceful Restart capability (RFC 9494).
        long_lived: What the peer says of its own long-lived restarts, its times no longer than ours;
            None if it hasn't that capability or we haven't.
        extended_messages: The peer may be sent messages of up to 65,535 octets (RFC 8654).
        add_path_receive: Families of which the peer may send several paths of a prefix (RFC 7911).
        add_path_send: Families of which it is sent all paths of a prefix.
    """

    hold_time_s: int
    families: frozenset[Family]
    as4: bool
    route_refresh: bool
    remote: Open
    enhanced_refresh: bool = False
    graceful_restart: GracefulRestart | None = None
    graceful_notification: bool = False
    offers_long_lived: bool = False
    long_lived: tuple[LongLived, ...] | None = None
    extended_messages: bool = False
    add_path_receive: frozenset[Family] = frozenset()
    add_path_send: frozenset[Family] = frozenset()

    @property
    def restartable(self) -> frozenset[Family]:
        """Families whose routes are kept over a restart of the peer (RFC 4724 4.2)."""
        restart = self.graceful_restart
        if restart is None or not restart.restart_time_s:
            return frozenset()
        listed = {(afi, safi) for afi, safi, _ in restart.preserved}
        return frozenset(each for each in self.families if (each.afi, each.safi) in listed)

    @property
    def restart_time_s(self) -> int:
        """How long the peer's routes are kept over a restart of it; 0 if they are not."""
        return 0 if self.graceful_restart is None else self.graceful_restart.restart_time_s

    @property
    def forwarding(self) -> frozenset[Family]:
        """Families for which the peer says that it went on forwarding: the F bit."""
        restart = self.graceful_restart
        kept = set() if restart is None else {(a, s) for a, s, f_bit in restart.preserved if f_bit}
        return frozenset(each for each in self.families if (each.afi, each.safi) in kept)

    @property
    def kept_long(self) -> frozenset[Family]:
        """Families whose routes are kept beyond the restart time (RFC 9494 4.2)."""
        return frozenset(each for each in self.families if self.stale_time_s(each))

    def stale_time_s(self, family: Family) -> int:
        """How long the peer asks to have its routes kept beyond its restart time; 0 for not."""
        said = self._long_lived(family)
        return 0 if said is None else said.stale_time_s

    def forwarding_long(self, family: Family) -> bool:
        """Whether the peer says that it went on forwarding all the time: RFC 9494's F bit."""
        said = self._long_lived(family)
        return family in self.families and said is not None and said.forwarding

    def _long_lived(self, family: Family) -> LongLived | None:
        pair = family.afi, family.safi
        said = [each for each in self.long_lived or () if (each.afi, each.safi) == pair]
        return said[0] if said else None

    @property
    def most_bytes(self) -> int:
        """Of a message to the peer (RFC 8654 4)."""
        return MAX_EXTENDED_MESSAGE_BYTES if self.extended_messages else MAX_MESSAGE_BYTES

    @property
    def keepalive_s(self) -> float:
        """RFC 4271 10: a reasonable KEEPALIVE interval is one third of the hold time."""
        return self.hold_time_s / 3


def negotiate(local: Open, remote: Open, remote_as: RemoteAs = INTERNAL) -> Negotiated:
    """Judge the peer's OPEN against ours and find the common ground (RFC 4271 6.2).

    Args:
        local: The OPEN that we sent.
        remote: The peer's.
        remote_as: The ASes that the peer may be in.

    Returns:
        What the session runs on.

    Raises:
        SessionError: With the subcode and the data that RFC 4271 6.2 or RFC 5492 5 demand.
    """
    _check_as(local, remote, remote_as)
    # RFC 6286 2.2: the identifier is any non-zero number, and within an AS it is unique.
    if int(remote.bgp_id) == 0:
        raise SessionError(
            ErrorCode.OPEN_MESSAGE,
            OpenSubcode.BAD_BGP_IDENTIFIER,
            "the peer's router id is 0.0.0.0: set one with kube-router's --router-id",
        )
    if remote.bgp_id == local.bgp_id and remote.asn == local.asn:
        raise SessionError(
            ErrorCode.OPEN_MESSAGE,
            OpenSubcode.BAD_BGP_IDENTIFIER,
            f"the peer has our own router id {local.bgp_id}: "
            "change one of the two (kube-router: --router-id; here: --router-id)",
        )
    if 0 < remote.hold_time_s < MIN_HOLD_TIME_S:
        raise SessionError(
            ErrorCode.OPEN_MESSAGE,
            OpenSubcode.UNACCEPTABLE_HOLD_TIME,
            f"the peer proposes a hold time of {remote.hold_time_s} s: "
            "RFC 4271 wants 0 or at least 3 (kube-router: --bgp-holdtime)",
        )
    ours, theirs = local.capabilities, remote.capabilities
    families = _common_families(ours, theirs)
    restarts = ours.graceful_restart, theirs.graceful_restart
    # RFC 9494 4.1: without the Graceful Restart capability the long-lived one counts for nothing.
    offers_long_lived = ours.long_lived is not None and ours.graceful_restart is not None
    agreed_long_lived = offers_long_lived and theirs.graceful_restart is not None
    return Negotiated(
        hold_time_s=min(local.hold_time_s, remote.hold_time_s),
        families=families,
        as4=ours.as4 is not None and theirs.as4 is not None,
        route_refresh=ours.route_refresh and theirs.route_refresh,
        remote=remote,
        enhanced_refresh=ours.enhanced_refresh and theirs.enhanced_refresh,
        graceful_restart=None if ours.graceful_restart is None else theirs.graceful_restart,
        graceful_notification=all(each is not None and each.notification for each in restarts),
        offers_long_lived=offers_long_lived,
        long_lived=_bounded(theirs.long_lived, ours.long_lived) if agreed_long_lived else None,
        extended_messages=ours.extended_messages and theirs.extended_messages,
        add_path_receive=common_add_path(families, theirs, ours),
        add_path_send=common_add_path(families, ours, theirs),
    )


def _bounded(
    theirs: tuple[LongLived, ...] | None, ours: tuple[LongLived, ...] | None
) -> tuple[LongLived, ...] | None:
    """What the peer says of its long-lived restarts, its stale times no longer than ours."""
    most_s = max((each.stale_time_s for each in ours or ()), default=0)
    if theirs is None:
        return None
    return tuple(replace(each, stale_time_s=min(each.stale_time_s, most_s)) for each in theirs)


def _check_as(local: Open, remote: Open, remote_as: RemoteAs) -> None:
    # RFC 7607 2: AS 0 is wrong in the field too, where the capability says another.
    asn = remote.asn if remote.my_as else 0
    if not remote_as.accepts(asn, local.asn):
        raise SessionError(
            ErrorCode.OPEN_MESSAGE, OpenSubcode.BAD_PEER_AS, remote_as.refusal(asn, local.asn)
        )


def common_add_path(
    families: frozenset[Family], sender: Capabilities, receiver: Capabilities
) -> frozenset[Family]:
    """Families of which one side can send several paths and the other receive them (RFC 7911 5)."""
    if not sender.add_path or not receiver.add_path:
        return frozenset()
    sends = {(afi, safi) for afi, safi, how in sender.add_path if how & AddPath.SEND}
    receives = {(afi, safi) for afi, safi, how in receiver.add_path if how & AddPath.RECEIVE}
    return frozenset(each for each in families if (each.afi, each.safi) in sends & receives)


def _common_families(ours: Capabilities, theirs: Capabilities) -> frozenset[Family]:
    # RFC 4760 8: a peer without the capability speaks IPv4 unicast and nothing else.
    ipv4_only = frozenset({(IPV4_UNICAST.afi, IPV4_UNICAST.safi)})
    offered = ipv4_only if ours.families is None else ours.families
    accepted = ipv4_only if theirs.families is None else theirs.families
    common = frozenset(FAMILIES[pair] for pair in offered & accepted if pair in FAMILIES)
    if not common:
        names = " and ".join(sorted(str(FAMILIES[pair]) for pair in offered))
        raise SessionError(
            ErrorCode.OPEN_MESSAGE,
            OpenSubcode.UNSUPPORTED_CAPABILITY,
            f"the peer offers no address family of ours ({names} unicast)",
            # RFC 5492 5: the data lists the capabilities that caused it, as in an OPEN.
            b"".join(
                b"\x01\x04" + afi.to_bytes(2) + b"\x00" + bytes((safi,))
                for afi, safi in sorted(offered)
            ),
        )
    return common
