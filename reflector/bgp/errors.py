"""The vocabulary of what can go wrong, by what it costs.

`SessionError` costs the session: it carries the NOTIFICATION to send. A malformed path attribute
is no exception but a `Finding`: it costs the route (treat-as-withdraw) or only the attribute
(attribute discard), RFC 7606 2. What the operator got wrong is a `ConfigError` of
`reflector.config`.
"""

from dataclasses import dataclass
from enum import IntEnum

from reflector.bgp.vocabulary import ErrorCode, UpdateSubcode


class SessionError(Exception):
    """The session must end with a NOTIFICATION (RFC 4271 6).

    Args:
        code: NOTIFICATION error code.
        subcode: NOTIFICATION error subcode, 0 where the code has none.
        reason: What was wrong, in words for the operator.
        data: The NOTIFICATION's Data field, as the RFC demands for this subcode.
    """

    def __init__(self, code: ErrorCode, subcode: int, reason: str, data: bytes = b"") -> None:
        super().__init__(reason)
        self.code = code
        self.subcode = subcode
        self.reason = reason
        self.data = data


class Action(IntEnum):
    """What an attribute costs its UPDATE, weakest first.

    NOTE: nothing, and yet somebody should know. DISCARD: the attribute only (RFC 7606 2, attribute discard). EXCLUDE: the routes, though they
    are well-formed, because using them would make a loop (RFC 4271 9.1.2, RFC 4456 8). WITHDRAW:
    the routes, because the attribute is malformed (RFC 7606 2, treat-as-withdraw).
    """

    NOTE = 0
    DISCARD = 1
    EXCLUDE = 2
    WITHDRAW = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with an UPDATE that does not cost the session.

    Args:
        action: What it costs.
        reason: What was wrong, in words, with the clause.
        subcode: What RFC 4271 6.3 calls it, said where it costs the session after all.
        attribute: The type code of the attribute that is said with it, 0 for none.
    """

    action: Action
    reason: str
    subcode: UpdateSubcode = UpdateSubcode.MALFORMED_ATTRIBUTE_LIST
    attribute: int = 0
