"""What the configuration says of a peer's routes, in the routing's terms."""

from math import inf

from reflector.config.model import PeerSettings
from reflector.rib.intake import Intake
from reflector.rib.maximum import MaximumPrefix


def intake(settings: PeerSettings) -> Intake:
    """What becomes of a peer's routes on their way in."""
    said = settings.maximum_prefix
    return Intake(
        accept_default=settings.accept_default,
        graceful_shutdown=settings.graceful_shutdown,
        maximum=MaximumPrefix(
            said.limit, said.limit * said.warn_at_percent // 100, said.action == "warn"
        ),
    )


def hold_down_s(settings: PeerSettings) -> float:
    """How long a peer that had too many prefixes is kept out, in seconds."""
    said = settings.maximum_prefix
    return said.restart_after_s if said.action == "restart" else inf
