"""How to speak with a peer: what a configuration says of it, in the terms of the session."""

from dataclasses import dataclass

from reflector.bgp.as4 import two_octet_as
from reflector.bgp.limits import MAX_PREFIX_HOLD_DOWN_S, OPEN_WAIT_S
from reflector.bgp.open import Capabilities, GracefulRestart, LongLived, Open
from reflector.bgp.remote_as import INTERNAL, RemoteAs
from reflector.bgp.vocabulary import Family
from reflector.rib.audience import Audience
from reflector.rib.intake import USUAL_INTAKE, Intake
from reflector.rib.policy import Policy
from reflector.speaker import Identity


@dataclass(frozen=True, slots=True)
class PeerPolicy:
    """How to speak with a peer.

    Args:
        families: To offer.
        hold_time_s: To propose.
        client: A route reflector client, or else a non-client peer (RFC 4456 5).
        description: For the log and `show`.
        open_wait_s: How long the peer may take to send its OPEN.
        remote_as: The ASes that it may be in.
        route_server: If it is external, a client of a route server (RFC 7947).
        enforce_first_as: Whether an external peer's paths must begin with its AS.
        ttl_security: How many hops away it may be (RFC 5082); None for any number.
        extended_messages: Whether messages of up to 65,535 octets are offered (RFC 8654).
        intake: What becomes of its routes on their way in.
        export: Which routes it is told of, None for all.
        hold_down_s: How long it is kept out after it had too many prefixes.
        restart_time_s: How long it is asked to keep our routes over our restart (RFC 4724); None
            where restarts are not graceful.
        long_lived_s: How long it is asked to keep them beyond that (RFC 9494), and we keep its routes at
            most; None where restarts are not long-lived.
        add_path: `AddPath` directions in which several paths of a prefix are carried (RFC 7911).
    """

    families: frozenset[Family]
    hold_time_s: int
    client: bool = True
    description: str = ""
    open_wait_s: float = OPEN_WAIT_S
    remote_as: RemoteAs = INTERNAL
    route_server: bool = False
    enforce_first_as: bool = True
    ttl_security: int | None = None
    extended_messages: bool = False
    intake: Intake = USUAL_INTAKE
    export: Policy | None = None
    hold_down_s: float = MAX_PREFIX_HOLD_DOWN_S
    restart_time_s: int | None = None
    long_lived_s: int | None = None
    add_path: int = 0

    def audience(self, *, internal: bool) -> int:
        """What kind of peer it is, by whether it is in our AS."""
        if not internal:
            return Audience.SERVED if self.route_server else Audience.EXTERNAL
        return Audience.CLIENT if self.client else Audience.NON_CLIENT

    def opening(self, identity: Identity, host_name: str, *, restarting: bool) -> Open:
        """The OPEN to send it.

        Args:
            identity: Who we are.
            host_name: What we call ourselves (FQDN capability).
            restarting: Whether we have restarted ourselves (RFC 4724 3, the R bit).
        """
        return Open(
            my_as=two_octet_as(identity.asn),
            hold_time_s=self.hold_time_s,
            bgp_id=identity.router_id,
            capabilities=Capabilities(
                families=frozenset((family.afi, family.safi) for family in self.families),
                add_path=self._add_path(),
                as4=identity.asn,
                route_refresh=True,
                enhanced_refresh=True,
                graceful_restart=self._graceful_restart(restarting=restarting),
                long_lived=self._long_lived(),
                extended_messages=self.extended_messages,
                host_name=host_name,
            ),
        )

    def _add_path(self) -> tuple[tuple[int, int, int], ...]:
        if not self.add_path:
            return ()
        return tuple(sorted((each.afi, each.safi, self.add_path) for each in self.families))

    def _long_lived(self) -> tuple[LongLived, ...] | None:
        if self.long_lived_s is None:
            return None
        pairs = sorted((each.afi, each.safi) for each in self.families)
        return tuple(LongLived(afi, safi, True, self.long_lived_s) for afi, safi in pairs)  # noqa: FBT003 - F bit

    def _graceful_restart(self, *, restarting: bool) -> GracefulRestart | None:
        if self.restart_time_s is None:
            return None
        # The F bit is always true: a reflector forwards nothing that a restart could interrupt.
        preserved = tuple(sorted((each.afi, each.safi, True) for each in self.families))
        return GracefulRestart(restarting, self.restart_time_s, preserved, notification=True)
