"""NOTIFICATION messages (RFC 4271 4.5) and their shutdown text (RFC 9003)."""

from dataclasses import dataclass
from typing import Final

from reflector.bgp.codec import notification_name
from reflector.bgp.limits import HEADER_BYTES, MAX_MESSAGE_BYTES
from reflector.bgp.message import frame
from reflector.bgp.vocabulary import CeaseSubcode, ErrorCode, MessageType

_WITH_TEXT = (CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, CeaseSubcode.ADMINISTRATIVE_RESET)
# What is left of a message behind header, code and subcode.
_MAX_DATA_BYTES: Final = MAX_MESSAGE_BYTES - HEADER_BYTES - 2
_MAX_TEXT_BYTES: Final = 255


@dataclass(frozen=True, slots=True)
class Notification:
    """A NOTIFICATION, ours or the peer's."""

    code: int
    subcode: int
    data: bytes = b""

    @property
    def name(self) -> str:
        """As the RFCs name it, "Cease / Administrative Shutdown"."""
        return notification_name(self.code, self.subcode)

    @property
    def text(self) -> str:
        """The shutdown communication (RFC 9003 2), printable, empty where there is none."""
        if self.code != ErrorCode.CEASE or self.subcode not in _WITH_TEXT or not self.data:
            return ""
        words = self.data[1 : 1 + self.data[0]].decode("utf-8", "replace")
        return "".join(c if c.isprintable() else " " for c in words)

    def encode(self) -> bytes:
        """The whole message, header included; data that outgrows it is cut (RFC 8654 5)."""
        data = self.data[:_MAX_DATA_BYTES]
        return frame(MessageType.NOTIFICATION, bytes((self.code, self.subcode)) + data)

    @classmethod
    def decode(cls, body: bytes) -> "Notification":
        """From the body of a message; framing made sure of the two octets."""
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
