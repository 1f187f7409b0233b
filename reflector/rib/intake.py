"""What becomes of a peer's routes on their way in, by its settings."""

from dataclasses import dataclass
from typing import Final

from reflector.rib.maximum import MaximumPrefix
from reflector.rib.policy import Policy

_USUAL_MAXIMUM: Final = MaximumPrefix()


@dataclass(frozen=True, slots=True)
class Intake:
    """How the routes of a peer are taken.

    Args:
        accept_default: Use a default route. One is rarely meant: it would lead the traffic of the
            whole class to the node that announced it.
        graceful_shutdown: Give routes with GRACEFUL_SHUTDOWN the LOCAL_PREF 0 (RFC 8326 4.1).
        maximum: How many prefixes it may have.
        policy: Which of its routes are used, None for all.
    """

    accept_default: bool = False
    graceful_shutdown: bool = True
    maximum: MaximumPrefix = _USUAL_MAXIMUM
    policy: Policy | None = None


USUAL_INTAKE: Final = Intake()
