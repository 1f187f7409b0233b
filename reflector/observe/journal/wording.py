"""Reports in words: each becomes one line of the log, with its facts beside it for machines."""

from dataclasses import dataclass, field
from typing import Final

from reflector.bgp.errors import Action
from reflector.bgp.notification import Notification
from reflector.bgp.vocabulary import CeaseSubcode, ErrorCode
from reflector.observe.duration import span
from reflector.reports import (
    ConnectionRefused,
    PeerCantRefresh,
    PeerDown,
    PeerName,
    PeerReturned,
    PeerUp,
    Report,
    RestartOver,
    RoutesKeptLong,
    StaleRoutesGone,
    Steered,
    Trouble,
    UpdateFault,
)

DEBUG: Final = "debug"
INFO: Final = "info"
WARNING: Final = "warning"
ERROR: Final = "error"


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the log.

    Args:
        level: "debug", "info", "warning" or "error".
        event: What kind of thing happened, a name that scripts may rely on.
        message: The same for people, in one sentence.
        fields: Its facts, ready for JSON.
    """

    level: str
    event: str
    message: str
    fields: dict[str, object] = field(default_factory=dict)


def describe(report: Report) -> Line:
    """Put a report in words."""
    match report:
        case PeerUp():
            return _up(report)
        case PeerDown():
            return _down(report)
        case (
            StaleRoutesGone()
            | RoutesKeptLong()
            | ConnectionRefused()
            | PeerReturned()
            | PeerCantRefresh()
        ):
            return _remark(report)
        case RestartOver():
            return _restart_over(report)
        case UpdateFault():
            return _fault(report)
        case Steered() | Trouble():
            return _of_our_own(report)


def level_of(report: Report) -> str:
    """The level of a report, without the work of wording it."""
    match report:
        case PeerDown():
            return _level_of_down(report)
        case PeerUp() | PeerReturned() | Steered():
            return INFO
        case UpdateFault(_, finding):
            # A path that has come round in a circle is no mistake of anybody's.
            return INFO if finding.action is Action.EXCLUDE else WARNING
        case ConnectionRefused() | PeerCantRefresh() | StaleRoutesGone() | RoutesKeptLong():
            return WARNING
        case RestartOver(_, missing):
            return WARNING if missing else INFO
        case Trouble():
            return ERROR


def name_peer(peer: PeerName) -> str:
    """A peer for people: its address, what it calls itself, and its router id where that differs."""
    known_as = [peer.host_name] if peer.host_name else []
    if peer.description:
        known_as.append(peer.description)
    if peer.router_id and peer.router_id != str(peer.address):
        known_as.append(f"router id {peer.router_id}")
    return f"{peer.address} ({', '.join(known_as)})" if known_as else str(peer.address)


def identify_peer(peer: PeerName) -> dict[str, object]:
    """A peer for machines."""
    fields: dict[str, object] = {"peer": str(peer.address)}
    for name in ("router_id", "host_name", "description"):
        value = getattr(peer, name)
        if value:
            fields[name] = value
    return fields


def _about(peer: PeerName, level: str, event: str, words: str, reason: str) -> Line:
    fields = {**identify_peer(peer), "reason": reason}
    return Line(level, event, f"{name_peer(peer)}: {words}", fields)


def _up(report: PeerUp) -> Line:
    families = " and ".join(report.families)
    hold = f"hold time {report.hold_time_s} s" if report.hold_time_s else "no keepalives"
    return Line(
        INFO,
        "peer_up",
        f"{name_peer(report.peer)}: up, {families}, {hold}",
        {
            **identify_peer(report.peer),
            "families": list(report.families),
            "hold_time_s": report.hold_time_s,
        },
    )


def _down(report: PeerDown) -> Line:
    words = f"{name_peer(report.peer)}: "
    fields = {**identify_peer(report.peer), "reason": report.reason}
    if report.was_up:
        lost = f"{_prefixes(report.prefixes)} lost"
        if report.kept:
            fields |= {"prefixes_kept": report.kept, "kept_s": report.kept_s}
            lost = f"{_prefixes(report.kept)} kept for {report.kept_s} s" + (
                f", {lost}" if report.prefixes else ""
            )
        words += f"down after {span(report.up_s)}, {lost}: {report.reason}"
        fields |= {"prefixes_lost": report.prefixes, "up_s": round(report.up_s, 3)}
    else:
        words += f"no session: {report.reason}"
    for key, notification in (("sent", report.sent), ("received", report.received)):
        if notification is None:
            continue
        fields[f"notification_{key}"] = _notification_fields(notification)
        # The session's reason mostly quotes what was received; nothing is said twice.
        if notification.name not in report.reason:
            words += f" ({key} NOTIFICATION {notification.name}{_quoted(notification.text)})"
    event = "peer_down" if report.was_up else "session_failed"
    return Line(_level_of_down(report), event, words, fields)


def _remark(
    report: StaleRoutesGone | RoutesKeptLong | ConnectionRefused | PeerReturned | PeerCantRefresh,
) -> Line:
    match report:
        case RoutesKeptLong():
            return _kept_long(report)
        case PeerCantRefresh(peer):
            return _about(peer, WARNING, "cant_refresh", _CANT_REFRESH, _CANT_REFRESH)
        case StaleRoutesGone(peer, prefixes, reason):
            words = f"{_prefixes(prefixes)} that had outlived its session lost: {reason}"
            return _about(peer, WARNING, "stale_routes_gone", words, reason)
        case ConnectionRefused(peer, reason):
            return _about(peer, WARNING, "connection_refused", f"turned away: {reason}", reason)
        case PeerReturned(peer, outcome):
            return _about(peer, INFO, "peer_returned", f"connected again: {outcome}", outcome)


def _kept_long(report: RoutesKeptLong) -> Line:
    lost = f", {_prefixes(report.lost)} lost" if report.lost else ""
    words = f"{_prefixes(report.prefixes)} kept for {report.kept_s} s as a last choice{lost}"
    line = _about(
        report.peer, WARNING, "routes_kept_long", f"{words}: {report.reason}", report.reason
    )
    line.fields.update(
        prefixes_kept=report.prefixes, prefixes_lost=report.lost, kept_s=report.kept_s
    )
    return line


def _restart_over(report: RestartOver) -> Line:
    words = f"the restart is over after {report.took_s:.1f} s: peers were told that they have all"
    if report.missing:
        who = "1 peer" if report.missing == 1 else f"{report.missing} peers"
        words += f"; {who} that had kept our routes did not come back in time"
    fields: dict[str, object] = {"took_s": round(report.took_s, 3), "missing": report.missing}
    return Line(level_of(report), "restart_over", words, fields)


def _of_our_own(report: Steered | Trouble) -> Line:
    if isinstance(report, Trouble):
        return Line(ERROR, "trouble", report.what)
    words = f"{report.what} (by {report.by})"
    return Line(INFO, "steered", words, {"what": report.what, "by": report.by})


def _prefixes(count: int) -> str:
    return "1 prefix" if count == 1 else f"{count} prefixes"


def _level_of_down(report: PeerDown) -> str:
    sent = report.sent
    expected = sent is not None and sent.code == ErrorCode.CEASE and sent.subcode in _ROUTINE
    return INFO if expected else WARNING


# What ends sessions without anything being wrong.
_ROUTINE: Final = frozenset(
    {CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, CeaseSubcode.CONNECTION_COLLISION_RESOLUTION}
)


def _fault(report: UpdateFault) -> Line:
    finding = report.finding
    line = _about(
        report.peer,
        level_of(report),
        "update_fault",
        f"{_COSTS[finding.action]}: {finding.reason}",
        finding.reason,
    )
    line.fields["action"] = finding.action.name.lower()
    return line


_CANT_REFRESH: Final = (
    "its import policy has changed, and it can't be asked for its routes again (no route refresh): "
    "what was rejected before comes when it announces it anew, or with its next session"
)
_COSTS: Final = {
    Action.NOTE: "watch out",
    Action.DISCARD: "attribute or routes ignored",
    Action.EXCLUDE: "routes not used",
    Action.WITHDRAW: "routes rejected",
}


def _notification_fields(notification: Notification) -> dict[str, object]:
    return {
        "code": notification.code,
        "subcode": notification.subcode,
        "name": notification.name,
        "text": notification.text,
        "hard_reset": notification.hard,
    }


def _quoted(text: str) -> str:
    return f' "{text}"' if text else ""
