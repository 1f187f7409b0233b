"""What a presenter may do to the class: the orders, and who carries them out."""

from collections.abc import Mapping
from typing import Protocol

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


def state(controls: Controls) -> dict[str, object]:
    """What is done to the class at the moment."""
    return {
        "disconnected": sorted(map(str, controls.disconnected)),
        "own_routes_hidden": controls.hidden,
    }
