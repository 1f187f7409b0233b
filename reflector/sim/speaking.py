"""What a simulated peer says: as a BGP speaker does, or any octets at all."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Unpack

from reflector.bgp.codec import encode_route_refresh
from reflector.bgp.open import Negotiated
from reflector.bgp.update import write_end_of_rib
from reflector.bgp.vocabulary import FAMILY_BY_NAME, IPV4_UNICAST, IPV6_UNICAST
from reflector.sim import capability
from reflector.sim.errors import DeadlineError
from reflector.sim.route import Attributes, Route, normal_prefix, require_known
from reflector.sim.waiting import Waiting
from reflector.sim.wire import write_routes, write_withdrawal


class Speaking(Waiting):
    """What `Peer` says. What a well-behaved peer says waits until the session is up."""

    _defers = False

    async def announce(self, *prefixes: str, **attributes: Unpack[Attributes]) -> None:
        """Announce prefixes that share their attributes.

        An internal peer adds LOCAL_PREF 100 and an empty AS_PATH, an external one an AS_PATH of its
        own AS number, where nothing else is given.

        Args:
            prefixes: As in "10.1.0.0/24".
            attributes: By the names of `Route`'s.

        Raises:
            ValueError: A prefix or an attribute can't be written.
            TypeError: There is no attribute of such a name.
        """
        __tracebackhide__ = True
        await self.announce_routes([self._complete(prefix, attributes) for prefix in prefixes])

    async def announce_routes(self, routes: Sequence[Route]) -> None:
        """Announce routes with exactly the attributes that they have.

        `Route.raw` adds attributes, or puts others in the place of those that the fields make.

        Raises:
            ValueError: An attribute can't be written.
        """
        __tracebackhide__ = True
        negotiated = await self.established()
        await self._defer(negotiated)
        routes = [self._with_defaults(route, negotiated) for route in routes]
        data = write_routes(
            routes,
            as4=negotiated.as4,
            reach_last=self.profile.mp_reach_last,
            most_bytes=negotiated.most_bytes,
        )
        self._announced.update({(route.prefix, route.path_id): route for route in routes})
        await self.send(data)

    async def withdraw(self, *prefixes: str, path_id: int | None = None) -> None:
        """Withdraw prefixes, announced before or not.

        Args:
            prefixes: As in "10.1.0.0/24".
            path_id: Which path of them, in a session with add-path; None for 0 there.
        """
        __tracebackhide__ = True
        negotiated = await self.established()
        gone = [(each, path_id) for each in map(normal_prefix, prefixes)]
        if path_id is None:
            gone = [(each, _path_id(each, negotiated)) for each, _ in gone]
        for key in gone:
            self._announced.pop(key, None)
        await self.send(write_withdrawal(gone))

    async def announce_end_of_rib(self, *families: str) -> None:
        """Say that these were all routes: the End-of-RIB marker (RFC 4724 2).

        Args:
            families: Of which; none given means all that the session has.

        Raises:
            ValueError: One is none that is known here.
        """
        negotiated = await self.established()
        for name in families:
            capability.pair(name)
        names = families or sorted(str(family) for family in negotiated.families)
        await self.send(b"".join(write_end_of_rib(FAMILY_BY_NAME[name]) for name in names))

    async def refresh(self, family: str = "ipv4") -> None:
        """Ask for all routes of a family again (RFC 2918)."""
        await self.established()
        await self.send(encode_route_refresh(*capability.pair(family)))

    # Saying anything.

    async def send(self, data: bytes) -> None:
        """Send octets as they are, and wait until the kernel has them.

        Raises:
            SessionOverError: There is no connection any more.
            DeadlineError: The other side does not read.
        """
        __tracebackhide__ = True
        self._write(data)
        try:
            async with asyncio.timeout(self.profile.deadline_s):
                await self._connected.drain()
        except TimeoutError:
            raise self._failure(
                DeadlineError, f"nothing could be sent for {self.profile.deadline_s:g} s"
            ) from None

    async def drip(self, data: bytes, *, interval_s: float = 0.05, octets: int = 1) -> None:
        """Send octets a few at a time.

        Args:
            data: To send, as it is.
            interval_s: Pause after each piece, in seconds.
            octets: Octets in a piece.
        """
        for at in range(0, len(data), octets):
            await self.send(data[at : at + octets])
            await asyncio.sleep(interval_s)

    # Inner workings.

    async def _defer(self, negotiated: Negotiated) -> None:
        """Wait for End-of-RIB of all families, as a restarting speaker does (RFC 4724 4.1)."""
        limit_s, theirs = self.profile.deferral_s, negotiated.remote.capabilities.graceful_restart
        if self._defers and limit_s is not None and theirs is not None and not theirs.restarting:
            expected = {
                family.name
                for family in negotiated.families
                if any((family.afi, family.safi) == kept[:2] for kept in theirs.preserved)
            }
            await self._within(limit_s, lambda: expected <= self._ended_ribs)
        self._defers = False

    def _complete(self, prefix: str, attributes: Attributes) -> Route:
        require_known(attributes)
        listed = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in attributes.items()
        }
        return Route(prefix=normal_prefix(prefix), **listed)  # type: ignore[arg-type]

    def _with_defaults(self, route: Route, negotiated: Negotiated) -> Route:
        located = self.profile.located(self.local_address[0])
        internal = negotiated.remote.asn == self.profile.asn
        own = located.next_hop if route.family == "ipv4" else located.next_hop_ipv6
        return replace(
            route,
            origin="igp" if route.origin is None else route.origin,
            next_hop=route.next_hop or own,
            as_path=route.as_path or (() if internal else (self.profile.asn,)),
            local_pref=100 if route.local_pref is None and internal else route.local_pref,
            path_id=_path_id(route.prefix, negotiated) if route.path_id is None else route.path_id,
        )


def _path_id(prefix: str, negotiated: Negotiated) -> int | None:
    """The path identifier of a route that names none: 0 where there must be one."""
    family = IPV6_UNICAST if ":" in prefix else IPV4_UNICAST
    return 0 if family in negotiated.add_path_send else None
