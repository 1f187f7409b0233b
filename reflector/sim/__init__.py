"""Simulated BGP peers, to test any BGP speaker with.

    from reflector import sim

    async with (
        sim.connect("127.0.0.1", 1790, source="127.0.0.2") as one,
        sim.connect("127.0.0.1", 1790, source="127.0.0.3") as two,
    ):
        await one.announce("10.1.0.0/24", communities=["64512:1"])
        route = await two.route("10.1.0.0/24")
        assert route.communities == ("64512:1",)
        await one.withdraw("10.1.0.0/24")
        await two.no_route("10.1.0.0/24")

docs/testing-bgp-speakers.md teaches it. The session is `reflector.bgp.session`, the one that the
reflector itself uses; what is sent and received besides is not corrected, and `Peer.faults` names what is
malformed.
"""

from reflector.sim import capability
from reflector.sim.blocking import Blocking, BlockingListener, BlockingPeer
from reflector.sim.connect import Listener, connect, listen
from reflector.sim.errors import (
    ConnectError,
    DeadlineError,
    SessionOverError,
    SimError,
    UnexpectedError,
)
from reflector.sim.history import History, Message, Note
from reflector.sim.kube_router import kube_router
from reflector.sim.link import Ended
from reflector.sim.peer import Peer
from reflector.sim.profile import Profile, Settings
from reflector.sim.route import Attributes, RawAttribute, Route
from reflector.sim.running import RunningReflector, free_port, wait_until_listening

__all__ = [
    "Attributes",
    "Blocking",
    "BlockingListener",
    "BlockingPeer",
    "ConnectError",
    "DeadlineError",
    "Ended",
    "History",
    "Listener",
    "Message",
    "Note",
    "Peer",
    "Profile",
    "RawAttribute",
    "Route",
    "RunningReflector",
    "SessionOverError",
    "Settings",
    "SimError",
    "UnexpectedError",
    "capability",
    "connect",
    "free_port",
    "kube_router",
    "listen",
    "wait_until_listening",
]
