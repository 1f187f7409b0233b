"""A class that is exposed to whatever one peer says, from its first octet on.

The hostile peer's bytes go through a real session into the speaker that serves the others. What
must hold whatever they are is asserted here, for hypothesis and for the fuzzer alike: bytes give
events or a NOTIFICATION and nothing else, and a healthy pair keeps exchanging routes.
"""

from __future__ import annotations

from reflector.bgp.errors import SessionError
from reflector.bgp.events import Closed, Established, Event, RefreshReceived, UpdatesReceived
from tests.support import wire
from tests.support.classroom import Classroom, Student
from tests.support.talk import Talk

HEALTHY = "198.51.100.0/24"
HEALTHY6 = "2001:db8:100::/48"


class Exposed:
    """A class of healthy peers, and one that says what it likes.

    Attributes:
        classroom: The others.
        talk: The hostile peer's session.
    """

    def __init__(self) -> None:
        self.classroom = Classroom()
        self.talk = Talk()
        self.healthy = self.classroom.join("healthy", "10.0.0.1")
        self.others = [
            self.classroom.join("other", "10.0.0.2"),
            self.classroom.join("old", "10.0.0.3", as4=False),
            self.classroom.join("non-client", "10.0.0.4", client=False),
        ]
        self._hostile: Student | None = None
        self._version = 0

    def hear(self, data: bytes) -> None:
        """The hostile peer says something; what it does to the others is asserted."""
        for event in self.talk.hear(data):
            self._take(event)

    def check(self) -> None:
        """The healthy pair still exchanges routes, and nothing else is amiss."""
        self._version += 1
        # Best of all, whatever the hostile peer says of the same prefixes.
        preferred = wire.local_pref(0xFFFFFFFF - 1_000_000 + self._version)
        self.classroom.send(
            self.healthy,
            wire.announce(HEALTHY, attributes=wire.usual(local_pref=preferred)),
            wire.announce6(HEALTHY6, attributes=wire.usual(next_hop=b"", local_pref=preferred)),
        )
        for other in self.others:
            assert HEALTHY in other.prefixes
            assert HEALTHY6 in other.prefixes
        assert all(finding.reason.isprintable() for _, finding in self.classroom.findings)

    def end(self) -> None:
        """The hostile peer is gone: so is all that it said."""
        for event in self.talk.session.receive_eof():
            self._take(event)
        assert self.talk.session.over
        self.check()
        for other in self.others:
            assert other.prefixes == {HEALTHY, HEALTHY6}

    def _take(self, event: Event) -> None:
        match event:
            case Established(negotiated):
                self._hostile = self.classroom.join(
                    "hostile",
                    "10.0.0.66",
                    router_id=str(negotiated.remote.bgp_id),
                    families=" ".join(family.name for family in negotiated.families),
                    as4=negotiated.as4,
                )
            case UpdatesReceived(bodies) if self._hostile is not None:
                try:
                    for body in bodies:
                        self.classroom.send(self._hostile, body)
                except SessionError as error:
                    self._take(self.talk.session.fail(error))
            case RefreshReceived(afi, safi) if self._hostile is not None:
                self.classroom.speaker.receive_refresh(self._hostile.peer, afi, safi)
                self.classroom.turn()
            case Closed(reason):
                assert reason.isprintable()
                if self._hostile is not None:
                    self.classroom.leave(self._hostile)
                    self._hostile = None
            case _:
                pass
