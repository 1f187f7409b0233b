"""The field's names for the numbers on the wire.

Plain integers, not enums, where the reflecting path compares them: an enum member costs a
conversion for each message. Sources: the IANA BGP registries and the RFC named at each group.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Final

BGP_VERSION: Final = 4
BGP_PORT: Final = 179

# RFC 6793: what a speaker that knows only 2-octet AS numbers is told in the place of a larger one.
AS_TRANS: Final = 23456


class MessageType:
    """RFC 4271 4.1, RFC 2918 3."""

    OPEN: Final = 1
    UPDATE: Final = 2
    NOTIFICATION: Final = 3
    KEEPALIVE: Final = 4
    ROUTE_REFRESH: Final = 5


class AttributeCode:
    """Path attribute type codes that the reflector reads or writes."""

    ORIGIN: Final = 1
    AS_PATH: Final = 2
    NEXT_HOP: Final = 3
    MULTI_EXIT_DISC: Final = 4
    LOCAL_PREF: Final = 5
    ATOMIC_AGGREGATE: Final = 6
    AGGREGATOR: Final = 7
    COMMUNITIES: Final = 8
    ORIGINATOR_ID: Final = 9
    CLUSTER_LIST: Final = 10
    MP_REACH_NLRI: Final = 14
    MP_UNREACH_NLRI: Final = 15
    EXTENDED_COMMUNITIES: Final = 16
    IPV6_EXTENDED_COMMUNITIES: Final = 25
    AS4_PATH: Final = 17
    AS4_AGGREGATOR: Final = 18
    LARGE_COMMUNITIES: Final = 32


class AttributeFlag:
    """RFC 4271 4.3: the high bits of the Attribute Flags octet."""

    OPTIONAL: Final = 0x80
    TRANSITIVE: Final = 0x40
    PARTIAL: Final = 0x20
    EXTENDED_LENGTH: Final = 0x10


class SegmentType:
    """RFC 4271 4.3 b and RFC 5065 3: AS_PATH segment types."""

    AS_SET: Final = 1
    AS_SEQUENCE: Final = 2


class AddPath:
    """RFC 7911 4: in which directions a speaker can carry several paths of a prefix, as bits."""

    RECEIVE: Final = 1
    SEND: Final = 2
    BOTH: Final = RECEIVE | SEND


class Community:
    """RFC 1997, RFC 8326 3, RFC 9494 3: well-known communities that the reflector heeds."""

    GRACEFUL_SHUTDOWN: Final = b"\xff\xff\0\0"
    LLGR_STALE: Final = b"\xff\xff\0\6"
    NO_LLGR: Final = b"\xff\xff\0\7"
    NO_EXPORT: Final = b"\xff\xff\xff\x01"
    NO_ADVERTISE: Final = b"\xff\xff\xff\x02"
    NO_EXPORT_SUBCONFED: Final = b"\xff\xff\xff\x03"


# By the names that they are shown by and read by (RFC 1997, RFC 3765, RFC 7999, RFC 8326, RFC 9494).
WELL_KNOWN_COMMUNITIES: Final = {
    "graceful-shutdown": Community.GRACEFUL_SHUTDOWN,
    "llgr-stale": Community.LLGR_STALE,
    "no-llgr": Community.NO_LLGR,
    "blackhole": b"\xff\xff\x02\x9a",
    "no-export": Community.NO_EXPORT,
    "no-advertise": Community.NO_ADVERTISE,
    "no-export-subconfed": Community.NO_EXPORT_SUBCONFED,
    "no-peer": b"\xff\xff\xff\x04",
}


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """An address family, as MP-BGP names it (RFC 4760).

    There is one object for each, compared and hashed by identity: they are keys on the reflecting
    path.
    """

    afi: int
    safi: int
    name: str
    max_prefix_bits: int

    def __str__(self) -> str:
        return self.name


IPV4_UNICAST: Final = Family(1, 1, "ipv4", 32)
IPV6_UNICAST: Final = Family(2, 1, "ipv6", 128)
FAMILIES: Final = {(f.afi, f.safi): f for f in (IPV4_UNICAST, IPV6_UNICAST)}
FAMILY_BY_NAME: Final = {f.name: f for f in FAMILIES.values()}


class State(Enum):
    """RFC 4271 8.2.2: the states that a session with a connection can be in."""

    CONNECT = "Connect"
    OPEN_SENT = "OpenSent"
    OPEN_CONFIRM = "OpenConfirm"
    ESTABLISHED = "Established"
    IDLE = "Idle"


class ErrorCode(IntEnum):
    """RFC 4271 4.5, RFC 7313 5, RFC 9687 3: NOTIFICATION error codes."""

    MESSAGE_HEADER = 1
    OPEN_MESSAGE = 2
    UPDATE_MESSAGE = 3
    HOLD_TIMER_EXPIRED = 4
    FINITE_STATE_MACHINE = 5
    CEASE = 6
    ROUTE_REFRESH = 7
    SEND_HOLD_TIMER_EXPIRED = 8


class HeaderSubcode(IntEnum):
    """RFC 4271 6.1."""

    CONNECTION_NOT_SYNCHRONIZED = 1
    BAD_MESSAGE_LENGTH = 2
    BAD_MESSAGE_TYPE = 3


class OpenSubcode(IntEnum):
    """RFC 4271 6.2, RFC 5492 5."""

    UNSPECIFIC = 0
    UNSUPPORTED_VERSION_NUMBER = 1
    BAD_PEER_AS = 2
    BAD_BGP_IDENTIFIER = 3
    UNSUPPORTED_OPTIONAL_PARAMETER = 4
    UNACCEPTABLE_HOLD_TIME = 6
    UNSUPPORTED_CAPABILITY = 7


class UpdateSubcode(IntEnum):
    """RFC 4271 6.3."""

    MALFORMED_ATTRIBUTE_LIST = 1
    UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE = 2
    ATTRIBUTE_FLAGS_ERROR = 4
    ATTRIBUTE_LENGTH_ERROR = 5
    INVALID_ORIGIN = 6
    OPTIONAL_ATTRIBUTE_ERROR = 9
    INVALID_NETWORK_FIELD = 10
    MALFORMED_AS_PATH = 11


class FsmSubcode(IntEnum):
    """RFC 6608 3."""

    UNEXPECTED_IN_OPEN_SENT = 1
    UNEXPECTED_IN_OPEN_CONFIRM = 2
    UNEXPECTED_IN_ESTABLISHED = 3


class CeaseSubcode(IntEnum):
    """RFC 4486 4, RFC 8538 3."""

    MAXIMUM_PREFIXES_REACHED = 1
    ADMINISTRATIVE_SHUTDOWN = 2
    PEER_DE_CONFIGURED = 3
    ADMINISTRATIVE_RESET = 4
    CONNECTION_REJECTED = 5
    OTHER_CONFIGURATION_CHANGE = 6
    CONNECTION_COLLISION_RESOLUTION = 7
    OUT_OF_RESOURCES = 8
    HARD_RESET = 9


class RefreshSubtype:
    """RFC 7313 3.2: the octet that RFC 2918 reserved in a ROUTE-REFRESH."""

    REQUEST: Final = 0
    BEGIN: Final = 1
    END: Final = 2
