"""How a simulated peer behaves: who it says it is, and what it offers in its OPEN."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from typing import Final, TypedDict

from reflector.bgp.as4 import two_octet_as
from reflector.bgp.codec import decode_open
from reflector.bgp.limits import HEADER_BYTES
from reflector.bgp.message import frame
from reflector.bgp.open import Open
from reflector.bgp.vocabulary import BGP_VERSION, CeaseSubcode, MessageType
from reflector.sim import capability, given
from reflector.sim.capability import Capability
from reflector.sim.transport import MAX_KEY_BYTES

_CAPABILITIES: Final = 2
_MAX_PARAMETER_BYTES: Final = 255


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How a simulated peer behaves.

    Args:
        asn: Its AS number.
        peer_asn: The AS number that it expects of the other side, and refuses any other (2/2). None
            accepts all.
        router_id: Its BGP identifier. None takes it from the address it dials from, with 10 in the
            place of 127.
        hold_time_s: The hold time it proposes, in seconds.
        families: Which routes it offers to exchange, for the default capabilities.
        capabilities: The capabilities of its OPEN, in order. None offers `families`, route refresh,
            four-octet AS numbers and what the settings below add.
        graceful_restart_s: How long others should keep its routes when it restarts, in seconds.
        add_path: Offer to "receive" several paths of a prefix, to "send" them, or "both" (RFC 7911), for
            the default capabilities.
        extended_messages: Offer messages of up to 65,535 octets (RFC 8654), for the default
            capabilities. Routes are announced in such where the other side offers them too.
        restarting: Whether its first OPEN says that it has just restarted (RFC 4724 3, the R bit).
        deferral_s: How long it keeps its routes to itself, after an OPEN that said so, while it waits
            for the other side's End-of-RIB (RFC 4724 4.1), in seconds; None does not wait.
        open_message: A whole OPEN to send as it stands in the place of the one that the above make.
        source: The address to dial from. Any of 127.0.0.0/8 will do with a speaker on this machine.
        next_hop: Of the IPv4 routes that name none. None takes the address it dials from, with 10
            in the place of 127: no speaker accepts a loopback address as a next hop.
        next_hop_ipv6: Of the IPv6 routes that name none. None takes 2001:db8::/96 and `next_hop`.
        mp_reach_last: Whether MP_REACH_NLRI comes in the order of attribute codes, as GoBGP sends it,
            and not first, as RFC 7606 5.1 wants it.
        password: Signs the connection by TCP MD5 (RFC 2385).
        cease: With which subcode of Cease `Peer.close` ends the session (RFC 4486 4). None ends it
            without a word.
        deadline_s: How long its waits wait, in seconds, where they are not told.
        faults_allowed: Whether a test passes though this peer is sent malformed UPDATEs (`Peer.faults`):
            the pytest plugin lets it fail otherwise.
        netns: The network namespace that it dials from, or listens in, by its name under /run/netns
            (Linux, root). None is the process's own.
    """

    asn: int = 64512
    peer_asn: int | None = None
    router_id: str | None = None
    hold_time_s: int = 90
    families: Sequence[str] = ("ipv4", "ipv6")
    capabilities: Sequence[Capability] | None = None
    graceful_restart_s: int | None = None
    add_path: str | None = None
    extended_messages: bool = False
    restarting: bool = False
    deferral_s: float | None = None
    open_message: bytes | None = None
    source: str | None = None
    next_hop: str | None = None
    next_hop_ipv6: str | None = None
    mp_reach_last: bool = False
    password: str | None = None
    cease: int | None = CeaseSubcode.ADMINISTRATIVE_SHUTDOWN
    deadline_s: float = 15.0
    faults_allowed: bool = False
    netns: str | None = None

    def require_sense(self) -> None:
        """See that every value can be said; whether it is sensible to say it is the test's matter.

        Raises:
            ValueError: One can't; with a sentence that names it.
        """
        given.octets("asn", self.asn, 4)
        given.octets("hold_time_s", self.hold_time_s, 2)
        given.listed("families", self.families, '["ipv4"]')
        given.seconds("deadline_s", self.deadline_s)
        strange = [each for each in self.capabilities or () if not isinstance(each, Capability)]
        if strange:
            raise ValueError(f"capabilities: {strange[0]!r} is not of reflector.sim.capability's")
        checks = (
            ("peer_asn", lambda name, value: given.octets(name, value, 4)),
            ("graceful_restart_s", lambda name, value: given.number(name, value, 0, 4095)),
            ("cease", lambda name, value: given.octets(name, value, 1)),
            ("deferral_s", given.seconds),
            ("router_id", given.ipv4),
            ("next_hop", given.ipv4),
            ("next_hop_ipv6", given.ipv6),
            ("source", given.address),
            ("password", _require_password),
            ("open_message", _require_octets),
        )
        for name, check in checks:
            value = getattr(self, name)
            if value is not None:
                check(name, value)

    def located(self, local_address: str) -> "Profile":
        """The profile with what follows from the address that it dials from."""
        address = ip_address(local_address)
        own = str(address)
        if address.is_loopback:
            own = f"10.{own.partition('.')[2]}" if address.version == 4 else "10.0.0.1"  # noqa: PLR2004
        ipv4 = self.next_hop or (own if ":" not in own else "10.0.0.1")
        return replace(
            self,
            router_id=self.router_id or ipv4,
            next_hop=ipv4,
            next_hop_ipv6=self.next_hop_ipv6 or (own if ":" in own else f"2001:db8::{ipv4}"),
        )

    @property
    def restarts_gracefully(self) -> bool:
        """Whether its OPEN has the graceful restart capability."""
        return any(each.code == capability.GRACEFUL_RESTART for each in self.offered())

    def after_restart(self, *, forwarding: bool) -> "Profile":
        """The profile as its OPEN is after a restart: with the R bit, and F bits if so said."""
        offered = [capability.as_restarting(each, forwarding=forwarding) for each in self.offered()]
        return replace(self, capabilities=offered)

    def offered(self) -> tuple[Capability, ...]:
        """The capabilities of its OPEN, in order."""
        if self.capabilities is not None:
            return tuple(self.capabilities)
        offered = [capability.multiprotocol(family) for family in self.families]
        offered += [capability.route_refresh(), capability.four_octet_as(self.asn)]
        if self.graceful_restart_s is not None:
            offered.append(capability.graceful_restart(self.graceful_restart_s, self.families))
        if self.add_path is not None:
            offered.append(capability.add_path(self.add_path, self.families))
        if self.extended_messages:
            offered.append(capability.extended_message())
        return tuple(offered)

    def opening(self) -> bytes:
        """The OPEN that it sends, header included.

        Raises:
            ValueError: The capabilities are too long for an OPEN, or a number is out of range.
        """
        if self.open_message is not None:
            return self.open_message
        listed = b"".join(each.encode() for each in self.offered())
        if len(listed) > _MAX_PARAMETER_BYTES - 2:
            raise ValueError(f"capabilities of {len(listed)} octets don't fit an OPEN")
        parameter = bytes((_CAPABILITIES, len(listed))) + listed if listed else b""
        fixed = bytes((BGP_VERSION,)) + two_octet_as(self.asn).to_bytes(2)
        fixed += self.hold_time_s.to_bytes(2) + IPv4Address(self.router_id or "10.0.0.1").packed
        return frame(MessageType.OPEN, fixed + bytes((len(parameter),)) + parameter)

    def local(self) -> Open:
        """The same OPEN, as the session reads it to find what both sides have in common."""
        plain = replace(self, open_message=None)
        return decode_open(plain.opening()[HEADER_BYTES:])


def adjusted(profile: Profile, settings: "Settings") -> Profile:
    """A profile with some of it otherwise, if that can be said.

    Raises:
        ValueError: A value can't be said.
        TypeError: There is no setting of such a name.
    """
    for name in settings:
        if name not in Settings.__annotations__:
            known = ", ".join(Settings.__annotations__)
            raise TypeError(f"{name!r} is no setting of a peer; there are {known}")
    made = replace(profile, **settings)
    made.require_sense()
    return made


def _require_password(name: str, value: object) -> None:
    if not isinstance(value, str) or not 0 < len(value.encode()) <= MAX_KEY_BYTES:
        raise ValueError(f"{name} must be a text of 1 to {MAX_KEY_BYTES} octets")


def _require_octets(name: str, value: object) -> None:
    if not isinstance(value, bytes):
        raise ValueError(f'{name} is {value!r}: write octets, as in b"..."')  # noqa: TRY004


class Settings(TypedDict, total=False):
    """The keywords of `connect` and `listen`: `Profile` says what each means."""

    asn: int
    peer_asn: int | None
    router_id: str | None
    hold_time_s: int
    families: Sequence[str]
    capabilities: Sequence[Capability] | None
    graceful_restart_s: int | None
    add_path: str | None
    extended_messages: bool
    restarting: bool
    deferral_s: float | None
    open_message: bytes | None
    source: str | None
    next_hop: str | None
    next_hop_ipv6: str | None
    mp_reach_last: bool
    password: str | None
    cease: int | None
    deadline_s: float
    faults_allowed: bool
    netns: str | None
