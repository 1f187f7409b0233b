"""What a presenter may do to the class: the orders, and who carries them out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from reflector.bgp.nlri import IPNetwork
from reflector.rib.returning import Returning
from reflector.rib.source import IPAddress


class OrderRefused(Exception):  # noqa: N818 - the order's fault, not ours
    """An order can't be carried out; the message says why.

    Attributes:
        status: Of HTTP.
    """

    status = 409


class NothingThere(OrderRefused):
    """There is no such peer or cluster."""

    status = 404


class Controls(Protocol):
    """What a presenter may do. Each order says what it has done, in words."""

    @property
    def disconnected(self) -> Mapping[IPNetwork, frozenset[Returning]]:
        """The clusters that are disconnected from the others, with their nodes."""

    @property
    def hidden(self) -> bool:
        """Whether our own routes are hidden."""

    def may(self, address: IPAddress | None) -> bool:
        """Whether somebody may give orders: by address, None for the control socket."""

    def disconnect(self, cluster: IPNetwork, by: str) -> str:
        """Keep a cluster apart from the others."""

    def connect(self, cluster: IPNetwork, by: str) -> str:
        """End that."""

    def clear(self, address: IPAddress, by: str) -> str:
        """End the sessions with an address; they come back."""

    def refresh(self, address: IPAddress, direction: str, by: str) -> str:
        """Ask a peer for its routes again, send it ours again, or both."""

    def hide(self, by: str, *, hidden: bool) -> str:
        """Hide our own routes, or show them again."""


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the API.

    Args:
        says: What it does.
        body: Its keys with what they hold.
        parameters: What the path names.
    """

    says: str
    body: Mapping[str, str]
    parameters: tuple[str, ...] = ()


ORDERS: Final[dict[str, Order]] = {
    "/api/v1/clusters/disconnect": Order(
        "Keep a cluster apart: what leads to it or out of it is withdrawn, sessions stay up",
        {"cluster": "its network, such as 10.1.0.0/16"},
    ),
    "/api/v1/clusters/connect": Order(
        "End that", {"cluster": "its network, as it was disconnected"}
    ),
    "/api/v1/neighbors/{address}/clear": Order(
        "End the sessions with an address (Cease/Administrative Reset); they come back",
        {},
        ("address",),
    ),
    "/api/v1/neighbors/{address}/refresh": Order(
        "Ask a peer for its routes again (RFC 2918), send it ours again, or both",
        {"direction": "in, out or both"},
        ("address",),
    ),
    "/api/v1/own-routes": Order(
        "Hide the reflector's own routes, 1.0.0.2/32 unless configured otherwise, or show them",
        {"hidden": "true or false"},
    ),
}


def state(controls: Controls) -> dict[str, object]:
    """What is done to the class at the moment."""
    return {
        "disconnected": sorted(map(str, controls.disconnected)),
        "own_routes_hidden": controls.hidden,
    }
