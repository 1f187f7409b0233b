"""The mistakes that students make, to be planted in a rehearsal."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Mistake:
    """A mistake, which one cluster makes on all of its nodes.

    Args:
        name: As `--mistake` takes it.
        done: What the student did.
        seen: What comes of it.
        settings: What of the nodes' profile it changes.
        refused: The NOTIFICATION that ends the sessions: code and subcode, None where they come up.
        sent: Whether it is the node that sends the NOTIFICATION.
        shares: Whether the others learn the nodes' pod subnets; None where they come and go.
    """

    name: str
    done: str
    seen: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    refused: tuple[int, int] | None = None
    sent: bool = False
    shares: bool | None = True


_ALL: Final = (
    Mistake(
        "wrong-asn",
        "kube-router has another --cluster-asn",
        "the reflector refuses it: Bad Peer AS",
        refused=(2, 2),
        shares=False,
    ),
    Mistake(
        "wrong-peer-asn",
        "kube-router has another --peer-router-asns",
        "kube-router refuses the reflector: Bad Peer AS",
        refused=(2, 2),
        sent=True,
        shares=False,
    ),
    Mistake(
        "duplicate-cidr",
        "the cluster has the pod CIDR of its neighbour",
        "sessions are up, and pods of one of the two can't be reached",
    ),
    Mistake(
        "duplicate-router-id",
        "the cluster's nodes have the router ids of its neighbour's",
        "sessions are up, and the two clusters don't learn each other's routes",
    ),
    Mistake(
        "no-routes",
        "the nodes have no pod CIDR, or --advertise-pod-cidr=false",
        "sessions are up and announce nothing",
    ),
    Mistake(
        "bad-next-hop",
        "the nodes announce their pods with 127.0.0.1 as next hop",
        "sessions are up, and the reflector does not pass the routes on",
        shares=False,
    ),
    Mistake(
        "default-route",
        "the nodes announce 0.0.0.0/0 besides their pods",
        "sessions are up, and bgp-reflector passes the pods on but not the default route",
    ),
    Mistake(
        "hold-timer",
        "kube-router proposes a hold time of one second",
        "the reflector refuses it: Unacceptable Hold Time",
        settings={"hold_time_s": 1},
        refused=(2, 6),
        shares=False,
    ),
    Mistake(
        "silent",
        "the nodes hang: connections stay, and nothing comes any more",
        "the reflector gives them up after their hold time, nine seconds here",
        settings={"hold_time_s": 9},
        refused=(4, 0),
        shares=None,
    ),
    Mistake(
        "flapping",
        "the nodes lose their connection every few seconds and come back",
        "their routes come and go",
        shares=None,
    ),
    Mistake(
        "stalled",
        "the nodes stop reading, and still send KEEPALIVEs",
        "sessions stay up; nobody else is slowed down",
    ),
    Mistake(
        "no-bgp",
        "something that speaks HTTP dials the reflector",
        "the reflector refuses it: Connection Not Synchronized",
        refused=(1, 1),
        shares=False,
    ),
)
MISTAKES: Final = {mistake.name: mistake for mistake in _ALL}
