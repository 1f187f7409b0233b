"""What a simulated peer waits for: each wait has a deadline, and an error that says what is there instead."""

from typing import Unpack

from reflector.bgp.notification import Notification
from reflector.bgp.open import Negotiated
from reflector.sim import capability
from reflector.sim.errors import SessionOverError, UnexpectedError
from reflector.sim.link import Ended, Link
from reflector.sim.route import Attributes, Route, differences, normal_prefix, require_known


class Waiting(Link):
    """The waits of `Peer`."""

    # pytest shows where a test waited, not where in here it was given up: `__tracebackhide__`.

    async def established(self, *, deadline_s: float | None = None) -> Negotiated:
        """Wait until the session is up.

        Returns:
            What it runs on.

        Raises:
            SessionOverError: It ended instead.
            DeadlineError: Neither happened in time.
        """
        __tracebackhide__ = True
        await self.until(
            lambda: self.is_established, "an established session", deadline_s, why=self._standstill
        )
        assert self.negotiated is not None  # noqa: S101 - the type checker can't see the states
        return self.negotiated

    async def stays_established(self, *, for_s: float) -> None:
        """Wait until the session is up, and watch that it is still so after some time.

        Args:
            for_s: How long it must stay up, in seconds: longer than the hold time to see that the
                other side sends its KEEPALIVEs.

        Raises:
            SessionOverError: It ended.
            DeadlineError: It did not come up in time.
        """
        __tracebackhide__ = True
        await self.established()
        ended = await self._within(for_s, lambda: self.ended is not None)
        if ended and self.ended is not None:
            raise self._failure(
                SessionOverError,
                f"the session did not stay established for {for_s:g} s: {self.ended.reason}",
            )

    async def route(
        self, prefix: str, *, deadline_s: float | None = None, **expected: Unpack[Attributes]
    ) -> Route:
        """Wait until it has a route, with these attributes if any are given.

        Args:
            prefix: As in "10.1.0.0/24".
            deadline_s: Other than the profile's.
            expected: Attributes by the names of `Route`'s; the others may be anything.

        Returns:
            The route.

        Raises:
            SessionOverError: The session ended before.
            DeadlineError: It has no such route in time; the message says what of it differs.
            TypeError: There is no attribute of such a name.
        """
        __tracebackhide__ = True
        prefix = normal_prefix(prefix)
        require_known(expected)

        def check() -> Route | None:
            found = self.routes.get(prefix)
            return None if found is None or differences(found, expected) else found

        def why() -> str:
            found = self.routes.get(prefix)
            if found is None:
                return f"it has {self._held()}"
            return " and ".join(differences(found, expected))

        wanted = "".join(f", {name} {value}" for name, value in expected.items())
        return await self.until(check, f"a route to {prefix}{wanted}", deadline_s, why=why)

    async def all_paths(
        self, prefix: str, *next_hops: str, deadline_s: float | None = None
    ) -> dict[int, Route]:
        """Wait until it has just these paths of a prefix, in a session with add-path (RFC 7911).

        Args:
            prefix: As in "10.1.0.0/24".
            next_hops: Of the paths, in any order.
            deadline_s: Other than the profile's.

        Returns:
            The paths, by identifier.

        Raises:
            SessionOverError: The session ended before.
            DeadlineError: It has others in the end.
        """
        __tracebackhide__ = True
        prefix, wanted = normal_prefix(prefix), sorted(next_hops)

        def has() -> list[str]:
            return sorted(str(path.next_hop) for path in self.paths.get(prefix, {}).values())

        await self.until(
            lambda: has() == wanted,
            f"paths to {prefix} via {', '.join(wanted) or 'nobody'}",
            deadline_s,
            why=lambda: f"it has those via {', '.join(has()) or 'nobody'}",
        )
        return dict(self.paths.get(prefix, {}))

    async def no_route(
        self, prefix: str, *, for_s: float = 0.0, deadline_s: float | None = None
    ) -> None:
        """Wait until it has no route to a prefix.

        Args:
            prefix: As in "10.1.0.0/24".
            for_s: For how many seconds it must stay without one.
            deadline_s: Other than the profile's.

        Raises:
            DeadlineError: It still has one at the deadline.
            UnexpectedError: It got one within `for_s`.
        """
        __tracebackhide__ = True
        prefix = normal_prefix(prefix)

        def gone() -> bool:
            return prefix not in self.routes

        await self.until(
            gone, f"no route to {prefix}", deadline_s, why=lambda: f"it has {self.routes[prefix]}"
        )
        if for_s and await self._within(for_s, lambda: not gone()):
            raise self._failure(UnexpectedError, f"a route came: {self.routes[prefix]}")

    async def end_of_rib(self, family: str = "ipv4", *, deadline_s: float | None = None) -> None:
        """Wait until the End-of-RIB marker of a family has come (RFC 4724 2).

        Raises:
            SessionOverError: The session ended before.
            DeadlineError: It has not come in time.
        """
        __tracebackhide__ = True
        capability.pair(family)
        await self.until(lambda: family in self._ended_ribs, f"End-of-RIB for {family}", deadline_s)

    async def refresh_request(
        self, family: str = "ipv4", *, deadline_s: float | None = None
    ) -> None:
        """Wait until the other side has asked for all routes of a family (RFC 2918).

        The peer answers such a request by itself, with what it has announced.

        Raises:
            SessionOverError: The session ended before.
            DeadlineError: It has not asked in time.
        """
        __tracebackhide__ = True
        capability.pair(family)
        await self.until(
            lambda: family in self._refresh_requests, f"a ROUTE-REFRESH for {family}", deadline_s
        )

    async def notification(
        self,
        code: int | None = None,
        subcode: int | None = None,
        *,
        deadline_s: float | None = None,
    ) -> Notification:
        """Wait until the other side ends the session with a NOTIFICATION.

        Args:
            code: The error code that it must have (RFC 4271 4.5), None for any.
            subcode: The error subcode that it must have, None for any.
            deadline_s: Other than the profile's.

        Returns:
            The NOTIFICATION, with its data.

        Raises:
            UnexpectedError: The session ended otherwise.
            DeadlineError: It did not end in time.
        """
        __tracebackhide__ = True
        wanted = "a NOTIFICATION"
        if code is not None:
            wanted += f" {code}{'' if subcode is None else f'/{subcode}'}"
        ended = await self.closed(deadline_s=deadline_s, what=wanted)
        found = ended.received
        if found is None or (code, subcode) not in (
            (None, None),
            (found.code, None),
            (found.code, found.subcode),
        ):
            raise self._failure(
                UnexpectedError, f"the session ended without {wanted}: {ended.reason}"
            )
        return found

    async def closed(
        self, *, deadline_s: float | None = None, what: str = "the end of the session"
    ) -> Ended:
        """Wait until the session has ended, in whatever way.

        Raises:
            DeadlineError: It did not end in time.
        """
        __tracebackhide__ = True
        return await self.until(lambda: self.ended, what, deadline_s)

    def _standstill(self) -> str:
        """What has not come that a session begins with."""
        if self.remote_open is None:
            return "the other side has sent no OPEN"
        return "the other side has sent no KEEPALIVE after its OPEN (RFC 4271 8.2.2)"

    def _held(self) -> str:
        if not self.routes:
            return "no routes"
        some = ", ".join(list(self.routes)[:8])
        others = "one other" if len(self.routes) == 1 else f"{len(self.routes)} others"
        return f"{others}: {some}{', ...' if len(self.routes) > 8 else ''}"  # noqa: PLR2004
