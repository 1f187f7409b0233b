"""NOTIFICATION messages (RFC 4271 4.5), their shutdown text (RFC 9003) and hard resets (RFC 8538)."""

from dataclasses import dataclass
from typing import Final

from reflector.bgp.codec import notification_name
from reflector.bgp.limits import HEADER_BYTES, MAX_MESSAGE_BYTES
from reflector.bgp.message import frame
from reflector.bgp.vocabulary import CeaseSubcode, ErrorCode, MessageType

_WITH_TEXT = (CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, CeaseSubcode.ADMINISTRATIVE_RESET)
_MAX_BODY_BYTES: Final = MAX_MESSAGE_BYTES - HEADER_BYTES
_MAX_TEXT_BYTES: Final = 255
_HARD_RESET: Final = bytes((ErrorCode.CEASE, CeaseSubcode.HARD_RESET))
_LEAST_HARD_RESET_BYTES: Final = len(_HARD_RESET) + 2
# Ends of a session that somebody wants, or that its routes don't outlive (RFC 8538 5.1 advises on each).
_FINAL: Final = frozenset(
    {
        CeaseSubcode.MAXIMUM_PREFIXES_REACHED,
        CeaseSubcode.ADMINISTRATIVE_SHUTDOWN,
        CeaseSubcode.PEER_DE_CONFIGURED,
        CeaseSubcode.ADMINISTRATIVE_RESET,
        CeaseSubcode.OTHER_CONFIGURATION_CHANGE,
    }
)


@dataclass(frozen=True, slots=True)
class Notification:
    """A NOTIFICATION, ours or the peer's.

    Args:
        code: Its error code.
        subcode: Its error subcode.
        data: What is said beside.
        encapsulated: Whether all this stands in a Hard Reset, as its reason (RFC 8538 3.1).
    """

    code: int
    subcode: int
    data: bytes = b""
    encapsulated: bool = False

    @property
    def name(self) -> str:
        """As the RFCs name it, "Cease / Administrative Shutdown"."""
        name = notification_name(self.code, self.subcode)
        return f"{name} (Hard Reset)" if self.encapsulated else name

    @property
    def hard(self) -> bool:
        """Whether it is a Hard Reset: nothing outlives the session (RFC 8538 3)."""
        return self.encapsulated or (self.code, self.subcode) == tuple(_HARD_RESET)

    @property
    def final(self) -> bool:
        """Whether it ends a session for good, of the reasons that we have."""
        return self.code == ErrorCode.CEASE and self.subcode in _FINAL

    @property
    def text(self) -> str:
        """The shutdown communication (RFC 9003 2), printable, empty where there is none."""
        if self.code != ErrorCode.CEASE or self.subcode not in _WITH_TEXT or not self.data:
            return ""
        words = self.data[1 : 1 + self.data[0]].decode("utf-8", "replace")
        return "".join(c if c.isprintable() else " " for c in words)

    def encode(self) -> bytes:
        """The whole message, header included; data that outgrows it is cut (RFC 8654 5)."""
        said = bytes((self.code, self.subcode)) + self.data
        if self.encapsulated:
            said = _HARD_RESET + said
        return frame(MessageType.NOTIFICATION, said[:_MAX_BODY_BYTES])

    @classmethod
    def decode(cls, body: bytes) -> "Notification":
        """From the body of a message; framing made sure of the two octets.

        A Hard Reset holds the code, the subcode and the data of its reason (RFC 8538 3.1); one that
        lacks them stands for itself.
        """
        if body[:2] == _HARD_RESET and len(body) >= _LEAST_HARD_RESET_BYTES:
            return cls(body[2], body[3], body[4:], encapsulated=True)
        return cls(body[0], body[1], body[2:])

    @classmethod
    def shutdown(
        cls, text: str, subcode: int = CeaseSubcode.ADMINISTRATIVE_SHUTDOWN
    ) -> "Notification":
        """Cease, with a text for the other side's operator (RFC 9003)."""
        words = text.encode()
        while len(words) > _MAX_TEXT_BYTES:
            text = text[:-1]
            words = text.encode()
        return cls(ErrorCode.CEASE, subcode, bytes((len(words),)) + words)
