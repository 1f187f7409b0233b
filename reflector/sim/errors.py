"""What a simulated peer can report. Every message ends with the peer's whole history."""

from reflector.sim.history import History


class SimError(Exception):
    """Anything that `reflector.sim` raises.

    Args:
        reason: What went wrong, in one sentence.
        history: Everything that the peer has sent, received and done.
    """

    def __init__(self, reason: str, history: History | None = None) -> None:
        super().__init__(reason if history is None else f"{reason}\n\n{history}")
        self.reason = reason
        self.history = history


class ConnectError(SimError):
    """There is no TCP connection: the message says what the system said and what to check."""


class DeadlineError(SimError, AssertionError):
    """What was waited for did not happen in time."""


class SessionOverError(SimError, AssertionError):
    """The session ended, so that what was waited for can't happen any more."""


class UnexpectedError(SimError, AssertionError):
    """Something happened that is not what was waited for, or that must not be."""
