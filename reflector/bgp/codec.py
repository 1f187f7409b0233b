"""ExaBGP as a library: the only module that imports it.

ExaBGP decodes and encodes OPEN with its capabilities and ROUTE-REFRESH, names the NOTIFICATIONs
and renders path attributes for people. Everything of it is turned into our own types and errors
here, because it ships no type hints, raises what it likes on odd input, reads `exabgp_*` from the
environment and logs by itself. The reflecting path does not come through here: `attributes`
judges bytes, and ExaBGP's class-wide attribute caches would grow with every distinct value.
"""

import json
import os
from collections.abc import Iterator
from functools import cache, lru_cache
from ipaddress import IPv4Address
from typing import Any, Final

from reflector.bgp.errors import SessionError
from reflector.bgp.message import frame
from reflector.bgp.open import Capabilities, GracefulRestart, LongLived, Negotiated, Open
from reflector.bgp.vocabulary import (
    BGP_VERSION,
    AddPath,
    ErrorCode,
    Family,
    HeaderSubcode,
    MessageType,
    OpenSubcode,
)

# A stray variable of an ExaBGP daemon on the same machine can make its environment raise.
_FOREIGN = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("exabgp")}

from exabgp.bgp.message.notification import Notification, Notify  # noqa: E402
from exabgp.bgp.message.open import Open as ExaOpen  # noqa: E402
from exabgp.bgp.message.open.asn import ASN  # noqa: E402
from exabgp.bgp.message.open.capability.addpath import AddPath as ExaAddPath  # noqa: E402
from exabgp.bgp.message.open.capability.asn4 import ASN4  # noqa: E402
from exabgp.bgp.message.open.capability.capabilities import Capabilities as ExaCaps  # noqa: E402
from exabgp.bgp.message.open.capability.capability import Capability  # noqa: E402
from exabgp.bgp.message.open.capability.extended import ExtendedMessage  # noqa: E402
from exabgp.bgp.message.open.capability.graceful import Graceful  # noqa: E402
from exabgp.bgp.message.open.capability.hostname import HostName  # noqa: E402
from exabgp.bgp.message.open.capability.mp import MultiProtocol  # noqa: E402
from exabgp.bgp.message.open.capability.refresh import (  # noqa: E402
    EnhancedRouteRefresh,
    RouteRefresh,
)
from exabgp.bgp.message.open.capability.software import Software  # noqa: E402
from exabgp.bgp.message.open.holdtime import HoldTime  # noqa: E402
from exabgp.bgp.message.open.routerid import RouterID  # noqa: E402
from exabgp.bgp.message.open.version import Version  # noqa: E402
from exabgp.bgp.message.refresh import RouteRefresh as ExaRefresh  # noqa: E402
from exabgp.logger import log  # noqa: E402
from exabgp.protocol.family import AFI, SAFI  # noqa: E402

os.environ.update(_FOREIGN)
log.disable()

_CODE = Capability.CODE

# OPENs whose coding is remembered.
_REMEMBERED: Final = 256
_OPTIONAL_CAPABILITIES: Final = 2
_EXTENDED: Final = 255

# RFC 8538 2: the N bit, beside the R bit.
_NOTIFICATION_STATE: Final = 0x04

# RFC 9494 3, which ExaBGP doesn't know: AFI, SAFI, flags and 24 bits of seconds for each family.
_LONG_LIVED: Final = 71
_LONG_LIVED_ENTRY_BYTES: Final = 7
_LONG_LIVED_FORWARDING: Final = 0x80

# What a peer may say of itself without its session depending on it.
_INFORMATIONAL: Final = frozenset({int(_CODE.HOSTNAME), int(_CODE.SOFTWARE_VERSION)})

# What the session can't do without understanding.
_SHAPING: Final = frozenset({int(_CODE.MULTIPROTOCOL), int(_CODE.FOUR_BYTES_ASN)})


@lru_cache(maxsize=_REMEMBERED)
def encode_open(message: Open) -> bytes:
    """Encode an OPEN, header included. Peers are mostly sent the same one.

    Args:
        message: What to say. `my_as` is sent as AS_TRANS where it needs four octets.
    """
    ours = message.capabilities
    capabilities = ExaCaps()
    if ours.families is not None:
        families = MultiProtocol()
        families.extend((AFI.create(afi), SAFI.create(safi)) for afi, safi in sorted(ours.families))
        capabilities[_CODE.MULTIPROTOCOL] = families
    if ours.route_refresh:
        capabilities[_CODE.ROUTE_REFRESH] = RouteRefresh()
    if ours.as4 is not None:
        capabilities[_CODE.FOUR_BYTES_ASN] = ASN4(ours.as4)
    if ours.enhanced_refresh:
        capabilities[_CODE.ENHANCED_ROUTE_REFRESH] = EnhancedRouteRefresh()
    capabilities.update(_offer_restarts(ours))
    if ours.extended_messages:
        capabilities[_CODE.EXTENDED_MESSAGE] = ExtendedMessage()
    if ours.add_path:
        capabilities[_CODE.ADD_PATH] = _offer_add_path(ours.add_path)
    if ours.host_name:
        capabilities[_CODE.HOSTNAME] = HostName(ours.host_name, "")
    if ours.software_version:
        software = Software()
        software.software_version = ours.software_version
        capabilities[_CODE.SOFTWARE_VERSION] = software
    wire = ExaOpen(
        Version(message.version),
        ASN(message.my_as),
        HoldTime(message.hold_time_s),
        RouterID(str(message.bgp_id)),
        capabilities,
    ).message()
    return bytes(wire)


def _offer_add_path(offered: tuple[tuple[int, int, int], ...]) -> ExaAddPath:
    capability = ExaAddPath()
    for afi, safi, directions in offered:
        capability.add_path(AFI.create(afi), SAFI.create(safi), directions)
    return capability


def decode_open(body: bytes) -> Open:
    """Decode the body of an OPEN.

    Args:
        body: What follows the header; at least 10 octets, which framing made sure of.

    Returns:
        The message. Whether we can live with it is `negotiate`'s to say.

    Raises:
        SessionError: RFC 4271 6.2 on a wrong version or malformed optional parameters.
    """
    if body[0] != BGP_VERSION:
        raise SessionError(
            ErrorCode.OPEN_MESSAGE,
            OpenSubcode.UNSUPPORTED_VERSION_NUMBER,
            f"the peer speaks BGP version {body[0]}, we speak 4",
            BGP_VERSION.to_bytes(2),
        )
    return Open(
        my_as=int.from_bytes(body[1:3]),
        hold_time_s=int.from_bytes(body[3:5]),
        bgp_id=IPv4Address(body[5:9]),
        capabilities=_decode_capabilities(body[9:]),
    )


def _optional_parameters(field: bytes) -> list[tuple[int, bytes]]:
    """Split the Optional Parameters into (type, value), RFC 9072's long form included."""
    length, field = field[0], field[1:]
    width = 1
    # RFC 9072 2: a parameter *type* of 255 says that lengths have two octets; the one-octet
    # length before it should be 255 but must not be relied on beyond being non-zero.
    if length and field[:1] == bytes((_EXTENDED,)):
        if len(field) < 3:  # noqa: PLR2004 - type and two octets of length
            raise _malformed("the extended length of the optional parameters is cut off")
        length, field, width = int.from_bytes(field[1:3]), field[3:], 2
    if length != len(field):
        raise _malformed(f"optional parameters of {length} octets, {len(field)} present")
    parameters = []
    while field:
        size = int.from_bytes(field[1 : 1 + width])
        value, rest = field[1 + width : 1 + width + size], field[1 + width + size :]
        if len(field) < 1 + width or len(value) != size:
            raise _malformed("an optional parameter runs past the end of the OPEN")
        if field[0] != _OPTIONAL_CAPABILITIES:
            raise SessionError(
                ErrorCode.OPEN_MESSAGE,
                OpenSubcode.UNSUPPORTED_OPTIONAL_PARAMETER,
                f"the peer's OPEN holds an optional parameter of type {field[0]}",
            )
        parameters.append((field[0], value))
        field = rest
    return parameters


@lru_cache(maxsize=_REMEMBERED)
def _decode_capabilities(field: bytes) -> Capabilities:
    """Decode the Optional Parameters. A class's nodes mostly send the same, and it takes 0.1 ms."""
    found: dict[int, Any] = ExaCaps()
    codes: list[int] = []
    for code, data in split_capabilities(field):
        try:
            if code == _CODE.MULTIPROTOCOL and len(data) != 4:  # noqa: PLR2004 - RFC 4760 8
                raise ValueError(f"{len(data)} octets instead of 4")  # noqa: TRY301 - see below
            if code == _CODE.GRACEFUL_RESTART:
                # RFC 4724 3: "ignore all but the last instance"; ExaBGP joins their families.
                found.pop(code, None)
            # ExaBGP fills an empty host name with our own.
            if data or code not in _INFORMATIONAL:
                found[code] = Capability.unpack(code, found, data)
        except Exception as error:  # ExaBGP raises IndexError, struct.error, Notify and more
            # RFC 5492 4: a capability that we don't use is ignored; one that shapes the session
            # can't be guessed at.
            if code in _SHAPING:
                raise _malformed(f"capability {code} is malformed: {_words(error)}") from error
            found.pop(code, None)
        codes.append(code)
    return _capabilities(found, tuple(codes))


def split_capabilities(field: bytes) -> Iterator[tuple[int, bytes]]:
    """Cut the Optional Parameters of an OPEN, their length first, into capabilities (RFC 5492 4).

    Yields:
        Code and value, in the order of arrival.

    Raises:
        SessionError: 2/0 where something runs past its end, 2/4 on a parameter of another type.
    """
    for _, value in _optional_parameters(field):
        while value:
            size = value[1] if len(value) > 1 else 0
            code, data, rest = value[0], value[2 : 2 + size], value[2 + size :]
            if len(value) < 2 + size:
                raise _malformed(f"capability {code} runs past the end of its parameter")
            yield code, data
            value = rest  # noqa: PLW2901 - the loop eats its value


def _capabilities(found: dict[int, Any], codes: tuple[int, ...]) -> Capabilities:
    families = found.get(_CODE.MULTIPROTOCOL)
    as4 = found.get(_CODE.FOUR_BYTES_ASN)
    graceful = found.get(_CODE.GRACEFUL_RESTART)
    host = found.get(_CODE.HOSTNAME)
    software = found.get(_CODE.SOFTWARE_VERSION)
    return Capabilities(
        families=None if families is None else frozenset((int(a), int(s)) for a, s in families),
        as4=None if as4 is None else int(as4),
        route_refresh=_CODE.ROUTE_REFRESH in found or _CODE.ROUTE_REFRESH_CISCO in found,
        enhanced_refresh=_CODE.ENHANCED_ROUTE_REFRESH in found,
        long_lived=_long_lived(found.get(_LONG_LIVED)),
        extended_messages=_CODE.EXTENDED_MESSAGE in found,
        graceful_restart=None
        if graceful is None
        else GracefulRestart(
            bool(graceful.restart_flag & Graceful.RESTART_STATE),
            int(graceful.restart_time),
            tuple(
                (int(afi), int(safi), bool(flags & Graceful.FORWARDING_STATE))
                for (afi, safi), flags in graceful.items()
            ),
            bool(graceful.restart_flag & _NOTIFICATION_STATE),
        ),
        add_path=_add_path(found.get(_CODE.ADD_PATH)),
        host_name="" if host is None else _printable(str(host.host_name)),
        software_version="" if software is None else _printable(str(software.software_version)),
        codes=codes,
    )


def _printable(text: str) -> str:
    """What a speaker says of itself, safe in a log, on a terminal and on a page, and the same in all."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _add_path(found: ExaAddPath | None) -> tuple[tuple[int, int, int], ...]:
    """RFC 7911 4: with a direction that doesn't exist the capability is ignored (RFC 5492)."""
    listed = tuple((int(afi), int(safi), int(how)) for (afi, safi), how in (found or {}).items())
    known = all(AddPath.RECEIVE <= how <= AddPath.BOTH for _, _, how in listed)
    return listed if known else ()


def _offer_restarts(ours: Capabilities) -> dict[int, Capability]:
    offered: dict[int, Capability] = {}
    restart = ours.graceful_restart
    if restart is not None:
        offered[_CODE.GRACEFUL_RESTART] = Graceful().set(
            (Graceful.RESTART_STATE if restart.restarting else 0)
            | (_NOTIFICATION_STATE if restart.notification else 0),
            restart.restart_time_s,
            [
                (AFI.create(afi), SAFI.create(safi), Graceful.FORWARDING_STATE if kept else 0)
                for afi, safi, kept in restart.preserved
            ],
        )
    if ours.long_lived is not None:
        offered[_LONG_LIVED] = _LongLivedCapability(ours.long_lived)
    return offered


class _LongLivedCapability(Capability):  # type: ignore[misc]  # exabgp has no types
    """RFC 9494 3, as ExaBGP asks its capabilities for their octets."""

    ID = _LONG_LIVED

    def __init__(self, families: tuple[LongLived, ...]) -> None:
        self._families = families

    def extract(self) -> list[bytes]:
        """The value of the capability."""
        return [
            b"".join(
                each.afi.to_bytes(2)
                + bytes((each.safi, _LONG_LIVED_FORWARDING if each.forwarding else 0))
                + each.stale_time_s.to_bytes(3)
                for each in self._families
            )
        ]


def _long_lived(unknown: Any) -> tuple[LongLived, ...] | None:  # noqa: ANN401 - ExaBGP's
    """What it says by AFI/SAFI; None where it is absent or malformed, and so counts for nothing."""
    if unknown is None or len(unknown.data) % _LONG_LIVED_ENTRY_BYTES:
        return None
    data: bytes = unknown.data
    return tuple(
        LongLived(
            int.from_bytes(data[i : i + 2]),
            data[i + 2],
            bool(data[i + 3] & _LONG_LIVED_FORWARDING),
            int.from_bytes(data[i + 4 : i + 7]),
        )
        for i in range(0, len(data), _LONG_LIVED_ENTRY_BYTES)
    )


def decode_route_refresh(body: bytes) -> tuple[int, int, int]:
    """Decode the body of a ROUTE-REFRESH into (AFI, subtype, SAFI).

    Raises:
        SessionError: RFC 7313 5: a length other than four octets.
    """
    if len(body) != 4:  # noqa: PLR2004 - RFC 2918 3
        raise SessionError(
            ErrorCode.ROUTE_REFRESH,
            HeaderSubcode.CONNECTION_NOT_SYNCHRONIZED,
            f"a ROUTE-REFRESH of {len(body)} octets instead of 4",
            frame(MessageType.ROUTE_REFRESH, body),
        )
    return int.from_bytes(body[:2]), body[2], body[3]


def encode_route_refresh(afi: int, safi: int, subtype: int = 0) -> bytes:
    """Encode a ROUTE-REFRESH, header included (RFC 2918 3)."""
    return bytes(ExaRefresh(afi, safi, subtype).message())


def notification_name(code: int, subcode: int) -> str:
    """Name a NOTIFICATION as the RFCs do, "Cease / Administrative Shutdown"."""
    error = _EXTRA_ERRORS.get(code) or Notification._str_code.get(code, f"error {code}")  # noqa: SLF001
    names = Notification._str_subcode  # noqa: SLF001
    if subcode == 0 and (code, 0) in names:
        return str(error)
    name = _EXTRA_SUBCODES.get((code, subcode)) or names.get((code, subcode))
    return f"{error} / {name or f'subcode {subcode}'}"


@cache
def _exabgp_json() -> Any:  # noqa: ANN401 - ExaBGP has no types
    """What writes ExaBGP's JSON: imported when somebody wants it, and far from its environment."""
    foreign = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("exabgp")}
    try:
        from exabgp.environment import getenv  # noqa: PLC0415 - see above
        from exabgp.reactor.api.response.json import JSON  # noqa: PLC0415
        from exabgp.version import json as version  # noqa: PLC0415

        # Else a cache for the whole process grows with what peers say.
        getenv().cache.attributes = False
        return JSON(version)
    finally:
        os.environ.update(foreign)


def exabgp_json_version() -> str:
    """The version of ExaBGP's JSON that this is."""
    return str(_exabgp_json().version)


def update_as_exabgp(body: bytes, session: Negotiated) -> dict[str, Any]:
    """An UPDATE as ExaBGP's JSON has it.

    Args:
        body: What follows the header.
        session: What the session on which it was received runs on.

    Returns:
        Its `message`; `{"update": {}}` where ExaBGP can't read it.
    """
    writer = _exabgp_json()
    from exabgp.bgp.message.direction import Direction  # noqa: PLC0415 - not for a reflector alone
    from exabgp.bgp.message.open.capability.negotiated import (  # noqa: PLC0415
        Negotiated as ExaNegotiated,
    )
    from exabgp.bgp.message.update import Update  # noqa: PLC0415

    negotiated = ExaNegotiated({"capability": {"aigp": False}})
    negotiated.asn4 = session.as4
    negotiated.families = [_exa_family(each) for each in session.families]
    identified = {_exa_family(each): True for each in session.add_path_receive}
    negotiated.addpath._receive = identified  # noqa: SLF001 - set up from two OPENs of its own only
    try:
        update = Update.unpack_message(body, Direction.IN, negotiated)
        message: dict[str, Any] = json.loads(writer._update(update)["message"])  # noqa: SLF001
    except Exception:  # noqa: BLE001 - ExaBGP raises what it likes on odd input
        return {"update": {}}
    return message


def _exa_family(family: Family) -> tuple[Any, Any]:
    return AFI.create(family.afi), SAFI.create(family.safi)


def notification_as_exabgp(code: int, subcode: int, data: bytes) -> dict[str, Any]:
    """A NOTIFICATION as ExaBGP's JSON has it."""
    said = bytes(Notification(code, subcode, data).data)
    return {
        "code": code,
        "subcode": subcode,
        "data": f"0x{said.hex().upper()}",
        "message": said.decode("utf-8", "replace"),
    }


_EXTRA_ERRORS: Final = {7: "ROUTE-REFRESH message error", 8: "Send hold timer expired"}
_EXTRA_SUBCODES: Final = {(6, 9): "Hard Reset"}


def _malformed(reason: str) -> SessionError:
    """RFC 4271 6.2: a recognised but malformed optional parameter has subcode 0."""
    return SessionError(ErrorCode.OPEN_MESSAGE, OpenSubcode.UNSPECIFIC, f"malformed OPEN: {reason}")


def _words(error: Exception) -> str:
    if isinstance(error, Notify):
        return bytes(error.data).decode("ascii", "replace")
    return str(error)
